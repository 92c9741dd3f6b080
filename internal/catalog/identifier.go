package catalog

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Limits of Port's identifiers, in characters: MaxIdentifier is that of entities.
//
// Source: https://api.port.io/static/index.html (OpenAPI), entity and blueprint schemas, read 2026-11.
const (
	MaxIdentifier = 1000
	maxBlueprint  = 100
)

// CheckIdentifier returns nil when Port's pattern for entity identifiers and relation
// targets, ^(?!\.{1,2}$)[\p{L}0-9@_.+:\\/=-]+$, accepts s. The error names what is
// wrong with it, and does not hold s itself.
func CheckIdentifier(s string) error { return check(s, MaxIdentifier, true) }

// CheckBlueprint returns nil when Port's pattern for blueprint identifiers accepts s:
// that of entities without "=".
func CheckBlueprint(s string) error { return check(s, maxBlueprint, false) }

func check(s string, limit int, equals bool) error {
	switch {
	case s == "":
		return errors.New("is empty")
	case s == "." || s == "..":
		return errors.New("is a dot path")
	case !utf8.ValidString(s):
		return errors.New("is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return fmt.Errorf("has %d characters, and Port takes at most %d", n, limit)
	}
	for _, r := range s {
		if !allowed(r) && (r != '=' || !equals) {
			return fmt.Errorf("holds %q, which Port does not allow in an identifier", r)
		}
	}
	return nil
}

func allowed(r rune) bool {
	switch r {
	case '@', '_', '.', '+', ':', '\\', '/', '-':
		return true
	}
	return '0' <= r && r <= '9' || Letter(r)
}

// Letter reports whether a character is a letter, or may be one in tables of Unicode that
// are newer than Go's: Port's may be, and Port refuses it where they are not.
func Letter(r rune) bool {
	return unicode.IsLetter(r) || unicode.Is(unicode.Cn, r) && !noncharacter(r)
}

// noncharacter reports whether a code point never becomes a character.
//
// Source: https://www.unicode.org/faq/private_use.html#noncharacters, read 2026-11.
func noncharacter(r rune) bool {
	return r&0xFFFE == 0xFFFE || 0xFDD0 <= r && r <= 0xFDEF
}
