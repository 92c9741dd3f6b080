package diag

import (
	"cmp"
	"slices"
	"strings"
)

// Problems are several problems. As an error it holds them all.
type Problems []Problem

// Error returns every problem, in file order, one after another, and each cause once.
func (p Problems) Error() string {
	sorted := p.Grouped()
	sorted.Sort()
	texts := make([]string, len(sorted))
	for i, one := range sorted {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "\n")
}

// Sections returns every problem as Error does, errors apart from warnings and notes:
// each severity under a line of its own, and with an empty line between two problems.
func (p Problems) Sections() string {
	var parts []string
	for _, section := range []struct {
		title string
		of    Problems
	}{{"errors:", p.Errors()}, {"warnings:", p.Warnings()}, {"notes:", p.Notes()}} {
		if len(section.of) == 0 {
			continue
		}
		parts = append(parts, section.title)
		section.of.Sort()
		for _, one := range section.of {
			parts = append(parts, one.Error())
		}
	}
	return strings.Join(parts, "\n\n")
}

// Errors returns the problems that stop a run; nil when there are none.
func (p Problems) Errors() Problems { return p.only(Error) }

// Warnings returns the problems that do not stop a run; nil when there are none.
func (p Problems) Warnings() Problems { return p.only(Warning) }

// Notes returns the problems of a mapping that is used as it is, and could be
// better; nil when there are none.
func (p Problems) Notes() Problems { return p.only(Notice) }

// Advice returns the problems that do not stop a run, warnings and notes alike; nil
// when there are none.
func (p Problems) Advice() Problems { return p.only(Warning, Notice) }

func (p Problems) only(severities ...Severity) Problems {
	var found Problems
	for _, one := range p {
		if slices.Contains(severities, one.Severity) {
			found = append(found, one)
		}
	}
	return found
}

// Without returns the problems that are not among the others, by severity, place, object
// and message.
func (p Problems) Without(others Problems) Problems {
	known := make(map[key]bool, len(others))
	for _, one := range others {
		known[one.key()] = true
	}
	return slices.DeleteFunc(slices.Clone(p), func(one Problem) bool { return known[one.key()] })
}

// Redacted returns the problems with each of their texts passed through redact.
func (p Problems) Redacted(redact func(string) string) Problems {
	clean := slices.Clone(p)
	for i, one := range clean {
		clean[i] = one.Redacted(redact)
	}
	return clean
}

// Sort puts the problems in file order, in place. Problems of one place keep
// their order.
func (p Problems) Sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.At.File, b.At.File),
			cmp.Compare(a.At.Line, b.At.Line),
			cmp.Compare(a.At.Column, b.At.Column),
		)
	})
}
