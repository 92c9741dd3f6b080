package lint

import (
	"encoding/json"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/jq"
)

// tokenKind distinguishes the tokens of jq as far as messages need it.
type tokenKind int

const (
	signToken     tokenKind = iota // an operator or a bracket
	nameToken                      // a function, a keyword, or the key of an object
	fieldToken                     // .name
	variableToken                  // $name
	formatToken                    // @name
	textToken                      // "…", with what stands inside as further tokens
)

// token is a piece of an expression. The syntax tree of gojq has no positions:
// what stands where is found by the tokens.
type token struct {
	kind       tokenKind
	start, end int // byte offsets
	value      string
}

// tokens cuts an expression into tokens. It takes any text, even one that is not jq.
func tokens(s string) []token {
	t := &tokenizer{source: s}
	t.until(0)
	return t.found
}

type tokenizer struct {
	source string
	at     int
	found  []token
}

func (t *tokenizer) add(kind tokenKind, start int) {
	t.found = append(t.found, token{kind, start, t.at, t.source[start:t.at]})
}

// until reads up to the end, or after the closing bracket of an interpolation.
func (t *tokenizer) until(closing byte) {
	depth := 0
	for t.at < len(t.source) {
		c, start := t.source[t.at], t.at
		t.at++
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			continue
		case c == '#':
			t.skip(func(c byte) bool { return c != '\n' })
			continue
		case c == '"':
			t.text(start)
			continue
		case c == '.' && t.word():
			t.add(fieldToken, start)
		case c == '$' && t.word():
			t.add(variableToken, start)
		case c == '@' && t.word():
			t.add(formatToken, start)
		case jq.IsNameByte(c):
			t.skip(func(c byte) bool { return jq.IsNameByte(c) || c == '.' && isDigit(t.source[start]) })
			t.add(nameToken, start)
		case c == '(':
			depth++
			t.add(signToken, start)
		case c == ')' && depth == 0 && closing != 0:
			return
		default:
			if c == ')' {
				depth--
			}
			t.add(signToken, start)
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (t *tokenizer) skip(while func(byte) bool) {
	for t.at < len(t.source) && while(t.source[t.at]) {
		t.at++
	}
}

// word reads a name that does not begin with a digit.
func (t *tokenizer) word() bool {
	start := t.at
	if start < len(t.source) && !isDigit(t.source[start]) {
		t.skip(jq.IsNameByte)
	}
	return t.at > start
}

// text reads a text after its quote. Its own token comes before those inside.
func (t *tokenizer) text(start int) {
	i := len(t.found)
	t.add(textToken, start)
	for t.at < len(t.source) {
		c := t.source[t.at]
		t.at++
		if c == '"' {
			break
		}
		if c != '\\' || t.at >= len(t.source) {
			continue
		}
		t.at++
		if t.source[t.at-1] == '(' {
			t.until(')')
		}
	}
	t.found[i].end, t.found[i].value = t.at, t.source[start:t.at]
}

// is reports whether a token is a text without interpolation of this value.
func (t token) is(value string) bool {
	var got string
	return t.kind == textToken && json.Unmarshal([]byte(t.value), &got) == nil && got == value
}

// locate returns the offset of a function or a variable in an expression; 0 when it is
// not there.
func locate(source, word string) int {
	all := tokens(source)
	i := slices.IndexFunc(all, func(t token) bool {
		return (t.kind == nameToken || t.kind == variableToken || t.kind == formatToken) && t.value == word
	})
	if i < 0 {
		return max(strings.Index(source, word), 0)
	}
	return all[i].start
}

// locateText returns the offset of a text that stands after the call of a function, or
// else anywhere; 0 when it is not there.
func locateText(source, function, value string) int {
	found, behind := 0, false
	for _, t := range tokens(source) {
		switch {
		case t.kind == nameToken && t.value == function:
			behind = true
		case t.is(value) && behind:
			return t.start
		case t.is(value) && found == 0:
			found = t.start
		}
	}
	return found
}

// locateSign returns the offset of an operator; 0 when it is not there.
func locateSign(source, operator string) int {
	last := -2
	for _, t := range tokens(source) {
		if t.kind != signToken {
			continue
		}
		if strings.HasPrefix(source[t.start:], operator) && t.start != last+1 {
			return t.start
		}
		last = t.start
	}
	return 0
}
