package bitbuckettest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// request is a call with its path taken apart.
type request struct {
	*http.Request
	path     string   // below the prefix, escaped, "/" first; "" when it lies outside the prefix
	segments []string // unescaped; the last one is "" after a trailing slash
	query    url.Values
	badQuery bool
	base     string // scheme, host and prefix: what links begin with
	route    string // the path of its row in the routing table; "" when there is none
	cred     *credential
}

func newRequest(r *http.Request, prefix string) *request {
	scheme := "http"
	if r.URL.Scheme != "" {
		scheme = r.URL.Scheme
	} else if r.TLS != nil {
		scheme = "https"
	}
	q := &request{Request: r, base: scheme + "://" + r.Host + prefix}
	query, err := url.ParseQuery(r.URL.RawQuery)
	q.query, q.badQuery = query, err != nil
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), prefix+"/")
	if !ok {
		return q
	}
	q.path = "/" + rest
	for seg := range strings.SplitSeq(rest, "/") {
		plain, err := url.PathUnescape(seg)
		if err != nil {
			plain = seg
		}
		q.segments = append(q.segments, plain)
	}
	if rt, _ := route(q); rt != nil {
		q.route = rt.path
	}
	return q
}

func (q *request) credentialName() string {
	if q.cred == nil {
		return ""
	}
	return q.cred.Name
}

func (q *request) class() string {
	if len(q.segments) > 0 && q.segments[0] == "repositories" {
		return classRepositories
	}
	return classWorkspaces
}

// self is the address of this request with some parameters replaced; a page's `next` keeps the others.
func (q *request) self(change url.Values) string {
	query := make(url.Values, len(q.query)+1)
	for k, v := range q.query {
		query[k] = v
	}
	for k, v := range change {
		query[k] = v
	}
	address := q.base + q.path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// routeSpec is one row of the routing table.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/, read 2026-11; `page`, `pagelen` and `fields`
// are common to all routes and not in its tables.
type routeSpec struct {
	path       string // below the prefix, with its variables' names
	scope      string // classic
	granular   string // of an API token
	parameters []string
	maxPagelen int
	handle     func(view, *request) *answer
}

var (
	routeWorkspace = routeSpec{"/workspaces/{workspace}", "", "read:workspace:bitbucket", []string{"fields"}, 0, view.getWorkspace}

	// q and sort are not in its table; that they work was found by trial, 2026-11.
	routeProjects = routeSpec{"/workspaces/{workspace}/projects", "project", "read:project:bitbucket",
		[]string{"q", "sort", "page", "pagelen", "fields"}, 100, view.listProjects}

	routeProject = routeSpec{"/workspaces/{workspace}/projects/{project_key}", "project", "read:project:bitbucket", []string{"fields"}, 0, view.getProject}

	routeRepositories = routeSpec{"/repositories/{workspace}", "repository", "read:repository:bitbucket",
		[]string{"role", "q", "sort", "page", "pagelen", "fields"}, 100, view.listRepositories}

	routeRepository = routeSpec{"/repositories/{workspace}/{repo_slug}", "repository", "read:repository:bitbucket", []string{"fields"}, 0, view.getRepository}

	routePullRequests = routeSpec{"/repositories/{workspace}/{repo_slug}/pullrequests", "pullrequest", "read:pullrequest:bitbucket",
		[]string{"state", "q", "sort", "page", "pagelen", "fields"}, 50, view.listPullRequests}

	routePullRequest = routeSpec{"/repositories/{workspace}/{repo_slug}/pullrequests/{pull_request_id}", "pullrequest", "read:pullrequest:bitbucket", []string{"fields"}, 0, view.getPullRequest}

	routeSourceRoot = routeSpec{"/repositories/{workspace}/{repo_slug}/src", "repository", "read:repository:bitbucket",
		[]string{"format", "pagelen", "fields"}, 100, view.redirectToSource}

	routeSource = routeSpec{"/repositories/{workspace}/{repo_slug}/src/{commit}/{path}", "repository", "read:repository:bitbucket",
		[]string{"format", "q", "sort", "max_depth", "page", "pagelen", "fields"}, 100, view.getSource}

	routeBranches = routeSpec{"/repositories/{workspace}/{repo_slug}/refs/branches", "repository", "read:repository:bitbucket",
		[]string{"q", "sort", "page", "pagelen", "fields"}, 100, view.listBranches}

	routeBranch = routeSpec{"/repositories/{workspace}/{repo_slug}/refs/branches/{name}", "repository", "read:repository:bitbucket", []string{"fields"}, 0, view.getBranch}
)

// route finds the row for a path. The answer is the refusal when there is none.
func route(q *request) (*routeSpec, *answer) {
	s := q.segments
	if removed(s) {
		return nil, gone("CHANGE-2770")
	}
	switch {
	case len(s) == 2 && s[0] == "workspaces":
		return &routeWorkspace, nil
	case len(s) == 3 && s[0] == "workspaces" && s[2] == "projects":
		return &routeProjects, nil
	case len(s) == 4 && s[0] == "workspaces" && s[2] == "projects" && s[3] != "":
		return &routeProject, nil
	case len(s) == 4 && s[0] == "workspaces" && s[2] == "search" && s[3] == "code":
		return nil, gone("")
	case len(s) == 2 && s[0] == "repositories" && s[1] != "":
		return &routeRepositories, nil
	case len(s) == 3 && s[0] == "repositories" && s[2] != "":
		return &routeRepository, nil
	case len(s) > 3 && s[0] == "repositories":
		if rt := repositoryRoute(s[3:]); rt != nil {
			return rt, nil
		}
	}
	return nil, respondJSON(http.StatusNotFound, object{
		{"type", "error", shown},
		{"error", object{
			{"message", "Resource not found", shown},
			{"detail", "There is no API hosted at this URL.", shown},
		}, shown},
	}).noted("unknown path")
}

// repositoryRoute finds the row for what stands after the slug.
func repositoryRoute(s []string) *routeSpec {
	switch {
	case s[0] == "pullrequests" && len(s) == 1:
		return &routePullRequests
	case s[0] == "pullrequests" && len(s) == 2 && s[1] != "":
		return &routePullRequest
	case s[0] == "src" && (len(s) == 1 || (len(s) == 2 && s[1] == "")):
		return &routeSourceRoot
	case s[0] == "src":
		return &routeSource
	case s[0] == "refs" && len(s) == 2 && s[1] == "branches":
		return &routeBranches
	case s[0] == "refs" && len(s) > 2 && s[1] == "branches" && s[2] != "":
		return &routeBranch
	}
	return nil
}

// removed tells the cross-workspace routes, which answer 410 since 2026-04.
// Source: https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770, read 2026-11.
func removed(s []string) bool {
	switch {
	case len(s) == 0:
		return false
	case s[0] == "repositories" || s[0] == "workspaces":
		return len(s) == 1 || (len(s) == 2 && s[1] == "")
	}
	return len(s) >= 2 && s[0] == "user" && s[1] == "permissions"
}

// gone is the vendor's 410. The changelog entry is "" for code search, whose removal on 2026-11-01 is
// announced in the vendor's OpenAPI document without a number.
func gone(change string) *answer {
	message := "Functionality has been deprecated"
	address := "https://developer.atlassian.com/cloud/bitbucket/changelog"
	if change != "" {
		message, address = change+" - "+message, address+"#"+change
	}
	data := object{{"announcement_url", address, shown}}
	return respondJSON(http.StatusGone, object{
		{"type", "error", shown},
		{"error", object{
			{"message", message, shown},
			{"detail", "Please read the changelog entry for more details.", shown},
			{"data", data, shown},
		}, shown},
		{"data", data, shown},
	}).noted("removed route")
}

// checkParameters refuses what the route does not know. The real service ignores an unknown parameter; a
// caller that sends one has a mistake, so it is refused here.
func (q *request) checkParameters(rt *routeSpec) *answer {
	bad := func(message string) *answer { return refuse(http.StatusBadRequest, message).noted(message) }
	if q.badQuery {
		return bad("Invalid query string")
	}
	for k, vs := range q.query {
		if !slices.Contains(rt.parameters, k) {
			return bad("Unknown parameter " + strconv.Quote(k))
		}
		if len(vs) > 1 && k != "state" {
			return bad("Repeated parameter " + strconv.Quote(k))
		}
	}
	if v := q.query.Get("pagelen"); q.query.Has("pagelen") {
		if n, err := strconv.Atoi(v); err != nil || n < 1 || n > rt.maxPagelen {
			return bad("Invalid pagelen")
		}
	}
	return nil
}

// pagelen is 10 unless asked otherwise.
func (q *request) pagelen() int {
	if n, err := strconv.Atoi(q.query.Get("pagelen")); err == nil {
		return n
	}
	return 10
}
