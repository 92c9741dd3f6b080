package face

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	m "port-bitbucket-exporter/internal/markup"
	"port-bitbucket-exporter/internal/report"
)

// The picture of a flow, in units of which about one is a pixel.
const (
	flowWidth  = 360
	flowHeight = 120 // of all that was extracted
	flowTop    = 24  // leaves room for a line of text
	flowBar    = 10  // the width of a bar
	flowSlot   = 18  // the least distance between two lines of text
	flowMiddle = 118 // where the bars of the second column begin
	flowRight  = 232 // and those of the third
)

// flows are a picture for each kind: what was extracted, and what became of it.
func (p page) flows() m.Node {
	var kinds []string
	counts, resources := map[string]report.Counts{}, map[string]int{}
	for _, res := range p.Resources {
		if resources[res.Kind]++; resources[res.Kind] == 1 {
			kinds = append(kinds, res.Kind)
		}
		counts[res.Kind] = counts[res.Kind].Add(res.Counts)
	}
	var all []m.Node
	for _, kind := range kinds {
		picture := m.El("p", m.Class("place"), m.Text("Nothing was extracted."))
		if counts[kind].Extracted > 0 {
			picture = p.flow(kind, counts[kind])
		}
		all = append(all, m.El("figure", m.El("figcaption", m.El("h3", foreign(kind, maxName)), m.Text(" "),
			m.El("span", m.Class("place"), m.Text(plural(resources[kind], "resource")))), picture))
	}
	return when(len(all) > 0, m.El("div", m.Class("flows"), m.All(all...)))
}

// stream is one count of a flow.
type stream struct {
	class, word string
	n           int
}

// flow draws the two equations of Counts: bands lead from what was extracted to what was
// transformed, filtered, skipped or failed, and on to what became of the entities.
func (p page) flow(kind string, c report.Counts) m.Node {
	left, right := p.streams(c)
	d := drawing{scale: flowHeight / float64(c.Extracted)}
	d.bar(0, flowTop, c.Extracted, "extracted")
	d.label(0, flowTop-8, c.Extracted, "extracted")
	bottom := d.bar(flowMiddle, flowTop, c.Transformed, "transformed")
	d.label(flowMiddle, flowTop-8, c.Transformed, "transformed")
	d.band(flowBar, flowTop, flowMiddle, flowTop, c.Transformed, "transformed")

	from, to := float64(flowTop), float64(flowTop)
	for _, s := range right {
		from, to = d.lead(flowMiddle, from, flowRight, to, s)
	}
	from, to = flowTop+d.height(c.Transformed), max(bottom, to)+flowSlot/2
	for _, s := range left[1:] {
		from, to = d.lead(0, from, flowMiddle, to, s)
	}
	alternative := visible(kind, maxName) + ": " + plural(c.Extracted, "object") + " extracted: " + cmp.Or(listed(left), "nothing") + "; entities: " + cmp.Or(listed(right), "none")
	return m.El("svg", m.Attr("viewBox", fmt.Sprintf("0 0 %d %.0f", flowWidth, max(d.bottom, flowTop+flowHeight)+2)), m.Attr("width", strconv.Itoa(flowWidth)),
		m.Attr("role", "img"), m.Attr("aria-label", alternative), m.All(d.bands...), m.All(d.bars...))
}

// streams are what objects became, and then what entities became.
func (p page) streams(c report.Counts) (objects, entities []stream) {
	create, update, _ := p.verbs()
	return []stream{{"transformed", "transformed", c.Transformed}, {"filtered", "filtered", c.Filtered}, {"skipped", "skipped", c.Skipped}, {"failed", "failed", c.Failed}},
		[]stream{{"created", create, c.Created}, {"updated", update, c.Updated}, {"unchanged", "unchanged", c.Unchanged}, {"merged", "merged", c.Merged},
			{"rejected", strings.ToLower(p.planned("Rejected")[0]), c.Rejected}}
}

// listed returns the counts that are not zero, in words.
func listed(all []stream) string {
	var parts []string
	for _, s := range all {
		if s.n > 0 {
			parts = append(parts, digits(int64(s.n))+" "+s.word)
		}
	}
	return strings.Join(parts, ", ")
}

// drawing is a flow as it is drawn.
type drawing struct {
	scale       float64 // units for one object
	bands, bars []m.Node
	bottom      float64
}

func (d *drawing) height(n int) float64 { return float64(n) * d.scale }

// bar draws a count, not thinner than one sees, and returns where it ends.
func (d *drawing) bar(x, y float64, n int, class string) float64 {
	h := max(d.height(n), 2)
	d.bars = append(d.bars, m.El("rect", m.Attr("class", "bar "+class), m.Number("x", x), m.Number("y", y), m.Number("width", flowBar), m.Number("height", h), m.Attr("fill", "#777"), m.Attr("rx", "1")))
	d.bottom = max(d.bottom, y+h)
	return y + h
}

func (d *drawing) label(x, y float64, n int, word string) {
	d.bars = append(d.bars, m.El("text", m.Number("x", x), m.Number("y", y), m.Text(digits(int64(n))+" "+word)))
	d.bottom = max(d.bottom, y+4)
}

// band leads from a bar to one of another column.
func (d *drawing) band(x1, y1, x2, y2 float64, n int, class string) {
	h1, h2, mid := max(d.height(n), 1), max(d.height(n), 2), (x1+x2)/2
	path := fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1fV%.1fC%.1f %.1f %.1f %.1f %.1f %.1fZ",
		x1, y1, mid, y1, mid, y2, x2, y2, y2+h2, mid, y2+h2, mid, y1+h1, x1, y1+h1)
	d.bands = append(d.bands, m.El("path", m.Attr("class", "band "+class), m.Attr("d", path), m.Attr("fill", "#999"), m.Attr("fill-opacity", ".3")))
}

// lead draws a stream that leaves a bar at from and ends in one of its own at to; it returns
// where the next one leaves and ends.
func (d *drawing) lead(x1, from, x2, to float64, s stream) (nextFrom, nextTo float64) {
	if s.n == 0 {
		return from, to
	}
	d.band(x1+flowBar, from, x2, to, s.n, s.class)
	end := d.bar(x2, to, s.n, s.class)
	d.label(x2+flowBar+6, (to+end)/2+4, s.n, s.word)
	return from + d.height(s.n), max(end+4, to+flowSlot)
}

// laneHeight is that of a lane of the timeline, in units.
const laneHeight = 100

// timeline shows when requests were sent and when they waited, a lane for each service. It is
// nothing where nothing was recorded.
func (p page) timeline() m.Node {
	t := p.Timeline
	if t.Slot <= 0 {
		return m.Node{}
	}
	services := append([]report.Series(nil), t.Services...)
	span := p.Duration
	for _, s := range services {
		span = max(span, time.Duration(len(s.Requests))*t.Slot)
	}
	for _, w := range t.Waits {
		span = max(span, w.To)
		known := false
		for _, s := range services {
			known = known || s.Name == w.Service
		}
		if !known {
			services = append(services, report.Series{Name: w.Service})
		}
	}
	if len(services) == 0 || span <= 0 {
		return m.Node{}
	}
	var lanes []m.Node
	for _, s := range services {
		lanes = append(lanes, p.lane(s, span))
	}
	axis := m.El("div", m.Class("axis"), m.El("span", m.Text(p.clock(0))), m.El("span", m.Text(p.clock(span/2))), m.El("span", m.Text(p.clock(span))))
	return m.All(m.All(lanes...), axis, p.waits())
}

// clock is the time of day at a time of the run, or how long the run has taken then.
func (p page) clock(d time.Duration) string {
	if p.Started.IsZero() {
		return at(d)
	}
	return p.Started.Add(d).UTC().Format("15:04:05")
}

func (p page) lane(s report.Series, span time.Duration) m.Node {
	x := func(d time.Duration) float64 { return 1000 * float64(d) / float64(span) }
	most, sum := 0, 0
	for _, n := range s.Requests {
		most, sum = max(most, n), sum+n
	}
	var shapes []m.Node
	var waited time.Duration
	for _, w := range p.Timeline.Waits {
		if w.Service == s.Name {
			waited += w.To - w.From
			shapes = append(shapes, m.El("rect", m.Class("wait"), m.Number("x", x(w.From)), m.Number("y", 0), m.Number("width", max(x(w.To-w.From), 2)), m.Number("height", laneHeight), m.Attr("fill", "#ca3"), m.Attr("fill-opacity", ".4")))
		}
	}
	var path strings.Builder
	for i, n := range s.Requests {
		if n > 0 {
			h := max(laneHeight*.94*float64(n)/float64(most), 2)
			fmt.Fprintf(&path, "M%.1f %dv-%.1fH%.1fv%.1fz", x(time.Duration(i)*p.Timeline.Slot), laneHeight, h, x(time.Duration(i+1)*p.Timeline.Slot), h)
		}
	}
	shapes = append(shapes, m.El("path", m.Class("sent"), m.Attr("d", path.String()), m.Attr("fill", "#36c")))
	about := "no request"
	if sum > 0 {
		about = fmt.Sprintf("%s, at most %s in %s", grouped(sum, "request", "requests"), digits(int64(most)), at(p.Timeline.Slot))
	}
	if waited > 0 {
		about += ", waited " + at(waited)
	}
	name := visible(s.Name, maxName)
	return m.El("div", m.Class("lane"), m.El("p", m.El("b", m.Text(name)), m.El("small", m.Text(about))),
		m.El("svg", m.Attr("viewBox", "0 0 1000 100"), m.Attr("width", "1000"), m.Attr("height", "64"), m.Attr("preserveAspectRatio", "none"), m.Attr("role", "img"), m.Attr("aria-label", name+": "+about), m.All(shapes...)))
}

// maxWaits bounds the waits in words.
const maxWaits = 100

// waits says in words when requests waited, and why.
func (p page) waits() m.Node {
	var rows []m.Node
	for i, w := range p.Timeline.Waits {
		if i == maxWaits {
			break
		}
		rows = append(rows, m.El("li", m.Text(p.clock(w.From)+" to "+p.clock(w.To)+", "+at(w.To-w.From)+": "), foreign(w.Service, maxName), reason(w.Why)))
	}
	if len(rows) == 0 {
		return m.Node{}
	}
	g := group{what: "wait", title: "Waited", count: len(p.Timeline.Waits), folded: true}
	return g.node(lists(rows, false))
}
