package mapping

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/diag"
)

// readDocument reads the one YAML document of the text. Where a value is jq that
// YAML cannot read, it is reported and read as the text that it was meant to be, so
// that what stands behind it is checked too. The node is nil when there is none to
// go on with.
func readDocument(src *source, text string) (*yaml.Node, diag.Problems) {
	var problems diag.Problems
	for {
		doc, p := document(src, text)
		if p == nil {
			return doc, problems
		}
		problems = append(problems, *p)
		if doc != nil {
			return doc, problems
		}
		mended, ok := src.mend(text, p.At.Line)
		if !ok || len(problems) > maxProblems || !src.reread(text) {
			return nil, problems
		}
		text = mended
	}
}

// document reads the one YAML document of the text. The problem is nil when
// there is exactly one; of several it returns the first.
func document(src *source, text string) (*yaml.Node, *diag.Problem) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	first, err := next(decoder)
	start := diag.Position{File: src.file, Line: 1, Column: 1}
	switch {
	case errors.Is(err, io.EOF):
		p := src.problem(RuleMissingKey, diag.Error, start, diag.Where{}, "the mapping is empty", `write a list of resources under "resources:"`)
		return nil, &p
	case err != nil:
		return nil, syntaxProblem(src, text, err)
	}
	second, err := next(decoder)
	switch {
	case errors.Is(err, io.EOF):
		return first.Content[0], nil
	case err != nil:
		return nil, syntaxProblem(src, text, err)
	}
	if second.Content[0].ShortTag() == "!!null" {
		if number := lastMark(src.lines); number > 0 {
			p := src.problem(RuleDocuments, diag.Error, diag.Position{File: src.file, Line: number, Column: 1}, diag.Where{}, `"---" begins another document, which is empty`, "remove this line")
			return first.Content[0], &p
		}
	}
	pos := diag.Position{File: src.file, Line: second.Line, Column: second.Column}
	p := src.problem(RuleDocuments, diag.Error, pos, diag.Where{}, `a mapping is one YAML document, and "---" starts another here`,
		"keep one document: put all resources into one list")
	if first.Content[0].Kind != yaml.MappingNode {
		return nil, &p
	}
	return first.Content[0], &p
}

// lastMark is the number of the last line that is "---"; 0 when there is none.
func lastMark(lines []string) int {
	for i := len(lines); i > 0; i-- {
		if strings.TrimRight(lines[i-1], " ") == "---" {
			return i
		}
	}
	return 0
}

// syntaxError takes the message of the YAML library apart.
var syntaxError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

var alias = regexp.MustCompile(`^\*[A-Za-z0-9_-]+$`)

// syntaxProblem returns where a text stops being YAML, and names the ways in
// which jq is known to break it.
func syntaxProblem(src *source, text string, err error) *diag.Problem {
	message, reported := err.Error(), 0
	if m := syntaxError.FindStringSubmatch(message); m != nil {
		message = m[2]
		reported, _ = strconv.Atoi(m[1])
	}
	lines := newSource("", text).lines
	read := readUntilError(text)
	line := badLine(text, lines, read, reported)
	if open, ok := src.openQuote(text, lines, read); ok {
		line = open
	}
	written := src.line(line)
	blank := written[:len(written)-len(strings.TrimLeft(written, " \t"))]
	pos := diag.Position{File: src.file, Line: line, Column: 1 + utf8.RuneCountInString(blank)}
	rule, fix := RuleYAMLSyntax, ""
	hint, found := findHint(written)
	found = found && !hint.inside
	tab := strings.IndexByte(blank, '\t')
	if p := plainProblem(src, lines, line, message); p != nil {
		return p
	}
	switch {
	case found && !hint.glob && alias.MatchString(hint.value) && strings.Contains(message, "unknown anchor"):
		rule, pos.Column = RuleYAMLAnchor, hint.column
		message = fmt.Sprintf("%s, and no value above has the anchor &%s", hint.cause, hint.value[1:])
		fix = "write &" + hint.value[1:] + " before the value that is to be repeated; in jq a field is written .name"
	case found && hint.inOne:
		message, fix, pos.Column = hint.cause, hint.fix, hint.column
	case found:
		rule, message, fix, pos.Column = RuleYAMLQuotes, hint.cause, hint.fix, hint.column
	case tab >= 0:
		rule, message, fix, pos.Column = RuleYAMLTab, "the line is indented with a tab", tabFix(lines, line), tab+1
	default:
		var layout string
		if pos.Line, layout, fix = src.layoutFix(text, lines, line, read); pos.Line != line {
			pos.Column = 1 + indent(src.line(pos.Line))
		}
		if layout != "" {
			message, pos.Column = layout, 1+leading(src.line(pos.Line))
		}
	}
	p := src.problem(rule, diag.Error, pos, diag.Where{}, "not YAML: "+message, fix)
	return &p
}

// plainProblem is a syntax error whose cause can be seen in a line, whatever the YAML
// library says of it. It is nil when there is none.
func plainProblem(src *source, lines []string, number int, message string) *diag.Problem {
	problem := func(line, column int, message, fix string) *diag.Problem {
		p := src.problem(RuleYAMLSyntax, diag.Error, diag.Position{File: src.file, Line: line, Column: column}, diag.Where{}, "not YAML: "+message, fix)
		return &p
	}
	for i, line := range lines[:min(number+1, len(lines))] {
		if conflict.MatchString(line) {
			return problem(i+1, 1, "a merge conflict is left in the file", "keep one of the two versions, and remove the lines with <<<<<<<, ======= and >>>>>>>")
		}
	}
	for _, at := range []int{number, number - 1, number + 1} {
		if at < 1 || at > len(lines) {
			continue
		}
		if index, what := lookalikeIn(lines[at-1]); index >= 0 {
			return problem(at, 1+utf8.RuneCountInString(lines[at-1][:index]), "a character is not what it looks like", what)
		}
	}
	if strings.Contains(message, "unknown escape") && number > 0 {
		if column, message, fix := escapeFix(lines[number-1]); fix != "" {
			return problem(number, column, message, fix)
		}
	}
	return nil
}

// badLine finds the line of a syntax error. The line that the YAML library
// names is often the start of the value that it was reading, and one too low.
// It looks ahead as far as the next line, so the error is in the first line,
// of the last ones it read, without which the text can be read. When nothing
// could be decided before the end of the text, the library's own line is used.
func badLine(text string, all []string, read, reported int) int {
	lines := newSource("", text[:read]).lines
	last := len(lines)
	if last > 1 && lines[last-1] == "" {
		last--
	}
	for line := last; line > 0 && line > last-4; line-- {
		if readable(strings.Join(all[:line-1], "\n")) {
			return line
		}
	}
	if read >= len(text) && reported > 0 {
		return min(reported, len(all))
	}
	return min(last, len(all))
}
