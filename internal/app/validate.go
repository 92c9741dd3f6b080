package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/diag"
)

var validateCommand = command{
	name:  "validate",
	usage: "validate --mapping-file FILE [--sarif-file FILE]",
	about: `Checks a mapping and nothing else: it needs no credential and no network.
All problems are told at once, errors apart from warnings and notes.`,
	takesFile: true,
	run:       validate,
	verdict:   verdict,
	summary:   verdictMarkdown,
}

// errMapping is the failure of validate. What is wrong has been printed.
var errMapping = errors.New("the mapping is wrong")

// validate checks the mapping of the inputs, and prints all of its problems.
func validate(_ context.Context, s *session) error {
	_, err := givenMapping(s)
	if !s.mapping.done {
		return err // the file was not read
	}
	if text := s.mapping.problems.Sections(); text != "" {
		fmt.Fprintln(s.stdout, text+"\n")
	}
	if len(s.mapping.problems.Errors()) > 0 {
		return &usageError{err: errMapping, reported: true}
	}
	return err
}

// verdict is the last line of validate.
func verdict(s *session) string {
	status := s.report.Status() + ": "
	if !s.mapping.done {
		return status + "no mapping was checked"
	}
	if s.badInputs {
		status += "the inputs are wrong; "
	}
	var counts []string
	for _, severity := range []diag.Severity{diag.Error, diag.Warning, diag.Notice} {
		n := 0
		for _, p := range s.mapping.problems {
			if p.Severity == severity {
				n++
			}
		}
		word := severity.String()
		if severity == diag.Notice {
			word = "note"
		}
		switch {
		case n == 1:
			counts = append(counts, "1 "+word)
		case n > 1:
			counts = append(counts, fmt.Sprintf("%d %ss", n, word))
		}
	}
	if len(counts) == 0 {
		counts = []string{"no problem"}
	}
	return fmt.Sprintf("%s%s in %s", status, strings.Join(counts, ", "), mappingName(s))
}

func mappingName(s *session) string {
	if s.config.Mapping == "" && s.config.MappingFile != "" {
		return s.config.MappingFile
	}
	return inlineMapping
}

// verdictMarkdown is the summary of validate: the messages as they are printed, cut
// between two of them.
func verdictMarkdown(s *session, limitBytes int) string {
	head := "## Mapping: " + s.report.Status() + "\n\n`" + strings.ReplaceAll(s.scrubber.Line(verdict(s)), "`", "'") + "`\n"
	text := s.scrubber.Redact(s.mapping.problems.Sections())
	if text == "" {
		return cutTo(head, limitBytes)
	}
	fence := strings.Repeat("`", 3)
	for strings.Contains(text, fence) {
		fence += "`"
	}
	parts := strings.Split(text, "\n\n")
	for left := len(parts); left > 0; left-- {
		more := ""
		if left < len(parts) {
			more = fmt.Sprintf("\n%d more in the log.\n", len(parts)-left)
		}
		whole := head + "\n" + fence + "text\n" + strings.Join(parts[:left], "\n\n") + "\n" + fence + "\n" + more
		if len(whole) <= limitBytes {
			return whole
		}
	}
	return cutTo(head, limitBytes)
}

// cutTo returns nothing when the text does not fit.
func cutTo(text string, limitBytes int) string {
	if len(text) > limitBytes {
		return ""
	}
	return text
}
