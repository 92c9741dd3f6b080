package mapping

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Severity says whether a problem stops the run.
type Severity int

const (
	Error   Severity = iota // the mapping cannot be used
	Warning                 // the mapping is used, and its author should know
	Note                    // the mapping is used, and could be better
)

// String gives the severity in one word.
func (s Severity) String() string { return [...]string{"error", "warning", "note"}[s] }

// Problem is one thing wrong with a mapping: what, where and how to fix it.
type Problem struct {
	Rule     RuleID
	Severity Severity
	Pos      Position
	Where    string // `resource 2 (repository): property "owner"`, or ""
	Message  string
	Fix      string // what to type, or ""
	// Snippet is the line of the mapping that Pos names, as written, or "".
	Snippet string
}

// Error gives the problem in several lines, without a newline at the end:
//
//	mapping.yml:14:22: resource 2 (repository): property "owner": jq: unexpected token "|"
//	    owner: .project | | .name
//	                      ^
//	fix: remove one "|"
//
// Parts that are not known are left out. Control characters of the mapping
// never reach the text.
func (p Problem) Error() string {
	var parts []string
	for _, part := range []string{p.Pos.String(), p.Where, p.Message} {
		if part != "" {
			parts = append(parts, oneLine(part))
		}
	}
	text := strings.Join(parts, ": ")
	if line, caret := excerpt(p.Snippet, p.Pos.Column); line != "" {
		text += "\n    " + line
		if caret != "" {
			text += "\n    " + caret
		}
	}
	if p.Fix != "" {
		text += "\nfix: " + oneLine(p.Fix)
	}
	return text
}

// snippetWidth bounds what is shown of a source line, in characters.
const snippetWidth = 160

// excerpt gives the part of the line around the column, without the
// indentation, and the line with the caret that goes under it. The caret line
// is empty when the column is not on the line.
func excerpt(snippet string, column int) (line, caret string) {
	runes := []rune(strings.TrimRightFunc(snippet, unicode.IsSpace))
	start := 0
	for start < len(runes) && unicode.IsSpace(runes[start]) {
		start++
	}
	at := column - 1
	known := at >= 0 && at <= len(runes)
	if known {
		start = min(start, at)
	}
	end := len(runes)
	head, tail := "", ""
	if known && at-start > snippetWidth/2 && end-start > snippetWidth {
		start, head = min(at-snippetWidth/2, end-snippetWidth), "..."
	}
	if end-start > snippetWidth {
		end, tail = start+snippetWidth, "..."
	}
	shown := runes[start:end]
	line = head + printable(shown) + tail
	if !known {
		return line, ""
	}
	pad := []rune(strings.Repeat(" ", len(head)))
	for _, r := range shown[:min(at-start, len(shown))] {
		if r != '\t' {
			r = ' '
		}
		pad = append(pad, r)
	}
	return line, string(pad) + "^"
}

// printable replaces every character that a terminal or a log could take for
// more than a character; tabs stay.
func printable(runes []rune) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, string(runes))
}

// oneLine is printable without tabs.
func oneLine(text string) string {
	return strings.ReplaceAll(printable([]rune(text)), "\t", " ")
}

// Problems are the problems of one mapping. As an error it tells them all.
type Problems []Problem

// Error gives every problem, in file order, one after another.
func (p Problems) Error() string {
	sorted := slices.Clone(p)
	sorted.Sort()
	texts := make([]string, len(sorted))
	for i, one := range sorted {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "\n")
}

// Sections tells every problem as Error does, errors apart from warnings and notes:
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

// Errors gives the problems that stop a run; nil when there are none.
func (p Problems) Errors() Problems { return p.only(Error) }

// Warnings gives the problems that do not stop a run; nil when there are none.
func (p Problems) Warnings() Problems { return p.only(Warning) }

// Notes gives the problems of a mapping that is used as it is, and could be
// better; nil when there are none.
func (p Problems) Notes() Problems { return p.only(Note) }

// Advice gives the problems that do not stop a run, warnings and notes alike; nil
// when there are none.
func (p Problems) Advice() Problems { return p.only(Warning, Note) }

func (p Problems) only(severities ...Severity) Problems {
	var found Problems
	for _, one := range p {
		if slices.Contains(severities, one.Severity) {
			found = append(found, one)
		}
	}
	return found
}

// Sort puts the problems in file order, in place. Problems of one place keep
// their order.
func (p Problems) Sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
		)
	})
}
