package onig

import (
	"strings"
	"unicode"
)

// escape reads what follows a backslash outside of brackets.
func (s *scanner) escape() {
	if s.end() {
		fail("end pattern at escape")
	}
	t := &s.token
	begin := s.at
	switch c := s.read(); c {
	case 'w', 'W', 'd', 'D', 's', 'S':
		t.kind, t.class, t.not = tokenType, typeNames[unicode.ToLower(c)], unicode.IsUpper(c)
	case 'b', 'B', 'A', 'Z', 'z', 'G':
		t.kind, t.anchor = tokenAnchor, anchors[c]
	case 'K':
		t.kind = tokenKeep
	case 'R':
		t.kind = tokenNewline
	case 'N':
		t.kind = tokenNotNewline
	case 'O':
		t.kind = tokenAnything
	case 'X', 'y', 'Y':
		unsupported(`\`+string(c), "a text segment")
	case 'Q':
		t.kind = tokenQuote
	case 'p', 'P':
		s.openProperty(c == 'P')
	case 'k':
		s.namedReference()
	case 'g':
		if s.peek() == '<' || s.peek() == '\'' {
			unsupported(`\g`+string(s.peek()), "a call of a group")
		}
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		s.at = begin
		s.numberedReference()
	default:
		s.at = begin
		s.character(false, false)
	}
	if t.kind == tokenText {
		t.text = s.source[begin:s.at]
	}
}

var typeNames = map[rune]string{'w': "word", 'd': "digit", 's': "space"}

var anchors = map[rune]anchor{
	'b': wordBoundary, 'B': notWordBoundary, 'A': beginText, 'Z': endTextOrLine, 'z': endText, 'G': beginSearch,
}

// openProperty reads the beginning of \p{^.
func (s *scanner) openProperty(not bool) {
	if s.skip("{") {
		s.token.kind = tokenProperty
		s.token.not = not != s.skip("^")
	}
}

// character reads an escape that stands for one character, from after the backslash.
func (s *scanner) character(inBracket, isEnd bool) {
	t := &s.token
	begin := s.at
	switch c := s.read(); c {
	case 'x':
		s.hexadecimal(inBracket, isEnd)
	case 'o':
		if s.skip("{") {
			s.codes(8, 11, begin, inBracket, isEnd)
		}
	case '0', '1', '2', '3', '4', '5', '6', '7':
		most := 2
		if c != '0' || inBracket {
			s.at, most = begin, 3
		}
		n, _ := s.digits(8, most)
		if n >= 256 {
			fail("too big number")
		}
		t.kind, t.code, t.base = tokenByte, n, 8
	default:
		s.at = begin
		if code := s.control(); code != c {
			if code > maxCode {
				fail("invalid code point value")
			}
			t.kind, t.code = tokenCode, code
		}
	}
}

// control reads \cX or a letter such as n.
func (s *scanner) control() rune {
	c := s.read()
	if c != 'c' {
		if i := strings.IndexRune("ntrfabe", c); i >= 0 {
			return rune("\n\t\r\f\a\b\x1b"[i])
		}
		return c
	}
	if s.end() {
		fail("end pattern at control")
	}
	c = s.read()
	if c == '?' {
		return 0x7F
	}
	if c == '\\' {
		if s.end() {
			fail("end pattern at escape")
		}
		c = s.control()
	}
	return c & 0x9F
}

func (s *scanner) hexadecimal(inBracket, isEnd bool) {
	if s.end() {
		return // an x
	}
	begin := s.at - 1
	if s.skip("{") {
		s.codes(16, 8, begin, inBracket, isEnd)
		return
	}
	n, _ := s.digits(16, 2)
	s.token.kind, s.token.code, s.token.base = tokenByte, n, 16
}

// codes reads the first code point of \x{H H} or \o{O O}, from after the brace. Without
// a digit there the letter stands for itself, at begin.
func (s *scanner) codes(base, most, begin int, inBracket, isEnd bool) {
	n, count := s.digits(base, most)
	if !s.end() && (isDigit(s.peek()) || base == 16 && isHexadecimal(s.peek())) {
		fail("too long wide-char value")
	}
	if count == 0 {
		s.at = begin + 1
		return
	}
	if !s.skip("}") {
		s.checkCodes(base, most, inBracket, isEnd)
		s.base = base
	}
	s.token.kind, s.token.code = tokenCode, n
}

// checkCodes looks at the rest of a sequence of code points, up to its brace. In
// brackets it can hold ranges.
func (s *scanner) checkCodes(base, most int, inBracket, isEnd bool) {
	begin := s.at
	defer func() { s.at = begin }()
	canRange, inRange := inBracket && !isEnd, false
	count, afterDigits := 0, false
	for !s.end() {
		spaces := len(s.source[s.at:]) - len(strings.TrimLeft(s.source[s.at:], codeSpaces))
		s.at += spaces
		switch {
		case s.skip("}"):
			if inRange || count == 0 {
				fail("invalid code point value")
			}
			return
		case inBracket && s.skip("-"):
			if !canRange {
				fail("invalid code point value")
			}
			canRange, inRange, afterDigits = false, true, false
			continue
		case afterDigits && spaces == 0 && isHexadecimal(s.peek()) && base == 16:
			fail("too long wide-char value")
		case afterDigits && spaces == 0:
			fail("invalid code point value")
		}
		if _, n := s.digits(base, most); n == 0 {
			fail("invalid code point value")
		}
		count++
		afterDigits = true
		canRange, inRange = inBracket && !inRange, false
	}
	fail("invalid code point value")
}

// nextCode reads a further code point of a sequence, and reports whether there was one,
// or a hyphen in brackets.
func (s *scanner) nextCode(inBracket bool) bool {
	s.token = token{}
	s.at += len(s.source[s.at:]) - len(strings.TrimLeft(s.source[s.at:], codeSpaces))
	if s.skip("}") {
		s.base = 0
		return false
	}
	if inBracket && s.skip("-") {
		s.token.kind = tokenBracketRange
		return true
	}
	n, _ := s.digits(s.base, 11)
	s.token.kind, s.token.code = tokenCode, n
	return true
}

// propertyName reads the rest of \p{name}, and returns it as Oniguruma compares it.
func (s *scanner) propertyName() string {
	rest := s.source[s.at:]
	end := strings.IndexAny(rest, "}(){|")
	if end < 0 || rest[end] != '}' {
		fail("end pattern with unmatched parenthesis")
	}
	s.at += end + 1
	name := rest[:end]
	for _, c := range name {
		if c >= 0x80 {
			fail("invalid character property name {%s}", name)
		}
	}
	return strings.ToLower(strings.Map(func(c rune) rune {
		if c == ' ' || c == '-' || c == '_' {
			return -1
		}
		return unicode.ToLower(c)
	}, name))
}
