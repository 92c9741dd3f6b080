package dialect

import (
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
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

// sum is add: of numbers it is made one after the other, and one alone stays as it is.
func sum(next Callable) Callable {
	return func(v any, args []any) any {
		var total any
		for _, member := range members(v) {
			switch {
			case member == nil:
			case !isNumber(member):
				return next(v, args)
			case total == nil:
				total = member
			default:
				total = plus(double(total), double(member))
			}
		}
		if total == nil {
			return next(v, args)
		}
		return total
	}
}

// members are those of an array, or of an object in the order of its keys.
func members(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case map[string]any:
		list := make([]any, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			list = append(list, v[key])
		}
		return list
	}
	return nil
}

// plus adds two numbers of double.
func plus(a, b any) any {
	i, isInt := a.(int)
	j, bothInt := b.(int)
	if isInt && bothInt {
		return double(i + j)
	}
	f, _ := gojq.ToFloat64(a)
	g, _ := gojq.ToFloat64(b)
	return f + g
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
	got, _ := respell(v)
	return got
}

func respell(v any) (got any, changed bool) {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) {
			return v, false
		}
		return json.Number(floatText(v)), true
	case json.Number:
		text := literalText(v.String())
		return json.Number(text), text != v.String()
	case []any:
		result := v
		for i, member := range v {
			other, otherChanged := respell(member)
			if otherChanged && !changed {
				result, changed = slices.Clone(v), true
			}
			if otherChanged {
				result[i] = other
			}
		}
		return result, changed
	case map[string]any:
		result := v
		for key, member := range v {
			other, otherChanged := respell(member)
			if otherChanged && !changed {
				result, changed = maps.Clone(v), true
			}
			if otherChanged {
				result[key] = other
			}
		}
		return result, changed
	}
	return v, false
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
	const most = 10 // characters of an exponent that is counted with: a larger one stays as written
	exponent, err := strconv.Atoi(power)
	if power != "" && err != nil || len(power) > most {
		return sign + text
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
