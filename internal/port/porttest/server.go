// Package porttest is Port's API in memory, for tests and demonstrations: strict
// where Port's published schemas are, and noting what it refused.
//
// It does not echo. What it answers about an entity has a null for each property
// and relation that is not set, instants rewritten to UTC milliseconds, to-many
// relations in another order, and calculation and mirror properties besides the
// stored ones, so that a client which compares carelessly finds differences.
//
// What an integration sends about itself, to the ingest URLs of its record among
// others, is read back on Port's routes and through [Server.DataSource].
//
// A [Server] is an [http.Handler]. Inside a testing/synctest bubble it is called
// through [Server.RoundTripper], which opens no socket. All its times come from
// time.Now. Its methods are safe for concurrent use.
package porttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"port-bitbucket-exporter/internal/memtransport"
)

// maxBodyBytes is Port's limit for a request body.
// Source: Port's API reference, read 2026-11.
const maxBodyBytes = 1 << 20

// Options change how a Server behaves. The zero value is the default.
type Options struct {
	// TokenLifetime is how long a token is good for; 0 is three hours.
	TokenLifetime time.Duration
	// RateLimit is how many requests are answered in each RatePeriod (0 is a
	// minute); the others get 429. 0 means no limit.
	RateLimit  int
	RatePeriod time.Duration
	// PublishedLimits answers 429 to what passes the limits that Port has published.
	PublishedLimits bool
	// LooseProperties accepts properties that the blueprint does not have.
	LooseProperties bool
	// NoUndocumentedRoutes answers 404 on routes that Port's framework uses and
	// Port's document does not have.
	NoUndocumentedRoutes bool
	// DocumentedAnswers leaves out of entities what the published schema of the
	// answers does not have: blueprint, times, authors, and null for an icon or a
	// title. Without it entities are answered as Port answers them.
	DocumentedAnswers bool
	// MaxPage is how many entities a page of a search has at most, whatever limit asks
	// for; 0 is as many as asked for.
	MaxPage int
	// NoJournalBodies keeps the bodies out of the journal, to save memory.
	NoJournalBodies bool
	// NoIngestURLs leaves the ingest URLs out of integration records, but for those
	// that a test put there.
	NoIngestURLs bool
	// FeatureFlags are the organization's.
	FeatureFlags []string
}

// Server is an emulated Port organization. Make one with [New].
type Server struct {
	routes []*route
	traces atomic.Int64

	mu           sync.Mutex // guards all below
	options      Options
	clients      map[string]client
	tokens       map[string]token
	window       rateWindow
	store        *store
	integrations map[string]*integration
	journal      []Exchange
	violations   []string
	faults       []*fault
	usages       map[string]*usage // by family of routes, with Options.PublishedLimits
	limited      int               // answers for a rate limit
}

// New returns an organization without blueprints, entities, integrations or
// clients.
func New() *Server {
	return &Server{
		routes:       loadRoutes(),
		clients:      map[string]client{},
		tokens:       map[string]token{},
		store:        newStore(),
		integrations: map[string]*integration{},
		usages:       map[string]*usage{},
	}
}

// Configure sets the options, from the next request on.
func (s *Server) Configure(o Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.FeatureFlags = slices.Clone(o.FeatureFlags)
	s.options = o
}

// Violations lists, oldest first, the requests that no correct client sends:
// unknown paths and parameters, wrong shapes, bodies too big, no token, an
// identifier twice in one batch. A refused entity of a well-formed request is
// not one, nor is an expired token or a rate limit.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func (s *Server) note(r *http.Request, status int, message string) {
	s.violations = append(s.violations, fmt.Sprintf("%s %s: %d %s", r.Method, r.URL.EscapedPath(), status, message))
}

// answer is what a route says; body is marshalled as JSON.
type answer struct {
	status int
	body   any
	// violation marks a refusal that no correct client provokes.
	violation bool
}

func ok(status int, key string, value any) answer {
	return answer{status: status, body: map[string]any{"ok": true, key: value}}
}

func refuse(status int, code, message string) answer {
	return answer{status: status, body: map[string]any{"ok": false, "error": code, "message": message}}
}

func violate(status int, code, message string) answer {
	a := refuse(status, code, message)
	a.violation = true
	return a
}

func (a answer) message() string {
	m, _ := a.body.(map[string]any)
	text, _ := m["message"].(string)
	return text
}

// reply is an answer on its way out.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	body, err := readBody(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away while sending
	}
	f := s.nextFault(r, body)
	if !f.wait(r) {
		s.record(r, now, body, reply{}, f)
		panic(http.ErrAbortHandler)
	}
	var out reply
	if f.answers() {
		out = s.handle(r, body)
	}
	out = s.replace(out, f, r, body)
	s.record(r, now, body, out, f)
	out.send(w, r, f)
}

// readBody keeps at most one byte more than a body may have. It reads the rest
// too: a client that is still sending would miss the answer.
func readBody(r io.Reader) ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r, maxBodyBytes+1))
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	return body, err
}

// trace numbers the answers.
func (s *Server) trace() string {
	return "trace-" + strconv.FormatInt(s.traces.Add(1), 10)
}

// handle answers a request and applies its effects.
func (s *Server) handle(r *http.Request, body []byte) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	limited := s.window.take(s.options, now)
	if s.options.PublishedLimits {
		limited = s.overPublished(r.Method, r.URL.Path, now) || limited
	}
	t, vars := s.match(r.Method, r.URL)
	var a answer
	if limited {
		s.limited++
		a = refuse(http.StatusTooManyRequests, "rate_limit_exceeded", "too many requests")
	} else {
		a = s.dispatch(r, t, vars, body)
	}
	if a.violation {
		s.note(r, a.status, a.message())
	}
	return reply{status: a.status, header: s.header(now), body: encode(a.body)}
}

func (s *Server) dispatch(r *http.Request, t *route, vars map[string]string, body []byte) answer {
	if t == nil {
		return violate(http.StatusNotFound, "not_found", "Route "+r.Method+":"+r.URL.EscapedPath()+" not found")
	}
	c := &call{Request: r, route: t, vars: vars}
	if t.path != tokenPath {
		role, refusal := s.authorize(r)
		if refusal != nil {
			return *refusal
		}
		c.role = role
	}
	if len(body) > maxBodyBytes {
		return violate(http.StatusRequestEntityTooLarge, "payload_too_large", "request body is larger than 1 MiB")
	}
	var why string
	if c.query, why = t.checkQuery(r.URL.RawQuery); why != "" {
		return violate(http.StatusUnprocessableEntity, "invalid_request", why)
	}
	if c.query.Has("ocean_info_resync_id") && c.query.Get("ocean_info_event_type") != "resync" {
		// Documented as valid for a resync alone. What Port does with it otherwise is not, so no
		// client may do it.
		s.note(r, http.StatusUnprocessableEntity, "ocean_info_resync_id is only valid when ocean_info_event_type is resync")
	}
	if refusal := c.read(body); refusal != nil {
		return *refusal
	}
	return t.endpoint.run(s, c)
}

// read decodes and checks the body.
func (c *call) read(body []byte) *answer {
	fail := func(status int, why string) *answer {
		a := violate(status, "invalid_request", why)
		return &a
	}
	if c.route.body == nil && len(body) > 0 {
		return fail(http.StatusUnprocessableEntity, "body must be empty: the route takes none")
	}
	if len(body) == 0 {
		if c.route.bodyRequired {
			return fail(http.StatusUnprocessableEntity, "body must be object")
		}
		return nil
	}
	if kind, _, _ := strings.Cut(c.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/json" {
		return fail(http.StatusUnsupportedMediaType, "Content-Type must be application/json")
	}
	v, err := decode(body)
	if err != nil {
		return fail(http.StatusUnprocessableEntity, "body is not JSON: "+err.Error())
	}
	if why := c.route.body.check("body", v); why != "" {
		return fail(http.StatusUnprocessableEntity, why)
	}
	c.body = v
	return nil
}

// header is on every answer.
func (s *Server) header(now time.Time) http.Header {
	h := http.Header{
		"Content-Type": {"application/json; charset=utf-8"},
		"Date":         {now.UTC().Format(http.TimeFormat)},
		"X-Trace-Id":   {s.trace()},
	}
	s.window.describe(s.options, h)
	return h
}

func (o reply) send(w http.ResponseWriter, r *http.Request, f *fault) {
	if f != nil && f.DropConnection {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), o.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(o.body)))
	w.WriteHeader(o.status)
	if f != nil && (f.TruncateBody || f.StallBody) {
		_, _ = w.Write(o.body[:len(o.body)/2])
		_ = http.NewResponseController(w).Flush()
		if f.StallBody {
			memtransport.Stall(w, r)
		}
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(o.body) // a client that went away is not a concern of ours
}

func decode(text []byte) (any, error) {
	var v any
	err := decodeInto(text, &v)
	return v, err
}

func decodeInto(text []byte, target any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(target); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows the first value")
	}
	return nil
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	must(e.Encode(v))
	return b.Bytes()
}

// plain turns any value into the forms that decode gives.
func plain(v any) any {
	p, err := decode(encode(v))
	must(err)
	return p
}

func must(err error) {
	if err != nil {
		panic("porttest: " + err.Error())
	}
}

func contains(list []string, v string) bool { return slices.Contains(list, v) }
