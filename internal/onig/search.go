package onig

import (
	"errors"
	"strings"
)

var (
	// ErrSteps is a search that ran out of steps.
	ErrSteps = errors.New("takes too many steps")
	// ErrMemory is a search that remembers too many places to go on from.
	ErrMemory = errors.New("takes too much memory")
)

// Search looks for matches in one text. It is not safe for concurrent use.
type Search struct {
	machine
	literal int // where the literal of the hint is next; -1 for nowhere
}

// NewSearch returns a search through a text, which is UTF-8, that may take so many
// steps. A step looks at a character, about.
func (re *Regexp) NewSearch(text string, steps int) *Search {
	return &Search{machine: machine{
		program: &re.program, options: re.options, hint: &re.hint, text: text, steps: steps,
		slots: make([]int, re.program.registers), found: make([]int, 2*(re.program.groups+1)),
	}}
}

// From returns the first match that begins at start or later: the begin and the end of
// the match, and of each of its groups, in bytes. A group that took no part has -1. It
// returns nil when there is no match. The result is good until the next call. The
// start may be within a character. The error is ErrSteps or ErrMemory.
func (s *Search) From(start int) ([]int, error) {
	s.start, s.best = start, -1
	if !s.hasLiteral(start) || s.hint.atBegin && start > 0 {
		return nil, nil
	}
	for at := start; ; {
		if at = s.skip(at); at < 0 {
			break
		}
		found, err := s.run(at)
		if err != nil {
			return nil, err
		}
		if found {
			return s.found, nil
		}
		if at = s.after(at); at < 0 {
			break
		}
	}
	if s.best >= 0 {
		return s.found, nil
	}
	return nil, nil
}

// searchedAtOnce is how many bytes are searched for a literal in the time of a step.
const searchedAtOnce = 16

// hasLiteral reports whether the text has what any match has.
func (s *Search) hasLiteral(start int) bool {
	if s.hint.literal == "" || s.literal >= start && s.literal > 0 {
		return true
	}
	i := strings.Index(s.text[start:], s.hint.literal)
	if i < 0 {
		return false
	}
	s.steps -= i / searchedAtOnce
	s.literal = start + i
	return true
}

// skip gives the first place from at on where a match can begin, or -1.
func (s *Search) skip(at int) int {
	if s.hint.first == nil {
		return at
	}
	for at < len(s.text) {
		b := s.text[at]
		if s.hint.first[b] {
			return at
		}
		at += width(b)
	}
	return -1
}

// after gives the place to try next, or -1.
func (s *Search) after(at int) int {
	switch {
	case at >= len(s.text), s.hint.atBegin:
		return -1
	case s.hint.allLine:
		next := strings.IndexByte(s.text[at:], '\n')
		if next < 0 {
			return -1
		}
		return at + next + 1
	case s.hint.all:
		return -1
	}
	return at + width(s.text[at])
}
