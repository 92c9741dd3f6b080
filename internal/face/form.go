// Package face makes what is seen of a report: step outputs, the report file, the summary in
// Markdown, the last lines of the log. Each face is a pure function of the report, in a file of
// its own; words.go and escape.go hold what they share.
package face

import "port-bitbucket-exporter/internal/report"

// maxComment is the longest comment that GitHub takes, in bytes at most.
//
// Source: https://github.com/telia-oss/github-pr-resource/issues/259, read 2026-11.
const maxComment = 65_536

// Form is one form of the report that is written to a file, where an input names one.
type Form struct {
	Input string // the id of that input
	// Write returns the content of the file; nil when there is nothing to write.
	Write func(*report.Report) []byte
}

// Forms are all forms in files. A new one is a file with its function, a line here, and a
// row in the table of inputs. What a run hands to the platform is not text: its Lines, its
// Outputs, and its Markdown, of which each platform takes another length.
var Forms = []Form{
	{"report_file", JSON},
	{"sarif_file", SARIF},
	{"html_file", HTML},
	{"junit_file", JUnit},
	{"codequality_file", CodeQuality},
	{"dotenv_file", Dotenv},
	{"summary_file", func(r *report.Report) []byte { return []byte(Markdown(r, maxComment)) }},
}
