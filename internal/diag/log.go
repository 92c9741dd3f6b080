package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds how many different problems a Log keeps, so that neither memory nor
// a report grows with the size of the workspace.
const maxProblems = 1000

// furtherProblems is the message of the problem that counts the others of its severity.
const furtherProblems = "further problems are not listed"

// Log keeps the problems of a run, each once however often it happened. The zero Log is
// empty and ready for use. It has one owner: it is not safe for concurrent use.
type Log struct {
	problems Problems    // in the order in which they were first noted
	noted    map[key]int // index into problems
}

// Problems returns the problems in the order in which they were first noted. Callers do
// not write to it.
func (l *Log) Problems() Problems { return l.problems }

// Note adds a problem, or counts it when one of the same severity, place, object and
// message is there. The first example and the first fix stay. A Count below 1 is 1. When
// there are 1,000, another one is counted in a problem that stands for all further
// ones of its severity; its example is the first of them.
func (l *Log) Note(p Problem) {
	p.Count = max(p.Count, 1)
	l.index()
	i, found := l.noted[p.key()]
	if !found && len(l.problems) >= maxProblems {
		p = p.further()
		i, found = l.noted[p.key()]
	}
	if !found {
		l.noted[p.key()] = len(l.problems)
		l.problems = append(l.problems, p)
		return
	}
	o := &l.problems[i]
	o.Count += p.Count
	o.Example = cmp.Or(o.Example, p.Example)
	o.Fix = cmp.Or(o.Fix, p.Fix)
	o.About = cmp.Or(o.About, p.About)
}

// further returns the problem that counts one that is not kept.
func (p Problem) further() Problem {
	example := p.Text()
	if p.At.File != "" {
		example = p.At.String() + ": " + example
	}
	if p.Example != "" {
		example += ": " + p.Example
	}
	return Problem{Severity: p.Severity, Message: furtherProblems, Count: p.Count, Example: example}
}

// index finds the problems that are kept; after Redact it is made anew.
func (l *Log) index() {
	if l.noted != nil {
		return
	}
	l.noted = make(map[key]int, len(l.problems))
	for i, p := range l.problems {
		if _, found := l.noted[p.key()]; !found {
			l.noted[p.key()] = i
		}
	}
}

// Redact passes every text of the problems through redact.
func (l *Log) Redact(redact func(string) string) {
	for i, p := range l.problems {
		l.problems[i] = p.Redacted(redact)
	}
	l.noted = nil // the texts were its keys
}

// Worst returns the problems, worst first: errors, warnings, notices, then the most
// frequent, then in the order in which they were noted. A problem that stands for
// further ones is the last of its severity.
func (l *Log) Worst() Problems {
	worst := slices.Clone(l.problems)
	worst.sortWorst()
	return worst
}

func (p Problems) sortWorst() {
	last := func(p Problem) int {
		if p.Message == furtherProblems {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(last(a), last(b)), cmp.Compare(b.Count, a.Count))
	})
}

// CountText returns how many different errors, warnings and notices there are, in words.
func (l *Log) CountText() string {
	count := map[Severity]int{}
	for _, p := range l.problems {
		count[p.Severity]++
	}
	var parts []string
	for s := Error; s <= Notice; s++ {
		switch n := count[s]; {
		case n == 1:
			parts = append(parts, "1 "+s.String())
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, s))
		}
	}
	return strings.Join(parts, ", ")
}
