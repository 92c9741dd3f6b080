package transport

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// RoundTrip sends the request, once an allowance lets it. One with a body must have GetBody:
// it may go out more than once.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	t := p.service.trip(req)
	var refused *refusal
	var patience time.Time // when the refusal is handed on; zero without one
	for again := false; ; again = true {
		a, sent, err := p.acquire(req.Context(), t, patience)
		var over *errRateLimited
		if errors.As(err, &over) {
			if over.last == nil {
				over.last = p.giveUp(t.class, refused)
			}
			return over.last.answer(req), nil
		}
		if err != nil {
			return nil, err
		}
		token, err := a.token(req.Context())
		if err != nil {
			p.unsent(a, t)
			p.slots.free()
			if p.without(a, err) {
				continue
			}
			return nil, err
		}
		resp, err := a.send(p.base, req, token, again)
		if err == ErrBudget { // and not one that was sent once, and not again
			p.unsent(a, t)
		} else {
			p.settle(a, t, sent, resp)
		}
		if err != nil {
			p.slots.free()
			return nil, err
		}
		resp.Body = onClose(resp.Body, p.slots.free)
		if resp.StatusCode == http.StatusTooManyRequests {
			refused = detached(resp)
			if now := time.Now(); patience.IsZero() {
				patience = now.Add(patienceWindows * p.rates.window(t.class))
			} else if !now.Before(patience) {
				return p.giveUp(t.class, refused).answer(req), nil
			}
			continue
		}
		if !p.judge(t, a, token, resp) {
			return resp, nil
		}
	}
}

// send sends a clone of the request, with its body from the beginning.
func (a *account) send(base http.RoundTripper, req *http.Request, token string, again bool) (*http.Response, error) {
	out := req.Clone(req.Context())
	if again && req.GetBody != nil {
		var err error
		if out.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	a.authorize(out, token)
	return base.RoundTrip(out)
}

func (s Service) trip(req *http.Request) *trip {
	t := &trip{class: s.Class(req), auto: s.Auto}
	if s.Scope != nil {
		t.scope = s.Scope(req)
	}
	t.lead = s.Leads != nil && s.Leads(req)
	return t
}

// judge learns what an answer means for the credential, and reports whether the request
// goes out again. If not, the answer's body can still be read from its beginning.
func (p *Pool) judge(t *trip, a *account, token string, resp *http.Response) (again bool) {
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
	case http.StatusNotFound:
		if !p.all.mixed() {
			return false
		}
	default:
		return false
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // a part of it is enough
	verdict := p.service.verdict(resp.StatusCode, text)
	standing := verdict.Standing
	if standing == Either {
		standing = p.either(a, token)
	}
	switch standing {
	case Doubted:
		again = p.doubt(t, a, token, resp.StatusCode, verdict)
	case Blind:
		again = p.follow(t, a)
	case Weak:
		again = p.weaken(t, a, resp.StatusCode, verdict)
	case Barred:
		if again = p.retire(a, Unfit{Status: resp.StatusCode, Verdict: verdict}); !again {
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

// Proven reports whether the service has accepted one of the credentials.
func (p *Pool) Proven() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.all, func(a *account) bool { return a.proven })
}

// either decides what Either is for an account. An access token that may have ended before its
// time is doubted.
func (p *Pool) either(a *account, token string) Standing {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.proven && (a.Tokens == nil || !a.Tokens.old(token)) {
		return Blind
	}
	return Doubted
}

func (s Service) verdict(status int, body []byte) Verdict {
	switch {
	case s.Judge != nil:
		return s.Judge(status, body)
	case status == http.StatusUnauthorized:
		return Verdict{Standing: Doubted}
	}
	return Verdict{}
}

// doubt lets a request try the credential once more, with another access token where it has
// some. A credential that was refused twice in
// a row is retired or, when it is the last one, tried only once for each request.
func (p *Pool) doubt(t *trip, a *account, token string, status int, v Verdict) (again bool) {
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
		if a.Tokens != nil {
			a.Tokens.refuse(token)
		}
		return true
	}
	return p.retire(a, Unfit{Status: status, Verdict: v})
}

// without decides, where a credential has no access token, whether the request goes on with
// another one, or waits for this one.
func (p *Pool) without(a *account, err error) (again bool) {
	e := AsTokenError(err)
	if e == nil || !e.Lasting {
		return e != nil
	}
	return p.retire(a, Unfit{Status: e.Status, NoToken: err})
}

// follow lets a request of a group that does not lead go out again by the one that does.
func (p *Pool) follow(t *trip, a *account) (again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	again = !t.lead && a.Group != p.all.leader(t.scope)
	t.lead = t.lead || again
	return again
}

// weaken stops the use of the credential for requests that need the same scope, and reports
// whether there is another one for them.
func (p *Pool) weaken(t *trip, a *account, status int, v Verdict) (other bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := a.weak[t.scope]
	if !known {
		a.weak[t.scope] = Unfit{Credential: a.Name, Scope: t.scope, Status: status, Verdict: v}
	}
	if other = p.all.strong(t.scope); other && !known { // else the caller has the refusal
		p.log.Warn("credential refused: it is not used any more for this in this run", "credential", a.Name, "for", t.scope, "status", status)
	}
	return other
}

// retire takes a refused credential out of use, unless it is the last one, and reports
// whether another one is in use.
func (p *Pool) retire(a *account, why Unfit) (other bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.retired {
		return p.all.live() > 0
	}
	if p.all.live() < 2 {
		return false
	}
	why.Credential = a.Name
	a.retired, a.unfit = true, why
	args := []any{"credential", a.Name, "status", why.Status}
	if p.service.Name != "" {
		args = append(args, "by", p.service.Name)
	}
	p.log.Warn("credential refused: it is not used any more in this run", args...)
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
