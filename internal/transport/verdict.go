package transport

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
)

// Service is what a Pool must know about the service.
type Service struct {
	// Class names the class of a request: a rate limit counts the requests of a class together.
	Class func(*http.Request) string
	// Scope says, in words for messages, what a credential must be allowed to do for a
	// request. It may be nil when Judge never answers Weak.
	Scope func(*http.Request) string
	// Judge says what an answer of 401 or 403, given the beginning of its body, means for
	// the credential. When nil, a 401 makes it Doubted.
	Judge func(status int, body []byte) Verdict
}

// Verdict is what a refusal means for the credential of the request.
type Verdict struct {
	Standing Standing
	// Why is the service's message; Missing are the scopes that it names.
	Why     string
	Missing []string
}

// Standing is how a credential stands with the service.
type Standing int

const (
	// Sound: the refusal is not about the credential.
	Sound Standing = iota
	// Doubted: the service did not accept the credential. It is wrong when refused twice in
	// a row: one refusal may be a fault of the service.
	Doubted
	// Weak: the credential lacks the scope that the request needs.
	Weak
	// Barred: the owner of the credential must act before the service answers again, and
	// each further attempt makes it worse.
	Barred
)

// Unfit is a credential that was refused while others were still used.
type Unfit struct {
	Credential string
	Scope      string // it is no longer used for this; empty when it is not used at all
	Status     int
	Verdict
}

// trip is one request on its way through a Pool.
type trip struct {
	class, scope string
	refusals     map[*account]int // how often each was refused
	again        *account         // to be tried once more, when it may send
}

func (p *Pool) trip(req *http.Request) *trip {
	t := &trip{class: p.service.Class(req)}
	if p.service.Scope != nil {
		t.scope = p.service.Scope(req)
	}
	return t
}

// maxRefusal bounds what is kept of the body of a refusal, in bytes.
const maxRefusal = 64 << 10

// judge learns what an answer means for the credential, and reports whether the request
// goes out again. If not, the answer's body can still be read from its beginning.
func (p *Pool) judge(t *trip, a *account, resp *http.Response) (again bool) {
	if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden {
		return false
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // a part of it is enough
	verdict := p.verdict(resp.StatusCode, text)
	switch verdict.Standing {
	case Doubted:
		again = p.doubt(t, a, resp.StatusCode, verdict)
	case Weak:
		again = p.weaken(t, a, resp.StatusCode, verdict)
	case Barred:
		if again = p.retire(a, resp.StatusCode, verdict); !again {
			kept := *resp // the caller may change what it is handed
			p.bar(&refusal{&kept, text})
		}
	}
	if again {
		resp.Body.Close()
		return true
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(text), resp.Body), resp.Body}
	return false
}

func (p *Pool) verdict(status int, body []byte) Verdict {
	switch {
	case p.service.Judge != nil:
		return p.service.Judge(status, body)
	case status == http.StatusUnauthorized:
		return Verdict{Standing: Doubted}
	}
	return Verdict{}
}

// doubt lets a request try the credential once more. A credential that was refused twice in
// a row is retired or, when it is the last one, tried only once for each request.
func (p *Pool) doubt(t *trip, a *account, status int, v Verdict) (again bool) {
	if t.refusals == nil {
		t.refusals = map[*account]int{}
	}
	t.refusals[a]++
	p.mu.Lock()
	first := t.refusals[a] == 1 && !a.wrong && !a.retired
	a.wrong = a.wrong || !first
	p.mu.Unlock()
	if first {
		t.again = a
		return true
	}
	return p.retire(a, status, v)
}

// weaken stops the use of the credential for requests that need the same scope, and reports
// whether there is another one for them.
func (p *Pool) weaken(t *trip, a *account, status int, v Verdict) (other bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := a.weak[t.scope]; !known {
		a.weak[t.scope] = Unfit{a.Name, t.scope, status, v}
		p.log.Warn("credential refused: it is not used any more for this in this run", "credential", a.Name, "for", t.scope, "status", status)
	}
	return p.strong(t.scope)
}

// strong reports whether a credential in use is not known to be weak for a scope.
func (p *Pool) strong(scope string) bool {
	return slices.ContainsFunc(p.all, func(a *account) bool { return !a.retired && !a.isWeak(scope) })
}

func (a *account) isWeak(scope string) bool {
	_, weak := a.weak[scope]
	return weak
}

// retire takes a refused credential out of use, unless it is the last one, and reports
// whether another one is in use.
func (p *Pool) retire(a *account, status int, v Verdict) (other bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.retired {
		return p.live() > 0
	}
	if p.live() < 2 {
		return false
	}
	a.retired, a.unfit = true, Unfit{Credential: a.Name, Status: status, Verdict: v}
	p.log.Warn("credential refused: it is not used any more in this run", "credential", a.Name, "status", status)
	p.wake()
	return true
}

// bar makes the refusal of the last credential the answer to every request.
func (p *Pool) bar(r *refusal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.barred == nil {
		p.barred = r
	}
	p.wake()
}

// accepted learns from an answer that the credential works, for the scope when it is a success.
func (a *account) accepted(status int, scope string) {
	if status == http.StatusUnauthorized {
		return
	}
	a.wrong = false
	if status/100 == 2 {
		delete(a.weak, scope)
	}
}

// Unfit returns the credentials that were refused while others were still used, in order:
// those that are no longer used, then those that are not used for a scope.
func (p *Pool) Unfit() []Unfit {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Unfit
	for _, a := range p.all {
		if a.retired {
			all = append(all, a.unfit)
		}
	}
	for _, a := range p.all {
		for _, scope := range sortedScopes(a) {
			if !a.retired && p.strong(scope) {
				all = append(all, a.weak[scope])
			}
		}
	}
	return all
}

func sortedScopes(a *account) []string { return slices.Sorted(maps.Keys(a.weak)) }
