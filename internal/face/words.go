package face

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// The longest foreign texts in a line or a cell, in characters.
const (
	maxMessage = 500
	maxCause   = 240
	maxFix     = 300
	maxExample = 200
	maxName    = 100
	maxValue   = 80 // of what changes
)

// column is one count of a resource in a form for people.
type column struct {
	head string // of a table
	word string // after the number, in a line
	main bool   // shown even when 0
	of   func(report.Counts) int
}

// columns are in the order of the two equations of Counts.
var columns = []column{
	{"Extracted", "extracted", true, func(c report.Counts) int { return c.Extracted }},
	{"Filtered", "filtered", false, func(c report.Counts) int { return c.Filtered }},
	{"Skipped", "skipped", false, func(c report.Counts) int { return c.Skipped }},
	{"Failed", "failed", false, func(c report.Counts) int { return c.Failed }},
	{"Transformed", "transformed", true, func(c report.Counts) int { return c.Transformed }},
	{"Created", "created", true, func(c report.Counts) int { return c.Created }},
	{"Updated", "updated", true, func(c report.Counts) int { return c.Updated }},
	{"Unchanged", "unchanged", true, func(c report.Counts) int { return c.Unchanged }},
	{"Rejected", "rejected", false, func(c report.Counts) int { return c.Rejected }},
	{"Merged", "merged", false, func(c report.Counts) int { return c.Merged }},
}

// words puts a report into the words that all forms for people share.
type words struct{ *report.Report }

// markdown puts a report into Markdown.
type markdown struct{ words }

// kindsText says that the run was one of some kinds; empty when all ran.
func (w words) kindsText() string {
	if w.Idle == 0 {
		return ""
	}
	return fmt.Sprintf("only of kind %s, by the input kinds: %s of the mapping did not run, and nothing of it is read or deleted",
		strings.Join(w.Kinds, ", "), plural(w.Idle, "resource"))
}

// verbs returns those of a plan, or of what was done.
func (w words) verbs() (create, update, remove string) {
	if w.Planned {
		return "to create", "to update", "to delete"
	}
	return "created", "updated", "deleted"
}

// outcome returns the status, with "plan" before that of a plan.
func (w words) outcome() string {
	if w.Planned {
		return "plan: " + w.Status()
	}
	return w.Status()
}

func (w words) why() string {
	if reasons := w.reasons(); reasons != "" {
		return "; why: " + reasons
	}
	return ""
}

// reasons returns why the run is not a full success, the cause first; empty when it is one.
func (w words) reasons() string {
	if w.Status() == report.Success {
		return ""
	}
	var all []string
	if w.Has(report.TimeLimit) {
		all = append(all, "the time limit was reached")
	}
	worst := w.Causes().Errors()
	more := len(worst) - 1
	switch {
	case w.Failure != "":
		all = append(all, short(w.Failure))
	case len(worst) > 0:
		all = append(all, short(worst[0].Brief()))
	}
	if len(all) > 0 && more > 0 {
		all = append(all, "and "+plural(more, "more error"))
	}
	if len(all) == 0 {
		for _, c := range causeWords {
			if w.Has(c.cause) {
				all = append(all, c.words)
			}
		}
	}
	return strings.Join(all, "; ")
}

// short returns a message without what can be done about it, and what support asks for.
func short(message string) string {
	what, _, _ := strings.Cut(withoutTraces(message), "; ")
	return visible(strings.TrimSuffix(what, "."), maxCause)
}

var causeWords = []struct {
	cause report.Cause
	words string
}{
	{report.Fatal, "the run as a whole failed"},
	{report.Unread, "not everything was read from Bitbucket"},
	{report.NotAsked, "not everything was asked for, since max_requests was reached"},
	{report.Undelivered, "not everything was delivered to Port"},
	{report.FailedSelector, "a selector raised an error or gave no boolean"},
	{report.FailedExpression, "an identifier or blueprint expression raised an error"},
	{report.RejectedEntity, "entities were rejected"},
}

// result returns what the run did, without a full stop.
func (w words) result() string {
	if w.Status() == "failed" && w.BitbucketRequests+w.Sources.Requests+w.PortRequests == 0 {
		return "no request was sent"
	}
	text := w.entityResult()
	if failed := w.Total().Failed; failed != 0 {
		text += ", " + plural(failed, "object") + " failed"
	}
	return text + " " + w.cost()
}

func (w words) entityResult() string {
	t := w.Totals()
	if w.Status() == "failed" && t == (report.Totals{}) {
		return "no entity was written"
	}
	create, update, remove := w.verbs()
	text := fmt.Sprintf("%d %s, %d %s, %d unchanged, %d %s", t.Created, create, t.Updated, update, t.Unchanged, t.Deleted, remove)
	if t.Rejected != 0 {
		text += fmt.Sprintf(", %d rejected", t.Rejected)
	}
	if t.StaleKept != 0 {
		text += fmt.Sprintf(", %d stale kept", t.StaleKept)
	}
	return text
}

func (w words) cost() string {
	git := ""
	if w.Sources.Requests > 0 {
		git = fmt.Sprintf(", %d to its git host", w.Sources.Requests)
	}
	return fmt.Sprintf("in %s with %s to Bitbucket%s and %d to Port",
		roundDuration(w.Duration), plural(w.BitbucketRequests, "request"), git, w.PortRequests)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, is := strings.CutSuffix(noun, "y"); is {
		noun = stem + "ie"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func roundDuration(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

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
	b.WriteString(visible(p.Text(), maxMessage) + often(p))
	if p.Fix != "" {
		b.WriteString("; fix: " + visible(p.Fix, maxFix))
	}
	return b.String()
}

// often returns how often a problem was met, and the first example, in parentheses.
func often(p diag.Problem) string {
	example := visible(p.Example, maxExample)
	switch {
	case p.Count > 1 && example != "":
		return fmt.Sprintf(" (%d times, first: %s)", p.Count, example)
	case p.Count > 1:
		return fmt.Sprintf(" (%d times)", p.Count)
	case example != "":
		return fmt.Sprintf(" (once: %s)", example)
	}
	return ""
}

// planned puts the words of a plan into the heads of a table.
func (w words) planned(heads ...string) []string {
	if w.Planned {
		words := strings.NewReplacer("Created", "To create", "Updated", "To update", "Deleted", "To delete", "Rejected", "Refused")
		for i, head := range heads {
			heads[i] = words.Replace(head)
		}
	}
	return heads
}

// trace is what only Port's support asks for.
var trace = regexp.MustCompile(` ?\(x-trace-id ([^()\s]+)\)`)

func withoutTraces(text string) string { return trace.ReplaceAllString(text, "") }

// digits writes a number that is not negative with a comma before each three digits.
func digits(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
