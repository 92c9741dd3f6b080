package bitbuckettest

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// request is a call with its path taken apart.
type request struct {
	*http.Request
	path     string   // below the prefix, or whole when it is of the git host or for a token; escaped, "/" first; "" for any other
	segments []string // unescaped; the last one is "" after a trailing slash
	query    url.Values
	badQuery bool
	root     string      // scheme and host
	base     string      // the same with the prefix: what links begin with
	git      *gitRequest // nil when it is not to the git host
	token    bool        // it is for an access token
	route    *route      // nil when there is none
	cred     *credential
	consumer *consumer // of a request for a token
}

func newRequest(r *http.Request, prefix string) *request {
	scheme := "http"
	if r.URL.Scheme != "" {
		scheme = r.URL.Scheme
	} else if r.TLS != nil {
		scheme = "https"
	}
	root := scheme + "://" + r.Host
	q := &request{Request: r, root: root, base: root + prefix, git: gitRequestOf(r.URL.EscapedPath())}
	query, err := url.ParseQuery(r.URL.RawQuery)
	q.query, q.badQuery = query, err != nil
	q.token = r.URL.EscapedPath() == TokenRoute
	if q.git != nil || q.token {
		q.path = r.URL.EscapedPath()
		return q
	}
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
	return q
}

// routePath is that of Exchange.Route.
func (q *request) routePath() string {
	switch {
	case q.git != nil:
		return q.git.route
	case q.token:
		return TokenRoute
	case q.route == nil:
		return ""
	}
	return q.route.path
}

func (q *request) credentialName() string {
	switch {
	case q.consumer != nil:
		return q.consumer.Name
	case q.cred == nil:
		return ""
	}
	return q.cred.Name
}

func (q *request) class() string {
	if q.git != nil {
		return classGit
	}
	if len(q.segments) > 0 && q.segments[0] == "repositories" {
		return classRepositories
	}
	return classWorkspaces
}

// self is the address of this request with some parameters replaced; a page's `next` keeps the others.
func (q *request) self(change url.Values) string {
	query := make(url.Values, len(q.query)+1)
	maps.Copy(query, q.query)
	maps.Copy(query, change)
	address := q.base + q.path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// route is one row of the routing table.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/, read 2026-11; `page`, `pagelen` and `fields`
// are common to all routes and not in its tables.
type route struct {
	method     string // "" is GET
	path       string // below the prefix, with its variables' names
	scope      string // classic
	granular   string // of an API token
	parameters []string
	maxPagelen int
	handle     func(view, *request) *answer
	// least is the number of segments from which on the last variable takes all that follow; 0 when it takes one.
	least int
	slash bool // a slash may follow
}

// fits reports whether the route is that of a path. Only what a path may leave out may be empty.
func (rt *route) fits(segments []string) bool {
	names := strings.Split(rt.path[1:], "/")
	switch n := len(segments); {
	case rt.slash && n == len(names)+1 && segments[n-1] == "":
		segments = segments[:n-1]
	case rt.least > 0 && n >= rt.least:
		segments = segments[:min(n, len(names))]
	case n != len(names):
		return false
	}
	for i, s := range segments {
		variable := strings.HasPrefix(names[i], "{")
		if !variable && s != names[i] || variable && s == "" && (rt.least == 0 || i < rt.least) {
			return false
		}
	}
	return true
}

// takes reports whether the route is for requests of a method.
func (rt *route) takes(method string) bool { return method == cmp.Or(rt.method, http.MethodGet) }

// find finds the route of a request. The answer is the refusal when there is none.
func find(routes []*route, q *request) (*route, *answer) {
	s := q.segments
	if removed(s) {
		return nil, gone("CHANGE-2770")
	}
	if i := slices.IndexFunc(routes, func(rt *route) bool { return rt.takes(q.Method) && rt.fits(s) }); i >= 0 {
		return routes[i], nil
	}
	if len(s) == 4 && s[0] == "workspaces" && s[2] == "search" && s[3] == "code" {
		return nil, gone("")
	}
	return nil, respondJSON(http.StatusNotFound, object{
		{"type", "error", shown},
		{"error", object{
			{"message", "Resource not found", shown},
			{"detail", noAPI, shown},
		}, shown},
	}).noted("unknown path")
}

// noAPI is the detail of the 404 for a path that is not a route. Source: a recorded answer.
const noAPI = "There is no API hosted at this URL.\n\nFor information about our API's, please refer to the documentation at: " +
	"https://developer.atlassian.com/bitbucket/api/2/reference/"

// removed reports whether a path is one of the cross-workspace routes, which answer 410 since 2026-04.
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
func (q *request) checkParameters(rt *route) *answer {
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
