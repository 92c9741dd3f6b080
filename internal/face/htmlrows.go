package face

import (
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	m "port-bitbucket-exporter/internal/markup"
	"port-bitbucket-exporter/internal/report"
)

// maxRowBytes bounds the rows of changes in a page, in bytes: so many a browser searches without
// a pause. It is about 100,000 deletions.
const maxRowBytes = 8 << 20

// maxPageValue is the longest value of a change that a page shows, in characters.
const maxPageValue = 400

// pageContext is how many characters are shown before and after those that differ.
const pageContext = 80

// chunk is how many rows a list holds: a browser lays out only lists that are seen.
const chunk = 50

// group is a part of the page that is searched as one, and folded.
type group struct {
	what   string // of all its rows: an action, a severity
	title  string
	count  int
	folded bool
}

func (g group) node(content m.Node) m.Node {
	return m.El("details", m.Class("group"), m.Attr("data-what", g.what), when(!g.folded, m.Flag("open")),
		m.El("summary", m.El("h3", m.Text(g.title), m.Text(" "), m.El("span", m.Class("count"), m.Text(digits(int64(g.count)))))), content)
}

// lists are rows in lists of bounded length; names are rows of one name each.
func lists(rows []m.Node, names bool) m.Node {
	var all []m.Node
	for some := range slices.Chunk(rows, chunk) {
		class := "rows"
		if len(some) == chunk {
			class += " long" // a browser guesses its height
		}
		if names {
			class += " names"
		}
		all = append(all, m.El("ul", m.Attr("class", class), m.All(some...)))
	}
	return m.All(all...)
}

// tools are for the script, which shows them.
func (p page) tools() m.Node {
	options := []m.Node{m.El("option", m.Attr("value", ""), m.Text("Everything"))}
	for _, o := range []struct{ what, word string }{
		{"delete", "Deletions"}, {"refuse", "Refusals"}, {"update", "Updates"}, {"create", "Creations"}, {"keep", "Stale, kept"},
		{"error", "Errors"}, {"warning", "Warnings"}, {"notice", "Notices"},
	} {
		options = append(options, m.El("option", m.Attr("value", o.what), m.Text(o.word)))
	}
	return m.El("div", m.Attr("id", "tools"), m.Attr("role", "search"), m.Flag("hidden"),
		m.El("label", m.Attr("for", "find"), m.Text("Search")),
		m.El("input", m.Attr("id", "find"), m.Attr("type", "search"), m.Attr("autocomplete", "off"), m.Attr("spellcheck", "false"),
			m.Attr("placeholder", "entity, property, message")),
		m.El("label", m.Attr("for", "what"), m.Text("Show")),
		m.El("select", m.Attr("id", "what"), m.All(options...)),
		m.El("p", m.Attr("id", "found"), m.Attr("role", "status")),
	)
}

func (p page) changeTitle() string {
	if p.Planned {
		return "Changes"
	}
	return "Deleted entities"
}

// actions are in the order in which a person must know them.
var actions = []struct {
	action      catalog.Action
	mark        string
	plan, after string
	folded      bool
}{
	{catalog.Delete, "−", "To delete", "Deleted", false},
	{catalog.Refuse, "!", "Port would refuse", "Refused", false},
	{catalog.Update, "~", "To update", "Updated", false},
	{catalog.Create, "+", "To create", "Created", true},
}

// changes are the entities that change, by action and blueprint, deletions first.
func (p page) changes() m.Node {
	var all []m.Node
	left := maxRowBytes
	for _, a := range actions {
		g := group{what: string(a.action), title: a.plan, folded: a.folded}
		if !p.Planned {
			g.title = a.after
		}
		of := p.changed(a.action)
		if g.count = len(of); a.action == catalog.Delete {
			g.count = max(g.count, p.Totals().Deleted) // of very many a sync names the first
		}
		rows := entities{left: &left}
		for _, c := range of {
			rows.add(c.Ref, func() m.Node { return m.All(reason(c.Why), fields(c)) })
		}
		if g.count > 0 {
			all = append(all, g.node(rows.node(g.count)))
		}
	}
	return m.All(all...)
}

// entities are rows of entities, a list for each blueprint, as long as there is room.
type entities struct {
	left       *int // bytes
	blueprints []string
	rows       map[string][]m.Node
	shown      int
	more       bool // than names
}

func (e *entities) add(ref catalog.Ref, about func() m.Node) {
	if *e.left <= 0 {
		return
	}
	more := about()
	row := m.El("li", m.El("code", m.Class("id"), foreign(ref.Identifier, maxExample)), more)
	if *e.left -= row.Len(); *e.left < 0 {
		return
	}
	if e.rows == nil {
		e.rows = map[string][]m.Node{}
	}
	if e.rows[ref.Blueprint] == nil {
		e.blueprints = append(e.blueprints, ref.Blueprint)
	}
	e.rows[ref.Blueprint] = append(e.rows[ref.Blueprint], row)
	e.shown++
	e.more = e.more || more != (m.Node{})
}

// node is all rows, and how many of so many are missing.
func (e *entities) node(of int) m.Node {
	var all []m.Node
	for _, b := range e.blueprints {
		all = append(all, m.El("div", m.Class("of"), m.El("h4", foreign(b, maxName), m.Text(" "),
			m.El("span", m.Class("count"), m.Text(digits(int64(len(e.rows[b])))))), lists(e.rows[b], !e.more)))
	}
	if missing := of - e.shown; missing > 0 {
		all = append(all, m.El("p", m.Class("missing"), m.Text(digits(int64(missing))+" more are not shown here.")))
	}
	return m.All(all...)
}

func reason(why string) m.Node {
	return when(why != "", m.All(m.Text(" "), m.El("span", m.Class("reason"), foreign(why, maxMessage))))
}

// fields are what changes of an entity, property by property.
func fields(c catalog.Change) m.Node {
	if len(c.Fields) == 0 || c.Action == catalog.Delete {
		return m.Node{}
	}
	var all []m.Node
	for _, f := range c.Fields {
		from, to := values(f.From, f.To)
		change := m.El("ins", to)
		if c.Action == catalog.Update || f.From != nil {
			change = m.All(m.El("del", from), m.Text(" "), change)
		}
		all = append(all, m.El("div", m.El("dt", foreign(f.Name, maxName)), m.El("dd", change)))
	}
	return m.El("dl", m.Class("fields"), m.All(all...))
}

// values are an old and a new value: text as it is, all else as JSON. Where they have much in
// common, what differs is marked; of long ones all else is cut.
func values(from, to any) (old, new m.Node) {
	if from == nil || to == nil {
		return value(from, 0, 0), value(to, 0, 0)
	}
	a, b := []rune(pageText(from)), []rune(pageText(to))
	shorter := min(len(a), len(b))
	begin, end := 0, 0
	for begin < shorter && a[begin] == b[begin] {
		begin++
	}
	for end < shorter-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	if 2*(begin+end) < shorter && max(len(a), len(b)) <= maxPageValue {
		begin, end = 0, 0
	}
	return value(from, begin, end), value(to, begin, end)
}

func pageText(v any) string {
	if text, is := v.(string); is {
		return text
	}
	return string(encode(v))
}

// value is one value, of which so many characters at the beginning and at the end are as in the
// other.
func value(v any, begin, end int) m.Node {
	if v == nil {
		return m.El("i", m.Text("none"))
	}
	text := []rune(pageText(v))
	switch {
	case len(text) == 0:
		return m.El("i", m.Text("empty"))
	case begin+end == 0:
		return foreign(string(text), maxPageValue)
	}
	before, differs, after := string(text[max(0, begin-pageContext):begin]), string(text[begin:len(text)-end]), string(text[len(text)-end:])
	if begin > pageContext {
		before = "…" + before
	}
	return m.All(foreign(before, maxPageValue), when(differs != "", m.El("b", foreign(differs, maxPageValue))), foreign(after, pageContext))
}

// kept are the stale entities that were not deleted, and why.
func (p page) kept() m.Node {
	var all []m.Node
	held := map[string]string{}
	for _, b := range p.SortedBlueprints() {
		held[b.Identifier] = b.HeldBy
		if b.HeldBy != "" || b.StaleKept > 0 {
			all = append(all, m.El("li", m.El("b", foreign(b.Identifier, maxName)), m.Text(": "),
				m.Text(grouped(b.StaleKept, "stale entity", "stale entities")), when(b.HeldBy != "", m.Text(", held back:")), reason(b.HeldBy)))
		}
	}
	if len(all) == 0 && len(p.Kept) == 0 {
		return m.Node{}
	}
	left := maxRowBytes
	rows := entities{left: &left}
	for _, k := range p.Kept {
		rows.add(k.Ref, func() m.Node { return when(k.Why != held[k.Ref.Blueprint], reason(k.Why)) })
	}
	g := group{what: "keep", title: "By name", count: len(p.Kept)}
	return m.All(m.El("ul", m.Class("facts"), m.All(all...)), when(len(p.Kept) > 0, g.node(rows.node(max(p.Totals().StaleKept, len(p.Kept))))))
}

// grid is a table whose rows have a name. A column without a value is left out.
type grid struct {
	caption string
	heads   []string // a trailing ">" aligns the column to the right
	keep    int      // so many columns after the name are shown in any case
	rows    []gridRow
}

type gridRow struct {
	name   m.Node
	values []string
}

func (g grid) node() m.Node {
	shown := func(i int) bool {
		return i < g.keep || slices.ContainsFunc(g.rows, func(r gridRow) bool { return r.values[i] != "" })
	}
	heads := []m.Node{m.El("th", m.Attr("scope", "col"), m.Text(g.heads[0]))}
	rows := make([][]m.Node, len(g.rows))
	for i, r := range g.rows {
		rows[i] = []m.Node{m.El("th", m.Attr("scope", "row"), r.name)}
	}
	for i, head := range g.heads[1:] {
		if !shown(i) {
			continue
		}
		head, right := strings.CutSuffix(head, ">")
		class := when(right, m.Class("n"))
		heads = append(heads, m.El("th", m.Attr("scope", "col"), class, m.Text(head)))
		for j, r := range g.rows {
			rows[j] = append(rows[j], m.El("td", class, m.Attr("data-head", head), m.Text(r.values[i])))
		}
	}
	var body []m.Node
	for _, r := range rows {
		body = append(body, m.El("tr", r...))
	}
	return when(len(rows) > 0, m.El("table", m.El("caption", m.Text(g.caption)), m.El("thead", m.El("tr", heads...)), m.El("tbody", body...)))
}

// count is a number in a table, of which zeros would hide the others.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return digits(int64(n))
}

// blueprints are the counts of each.
func (p page) blueprints() m.Node {
	g := grid{caption: "Entities of each blueprint", keep: 4, heads: p.planned("Blueprint", "Deleted>", "Updated>", "Created>", "Unchanged>", "Rejected>", "Stale, kept>")}
	for _, b := range p.SortedBlueprints() {
		row := gridRow{name: foreign(b.Identifier, maxName)}
		for _, n := range []int{b.Deleted, b.Updated, b.Created, b.Unchanged, b.Rejected, b.StaleKept} {
			row.values = append(row.values, count(n))
		}
		g.rows = append(g.rows, row)
	}
	return g.node()
}

// resources are what became of each.
func (p page) resources() m.Node {
	g := grid{caption: "Resources of the mapping", keep: 5, heads: []string{"Resource", "Extracted>", "Left out", "Transformed>", "Became", "Read"}}
	for _, res := range p.Resources {
		name := m.All(m.Text(strconv.Itoa(res.Index)+" "), foreign(res.Kind, maxName), m.El("small", foreign(strings.Join(res.Blueprints, ", "), maxExample)))
		out, became := p.streams(res.Counts)
		g.rows = append(g.rows, gridRow{name, []string{count(res.Extracted), listed(out[1:]), count(res.Transformed), listed(became), readText(res)}})
	}
	return g.node()
}

// readText says how much of a resource was read, and how long that took.
func readText(r *report.Resource) string {
	text := "completely"
	switch {
	case !r.Listed:
		text = "its list was not read"
	case !r.Complete:
		text = "not completely"
	}
	if r.Duration > 0 {
		text += ", in " + roundDuration(r.Duration)
	}
	return text
}
