package mapping

import (
	"strings"

	"port-bitbucket-exporter/internal/diag"
)

// source is the text that positions refer to, cut into lines.
type source struct {
	file  string
	lines []string
	// mended are the lines whose value was put in quotes to go on. Of
	// such a line its quoting is reported, and nothing of its jq.
	mended    map[int]bool
	readAgain int // bytes
}

// lineBreaks makes every line break that the YAML library counts a newline.
// Source: is_break in yamlprivateh.go of gopkg.in/yaml.v3 v3.0.1, read 2026-11.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

func newSource(file, text string) *source {
	text = strings.TrimPrefix(text, "\uFEFF")
	return &source{file: file, lines: strings.Split(lineBreaks.Replace(text), "\n")}
}

// line returns a line by its number, which counts from 1, or "".
func (s *source) line(number int) string {
	if s == nil || number < 1 || number > len(s.lines) {
		return ""
	}
	return s.lines[number-1]
}

// problem fills what every problem has in common. A nil source is allowed: then
// there is no snippet.
func (s *source) problem(rule diag.Rule, severity diag.Severity, pos diag.Position, where diag.Where, message, fix string) diag.Problem {
	return diag.Problem{
		Rule:     rule,
		Severity: severity,
		At:       pos,
		Where:    where,
		Message:  message,
		Fix:      fix,
		Snippet:  s.line(pos.Line),
	}
}
