package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	// maxDepth bounds how deep a parsed file may be nested: as deep as no file is that
	// a person writes, and no deeper than a recursion can go.
	maxDepth = 1000
	// maxJSONValues bounds the values of a JSON file, in which each takes two bytes at least.
	maxJSONValues = 1_000_000
)

var (
	errDeep = fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	errMany = errors.New("it holds too many values")
)

func parseJSON(text []byte) (any, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	if size := measureJSON(text); size.deep {
		return nil, errDeep
	} else if size.values > maxJSONValues {
		return nil, errMany
	}
	return decodeJSON(text)
}

func decodeJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the value")
	}
	return value, nil
}

// size is what stands in a JSON text outside of its strings.
type size struct {
	values, keys int
	exponents    bool // a number has an exponent
	deep         bool // nested deeper than maxDepth: what follows is not counted
}

// measureJSON counts brackets, colons and commas before anything is made of them.
func measureJSON(text []byte) size {
	s, depth, quoted := size{values: 1}, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[', c == '{':
			depth++
			s.values++
		case c == ']', c == '}':
			depth--
		case c == ',':
			s.values++
		case c == ':':
			s.keys++
		case c|0x20 == 'e':
			s.exponents = s.exponents || i > 0 && '0' <= text[i-1] && text[i-1] <= '9'
		}
		if depth > maxDepth {
			s.deep = true
			return s
		}
	}
	return s
}

// keys counts the keys of all objects of a value.
func keys(value any) (n int) {
	switch v := value.(type) {
	case map[string]any:
		n = len(v)
		for _, inner := range v {
			n += keys(inner)
		}
	case []any:
		for _, inner := range v {
			n += keys(inner)
		}
	}
	return n
}
