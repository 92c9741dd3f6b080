package face

import (
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/report"
)

// Lines are the closing lines of a log: one for each resource, one for each blueprint
// of which something is stale or held back, and the result. A line holds no line break
// and no control character; the platform's own escaping is still due.
func Lines(r *report.Report) []string {
	if r.CheckOnly {
		return []string{verdict(r)}
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
	all = append(all, l.changeLines()...)
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
	if r.Forecast != "" {
		all = append(all, r.Forecast)
	}
	return append(all, l.outcome()+": "+l.result()+l.why())
}

// Result returns on one line how the run ended and what became of the entities.
func Result(r *report.Report) string {
	w := words{r}
	return w.outcome() + ": " + w.entityResult() + w.why()
}

// maxChangeLines bounds the changes in a log, which is read from its end.
const maxChangeLines = 100

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

func changeLine(c catalog.Change) string {
	line := string(c.Action) + " " + visible(c.Ref.Blueprint, maxName) + "/" + visible(c.Ref.Identifier, maxExample)
	if c.Action == catalog.Update || c.Action == catalog.Refuse {
		if text := fieldsText(c, maxMessage); text != "" {
			line += ": " + text
		}
	}
	if c.Why != "" {
		line += ": " + visible(c.Why, maxMessage)
	}
	return line
}

// changeLines are one for each change, as far as a log bears them.
func (l lines) changeLines() []string {
	var all []string
	if !l.Planned {
		return nil // the counts of each blueprint say it
	}
	for i, c := range l.Changes {
		if i == maxChangeLines {
			all = append(all, fmt.Sprintf("%d more changes are in the report file (input report_file)", len(l.Changes)-i))
			break
		}
		all = append(all, changeLine(c))
	}
	return all
}
