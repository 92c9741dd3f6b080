// Package bitbuckettest is a strict, in-memory Bitbucket Cloud: an http.Handler that answers the read
// routes of REST 2.0 as the real service does, and refuses what the real service refuses.
//
// A refusal that a correct caller never meets is also noted, see Server.Violations. Every request is in
// the journal, see Server.Journal. Faults are programmed, see Server.Fault. Nothing is random: uuids,
// hashes and dates derive from names and from the order of the Add calls.
//
// All methods of Server are safe for concurrent use.
package bitbuckettest

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/memtransport"
)

// Server is one workspace behind the REST 2.0 routes. Make it with New.
type Server struct {
	faults  faults
	journal journal
	access  access
	lists   listCache
	users   sync.Map // userKey -> object
	schema  func() schema

	mu        sync.RWMutex // guards what follows
	prefix    string
	omitSize  bool
	maxPage   int // 0: as long as asked for
	onRequest func(n int, r *http.Request)
	workspace string
	gen       uint64 // grows with every change of content
	clock     time.Time
	projects  []*project
	repos     []*repository
	bySlug    map[string]*repository
	// moved leads from slugs that repositories had to their full names now.
	moved       map[string]string
	transferred map[string]bool // full names in other workspaces that a redirect leads to
	begun       map[string]int  // projects and repositories of a key or slug, with those that are gone
}

// New returns an empty workspace with that slug. No credential is accepted until one is allowed.
func New(workspace string) *Server {
	s := newServer(workspace)
	s.schema = sync.OnceValue(newSchema)
	return s
}

func newServer(workspace string) *Server {
	return &Server{
		workspace: workspace,
		prefix:    "/2.0",
		clock:     time.Date(2024, time.January, 5, 10, 0, 0, 0, time.UTC),
		bySlug:    make(map[string]*repository),
		moved:     make(map[string]string), transferred: make(map[string]bool), begun: make(map[string]int),
	}
}

// Prefix sets the base path under which the routes are served. The default is "/2.0".
func (s *Server) Prefix(p string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prefix = strings.TrimRight(p, "/")
}

// OmitSize leaves `size` out of every page, as the documentation allows.
func (s *Server) OmitSize(omit bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.omitSize = omit
}

// MaxPage gives pages of at most n values, whatever pagelen asks for, as the documentation allows; 0 is no
// limit.
func (s *Server) MaxPage(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maxPage = n
}

// OnRequest calls f at the start of each request, with its number since New (the first is 1) and no lock
// held, so that f may change the content: a list that moves between two of its pages.
func (s *Server) OnRequest(f func(n int, r *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onRequest = f
}

// ServeHTTP answers one request: credential, rate window, faults, then the route.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	hook, prefix := s.onRequest, s.prefix
	s.mu.RUnlock()

	q := newRequest(r, prefix)
	x := s.journal.begin(q)
	if hook != nil {
		hook(x.number, r)
	}
	a := s.admit(q)
	x.credential = q.credentialName()
	var due []*Fault
	if a == nil {
		due = s.faults.due(q)
		s.journal.hit(x, len(due))
		if !wait(r, due) {
			panic(http.ErrAbortHandler)
		}
		a = s.answer(q)
		if a.violation != "" {
			s.journal.note(r, a.violation)
		}
		a = alter(a, q, due)
		s.rateHeaders(q, a)
	} else if a.violation != "" {
		s.journal.note(r, a.violation)
	}
	s.journal.finish(x, a)
	a.write(w, r)
}

// answer routes a request whose credential is good.
func (s *Server) answer(q *request) *answer {
	if q.Method != http.MethodGet {
		return refuse(http.StatusMethodNotAllowed, "Method \""+q.Method+"\" not allowed.").noted("method " + q.Method)
	}
	rt, a := route(q)
	if a != nil {
		return a
	}
	if a := q.cred.permit(rt); a != nil {
		return a
	}
	if a := q.checkParameters(rt); a != nil {
		return a
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	v := view{s: s, base: q.base}
	if ws := q.segments[1]; ws != s.workspace && ws != uuidOf("workspace", s.workspace) {
		if len(q.segments) > 2 && s.transferred[ws+"/"+q.segments[2]] {
			return repositoryNotFound(ws + "/" + q.segments[2])
		}
		return refuse(http.StatusNotFound, "No workspace with identifier '"+ws+"'.").noted("unknown workspace " + strconv.Quote(ws))
	}
	return rt.handle(v, q)
}

// answer is one HTTP answer before it is written.
type answer struct {
	status    int
	header    http.Header
	body      []byte
	violation string // "" when a correct caller may meet this answer
	again     string // of a page: a link to itself that names it by its number
	truncate  int    // bytes of the body that are sent before the connection breaks; 0: all
	stall     int    // bytes of the body that are sent before the connection stands still; 0: all
	drop      bool   // the connection breaks before the status line
}

func respond(status int, contentType string, body []byte) *answer {
	return &answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: body}
}

func respondJSON(status int, o object) *answer {
	return respond(status, "application/json; charset=utf-8", appendJSON(nil, o))
}

// refuse is the vendor's error envelope with nothing but a message.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/, read 2026-11.
func refuse(status int, message string) *answer {
	return respondJSON(status, object{
		{"type", "error", shown},
		{"error", object{{"message", message, shown}}, shown},
	})
}

func (a *answer) noted(violation string) *answer {
	a.violation = violation
	return a
}

func (a *answer) write(w http.ResponseWriter, r *http.Request) {
	if a.drop {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	for k, vs := range a.header {
		h[k] = vs
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if a.stall > 0 && a.stall < len(a.body) {
		_, _ = w.Write(a.body[:a.stall])
		_ = http.NewResponseController(w).Flush()
		memtransport.Stall(w, r)
	}
	if a.truncate > 0 && a.truncate < len(a.body) {
		_, _ = w.Write(a.body[:a.truncate])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(a.body)
}
