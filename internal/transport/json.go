package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// JSON reads one JSON text piece by piece, and skips what is not wanted without building it.
// It takes what encoding/json takes: a repeated name, of which the last value counts, and
// invalid UTF-8, which it reads as U+FFFD. Numbers keep their text. What is nested more than
// 10,000 deep is an error. It is not safe for concurrent use.
type JSON struct {
	text *jsontext.Decoder
	// short are short texts that were read before, each as a string at the place of its hash:
	// most answers repeat few names and many values.
	short  [512]any
	buffer []byte
}

// maxShort bounds the texts that a JSON remembers, in bytes.
const maxShort = 64

var seed = maphash.MakeSeed()

// NewJSON returns a JSON that reads from r, as far ahead as its buffer holds.
func NewJSON(r io.Reader) *JSON {
	return &JSON{text: jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// Kind returns the first byte of the next value, for the ways that JSON has to write a value:
// one of n, t, f, ", 0, { and [. It returns another byte when no value follows: then any
// method that reads returns why.
func (j *JSON) Kind() byte { return byte(j.text.PeekKind()) }

// Skip passes over a value.
func (j *JSON) Skip() error { return plain(j.text.SkipValue()) }

// Object calls each with the name of every member of an object; each reads the value.
func (j *JSON) Object(each func(name string) error) error {
	if err := j.begin('{'); err != nil {
		return err
	}
	for j.Kind() != '}' {
		name, err := j.next()
		if err != nil {
			return err
		}
		if err := each(name.(string)); err != nil {
			return err
		}
	}
	_, err := j.text.ReadToken()
	return plain(err)
}

// Array calls each for every element of an array; each reads it.
func (j *JSON) Array(each func() error) error {
	if err := j.begin('['); err != nil {
		return err
	}
	for j.Kind() != ']' {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := j.text.ReadToken()
	return plain(err)
}

// begin reads the first byte of an object or an array.
func (j *JSON) begin(with jsontext.Kind) error {
	token, err := j.text.ReadToken()
	if err == nil && token.Kind() != with {
		err = fmt.Errorf("%q was expected, not %s", rune(with), token)
	}
	return plain(err)
}

// next reads a string, as a value or a name.
func (j *JSON) next() (any, error) {
	quoted, err := j.text.ReadValue()
	if err != nil {
		return "", plain(err)
	}
	inside := quoted[1 : len(quoted)-1]
	remembered := len(inside) <= maxShort && bytes.IndexByte(inside, '\\') < 0
	place := maphash.Bytes(seed, inside) % uint64(len(j.short))
	if known, ok := j.short[place].(string); ok && remembered && known == string(inside) {
		return j.short[place], nil
	}
	j.buffer, _ = jsontext.AppendUnquote(j.buffer[:0], quoted) // the error is for invalid UTF-8, which is replaced
	text := any(string(j.buffer))
	if remembered {
		j.short[place] = text
	}
	return text, nil
}

// Value reads a value: nil, a bool, a string, a json.Number, a []any or a map[string]any.
func (j *JSON) Value() (any, error) {
	switch j.Kind() {
	case '{':
		object := map[string]any{}
		err := j.Object(func(name string) (err error) {
			object[name], err = j.Value()
			return err
		})
		return object, err
	case '[':
		array := []any{}
		err := j.Array(func() error {
			element, err := j.Value()
			array = append(array, element)
			return err
		})
		return array, err
	case '"':
		return j.next()
	}
	token, err := j.text.ReadToken()
	if err != nil {
		return nil, plain(err)
	}
	switch token.Kind() {
	case '0':
		return json.Number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	}
	return nil, nil
}

// Text reads a string into a text, which null leaves as it is. The error is a *TypeError for
// any other value.
func (j *JSON) Text(field string, into *string) error {
	switch j.Kind() {
	case '"':
		text, err := j.next()
		if err == nil {
			*into = text.(string)
		}
		return err
	case 'n':
		return j.Skip()
	}
	return j.wrong(field)
}

// wrong returns the error of a value that is of another type than is due.
func (j *JSON) wrong(field string) error {
	got, ok := map[byte]string{'n': "null", 't': "bool", 'f': "bool", '"': "string", '0': "number", '{': "object", '[': "array"}[j.Kind()]
	if !ok {
		return j.Skip()
	}
	return &TypeError{Field: field, Got: got}
}

// Members reads an object as Object does. Null has none; the error is a *TypeError for any
// other value.
func (j *JSON) Members(field string, each func(name string) error) (null bool, err error) {
	switch j.Kind() {
	case '{':
		return false, j.Object(each)
	case 'n':
		return true, j.Skip()
	}
	return false, j.wrong(field)
}

// plain returns an error without the path to where it was found, which may be of any length
// and hold anything.
func plain(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}
