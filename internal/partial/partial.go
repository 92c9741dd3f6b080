// Package partial decodes the parts of JSON values that can matter, and passes over the rest of
// a text without making values of it.
//
// What it makes is what encoding/json makes of the same text with UseNumber: of a key that
// stands twice in an object the last value counts, and bytes that are no UTF-8 become U+FFFD.
package partial

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Text is one JSON value, known to be right, without space around it.
type Text []byte

var (
	errMore  = errors.New("something follows the JSON")
	errShape = errors.New("no object with one array of that name")
)

// Check returns the one value that a text consists of, in the memory of the text. It takes
// what encoding/json takes.
func Check(text []byte) (Text, error) {
	s := newScanner(text)
	value, err := s.value()
	if err == nil {
		err = s.end()
	}
	return value, err
}

// List reads an object that holds an array at the key list. It calls element for each element
// of that, and member for each other key, in the order of the text, whose memory they share.
//
// The error is that of a text which is not such an object, or holds the list twice, or goes on
// after it; or the one that a function returned. Functions may have been called by then.
func List(text []byte, list string, element func(Text), member func(key string, value Text) error) error {
	s := newScanner(text)
	if s.PeekKind() != jsontext.KindBeginObject {
		return errShape
	}
	_, _ = s.ReadToken() // it was looked at
	found := false
	for s.PeekKind() == jsontext.KindString {
		token, _ := s.ReadToken() // errors come again
		key := token.String()
		if key == list {
			if found || s.PeekKind() != jsontext.KindBeginArray {
				return errShape
			}
			found = true
			if err := s.elements(element); err != nil {
				return err
			}
			continue
		}
		value, err := s.value()
		if err == nil {
			err = member(key, value)
		}
		if err != nil {
			return err
		}
	}
	if _, err := s.ReadToken(); err != nil { // the end of the object, or what is wrong there
		return err
	}
	if !found {
		return errShape
	}
	return s.end()
}

// scanner reads a text in place.
type scanner struct {
	*jsontext.Decoder
	text []byte
}

func newScanner(text []byte) scanner {
	// Of a buffer, the decoder copies nothing.
	return scanner{jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)), text}
}

// value reads a value.
func (s scanner) value() (Text, error) {
	value, err := s.ReadValue()
	if err != nil {
		return nil, err
	}
	end := s.InputOffset()
	begin := end - int64(len(value))
	return s.text[begin:end:end], nil
}

// elements reads an array, which is the next value.
func (s scanner) elements(element func(Text)) error {
	_, _ = s.ReadToken()
	for s.PeekKind() != jsontext.KindEndArray {
		value, err := s.value()
		if err != nil {
			return err
		}
		element(value)
	}
	_, err := s.ReadToken()
	return err
}

// end reports that the text goes on after its value.
func (s scanner) end() error {
	if _, err := s.ReadToken(); err != io.EOF {
		return errMore
	}
	return nil
}
