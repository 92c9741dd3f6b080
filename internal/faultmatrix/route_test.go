package faultmatrix_test

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// service is one of the two.
type service string

const (
	ofBitbucket service = "Bitbucket"
	ofPort      service = "Port"
)

// route is a route of a service as a run uses it.
type route struct {
	service service
	method  string
	path    string // with its variables' names
	// form tells apart what one route is asked for; empty for most.
	form form
}

// form is what a route is asked for.
type form string

const (
	aFile    form = "file" // and no folder
	gitRefs  form = "refs"
	gitTrees form = "trees"
	gitFiles form = "files"
)

// formOf reads a request. The body matters to git alone.
func formOf(path string, body []byte) form {
	switch {
	case isFile(path):
		return aFile
	case !strings.HasSuffix(path, "/git-upload-pack"):
		return ""
	case bytes.Contains(body, []byte("command=ls-refs")):
		return gitRefs
	case bytes.Contains(body, []byte("deepen ")):
		return gitTrees
	}
	return gitFiles
}

// overGit is true for a route of the git host.
func (r route) overGit() bool {
	return r.path == bitbuckettest.GitRefs || r.path == bitbuckettest.GitUpload
}

// String has no slash: it is a part of the name of a test.
func (r route) String() string {
	name := r.method + strings.TrimRight(strings.ReplaceAll(r.path, "/", " "), " ")
	if r.form != "" {
		name += " (" + string(r.form) + ")"
	}
	return name
}

// use is what a run without a fault asked of a route.
type use struct {
	route
	// part is the repository of most requests, at Port the blueprint; empty where all
	// requests are for one.
	part string
	late bool // a later page of a list was asked for
	page bool // it answers pages
	size bool // that tell their number of values
}

// asked is as much of a request as tells its part in a run.
type asked struct {
	part string
	late bool
}

// askedBitbucket reads the path and the query of a request.
func askedBitbucket(path string, query url.Values) asked {
	a := asked{late: query.Has("page") || strings.Contains(query.Get("q"), " AND id > ")}
	if _, below, ok := strings.Cut(path, "/repositories/acme/"); ok {
		a.part, _, _ = strings.Cut(below, "/")
	} else if below, ok := strings.CutPrefix(path, "/acme/"); ok {
		a.part, _, _ = strings.Cut(below, ".git/")
	}
	return a
}

func askedPort(path string, body []byte) asked {
	a := asked{late: bytes.Contains(body, []byte(`"from":`))}
	if below, ok := strings.CutPrefix(path, "/v1/blueprints/"); ok {
		if part, _, deeper := strings.Cut(below, "/"); deeper && part != "entities" || !deeper {
			a.part = part
		}
	}
	return a
}

// isFile tells the path of a file from that of a folder, which ends with a slash.
func isFile(path string) bool {
	return strings.Contains(path, "/src/") && !strings.HasSuffix(path, "/")
}

// uses lists the routes of both journals, sorted. Bodies must have been kept.
func uses(b []bitbuckettest.Exchange, p []porttest.Exchange) []use {
	found := map[route]*use{}
	parts := map[route]map[string]int{}
	add := func(r route, a asked, answer []byte, page string) {
		u := found[r]
		if u == nil {
			u = &use{route: r}
			found[r], parts[r] = u, map[string]int{}
		}
		u.late = u.late || a.late
		if bytes.Contains(answer, []byte(`"`+page+`":[`)) {
			u.page = true
			u.size = u.size || bytes.Contains(answer, []byte(`"size":`)) && r.service == ofBitbucket && !strings.Contains(r.path, "/src/")
		}
		parts[r][a.part]++
	}
	for _, x := range b {
		add(route{ofBitbucket, x.Method, x.Route, formOf(x.Path, x.RequestBody)}, askedBitbucket(x.Path, x.Query), x.ResponseBody, "values")
	}
	for _, x := range p {
		add(route{ofPort, x.Method, x.Route, ""}, askedPort(x.Path, x.RequestBody), x.ResponseBody, "entities")
	}
	var all []use
	for r, u := range found {
		u.page = u.page && !r.changes()
		u.part = most(parts[r])
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method), cmp.Compare(a.String(), b.String()))
	})
	return all
}

// most is the part of most requests, the first by name of those; empty when there are
// not two.
func most(parts map[string]int) string {
	best := ""
	for part, n := range parts {
		if part != "" && (best == "" || n > parts[best] || n == parts[best] && part < best) {
			best = part
		}
	}
	if len(parts) < 2 {
		return ""
	}
	return best
}

// Routes with a meaning of their own.
const (
	tokenRoute     = "/v1/auth/access_token"
	upsertRoute    = "/v1/blueprints/{blueprint_identifier}/entities/bulk"
	bulkDelete     = "/v1/blueprints/{blueprint_identifier}/bulk/entities/delete"
	entityRoute    = "/v1/blueprints/{blueprint_identifier}/entities/{entity_identifier}"
	examplesRoute  = "/v1/integration/{identifier}/kinds/{kind}/examples"
	recordRoute    = "/v1/integration/{identifier}"
	branchesRoute  = "/repositories/{workspace}/{repo_slug}/refs/branches"
	branchRoute    = "/repositories/{workspace}/{repo_slug}/refs/branches/{name}"
	existsRoute    = "/repositories/{workspace}/{repo_slug}"
	ownedRoute     = "/v1/blueprints/entities/datasource-entities"
	blueprintRoute = "/v1/blueprints/{identifier}"
)

// courtesy is true for what Port's Data sources page is told: a run does not depend on it.
func (r route) courtesy() bool {
	return r.service == ofPort && (strings.HasPrefix(r.path, "/ingest/") || strings.HasPrefix(r.path, recordRoute+"/") ||
		r.method == http.MethodPatch && r.path == recordRoute || r.path == "/v1/integration")
}

// changes is true for a route that changes the catalog or the record.
func (r route) changes() bool {
	switch {
	case r.service == ofBitbucket, r.method == http.MethodGet, r.path == tokenRoute:
		return false
	}
	return !strings.HasSuffix(r.path, "/search") && !strings.HasSuffix(r.path, "/datasource-entities")
}

// unread is true for a route of which the program reads the status alone.
func (r route) unread() bool {
	return r.courtesy() && r.path != "/v1/integration" || r.path == entityRoute || r.path == "/v1/blueprints" || r.path == blueprintRoute
}
