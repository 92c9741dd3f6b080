package onig

import (
	"strings"
	"unicode/utf8"
)

// bracketState is what came last in brackets.
type bracketState int

const (
	atStart     bracketState = iota
	afterValue               // a character or a class, to which a hyphen can follow
	inRange                  // a hyphen
	afterRange               // the end of a range
	classValue  = rune(-1)   // a class in place of a character
	maxByteCode = rune(0xFF) // in a set of bytes
)

// bracket reads a set in brackets.
type bracket struct {
	*scanner
	set   *set
	state bracketState
	value rune // the last character
	wide  bool // it is not a single byte
	ahead bool // the next token is read already
}

// bracket reads the rest of a set, with the bracket that ends it.
func (s *scanner) bracket() *set {
	b := &bracket{scanner: s, set: &set{}}
	b.nextIn()
	if b.token.kind == tokenText && b.token.text == "^" {
		b.set.not = true
		b.nextIn()
	}
	if b.token.kind == tokenBracketClose {
		if !strings.Contains(s.source[s.at:], "]") {
			fail("empty char-class")
		}
		b.token = token{kind: tokenText, code: ']'}
	}
	for b.token.kind != tokenBracketClose {
		b.ahead = false
		b.part()
		if !b.ahead {
			b.nextIn()
		}
	}
	if b.state == afterValue {
		b.flush()
	}
	b.set.close()
	return b.set
}

// nextIn reads a token within brackets. The text of a sign that is not escaped is the
// sign, and that of an escaped one is empty.
func (b *bracket) nextIn() {
	s := b.scanner
	if s.base != 0 && s.nextCode(true) {
		return
	}
	s.token = token{}
	if s.end() {
		fail("premature end of char-class")
	}
	t := &s.token
	t.kind = tokenText
	begin := s.at
	switch c := s.read(); c {
	case ']':
		t.kind = tokenBracketClose
	case '-':
		t.kind, t.code = tokenBracketRange, c
	case '\\':
		b.escapeIn()
	case '[':
		t.code = c
		if s.posixBracket() {
			t.kind = tokenPosix
		}
	default:
		t.code, t.text = c, s.source[begin:s.at]
	}
}

func (b *bracket) escapeIn() {
	s := b.scanner
	if s.end() {
		fail("end pattern at escape")
	}
	t := &s.token
	begin := s.at
	switch c := s.read(); c {
	case 'w', 'W', 'd', 'D', 's', 'S', 'p', 'P':
		s.at = begin
		s.escape()
		if t.kind == tokenText {
			t.text, t.code = "", c
		}
	default:
		t.code = c
		s.at = begin
		s.character(true, b.state == inRange)
	}
}

// posixBracket reports whether [:name:] follows after the bracket, whatever the name.
func (s *scanner) posixBracket() bool {
	rest, found := strings.CutPrefix(s.source[s.at:], ":")
	if !found {
		return false
	}
	for i, c := range rest {
		switch {
		case c == ':':
			return i > 0 && strings.HasPrefix(rest[i:], ":]")
		case c == '^' && i == 0:
		case !inRanges(posix["alpha"](), c):
			return false
		}
	}
	return false
}

// part adds what the token is.
func (b *bracket) part() {
	t := b.token
	switch t.kind {
	case tokenText:
		b.character(t.code, t.code >= 0x80)
	case tokenByte:
		b.bytes()
	case tokenCode:
		if t.code > maxCode {
			fail("invalid code point value")
		}
		b.character(t.code, t.code >= 0x80)
	case tokenType:
		b.class(posix[t.class](), t.not)
	case tokenPosix:
		b.at++ // the colon
		not := b.skip("^")
		name, _, _ := strings.Cut(b.source[b.at:], ":]")
		if posix[name] == nil {
			fail("invalid POSIX bracket type")
		}
		b.at += len(name) + len(":]")
		b.class(posix[name](), not)
	case tokenProperty:
		b.class(propertyOf(b.propertyName()), t.not)
	case tokenBracketRange:
		b.hyphen()
	}
}

// hyphen makes a range, or is a character where there can be none.
func (b *bracket) hyphen() {
	switch b.state {
	case inRange:
		b.character('-', false)
		return
	case atStart:
		b.nextIn()
	default:
		before := b.state
		if before == afterValue {
			b.state = inRange // for a sequence of code points
		}
		b.nextIn()
		b.state = before
		if before == afterValue && b.token.kind != tokenBracketClose && b.value != classValue {
			b.ahead, b.state = true, inRange
			return
		}
	}
	b.ahead = true
	b.character('-', false)
}

// class adds a whole class.
func (b *bracket) class(ranges []rune, not bool) {
	if b.state == inRange {
		fail("char-class value at end of range")
	}
	b.weigh(len(ranges))
	b.set.addAll(ranges, not)
	if b.state == afterValue {
		b.flush()
	}
	b.state, b.value = afterValue, classValue
}

// character adds the character before, or a range that ends here.
func (b *bracket) character(c rune, wide bool) {
	switch b.state {
	case afterValue:
		b.flush()
	case inRange:
		if b.value > c {
			fail("empty range in char class")
		}
		if b.wide || wide {
			b.set.add(b.value, c)
		}
		if !b.wide && !wide && b.value < 0x80 {
			b.set.add(b.value, min(c, 0x7F))
		}
		if !b.wide || !wide {
			b.set.addBytes(b.value, min(c, maxByteCode))
		}
		b.state, b.value, b.wide = afterRange, c, wide
		return
	case atStart, afterRange:
		b.state = afterValue
	}
	b.value, b.wide = c, wide
}

// flush adds the last character, when it is not a class.
func (b *bracket) flush() {
	switch {
	case b.value == classValue:
	case b.wide || b.value < 0x80:
		b.set.add(b.value, b.value)
	default:
		b.set.addBytes(b.value, b.value)
	}
}

// bytes adds a character whose bytes are written one by one. A byte that is not the
// beginning of one stands for itself.
func (b *bracket) bytes() {
	base := b.token.base
	text := []byte{byte(b.token.code)}
	want := width(text[0])
	for len(text) < want {
		b.nextIn()
		if b.token.kind != tokenByte || b.token.base != base {
			fail("too short multibyte string")
		}
		text = append(text, byte(b.token.code))
	}
	c, size := utf8.DecodeRune(text)
	switch {
	case want == 1:
		b.character(rune(text[0]), false)
	case size != want:
		fail("invalid wide-char value")
	default:
		b.character(c, true)
	}
}
