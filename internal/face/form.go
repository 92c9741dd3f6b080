// Package face makes what is seen of a report: step outputs, the report file, the summary in
// Markdown, the last lines of the log. Each face is a pure function of the report, in a file of
// its own; words.go and escape.go hold what they share.
package face

import (
	"fmt"

	"port-bitbucket-exporter/internal/report"
)

// maxComment is the longest comment that GitHub takes, in bytes at most.
//
// Source: https://github.com/telia-oss/github-pr-resource/issues/259, read 2026-11.
const maxComment = 65_536

// Form is one form of the report that is written to a file, where an input names one.
type Form struct {
	Input string // the id of that input
	// Write returns the content of the file; nil when there is nothing to write.
	Write func(*report.Report) []byte
	// Escape writes a character of ASCII as its language does that must not stand there as it is.
	Escape func(rune) string
}

// Forms are all forms in files. A new one is a file with its function, a line here, and a
// row in the table of inputs. What a run hands to the platform is not text: its Lines, its
// Outputs, and its Markdown, of which each platform takes another length.
var Forms = []Form{
	{"report_file", JSON, inJSON},
	{"sarif_file", SARIF, inJSON},
	{"html_file", HTML, inMarkup},
	{"junit_file", JUnit, inMarkup},
	{"codequality_file", CodeQuality, inJSON},
	{"dotenv_file", Dotenv, inMarkup},
	{"summary_file", func(r *report.Report) []byte { return []byte(Markdown(r, maxComment)) }, inMarkup},
}

func inJSON(c rune) string { return fmt.Sprintf(`\u%04x`, c) }

// inMarkup is for HTML, XML and Markdown; a dotenv file holds nothing that is escaped.
func inMarkup(c rune) string { return fmt.Sprintf("&#%d;", c) }
