package content

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escape is one that ReplaceEscapes replaces.
var escape = regexp.MustCompile(`^\\(?:/|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2})`)

// ReplaceEscapes replaces each escape of JSON in a text that libraries for YAML do not read: a
// slash, and a character beyond 16 bits as two surrogates, or one of them alone. A backslash
// that is escaped itself starts none.
func ReplaceEscapes(text []byte, with func(escape string) string) []byte {
	var out bytes.Buffer
	for {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			break
		}
		out.Write(text[:at])
		text = text[at:]
		if found := escape.Find(text[:min(len(text), len(`\uD800\uDC00`))]); found != nil {
			out.WriteString(with(string(found)))
			text = text[len(found):]
			continue
		}
		n := min(2, len(text)) // with what it escapes
		out.Write(text[:n])
		text = text[n:]
	}
	out.Write(text)
	return out.Bytes()
}

// Unescape returns the character that an escape of ReplaceEscapes stands for; U+FFFD for a
// surrogate that is alone, as encoding/json has it.
func Unescape(escape string) string {
	if escape == `\/` {
		return "/"
	}
	unit := func(at int) rune {
		n, _ := strconv.ParseUint(escape[at:at+4], 16, 16)
		return rune(n)
	}
	if len(escape) < len(`\uD800\uDC00`) {
		return string(utf8.RuneError)
	}
	return string(utf16.DecodeRune(unit(2), unit(8)))
}

// standIns are private characters that stand for surrogates while the YAML library reads a
// text. What is an escape in double quotes is a text elsewhere, and only the library knows
// which is which.
type standIns struct {
	escapes []string // by the private character, less firstPrivate
	byText  map[string]rune
	names   *strings.Replacer // of the escapes of private characters, with what they stand for
	runes   *strings.Replacer // of private characters
}

// The private characters of Unicode's first plane.
const firstPrivate, lastPrivate = '\uE000', '\uF8FF'

// surrogate finds what may be an escape of one.
var surrogate = regexp.MustCompile(`\\u[dD][89a-fA-F]`)

// private finds private characters and their escapes, which are then not free.
var private = regexp.MustCompile(`(?i)[\x{E000}-\x{F8FF}]|\\(?:u|U0000)(?:E[0-9A-F]|F[0-8])[0-9A-F]{2}`)

// standIn replaces the surrogates of a text by private characters. It changes nothing
// where there are none, or the text has private characters of its own.
func standIn(text []byte) ([]byte, *standIns) {
	s := &standIns{byText: map[string]rune{}}
	if !surrogate.Match(text) || private.Match(text) {
		return text, s
	}
	replaced := ReplaceEscapes(text, func(escape string) string {
		r, ok := s.byText[escape]
		if !ok && escape != `\/` && firstPrivate+rune(len(s.escapes)) <= lastPrivate {
			r = firstPrivate + rune(len(s.escapes))
			s.byText[escape] = r
			s.escapes = append(s.escapes, escape)
		}
		if r == 0 {
			return escape
		}
		return fmt.Sprintf(`\u%04X`, r)
	})
	var names, runes []string
	for i, escape := range s.escapes {
		r := firstPrivate + rune(i)
		names = append(names, fmt.Sprintf(`\u%04X`, r), escape)
		runes = append(runes, string(r), Unescape(escape))
	}
	s.names, s.runes = strings.NewReplacer(names...), strings.NewReplacer(runes...)
	return replaced, s
}

// text returns what the text of a scalar was before.
func (s *standIns) text(text string, doubleQuoted bool) string {
	switch {
	case len(s.escapes) == 0:
		return text
	case doubleQuoted:
		return s.runes.Replace(text)
	}
	return s.names.Replace(text)
}
