package jq

import (
	"errors"
	"io"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

const (
	// maxInstructions bounds a regular expression when it is compiled, where Go takes
	// 3,000,000.
	maxInstructions = 10_000
	// maxKept bounds those that gojq keeps of one jq expression, which can make them
	// of the object: their instructions, of about 200 bytes, and emptyPattern for each.
	maxKept      = 50_000
	emptyPattern = 500
	// maxMatching bounds a search: the instructions of the pattern times the
	// characters that it looks at. About a second's worth, a few at the worst.
	maxMatching = 1 << 29
	// readRune is what it takes in a trial to read a character, in instructions.
	readRune = 20
)

// matcher runs the regular expressions of one compiled expression. It is safe for
// concurrent use.
type matcher struct {
	mu       sync.Mutex
	function function // of gojq; it keeps each pattern that it is given
	patterns map[[2]string]*pattern
	kept     int
}

// pattern is a regular expression with its flags.
type pattern struct {
	all          bool // flag g
	instructions int
	first, next  *regexp.Regexp // for a trial; nil until there is one
}

func newMatcher() (*matcher, error) {
	m := &matcher{}
	err := m.forget()
	return m, err
}

// forget takes a fresh function from gojq: the one before cannot be emptied.
func (m *matcher) forget() error {
	query, err := gojq.Parse(`test("")`)
	if err != nil {
		return err
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return err
	}
	m.function, m.patterns, m.kept = nil, map[[2]string]*pattern{}, 0
	err = goCalls(code, func(name string, f function) (function, error) {
		if name == "_match" {
			m.function = f
		}
		return f, nil
	})
	if err == nil && m.function == nil {
		return errLayout
	}
	return err
}

// match is _match of gojq: args are the pattern, its flags or null, and whether
// it is only a test.
func (m *matcher) match(v any, args []any) any {
	s, isText := v.(string)
	source, isPattern := args[0].(string)
	flags, _ := args[1].(string)
	m.mu.Lock()
	function, p, err := m.function, (*pattern)(nil), error(nil)
	if isText && isPattern {
		p, err = m.pattern(source, flags)
		function = m.function
	}
	m.mu.Unlock()
	if err == nil && p != nil {
		err = p.check(s, args[2] == true)
	}
	if err != nil {
		return &limitError{"_match", err}
	}
	return function(v, args)
}

// pattern remembers a pattern. One that does not parse is left to gojq, and is nil.
func (m *matcher) pattern(source, flags string) (*pattern, error) {
	key := [2]string{source, flags}
	if p := m.patterns[key]; p != nil {
		return p, nil
	}
	if len(source) > MaxText {
		return nil, errRead
	}
	prefix := ""
	if strings.Contains(flags, "i") {
		prefix += "(?i)"
	}
	if strings.Contains(flags, "m") {
		prefix += "(?s)"
	}
	tree, err := syntax.Parse(prefix+source, syntax.Perl)
	if err != nil {
		return nil, nil
	}
	p := &pattern{all: strings.Contains(flags, "g"), instructions: instructions(tree)}
	if p.instructions > maxInstructions {
		return nil, ErrSlow
	}
	if p.all {
		// As the tree writes it, a pattern can stand within another. A search from within
		// the text sees the character before, for ^ and \b.
		whole := tree.String()
		var errs [2]error
		p.first, errs[0] = regexp.Compile(whole)
		p.next, errs[1] = regexp.Compile(`\A(?s:.)(?s:.*?)((?:` + whole + `))`)
		if errors.Join(errs[:]...) != nil {
			return nil, ErrSlow // it is too large
		}
	}
	if m.kept += emptyPattern + p.instructions; m.kept > maxKept {
		if err := m.forget(); err != nil {
			return nil, err
		}
		m.kept = emptyPattern + p.instructions
	}
	m.patterns[key] = p
	return p, nil
}

// instructions is about how many a pattern becomes: Go writes a repetition out.
func instructions(re *syntax.Regexp) int {
	n := 1
	for _, sub := range re.Sub {
		n += instructions(sub)
	}
	switch re.Op {
	case syntax.OpLiteral:
		return n + len(re.Rune)
	case syntax.OpRepeat:
		return 1 + n*max(re.Min, re.Max, 1)
	}
	return n
}

// check returns an error when matching takes too long. The first match takes time that
// grows with the text and the pattern. All matches can take time that grows with
// the square of the text, and mostly do not: they are tried first, and the steps
// counted. For the position of a match, gojq walks there from the start.
func (p *pattern) check(s string, test bool) error {
	once := (len(s) + 1) * p.instructions
	switch {
	case once > maxMatching:
		return ErrSlow
	case test || !p.all || once*(len(s)+1) <= maxMatching:
		return nil
	}
	_, err := p.try(s)
	return err
}

// try finds all matches, and returns how many there are.
func (p *pattern) try(s string) (found int, err error) {
	left := maxMatching / (readRune + p.instructions)
	walks := maxSteps / (1 + len(s)) / (1 + p.first.NumSubexp())
	for start := 0; start <= len(s); found++ {
		re, from := p.first, start
		if start > 0 {
			_, width := utf8.DecodeLastRuneInString(s[:start])
			re, from = p.next, start-width
		}
		match := re.FindReaderSubmatchIndex(&counted{strings.NewReader(s[from:]), &left})
		if left <= 0 || found > walks {
			return found, ErrSlow
		}
		if match == nil {
			return found, nil
		}
		begin, end := from+match[0], from+match[1]
		if start > 0 {
			begin = from + match[2]
		}
		if begin == end {
			_, width := utf8.DecodeRuneInString(s[end:])
			end += max(width, 1)
		}
		start = end
	}
	return found, nil
}

// counted ends a text early when no steps are left.
type counted struct {
	text *strings.Reader
	left *int
}

func (c *counted) ReadRune() (rune, int, error) {
	if *c.left--; *c.left <= 0 {
		return 0, 0, io.EOF
	}
	return c.text.ReadRune()
}
