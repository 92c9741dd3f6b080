package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Rate is an allowance: N requests in every rolling Window.
type Rate struct {
	N      int
	Window time.Duration
}

// Rates are the allowances of each credential.
type Rates struct {
	// Default is what the classes without a rate of their own spend together.
	Default Rate
	// Classes are the rates of classes of requests that are counted apart.
	Classes map[string]Rate
}

// ledger names the ledger of a class, and its rate.
func (r Rates) ledger(class string) (name string, rate Rate) {
	if rate, ok := r.Classes[class]; ok {
		return class, rate
	}
	return "", r.Default
}

func (r Rates) window(class string) time.Duration {
	_, rate := r.ledger(class)
	return rate.Window
}

// Credential is one way to authenticate, with allowances of its own.
type Credential struct {
	// Name tells it apart in messages: `workspace token 2 of 3`.
	Name string
	// Authorize sets the header on a request that nobody else holds.
	Authorize func(*http.Request)
}

// The shortest freeze after an answer of 429 is the window divided by this.
const freezeParts = 12

// A request that is refused by 429 for this many windows fails.
const patienceWindows = 2

// Pool spends the allowances of several credentials side by side. Each request
// goes out on a clone, with the credential that has most of its allowance for that
// class of requests left, and waits when none has any. The header X-RateLimit-Limit
// of an answer replaces the number of requests of that allowance, not the window.
//
// An answer of 429 freezes the class of requests for that credential: for as long
// as Retry-After says, else for a twelfth of the window, doubling up to the window
// as long as refusals go on. After a freeze one request goes ahead as a probe. The
// request that was refused goes out again, for two windows; then the refusal is its
// answer, and that of others of the class which would have to wait for a freeze: each
// for two windows, they could take days. Waiting is no attempt.
//
// An answer of 401 or 403 is a refusal of the credential when Service.Judge says so. The
// request then goes out again: after a 401 once more with the same credential, and then with
// another one while there is one. A credential that is wrong is retired. One that lacks a
// scope is not used for requests that need the scope. The last credential is never retired:
// its refusal is the answer.
//
// A Pool is safe for concurrent use.
type Pool struct {
	base    http.RoundTripper
	rates   Rates
	service Service
	log     *slog.Logger
	waits   teller

	mu      sync.Mutex
	all     []*account
	changed chan struct{} // closed, and replaced, when a waiter may go on
	// lasting are the refusals of classes that were refused for too long, until an
	// answer other than that.
	lasting map[string]*refusal
	barred  *refusal // the answer to every request, when the last credential is barred; else nil
}

// refusal is an answer that can be given to many requests.
type refusal struct {
	resp *http.Response
	text []byte
}

func (r *refusal) answer(req *http.Request) *http.Response {
	resp := *r.resp
	resp.Body, resp.Request = io.NopCloser(bytes.NewReader(r.text)), req
	return &resp
}

// NewPool spends the rates of each of the credentials.
func NewPool(base http.RoundTripper, credentials []Credential, rates Rates, service Service, log *slog.Logger) *Pool {
	p := &Pool{
		base: base, rates: rates, service: service, log: log,
		waits:   teller{service: "Bitbucket", log: log},
		changed: make(chan struct{}), lasting: map[string]*refusal{},
	}
	for _, c := range credentials {
		p.all = append(p.all, &account{
			Credential: c, rates: rates, sent: map[string]int{},
			ledgers: map[string]*ledger{},
			weak:    map[string]Unfit{},
			classes: map[string]*freeze{},
		})
	}
	return p
}

// RoundTrip sends the request, once an allowance lets it.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	t := p.trip(req)
	var refused *refusal
	var patience time.Time // when the refusal is handed on; zero without one
	for {
		a, sent, err := p.acquire(req.Context(), t, patience)
		var over *givenUp
		if errors.As(err, &over) {
			if over.last == nil {
				over.last = p.giveUp(t.class, refused)
			}
			return over.last.answer(req), nil
		}
		if err != nil {
			return nil, err
		}
		out := req.Clone(req.Context())
		a.Authorize(out)
		resp, err := p.base.RoundTrip(out)
		p.settle(a, t, sent, resp)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			refused = detached(resp)
			if now := time.Now(); patience.IsZero() {
				patience = now.Add(patienceWindows * p.rates.window(t.class))
			} else if !now.Before(patience) {
				return p.giveUp(t.class, refused).answer(req), nil
			}
			continue
		}
		if !p.judge(t, a, resp) {
			return resp, nil
		}
	}
}

// detached reads and closes the body, so that the connection can be used again,
// and keeps its beginning.
func detached(resp *http.Response) *refusal {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // of a refusal a part will do
	resp.Body.Close()
	return &refusal{resp, text}
}

// giveUp makes a refusal the lasting one, and lets others that wait know of it.
func (p *Pool) giveUp(class string, r *refusal) *refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lasting[class] = r
	p.wake()
	return r
}

// wake lets those that wait look again.
func (p *Pool) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// givenUp means that a request was refused for long enough, or others of its class were, or
// that the last credential is barred; in the latter two cases last is their refusal.
type givenUp struct{ last *refusal }

func (*givenUp) Error() string { return "refused for too long" }

// acquire waits for a credential that may send the request, and enters the request into
// its ledger. The error is a *givenUp at the time patience, when the last credential is
// barred, and in place of waiting for a freeze when other requests have given up.
func (p *Pool) acquire(ctx context.Context, t *trip, patience time.Time) (*account, time.Time, error) {
	class := t.class
	for {
		p.mu.Lock()
		if p.barred != nil {
			p.mu.Unlock()
			return nil, time.Time{}, &givenUp{p.barred}
		}
		now := time.Now()
		a, due := p.pick(t, now)
		if a != nil {
			a.ledger(class).send()
			if f := a.classes[class]; f != nil && f.pause > 0 {
				f.probing = true
			}
			p.mu.Unlock()
			return a, now, nil
		}
		changed := p.changed
		over, last := !patience.IsZero() && !now.Before(patience), p.lasting[class]
		if over || due.frozen && last != nil {
			p.mu.Unlock()
			return nil, time.Time{}, &givenUp{last}
		}
		p.tell(class, now, due)
		p.mu.Unlock()
		if err := wait(ctx, now, earliest(due.at, patience), changed); err != nil {
			return nil, time.Time{}, err
		}
	}
}

// pick returns the credential that may send now and has the most requests left, or when
// one may. It prefers the one that is to be tried once more, and takes one that is weak for
// the scope only when there is no other.
func (p *Pool) pick(t *trip, now time.Time) (best *account, first due) {
	most, strong := 0, p.strong(t.scope)
	for _, a := range p.all {
		if a.retired || strong && a.isWeak(t.scope) {
			continue
		}
		d := a.due(t.class, now)
		switch {
		case d.at.IsZero():
		case d.at.After(now):
			if first.at.IsZero() || d.at.Before(first.at) {
				first = d
			}
		case a == t.again:
			t.again = nil
			return a, first
		default:
			if free := a.ledger(t.class).free(now); best == nil || free > most {
				best, most = a, free
			}
		}
	}
	return best, first
}

// earliest of two times; a zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// tell says why requests of a class wait; not while it is not known until when.
func (p *Pool) tell(class string, now time.Time, d due) {
	if d.at.IsZero() {
		return
	}
	why := UsedUp
	if d.frozen {
		why = Refused
	}
	p.waits.tell(now, d.at, why, "requests", class,
		"allowance", fmt.Sprintf("%d requests in %s for each of %d credentials", p.limit(class), p.rates.window(class), p.live()))
}

func (p *Pool) limit(class string) int {
	most := 0
	for _, a := range p.all {
		if !a.retired {
			most = max(most, a.ledger(class).limit)
		}
	}
	return most
}

func (p *Pool) live() int {
	n := 0
	for _, a := range p.all {
		if !a.retired {
			n++
		}
	}
	return n
}

// settle learns from an answer; resp is nil when there was none.
func (p *Pool) settle(a *account, t *trip, sent time.Time, resp *http.Response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	class := t.class
	a.ledger(class).answer(time.Now())
	f := a.classes[class]
	if resp != nil && resp.StatusCode != http.StatusTooManyRequests {
		delete(p.lasting, class)
	}
	if resp != nil && resp.StatusCode == http.StatusTooManyRequests {
		if f == nil {
			f = &freeze{}
			a.classes[class] = f
		}
		p.freeze(a, f, class, sent, resp.Header)
	} else if f != nil && !sent.Before(f.until) {
		if f.probing = false; resp != nil {
			*f = freeze{}
		}
	}
	a.sent[class]++
	if resp != nil {
		a.accepted(resp.StatusCode, t.scope)
		if n, err := strconv.Atoi(resp.Header.Get("X-RateLimit-Limit")); err == nil && n > 0 {
			a.ledger(class).limit = n
			a.quota = strconv.Itoa(n)
		}
	}
	p.wake()
}

// freeze is for the answer of a request sent at the given time: one sent before
// the last freeze began says nothing new.
func (p *Pool) freeze(a *account, f *freeze, class string, sent time.Time, h http.Header) {
	if f.pause > 0 && sent.Before(f.until) {
		return
	}
	now, window := time.Now(), p.rates.window(class)
	f.pause = min(max(2*f.pause, window/freezeParts), window)
	f.until, f.probing = now.Add(f.pause), false
	f.refusals++
	if after, ok := RetryAfter(h); ok {
		// At once, or in the past, would be again and again.
		floor := min(time.Second<<min(f.refusals-1, 20), f.pause)
		f.until = now.Add(min(max(after, floor), patienceWindows*window))
	}
	p.log.Warn("rate limit reached", "credential", a.Name, "requests", class, "pause", f.until.Sub(now).Round(time.Second))
}
