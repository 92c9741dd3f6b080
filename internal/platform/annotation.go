package platform

import (
	"strconv"
	"strings"
)

// Severity is how bad an annotation is.
type Severity int

// The severities, the worst first.
const (
	Error Severity = iota
	Warning
	Notice
)

func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	default:
		return "notice"
	}
}

// Annotation is a message for people, with a place if it has one.
type Annotation struct {
	Severity Severity
	Message  string // may have several lines
	File     string // a path relative to the working directory, or empty
	Line     int    // counts from 1; zero is unknown
	Column   int    // counts from 1; zero is unknown
}

// plain prints the annotation as "ERROR file:line:col: message". Further
// lines of the message are indented.
func (a Annotation) plain(s *Scrubber) string {
	var head strings.Builder
	head.WriteString(strings.ToUpper(a.Severity.String()) + " ")
	if a.File != "" {
		head.WriteString(a.File + ":")
		if a.Line > 0 {
			head.WriteString(strconv.Itoa(a.Line) + ":")
			if a.Column > 0 {
				head.WriteString(strconv.Itoa(a.Column) + ":")
			}
		}
		head.WriteByte(' ')
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
