package dialect

import (
	"encoding/json"
	"errors"
	"math/big"
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

// shown is the beginning of a value as JSON: messages of libjq have room for 29 bytes.
func shown(v any) string {
	const room = 29
	text, _ := gojq.Marshal(respelled(v))
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

// errRefused is an error without a text of its own: message has that of libjq.
var errRefused = errors.New("not possible")

// accessError is a value without such a member.
type accessError struct{ v, x any }

func (e *accessError) Error() string {
	return "cannot index " + kindOf(e.v) + " with " + shown(e.x)
}
