package face

import (
	"cmp"
	"embed"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/diag"
	m "port-bitbucket-exporter/internal/markup"
	"port-bitbucket-exporter/internal/report"
)

//go:embed html/report.css html/report.js
var htmlFiles embed.FS

// HTML is the report as one document for a browser, which loads nothing else. All of it is there
// without the script, which only searches. Long lists are cut, deletions last, and what is left
// out is counted.
func HTML(r *report.Report) []byte {
	p := page{words{r}}
	changes, kept, problems := p.changes(), p.kept(), p.problems()
	sections := []section{
		{"changes", p.changeTitle(), changes},
		{"kept", "Stale entities that stay", kept},
		{"problems", p.problemTitle(), problems},
		{"blueprints", "Blueprints", p.blueprints()},
		{"kinds", "From objects to entities", p.flows()},
		{"time", "Requests over time", p.timeline()},
		{"run", "The run", p.run()},
	}
	if r.Status() != report.Success {
		// Who opens the report of a run that did not go well looks for why.
		sections[0], sections[1], sections[2] = sections[2], sections[0], sections[1]
	}
	var links, body []m.Node
	for _, s := range sections {
		if s.content != (m.Node{}) {
			links = append(links, m.El("li", m.El("a", m.Within(s.id), m.Text(s.title))))
			body = append(body, m.El("section", m.Attr("aria-labelledby", s.id),
				m.El("h2", m.Attr("id", s.id), m.Text(s.title)), s.content))
		}
	}
	var tools m.Node
	if changes != (m.Node{}) || kept != (m.Node{}) || problems != (m.Node{}) {
		tools = p.tools()
	}
	return m.Document(htmlFiles, "html/report.css", "html/report.js", p.title()+" · "+p.headline(), m.All(
		m.El("a", m.Class("skip"), m.Within("main"), m.Text("Skip to the report")),
		m.El("header", p.head(), m.El("nav", m.Attr("aria-label", "Sections"), m.El("ul", links...))),
		m.El("main", m.Attr("id", "main"), tools, m.All(body...)),
		m.El("footer", m.Text(strings.TrimSpace(r.Program.Name+" "+r.Program.Version))),
	))
}

// section is a part of the page; one without content is left out.
type section struct {
	id, title string
	content   m.Node
}

// page puts a report into HTML. Foreign text passes visible, since a character that shows nothing
// hides in HTML as well as elsewhere, and package markup.
type page struct{ words }

func (p page) title() string {
	switch {
	case p.CheckOnly:
		return "Mapping"
	case p.Planned:
		return "Port plan"
	}
	return "Port resync"
}

// headline returns what the run did in numbers, without what is zero.
func (p page) headline() string {
	if p.CheckOnly {
		return cmp.Or(problemCounts(p.Mapping.Problems), "no problem")
	}
	t := p.Totals()
	create, update, remove := p.verbs()
	refused := strings.ToLower(p.planned("Rejected")[0])
	var parts []string
	for _, c := range []struct {
		n    int
		word string
	}{{t.Created, create}, {t.Updated, update}, {t.Deleted, remove}, {t.Rejected, refused}} {
		if c.n > 0 {
			parts = append(parts, digits(int64(c.n))+" "+c.word)
		}
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ", ")
	case p.Planned:
		return "nothing to change"
	}
	return "nothing changed"
}

func problemCounts(problems diag.Problems) string {
	var log diag.Log
	for _, p := range problems {
		log.Note(p)
	}
	return log.CountText()
}

// head is what a person reads who reads nothing else.
func (p page) head() m.Node {
	status := p.Status()
	why := p.reasons()
	return m.All(
		m.El("p", m.Class("kind"), m.Text(p.title()), m.Text(" "), m.El("span", m.Attr("class", "status "+status), m.Text(status))),
		m.El("h1", m.Text(p.headline())),
		when(why != "", m.El("p", m.Attr("class", "why "+status), m.Text(why))),
		when(p.BadInputs, m.El("p", m.Class("why"), m.Text("the inputs are wrong"))),
		p.context(),
		p.tiles(),
	)
}

// when is a node under a condition.
func when(is bool, n m.Node) m.Node {
	if !is {
		return m.Node{}
	}
	return n
}

// context is what the run was about, in terms and their values.
func (p page) context() m.Node {
	var all []m.Node
	add := func(term string, value m.Node) {
		if value != (m.Node{}) {
			all = append(all, m.El("div", m.El("dt", m.Text(term)), m.El("dd", value)))
		}
	}
	add("Workspace", foreign(p.Subject.Workspace, maxName))
	add("Integration", foreign(p.Subject.Integration, maxName))
	for _, f := range []report.File{p.Mapping.File, p.Mapping.Blueprints} {
		term := "Mapping"
		if f == p.Mapping.Blueprints {
			term = "Blueprints"
		}
		if f.Name != "" {
			add(term, link(p.Link(f.Name, 0), foreign(f.Name, maxExample)))
		}
	}
	if !p.Started.IsZero() {
		add("Started", m.Text(p.Started.UTC().Format("2006-01-02 15:04:05 UTC")))
	}
	if p.Duration > 0 {
		add("Took", m.Text(roundDuration(p.Duration)))
	}
	if !p.CheckOnly {
		add("Requests", m.Text(digits(int64(p.BitbucketRequests))+" to Bitbucket, "+digits(int64(p.PortRequests))+" to Port"))
	}
	return m.El("dl", m.Class("context"), m.All(all...))
}

// tiles are the numbers of a run.
func (p page) tiles() m.Node {
	if p.CheckOnly {
		return m.Node{}
	}
	t := p.Totals()
	create, update, remove := p.verbs()
	refused := strings.ToLower(p.planned("Rejected")[0])
	var all []m.Node
	for _, c := range []struct {
		n           int
		class, word string
		always      bool
	}{
		{t.Deleted, "delete", remove, true}, {t.Updated, "update", update, true}, {t.Created, "create", create, true},
		{t.Unchanged, "same", "unchanged", true}, {t.Rejected, "refuse", refused, false}, {t.StaleKept, "keep", "stale, kept", false},
		{t.Failed, "refuse", "objects failed", false},
	} {
		if c.n > 0 || c.always {
			class := c.class
			if c.n == 0 {
				class = "none"
			}
			all = append(all, m.El("div", m.Attr("class", class), m.El("dt", m.Text(c.word)), m.El("dd", m.Text(digits(int64(c.n))))))
		}
	}
	return m.El("dl", m.Class("tiles"), m.All(all...))
}

// foreign is text of others.
func foreign(text string, maxRunes int) m.Node { return m.Text(visible(text, maxRunes)) }

// link is content that leads to a page of the web, where there is one.
func link(address string, content m.Node) m.Node {
	if href := m.Href(address); href != (m.Node{}) && content != (m.Node{}) {
		return m.El("a", href, content)
	}
	return content
}

// linked is text of others in which the addresses of pages are links.
func linked(text string, maxRunes int) m.Node {
	var all []m.Node
	for i, word := range strings.Split(visible(text, maxRunes), " ") {
		if i > 0 {
			all = append(all, m.Text(" "))
		}
		address := strings.TrimRight(word, ".,;:)")
		all = append(all, link(address, m.Text(address)), m.Text(word[len(address):]))
	}
	return m.All(all...)
}

// problemTitle calls notices alone, of which most are as they should be, no problem.
func (p page) problemTitle() string {
	if slices.ContainsFunc(p.toTell(), func(one diag.Problem) bool { return one.Severity != diag.Notice }) {
		return "Problems"
	}
	return "Notices"
}

// toTell are the problems, worst first, and each cause once.
func (p page) toTell() diag.Problems {
	if !p.CheckOnly {
		return p.Causes()
	}
	return slices.SortedStableFunc(slices.Values(p.Mapping.Problems), func(a, b diag.Problem) int { return cmp.Compare(a.Severity, b.Severity) })
}

// problems are what a person should know, worst first; notices, which are often as they should
// be, are folded.
func (p page) problems() m.Node {
	worst := p.toTell()
	var all []m.Node
	for _, s := range []struct {
		severity diag.Severity
		title    string
	}{{diag.Error, "Errors"}, {diag.Warning, "Warnings"}, {diag.Notice, "Notices"}} {
		var list []m.Node
		for _, one := range worst {
			if one.Severity == s.severity {
				list = append(list, p.problem(one))
			}
		}
		if len(list) > 0 {
			g := group{what: s.severity.String(), title: s.title, count: len(list), folded: s.severity == diag.Notice}
			all = append(all, g.node(lists(list, false)))
		}
	}
	return m.All(all...)
}

func (p page) problem(one diag.Problem) m.Node {
	place := Place(one)
	return m.El("li", m.Class("problem"),
		m.El("p", m.Class("message"), foreign(withoutTraces(one.Text()), maxMessage),
			when(one.Count > 1, m.All(m.Text(" "), m.El("span", m.Class("times"), m.Text(digits(int64(one.Count))+" times"))))),
		when(place != "", m.El("p", m.Class("place"), link(p.Link(one.At.File, one.At.Line), m.Text(place)))),
		when(one.Snippet != "", m.El("pre", foreign(strings.TrimSpace(one.Snippet), maxExample))),
		when(one.Fix != "", m.El("p", m.El("b", m.Text("Fix: ")), linked(one.Fix, maxFix))),
		when(one.Example != "", m.El("p", m.Class("example"), m.El("b", m.Text("First example: ")), linked(withoutTraces(one.Example), maxExample))),
	)
}

// run is what else there is to know.
func (p page) run() m.Node {
	if p.CheckOnly {
		return m.Node{}
	}
	var facts []m.Node
	fact := func(text string) {
		if text != "" {
			facts = append(facts, m.El("li", foreign(text, maxMessage)))
		}
	}
	fact(p.kindsText())
	fact(p.Forecast)
	for _, text := range p.Facts {
		fact(text)
	}
	fact(sourcesText(p.Sources))
	for _, text := range memoryLines(p.Report) {
		fact("memory between runs: " + text)
	}
	fact(markdown{p.words}.traces())
	return m.All(p.resources(), when(len(facts) > 0, m.El("ul", m.Class("facts"), m.All(facts...))), p.fallbacks())
}

func (p page) fallbacks() m.Node {
	var list []m.Node
	for _, f := range p.Sources.Fallbacks {
		list = append(list, m.El("li", m.El("code", foreign(f.Repository, maxName)), m.Text(" "), foreign(f.Reason, maxExample)))
	}
	if len(list) == 0 {
		return m.Node{}
	}
	g := group{what: "fallback", title: "Repositories read over REST instead of git", count: len(list), folded: true}
	return g.node(lists(list, false))
}

// at is a time since the start of the run.
func at(d time.Duration) string { return d.Round(time.Second).String() }
