package dialect

import (
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strings"
	"unicode/utf8"
)

// toNumber knows the numbers that have no digits, and keeps the spelling of others.
func toNumber(next Callable) Callable {
	return func(v any, args []any) any {
		s, ok := v.(string)
		if !ok {
			return next(v, args)
		}
		if f, ok := special(s); ok {
			return f
		}
		got := next(v, args)
		if _, failed := got.(error); !failed && strings.ContainsAny(s, ".eE") {
			return json.Number(literalText(jsonNumber(strings.TrimPrefix(s, "+"))))
		}
		return got
	}
}

// special returns NaN and the infinities by their names, in any case.
//
// Source: http://speleotrove.com/decimal/daconvs.html ("to-number"), read 2026-11.
func special(s string) (f float64, ok bool) {
	name, sign := strings.ToLower(s), 1
	if rest, ok := strings.CutPrefix(name, "-"); ok {
		name, sign = rest, -1
	} else {
		name = strings.TrimPrefix(name, "+")
	}
	switch name {
	case "nan", "snan":
		return math.NaN(), true
	case "inf", "infinity":
		return math.Inf(sign), true
	}
	return 0, false
}

// fromJSON reads what libjq reads beyond JSON: numbers as they are written elsewhere, NaN
// and Infinity. What is JSON is left to gojq.
func fromJSON(next Callable) Callable {
	return func(v any, args []any) any {
		got := next(v, args)
		s, ok := v.(string)
		if _, failed := got.(error); !failed || !ok {
			return got
		}
		r := reader{text: strings.TrimPrefix(s, "\uFEFF")}
		value, err := r.document()
		if err != nil {
			return got
		}
		return value
	}
}

// errNoJSON is a text that libjq does not read either.
var errNoJSON = errors.New("this is not JSON")

// maxNested bounds the nesting of a text.
const maxNested = 10000

// reader reads JSON with the numbers of libjq.
type reader struct {
	text  string
	at    int
	depth int
}

func (r *reader) document() (any, error) {
	v, err := r.value()
	if err == nil && r.next() != 0 {
		return nil, errNoJSON
	}
	return v, err
}

// next returns the byte that comes after blanks, 0 at the end.
func (r *reader) next() byte {
	for ; r.at < len(r.text); r.at++ {
		if c := r.text[r.at]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
	}
	return 0
}

func (r *reader) value() (any, error) {
	if r.depth++; r.depth > maxNested {
		return nil, errNoJSON
	}
	defer func() { r.depth-- }()
	switch r.next() {
	case '[':
		return r.array()
	case '{':
		return r.object()
	case '"':
		return r.quoted()
	}
	return r.word()
}

// members reads what stands between brackets, with commas between.
func (r *reader) members(end byte, member func() error) error {
	r.at++
	if r.next() == end {
		r.at++
		return nil
	}
	for {
		if err := member(); err != nil {
			return err
		}
		switch c := r.next(); {
		case c == end:
			r.at++
			return nil
		case c != ',':
			return errNoJSON
		}
		r.at++
	}
}

func (r *reader) array() (any, error) {
	list := []any{}
	err := r.members(']', func() error {
		v, err := r.value()
		list = append(list, v)
		return err
	})
	return list, err
}

func (r *reader) object() (any, error) {
	object := map[string]any{}
	err := r.members('}', func() error {
		if r.next() != '"' {
			return errNoJSON
		}
		key, err := r.quoted()
		if err != nil || r.next() != ':' {
			return errNoJSON
		}
		r.at++
		object[key], err = r.value()
		return err
	})
	return object, err
}

func (r *reader) quoted() (string, error) {
	start := r.at
	for r.at++; r.at < len(r.text); r.at++ {
		switch r.text[r.at] {
		case '\\':
			r.at++
		case '"':
			r.at++
			var s string
			return s, json.Unmarshal([]byte(r.text[start:r.at]), &s)
		}
	}
	return "", errNoJSON
}

var (
	wordBytes = regexp.MustCompile(`^[A-Za-z0-9.+-]+`)
	aNumber   = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)
)

func (r *reader) word() (any, error) {
	word := wordBytes.FindString(r.text[r.at:])
	r.at += len(word)
	switch word {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if f, ok := special(word); ok {
		return f, nil
	}
	if !aNumber.MatchString(word) {
		return nil, errNoJSON
	}
	sign := ""
	if rest, ok := strings.CutPrefix(word, "-"); ok {
		sign, word = "-", rest
	}
	word = strings.TrimLeft(strings.TrimPrefix(word, "+"), "0")
	if word == "" || strings.IndexByte("eE.", word[0]) >= 0 {
		word = "0" + word
	}
	return json.Number(sign + literalText(jsonNumber(word))), nil
}

// implode takes no NaN.
func implode(next Callable) Callable {
	return func(v any, args []any) any {
		list, _ := v.([]any)
		for _, member := range list {
			if f, ok := member.(float64); ok && math.IsNaN(f) {
				return errRefused
			}
		}
		return next(v, args)
	}
}

// decodedURI takes no text that is not UTF-8 once it is decoded.
func decodedURI(next Callable) Callable {
	return func(v any, args []any) any {
		got := next(respelled(v), args)
		if s, ok := got.(string); ok && !utf8.ValidString(s) {
			return errRefused
		}
		return got
	}
}

// decodedBase64 takes no line feeds, and has U+FFFD for what is not UTF-8.
func decodedBase64(next Callable) Callable {
	return func(v any, args []any) any {
		v = respelled(v)
		if s, ok := v.(string); ok && strings.ContainsAny(s, "\r\n") {
			return errRefused
		}
		got := next(v, args)
		if s, ok := got.(string); ok {
			return validUTF8(s)
		}
		return got
	}
}

// validUTF8 puts one U+FFFD for each sequence that libjq takes for one: what a first byte
// promises, up to a byte that does not go on, or up to the end of the text.
func validUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, width := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && width == 1 {
			width = promised(s)
		}
		b.WriteRune(r)
		s = s[width:]
	}
	return b.String()
}

// promised is the length of the broken sequence that a text begins with.
func promised(s string) int {
	length := 1
	switch c := s[0]; {
	case c >= 0xC2 && c < 0xE0:
		length = 2
	case c >= 0xE0 && c < 0xF0:
		length = 3
	case c >= 0xF0 && c < 0xF5:
		length = 4
	}
	if length > len(s) {
		return len(s)
	}
	for i := 1; i < length; i++ {
		if s[i]&0xC0 != 0x80 {
			return i
		}
	}
	return length
}
