package port

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

// pace keeps to what Port says of its rate limits, so that a request waits instead
// of being refused. Which routes share an allowance is not published: those do
// whose answers agree on limit, period and end. The zero pace knows nothing, and
// lets everything pass; it is safe for concurrent use.
//
// Source: https://docs.port.io/api-reference/rate-limits, read 2026-11.
type pace struct {
	mu         sync.Mutex
	routes     map[string]*allowance
	allowances map[allowanceKey]*allowance
}

type allowanceKey struct{ limit, period, reset string }

// allowance is what is left until its end.
type allowance struct {
	left int
	end  time.Time // by our own clock
	// dry is how many allowances of this route in a row were said to be empty from
	// the first answer on. After maxDry the header says nothing.
	dry int
}

// maxDry bounds the waiting for a header that always says that nothing is left.
const maxDry = 2

// wait returns when the route has something left, and takes one of it.
func (p *pace) wait(ctx context.Context, route string, wait transport.Wait) error {
	for waited := time.Duration(0); ; {
		pause := p.take(route)
		if waited += pause; pause <= 0 || waited > maxLimitWait {
			return nil // Port's answer decides
		}
		if err := wait(ctx, pause, transport.UsedUp); err != nil {
			return err
		}
	}
}

// take takes one, or says how long to wait.
func (p *pace) take(route string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.routes[route]
	if a == nil {
		return 0
	}
	now := time.Now()
	if a.left > 0 || a.dry > maxDry || !now.Before(a.end) {
		a.left--
		return 0
	}
	return a.end.Sub(now)
}

// learn reads the headers of an answer.
func (p *pace) learn(route string, resp *http.Response) {
	h := resp.Header
	left, err := strconv.Atoi(h.Get("x-ratelimit-remaining"))
	reset := h.Get("x-ratelimit-reset")
	after, ok := untilReset(h)
	if period, err := strconv.Atoi(h.Get("x-ratelimit-period")); err == nil && period > 0 {
		ok = ok && after <= time.Duration(min(period, int(maxLimitWait/time.Second)))*time.Second+time.Second
	}
	if err != nil || !ok || left < 0 || after > maxLimitWait {
		return // it makes no sense
	}
	p.mu.Lock()
	defer p.mu.Unlock()
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
// which the answer's Date tells.
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
