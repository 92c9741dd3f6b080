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
		lines = append(lines, r.resourceLine(res))
	}
	for _, b := range r.sortedBlueprints() {
		if b.Deleted > 0 || b.StaleKept > 0 || b.HeldBy != "" {
			lines = append(lines, r.blueprintLine(b))
		}
	}
	lines = append(lines, r.changeLines()...)
	for _, fact := range r.Facts {
		lines = append(lines, visible(fact, maxMessage))
	}
	if r.Forecast != "" {
		lines = append(lines, r.Forecast)
	}
	return append(lines, r.outcome()+": "+r.result()+r.why())
}

// Result tells on one line how the run ended and what became of the entities.
func (r *Report) Result() string { return r.outcome() + ": " + r.entityResult() + r.why() }

// outcome is the status, which of a plan is said to be one's.
func (r *Report) outcome() string {
	if r.Planned {
		return "plan: " + r.Status()
	}
	return r.Status()
}

func (r *Report) why() string {
	if reasons := r.reasons(); reasons != "" {
		return "; why: " + reasons
	}
	return ""
}

func (r *Report) resourceLine(res *Resource) string {
	create, update, _ := r.verbs()
	planned := strings.NewReplacer("created", create, "updated", update)
	var parts []string
	for _, c := range columns {
		if n := c.of(res.Counts); n != 0 || c.main {
			parts = append(parts, fmt.Sprintf("%d %s", n, planned.Replace(c.word)))
		}
	}
	line := fmt.Sprintf("resource %d (%s): %s", res.Index, visible(res.Kind, maxName), strings.Join(parts, ", "))
	if res.Duration > 0 {
		line += " in " + roundDuration(res.Duration)
	}
	switch {
	case !res.Listed:
		line += "; its list was not read"
	case !res.Complete:
		line += "; not everything was read and evaluated"
	}
	return line
}

func (r *Report) blueprintLine(b *Blueprint) string {
	_, _, remove := r.verbs()
	line := fmt.Sprintf("blueprint %s: %d %s", visible(b.Identifier, maxName), b.Deleted, remove)
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
	create, update, remove := r.verbs()
	text := fmt.Sprintf("%d %s, %d %s, %d unchanged, %d %s", t.Created, create, t.Updated, update, t.Unchanged, t.Deleted, remove)
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
