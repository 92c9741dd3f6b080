package face

import (
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/report"
)

// LogLine is one line of the end of a log.
type LogLine struct {
	// Text is the whole line. "-", "~" or "+" begins that of an entity that is deleted, updated or
	// created, "!" that of one that Port would refuse.
	Text string
	// Group is the title of those lines in a row that may be folded away; empty for a line that
	// everybody is to see.
	Group string
}

// Lines are the closing lines of a log: one for each resource, one for each blueprint of which
// something is stale or held back, what a plan would change, deletions first, and the result. A
// line holds no line break and no control character; the platform's own escaping is still due.
func Lines(r *report.Report) []LogLine {
	if r.CheckOnly {
		return plainLines(verdict(r))
	}
	l := lines{words{r}}
	var all []string
	for _, res := range r.Resources {
		all = append(all, l.resourceLine(res))
	}
	for _, b := range r.SortedBlueprints() {
		if b.Deleted > 0 || b.StaleKept > 0 || b.HeldBy != "" {
			all = append(all, l.blueprintLine(b))
		}
	}
	if text := sourcesText(r.Sources); r.Planned && text != "" {
		all = append(append(all, fallbackLines(r.Sources)...), text)
	}
	for _, text := range memoryLines(r) {
		all = append(all, "memory between runs: "+text)
	}
	if text := l.kindsText(); text != "" {
		all = append(all, text)
	}
	for _, fact := range r.Facts {
		all = append(all, visible(fact, maxMessage))
	}
	changes := append(plainLines(all...), l.changeLines()...)
	if r.Forecast != "" {
		changes = append(changes, plainLines(r.Forecast)...)
	}
	return append(changes, plainLines(l.outcome()+": "+l.result()+l.why())...)
}

func plainLines(texts ...string) []LogLine {
	all := make([]LogLine, len(texts))
	for i, text := range texts {
		all[i].Text = text
	}
	return all
}

// Result returns on one line how the run ended and what became of the entities.
func Result(r *report.Report) string {
	w := words{r}
	return w.outcome() + ": " + w.entityResult() + w.why()
}

const (
	// maxChangeLines bounds the updates and the creations in a log. The deletions are complete.
	maxChangeLines = 100
	// openUpdates is how many updates are shown before they are folded.
	openUpdates = 25
	// openRefusals is how many entities are named that Port would refuse for one reason.
	openRefusals = 5
)

type lines struct{ words }

func (l lines) resourceLine(res *report.Resource) string {
	create, update, _ := l.verbs()
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

func (l lines) blueprintLine(b *report.Blueprint) string {
	_, _, remove := l.verbs()
	line := fmt.Sprintf("blueprint %s: %d %s", visible(b.Identifier, maxName), b.Deleted, remove)
	if b.StaleKept > 0 {
		line += fmt.Sprintf(", %d stale kept", b.StaleKept)
	}
	if b.HeldBy != "" {
		line += "; deletion held back: " + visible(b.HeldBy, maxFix)
	}
	return line
}

// changeLines are what a plan would change: the deletions, each update with a line for each
// property, what Port would refuse and, folded, the creations.
func (l lines) changeLines() []LogLine {
	if !l.Planned {
		return nil // the counts of each blueprint say it
	}
	var all []LogLine
	for _, c := range l.changed(catalog.Delete) {
		all = append(all, LogLine{entityLine("-", c), ""})
	}
	updates := l.changed(catalog.Update)
	group := ""
	if len(updates) > openUpdates {
		group = plural(len(updates), "entity") + " to update"
	}
	for _, c := range updates[:min(len(updates), maxChangeLines)] {
		all = append(all, LogLine{entityLine("~", c), group})
		for _, f := range c.Fields {
			from, to := valueTexts(f.From, f.To)
			all = append(all, LogLine{"    " + visible(f.Name, maxName) + ": " + from + " → " + to, group})
		}
	}
	all = append(all, moreChanges(updates, "updates", group)...)
	all = append(all, refusalLines(l.changed(catalog.Refuse))...)
	creations := l.changed(catalog.Create)
	group = plural(len(creations), "entity") + " to create"
	for _, c := range creations[:min(len(creations), maxChangeLines)] {
		all = append(all, LogLine{entityLine("+", c), group})
	}
	return append(all, moreChanges(creations, "creations", group)...)
}

// refusalLines name the first entities that Port would refuse for each reason: the error of that
// reason says what to do about all of them.
func refusalLines(refused []catalog.Change) (all []LogLine) {
	named, left := map[string]int{}, map[string]int{}
	var reasons []string // of those that are left out, in order
	for _, c := range refused {
		if named[c.Why] < openRefusals && len(all) < maxChangeLines {
			named[c.Why]++
			all = append(all, LogLine{entityLine("!", c), ""})
			continue
		}
		if left[c.Why] == 0 {
			reasons = append(reasons, c.Why)
		}
		left[c.Why]++
	}
	for _, why := range reasons[:min(len(reasons), maxChangeLines)] {
		all = append(all, LogLine{fmt.Sprintf("! and %s more, which are in the report file (input report_file): %s", digits(int64(left[why])), visible(why, maxMessage)), ""})
	}
	return all
}

// moreChanges says how many changes have no line.
func moreChanges(changes []catalog.Change, what, group string) []LogLine {
	if len(changes) <= maxChangeLines {
		return nil
	}
	return []LogLine{{fmt.Sprintf("%s more %s are in the report file (input report_file)", digits(int64(len(changes)-maxChangeLines)), what), group}}
}
