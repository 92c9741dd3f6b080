package port

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

// pace keeps to what Port has published of its rate limits, and to what it says of them, so
// that a request waits instead of being refused. In what it says, those routes share an
// allowance whose answers agree on limit, period and end. The zero pace knows no answer; it is
// safe for concurrent use.
//
// Source: https://docs.port.io/api-reference/rate-limits, read 2026-11.
type pace struct {
	published limits

	mu         sync.Mutex // guards what follows
	routes     map[string]*allowance
	allowances map[allowanceKey]*allowance
	flying     map[string]int // requests of a route that have no answer yet
	landed     chan struct{}  // closed by the next answer; nil when nothing waits for it
}

type allowanceKey struct{ limit, period, reset string }

// allowance is what is left until its end.
type allowance struct {
	left int       // the least that an answer named: requests in flight may be counted, or not
	end  time.Time // by our own clock
	// dry is how many allowances of this route in a row were said to be empty from
	// the first answer on. After maxDry the header says nothing.
	dry int
}

// maxDry bounds the waiting for a header that always says that nothing is left.
const maxDry = 2

// wait returns when the route has something left, and takes one of it: learn gives
// it back.
func (p *pace) wait(ctx context.Context, route string, wait transport.Wait) error {
	if pause := p.published.take(route, time.Now()); pause > 0 {
		if err := wait(ctx, pause, transport.UsedUp); err != nil {
			return err
		}
	}
	for waited := time.Duration(0); ; {
		pause, landed := p.take(route, waited > maxLimitWait)
		switch {
		case landed != nil:
			select {
			case <-landed:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		case pause <= 0:
			return nil
		default:
			waited += pause
			if waited > maxLimitWait {
				continue // Port's answer decides
			}
			if err := wait(ctx, pause, transport.UsedUp); err != nil {
				return err
			}
		}
	}
}

// take takes one, or says how long to wait, or for which answer: what is left may be
// just what flies.
func (p *pace) take(route string, anyway bool) (time.Duration, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flying == nil {
		p.flying = map[string]int{}
	}
	now := time.Now()
	a := p.routes[route]
	if a == nil || anyway || a.dry > maxDry || !now.Before(a.end) || a.left > p.flyingOf(a) {
		p.flying[route]++
		return 0, nil
	}
	if a.left <= 0 {
		return a.end.Sub(now), nil
	}
	if p.landed == nil {
		p.landed = make(chan struct{})
	}
	return 0, p.landed
}

// flyingOf counts the requests of the routes that share a.
func (p *pace) flyingOf(a *allowance) (n int) {
	for route, flying := range p.flying {
		if p.routes[route] == a {
			n += flying
		}
	}
	return n
}

// learn reads the headers of an answer; resp is nil when there was none.
func (p *pace) learn(route string, resp *http.Response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flying[route]--
	if p.landed != nil {
		close(p.landed)
		p.landed = nil
	}
	if resp != nil && p.read(route, resp) {
		return
	}
	if a := p.routes[route]; a != nil {
		a.left-- // it may have been counted
	}
}

// read reports whether the headers of an answer make sense.
func (p *pace) read(route string, resp *http.Response) bool {
	h := resp.Header
	left, err := strconv.Atoi(h.Get("x-ratelimit-remaining"))
	reset := h.Get("x-ratelimit-reset")
	after, ok := untilReset(h)
	if period, err := strconv.Atoi(h.Get("x-ratelimit-period")); err == nil && period > 0 {
		ok = ok && after <= time.Duration(min(period, int(maxLimitWait/time.Second)))*time.Second+time.Second
	}
	if err != nil || !ok || left < 0 || after > maxLimitWait {
		return false
	}
	now := time.Now()
	key := allowanceKey{h.Get("x-ratelimit-limit"), h.Get("x-ratelimit-period"), reset}
	a := p.allowances[key]
	if a == nil {
		p.drop(now)
		a = &allowance{left: left, end: now.Add(after)}
		if last := p.routes[route]; left <= 0 && resp.StatusCode != http.StatusTooManyRequests {
			if a.dry = 1; last != nil {
				a.dry = last.dry + 1
			}
		}
		p.allowances[key] = a
	}
	a.left = min(a.left, left)
	p.routes[route] = a
	return true
}

// drop forgets allowances that have ended.
func (p *pace) drop(now time.Time) {
	if p.routes == nil {
		p.routes, p.allowances = map[string]*allowance{}, map[allowanceKey]*allowance{}
	}
	for key, a := range p.allowances {
		if !now.Before(a.end) {
			delete(p.allowances, key)
		}
	}
}

// limited is an answer of 429; after is 0 when it does not say how long to wait.
type limited struct {
	err   error
	after time.Duration
}

func (l *limited) Error() string { return l.err.Error() }

func (l *limited) Unwrap() error { return l.err }

// minEpoch tells a time from a number of seconds in x-ratelimit-reset: the
// incumbent reads what is larger as a time.
const minEpoch = 10_000

// limitWait reads Retry-After, else x-ratelimit-reset: a time by Port's own clock,
// which the answer's Date gives.
func limitWait(h http.Header) time.Duration {
	if after, ok := transport.RetryAfter(h); ok {
		return max(after, time.Second)
	}
	if after, ok := untilReset(h); ok {
		return max(after, time.Second)
	}
	return 0
}

// untilReset reads x-ratelimit-reset: how long the allowance still lasts.
func untilReset(h http.Header) (time.Duration, bool) {
	reset, err := strconv.ParseInt(h.Get("x-ratelimit-reset"), 10, 64)
	switch {
	case err != nil || reset <= 0:
		return 0, false
	case reset < minEpoch:
		return time.Duration(reset) * time.Second, true
	}
	return time.Unix(reset, 0).Sub(portTime(h)), true
}

// portTime is the time of an answer by the server's clock, to the second before.
func portTime(h http.Header) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return time.Now().Truncate(time.Second)
}
