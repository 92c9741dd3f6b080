package datasource

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/port"
)

const (
	// totalTime is what calls may cost in a run: those that failed, and all that the
	// run waits for. The last part of it is kept for the state at the end.
	totalTime   = 30 * time.Second
	reserveTime = 10 * time.Second
	// maxFailures in a row end a part of the feed. One failure that took longer than
	// stallTime ends it too, unless it is the state of the run.
	maxFailures = 2
	stallTime   = 5 * time.Second
)

// part is a part of the feed that can fail by itself.
type part int

const (
	resyncState part = iota
	syncStatus
	shippedLog
	rawExamples
)

// partNames are the parts in the words of a Failure, in their order.
var partNames = []string{"the state of this run", "the sync status of this run", "the log of this run", "raw examples for the mapping editor"}

// calls makes the calls of a feed, each for one part of it. It is safe for concurrent
// use.
type calls struct {
	mu    sync.Mutex // guards what follows
	spent time.Duration
	parts [rawExamples + 1]state
	panic any
}

// state is how a part of the feed fares.
type state struct {
	off    bool
	failed int // in a row
	first  error
	count  int
}

// begin sets what calls have cost before, and which parts there are.
func (c *calls) begin(spent time.Duration, has map[part]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spent = spent
	for of := range c.parts {
		c.parts[of].off = !has[part(of)]
	}
}

func (c *calls) off(of part) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.parts[of].off
}

func (c *calls) left() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return totalTime - c.spent
}

// crashed records that a goroutine of the feed panicked.
func (c *calls) crashed(v any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.panic = v
}

// do makes one call for a part of the feed, unless that has failed too often or the
// limit of the time for calls is used up. It reports whether Port took it.
func (c *calls) do(ctx context.Context, of part, limit time.Duration, call func(context.Context) error) bool {
	c.mu.Lock()
	left, off := limit-c.spent, c.parts[of].off
	c.mu.Unlock()
	if off || ctx.Err() != nil && !late(ctx) {
		return false
	}
	err, took := errNoTime, time.Duration(0)
	if left > 0 && ctx.Err() == nil {
		begun := time.Now()
		limited, stop := context.WithTimeoutCause(ctx, left, errNoTime)
		err = call(limited)
		stop()
		took = time.Since(begun)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.parts[of]
	if err == nil {
		s.failed = 0
		return true
	}
	if ctx.Err() != nil && !late(ctx) {
		return false
	}
	c.spent += took
	if s.failed++; s.first == nil {
		s.first = err
	}
	s.count++
	s.off = s.failed >= maxFailures || final(err) || took > stallTime && of != resyncState
	return false
}

var errNoTime = errors.New("the time for calls that a run does not depend on is used up")

// late reports whether the time for the end of the feed is used up.
func late(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errNoTime) }

// final reports whether an answer will be the same for the rest of the run.
func final(err error) bool {
	var e *port.Error
	if !errors.As(err, &e) {
		return errors.Is(err, port.ErrUntrusted)
	}
	return e.Status/100 == 4 && !e.Passing() && e.Status != http.StatusTooManyRequests
}

// Failure is a part of the feed that does not show what it should.
type Failure struct {
	What  string // "the sync status of this run"
	Count int    // of the calls that failed
	Err   error  // the first one
}

// failures returns what went wrong, in a fixed order.
func (c *calls) failures() []Failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Failure
	for of, s := range c.parts {
		if s.first != nil {
			all = append(all, Failure{partNames[of], s.count, s.first})
		}
	}
	if c.panic != nil {
		all = append(all, crash(c.panic))
	}
	return all
}

func crash(v any) Failure {
	return Failure{"all of this run", 1, fmt.Errorf("internal error: %v", v)}
}
