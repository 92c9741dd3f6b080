// Package datasource keeps what Port's Data sources page shows of a run: that it
// runs and how it ended, how each kind goes, its log, and raw examples.
//
// All of it is courtesy. Nothing waits for it but the beginning and the end of a
// run, a failure of it is told and changes nothing else, and what Port takes too
// slowly is left out.
package datasource

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"port-bitbucket-exporter/internal/port"
)

const (
	// totalTime is what calls may cost in a run: those that failed, and all that the
	// run waits for. The last part of it is kept for the state at the end.
	totalTime   = 30 * time.Second
	reserveTime = 10 * time.Second
	// stopTime is all that is left after a signal, the first part of it for the state.
	stopTime    = 3 * time.Second
	stopReserve = 2 * time.Second
	// beat is how often what has changed goes out, every second time with a heartbeat.
	beat = 5 * time.Second
	// maxFailures in a row end a part of the page; but for the state one does that
	// took longer than stallTime.
	maxFailures = 2
	stallTime   = 5 * time.Second
)

// Config says whose page it is, and what of it to keep.
type Config struct {
	Port        *port.Client
	Integration port.Integration
	Kinds       []Kind // the resources of the mapping, in order
	Status      bool   // the state of the run, and how each kind goes
	Logs        bool
	Examples    bool
	// Spent is what such calls have cost before.
	Spent time.Duration
}

// Page is the entry of one run. Until it is begun it keeps the log, and sends
// nothing. Its methods but Begin and Finish never wait, and are safe for
// concurrent use.
type Page struct {
	redact func(string) string
	config Config
	event  string // names the resync

	wake    chan struct{}
	closing chan struct{}
	done    chan struct{} // nil before Begin
	stop    context.CancelFunc
	closed  atomic.Bool

	mu      sync.Mutex // guards what follows
	log     log
	rows    []*row
	samples []sample
	spent   time.Duration
	parts   map[part]*state
	panic   any
}

// part is a part of the page that can fail by itself.
type part int

const (
	resyncState part = iota
	syncStatus
	shippedLog
	rawExamples
)

// state is how a part of the page fares.
type state struct {
	off    bool
	failed int // in a row
	first  error
	count  int
}

// New returns a page whose log begins now; redact hides secrets in a text.
func New(redact func(string) string) *Page {
	return &Page{
		redact: redact, wake: make(chan struct{}, 1), closing: make(chan struct{}),
		parts: map[part]*state{resyncState: {}, syncStatus: {}, shippedLog: {}, rawExamples: {off: true}},
	}
}

// Begin tells Port that a resync runs, and begins to send what comes. It waits for
// the first of both. The context must outlive the run; Finish is due.
func (p *Page) Begin(ctx context.Context, c Config, now time.Time) {
	p.mu.Lock()
	p.config, p.event, p.spent = c, newEvent(), c.Spent
	p.rows = newRows(c.Kinds)
	p.parts[resyncState].off = !c.Status
	p.parts[syncStatus].off = !c.Status || c.Integration.MetricURL == ""
	p.parts[shippedLog].off = !c.Logs || c.Integration.LogURL == ""
	p.parts[rawExamples].off = !c.Examples
	p.log.begin(p.event, p.parts[shippedLog].off)
	p.mu.Unlock()
	begun := time.Now()
	if p.call(ctx, resyncState, totalTime, func(ctx context.Context) error {
		return c.Port.SetResyncStatus(ctx, port.Running, now)
	}) {
		p.mu.Lock()
		p.spent += time.Since(begun) // the run has waited for it
		p.mu.Unlock()
	}
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	p.done = make(chan struct{})
	go p.run(ctx)
}

// run sends what is due until the page closes.
func (p *Page) run(ctx context.Context) {
	defer close(p.done)
	defer func() {
		if v := recover(); v != nil {
			p.mu.Lock()
			p.panic = v
			p.mu.Unlock()
		}
	}()
	ticks := time.NewTicker(beat)
	defer ticks.Stop()
	p.sendRows(ctx)
	for beats := 0; ; {
		select {
		case <-p.closing:
			return
		case <-p.wake:
			p.sendRows(ctx)
			p.sendSamples(ctx)
			p.sendLog(ctx, port.MaxLogLines)
		case <-ticks.C:
			if beats++; beats%2 == 0 {
				p.heartbeat(ctx)
			}
			p.progress()
			p.sendRows(ctx)
			p.sendLog(ctx, 1)
		}
	}
}

func (p *Page) heartbeat(ctx context.Context) {
	p.call(ctx, syncStatus, totalTime-reserveTime, func(ctx context.Context) error {
		return p.config.Port.Heartbeat(ctx, p.config.Integration.MetricURL, p.event)
	})
}

func (p *Page) wakeUp() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// call makes one call for a part of the page, unless that has failed too often or
// the time for all calls is used up. It says whether Port took it.
func (p *Page) call(ctx context.Context, of part, limit time.Duration, do func(context.Context) error) bool {
	p.mu.Lock()
	s, left := p.parts[of], limit-p.spent
	off := s.off
	p.mu.Unlock()
	if off || ctx.Err() != nil && !late(ctx) {
		return false
	}
	err, took := errNoTime, time.Duration(0)
	if left > 0 && ctx.Err() == nil {
		begun := time.Now()
		limited, stop := context.WithTimeoutCause(ctx, left, errNoTime)
		err = do(limited)
		stop()
		took = time.Since(begun)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		s.failed = 0
		return true
	}
	if ctx.Err() != nil && !late(ctx) {
		return false
	}
	p.spent += took
	if s.failed++; s.first == nil {
		s.first = err
	}
	s.count++
	s.off = s.failed >= maxFailures || final(err) || took > stallTime && of != resyncState
	return false
}

var errNoTime = errors.New("the time for calls that a run does not depend on is used up")

// late says whether the time for the end of the page is used up.
func late(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errNoTime) }

// final is true for an answer that will be the same for the rest of the run.
func final(err error) bool {
	var e *port.Error
	if !errors.As(err, &e) {
		return errors.Is(err, port.ErrUntrusted)
	}
	return e.Status/100 == 4 && !e.Passing() && e.Status != http.StatusTooManyRequests
}

// Failure is a part of the page that does not show what it should.
type Failure struct {
	What  string // "the sync status of this run"
	Count int    // how many calls failed
	Err   error  // the first one
}

// failures are what went wrong, in a fixed order.
func (p *Page) failures() []Failure {
	var all []Failure
	names := []string{"the state of this run", "the sync status of this run", "the log of this run", "raw examples for the mapping editor"}
	for of, name := range names {
		if s := p.parts[part(of)]; s.first != nil {
			all = append(all, Failure{name, s.count, s.first})
		}
	}
	if p.panic != nil {
		all = append(all, Failure{"all of this run", 1, fmt.Errorf("internal error: %v", p.panic)})
	}
	return all
}

// Finish sends what is left, tells Port how the run ended, and returns what went
// wrong with the page. It waits: for the rest of the 30 seconds that calls may cost,
// after an abortion, or when the context ends, for three. Before Begin it does
// nothing, nor when it is called again.
func (p *Page) Finish(ctx context.Context, end End) (failures []Failure) {
	if p.done == nil || p.closed.Swap(true) {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			failures = append(failures, Failure{"all of this run", 1, fmt.Errorf("internal error: %v", v)})
		}
	}()
	aborted := end.Status == port.Aborted
	rest := ctx
	limit := p.left() - reserveTime
	if aborted {
		p.stop()
		p.sendState(ctx, end) // first: a second signal may come
		rest, limit = context.WithoutCancel(ctx), stopTime-stopReserve
	}
	rest, stop := context.WithTimeoutCause(rest, max(limit, 0), errNoTime)
	defer stop()
	p.leave(rest)
	p.finishRows(end)
	p.sendRows(rest)
	p.sendSamples(rest)
	for p.sendLog(rest, 1) {
	}
	if !aborted {
		p.sendState(ctx, end)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(failures, p.failures()...)
}

// sendState tells how the run ended, also when the context has ended.
func (p *Page) sendState(ctx context.Context, end End) {
	limit := reserveTime
	if ctx.Err() != nil {
		limit = stopReserve
	}
	ctx, stop := context.WithTimeoutCause(context.WithoutCancel(ctx), limit, errNoTime)
	defer stop()
	p.call(ctx, resyncState, totalTime, func(ctx context.Context) error {
		return p.config.Port.SetResyncStatus(ctx, end.Status, end.At)
	})
}

func (p *Page) left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return totalTime - p.spent
}

// leave ends the goroutine when its call is done, or at the end of the context.
func (p *Page) leave(ctx context.Context) {
	close(p.closing)
	select {
	case <-p.done:
	case <-ctx.Done():
	}
	p.stop()
	<-p.done
}
