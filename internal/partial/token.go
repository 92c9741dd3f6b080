package partial

import (
	"bytes"
	"hash/maphash"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// space goes over space.
func (w *walk) space() {
	for w.at < len(w.text) {
		switch w.text[w.at] {
		case ' ', '\t', '\n', '\r':
			w.at++
		default:
			return
		}
	}
}

// skip goes after the value that begins here.
func (w *walk) skip() {
	switch w.text[w.at] {
	case '"':
		w.skipString()
	case '{', '[':
		w.skipContainer()
	default:
		w.skipWord()
	}
}

func (w *walk) skipContainer() {
	for depth := 0; ; {
		switch w.text[w.at] {
		case '"':
			w.skipString()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		w.at++
		if depth == 0 {
			return
		}
	}
}

func (w *walk) skipString() {
	w.at++
	for begin := w.at; ; {
		w.at += bytes.IndexByte(w.text[w.at:], '"')
		escapes := w.at
		for escapes > begin && w.text[escapes-1] == '\\' {
			escapes--
		}
		w.at++
		if (w.at-1-escapes)%2 == 0 {
			return
		}
	}
}

// skipWord goes after a number, true, false or null.
func (w *walk) skipWord() {
	for w.at < len(w.text) {
		switch w.text[w.at] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return
		}
		w.at++
	}
}

// unquote returns what a string stands for, until the next call.
func (w *walk) unquote(text []byte) []byte {
	inner := text[1 : len(text)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return inner
	}
	w.scratch, _ = jsontext.AppendUnquote(w.scratch[:0], text) // the error says that it was no UTF-8
	return w.scratch
}

const (
	// places is how many texts are kept of each kind.
	places = 256
	// maxKept is the length of the longest, in bytes: links are shorter, and descriptions
	// hardly come twice.
	maxKept = 128
)

// seed is that of the places of kept texts.
var seed = maphash.MakeSeed()

// kept are values of texts that came lately.
type kept [places]struct {
	text  string
	value any
}

// value returns the value of a text, which of makes where it is not kept. A nil kept keeps nothing.
func (k *kept) value(text []byte, of func(string) any) any {
	if k == nil || len(text) > maxKept {
		return of(string(text))
	}
	place := &k[maphash.Bytes(seed, text)%places]
	if place.value == nil || place.text != string(text) {
		place.text = string(text)
		place.value = of(place.text)
	}
	return place.value
}
