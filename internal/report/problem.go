package report

import (
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/diag"
)

// The longest foreign texts in a line or a cell, in characters.
const (
	maxMessage = 500
	maxFix     = 300
	maxExample = 200
	maxName    = 100
)

// Place returns file:line:column of a problem as far as known, or "".
func Place(p diag.Problem) string {
	if p.At.File == "" {
		return ""
	}
	at := p.At
	at.File = visible(at.File, maxExample)
	return at.String()
}

// Line returns the problem on one line, without its severity:
//
//	mapping.yml:14:22: message (412 times, first: example); fix: what to do
func Line(p diag.Problem) string {
	var b strings.Builder
	if place := Place(p); place != "" {
		b.WriteString(place + ": ")
	}
	b.WriteString(visible(p.Text(), maxMessage))
	example := visible(p.Example, maxExample)
	switch {
	case p.Count > 1 && example != "":
		fmt.Fprintf(&b, " (%d times, first: %s)", p.Count, example)
	case p.Count > 1:
		fmt.Fprintf(&b, " (%d times)", p.Count)
	case example != "":
		fmt.Fprintf(&b, " (once: %s)", example)
	}
	if p.Fix != "" {
		b.WriteString("; fix: " + visible(p.Fix, maxFix))
	}
	return b.String()
}
