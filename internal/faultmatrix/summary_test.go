package faultmatrix_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	summaryHead = regexp.MustCompile(`^## Port (?:resync|plan)(?: (partial|failed))?: `)
	summaryRow  = regexp.MustCompile(`(?m)^\| [^|]* \| ([0-9,]*) \| ([0-9,]*) \| ([0-9,]*) \| ([^|]*) \|$`)
	lineOfOne   = regexp.MustCompile(`(?m)^(?:- )?resource ([0-9]+) \([^)]*\): (.*)$`)
)

// toldNumber reads the number before a word; 0 where it is not there.
func toldNumber(text, word string) int {
	m := regexp.MustCompile(`([0-9,]+) ` + word).FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.ReplaceAll(m[1], ",", "")) // digits and commas alone
	return n
}

// summaryLine reads the counts and the status back from a summary, and gives them as the last
// line of the log has them. The last row of the table of blueprints is that of all, or of the
// only one.
func summaryLine(summary string) string {
	status := "success"
	if m := summaryHead.FindStringSubmatch(summary); m == nil {
		status = "unknown"
	} else if m[1] != "" {
		status = m[1]
	}
	table, _, _ := strings.Cut(summary, "\n### ")
	created, updated, deleted, others := "", "", "", ""
	for _, m := range summaryRow.FindAllStringSubmatch(table, -1) {
		created, updated, deleted, others = m[1]+" created", m[2]+" updated", m[3]+" deleted", m[4]
	}
	return fmt.Sprintf("%s: %d created, %d updated, %d unchanged, %d deleted, %d rejected, %d stale kept", status,
		toldNumber(created, "created"), toldNumber(updated, "updated"), toldNumber(others, "unchanged"),
		toldNumber(deleted, "deleted"), toldNumber(others, "rejected"), toldNumber(others, "stale kept"))
}

// checkResources compares the line of each resource in a text with the report.
func (k *checker) checkResources(name, text string) {
	told := map[string]string{}
	for _, m := range lineOfOne.FindAllStringSubmatch(text, -1) {
		if told[m[1]] != "" {
			k.errorf("%s tells resource %s twice", name, m[1])
		}
		told[m[1]] = m[2]
	}
	for _, res := range k.run.report.Resources {
		line, found := told[strconv.Itoa(res.Index)]
		if !found {
			k.errorf("%s does not tell resource %d", name, res.Index)
			continue
		}
		for word, want := range map[string]int{
			"extracted": res.Extracted, "filtered": res.Filtered, "skipped": res.Skipped, "failed": res.Failed, "transformed": res.Transformed,
			"created": res.Created, "updated": res.Updated, "unchanged": res.Unchanged, "rejected": res.Rejected, "merged": res.Merged,
		} {
			if got := toldNumber(line, word); got != want {
				k.errorf("%s tells %d %s of resource %d, the report %d", name, got, word, res.Index, want)
			}
		}
	}
}
