package catalog

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// usualBytes is the room for a text to begin with: most entities have less.
const usualBytes = 1 << 10

// JSON returns a value on one line with "<", ">" and "&" as they are: escaped they are six
// bytes each, which a text full of them pays towards Port's limit, and hard to read for a
// person. Control characters other than those of ASCII are as they are too.
func JSON(v any) ([]byte, error) {
	b, err := appendJSON(make([]byte, 0, usualBytes), v)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(b), nil
}

// appendJSON appends what encoding/json writes. It writes itself what entities are made of: an
// Encoder copies each key and value of a map to the heap first.
func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case string:
		if isPlain(v) {
			b = append(b, '"')
			return append(append(b, v...), '"'), nil
		}
	case []any:
		if v != nil {
			return appendArray(b, v)
		}
	case map[string]any:
		if v != nil {
			return appendObject(b, v)
		}
	}
	return encode(b, v)
}

func appendArray(b []byte, v []any) (_ []byte, err error) {
	b = append(b, '[')
	for i, element := range v {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendJSON(b, element); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendObject(b []byte, v map[string]any) (_ []byte, err error) {
	var room [32]string
	keys := room[:0]
	for key := range v {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendJSON(b, key); err != nil {
			return nil, err
		}
		if b, err = appendJSON(append(b, ':'), v[key]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// isPlain reports whether a text stands in JSON as it is. The two separators are escaped for
// JavaScript's sake, by encoding/json.
func isPlain(s string) bool {
	isASCII := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == '"' || c == '\\':
			return false
		case c >= utf8.RuneSelf:
			isASCII = false
		}
	}
	return isASCII || utf8.ValidString(s) && !strings.Contains(s, "\u2028") && !strings.Contains(s, "\u2029")
}

// encode appends what encoding/json writes of any value.
func encode(b []byte, v any) ([]byte, error) {
	buffer := bytes.NewBuffer(b)
	e := json.NewEncoder(buffer)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}
