package platform

import (
	"fmt"
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

// limit keeps to what a platform shows of one severity. The last one that it shows waits for
// flush, when its place may be needed to say how many more there are. It has one owner.
type limit struct {
	platform string // for people
	most     int
	show     func(Annotation)
	counts   [diag.Notice + 1]int         // annotations so far, by severity
	waiting  [diag.Notice + 1]*Annotation // the last one, by severity
}

func (l *limit) add(a Annotation) {
	l.counts[a.Severity]++
	switch n := l.counts[a.Severity]; {
	case n < l.most:
		l.show(a)
	case n == l.most:
		l.waiting[a.Severity] = &a
	}
}

// flush shows the last annotations, or in their place how many are not shown.
func (l *limit) flush() {
	for severity, a := range l.waiting {
		if a == nil {
			continue
		}
		l.waiting[severity] = nil
		if left := l.counts[severity] - l.most + 1; left > 1 {
			a = &Annotation{Severity: diag.Severity(severity), Message: fmt.Sprintf(
				"%d more of this severity were left out: %s shows %d for a step; the summary and the report hold them all",
				left, l.platform, l.most)}
		}
		l.show(*a)
	}
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
