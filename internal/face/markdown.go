package face

import (
	"fmt"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/report"
)

// openProblems is how many problems are shown before the rest is folded.
const openProblems = 10

// Markdown is the step summary: a headline, a table of resources, one of blueprints
// and one of problems, worst first. It is at most limitBytes long: tables are cut by
// whole rows and say how many are missing. It is empty when not even the headline fits.
func Markdown(r *report.Report, limitBytes int) string {
	if r.CheckOnly {
		return verdictMarkdown(r, limitBytes)
	}
	m := markdown{words{r}}
	head := m.headline()
	if memory := m.memoryMarkdown(); len(head)+len(memory) <= limitBytes {
		head += memory
	}
	if len(head) > limitBytes {
		return ""
	}
	// Every table is sure of a share; then each takes what the others left over.
	left := limitBytes - len(head)
	resources, blueprints, changes, problems := m.resourceTable(), m.blueprintTable(), m.changeTable(), m.problemTable()
	var fallbacks table // of a sync the problems have them
	if m.Planned {
		fallbacks = m.fallbackTable()
	}
	p := problems.render(left / 3)
	b := blueprints.render(left / 4)
	c := changes.render(left / 4)
	f := fallbacks.render(left / 12)
	res := resources.render(left - len(p) - len(b) - len(c) - len(f))
	b = blueprints.render(left - len(p) - len(res) - len(c) - len(f))
	c = changes.render(left - len(p) - len(res) - len(b) - len(f))
	f = fallbacks.render(left - len(p) - len(res) - len(b) - len(c))
	p = problems.render(left - len(b) - len(res) - len(c) - len(f))
	return head + res + b + c + f + p
}

type markdown struct{ words }

func (m markdown) headline() string {
	t := m.Total()
	name := "resync"
	if m.Planned {
		name = "plan"
	}
	text := fmt.Sprintf("## Port %s: %s\n\n%s extracted", name, m.Status(), plural(t.Extracted, "object"))
	if t.Failed != 0 {
		text += fmt.Sprintf(", %d failed", t.Failed)
	}
	text += fmt.Sprintf("; entities: %s %s.\n", m.entityResult(), m.cost())
	if kinds := m.kindsText(); kinds != "" {
		text += "\nThis run is " + cell(kinds, maxMessage) + ".\n"
	}
	if m.Forecast != "" {
		text += "\n" + cell(m.Forecast, maxMessage) + "\n"
	}
	facts := m.Facts
	if read := sourcesText(m.Sources); m.Planned && read != "" || m.Sources.Reader == report.Git {
		facts = append([]string{read}, facts...)
	}
	for i, fact := range facts {
		text += strings.Repeat("\n", 1-min(i, 1)) + "- " + cell(fact, maxMessage) + "\n"
	}
	if reasons := m.reasons(); reasons != "" {
		text += "\nWhy " + m.Status() + ": " + reasons + ".\n"
	}
	return text
}

// memoryMarkdown is the section of the summary on the memory; empty when there is none.
func (m markdown) memoryMarkdown() string {
	all := memoryLines(m.Report)
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n### Memory between runs\n\n")
	for _, text := range all {
		b.WriteString("- " + cell(text, maxMessage) + "\n")
	}
	return b.String()
}

func (m markdown) resourceTable() table {
	total := m.Total()
	t := table{
		title: "\n### Resources\n\n",
		heads: []string{"Resource>", "Kind", "Blueprints"},
		rows:  len(m.Resources),
	}
	for _, c := range columns {
		t.heads = append(t.heads, c.head+">")
	}
	t.heads = m.planned(append(t.heads, "Complete")...)
	t.row = func(i int) []string {
		res := m.Resources[i]
		cells := []string{strconv.Itoa(res.Index), cell(res.Kind, maxName), blueprintCell(res.Blueprints)}
		for _, c := range columns {
			cells = append(cells, strconv.Itoa(c.of(res.Counts)))
		}
		return append(cells, completeCell(res))
	}
	if len(m.Resources) > 1 {
		t.foot = []string{"", "Total", ""}
		for _, c := range columns {
			t.foot = append(t.foot, strconv.Itoa(c.of(total)))
		}
		t.foot = append(t.foot, "")
	}
	return t
}

// planned puts the words of a plan into the heads of a table.
func (m markdown) planned(heads ...string) []string {
	if m.Planned {
		words := strings.NewReplacer("Created", "To create", "Updated", "To update", "Deleted", "To delete", "Rejected", "Refused")
		for i, head := range heads {
			heads[i] = words.Replace(head)
		}
	}
	return heads
}

// blueprintCell names a few: an expression can give any number of blueprints.
func blueprintCell(identifiers []string) string {
	const most = 5
	var cells []string
	for i, id := range identifiers {
		if i == most {
			cells = append(cells, fmt.Sprintf("and %d more", len(identifiers)-most))
			break
		}
		cells = append(cells, cell(id, maxName))
	}
	return strings.Join(cells, ", ")
}

func completeCell(r *report.Resource) string {
	switch {
	case !r.Listed:
		return "not listed"
	case !r.Complete:
		return "no"
	}
	return "yes"
}

func (m markdown) blueprintTable() table {
	sorted := m.SortedBlueprints()
	return table{
		title: "\n### Blueprints\n\n",
		heads: m.planned("Blueprint", "Created>", "Updated>", "Unchanged>", "Rejected>", "Deleted>", "Stale kept>", "Deletion held back"),
		rows:  len(sorted),
		row: func(i int) []string {
			b := sorted[i]
			cells := []string{cell(b.Identifier, maxName)}
			for _, n := range []int{b.Created, b.Updated, b.Unchanged, b.Rejected, b.Deleted, b.StaleKept} {
				cells = append(cells, strconv.Itoa(n))
			}
			return append(cells, cell(b.HeldBy, maxFix))
		},
	}
}

func (m markdown) problemTable() table {
	worst := m.Worst()
	return table{
		title: "\n### Problems: " + m.CountText() + "\n\n",
		heads: []string{"Severity", "Where", "Problem", "Times>", "First example", "Fix"},
		rows:  len(worst),
		fold:  openProblems,
		row: func(i int) []string {
			p := worst[i]
			where := ""
			if at := p.At; at.File != "" {
				at.File = cell(at.File, maxExample)
				where = at.String()
			}
			return []string{
				cell(p.Severity.String(), maxName),
				where,
				cell(p.Text(), maxMessage),
				strconv.Itoa(p.Count),
				cell(p.Example, maxExample),
				cell(p.Fix, maxFix),
			}
		},
	}
}

// table is a Markdown table whose rows are made only as far as they fit.
type table struct {
	title string   // what stands above
	heads []string // a trailing ">" aligns the column to the right
	rows  int
	row   func(i int) []string
	foot  []string // last row, never cut; may be nil
	fold  int      // so many rows are shown, the others folded; 0 folds none
}

// render is at most limit bytes long, and empty when there is no row.
func (t table) render(limit int) string {
	if t.rows == 0 {
		return ""
	}
	var rows []string
	fits, size := 0, 0
	for i := 0; i < t.rows; i++ {
		rows = append(rows, line(t.row(i)))
		if size += len(rows[i]); size > limit {
			break
		}
		if len(t.frame(nil, i+1))+size <= limit {
			fits = i + 1
		}
	}
	text := t.frame(rows, fits)
	if len(text) > limit {
		return ""
	}
	return text
}

// frame is the table with the first n rows, or what stands around them when rows is
// nil.
func (t table) frame(rows []string, n int) string {
	var b strings.Builder
	b.WriteString(t.title)
	shown := n
	if t.fold > 0 {
		shown = min(n, t.fold)
	}
	if n > 0 {
		t.part(&b, rows, 0, shown)
	}
	if n > shown {
		fmt.Fprintf(&b, "\n<details><summary>%d more</summary>\n\n", n-shown)
		t.part(&b, rows, shown, n)
		b.WriteString("\n</details>\n")
	}
	if n < t.rows {
		if n > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%d more in the report file (input `report_file`).\n", t.rows-n)
	}
	return b.String()
}

func (t table) part(b *strings.Builder, rows []string, from, to int) {
	heads, rules := make([]string, len(t.heads)), make([]string, len(t.heads))
	for i, head := range t.heads {
		name, right := strings.CutSuffix(head, ">")
		heads[i], rules[i] = name, "---"
		if right {
			rules[i] = "---:"
		}
	}
	b.WriteString(line(heads) + line(rules))
	if rows != nil {
		b.WriteString(strings.Join(rows[from:to], ""))
	}
	if t.foot != nil {
		b.WriteString(line(t.foot))
	}
}

func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func (m markdown) changeTable() table {
	changes := "Changes"
	if !m.Planned {
		changes = "Deleted"
	}
	return table{
		title: fmt.Sprintf("\n### %s: %d\n\n", changes, len(m.Changes)),
		heads: []string{"Action", "Blueprint", "Entity", "What changes"},
		rows:  len(m.Changes),
		fold:  openProblems,
		row: func(i int) []string {
			c := m.Changes[i]
			what := ""
			switch {
			case c.Why != "":
				what = c.Why
			case c.Action == catalog.Update:
				what = fieldsText(c, maxMessage)
			}
			return []string{string(c.Action), cell(c.Ref.Blueprint, maxName), cell(c.Ref.Identifier, maxExample), cell(what, maxMessage)}
		},
	}
}
