package bitbuckettest

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
)

// Report is a report of Code Insights on a commit.
type Report struct {
	ID       string // of who made it
	Title    string
	Type     string // SECURITY, COVERAGE, TEST or BUG
	Result   string // PASSED, FAILED or PENDING
	Reporter string
	Link     string // "" is null
	Details  string // "" derives it from Title
	Figures  []Figure
	Data     []Datum // behind the figures
	// Annotations are in the order in which they came.
	Annotations []Annotation
	// Commit is the hash of what it is on; "" is the head of the main branch at that time.
	Commit    string
	CreatedOn time.Time
}

// Figure is a part of a hundred that a report names.
type Figure struct {
	Title   string
	Percent int
}

// reports are those of the repositories.
type reports struct{ shelf[*report] }

type report struct {
	Report
	repo *repository
}

func newReports(rs *repositories) *reports { return &reports{newShelf[*report](rs)} }

// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/#api-repositories-workspace-repo-slug-commit-commit-reports-get,
// read 2026-11.
func (rs *reports) routes() []*route {
	const path, classic, granular = "/repositories/{workspace}/{repo_slug}/commit/{commit}/reports", "repository", "read:repository:bitbucket"
	return []*route{
		{path: path, scope: classic, granular: granular, parameters: []string{"page", "pagelen", "fields"}, maxPagelen: 100, handle: rs.list},
		{method: http.MethodPut, path: path + "/{reportId}", scope: classic, granular: granular, handle: rs.put},
		{method: http.MethodDelete, path: path + "/{reportId}", scope: classic, granular: granular, handle: rs.delete},
		{method: http.MethodPost, path: path + "/{reportId}/annotations", scope: classic, granular: granular, handle: rs.annotate},
	}
}

func (rs *reports) examples(v view) map[string]object {
	rs.AddReport("example", Report{ID: "one", Title: "Example", Type: "TEST", Result: "PASSED", Reporter: "Example", Link: "https://example.org", Commit: hashOf("example")})
	return map[string]object{"report": rs.by[rs.repositories.all[0]][0].tree(v)}
}

// AddReport adds a report.
func (rs *reports) AddReport(slug string, one Report) {
	rs.add(slug, func(r *repository, _ int) *report {
		rs.ws().stamp(&one.CreatedOn, nil)
		if one.Commit == "" {
			one.Commit = r.head().hash()
		}
		return &report{one, r}
	})
}

// sample gives each second repository with commits a report on its tests, and each third one of its coverage.
func (rs *reports) sample(slugs []string) {
	for i, slug := range slugs {
		if rs.repositories.bySlug[slug].head() == nil {
			continue
		}
		if i%2 == 0 {
			rs.AddReport(slug, Report{ID: "tests", Title: "Tests", Type: "TEST", Result: []string{"PASSED", "FAILED", "PENDING"}[i%3], Reporter: "CI", Link: "https://ci.example.org/" + slug})
		}
		if i%3 == 0 {
			rs.AddReport(slug, Report{ID: "coverage", Title: "Coverage", Type: "COVERAGE", Result: "PASSED", Reporter: "CI", Figures: []Figure{{"Line coverage", 60 + i%40}}})
		}
	}
}

// commit refuses what is not a commit of the repository, as its other routes do.
func (rs *reports) commit(q *request) (r *repository, at string, refusal *answer) {
	if r, refusal = rs.repositories.of(q); refusal != nil {
		return nil, "", refusal
	}
	if at = q.segments[4]; !r.hasCommit(at) {
		return nil, "", unknownCommit().noted("no commit of the repository: " + strconv.Quote(at))
	}
	return r, at, nil
}

func (rs *reports) list(v view, q *request) *answer {
	r, at, refusal := rs.commit(q)
	if refusal != nil {
		return refusal
	}
	var some []*report
	for _, one := range rs.by[r] {
		if one.Commit == at {
			some = append(some, one)
		}
	}
	return v.pageByNumber(q, items(some, false))
}

func (r *repository) hasCommit(hash string) bool {
	for _, c := range r.commits {
		if c.hash() == hash {
			return true
		}
	}
	return false
}

func (r *report) tree(view) object {
	data := make(list, 0, len(r.Figures)+len(r.Data))
	for _, f := range r.Figures {
		data = append(data, object{{"type", "PERCENTAGE", shown}, {"title", f.Title, shown}, {"value", f.Percent, shown}})
	}
	for _, d := range r.Data {
		data = append(data, object{{"type", d.Type, shown}, {"title", d.Title, shown}, {"value", treeOf(d.Value), shown}})
	}
	return object{
		{"type", "report", shown},
		{"uuid", uuidOf("report", r.repo.seed, r.Commit, r.ID), shown},
		{"title", r.Title, shown},
		{"details", cmp.Or(r.Details, r.Title+" of "+r.Commit[:7]), shown},
		{"external_id", r.ID, shown},
		{"reporter", r.Reporter, shown},
		{"link", textOrNull(r.Link), shown},
		{"remote_link_enabled", false, shown},
		{"logo_url", nil, shown},
		{"report_type", r.Type, shown},
		{"result", r.Result, shown},
		{"data", data, shown},
		{"created_on", nanoseconds(r.CreatedOn), shown},
		{"updated_on", nanoseconds(r.CreatedOn), shown},
	}
}
