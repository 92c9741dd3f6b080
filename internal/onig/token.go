package onig

import "strings"

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenText
	tokenByte // \xHH, \OOO
	tokenCode // \x{H}, \n, \cX
	tokenDot
	tokenType // \w \d \s
	tokenBackreference
	tokenAnchor
	tokenRepeat
	tokenInterval
	tokenAlternative
	tokenOpen
	tokenClose
	tokenBracket
	tokenQuote
	tokenProperty
	tokenKeep
	tokenNewline    // \R
	tokenNotNewline // \N
	tokenAnything   // \O

	// Those within brackets.
	tokenBracketClose
	tokenBracketRange // -
	tokenPosix        // [:
)

// token is a part of an expression that has a meaning of its own.
type token struct {
	kind       tokenKind
	text       string // of tokenText
	code       rune   // of tokenByte and tokenCode
	base       int    // of tokenByte
	class      string // of tokenType, as in posix
	not        bool
	anchor     anchor
	refs       []int
	min, max   int // max is infinite for no bound
	lazy       bool
	possessive bool
}

const (
	infinite   = -1
	maxRepeat  = 100_000
	maxGroup   = 1000 // the largest number of a back-reference
	codeSpaces = " \n"
)

// scanner reads tokens. It panics with an *Error or an *UnsupportedError, which parse
// recovers.
type scanner struct {
	reader
	options Option
	token   token
	base    int // of a sequence of code points that is not at its end; or 0
	groups  int
	closed  []bool // by group; the first is the whole
	named   map[string][]int
	nameOf  []string // of each group from 1
	weight  int      // of the sets, in ranges, or what takes as long
}

// maxWeight bounds what an expression becomes besides its own length: sets of a few
// thousand ranges are written in two letters.
const maxWeight = 1 << 18

func (s *scanner) weigh(n int) {
	if s.weight += n; s.weight > maxWeight {
		fail("the regular expression is too large")
	}
}

// next reads a token outside of brackets.
func (s *scanner) next() tokenKind {
	if s.base != 0 && s.nextCode(false) {
		return s.token.kind
	}
	for {
		s.token = token{}
		if s.end() {
			return tokenEnd
		}
		begin := s.at
		if s.one() {
			if s.token.kind == tokenText && s.token.text == "" {
				s.token.text = s.source[begin:s.at]
			}
			return s.token.kind
		}
	}
}

// one reads one token, and reports whether there was one: not a comment.
func (s *scanner) one() bool {
	t := &s.token
	t.kind = tokenText
	switch c := s.read(); c {
	case '\\':
		s.escape()
	case '.':
		t.kind = tokenDot
	case '*':
		s.quantifier(tokenRepeat, 0, infinite)
	case '+':
		s.quantifier(tokenRepeat, 1, infinite)
	case '?':
		s.quantifier(tokenRepeat, 0, 1)
	case '{':
		if low, high, ok := s.interval(); ok {
			s.quantifier(tokenInterval, low, high)
		}
	case '|':
		t.kind = tokenAlternative
	case '(':
		return s.open()
	case ')':
		t.kind = tokenClose
	case '^', '$':
		t.kind, t.anchor = tokenAnchor, s.lineAnchor(c)
	case '[':
		t.kind = tokenBracket
	case '#':
		if s.options&Extended != 0 {
			for !s.end() && s.read() != '\n' {
			}
			return false
		}
	case ' ', '\t', '\n', '\r', '\f':
		return s.options&Extended == 0
	}
	return true
}

func (s *scanner) lineAnchor(c rune) anchor {
	single := s.options&SingleLine != 0
	switch {
	case c == '^' && single:
		return beginText
	case c == '^':
		return beginLine
	case single:
		return endTextOrLine
	}
	return endLine
}

// quantifier reads what follows one: ? or +.
func (s *scanner) quantifier(kind tokenKind, low, high int) {
	t := &s.token
	t.kind, t.min, t.max = kind, low, high
	switch {
	case s.skip("?"):
		t.lazy = true
	case s.skip("+"):
		t.possessive = true
	}
}

// interval reads the rest of {n}, {n,} or {n,m}. Anything else is text.
func (s *scanner) interval() (low, high int, ok bool) {
	begin := s.at
	defer func() {
		if !ok {
			s.at = begin
		}
	}()
	low, found := s.repeats()
	if !found {
		return 0, 0, false
	}
	high = low
	if s.skip(",") {
		if high, found = s.repeats(); !found {
			high = infinite
		}
	}
	if !s.skip("}") {
		return 0, 0, false
	}
	if high != infinite && low > high {
		fail("upper is smaller than lower in repeat range")
	}
	return low, high, true
}

func (s *scanner) repeats() (n int, found bool) {
	n, found = s.number()
	if n > maxRepeat {
		fail("too big number for repeat range")
	}
	return n, found
}

// open reads what begins with a parenthesis, and reports whether it is not a comment.
func (s *scanner) open() bool {
	s.token.kind = tokenOpen
	if !strings.HasPrefix(s.source[s.at:], "?") {
		return true
	}
	rest := s.source[s.at+1:]
	if strings.HasPrefix(rest, "#") {
		s.at += 2
		for {
			if s.end() {
				fail("end pattern in group")
			}
			switch c := s.read(); {
			case c == ')':
				return false
			case c == '\\' && !s.end():
				s.read()
			}
		}
	}
	digits := strings.TrimLeft(rest, "+-")
	switch {
	case strings.HasPrefix(rest, "&"), strings.HasPrefix(rest, "R"), len(digits) >= len(rest)-1 && digits != "" && isDigit(rune(digits[0])):
		unsupported("(?"+rest[:1], "a call of a group")
	}
	return true
}
