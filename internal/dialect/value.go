package dialect

import (
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"slices"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// A Callable is a function of gojq that is written in Go. It returns an error as its value.
type Callable = func(v any, args []any) any

// always is for a function that does not need that of gojq.
func always(f Callable) func(Callable) Callable { return func(Callable) Callable { return f } }

// isNumber reports whether a value is a number, in any of the types that gojq has for them.
func isNumber(v any) bool {
	switch v.(type) {
	case int, float64, *big.Int, json.Number:
		return true
	}
	return false
}

// scalar reports whether a value has no members.
func scalar(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return false
	}
	return true
}

// kindOf is the type of a value with its beginning.
func kindOf(v any) string { return gojq.TypeOf(v) + " (" + shown(v) + ")" }

// messageRoom is what messages of libjq show of a value, in bytes.
const messageRoom = 29

// shown is the beginning of a value as JSON.
func shown(v any) string {
	const room = messageRoom
	left := 2 * room
	text, _ := gojq.Marshal(respelled(beginning(v, &left)))
	if len(text) <= room {
		return string(text)
	}
	end := ""
	switch text[0] {
	case '"':
		end = `"`
	case '[':
		end = "]"
	case '{':
		end = "}"
	}
	cut := room - len("...") - len(end)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return string(text[:cut]) + "..." + end
}

// beginning returns a value of which the first bytes, written as JSON, are the same, up to
// what is left. A large value is not walked through.
func beginning(v any, left *int) any {
	*left--
	switch v := v.(type) {
	case string:
		cut := v[:min(len(v), max(*left, 0)+utf8.UTFMax)]
		*left -= len(cut)
		return cut
	case []any:
		first := []any{}
		for _, member := range v {
			if *left <= 0 {
				break
			}
			first = append(first, beginning(member, left))
		}
		return first
	case map[string]any:
		first := map[string]any{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if *left <= 0 {
				break
			}
			*left -= len(key)
			first[key] = beginning(v[key], left)
		}
		return first
	}
	return v
}

// errRefused is an error without a text of its own: message has that of libjq.
var errRefused = errors.New("not possible")

// accessError is a value without such a member.
type accessError struct{ v, x any }

func (e *accessError) Error() string {
	return "cannot index " + kindOf(e.v) + " with " + shown(e.x)
}

// member returns what stands at one step of a path.
func member(v, step any) (got any, found bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case map[string]any:
		key, ok := step.(string)
		return v[key], ok
	case []any:
		i, ok := gojq.ToInt(step)
		if ok && i < 0 {
			i += len(v)
		}
		if ok && 0 <= i && i < len(v) {
			return v[i], true
		}
		return nil, ok
	}
	return nil, false
}
