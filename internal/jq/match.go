package jq

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/onig"
)

const (
	// maxKept bounds the regular expressions that are kept of one jq expression, which can
	// make them of the object, in bytes of their sources, and emptyPattern for each.
	maxKept      = 50_000
	emptyPattern = 500
	// maxMatching bounds the steps of a call: a second's worth, about.
	maxMatching = 1 << 26
	// maxFound bounds the matches and groups that a call gives: each is an object of about
	// 400 bytes, so that they take 26 MiB together.
	maxFound = 1 << 16
)

var errFound = fmt.Errorf("finds more than %d matches and groups", maxFound)

// matcher runs the regular expressions of one compiled expression as jq does. It is safe
// for concurrent use.
//
// Source: https://github.com/jqlang/jq/blob/jq-1.8.2/src/builtin.c, f_match, read
// 2026-11.
type matcher struct {
	refuse   function // of gojq, for what is not text
	mu       sync.Mutex
	patterns map[[2]string]*pattern
	kept     int
}

// pattern is a regular expression with its flags, or why it is none.
type pattern struct {
	re  *onig.Regexp
	all bool // flag g
	err error
}

// match is _match of gojq: args are the pattern, its flags or null, and whether
// it is only a test.
func (m *matcher) match(v any, args []any) any {
	text, isText := v.(string)
	source, isPattern := args[0].(string)
	flags, isFlags := args[1].(string)
	if !isText || !isPattern || !isFlags && args[1] != nil {
		return m.refuse(v, args)
	}
	if len(source) > MaxText || len(flags) > MaxText {
		return &limitError{"_match", errRead}
	}
	p := m.pattern(source, flags)
	if p.err != nil {
		return p.err
	}
	found, err := p.match(text, args[2] == true)
	if err != nil {
		return &limitError{"_match", err}
	}
	return found
}

// pattern compiles a pattern once.
func (m *matcher) pattern(source, flags string) *pattern {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]string{source, flags}
	if p := m.patterns[key]; p != nil {
		return p
	}
	p := &pattern{all: strings.Contains(flags, "g")}
	p.re, p.err = Regexp(source, flags)
	size := emptyPattern + len(source) + len(flags)
	if m.kept += size; m.kept > maxKept || m.patterns == nil {
		m.patterns, m.kept = map[[2]string]*pattern{}, size
	}
	m.patterns[key] = p
	return p
}

// flagOptions are the flags of a regular expression. The flag g is none of it.
var flagOptions = map[rune]onig.Option{
	'g': 0, 'i': onig.IgnoreCase, 'x': onig.Extended, 'm': onig.DotAll, 's': onig.SingleLine,
	'p': onig.DotAll | onig.SingleLine, 'l': onig.Longest, 'n': onig.NotEmpty,
}

// RegexError says why a text is not a regular expression of jq: Err is of the package onig.
type RegexError struct{ Err error }

func (e *RegexError) Error() string { return "Regex failure: " + e.Err.Error() }

func (e *RegexError) Unwrap() error { return e.Err }

// Regexp compiles a regular expression with flags as jq does. The error is a *RegexError when
// the flags are known.
func Regexp(source, flags string) (*onig.Regexp, error) {
	var options onig.Option
	for _, flag := range flags {
		option, known := flagOptions[flag]
		if !known {
			return nil, fmt.Errorf("%s is not a valid modifier string", flags)
		}
		options |= option
	}
	re, err := onig.Compile(source, options)
	if err != nil {
		return nil, &RegexError{err}
	}
	return re, nil
}

// match gives whether there is a match, or all that jq would give.
func (p *pattern) match(text string, test bool) (any, error) {
	text = strings.ToValidUTF8(text, "\uFFFD")
	search := p.re.NewSearch(text, maxMatching)
	found := []any{}
	places := places{text: text, isASCII: isASCII(text)}
	objects := 0
	for start := 0; start <= len(text); {
		match, err := search.From(start)
		switch {
		case errors.Is(err, onig.ErrSteps):
			return nil, ErrSlow
		case err != nil:
			return nil, errHeap
		case test:
			return match != nil, nil
		case match == nil:
			return found, nil
		}
		if objects += len(match) / 2; objects > maxFound {
			return nil, errFound
		}
		found = append(found, places.object(match, p.re.Names()))
		if !p.all {
			break
		}
		// After an empty match jq goes on at the next byte, which can be within a character.
		if start = match[1]; match[0] == match[1] {
			start++
		}
	}
	return found, nil
}

// places counts characters: positions in jq are in characters.
type places struct {
	text    string
	isASCII bool
	at      int // a place in bytes
	count   int // the characters that begin before it
}

// before is the number of characters that begin before a place in bytes.
func (p *places) before(at int) int {
	if p.isASCII {
		return at
	}
	for ; p.at < at; p.at++ {
		if utf8.RuneStart(p.text[p.at]) {
			p.count++
		}
	}
	for ; p.at > at; p.at-- {
		if utf8.RuneStart(p.text[p.at-1]) {
			p.count--
		}
	}
	return p.count
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// object is a match as jq gives it. In an empty match, groups have no text.
func (p *places) object(match []int, names []string) map[string]any {
	isEmpty := match[0] == match[1]
	captures := make([]any, len(names))
	for i, name := range names {
		begin, end := match[2*i+2], match[2*i+3]
		if isEmpty && begin >= 0 {
			begin, end = match[0], match[0]
		}
		capture := p.span(begin, end)
		if capture["name"] = any(nil); name != "" {
			capture["name"] = name
		}
		captures[i] = capture
	}
	object := p.span(match[0], match[1])
	object["captures"] = captures
	return object
}

// span is where a match or a group is. The count of jq begins at the text for what begins
// within a character.
func (p *places) span(begin, end int) map[string]any {
	if begin < 0 {
		return map[string]any{"offset": -1, "length": 0, "string": nil}
	}
	offset, length := p.before(begin), 0
	if end > begin {
		if !utf8.RuneStart(p.text[begin]) {
			offset = 0
		}
		length = p.before(end) - offset
	}
	return map[string]any{"offset": offset, "length": length, "string": string([]rune(p.text[begin:end]))}
}
