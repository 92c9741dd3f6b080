package dialect

import (
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// exact is the largest integer up to which a float64 holds each one. libjq calculates with
// floats, gojq with integers of any size.
const exact = 1 << 53

// double returns a number as libjq calculates with it: an int when that makes no
// difference. Other values stay as they are.
func double(v any) any {
	switch v := v.(type) {
	case int:
		if v < -exact || v > exact {
			return float64(v)
		}
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f
	case json.Number:
		if i, err := strconv.Atoi(v.String()); err == nil {
			return double(i)
		}
		f, _ := strconv.ParseFloat(v.String(), 64)
		return f
	}
	return v
}

// arithmetic is for an operator on two numbers.
func arithmetic(next Callable) Callable {
	return func(v any, args []any) any {
		left, right := args[0], args[1]
		args[0], args[1] = double(left), double(right)
		got := double(next(v, args))
		args[0], args[1] = left, right // for the text of an error
		return got
	}
}

// addition is arithmetic in which null gives the other operand as it is.
func addition(next Callable) Callable {
	add := arithmetic(next)
	return func(v any, args []any) any {
		switch {
		case args[0] == nil:
			return args[1]
		case args[1] == nil:
			return args[0]
		}
		return add(v, args)
	}
}

// signed is arithmetic with a zero below zero.
func signed(next Callable) Callable {
	calculate := arithmetic(next)
	return func(v any, args []any) any {
		left, right := args[0], args[1]
		got := calculate(v, args)
		if got == 0 && (negative(left) != negative(right)) {
			return math.Copysign(0, -1)
		}
		return got
	}
}

func negative(v any) bool {
	switch v := double(v).(type) {
	case int:
		return v < 0
	case float64:
		return math.Signbit(v)
	}
	return false
}

// negation keeps the spelling of a number.
func negation(next Callable) Callable {
	return func(v any, args []any) any {
		if n, ok := v.(json.Number); ok {
			if positive, ok := strings.CutPrefix(n.String(), "-"); ok {
				return json.Number(positive)
			}
			return json.Number("-" + n.String())
		}
		return next(v, args)
	}
}

// spelled is for a function that makes a text of its input.
func spelled(next Callable) Callable {
	return func(v any, args []any) any { return next(respelled(v), args) }
}

// respelled returns a value with its numbers as libjq writes them. A container is copied
// only when something in it changes.
func respelled(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) {
			return v
		}
		return json.Number(floatText(v))
	case json.Number:
		return json.Number(literalText(v.String()))
	case []any:
		result, copied := v, false
		for i, member := range v {
			if !plainSpelling(member) {
				if !copied {
					result, copied = slices.Clone(v), true
				}
				result[i] = respelled(member)
			}
		}
		return result
	case map[string]any:
		result, copied := v, false
		for key, member := range v {
			if !plainSpelling(member) {
				if !copied {
					result, copied = maps.Clone(v), true
				}
				result[key] = respelled(member)
			}
		}
		return result
	}
	return v
}

// plainSpelling reports whether a value is not changed by respelled.
func plainSpelling(v any) bool {
	switch v := v.(type) {
	case float64:
		return false
	case json.Number:
		return !strings.ContainsAny(v.String(), ".eE")
	case []any:
		return !slices.ContainsFunc(v, func(member any) bool { return !plainSpelling(member) })
	case map[string]any:
		for _, member := range v {
			if !plainSpelling(member) {
				return false
			}
		}
	}
	return true
}

// floatText is a finite or infinite number as libjq writes the result of a calculation: the
// shortest digits, with an exponent below 1e-4 and where more than 15 zeros would follow.
func floatText(f float64) string {
	f = min(max(f, -math.MaxFloat64), math.MaxFloat64)
	text := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, power, _ := strings.Cut(text, "e")
	exponent, _ := strconv.Atoi(power)
	digits := len(mantissa)
	if strings.HasPrefix(mantissa, "-") {
		digits--
	}
	if digits > 1 {
		digits-- // the dot
	}
	if point := exponent + 1; point > -4 && point <= digits+15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return text
}

// literalText is a number as libjq writes one that was only read: all its digits, with an
// exponent when there was one that they do not show, or below 1e-6.
//
// Source: http://speleotrove.com/decimal/daconvs.html ("to-scientific-string"), read
// 2026-11.
func literalText(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	sign := ""
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = "-", rest
	}
	mantissa, power := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, power = text[:i], text[i+1:]
	}
	exponent, err := strconv.Atoi(power)
	if power != "" && err != nil {
		return sign + text // too large to count: it stays as written
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		digits = "0"
	}
	adjusted := exponent + len(digits) - 1
	const smallest = -6
	if exponent > 0 || adjusted < smallest {
		if len(digits) > 1 {
			digits = digits[:1] + "." + digits[1:]
		}
		if adjusted == 0 {
			return sign + digits
		}
		return sign + digits + "E" + signedText(adjusted)
	}
	if exponent == 0 {
		return sign + digits
	}
	if missing := 1 - exponent - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) + exponent
	return sign + digits[:point] + "." + digits[point:]
}

func signedText(n int) string {
	if n > 0 {
		return "+" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}
