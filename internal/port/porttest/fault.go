package porttest

import (
	"net/http"
	"path"
	"strings"
	"time"
)

// Fault is a misbehaviour to come. A request that fits Method, Route, Path, Entity and
// Match meets it; when several fit, the one planned first, and the later ones do not
// count that request.
type Fault struct {
	Method string // "" is any
	Route  string // that of Exchange, "" is any
	// Path is a glob over the escaped path, "" is any. "*" stays within a
	// segment; "/**" at the end is anything below.
	Path string
	// Entity fits every write of entities whose body holds one of this identifier, "" is any.
	Entity string
	// Match sees the request (its body is read already) and its body; nil fits all.
	Match func(r *http.Request, body []byte) bool

	Nth   int // first fitting request that meets it, from 1; 0 means 1
	Times int // how many in a row do; 0 is once, -1 always

	// Delay passes before the answer, or until the request's context ends.
	Delay time.Duration
	// Status, Header and Body replace the answer when Status is not 0. Like any
	// answer it has an X-Trace-Id, unless Header says otherwise. Header alone adds to
	// the answer as it is.
	Status int
	Header http.Header
	Body   string
	// Rewrite changes the bytes of an answer, which is then told to be as long as
	// what it returns.
	Rewrite func(body []byte) []byte
	// RepeatPage makes the "next" of a page lead to this very page. That of a first
	// page is new to the client, which reads it twice.
	RepeatPage bool
	// DropConnection ends the connection without an answer.
	DropConnection bool
	// TruncateBody ends the connection after half of the answer's body.
	TruncateBody bool
	// StallBody lets the connection stand still after half of the answer's body,
	// until the request's context ends.
	StallBody bool
	// Apply lets the request have its effect although its answer is replaced or
	// lost. Without it the emulator never sees that request.
	Apply bool
}

type fault struct {
	Fault
	seen, fired int
}

// Fault plans a misbehaviour and returns how often it has happened. A malformed
// glob panics.
func (s *Server) Fault(f Fault) (fired func() int) {
	for part := range strings.SplitSeq(f.Path, "/") {
		_, err := path.Match(part, "")
		must(err)
	}
	planned := &fault{Fault: f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, planned)
	return func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return planned.fired
	}
}

// ClearFaults ends every planned misbehaviour.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// nextFault returns the fault that this request meets, or nil.
func (s *Server) nextFault(r *http.Request, body []byte) *fault {
	s.mu.Lock()
	planned := s.faults
	s.mu.Unlock()
	route := s.routeOf(r)
	for _, f := range planned {
		// Match is the test's own code and may call the server.
		if f.fits(r, route, body) && s.fire(f) {
			return f
		}
	}
	return nil
}

func (s *Server) fire(f *fault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.seen++
	first, times := max(f.Nth, 1), f.Times
	if times == 0 {
		times = 1
	}
	if f.seen < first || times > 0 && f.seen >= first+times {
		return false
	}
	f.fired++
	return true
}

func (f *fault) fits(r *http.Request, route string, body []byte) bool {
	return (f.Method == "" || f.Method == r.Method) && (f.Route == "" || f.Route == route) &&
		(f.Path == "" || globMatch(f.Path, r.URL.EscapedPath())) &&
		(f.Entity == "" || holdsEntity(body, f.Entity)) &&
		(f.Match == nil || f.Match(r, body))
}

// holdsEntity reports whether the body of an upsert, of one or of many, has an entity.
func holdsEntity(body []byte, identifier string) bool {
	var sent struct {
		Identifier any
		Entities   []struct{ Identifier any }
	}
	if decodeInto(body, &sent) != nil {
		return false
	}
	for _, e := range sent.Entities {
		if e.Identifier == identifier {
			return true
		}
	}
	return sent.Identifier == identifier
}

func globMatch(glob, p string) bool {
	want, got := strings.Split(glob, "/"), strings.Split(p, "/")
	if want[len(want)-1] == "**" {
		want = want[:len(want)-1]
		if len(got) <= len(want) {
			return false
		}
		got = got[:len(want)]
	}
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if fits, _ := path.Match(want[i], got[i]); !fits {
			return false
		}
	}
	return true
}

// wait lets the delay pass. False: the request's context ended first.
func (f *fault) wait(r *http.Request) bool {
	if f == nil || f.Delay <= 0 {
		return true
	}
	timer := time.NewTimer(f.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// answers reports whether the request reaches the emulator.
func (f *fault) answers() bool {
	return f == nil || f.Apply || f.Status == 0 && !f.DropConnection
}

// replace puts the fault's answer in place of the real one.
func (s *Server) replace(out reply, f *fault, r *http.Request, asked []byte) reply {
	switch {
	case f == nil:
	case f.DropConnection:
		out.status, out.header, out.body = 0, nil, nil
	case f.Status != 0:
		out.status, out.body = f.Status, []byte(f.Body)
		out.header = http.Header{
			"Content-Type": {"application/json; charset=utf-8"},
			"Date":         {time.Now().UTC().Format(http.TimeFormat)},
			"X-Trace-Id":   {s.trace()},
		}
	}
	if f == nil || out.header == nil {
		return out
	}
	for k, v := range f.Header {
		out.header[http.CanonicalHeaderKey(k)] = v
	}
	if f.RepeatPage {
		out.body = repeatPage(out.body, r, asked)
	}
	if f.Rewrite != nil {
		out.body = f.Rewrite(out.body)
	}
	return out
}

// repeatPage gives a page the cursor that it was asked for with; what is not a page
// stays as it is.
func repeatPage(page []byte, r *http.Request, asked []byte) []byte {
	var body, query map[string]any
	if decodeInto(page, &body) != nil || decodeInto(asked, &query) != nil || body["entities"] == nil {
		return page
	}
	c := &call{Request: r, body: query}
	after, _ := c.cursor() // of a search that was answered it is good
	body["next"] = c.giveCursor(after)
	return encode(body)
}
