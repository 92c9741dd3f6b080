package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity of a Problem.
type Severity string

// The severities, worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Notice  Severity = "notice" // worth knowing, and often as it should be
)

// Problem is something a person should know, told once however often it happened.
type Problem struct {
	Severity Severity
	File     string // of the mapping; empty when it stands nowhere
	Line     int    // 0 when unknown
	Column   int
	Message  string // what, where
	Fix      string // how to mend it; may be empty
	Count    int    // how often
	Example  string // the first one
}

// problemKey is what makes two problems the same.
type problemKey struct {
	severity     Severity
	file         string
	line, column int
	message      string
}

func (p Problem) key() problemKey {
	return problemKey{p.Severity, p.File, p.Line, p.Column, p.Message}
}

// maxProblems bounds how many different problems are kept.
const maxProblems = 1000

// furtherProblems is the message of the one that counts the others of its severity.
const furtherProblems = "further problems are not listed"

// Note adds a problem, or counts it when one of the same severity, place and message
// is there. The first example and the first fix stay. A Count below 1 is 1. When
// there are 1,000, another one is counted in a problem that stands for all further
// ones of its severity; its example is the first of them.
func (r *Report) Note(p Problem) {
	p.Count = max(p.Count, 1)
	r.indexProblems()
	i, found := r.noted[p.key()]
	if !found && len(r.Problems) >= maxProblems {
		p = p.further()
		i, found = r.noted[p.key()]
	}
	if !found {
		r.Problems = append(r.Problems, p)
		return
	}
	o := &r.Problems[i]
	o.Count += p.Count
	o.Example = cmp.Or(o.Example, p.Example)
	o.Fix = cmp.Or(o.Fix, p.Fix)
}

// further is what counts a problem that is not kept.
func (p Problem) further() Problem {
	example := p.Message
	if p.File != "" {
		example = p.File + p.position() + ": " + example
	}
	if p.Example != "" {
		example += ": " + p.Example
	}
	return Problem{Severity: p.Severity, Message: furtherProblems, Count: p.Count, Example: example}
}

// indexProblems catches up with Problems, which callers may also append to.
func (r *Report) indexProblems() {
	if r.noted == nil || r.indexed > len(r.Problems) {
		r.noted, r.indexed = make(map[problemKey]int), 0
	}
	for ; r.indexed < len(r.Problems); r.indexed++ {
		key := r.Problems[r.indexed].key()
		if _, found := r.noted[key]; !found {
			r.noted[key] = r.indexed
		}
	}
}

// Worst returns the problems, worst first: errors, warnings, notices, then the most
// frequent, then in the order in which they were told. What stands for further ones
// is the last of its severity.
func (r *Report) Worst() []Problem {
	rank := func(s Severity) int { return slices.Index([]Severity{Error, Warning, Notice}, s) }
	last := func(p Problem) int {
		if p.Message == furtherProblems {
			return 1
		}
		return 0
	}
	return slices.SortedStableFunc(slices.Values(r.Problems), func(a, b Problem) int {
		return cmp.Or(cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(last(a), last(b)), cmp.Compare(b.Count, a.Count))
	})
}

// countProblems says how many different errors, warnings and notices there are.
func (r *Report) countProblems() string {
	count := map[Severity]int{}
	for _, p := range r.Problems {
		count[p.Severity]++
	}
	var parts []string
	for _, s := range []Severity{Error, Warning, Notice} {
		if n := count[s]; n > 0 {
			parts = append(parts, plural(n, string(s)))
		}
	}
	return strings.Join(parts, ", ")
}

// The longest foreign texts in a line or a cell, in characters.
const (
	maxMessage = 500
	maxFix     = 300
	maxExample = 200
	maxName    = 100
)

// Place is file:line:column as far as known, or empty.
func (p Problem) Place() string {
	if p.File == "" {
		return ""
	}
	return visible(p.File, maxExample) + p.position()
}

func (p Problem) position() string {
	switch {
	case p.Line == 0:
		return ""
	case p.Column == 0:
		return fmt.Sprintf(":%d", p.Line)
	}
	return fmt.Sprintf(":%d:%d", p.Line, p.Column)
}

// String tells the problem on one line, without its severity:
//
//	mapping.yml:14:22: message (412 times, first: example); fix: what to do
func (p Problem) String() string {
	var b strings.Builder
	if place := p.Place(); place != "" {
		b.WriteString(place + ": ")
	}
	b.WriteString(visible(p.Message, maxMessage))
	example := visible(p.Example, maxExample)
	switch {
	case p.Count > 1 && example != "":
		fmt.Fprintf(&b, " (%d times, first: %s)", p.Count, example)
	case p.Count > 1:
		fmt.Fprintf(&b, " (%d times)", p.Count)
	case example != "":
		fmt.Fprintf(&b, " (once: %s)", example)
	}
	if p.Fix != "" {
		b.WriteString("; fix: " + visible(p.Fix, maxFix))
	}
	return b.String()
}
