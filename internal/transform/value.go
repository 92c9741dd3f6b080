package transform

import (
	"fmt"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/clip"
)

// maxShown bounds how much of a value a message quotes, in characters.
const maxShown = 100

// describe names a value for a message: its text, cut, and its type.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprintf("%t", v)
	case string:
		return "the text " + quote(v)
	}
	return fmt.Sprintf("the %s %s", gojq.TypeOf(v), gojq.Preview(v))
}

// quote gives s in double quotes, cut and without control characters.
func quote(s string) string {
	if shown := clip.Runes(s, maxShown, ""); shown != s {
		return fmt.Sprintf("%q (cut)", shown)
	}
	return fmt.Sprintf("%q", s)
}

// falsy says whether an identifier or a blueprint of this value means that the
// object has none: null, false, 0 and "".
func falsy(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	}
	n, ok := gojq.ToFloat64(v)
	return ok && n == 0
}
