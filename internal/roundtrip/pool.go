package roundtrip

import (
	"context"
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

// Credential is one way to authenticate, with an allowance of its own.
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
// goes out on a clone, with the credential that has most of its allowance left,
// and waits when none has any.
//
// An answer of 429 freezes the class of requests for that credential: for as long
// as Retry-After says, else for a twelfth of the window, doubling up to the window
// as long as refusals go on. After a freeze one request goes ahead as a probe. The
// request that was refused goes out again; waiting is no attempt. An answer of 401
// retires the credential while there is another.
//
// A Pool is safe for concurrent use.
type Pool struct {
	base  http.RoundTripper
	rate  Rate
	class func(*http.Request) string
	log   *slog.Logger

	mu      sync.Mutex
	all     []*account
	changed chan struct{} // closed, and replaced, when a waiter may go on
	told    time.Time     // when the last line about waiting was written
}

type account struct {
	Credential
	ledger  ledger
	retired bool
	classes map[string]*freeze
}

// freeze is the state of one class of requests of one credential.
type freeze struct {
	pause   time.Duration // of the last freeze; 0 when none
	until   time.Time
	probing bool
}

// NewPool spends the rate of each of the credentials; class names the class of a request.
func NewPool(base http.RoundTripper, credentials []Credential, rate Rate, class func(*http.Request) string, log *slog.Logger) *Pool {
	p := &Pool{base: base, rate: rate, class: class, log: log, changed: make(chan struct{})}
	for _, c := range credentials {
		p.all = append(p.all, &account{
			Credential: c,
			ledger:     ledger{limit: rate.N, window: rate.Window},
			classes:    map[string]*freeze{},
		})
	}
	return p
}

// RoundTrip sends the request, once an allowance lets it.
func (p *Pool) RoundTrip(req *http.Request) (*http.Response, error) {
	class := p.class(req)
	var refused time.Time
	for {
		a, sent, err := p.acquire(req.Context(), class)
		if err != nil {
			return nil, err
		}
		out := req.Clone(req.Context())
		a.Authorize(out)
		resp, err := p.base.RoundTrip(out)
		if err != nil {
			p.settle(a, class, sent, nil)
			return nil, err
		}
		p.settle(a, class, sent, resp)
		switch resp.StatusCode {
		case http.StatusTooManyRequests:
			if refused.IsZero() {
				refused = sent
			}
			if time.Since(refused) >= patienceWindows*p.rate.Window {
				return resp, nil
			}
		case http.StatusUnauthorized:
			if !p.retire(a) {
				return resp, nil
			}
		default:
			return resp, nil
		}
		io.Copy(io.Discard, io.LimitReader(resp.Body, 4096))
		resp.Body.Close()
	}
}

// acquire waits for the credential to send the next request of a class with, and
// enters the request into its ledger.
func (p *Pool) acquire(ctx context.Context, class string) (*account, time.Time, error) {
	for {
		p.mu.Lock()
		now := time.Now()
		a, at := p.pick(class, now)
		if a != nil {
			a.ledger.spend(now)
			if f := a.classes[class]; f != nil && f.pause > 0 {
				f.probing = true
			}
			p.mu.Unlock()
			return a, now, nil
		}
		changed := p.changed
		p.tell(class, now, at)
		p.mu.Unlock()
		if err := p.wait(ctx, now, at, changed); err != nil {
			return nil, time.Time{}, err
		}
	}
}

// pick returns the credential that may send now and has most left, or the time
// at which one may; a zero time when that depends on a probe under way.
func (p *Pool) pick(class string, now time.Time) (best *account, at time.Time) {
	most := 0
	for _, a := range p.all {
		if a.retired {
			continue
		}
		next := a.ledger.next(now)
		if f := a.classes[class]; f != nil && f.pause > 0 {
			if f.probing {
				continue
			}
			if f.until.After(next) {
				next = f.until
			}
		}
		if next.After(now) {
			if at.IsZero() || next.Before(at) {
				at = next
			}
			continue
		}
		if free := a.ledger.free(now); best == nil || free > most {
			best, most = a, free
		}
	}
	return best, at
}

// wait returns at the time, at a change, or after a minute: then the caller tells again.
func (p *Pool) wait(ctx context.Context, now, at time.Time, changed <-chan struct{}) error {
	pause := time.Minute
	if !at.IsZero() {
		pause = min(pause, at.Sub(now))
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the rate limit: %w", context.Cause(ctx))
	}
	return nil
}

// tell writes one line a minute while requests wait.
func (p *Pool) tell(class string, now, at time.Time) {
	if now.Sub(p.told) < time.Minute || at.IsZero() {
		return
	}
	p.told = now
	why := "the allowance is used up"
	for _, a := range p.all {
		if f := a.classes[class]; !a.retired && f != nil && f.until.After(now) {
			why = "the server answered 429"
		}
	}
	p.log.Info("waiting for the rate limit of Bitbucket", "why", why, "requests", class,
		"allowance", fmt.Sprintf("%d requests in %s for each of %d credentials", p.limit(), p.rate.Window, p.live()),
		"until", at.UTC().Format(time.TimeOnly)+" UTC", "wait", at.Sub(now).Round(time.Second))
}

func (p *Pool) limit() int {
	most := 0
	for _, a := range p.all {
		most = max(most, a.ledger.limit)
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
func (p *Pool) settle(a *account, class string, sent time.Time, resp *http.Response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := a.classes[class]
	if resp != nil && resp.StatusCode == http.StatusTooManyRequests {
		if f == nil {
			f = &freeze{}
			a.classes[class] = f
		}
		p.freeze(a, f, sent, resp.Header)
	} else if f != nil && !sent.Before(f.until) {
		if f.probing = false; resp != nil {
			*f = freeze{}
		}
	}
	if resp != nil {
		if n, err := strconv.Atoi(resp.Header.Get("X-RateLimit-Limit")); err == nil && n > 0 {
			a.ledger.limit = n
		}
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// freeze is for the answer of a request sent at the given time: one sent before
// the last freeze began says nothing new.
func (p *Pool) freeze(a *account, f *freeze, sent time.Time, h http.Header) {
	if f.pause > 0 && sent.Before(f.until) {
		return
	}
	now := time.Now()
	f.pause = min(max(2*f.pause, p.rate.Window/freezeParts), p.rate.Window)
	f.until, f.probing = now.Add(f.pause), false
	if after, ok := RetryAfter(h); ok {
		f.until = now.Add(min(after, patienceWindows*p.rate.Window))
	}
	p.log.Warn("rate limit reached", "credential", a.Name, "pause", f.until.Sub(now).Round(time.Second))
}

// retire takes a refused credential out of use, unless it is the last one.
func (p *Pool) retire(a *account) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.retired {
		return p.live() > 0
	}
	if p.live() < 2 {
		return false
	}
	a.retired = true
	p.log.Warn("credential refused: it is not used any more in this run", "credential", a.Name, "status", http.StatusUnauthorized)
	return true
}
