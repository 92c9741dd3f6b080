package transport

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/progress"
)

// Service is what a Pool must know about the service.
type Service struct {
	// Name is that of the service in the log; empty for Bitbucket's API.
	Name string
	// Class names the class of a request: a rate limit counts the requests of a class together.
	Class func(*http.Request) string
	// Scope says, in words for messages, what a credential must be allowed to do for a
	// request. It may be nil when Judge never answers Weak.
	Scope func(*http.Request) string
	// Judge says what an answer of 401, 403 or, where credentials are of several groups, 404,
	// given the beginning of its body, means for the credential. When nil, a 401 makes it
	// Doubted.
	Judge func(status int, body []byte) Verdict
	// Leads reports whether the answer to a request depends on what a credential sees as a whole,
	// so that the leading group alone sends it. Nil means never.
	Leads func(*http.Request) bool
	// Auto bounds the requests by what the allowances give: a request for which none becomes
	// free soon is not sent, and a credential that has answered 429 for a class is not used
	// for it any more. The error is ErrBudget then.
	Auto bool
	// Progress records requests that wait, and asks when more may go out. It may be nil.
	Progress *progress.Service
	// Budget is that of the requests of the Pool, which is below it: once none is left, no
	// request waits. Nil means no bound.
	Budget *Budget
}

// maxRefusal bounds what is kept of the body of a refusal, in bytes.
const maxRefusal = 64 << 10

// trip is one request on its way through a Pool.
type trip struct {
	class, scope string
	auto         bool             // as Service.Auto
	lead         bool             // the leading group alone sends it
	refusals     map[*account]int // how often each was refused
	again        *account         // to be tried once more, when it may send
}

// pick returns the credential that may send now and has the most requests left, or when
// one may. It prefers the one that is to be tried once more, and takes one that is weak for
// the scope only when there is no other.
func (all accounts) pick(t *trip, now time.Time) (best *account, first due) {
	most, strong, lead := 0, all.strong(t.scope), all.leader(t.scope)
	for _, a := range all {
		if a.retired || strong && a.isWeak(t.scope) || t.lead && a.Group != lead {
			continue
		}
		d := a.due(t.class, now)
		switch {
		case t.auto && a.refused(t.class):
		case d.at.IsZero():
			first.answer = true
		case d.at.After(now):
			if first.at.IsZero() || d.at.Before(first.at) {
				first.at, first.frozen, first.token = d.at, d.frozen, d.token
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

// nearby is for how long at most a request waits where that is still called soon: five minutes of
// Bitbucket's hour.
func nearby(window time.Duration) time.Duration { return window / 12 }

// firstCooldown is that after a first answer of 429 which names no time: ten seconds of Bitbucket's
// hour. Our choice: not every refusal is of a spent allowance, and to find out costs one request.
//
// Source: Bitbucket's per-repository limits and overloads,
// https://bitbucket.status.atlassian.com/incidents/3zcxggn8r5l6, read 2026-11.
func firstCooldown(window time.Duration) time.Duration { return window / 360 }

// A request that is refused by 429 for this many windows fails. One window gives a whole
// allowance back; a second one allows for others that use the same allowance.
const patienceWindows = 2

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

// detached reads and closes the body, so that the connection can be used again,
// and keeps its beginning.
func detached(resp *http.Response) *refusal {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // of a refusal a part will do
	resp.Body.Close()
	return &refusal{resp, text}
}

// Pool spends the allowances of several credentials side by side. Each request
// goes out on a clone, with the credential that has most of its allowance for that
// class of requests left, and waits when none has any. The header X-RateLimit-Limit
// of an answer replaces the number of requests of that allowance, not the window.
//
// An answer of 429 begins a cooldown of the class of requests for that credential: for as long
// as Retry-After says, else for a small part of the window, doubling up to the window
// as long as refusals go on. After a cooldown one request goes ahead as a probe. The
// request that was refused goes out again, for two windows; then the refusal is its
// answer, and that of others of the class which would have to wait for a cooldown: each
// for two windows, they could take days. Waiting is not an attempt.
//
// An answer of 401 or 403 is a refusal of the credential when Service.Judge says so. The
// request then goes out again: after a 401 once more with the same credential, and then with
// another one while there is one. Before it goes out again with one that has access tokens, that
// token is renewed. A credential that is wrong is retired, and so is one that gets no token. One that lacks a
// scope is not used for requests that need the scope. The last credential is never retired:
// its refusal is the answer.
//
// Credentials of several groups may not see the same. The leading one decides what there is:
// it alone sends requests for which Service.Leads, and what another one does not find, or may
// not see, is asked once more of it. Where all of its credentials are retired, or lack the scope,
// the next group leads, and Displaced reports it.
//
// A Pool is safe for concurrent use.
type Pool struct {
	base    http.RoundTripper
	rates   Rates
	service Service
	slots   Slots
	log     *slog.Logger
	made    time.Time

	mu      sync.Mutex
	all     accounts
	changed chan struct{}   // closed, and replaced, when a waiter may go on
	stoodIn map[string]bool // scopes of what another group than the first has answered, and leads
	// exhausted are the refusals of classes that were refused for too long, until an
	// answer other than that.
	exhausted map[string]*refusal
	barred    *refusal // the answer to every request, when the last credential is barred; else nil
}

// NewPool spends the rates of each of the credentials. A request holds one of the slots from
// when it goes out until the body of its answer is closed.
func NewPool(base http.RoundTripper, credentials []Credential, rates Rates, service Service, slots Slots, log *slog.Logger) *Pool {
	p := &Pool{
		base: base, rates: rates, service: service, slots: slots, log: log,
		made:    time.Now(),
		changed: make(chan struct{}), stoodIn: map[string]bool{}, exhausted: map[string]*refusal{},
	}
	for _, c := range credentials {
		p.all = append(p.all, &account{
			Credential: c, rates: rates, sent: map[string]int{},
			ledgers: map[string]*ledger{},
			weak:    map[string]Unfit{},
			classes: map[string]*cooldown{},
		})
	}
	if len(rates.Classes) == 0 { // else it depends on which requests they are
		service.Progress.Allowance(func(n int) time.Time {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.all.earliest(n, time.Now(), rates.Default.Window)
		})
	}
	return p
}

// giveUp makes a refusal the answer to others of its class, and lets others that wait know of it.
func (p *Pool) giveUp(class string, r *refusal) *refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exhausted[class] = r
	p.wake()
	return r
}

// wake lets those that wait look again.
func (p *Pool) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// errRateLimited means that a request was refused for long enough, or others of its class were, or
// that the last credential is barred; in the latter two cases last is their refusal.
type errRateLimited struct{ last *refusal }

func (*errRateLimited) Error() string { return "refused for too long" }

// acquire waits for a slot and a credential that may send the request, and enters the request
// into its ledger. Without an error the slot is to be freed. It asks for the credential with
// the slot at hand: a request that waited for a slot after it had the credential would go out
// into a cooldown that began meanwhile. The error is a *errRateLimited at the time patience, when
// the last credential is barred, and in place of waiting for a cooldown when other requests
// have given up; and ErrBudget when no request is left.
func (p *Pool) acquire(ctx context.Context, t *trip, patience time.Time) (*account, time.Time, error) {
	class := t.class
	for {
		if err := p.slots.take(ctx); err != nil {
			return nil, time.Time{}, err
		}
		p.mu.Lock()
		if p.barred != nil {
			p.mu.Unlock()
			p.slots.free()
			return nil, time.Time{}, &errRateLimited{p.barred}
		}
		now := time.Now()
		a, due := p.all.pick(t, now)
		if p.service.Budget.spent() || a == nil && t.auto && !due.token && !due.within(soon(p.made, p.rates.window(class))) {
			p.mu.Unlock()
			p.slots.free()
			return nil, time.Time{}, ErrBudget
		}
		if a != nil {
			a.ledger(class).send()
			if f := a.classes[class]; f != nil && f.pause > 0 {
				f.probing = true
			}
			p.mu.Unlock()
			return a, now, nil
		}
		p.slots.free()
		changed := p.changed
		over, last := !patience.IsZero() && !now.Before(patience), p.exhausted[class]
		if over || due.frozen && last != nil {
			p.mu.Unlock()
			return nil, time.Time{}, &errRateLimited{last}
		}
		why := p.why(class, due)
		p.mu.Unlock()
		if err := wait(ctx, p.service.Progress, progress.Wait{Until: due.at, Why: why}, earliest(due.at, patience), changed); err != nil {
			return nil, time.Time{}, err
		}
	}
}

// why says what requests of a class wait for. The mutex is held.
func (p *Pool) why(class string, d due) string {
	switch {
	case d.frozen:
		return refusedBy(cmp.Or(p.service.Name, "Bitbucket"))
	case d.token:
		return "an access token that was not given"
	}
	text := "the allowance of " + progress.Count(p.all.live(), "credential", "credentials")
	if name, _ := p.rates.ledger(class); name != "" {
		text += " for requests of " + name
	}
	if p.service.Name != "" {
		text += " at " + p.service.Name
	}
	return text
}

// unsent takes a request back that did not go out.
func (p *Pool) unsent(a *account, t *trip) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.ledger(t.class).underWay--
	if f := a.classes[t.class]; f != nil {
		f.probing = false
	}
	p.wake()
}

// settle learns from an answer; resp is nil when there was none.
func (p *Pool) settle(a *account, t *trip, sent time.Time, resp *http.Response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	class := t.class
	a.ledger(class).answer(time.Now())
	f := a.classes[class]
	if resp != nil && resp.StatusCode != http.StatusTooManyRequests {
		delete(p.exhausted, class)
	}
	if resp != nil && resp.StatusCode == http.StatusTooManyRequests {
		if f == nil {
			f = &cooldown{}
			a.classes[class] = f
		}
		p.cool(a, f, class, sent, resp.Header)
	} else if f != nil && !sent.Before(f.until) {
		if f.probing = false; resp != nil {
			*f = cooldown{}
		}
	}
	a.sent[class]++
	if resp != nil {
		a.accepted(resp.StatusCode, t.scope)
		if t.lead && resp.StatusCode/100 == 2 && a.Group != p.all.first().Group {
			p.stoodIn[t.scope] = true
		}
		if n, err := strconv.Atoi(resp.Header.Get("X-RateLimit-Limit")); err == nil && n > 0 {
			a.ledger(class).limit, a.ledger(class).named = n, n
			a.quota = strconv.Itoa(n)
		}
	}
	p.wake()
}

// cool is for the answer of a request sent at the given time: one sent before
// the last cooldown began says nothing new.
func (p *Pool) cool(a *account, f *cooldown, class string, sent time.Time, h http.Header) {
	if f.pause > 0 && sent.Before(f.until) {
		return
	}
	now, window := time.Now(), p.rates.window(class)
	f.pause = min(max(2*f.pause, firstCooldown(window)), window)
	f.until, f.probing = now.Add(f.pause), false
	f.refusals++
	if after, ok := RetryAfter(h); ok {
		// At once, or in the past, would be again and again.
		floor := min(time.Second<<min(f.refusals-1, 20), f.pause)
		f.until = now.Add(min(max(after, floor), patienceWindows*window))
	}
	p.log.Warn("rate limit reached", "credential", a.Name, "requests", class, "pause", f.until.Sub(now).Round(time.Second))
}
