package jq

import (
	"unicode"
	"unicode/utf8"
)

// DoubleQuotes turns each single quote that opens or closes a text into a
// double quote, as Port's own integrations do: `.state == 'OPEN'` is a common
// spelling. Two passes, each over the result of the one before:
//
//  1. a quote at the start or after white space, and not before white space or `"`;
//  2. a quote at the end or before white space, and not after white space or `"`.
//
// The text keeps its length, so positions in it stay true.
func DoubleQuotes(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c == '\'' && (i == 0 || spaceBefore(b, i)) && !spaceAfter(b, i) && !quoteAt(b, i+1) {
			b[i] = '"'
		}
	}
	for i, c := range b {
		if c == '\'' && (i == len(b)-1 || spaceAfter(b, i)) && !spaceBefore(b, i) && !quoteAt(b, i-1) {
			b[i] = '"'
		}
	}
	return string(b)
}

func quoteAt(b []byte, i int) bool { return i >= 0 && i < len(b) && b[i] == '"' }

func spaceBefore(b []byte, i int) bool {
	r, _ := utf8.DecodeLastRune(b[:i])
	return unicode.IsSpace(r)
}

func spaceAfter(b []byte, i int) bool {
	r, _ := utf8.DecodeRune(b[i+1:])
	return unicode.IsSpace(r)
}
