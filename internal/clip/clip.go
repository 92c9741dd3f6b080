// Package clip shortens text for messages, always between two characters.
//
// Each function returns a text that fits as it is. Of a longer one it keeps the beginning
// and adds a mark, such as "…". Invalid UTF-8 counts one character a byte.
package clip

import "unicode/utf8"

// Bytes keeps at most maxBytes of s. The mark is added to that.
func Bytes(s string, maxBytes int, mark string) string {
	if len(s) <= maxBytes {
		return s
	}
	return head(s, maxBytes) + mark
}

// BytesWithin keeps as much of s as fits into maxBytes together with the mark, which must
// not be longer than that.
func BytesWithin(s string, maxBytes int, mark string) string {
	if len(s) <= maxBytes {
		return s
	}
	return head(s, maxBytes-len(mark)) + mark
}

// head returns at most n bytes of s, which has more.
func head(s string, n int) string {
	// No character has more than utf8.UTFMax bytes: invalid UTF-8 is cut where it is.
	for end := n; end > max(0, n-utf8.UTFMax); end-- {
		if utf8.RuneStart(s[end]) {
			return s[:end]
		}
	}
	return s[:max(0, n-utf8.UTFMax)]
}

// Runes keeps at most maxRunes characters of s. The mark is added to those.
func Runes(s string, maxRunes int, mark string) string {
	count := 0
	for i := range s {
		if count == maxRunes {
			return s[:i] + mark
		}
		count++
	}
	return s
}

// RunesWithin keeps as much of s as fits into maxRunes characters together with the mark,
// which must not be longer than that.
func RunesWithin(s string, maxRunes int, mark string) string {
	if Runes(s, maxRunes, "") == s {
		return s
	}
	return Runes(s, maxRunes-utf8.RuneCountInString(mark), mark)
}
