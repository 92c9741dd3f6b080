package porttest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Exchange is one request and its answer, in the journal. Of an Authorization
// header only the scheme is kept; in a token request and its answer the secret
// and the token are "***".
type Exchange struct {
	Method string
	Path   string // escaped, as sent
	Query  url.Values
	// Route is the path with its variables' names, "" when there is no such route.
	Route string
	// Status is 0 when the connection was dropped.
	Status int
	Time   time.Time // when the request arrived
	// Write is true when the route changes entities, blueprints, integrations or what
	// Port shows of these: logs, metrics, examples. With validation_only it does not.
	Write bool
	// Fault is true when a planned fault fell on it.
	Fault          bool
	RequestHeader  http.Header
	RequestBody    []byte
	ResponseHeader http.Header
	ResponseBody   []byte
}

// Journal lists all exchanges in the order of their answers. Their bodies and
// headers are not to be written to.
func (s *Server) Journal() []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal)
}

// Requests counts the exchanges of the journal.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.journal)
}

// Writes lists the exchanges whose Write is set, the refused ones too.
func (s *Server) Writes() []Exchange {
	return slices.DeleteFunc(s.Journal(), func(x Exchange) bool { return !x.Write })
}

// CatalogWrites lists those of Writes that were to change entities or blueprints.
func (s *Server) CatalogWrites() []Exchange {
	return slices.DeleteFunc(s.Writes(), func(x Exchange) bool { return !strings.HasPrefix(x.Route, "/v1/blueprints") })
}

// ResetJournal empties the journal. It leaves the violations.
func (s *Server) ResetJournal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = nil
}

func (s *Server) record(r *http.Request, at time.Time, body []byte, out reply, f *fault) {
	x := Exchange{
		Fault:  f != nil,
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.Query(), Status: out.status, Time: at,
		RequestHeader: r.Header.Clone(), RequestBody: body,
		ResponseHeader: out.header.Clone(), ResponseBody: out.body,
	}
	if given := x.RequestHeader.Get("Authorization"); given != "" {
		scheme, _, _ := strings.Cut(given, " ")
		x.RequestHeader.Set("Authorization", scheme)
	}
	if x.Path == tokenPath {
		x.RequestBody = redact(x.RequestBody, "clientSecret")
		x.ResponseBody = redact(x.ResponseBody, "accessToken")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, _ := s.match(r.Method, r.URL); t != nil {
		x.Route = t.path
		x.Write = t.endpoint.write && x.Query.Get("validation_only") != "true"
	}
	if s.options.NoJournalBodies {
		x.RequestBody, x.ResponseBody = nil, nil
	}
	s.journal = append(s.journal, x)
}

// redact hides one key of a JSON object. What is not an object is dropped.
func redact(text []byte, key string) []byte {
	var m map[string]any
	if len(text) == 0 || json.Unmarshal(text, &m) != nil {
		return nil
	}
	if _, ok := m[key]; ok {
		m[key] = "***"
	}
	return encode(m)
}
