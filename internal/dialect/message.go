package dialect

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/itchyny/gojq"
)

// failure is an error of a function, with what it was called with.
type failure struct {
	error
	name string
	v    any
	args []any
}

// Value is what an expression sees that catches the error: the text of libjq, where that is
// known.
func (f *failure) Value() any {
	if text := message(f.name, f.v, f.args, f.error); text != "" {
		return text
	}
	return f.error.Error()
}

// Error is the text of gojq, and that of libjq for what gojq does not refuse.
func (f *failure) Error() string {
	if f.error == errRefused {
		return message(f.name, f.v, f.args, f.error)
	}
	return f.error.Error()
}

func (f *failure) Unwrap() error { return f.error }

// raised gives an error of a function a value. What is not an error of the expression stays as
// it is.
func raised(name string, v any, args []any, err error) error {
	var valued gojq.ValueError
	if name == "_break" || errors.As(err, &valued) {
		return err
	}
	return &failure{err, name, v, slices.Clone(args)}
}

// behind are the texts that follow the input of a function.
var behind = map[string]string{
	"tonumber": "cannot be parsed as a number", "toboolean": "cannot be parsed as a boolean", "length": "has no length",
	"utf8bytelength": "only strings have UTF-8 byte length", "keys": "has no keys", "_negate": "cannot be negated",
	"bsearch": "cannot be searched from", "fromjson": "only strings can be parsed", "sort": "cannot be sorted, as it is not an array",
	"unique": "cannot be sorted, as it is not an array", "_tocsv": "cannot be csv-formatted, only array", "_totsv": "cannot be tsv-formatted, only array",
	"_tosh": "can not be escaped for shell", "_tourid": "is not a valid uri encoding", "_tobase64d": "is not valid base64 data",
}

// whole are texts without a value.
var whole = map[string]string{
	"trim": "trim input must be a string", "ltrim": "trim input must be a string", "rtrim": "trim input must be a string",
	"startswith": "startswith() requires string inputs", "ltrimstr": "startswith() requires string inputs",
	"endswith": "endswith() requires string inputs", "rtrimstr": "endswith() requires string inputs", "trimstr": "startswith() requires string inputs",
	"split": "split input and separator must be strings", "explode": "explode input must be a string",
	"ascii_downcase": "explode input must be a string", "ascii_upcase": "explode input must be a string",
	"gmtime": "gmtime() requires numeric inputs", "_range": "Range bounds must be numeric",
}

// between are the texts that follow both operands.
var between = map[string]string{
	"_add": "cannot be added", "_subtract": "cannot be subtracted", "_multiply": "cannot be multiplied", "_divide": "cannot be divided",
	"_modulo": "cannot be divided (remainder)",
}

// message is the text of libjq for an error, "" when it is not known.
func message(name string, v any, args []any, err error) string {
	var access *accessError
	if errors.As(err, &access) {
		return accessText(access.v, access.x)
	}
	if text := behind[name]; text != "" {
		return valueText(name, v, text)
	}
	if text := whole[name]; text != "" {
		return text
	}
	if text := between[name]; text != "" {
		if (name == "_divide" || name == "_modulo") && isNumber(args[0]) && isNumber(args[1]) {
			text += " because the divisor is zero"
		}
		return kindOf(args[0]) + " and " + kindOf(args[1]) + " " + text
	}
	switch name {
	case "_index":
		return accessText(args[0], args[1])
	case "_slice":
		return sliceText(args)
	case "has":
		return "Cannot check whether " + gojq.TypeOf(v) + " has a " + gojq.TypeOf(args[0]) + " key"
	case "contains":
		return kindOf(v) + " and " + kindOf(args[0]) + " cannot have their containment checked"
	case "inside":
		return kindOf(args[0]) + " and " + kindOf(v) + " cannot have their containment checked"
	case "index", "rindex", "indices":
		return accessText(v, args[0])
	case "join":
		return joinText(v, args[0])
	case "implode":
		return implodeText(v)
	case "_match":
		return matchText(v, args)
	case "flatten":
		if _, ok := v.([]any); ok {
			return "flatten depth must not be negative"
		}
		return iterated(v)
	case "add", "transpose", "min_by", "_group_by", "_sort_by", "_unique_by", "_min_by", "_max_by":
		return iterated(v)
	case "min", "max":
		return kindOf(v) + " and " + kindOf(v) + " cannot be iterated over"
	}
	if text := timeText(name, v, args); text != "" {
		return text
	}
	return pathText(name, v, args, err)
}

// valueText looks at the few functions whose text depends on what is wrong.
func valueText(name string, v any, text string) string {
	list, isList := v.([]any)
	s, isText := v.(string)
	switch {
	case name == "_tobase64d" && isText && len(strings.TrimRight(s, "="))%4 == 1:
		return kindOf(v) + " trailing base64 byte found"
	case name == "fromjson" && isText:
		return "" // it quotes the place
	case (name == "_tocsv" || name == "_totsv") && isList:
		for _, member := range list {
			if !scalar(member) {
				return kindOf(member) + " is not valid in a csv row"
			}
		}
	case name == "_tosh" && isList:
		for _, member := range list {
			if !scalar(member) {
				return kindOf(member) + " " + text
			}
		}
	}
	return kindOf(v) + " " + text
}

func accessText(v, x any) string {
	if _, isSlice := x.(map[string]any); isSlice && sliceable(v) {
		return "Array/string slice indices must be integers"
	}
	if slice, ok := x.(map[string]any); ok && len(slice) == 2 {
		if start, hasStart := slice["start"]; hasStart {
			if end, hasEnd := slice["end"]; hasEnd {
				return "Cannot index " + gojq.TypeOf(v) + ` with object ({"start":` + shown(start) + `,"end":` + shown(end) + "})"
			}
		}
	}
	return "Cannot index " + gojq.TypeOf(v) + " with " + kindOf(x)
}

func sliceable(v any) bool {
	switch v.(type) {
	case nil, string, []any:
		return true
	}
	return false
}

// sliceText has the operands of gojq: the value, the end and the start.
func sliceText(args []any) string {
	return accessText(args[0], map[string]any{"start": args[2], "end": args[1]})
}

func iterated(v any) string { return "Cannot iterate over " + kindOf(v) }

func joinText(v, separator any) string {
	list, ok := v.([]any)
	if !ok {
		return iterated(v)
	}
	s, _ := separator.(string)
	text := ""
	for i, member := range list {
		if len(text) > messageRoom { // what follows does not show
			text = text[:messageRoom+1]
		}
		if i > 0 {
			text += s
		}
		if !scalar(member) {
			return kindOf(text) + " and " + kindOf(member) + " cannot be added"
		}
		switch member := respelled(member).(type) {
		case nil:
		case string:
			text += member
		default:
			written, _ := json.Marshal(member)
			text += string(written)
		}
	}
	return ""
}

// matchText is for what is not text, among the input, a regular expression and its flags.
func matchText(v any, args []any) string {
	if _, ok := v.(string); !ok {
		return kindOf(v) + " cannot be matched, as it is not a string"
	}
	if _, ok := args[0].(string); !ok {
		return kindOf(args[0]) + " is not a string"
	}
	if _, ok := args[1].(string); !ok && args[1] != nil {
		return kindOf(args[1]) + " is not a string"
	}
	return ""
}

func implodeText(v any) string {
	list, ok := v.([]any)
	if !ok {
		return "implode input must be an array"
	}
	for _, member := range list {
		if f, ok := gojq.ToFloat64(member); !ok || math.IsNaN(f) {
			return kindOf(member) + " can't be imploded, unicode codepoint needs to be numeric"
		}
	}
	return ""
}

func timeText(name string, v any, args []any) string {
	switch name {
	case "mktime":
		if _, ok := v.([]any); !ok {
			return "mktime requires array inputs"
		}
		return "mktime requires parsed datetime inputs"
	case "strftime", "strflocaltime":
		if _, ok := args[0].(string); !ok && (isNumber(v) || !scalar(v)) {
			return name + "/1 requires a string format"
		}
		return name + "/1 requires parsed datetime inputs"
	case "strptime":
		s, isText := v.(string)
		format, isFormat := args[0].(string)
		if !isText || !isFormat {
			return "strptime/1 requires string inputs and arguments"
		}
		return `date "` + s + `" does not match format "` + format + `"`
	}
	return ""
}

// pathText is for functions that go down paths, and for functions of numbers.
func pathText(name string, v any, args []any, err error) string {
	text := err.Error()
	switch name {
	case "getpath":
		return "Path must be specified as an array"
	case "setpath", "_setpath":
		return setText(v, args, text)
	case "delpaths", "_delpaths":
		return deleteText(v, args[0])
	}
	for _, arg := range append([]any{v}, args...) {
		if !isNumber(arg) && strings.Contains(text, " cannot be applied to: ") {
			if len(args) > 0 && arg == nil {
				continue // functions of two numbers ignore their input
			}
			return kindOf(arg) + " number required"
		}
	}
	return ""
}

func setText(v any, args []any, text string) string {
	path, ok := args[0].([]any)
	switch {
	case !ok:
		return "Path must be specified as an array"
	case strings.Contains(text, "array index too large"):
		return "Array index too large"
	}
	for i, step := range path {
		if f, ok := gojq.ToFloat64(step); ok && math.IsNaN(f) {
			return "Cannot set array element at NaN index"
		}
		last := i == len(path)-1
		if _, isSlice := step.(map[string]any); isSlice && last {
			switch v.(type) {
			case string:
				return "Cannot update string slices"
			case []any, nil:
				return "A slice of an array can only be assigned another array"
			}
		}
		if _, isList := step.([]any); isList && sliceable(v) {
			return "Cannot update field at array index of array"
		}
		next, found := member(v, step)
		if !found {
			return accessText(v, step)
		}
		v = next
	}
	if strings.Contains(text, "array index should not be negative") {
		return "Out of bounds negative array index"
	}
	return ""
}

func deleteText(v, paths any) string {
	list, ok := paths.([]any)
	if !ok {
		return "Paths must be specified as an array"
	}
	for _, path := range list {
		steps, ok := path.([]any)
		if !ok {
			return "Path must be specified as array, not " + gojq.TypeOf(path)
		}
		at := v
		for i, step := range steps {
			next, found := member(at, step)
			switch {
			case found:
				at = next
			case i < len(steps)-1:
				return accessText(at, step)
			case scalar(at):
				return "Cannot delete fields from " + gojq.TypeOf(at)
			default:
				part := " element of "
				if gojq.TypeOf(at) == "object" {
					part = " field of "
				}
				return "Cannot delete " + gojq.TypeOf(step) + part + gojq.TypeOf(at)
			}
		}
	}
	return ""
}

// texts are those of errors that gojq raises between its functions.
var texts = []struct{ gojq, libjq string }{
	{"cannot iterate over: ", "Cannot iterate over "},
	{"invalid path against: ", "Invalid path expression with result "},
	{"invalid path on iterating against: ", "Invalid path expression near attempt to iterate through "},
	{"nth doesn't support negative index", "nth doesn't support negative indices"},
	{"expected a string for object key but got: ", "Cannot use "},
}

// caught is what a handler sees of an error.
func caught(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	for _, t := range texts {
		rest, ok := strings.CutPrefix(s, t.gojq)
		if !ok {
			continue
		}
		switch {
		case rest == "null":
			rest = "null (null)"
		case strings.HasPrefix(t.libjq, "Invalid path"):
			_, rest, _ = strings.Cut(rest, " (")
			rest = strings.TrimSuffix(rest, ")")
		case t.libjq == "Cannot use ":
			rest += " as object key"
		}
		return t.libjq + rest
	}
	return v
}
