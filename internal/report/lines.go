package report

import (
	"fmt"
	"strings"
	"time"
)

// column is one count of a resource in a form for people.
type column struct {
	head string // of a table
	word string // after the number, in a line
	main bool   // told even when 0
	of   func(Counts) int
}

// columns stand in the order of the two equations of Counts.
var columns = []column{
	{"Extracted", "extracted", true, func(c Counts) int { return c.Extracted }},
	{"Filtered", "filtered", false, func(c Counts) int { return c.Filtered }},
	{"Skipped", "skipped", false, func(c Counts) int { return c.Skipped }},
	{"Failed", "failed", false, func(c Counts) int { return c.Failed }},
	{"Transformed", "transformed", true, func(c Counts) int { return c.Transformed }},
	{"Created", "created", true, func(c Counts) int { return c.Created }},
	{"Updated", "updated", true, func(c Counts) int { return c.Updated }},
	{"Unchanged", "unchanged", true, func(c Counts) int { return c.Unchanged }},
	{"Rejected", "rejected", false, func(c Counts) int { return c.Rejected }},
	{"Merged", "merged", false, func(c Counts) int { return c.Merged }},
}

// Lines are the closing lines of a log: one for each resource, one for each blueprint
// of which something is stale or held back, and the result. A line holds no line break
// and no control character; the platform's own escaping is still due.
func (r *Report) Lines() []string {
	var lines []string
	for _, res := range r.Resources {
		lines = append(lines, res.line())
	}
	for _, b := range r.sortedBlueprints() {
		if b.Deleted > 0 || b.StaleKept > 0 || b.HeldBy != "" {
			lines = append(lines, b.line())
		}
	}
	return append(lines, r.Status()+": "+r.result()+r.why())
}

// Result tells on one line how the run ended and what became of the entities.
func (r *Report) Result() string { return r.Status() + ": " + r.entityResult() + r.why() }

func (r *Report) why() string {
	if reasons := r.reasons(); reasons != "" {
		return "; why: " + reasons
	}
	return ""
}

func (r *Resource) line() string {
	var parts []string
	for _, c := range columns {
		if n := c.of(r.Counts); n != 0 || c.main {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.word))
		}
	}
	line := fmt.Sprintf("resource %d (%s): %s", r.Index, visible(r.Kind, maxName), strings.Join(parts, ", "))
	if r.Duration > 0 {
		line += " in " + roundDuration(r.Duration)
	}
	switch {
	case !r.Listed:
		line += "; its list was not read"
	case !r.Complete:
		line += "; not everything was read and evaluated"
	}
	return line
}

func (b *Blueprint) line() string {
	line := fmt.Sprintf("blueprint %s: %d deleted", visible(b.Identifier, maxName), b.Deleted)
	if b.StaleKept > 0 {
		line += fmt.Sprintf(", %d stale kept", b.StaleKept)
	}
	if b.HeldBy != "" {
		line += "; deletion held back: " + visible(b.HeldBy, maxFix)
	}
	return line
}

// result says what the run did, without a full stop.
func (r *Report) result() string {
	text := r.entityResult()
	if failed := r.Total().Failed; failed != 0 {
		text += ", " + plural(failed, "object") + " failed"
	}
	return text + " " + r.cost()
}

func (r *Report) entityResult() string {
	t := r.totals()
	text := fmt.Sprintf("%d created, %d updated, %d unchanged, %d deleted", t.Created, t.Updated, t.Unchanged, t.Deleted)
	if t.Rejected != 0 {
		text += fmt.Sprintf(", %d rejected", t.Rejected)
	}
	if t.StaleKept != 0 {
		text += fmt.Sprintf(", %d stale kept", t.StaleKept)
	}
	return text
}

func (r *Report) cost() string {
	return fmt.Sprintf("in %s with %s to Bitbucket and %d to Port",
		roundDuration(r.Duration), plural(r.BitbucketRequests, "request"), r.PortRequests)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func roundDuration(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
