package onig

import (
	"strings"
	"unicode/utf8"
)

// reader reads an expression.
type reader struct {
	source string
	at     int
}

const (
	maxNumber = 1<<31 - 1
	maxCode   = 0x1F_FFFF
)

func (r *reader) end() bool { return r.at >= len(r.source) }

// peek is the next character, and 0 at the end.
func (r *reader) peek() rune {
	if r.end() {
		return 0
	}
	c, _ := utf8.DecodeRuneInString(r.source[r.at:])
	return c
}

func (r *reader) read() rune {
	c, width := utf8.DecodeRuneInString(r.source[r.at:])
	r.at += width
	return c
}

// skip reads the text if it comes next.
func (r *reader) skip(text string) bool {
	if !strings.HasPrefix(r.source[r.at:], text) {
		return false
	}
	r.at += len(text)
	return true
}

// number reads decimal digits. One that is too big is maxNumber + 1.
func (r *reader) number() (n int, found bool) {
	for !r.end() && isDigit(rune(r.source[r.at])) {
		n = min(10*n+int(r.read()-'0'), maxNumber+1)
		found = true
	}
	return n, found
}

func isDigit(c rune) bool { return '0' <= c && c <= '9' }

// digits reads at most so many digits.
func (r *reader) digits(base, most int) (n rune, count int) {
	value := 0
	for count < most && !r.end() {
		d := strings.IndexByte("0123456789abcdef", r.source[r.at]|0x20)
		if r.source[r.at] < '0' || d < 0 || d >= base {
			break
		}
		value = value*base + d
		r.at++
		count++
	}
	if value > 1<<32-1 {
		fail("too big number")
	}
	return rune(min(value, maxCode+1)), count
}

func isHexadecimal(c rune) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
