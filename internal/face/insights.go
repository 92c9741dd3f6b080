package face

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// What a report of Code Insights may hold. The vendor does not document the lengths: a summary
// of more than 450 characters is refused, as users found, and the others are those of Bitbucket
// Data Center. They are kept in bytes, which are never fewer than characters however they are
// counted.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/,
// https://github.com/reviewdog/reviewdog/pull/1344, and
// https://developer.atlassian.com/server/bitbucket/rest/v904/api-group-builds-and-deployments,
// read 2026-11.
const (
	maxInsightsAnnotations = 1000
	maxInsightsShort       = 450  // of a title and a summary
	maxInsightsDetails     = 2000 // of the details of either
)

// CodeInsights is the report that Bitbucket shows on a commit and in its pull requests: each
// part as its API takes it.
type CodeInsights struct {
	// ID names the report among those on the commit. A later run of the same mode, workspace
	// and integration, or a check of the same mapping, has the same, and replaces it.
	ID     string
	Report InsightsReport
	// Annotations are the problems, worst first, as many as a report may have.
	Annotations []InsightsAnnotation
}

// InsightsReport is the report but for its annotations.
type InsightsReport struct {
	Title    string          `json:"title"`
	Details  string          `json:"details"`
	Type     string          `json:"report_type"`
	Reporter string          `json:"reporter"`
	Link     string          `json:"link,omitempty"`
	Result   string          `json:"result"`
	Data     []InsightsDatum `json:"data"`
}

// InsightsDatum is one field of the data of a report, of which it has ten at most.
type InsightsDatum struct {
	Title string `json:"title"`
	Type  string `json:"type"`
	Value any    `json:"value"` // a string, a number, or an insightsLink
}

// insightsLink is the value of a datum of the type LINK.
type insightsLink struct {
	Text string `json:"text"`
	Href string `json:"href"`
}

// InsightsAnnotation is one problem: on the line of the file that it names, where that is in the
// checkout, and else of the report as a whole.
type InsightsAnnotation struct {
	ExternalID string `json:"external_id"`
	Type       string `json:"annotation_type"`
	Summary    string `json:"summary"`
	Details    string `json:"details"`
	Severity   string `json:"severity"`
	Result     string `json:"result,omitempty"`
	Path       string `json:"path,omitempty"`
	Line       int    `json:"line,omitempty"`
	Link       string `json:"link,omitempty"`
}

// Insights returns the report of Code Insights. Whether it has passed is what fail_on makes of
// the run. It is nil when no mapping was looked at.
func Insights(r *report.Report, failOn report.FailOn) *CodeInsights {
	if !r.Mapping.Checked && len(r.Mapping.Problems) == 0 {
		return nil
	}
	w := words{r}
	c := &CodeInsights{ID: insightsID(r)}
	var all bool
	c.Annotations, all = w.insightsAnnotations(c.ID)
	c.Report = InsightsReport{
		Title:    clip.BytesWithin(w.insightsTitle(), maxInsightsShort, "…"),
		Details:  clip.BytesWithin(w.insightsDetails(all), maxInsightsDetails, "…"),
		Type:     "TEST",
		Reporter: r.Program.Name,
		Link:     r.Link(r.Mapping.Name, 0),
		Result:   "PASSED",
		Data:     w.insightsData(),
	}
	if r.ExitStatus(failOn) != 0 {
		c.Report.Result = "FAILED"
	}
	return c
}

// insightsMode is what the run was asked to do.
func insightsMode(r *report.Report) string {
	switch {
	case r.CheckOnly:
		return "validate"
	case r.Planned:
		return "plan"
	}
	return "sync"
}

func insightsID(r *report.Report) string {
	about := append([]string{r.Subject.Workspace, r.Subject.Integration}, r.Kinds...)
	if r.CheckOnly {
		about = nil
		for _, f := range r.Mapping.Files() {
			about = append(about, f.Name)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(about, "\x00")))
	return r.Program.Name + "-" + insightsMode(r) + "-" + hex.EncodeToString(sum[:4])
}

func (w words) insightsTitle() string {
	if w.CheckOnly {
		title := "Port mapping: " + visible(w.Mapping.Name, maxName)
		if more := len(w.Mapping.Others); more > 0 {
			title += " and " + plural(more, "other")
		}
		return title
	}
	return fmt.Sprintf("Port %s: %s to %s", insightsMode(w.Report), visible(w.Subject.Workspace, maxName), visible(w.Subject.Integration, maxName))
}

// insightsDetails says how the run ended, and whether all problems have an annotation.
func (w words) insightsDetails(all bool) string {
	text := ""
	if !all {
		text = fmt.Sprintf("Only the %d worst problems are annotated.\n", maxInsightsAnnotations)
	}
	if w.CheckOnly {
		return text + verdict(w.Report)
	}
	text += Result(w.Report)
	if kinds := w.kindsText(); kinds != "" {
		text += "\n" + kinds
	}
	return text
}

// insightsData are ten figures at most.
func (w words) insightsData() []InsightsDatum {
	number := func(title string, n int) InsightsDatum { return InsightsDatum{title, "NUMBER", n} }
	status := InsightsDatum{"Status", "TEXT", w.Status()}
	took := InsightsDatum{"Duration", "DURATION", w.Duration.Milliseconds()}
	if w.CheckOnly {
		p := w.Mapping.Problems
		data := []InsightsDatum{status, number("Errors", len(p.Errors())), number("Warnings", len(p.Warnings())), number("Notes", len(p.Notes()))}
		if link := w.Link(w.Mapping.Name, 0); link != "" {
			data = append(data, InsightsDatum{"Mapping", "LINK", insightsLink{visible(w.Mapping.Path, maxName), link}})
		}
		return append(data, took)
	}
	t := w.Totals()
	create, update, remove := w.verbs()
	return []InsightsDatum{
		status,
		number("Objects extracted", t.Extracted),
		number("Entities "+create, t.Created),
		number("Entities "+update, t.Updated),
		number("Entities unchanged", t.Unchanged),
		number("Entities "+remove, t.Deleted),
		number("Entities rejected", t.Rejected),
		number("Stale entities kept", t.StaleKept),
		number("Requests to Bitbucket", w.BitbucketRequests),
		took,
	}
}

// insightsLevels are the words of Code Insights for the severities. A warning and a notice have
// no result: neither fails a run, and neither is a check that has passed.
var insightsLevels = map[diag.Severity]struct{ kind, severity, result string }{
	diag.Error:   {"BUG", "HIGH", "FAILED"},
	diag.Warning: {"CODE_SMELL", "MEDIUM", ""},
	diag.Notice:  {"CODE_SMELL", "LOW", ""},
}

// insightsAnnotations returns the annotations, and whether they are all.
func (w words) insightsAnnotations(id string) (some []InsightsAnnotation, all bool) {
	found := findings(w.Report)
	slices.SortStableFunc(found, func(a, b finding) int { return cmp.Compare(a.Severity, b.Severity) })
	for _, f := range found[:min(len(found), maxInsightsAnnotations)] {
		some = append(some, w.insightsAnnotation(f.Problem, id+"-"+strings.ReplaceAll(f.id, ":", "-")))
	}
	return some, len(some) == len(found)
}

func (w words) insightsAnnotation(p diag.Problem, id string) InsightsAnnotation {
	level := insightsLevels[p.Severity]
	a := InsightsAnnotation{ExternalID: id, Type: level.kind, Severity: level.severity, Result: level.result}
	summary := visible(p.Text(), maxMessage)
	if a.Path = pathOf(w.Mapping, p.At.File); a.Path != "" {
		a.Line, a.Link = p.At.Line, w.Link(p.At.File, p.At.Line)
	} else if place := Place(p); place != "" {
		summary = place + ": " + summary
	}
	a.Details = summary + often(p)
	if p.Fix != "" {
		a.Details += "\nfix: " + visible(p.Fix, maxInsightsDetails)
	}
	a.Summary = clip.BytesWithin(cmp.Or(summary, "a problem without a text"), maxInsightsShort, "…") // refused without one
	a.Details = clip.BytesWithin(a.Details, maxInsightsDetails, "…")
	return a
}

// pathOf returns the path of a file from the root of the checkout; empty where it is not in there.
func pathOf(m report.Mapping, file string) string {
	for _, known := range m.Files() {
		if p := known.Path; file != "" && file == known.Name && p != "" && path.Clean(p) == p && !path.IsAbs(p) && p != ".." && !strings.HasPrefix(p, "../") {
			return p
		}
	}
	return ""
}
