package filter

import (
	"strings"
	"unicode/utf8"
)

// kind distinguishes the tokens of a filter.
type kind int

const (
	end    kind = iota
	word        // a field, a keyword, or a value without quotes
	text        // a value in double quotes
	quoted      // a value in other quotes
	open        // a text whose quote is not closed
	sign        // an operator, a parenthesis or a comma
)

type token struct {
	kind       kind
	start, end int    // byte offsets
	value      string // as written; of quoted what stands between the quotes
}

// is reports whether a token is a sign or, in any case of letters, a word.
func (t token) is(value string) bool {
	return (t.kind == sign || t.kind == word) && strings.EqualFold(t.value, value)
}

// signs are operators of Bitbucket and of other languages, the longer ones first.
var signs = []string{"===", "!==", "==", "=~", "<>", "&&", "||", "!=", "!~", ">=", "<=", "=", "~", ">", "<", "(", ")", ",", "&", "|", "!"}

// otherQuotes are those in which Bitbucket takes no text, and what closes each.
var otherQuotes = map[rune]string{'\'': "'", '`': "`", '“': "”", '„': "“”", '”': "”", '‘': "’", '’': "’", '«': "»"}

// tokens cuts a filter into tokens. It takes any text; the last token is the end.
func tokens(s string) []token {
	var all []token
	for at := 0; at < len(s); {
		r, size := utf8.DecodeRuneInString(s[at:])
		t := token{start: at}
		switch closing := otherQuotes[r]; {
		case strings.ContainsRune(" \t\r\n", r):
			at += size
			continue
		case r == '"':
			t.kind, t.end = text, closed(s, at)
		case closing != "":
			t.kind = quoted
			if length := strings.IndexAny(s[at+size:], closing); length >= 0 {
				t.value = s[at+size : at+size+length]
				_, last := utf8.DecodeRuneInString(s[at+size+length:])
				t.end = at + size + length + last
			}
		default:
			t.kind, t.end = sign, at+len(signAt(s[at:]))
			if t.end == at {
				t.kind, t.end = word, wordEnd(s, at)
			}
		}
		if t.end == 0 { // no quote closes it
			t.kind, t.end = open, max(at+size, len(strings.TrimRight(s, " \t\r\n)")))
		}
		if t.value == "" && t.kind != quoted {
			t.value = s[t.start:t.end]
		}
		all, at = append(all, t), t.end
	}
	return append(all, token{kind: end, start: len(s), end: len(s)})
}

// closed returns the offset after the quote that closes a text; 0 when none does.
func closed(s string, at int) int {
	for i := at + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

func signAt(s string) string {
	for _, sign := range signs {
		if strings.HasPrefix(s, sign) {
			return sign
		}
	}
	return ""
}

// wordEnd returns the offset after a word. Single quotes within it belong to it.
func wordEnd(s string, at int) int {
	end := strings.IndexFunc(s[at:], func(r rune) bool { return strings.ContainsRune(" \t\r\n\"(),=~<>!&|", r) })
	if end < 0 {
		return len(s)
	}
	return at + end
}
