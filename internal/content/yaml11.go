package content

import (
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The scalars of YAML 1.1, as PyYAML resolves them, which Port's own integration reads
// files with.
//
// Source: https://github.com/yaml/pyyaml/blob/6.0.3/lib/yaml/resolver.py and
// constructor.py beside it, read 2026-11.
var (
	int11   = regexp.MustCompile(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)
	float11 = regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
	time11  = regexp.MustCompile(`^([0-9]{4}-[0-9][0-9]?-[0-9][0-9]?)(?:[Tt]|[ \t]+)([0-9][0-9]?:[0-9]{2}:[0-9]{2})(?:\.([0-9]*))?(?:[ \t]*(?:(Z)|([-+])([0-9][0-9]?)(?::([0-9]{2}))?))?$`)
)

// older returns the value of a scalar without quotes and tag by YAML 1.1, with times as
// Port's integration writes them. What PyYAML refuses is its text.
func older(text string) any {
	switch text {
	case "yes", "Yes", "YES", "on", "On", "ON":
		return true
	case "no", "No", "NO", "off", "Off", "OFF":
		return false
	}
	switch {
	case text == "" || !strings.ContainsAny(text[:1], "-+.0123456789"):
		return core(text) // null, true and false, or a text
	case len(text) > maxDigits:
	case int11.MatchString(text):
		if n := integer11(text); n != nil {
			return json.Number(n.String())
		}
	case float11.MatchString(text):
		return number11(text)
	case time11.MatchString(text):
		return timestamp11(text)
	}
	return text
}

// same reports whether YAML 1.1 gives a scalar the same value, spelled the same: Python
// writes 1.10 as 1.1, which shows in a text of it.
func same(text string) bool {
	if text == "" || !strings.ContainsAny(text[:1], "-+.0123456789yYnNoO") || whole(text) {
		return true
	}
	return core(text) == older(text)
}

// olderKey returns a key by YAML 1.1, as Python writes it as JSON.
func olderKey(text string) string {
	if text != "" && !strings.ContainsAny(text[:1], "-+.0123456789yYnNoOtTfF~") || text != "" && whole(text) {
		return text
	}
	switch v := older(text).(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return string(v)
	}
	return text
}

// integer11 is nil for a number without digits.
func integer11(text string) *big.Int {
	digits, negative := strings.CutPrefix(strings.ReplaceAll(text, "_", ""), "-")
	digits = strings.TrimPrefix(digits, "+")
	n, ok := new(big.Int), true
	switch {
	case strings.HasPrefix(digits, "0b"), strings.HasPrefix(digits, "0x"):
		n, ok = n.SetString(digits, 0)
	case strings.HasPrefix(digits, "0"):
		n, ok = n.SetString(digits, 8)
	default: // 12:30:45 is to the base of 60
		for part := range strings.SplitSeq(digits, ":") {
			var of big.Int
			of.SetString(part, 10)
			n.Add(n.Mul(n, big.NewInt(60)), &of)
		}
	}
	if !ok {
		return nil
	}
	if negative {
		n.Neg(n)
	}
	return n
}

// number11 returns a number with a point. What JSON cannot write is what jq makes of it:
// the largest number, or null.
func number11(text string) any {
	digits, negative := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(text, "_", "")), "-")
	digits = strings.TrimPrefix(digits, "+")
	f := 0.0
	switch digits {
	case ".nan":
		return nil
	case ".inf":
		f = math.MaxFloat64
	default:
		for part := range strings.SplitSeq(digits, ":") {
			n, _ := strconv.ParseFloat(part, 64)
			f = min(60*f+n, math.MaxFloat64)
		}
	}
	if negative {
		f = -f
	}
	return python(f)
}

// python writes a number as Python does.
func python(f float64) json.Number {
	exponent := strconv.FormatFloat(f, 'e', -1, 64)
	_, after, _ := strings.Cut(exponent, "e")
	if n, _ := strconv.Atoi(after); n < -4 || n >= 16 {
		return json.Number(exponent)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return json.Number(text)
}

// pythonNumbers returns a JSON value with its numbers as Python writes them, and whether that
// is another spelling. What does not change is shared.
func pythonNumbers(v any) (got any, differs bool) {
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			written := python(f)
			return written, written != v
		}
	case []any:
		for i, member := range v {
			other, changed := pythonNumbers(member)
			if changed && !differs {
				got, differs = slices.Clone(v), true
			}
			if changed {
				got.([]any)[i] = other
			}
		}
	case map[string]any:
		for key, member := range v {
			other, changed := pythonNumbers(member)
			if changed && !differs {
				got, differs = maps.Clone(v), true
			}
			if changed {
				got.(map[string]any)[key] = other
			}
		}
	}
	if !differs {
		return v, false
	}
	return got, true
}

// timestamp11 returns a time as Python's isoformat writes it; a day alone is its text.
func timestamp11(text string) string {
	m := time11.FindStringSubmatch(text)
	at, err := time.Parse("2006-1-2 15:4:5", m[1]+" "+m[2])
	if err != nil || at.Year() == 0 {
		return text
	}
	written := at.Format("2006-01-02T15:04:05")
	if fraction := (m[3] + "000000")[:6]; fraction != "000000" {
		written += "." + fraction
	}
	switch {
	case m[4] != "":
		written += "+00:00"
	case m[5] != "":
		hours, _ := strconv.Atoi(m[6])
		minutes, _ := strconv.Atoi(m[7])
		offset := 60*hours + minutes
		if offset >= 24*60 {
			return text
		}
		sign := m[5]
		if offset == 0 {
			sign = "+"
		}
		zone := time.Date(1, 1, 1, 0, offset, 0, 0, time.UTC)
		written += sign + zone.Format("15:04")
	}
	return written
}
