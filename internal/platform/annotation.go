package platform

import (
	"strings"

	"port-bitbucket-exporter/internal/diag"
)

// Annotation is a message for people, with a place if it has one.
type Annotation struct {
	Severity diag.Severity
	Message  string        // may have several lines
	At       diag.Position // its file is relative to the working directory, or empty
}

// plain prints the annotation as "ERROR file:line:col: message". Further
// lines of the message are indented.
func (a Annotation) plain(s *Scrubber) string {
	var head strings.Builder
	head.WriteString(strings.ToUpper(a.Severity.String()) + " ")
	if a.At.File != "" {
		head.WriteString(a.At.String() + ": ")
	}
	lines := messageLines(s.Redact(a.Message))
	lines[0] = s.Line(head.String() + lines[0])
	for i := 1; i < len(lines); i++ {
		lines[i] = "    " + s.Line(lines[i])
	}
	return strings.Join(lines, "\n") + "\n"
}

// safeMessage scrubs each line of a message.
func safeMessage(s *Scrubber, message string) string {
	lines := messageLines(s.Redact(message))
	for i, line := range lines {
		lines[i] = s.Line(line)
	}
	return strings.Join(lines, "\n")
}

func messageLines(message string) []string {
	message = strings.TrimRight(strings.ReplaceAll(message, "\r\n", "\n"), "\n")
	return strings.Split(message, "\n")
}
