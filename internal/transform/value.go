package transform

import (
	"fmt"
	"port-bitbucket-exporter/internal/jq"

	"github.com/itchyny/gojq"
)

// describe names a value for a message: its text, cut, and its type.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprintf("%t", v)
	case string:
		return "the text " + jq.Quote(v)
	}
	return fmt.Sprintf("the %s %s", gojq.TypeOf(v), gojq.Preview(v))
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
