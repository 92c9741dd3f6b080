package content

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
)

// maxDigits bounds the digits of a number that is not written as JSON writes it.
const maxDigits = 1000

// based is a whole number to the base of 8 or 16.
var based = regexp.MustCompile(`^0(?:o[0-7]+|x[0-9a-fA-F]+)$`)

// decimal takes a number apart: its sign, what stands before and after the point, and
// the exponent.
var decimal = regexp.MustCompile(`^([-+]?)([0-9]*)(\.([0-9]*))?([eE][-+]?[0-9]+)?$`)

// core returns the value of a scalar without quotes and tag, by YAML's core schema.
// Infinity, and what is not a number, stay text: JSON has neither.
//
// Source: https://yaml.org/spec/1.2.2/#1032-tag-resolution, read 2026-11.
func core(text string) any {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return nil
	case "true", "True", "TRUE":
		return true
	case "false", "False", "FALSE":
		return false
	}
	if n := number(text); n != "" {
		return n
	}
	return text
}

// number returns a number as JSON writes it; empty for what is none.
func number(text string) json.Number {
	switch c := text[0]; {
	case c != '-' && c != '+' && c != '.' && (c < '0' || c > '9'):
		return ""
	case whole(text):
		return json.Number(text)
	case based.MatchString(text):
		n, ok := new(big.Int).SetString(text, 0)
		if !ok || len(text) > maxDigits {
			return ""
		}
		return json.Number(n.String())
	}
	m := decimal.FindStringSubmatch(text)
	if m == nil || m[2] == "" && m[4] == "" {
		return ""
	}
	sign, before, fraction, exponent := strings.TrimPrefix(m[1], "+"), strings.TrimLeft(m[2], "0"), m[3], m[5]
	if before == "" {
		before = "0"
	}
	if fraction == "." {
		fraction = ".0"
	}
	return json.Number(sign + before + fraction + exponent)
}

// whole reports whether a number is digits alone, as JSON writes them.
func whole(text string) bool {
	return (text[0] != '0' || len(text) == 1) && strings.Trim(text, "0123456789") == ""
}
