package bitbuckettest

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault changes the answers to some requests. It sees the requests whose credential is good and whose
// rate window is not used up; they are checked as ever, so that a violation is noted all the same. Faults
// that fall on one request add up, in the order in which they were programmed.
type Fault struct {
	// Match, Method, Route, Path and Query all have to fit; the zero value fits every request.
	Match  func(*http.Request) bool
	Method string
	// Route is that of Exchange.
	Route string
	// Path is a glob on the escaped path below the prefix, or the whole path of the git host:
	// "/repositories/acme/*/src/**", "/acme/*.git/git-upload-pack". "*" stays within one segment, "**" stands for
	// any number of them.
	Path string
	// Query is a part of the query string, as sent or unescaped.
	Query string

	// Nth is the first matching request on which the fault falls; 0 and 1 are the first.
	Nth int
	// Times is on how many matching requests in a row it falls: 0 is once, -1 is always.
	Times int

	// Delay passes before the answer is made. It ends early when the request's context does.
	Delay time.Duration
	// Mutate changes a JSON answer before it is sent; numbers are json.Number.
	Mutate func(map[string]any)
	// Rewrite changes the bytes of an answer, which is then told to be as long as what it returns.
	Rewrite func(body []byte) []byte
	// Next replaces `next`, also where there is none.
	Next string
	// RepeatPage makes `next` lead to this very page.
	RepeatPage bool
	// PageAgain makes `next` lead to this very page by its number, which is another link than that of a
	// first page: an honest client reads it twice.
	PageAgain bool
	// Status, Header and Body replace those of the answer. An error status without a body gets the
	// vendor's envelope. Header alone adds to the answer as it is.
	Status int
	Header http.Header
	Body   string
	// Redirect answers 302, or Status, with this Location.
	Redirect string
	// TruncateBody breaks the connection after so many bytes of the body.
	TruncateBody int
	// StallBody lets the connection stand still after so many bytes of the body, until the request's
	// context ends.
	StallBody int
	// DropConnection breaks the connection before the status line.
	DropConnection bool
}

type faults struct {
	mu   sync.Mutex
	list []*programmed
}

type programmed struct {
	Fault
	seen, fired int
}

// Fault programs a fault. The function it returns counts how often it fell on a request.
func (f *faults) Fault(of Fault) (fired func() int) {
	p := &programmed{Fault: of}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, p)
	return func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		return p.fired
	}
}

// ClearFaults ends all faults that were programmed.
func (f *faults) ClearFaults() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
}

// due returns the faults that fall on this request and counts them.
func (f *faults) due(q *request) []*Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var due []*Fault
	for _, p := range f.list {
		if !p.fits(q) {
			continue
		}
		p.seen++
		if p.seen < max(p.Nth, 1) || (p.Times >= 0 && p.fired >= max(p.Times, 1)) {
			continue
		}
		p.fired++
		due = append(due, &p.Fault)
	}
	return due
}

func (f *Fault) fits(q *request) bool {
	r := q.Request
	if f.Method != "" && f.Method != r.Method || f.Route != "" && f.Route != q.routePath() {
		return false
	}
	if f.Path != "" && !matchPath(strings.Split(f.Path, "/"), strings.Split(q.path, "/")) {
		return false
	}
	if f.Query != "" && !strings.Contains(r.URL.RawQuery, f.Query) {
		plain, err := url.QueryUnescape(r.URL.RawQuery)
		if err != nil || !strings.Contains(plain, f.Query) {
			return false
		}
	}
	return f.Match == nil || f.Match(r)
}

func matchPath(pattern, segments []string) bool {
	if len(pattern) == 0 {
		return len(segments) == 0
	}
	if pattern[0] == "**" {
		for i := range len(segments) + 1 {
			if matchPath(pattern[1:], segments[i:]) {
				return true
			}
		}
		return false
	}
	if len(segments) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], segments[0])
	return err == nil && ok && matchPath(pattern[1:], segments[1:])
}

// wait sits out the delays. It reports whether the request is still wanted.
func wait(r *http.Request, due []*Fault) bool {
	var total time.Duration
	for _, f := range due {
		total += f.Delay
	}
	if total == 0 {
		return true
	}
	t := time.NewTimer(total)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// alter applies the faults to an answer.
func alter(a *answer, q *request, due []*Fault) *answer {
	for _, f := range due {
		next := f.Next
		if f.RepeatPage {
			next = q.self(nil)
		}
		if f.PageAgain {
			next = a.again
		}
		if f.Mutate != nil || next != "" {
			a.rewrite(func(o map[string]any) {
				if next != "" {
					o["next"] = next
				}
				if f.Mutate != nil {
					f.Mutate(o)
				}
			})
		}
		f.replace(a, q)
		if f.Rewrite != nil {
			a.body = f.Rewrite(a.body)
		}
		a.truncate = max(a.truncate, f.TruncateBody)
		a.stall = max(a.stall, f.StallBody)
		a.drop = a.drop || f.DropConnection
	}
	return a
}

func (f *Fault) replace(a *answer, q *request) {
	status := f.Status
	if f.Redirect != "" && status == 0 {
		status = http.StatusFound
	}
	if status != 0 || f.Body != "" {
		if status != 0 {
			a.status = status
		}
		a.header = make(http.Header)
		a.body = []byte(f.Body)
		switch {
		case strings.HasPrefix(f.Body, "{"):
			a.header.Set("Content-Type", "application/json; charset=utf-8")
		case f.Body != "":
			a.header.Set("Content-Type", "text/plain")
		case status >= http.StatusBadRequest && q.git != nil:
			e := gitRefusal(status, http.StatusText(status))
			a.header, a.body = e.header, e.body
		case status >= http.StatusBadRequest:
			e := refuse(status, http.StatusText(status))
			a.header, a.body = e.header, e.body
		}
	}
	if f.Redirect != "" {
		a.header.Set("Location", f.Redirect)
	}
	for k, vs := range f.Header {
		a.header[http.CanonicalHeaderKey(k)] = slices.Clone(vs)
	}
}
