package report

// maxComment is the longest comment that GitHub takes, in bytes at most.
//
// Source: https://github.com/telia-oss/github-pr-resource/issues/259, read 2026-11.
const maxComment = 65_536

// Form is one form of the report that is written to a file, where an input names one.
type Form struct {
	Input string // the id of that input
	// Write returns the content of the file; nil when there is nothing to write.
	Write func(*Report) []byte
}

// Forms are all forms in files. A new one is a file with its function, a line here, and a
// row in the table of inputs. What a run hands to the platform is not text: its Lines, its
// Outputs, and its Markdown, of which each platform takes another length.
var Forms = []Form{
	{"report_file", JSON},
	{"sarif_file", SARIF},
	{"summary_file", func(r *Report) []byte { return []byte(Markdown(r, maxComment)) }},
}
