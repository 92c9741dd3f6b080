package bitbuckettest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Datum is one field of the data of a report.
type Datum struct {
	Title string `json:"title"`
	Type  string `json:"type"` // one of dataTypes
	Value any    `json:"value"`
}

// Annotation is one finding of a report.
type Annotation struct {
	ExternalID string `json:"external_id"`
	Type       string `json:"annotation_type"`
	Summary    string `json:"summary"`
	Details    string `json:"details"`
	Severity   string `json:"severity"`
	Result     string `json:"result"`
	Path       string `json:"path"` // from the root of the repository; "" is the report as a whole
	Line       int    `json:"line"`
	Link       string `json:"link"`
}

// The limits of the routes, and the words that they take. Those on lengths are not in the vendor's document:
// 450 characters of a summary are as clients have found, the others are those of Bitbucket Data Center.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/,
// https://github.com/reviewdog/reviewdog/pull/1344, and
// https://developer.atlassian.com/server/bitbucket/rest/v904/api-group-builds-and-deployments, read 2026-11.
const (
	maxData        = 10
	maxCall        = 100
	maxAnnotations = 1000
	maxShort       = 450 // of a title, a summary and an id, in UTF-16 code units
	maxDetails     = 2000
)

var (
	reportTypes     = []string{"SECURITY", "COVERAGE", "TEST", "BUG"}
	reportResults   = []string{"PASSED", "FAILED", "PENDING"}
	dataTypes       = []string{"BOOLEAN", "DATE", "DURATION", "LINK", "NUMBER", "PERCENTAGE", "TEXT"}
	annotationTypes = []string{"VULNERABILITY", "CODE_SMELL", "BUG"}
	severities      = []string{"CRITICAL", "HIGH", "MEDIUM", "LOW"}
	results         = []string{"", "PASSED", "FAILED", "SKIPPED", "IGNORED"}
)

// Reports returns the reports on the commits of a repository, in the order in which they came.
func (rs *reports) Reports(slug string) []Report {
	rs.ws().mu.RLock()
	defer rs.ws().mu.RUnlock()
	var all []Report
	for _, r := range rs.by[rs.repositories.must(slug)] {
		one := r.Report
		one.Data, one.Annotations = slices.Clone(one.Data), slices.Clone(one.Annotations)
		all = append(all, one)
	}
	return all
}

// one finds the report that a request names, or refuses the request. The report is nil where there is none.
func (rs *reports) one(q *request) (r *repository, found *report, refusal *answer) {
	r, at, refusal := rs.commit(q)
	if refusal != nil {
		return nil, nil, refusal
	}
	if i := slices.IndexFunc(rs.by[r], func(o *report) bool { return o.Commit == at && o.ID == q.segments[6] }); i >= 0 {
		found = rs.by[r][i]
	}
	return r, found, nil
}

// put makes a report, or replaces its fields. The vendor's document does not say that the annotations of the
// one before go: they stay.
func (rs *reports) put(v view, q *request) *answer {
	r, found, refusal := rs.one(q)
	if refusal != nil {
		return refusal
	}
	var body struct {
		Title    string  `json:"title"`
		Details  string  `json:"details"`
		Type     string  `json:"report_type"`
		Reporter string  `json:"reporter"`
		Link     string  `json:"link"`
		Result   string  `json:"result"`
		Data     []Datum `json:"data"`
	}
	if refusal := q.decode(&body); refusal != nil {
		return refusal
	}
	var c complaints
	c.short("report id", q.segments[6], true)
	c.short("title", body.Title, true)
	c.length("details", body.Details, maxDetails, true)
	c.short("reporter", body.Reporter, false)
	c.word("report_type", body.Type, reportTypes)
	c.word("result", body.Result, reportResults)
	c.link(body.Link)
	c.check(len(body.Data) <= maxData, "data: at most %d elements, got %d", maxData, len(body.Data))
	for _, d := range body.Data {
		c.short("title of data", d.Title, true)
		c.word("type of data", d.Type, dataTypes)
		c.check(d.fits(), "data: the value of %q is no %s", d.Title, d.Type)
	}
	if len(c) > 0 {
		return c.refusal()
	}
	now := Report{
		ID: q.segments[6], Commit: q.segments[4], Title: body.Title, Details: body.Details, Type: body.Type,
		Reporter: body.Reporter, Link: body.Link, Result: body.Result, Data: body.Data,
	}
	if found != nil {
		now.CreatedOn, now.Annotations = found.CreatedOn, found.Annotations
		found.Report = now
	} else {
		v.w.stamp(&now.CreatedOn, nil)
		found = &report{now, r}
		rs.by[r] = append(rs.by[r], found)
	}
	return respondJSON(http.StatusOK, found.tree(v))
}

// delete removes a report with its annotations. The vendor documents 204 alone.
func (rs *reports) delete(_ view, q *request) *answer {
	r, found, refusal := rs.one(q)
	if refusal != nil {
		return refusal
	}
	rs.by[r] = slices.DeleteFunc(rs.by[r], func(o *report) bool { return o == found })
	return &answer{status: http.StatusNoContent, header: http.Header{}}
}

// annotate adds annotations, or replaces those of the same external id: all of a call or none.
func (rs *reports) annotate(_ view, q *request) *answer {
	_, found, refusal := rs.one(q)
	switch {
	case refusal != nil:
		return refusal
	case found == nil:
		return refuse(http.StatusNotFound, "Report "+q.segments[6]+" not found").noted("annotations of no report")
	}
	var some []Annotation
	if refusal := q.decode(&some); refusal != nil {
		return refusal
	}
	if len(some) > maxCall {
		return respondJSON(http.StatusBadRequest, object{ // recorded, https://github.com/mc1arke/sonarqube-community-branch-plugin/issues/209
			{"code", http.StatusBadRequest, shown}, {"message", "Bulk upload supports a maximum of /100 annotations.", shown},
		}).noted(fmt.Sprintf("%d annotations in one call", len(some)))
	}
	var c complaints
	c.check(len(some) > 0, "no annotation")
	merged, seen := slices.Clone(found.Annotations), map[string]bool{}
	for _, a := range some {
		a.complain(&c)
		c.check(!seen[a.ExternalID], "external_id %q twice in one call", a.ExternalID)
		seen[a.ExternalID] = true
		if i := slices.IndexFunc(merged, func(o Annotation) bool { return o.ExternalID == a.ExternalID }); i >= 0 {
			merged[i] = a
		} else {
			merged = append(merged, a)
		}
	}
	c.check(len(merged) <= maxAnnotations, "a report has at most %d annotations, this one had %d", maxAnnotations, len(merged))
	if len(c) > 0 {
		return c.refusal()
	}
	found.Annotations = merged
	out := make(list, len(some))
	for i, a := range some {
		out[i] = object{{"type", "report_annotation", shown}, {"external_id", a.ExternalID, shown}, {"summary", a.Summary, shown}}
	}
	return respond(http.StatusOK, "application/json; charset=utf-8", appendJSON(nil, out))
}

// decode reads the body of a request. What no route knows is refused, though the real service ignores it.
func (q *request) decode(into any) *answer {
	refused := func(why string) *answer { return refuse(http.StatusBadRequest, why).noted(why) }
	if kind := q.Header.Get("Content-Type"); kind != "application/json" {
		return refused("Content-Type " + strconv.Quote(kind) + " is not application/json")
	}
	d := json.NewDecoder(q.Body)
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return refused("bad body: " + err.Error())
	}
	if _, err := d.Token(); err != io.EOF {
		return refused("bad body: something follows the JSON")
	}
	return nil
}

// complaints are what is wrong with a body.
type complaints []string

func (c *complaints) check(good bool, format string, args ...any) {
	if !good {
		*c = append(*c, fmt.Sprintf(format, args...))
	}
}

func (c *complaints) short(name, text string, required bool) {
	c.length(name, text, maxShort, required)
}

func (c *complaints) length(name, text string, most int, required bool) {
	n := len(utf16.Encode([]rune(text)))
	c.check(n <= most, "%s: at most %d characters, got %d", name, most, n)
	c.check(n > 0 || !required, "%s is required", name)
}

func (c *complaints) word(name, word string, known []string) {
	c.check(slices.Contains(known, word), "%s: %q is none of %s", name, word, strings.Join(known, ", "))
}

func (c *complaints) link(address string) {
	u, err := url.Parse(address)
	c.check(address == "" || err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "", "link: %q is no address", address)
}

func (c complaints) refusal() *answer {
	why := strings.Join(c, "; ")
	return refuse(http.StatusBadRequest, why).noted(why)
}

func (a Annotation) complain(c *complaints) {
	c.short("external_id", a.ExternalID, true)
	c.short("summary", a.Summary, true)
	c.length("details", a.Details, maxDetails, false)
	c.word("annotation_type", a.Type, annotationTypes)
	c.word("severity", a.Severity, severities)
	c.word("result", a.Result, results)
	c.link(a.Link)
	c.check(a.Line >= 0 && (a.Line == 0 || a.Path != ""), "line %d of no path", a.Line)
	c.check(a.Path == "" || path.Clean(a.Path) == a.Path && !path.IsAbs(a.Path) && a.Path != ".." && !strings.HasPrefix(a.Path, "../"),
		"path: %q is no path from the root of the repository", a.Path)
}

// fits reports whether the value is of its type.
func (d Datum) fits() bool {
	switch v := d.Value.(type) {
	case bool:
		return d.Type == "BOOLEAN"
	case string:
		return d.Type == "TEXT"
	case json.Number:
		f, err := v.Float64()
		return err == nil && (d.Type == "DATE" || d.Type == "DURATION" || d.Type == "NUMBER" || d.Type == "PERCENTAGE" && f >= 0 && f <= 100)
	case map[string]any:
		var c complaints
		text, isText := v["text"].(string)
		href, isLink := v["href"].(string)
		c.link(href)
		return d.Type == "LINK" && len(v) == 2 && isText && isLink && text != "" && href != "" && len(c) == 0
	}
	return false
}

// treeOf is a decoded value of data as a tree.
func treeOf(v any) any {
	if link, ok := v.(map[string]any); ok {
		return object{{"text", link["text"], shown}, {"href", link["href"], shown}}
	}
	return v
}
