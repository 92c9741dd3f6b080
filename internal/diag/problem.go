// Package diag holds what the program has to say to a person: a problem, with its place,
// its object and its fix. A problem is made once, where it is found; the reports only
// choose what of it they show.
package diag

import (
	"strconv"
	"strings"
	"unicode"
)

// Severity is how bad a problem is. The zero Severity is Error.
type Severity int

// The severities, worst first.
const (
	Error   Severity = iota // what was asked for cannot be done
	Warning                 // it is done, and somebody should know
	Notice                  // worth knowing, and often as it should be
)

// String returns the severity in one word.
func (s Severity) String() string { return [...]string{"error", "warning", "notice"}[s] }

// Position is a place in a file. Line and Column count from 1; Column counts
// characters, not bytes. A Line or Column of 0 is unknown.
type Position struct {
	File         string
	Line, Column int
}

// String returns `mapping.yml:14:22`, as far as it is known.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return p.File + ":" + strconv.Itoa(p.Line)
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Rule is the class of a problem: a name that stays the same, by which a reader can
// look a problem up and a code scanner can group it.
type Rule string

// RuleInfo describes a rule.
type RuleInfo struct {
	Rule  Rule
	Short string // what is wrong, in one sentence
	Help  string // why it matters, and how to mend it
}

// Problem is one thing that a person should know: what, where, how often, and how to
// fix it.
type Problem struct {
	Rule     Rule // empty for what has no class
	Severity Severity
	At       Position // the zero Position when it stands nowhere
	Where    Where    // what it is about
	Message  string
	Fix      string // what to type or to do, or ""
	Count    int    // how often; 0 counts as once
	Example  string // the first one, or ""
	About    About  // for whoever looks for problems of one kind; it is not shown
	// Cause is what is behind the message, in the words of whoever said it; all problems that
	// it is behind have the same. Empty is the message itself.
	Cause string
	Also  string // further places of the same, in words; see Grouped
	// Snippet is the line that At names, as written, or "".
	Snippet string
}

// Text returns the object and the message on one line, as far as both have one.
func (p Problem) Text() string {
	text := joined(p.Where.String(), p.Message)
	if p.Also != "" {
		text += " (" + p.Also + ")"
	}
	return text
}

// key is what makes two problems the same.
type key struct {
	severity Severity
	at       Position
	where    Where
	message  string
}

func (p Problem) key() key { return key{p.Severity, p.At, p.Where, p.Message} }

// Redacted returns the problem with each of its texts passed through redact.
func (p Problem) Redacted(redact func(string) string) Problem {
	for _, text := range []*string{&p.At.File, &p.Where.Kind, &p.Where.Input, &p.Where.From, &p.Where.Part, &p.Where.Resources, &p.Message, &p.Fix, &p.Example, &p.Cause, &p.Also, &p.Snippet} {
		*text = redact(*text)
	}
	return p
}

// Error returns the problem in several lines, without a newline at the end:
//
//	mapping.yml:14:22: resource 2 (repository): property "owner": jq: unexpected token "|"
//	    owner: .project | | .name
//	                      ^
//	fix: remove one "|"
//
// Parts that are not known are left out, and so are the count and the example. Control
// characters never reach the text.
func (p Problem) Error() string {
	var parts []string
	for _, part := range []string{p.At.String(), p.Where.String(), p.Message} {
		if part != "" {
			parts = append(parts, oneLine(part))
		}
	}
	text := strings.Join(parts, ": ")
	if p.Also != "" {
		text += " (" + oneLine(p.Also) + ")"
	}
	if line, caret := excerpt(p.Snippet, p.At.Column); line != "" {
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

// excerpt returns the part of the line around the column, without the
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
