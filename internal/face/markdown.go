package face

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/report"
)

// openProblems is how many problems are shown before the rest is folded.
const openProblems = 10

// maxHeadline is the longest cause in a headline, in characters.
const maxHeadline = 160

// part is what can be rendered in so many bytes at most, and is empty where they are too few.
type part interface{ render(limit int) string }

// Markdown is the step summary: a headline with the numbers, or the cause of what went wrong;
// what the run was about; a table of blueprints; the changes, deletions first; what stays, the
// problems and, folded, all else. It is at most limitBytes long: lists are cut between two rows
// and say how many are missing, and the deletions last of all. It is empty when not even the
// headline fits.
func Markdown(r *report.Report, limitBytes int) string {
	if r.CheckOnly {
		return verdictMarkdown(r, limitBytes)
	}
	m := markdown{words{r}}
	head := m.headline()
	if len(head) > limitBytes {
		return ""
	}
	if about := m.about(); len(head)+len(about) <= limitBytes {
		head += about
	}
	problems, changes := []part{m.problemTable()}, []part{m.deletions(), m.updates(), m.refusals(), m.creations(), m.kept()}
	parts := append(append([]part{m.blueprintTable()}, changes...), problems...)
	if r.Status() != report.Success && !r.Planned { // then one looks for why
		parts = append(append([]part{m.blueprintTable()}, problems...), changes...)
	}
	parts = append(parts, m.notices(), m.details(), m.fallbackTable())
	return head + fit(parts, limitBytes-len(head))
}

// fit renders parts in a number of bytes: each is sure of a share, the largest of all the
// deletions, and takes what the others leave, the deletions first and then the problems.
func fit(parts []part, limit int) string {
	texts, used := make([]string, len(parts)), 0
	share := func(p part) int {
		if rankOf(p) == 0 {
			return limit / 2
		}
		return limit / (2 * len(parts))
	}
	for i, p := range parts {
		texts[i] = p.render(share(p))
		used += len(texts[i])
	}
	for rank := range 3 {
		for i, p := range parts {
			if rankOf(p) == rank {
				used -= len(texts[i])
				texts[i] = p.render(limit - used)
				used += len(texts[i])
			}
		}
	}
	return strings.Join(texts, "")
}

// rankOf is in which turn a part takes what the others leave.
func rankOf(p part) int {
	switch p := p.(type) {
	case block:
		if p.first {
			return 0
		}
	case table:
		if p.urgent {
			return 1
		}
	}
	return 2
}

func (m markdown) headline() string {
	name := "resync"
	if m.Planned {
		name = "plan"
	}
	status := m.Status()
	if status == report.Success {
		return fmt.Sprintf("## Port %s: %s\n", name, m.numbers())
	}
	text := fmt.Sprintf("## Port %s %s: %s\n", name, status, cell(m.reasons(), maxHeadline))
	if status == report.Partial {
		text += "\n**" + strings.ToUpper(m.numbers()[:1]) + m.numbers()[1:] + "**\n"
	}
	return text
}

// numbers are those that a person looks for first: what was created, updated and deleted, and
// what should have been and was not.
func (m markdown) numbers() string {
	t := m.Totals()
	create, update, remove := m.verbs()
	text := fmt.Sprintf("%s %s, %s %s, %s %s", digits(int64(t.Created)), create, digits(int64(t.Updated)), update, digits(int64(t.Deleted)), remove)
	for _, n := range []struct {
		n    int
		word string
	}{{t.Rejected, m.rejected()}, {t.StaleKept, "stale kept"}, {t.Failed, "failed"}} {
		if n.n > 0 {
			text += fmt.Sprintf(", %s %s", digits(int64(n.n)), n.word)
		}
	}
	return text
}

func (m markdown) rejected() string {
	if m.Planned {
		return "refused"
	}
	return "rejected"
}

// about says on a line what the run was about, and what it cost.
func (m markdown) about() string {
	var all []string
	if m.Subject.Workspace != "" || m.Subject.Integration != "" {
		all = append(all, cell(cmp.Or(m.Subject.Workspace, "?"), maxName)+" → "+cell(cmp.Or(m.Subject.Integration, "?"), maxName))
	}
	for _, f := range []struct {
		what string
		report.File
	}{{"mapping", m.Mapping.File}, {"blueprints", m.Mapping.Blueprints}} {
		if f.Name != "" {
			all = append(all, f.what+" "+mdLink(f.Name, m.Link(f.Name, 0), maxName))
		}
	}
	text := "\n" + strings.Join(append(all, m.requests(), roundDuration(m.Duration)), " · ") + "\n"
	if kinds := m.kindsText(); kinds != "" {
		text += "\nThis run is " + cell(kinds, maxMessage) + ".\n"
	}
	return text
}

// requests are those that the run made, and how many it may make.
func (m markdown) requests() string {
	text := digits(int64(m.BitbucketRequests)) + " requests to Bitbucket"
	if a := m.Allowance; a.Each > 0 && a.Credentials > 0 {
		window := "in " + ageText(a.Window)
		if a.Window == time.Hour {
			window = "an hour"
		}
		text += fmt.Sprintf(" of %s %s", digits(int64(a.Each*a.Credentials)), window)
	}
	if m.Sources.Requests > 0 {
		text += ", " + digits(int64(m.Sources.Requests)) + " to its git host"
	}
	return text + ", " + digits(int64(m.PortRequests)) + " to Port"
}

// blueprintTable is what became of the entities of each blueprint. What did not happen is blank.
func (m markdown) blueprintTable() table {
	sorted := m.SortedBlueprints()
	create, update, remove := m.verbs()
	title := func(s string) string { return strings.ToUpper(s[:1]) + s[1:] + ">" }
	t := table{
		title: "\n",
		heads: []string{"Blueprint", title(create), title(update), title(remove), "Else"},
		rows:  len(sorted),
	}
	t.row = func(i int) []string { return m.blueprintRow(cell(sorted[i].Identifier, maxName), *sorted[i]) }
	all := m.Totals()
	sum := report.Blueprint{
		Created: all.Created, Updated: all.Updated, Unchanged: all.Unchanged, Rejected: all.Rejected, Deleted: all.Deleted, StaleKept: all.StaleKept,
	}
	if len(sorted) > 1 || len(sorted) == 1 && all.Rejected != sorted[0].Rejected { // some have no blueprint
		t.foot = m.blueprintRow("Total", sum)
	}
	return t
}

func (m markdown) blueprintRow(name string, b report.Blueprint) []string {
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return digits(int64(n))
	}
	var others []string
	for _, n := range []struct {
		n    int
		word string
	}{{b.Unchanged, "unchanged"}, {b.Rejected, m.rejected()}, {b.StaleKept, "stale kept"}} {
		if n.n > 0 {
			others = append(others, digits(int64(n.n))+" "+n.word)
		}
	}
	return []string{name, number(b.Created), number(b.Updated), number(b.Deleted), strings.Join(others, ", ")}
}

// notes is a folded list of texts.
type notes struct {
	summary string
	texts   []string // in Markdown, one line each
}

func (n notes) render(limit int) string {
	head, tail := "\n<details><summary>"+n.summary+"</summary>\n\n", "\n</details>\n"
	text := ""
	for _, one := range n.texts {
		if line := "- " + one + "\n"; len(head)+len(text)+len(line)+len(tail) <= limit {
			text += line
		}
	}
	if text == "" {
		return ""
	}
	return head + text + tail
}

// details are all else that there is to know of a run.
func (m markdown) details() notes {
	var all []string
	l := lines(m)
	for _, res := range m.Resources {
		all = append(all, cell(l.resourceLine(res), maxMessage))
	}
	for _, text := range memoryLines(m.Report) {
		all = append(all, cell("memory between runs: "+text, maxMessage))
	}
	facts := m.Facts
	if read := sourcesText(m.Sources); m.Planned && read != "" || m.Sources.Reader == report.Git {
		facts = append([]string{read}, facts...)
	}
	for _, fact := range facts {
		all = append(all, cell(fact, maxMessage))
	}
	if m.Forecast != "" {
		all = append(all, cell(m.Forecast, maxMessage))
	}
	if traces := m.traces(); traces != "" {
		all = append(all, cell(traces, maxMessage))
	}
	return notes{"Resources, requests and times", all}
}
