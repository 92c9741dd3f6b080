package face

import (
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// verdict returns on one line what is known of the mapping, where that is all that there
// is to report.
func verdict(r *report.Report) string {
	status := r.Status() + ": "
	if !r.Mapping.Checked {
		return status + "no mapping was checked"
	}
	if r.BadInputs {
		status += "the inputs are wrong; "
	}
	var counts []string
	for _, of := range []struct {
		problems diag.Problems
		noun     string
	}{{r.Mapping.Problems.Errors(), "error"}, {r.Mapping.Problems.Warnings(), "warning"}, {r.Mapping.Problems.Notes(), "note"}} {
		if len(of.problems) > 0 {
			counts = append(counts, plural(len(of.problems), of.noun))
		}
	}
	if len(counts) == 0 {
		counts = []string{"no problem"}
	}
	where := r.Mapping.Name
	if others := len(r.Mapping.Others); others > 0 {
		where = plural(1+others, "file")
	}
	if r.Mapping.Blueprints.Name != "" {
		where += " and " + r.Mapping.Blueprints.Name
	}
	return fmt.Sprintf("%s%s in %s", status, strings.Join(counts, ", "), visible(where, maxMessage))
}

// verdictMarkdown returns the verdict and the problems of the mapping as a check prints
// them, cut between two of them. It is empty when not even the verdict fits.
func verdictMarkdown(r *report.Report, limitBytes int) string {
	head := "## Mapping: " + r.Status() + "\n\n`" + strings.ReplaceAll(verdict(r), "`", "'") + "`\n"
	if len(head) > limitBytes {
		return ""
	}
	text := r.Mapping.Problems.Sections()
	if text == "" {
		return head
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
	return head
}
