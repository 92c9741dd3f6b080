package face

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/clip"
)

// visible makes foreign text one line of at most maxRunes characters, in which
// nothing can hide: line breaks and tabs become spaces, controls and characters
// that change the direction of text become escapes, and invalid UTF-8 becomes
// U+FFFD. Escapes are not counted.
func visible(s string, maxRunes int) string {
	var b strings.Builder
	for _, c := range clip.RunesWithin(strings.ReplaceAll(s, "\r\n", "\n"), maxRunes, "…") {
		b.WriteString(visibleRune(c))
	}
	return b.String()
}

func visibleRune(c rune) string {
	switch {
	case c == '\n' || c == '\r' || c == '\t' || c == '\u2028' || c == '\u2029':
		return " "
	case c > 0xffff && hidden(c):
		return fmt.Sprintf(`\U%08x`, c)
	case hidden(c):
		return fmt.Sprintf(`\u%04x`, c)
	}
	return string(c)
}

// hidden reports whether a character shows nothing, or shows others elsewhere than they
// are. The joiners and tags that emoji and some scripts are written with are not hidden.
func hidden(c rune) bool {
	if c == '\u200c' || c == '\u200d' || 0xe0020 <= c && c <= 0xe007f {
		return false
	}
	return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// splitter shows nothing, and is nothing in copied text, but parts the text around it.
// GitHub looks for mentions and references in the rendered text, where a character
// reference no longer protects.
// Source: https://github.com/github/cmark-gfm/issues/181, read 2026-11.
const splitter = "<!-- -->"

// cell makes foreign text the inside of one Markdown table cell that shows just what
// visible gives. Whatever could end the cell, open a tag, a span, a link, a formula,
// a mention or a reference is a numeric character reference, which has no structural
// meaning. A URL and a host that starts with www are not linked.
// Source: https://github.github.com/gfm/#entity-and-numeric-character-references
// and https://github.github.com/gfm/#autolinks-extension-, read 2026-11.
func cell(s string, maxRunes int) string {
	text := visible(s, maxRunes)
	var b strings.Builder
	unbroken := 0
	for i, c := range text {
		if unbroken++; c == ' ' {
			unbroken = 0
		}
		switch {
		case c == '&':
			b.WriteString("&amp;")
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c == '@' || c == '#':
			fmt.Fprintf(&b, "&#%d;"+splitter, c)
		case strings.ContainsRune("|`[]*_~\\$!", c),
			c == ':' && strings.HasPrefix(text[i:], ":/"),
			c == '.' && i >= 3 && strings.EqualFold(text[i-3:i], "www"):
			fmt.Fprintf(&b, "&#%d;", c)
		default:
			b.WriteRune(c)
		}
		if unbroken >= maxUnbroken || unbroken >= maxUnbroken/2 && strings.ContainsRune("/-._:,", c) {
			b.WriteString(breakHere)
			unbroken = 0
		}
	}
	return strings.TrimSuffix(b.String(), breakHere)
}

// maxUnbroken is the length, in characters, from which a text without a space may break anyway,
// so that no table is wider than the page; after a mark half of that will do.
const maxUnbroken = 48

// breakHere is where a browser may begin a new line.
const breakHere = "<wbr>"

// encode returns JSON on one line, in which hidden characters are escaped: encoding/json
// itself leaves DEL, C1 controls and bidi controls as they are. Outside strings JSON
// has none of them, so each stands where an escape may. "<", ">" and "&" are as they are:
// what shows the JSON in a language that reads them, as cell does, escapes them itself.
func encode(v any) []byte {
	raw, err := catalog.JSON(v)
	if err != nil {
		panic(err) // strings, numbers, booleans and structs of them always encode
	}
	var b bytes.Buffer
	for _, c := range string(raw) {
		switch {
		case !hidden(c):
			b.WriteRune(c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.Bytes()
}
