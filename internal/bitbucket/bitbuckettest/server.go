// Package bitbuckettest is a strict, in-memory Bitbucket Cloud: an http.Handler that answers the read
// routes of REST 2.0 as the real service does, takes reports of Code Insights, also through the proxy of a
// pipeline, serves the same repositories by git's smart HTTP, and refuses what the real service refuses.
//
// A refusal that a correct caller never meets is also noted, see Server.Violations. Every request is in
// the journal, see Server.Journal. Faults are programmed, see Server.Fault. Nothing is random: uuids,
// hashes and dates derive from names and from the order of the Add calls.
//
// All methods of Server are safe for concurrent use.
package bitbuckettest

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/memtransport"
)

// Server is one workspace behind the REST 2.0 routes. Make it with New.
type Server struct {
	*faults
	*journal
	*access
	workspace *workspace
	table     []*route

	// The kinds of content.
	*projects
	*repositories
	*branches
	*commits
	*tags
	*files
	*pullRequests
	*pipelines
	*extras
	*members
	*permissions
	*runners
	*restrictions
	*reports
	*environments
	*deployments

	mu        sync.Mutex // guards what follows
	prefix    string
	onRequest func(n int, r *http.Request)
}

// New returns an empty workspace with that slug. No credential is accepted until one is allowed.
func New(workspace string) *Server {
	s := newServer(workspace)
	s.workspace.schema = sync.OnceValue(newSchema)
	return s
}

func newServer(slug string) *Server {
	w := newWorkspace(slug)
	s := &Server{faults: &faults{}, journal: &journal{}, access: &access{}, workspace: w, prefix: "/2.0"}
	s.projects = &projects{ws: w}
	s.repositories = newRepositories(w, s.projects)
	s.branches, s.files = &branches{s.repositories}, &files{s.repositories}
	s.commits, s.tags = &commits{s.repositories}, newTags(s.repositories)
	s.pullRequests = &pullRequests{repositories: s.repositories, by: map[*repository]*pulls{}}
	s.pipelines = newPipelines(s.repositories)
	s.members = newMembers(w)
	s.permissions = newPermissions(s.repositories)
	s.runners = newRunners(w)
	s.restrictions, s.reports = newRestrictions(s.repositories), newReports(s.repositories)
	s.environments = newEnvironments(s.pipelines)
	s.deployments = newDeployments(s.environments)
	s.extras = newExtras(s.pullRequests)
	for _, c := range s.contents() {
		s.table = append(s.table, c.routes()...)
	}
	return s
}

// contents are all kinds of content, each after those that it needs.
func (s *Server) contents() []content {
	return []content{s.workspace, s.projects, s.repositories, s.branches, s.commits, s.tags, s.files, s.extras, s.pullRequests, s.pipelines, s.environments, s.deployments, s.members, s.permissions, s.runners, s.restrictions, s.reports}
}

// newSchema makes an example of what each list holds.
func newSchema() map[string]node {
	s, known := newServer("example"), map[string]node{}
	for _, c := range s.contents() {
		for list, example := range c.examples(view{w: s.workspace}) {
			known[list] = node{example}
		}
	}
	return known
}

// Prefix sets the base path under which the routes are served. The default is "/2.0".
func (s *Server) Prefix(p string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prefix = strings.TrimRight(p, "/")
}

// OmitSize leaves `size` out of every page, as the documentation allows.
func (s *Server) OmitSize(omit bool) {
	s.workspace.mu.Lock()
	defer s.workspace.mu.Unlock()
	s.workspace.omitSize = omit
}

// MaxPage gives pages of at most n values, whatever pagelen asks for, as the documentation allows; 0 is no
// limit.
func (s *Server) MaxPage(n int) {
	s.workspace.mu.Lock()
	defer s.workspace.mu.Unlock()
	s.workspace.maxPage = n
}

// OnRequest calls f at the start of each request, with its number since New (the first is 1) and no lock
// held, so that f may change the content: a list that moves between two of its pages.
func (s *Server) OnRequest(f func(n int, r *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onRequest = f
}

// RoundTripper returns a transport that calls the server in process, without a socket, as
// memtransport.RoundTripper says. Whatever host the request names, this server answers.
func (s *Server) RoundTripper() http.RoundTripper { return memtransport.RoundTripper(s) }

// ServeHTTP answers one request: credential, rate window, faults, then the route.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r, nil) }

// serve answers a request by the credential that a proxy has added; nil means the request's own.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, added *credential) {
	s.mu.Lock()
	hook, prefix := s.onRequest, s.prefix
	s.mu.Unlock()

	q := newRequest(r, prefix)
	var refusal *answer
	if q.git == nil && !q.token {
		q.route, refusal = find(s.table, q)
	}
	x := s.journal.begin(r, q.routePath(), q.git != nil, q.token)
	if hook != nil {
		hook(x.number, r)
	}
	var a *answer
	switch {
	case added != nil:
		q.cred = added
	case q.token:
		q.consumer, a = s.access.consumerOf(r)
	default:
		q.cred, a = s.access.admit(r, q.class())
	}
	x.credential = q.credentialName()
	var due []*Fault
	if a == nil {
		due = s.faults.due(q)
		s.journal.hit(x, len(due))
		if !wait(r, due) {
			panic(http.ErrAbortHandler)
		}
		a = s.answer(q, refusal)
		if a.violation != "" {
			s.journal.note(r, a.violation)
		}
		if q.git == nil && !q.token {
			a.usageHeaders()
		}
		a = alter(a, q, due)
		s.access.rateHeaders(q.cred, q.class(), a)
	} else if a.violation != "" {
		s.journal.note(r, a.violation)
	}
	s.journal.finish(x, a)
	a.write(w, r)
}

// answer routes a request whose credential is good; refusal is for one without a route.
func (s *Server) answer(q *request, refusal *answer) *answer {
	switch {
	case q.git != nil:
		return s.git(q)
	case q.token:
		return s.access.token(q.Request, q.consumer)
	}
	if q.Method != http.MethodGet && q.route == nil {
		return refuse(http.StatusMethodNotAllowed, "Method \""+q.Method+"\" not allowed.").noted("method " + q.Method)
	}
	if refusal != nil {
		return refusal
	}
	if a := q.cred.permit(q.route.scope, q.route.granular); a != nil {
		return a
	}
	if a := q.checkParameters(q.route); a != nil {
		return a
	}
	w := s.workspace
	if q.route.takes(http.MethodGet) {
		w.mu.RLock()
		defer w.mu.RUnlock()
	} else {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.gen++
	}
	if ws := q.segments[1]; !strings.EqualFold(ws, w.slug) && ws != uuidOf("workspace", w.slug) {
		if len(q.segments) > 2 && s.repositories.transferred[ws+"/"+q.segments[2]] {
			return repositoryNotFound(ws + "/" + q.segments[2])
		}
		return refuse(http.StatusNotFound, "No workspace with identifier '"+ws+"'.").noted("unknown workspace " + strconv.Quote(ws))
	}
	return q.route.handle(view{w, cmp.Or(w.options.BodyLinks, q.base)}, q)
}
