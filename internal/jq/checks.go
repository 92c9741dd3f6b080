package jq

import (
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/dialect"
)

// bound puts a check before every call of a Go function. gojq has no hook for that, and
// prefers its own functions to those of the same name that WithFunction adds, so the
// compiled calls are rewritten where they lie. The error is errLayout.
func bound(code *gojq.Code) error {
	m := &matcher{}
	return goCalls(code, func(name string, f function) (function, error) {
		if name != "_match" {
			return checked(name, dialect.Function(name, f)), nil
		}
		m.refuse = f
		return dialect.Function(name, m.match), nil
	})
}

// checked returns the function with the check that the table has for its name.
func checked(name string, f function) function {
	check, listed := checks[name]
	switch {
	case !listed:
		check = boundAll
	case check == nil:
		return f
	}
	return func(v any, args []any) any {
		err := weighNumbers(v, args)
		if err == nil {
			err = check(v, args)
		}
		if err != nil {
			return &limitError{name, err}
		}
		return f(v, args)
	}
}

// checks holds, for each Go function of gojq, what looks at its input v and its
// arguments before it is called. A function with nil is called unseen, and one that is
// not listed has boundAll. Operators have their operands in args, and ignore v.
var checks = map[string]func(v any, args []any) error{
	// These look at no more than the top of what they are given, or at one text.
	"type": nil, "length": nil, "utf8bytelength": nil, "keys": nil, "reverse": nil, "toboolean": nil,
	"startswith": nil, "endswith": nil, "ltrimstr": nil, "rtrimstr": nil, "trimstr": nil, "_alternative": nil,
	"debug": nil, "stderr": nil, "builtins": nil, "modulemeta": nil, "now": nil, "infinite": nil, "nan": nil,
	"halt": nil, "_break": nil, "_allocator": nil, "_literal": nil, "_caught": nil, "_lgamma_sign": nil,

	"_add": boundAddition, "_multiply": boundMultiplication, "_divide": boundDivision, "_modulo": boundArgs,
	"_subtract": func(_ any, args []any) error { return boundProduct(args[0], args[1]) },
	"_equal":    boundComparison, "_notequal": boundComparison,
	"_greater": boundComparison, "_greatereq": boundComparison, "_less": boundComparison, "_lesseq": boundComparison,
	"_index": func(_ any, args []any) error { return boundIndex(args[0], args[1]) },
	"_slice": func(_ any, args []any) error { return weigh(maxRead, args[1:]...) },
	"_range": boundArgs, "has": boundArgs,

	"add": boundSum, "join": boundJoin, "implode": boundCharacters, "explode": boundCharacters,
	"split":     func(v any, args []any) error { return boundSplit(v, args[0]) },
	"contains":  func(v any, args []any) error { return boundProduct(v, args[0]) },
	"inside":    func(v any, args []any) error { return boundProduct(v, args[0]) },
	"indices":   func(v any, args []any) error { return boundSearch(v, args[0]) },
	"index":     func(v any, args []any) error { return boundSearch(v, args[0]) },
	"rindex":    func(v any, args []any) error { return boundSearch(v, args[0]) },
	"transpose": boundTransposition,

	// What is sorted or chosen is not looked at, only its keys.
	"_sort_by": boundArgs, "_group_by": boundArgs, "_unique_by": boundArgs, "_min_by": boundArgs, "_max_by": boundArgs,

	"tojson": boundText, "tostring": boundText, "format": boundText, "error": boundRaised, "halt_error": boundText,
	"_tohtml": boundText, "_touri": boundText, "_tourid": boundText, "_tocsv": boundText, "_totsv": boundText,
	"_tosh": boundText, "_tobase64": boundText, "_tobase64d": boundText,
	"fromjson": boundParse, "tonumber": boundDigits,

	"getpath": boundPath, "setpath": boundPath, "_setpath": boundPath, "delpaths": boundPaths, "_delpaths": boundPaths,

	"strftime": boundTime, "strflocaltime": boundTime, "strptime": boundTime,

	"jn": boundBessel, "yn": boundBessel,
	"atan2": boundArgs, "copysign": boundArgs, "drem": boundArgs, "fdim": boundArgs, "fma": boundArgs, "fmax": boundArgs,
	"fmin": boundArgs, "fmod": boundArgs, "hypot": boundArgs, "ldexp": boundArgs, "nextafter": boundArgs,
	"nexttoward": boundArgs, "pow": boundArgs, "remainder": boundArgs, "scalb": boundArgs, "scalbln": boundArgs,
}

// boundAll is for a function that may walk through all it is given.
func boundAll(v any, args []any) error {
	if err := weigh(maxRead, v); err != nil {
		return err
	}
	return weigh(maxRead, args...)
}

func boundArgs(_ any, args []any) error { return weigh(maxRead, args...) }

// boundText is for a function that makes a text of a value.
func boundText(v any, args []any) error {
	if err := weigh(MaxResult, v); err == errRead {
		return errMade
	} else if err != nil {
		return err
	}
	return weigh(MaxResult, args...)
}

// boundRaised is for a value that may become a message.
func boundRaised(v any, args []any) error {
	if len(args) > 0 {
		v = args[0]
	}
	return boundText(v, nil)
}

// boundComparison ends at the first difference: values of two types differ at once.
func boundComparison(_ any, args []any) error {
	if gojq.TypeOf(args[0]) != gojq.TypeOf(args[1]) {
		return nil
	}
	return weigh(maxRead, args[0], args[1])
}

func boundAddition(_ any, args []any) error {
	switch l := args[0].(type) {
	case string:
		r, _ := args[1].(string)
		return fitsText(len(l) + len(r))
	case []any:
		r, _ := args[1].([]any)
		return fitsArray(len(l) + len(r))
	case map[string]any:
		r, _ := args[1].(map[string]any)
		return fitsArray(len(l) + len(r))
	}
	return nil // numbers, of which none is long
}

// boundMultiplication is for numbers and objects, and for a text that is repeated.
func boundMultiplication(_ any, args []any) error {
	s, times := args[0], args[1]
	if _, ok := s.(string); !ok {
		s, times = times, s
	}
	repeated, ok := s.(string)
	if !ok {
		return weigh(maxRead, args...)
	}
	if n, ok := gojq.ToFloat64(times); ok && float64(len(repeated))*n > MaxResult {
		return errMade
	}
	return nil
}

func boundDivision(_ any, args []any) error {
	if _, ok := args[0].(string); ok {
		return boundSplit(args[0], args[1])
	}
	return weigh(maxRead, args...)
}

func boundSplit(v, separator any) error {
	s, _ := v.(string)
	sep, ok := separator.(string)
	if !ok {
		return nil
	}
	return fitsArray(strings.Count(s, sep) + 1)
}

// boundSum is for add, which copies each member once.
func boundSum(v any, _ []any) error {
	bytes, count := 0, 0
	for member := range membersOf(v) {
		switch member := member.(type) {
		case string:
			bytes += len(member)
		case []any:
			count += len(member)
		case map[string]any:
			count += len(member)
		default:
			if err := weigh(maxRead, member); err != nil {
				return err
			}
		}
		if bytes > MaxResult || count > maxCells {
			break
		}
	}
	if err := fitsText(bytes); err != nil {
		return err
	}
	return fitsArray(count)
}

func boundJoin(v any, args []any) error {
	separator, _ := args[0].(string)
	bytes := 0
	for member := range membersOf(v) {
		s, isText := member.(string)
		if !isText {
			if err := weigh(maxRead, member); err != nil {
				return err
			}
			s = "a number" // about as long
		}
		if bytes += len(separator) + len(s); bytes > MaxResult {
			return errMade
		}
	}
	return nil
}

// membersOf yields the members of an array, or the values of an object.
func membersOf(v any) iter.Seq[any] {
	switch v := v.(type) {
	case []any:
		return slices.Values(v)
	case map[string]any:
		return maps.Values(v)
	}
	return func(func(any) bool) {}
}

// boundCharacters is for a text that becomes an array of characters, or the other way.
func boundCharacters(v any, _ []any) error {
	switch v := v.(type) {
	case string:
		return fitsArray(utf8.RuneCountInString(v))
	case []any:
		return fitsArray(len(v))
	}
	return nil
}

func boundTransposition(v any, _ []any) error {
	rows, _ := v.([]any)
	longest := 0
	for _, row := range rows {
		row, _ := row.([]any)
		longest = max(longest, len(row))
	}
	return fitsArray(len(rows) * longest)
}

// boundIndex is for .[x]: an array as x is searched for.
func boundIndex(v, x any) error {
	if _, ok := x.([]any); ok {
		return boundSearch(v, x)
	}
	return weigh(maxRead, x)
}

// boundSearch is for a text or an array that is compared at each place of another.
func boundSearch(v, x any) error {
	s, isText := v.(string)
	part, _ := x.(string)
	if !isText {
		return boundProduct(v, x)
	}
	if cell*(len(s)+len(part)) > maxRead { // both become arrays
		return errRead
	}
	return fitsTime(len(s) * len(part) * 4)
}

// boundParse weighs the values that a JSON text can hold.
func boundParse(v any, _ []any) error {
	s, _ := v.(string)
	values := 0
	for _, sign := range []string{",", ":", "[", "{"} {
		values += strings.Count(s, sign)
	}
	if len(s)+4*cell*values > maxRead {
		return errRead
	}
	return nil
}

func boundDigits(v any, _ []any) error {
	if s, ok := v.(string); ok && len(s) > maxDigits {
		return errDigits
	}
	return weigh(maxRead, v)
}

// boundPath is for a function that goes down a path by recursion, and fills an array
// up to an index.
func boundPath(_ any, args []any) error {
	path, _ := args[0].([]any)
	if len(path) > maxDepth {
		return errNested
	}
	for _, step := range path {
		if err := weigh(maxRead, step); err != nil {
			return err
		}
		if i, ok := gojq.ToInt(step); ok && i > maxCells {
			return errCells
		}
	}
	return nil
}

// boundPaths is for deletion, which walks through all that is left.
func boundPaths(v any, args []any) error {
	all, _ := args[0].([]any)
	if len(all) == 0 {
		return nil
	}
	for _, path := range all {
		if err := boundPath(nil, []any{path}); err == errNested {
			return err
		}
	}
	return weigh(maxRead, v, all)
}

func boundBessel(_ any, args []any) error {
	if err := weigh(maxRead, args...); err != nil {
		return err
	}
	if n, ok := gojq.ToFloat64(args[0]); ok && !(math.Abs(n) <= maxOrder) {
		return ErrSlow
	}
	return nil
}

func boundTime(v any, args []any) error {
	if format, ok := args[0].(string); ok && len(format) > maxFormat {
		return errMade
	}
	return weigh(maxRead, v)
}

func fitsText(bytes int) error {
	if bytes > MaxResult {
		return errMade
	}
	return nil
}

func fitsArray(n int) error {
	if n > maxCells {
		return errCells
	}
	return nil
}
