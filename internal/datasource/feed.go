// Package datasource keeps what Port's Data sources page shows of a run: that it
// runs and how it ended, how each kind goes, its log, and raw examples.
//
// All of it is courtesy. A run waits for it at its end alone, a failure of it is reported and
// changes nothing else, and what Port takes too slowly is left out.
package datasource

import (
	"context"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
)

const (
	// stopTime is all that is left after a signal, the first part of it for the state.
	stopTime    = 3 * time.Second
	stopReserve = 2 * time.Second
	// beat is how often what has changed goes out, every second time with a heartbeat. How long
	// rows take, which always changes, goes out once a minute: a run may wait for hours.
	beat          = 5 * time.Second
	beatsAlive    = 2
	beatsDuration = 12
)

// Feed is the entry of one run. Until it is begun it keeps the log, and sends
// nothing. Its methods but Finish never wait, and all but Begin and Finish are safe for
// concurrent use.
type Feed struct {
	calls   calls
	log     log
	rows    rows
	samples samples
	port    *port.Client

	wake    chan struct{}
	closing chan struct{}
	running chan struct{} // closed when Port has answered that the run runs, or will not
	done    chan struct{} // nil before Begin
	stop    context.CancelFunc
}

// New returns a feed whose log begins now; redact hides secrets in a text.
func New(redact func(string) string) *Feed {
	p := &Feed{wake: make(chan struct{}, 1), closing: make(chan struct{}), running: make(chan struct{})}
	p.calls.begin(0, map[part]bool{resyncState: true, syncStatus: true, shippedLog: true})
	p.log.calls, p.log.redact, p.log.full = &p.calls, redact, p.wakeUp
	p.rows.calls, p.rows.changed = &p.calls, p.wakeUp
	p.samples.calls, p.samples.redact, p.samples.full = &p.calls, redact, p.wakeUp
	return p
}

// Begin starts to report to Port that a resync runs, and what it does. It waits for nothing. The
// context must outlive the run; Finish must be called.
func (p *Feed) Begin(ctx context.Context, c Config, now time.Time) {
	event := c.Port.Resync()
	p.port = c.Port
	p.calls.begin(c.Spent, map[part]bool{
		resyncState: c.Status, syncStatus: c.Status && c.Integration.MetricURL != "",
		shippedLog: c.Logs && c.Integration.LogURL != "", rawExamples: c.Examples,
	})
	p.rows.begin(c, event)
	p.log.begin(event, func(ctx context.Context, lines []port.LogLine) error {
		return c.Port.DataSource.ShipLogs(ctx, c.Integration.LogURL, lines)
	})
	p.samples.post = c.Port.DataSource.SendExamples
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	p.done = make(chan struct{})
	go p.run(ctx, now)
}

// run sends what is due until the feed closes, and before it that a resync runs, since when.
func (p *Feed) run(ctx context.Context, since time.Time) {
	defer close(p.done)
	defer func() {
		if v := recover(); v != nil {
			p.calls.crashed(v)
		}
	}()
	p.calls.do(ctx, resyncState, totalTime, func(ctx context.Context) error {
		return p.port.DataSource.SetResyncStatus(ctx, port.Running, since)
	})
	close(p.running)
	ticks := time.NewTicker(beat)
	defer ticks.Stop()
	p.rows.send(ctx)
	for beats := 0; !p.rows.closed.Load(); {
		var due []func()
		rows := func() { p.rows.send(ctx) }
		select {
		case <-p.closing:
			return
		case <-p.wake:
			due = []func(){rows, func() { p.samples.send(ctx, false) }, func() { p.log.send(ctx, port.MaxLogLines) }}
		case <-ticks.C:
			if beats++; beats%beatsAlive == 0 {
				due = append(due, func() { p.rows.heartbeat(ctx) })
			}
			if beats%beatsDuration == 0 {
				due = append(due, p.rows.progress)
			}
			due = append(due, rows, func() { p.log.send(ctx, 1) })
		}
		for _, send := range due {
			if !p.rows.closed.Load() { // else what is left goes out together
				send()
			}
		}
	}
}

func (p *Feed) wakeUp() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Log adds a line, as of now, and what it is about; level is INFO, WARNING or ERROR. A line
// for which there is no room is counted, and the count gets a line of its own.
func (p *Feed) Log(level, message string, about diag.About) {
	if message != "" {
		p.log.add(level, message, about)
	}
}

// Resource shows how a resource stands: its report is not kept. It is done when
// nothing of it is to come, but for what waits for others.
func (p *Feed) Resource(of *report.Resource, done bool) { p.rows.resource(of, done) }

// Reconciling shows that stale entities are looked for.
func (p *Feed) Reconciling() { p.rows.reconciling() }

// Copy returns a copy of a raw object without secrets and with long texts cut, or nil
// when even that is too large.
func (p *Feed) Copy(object map[string]any) map[string]any { return p.samples.copy(object) }

// Example takes one copy of a raw object of a kind; of each kind the first five.
func (p *Feed) Example(kind string, copied map[string]any) { p.samples.add(kind, copied) }

// Finish sends what is left, reports to Port how the run ended, and returns what went
// wrong with the feed. It waits: for the rest of the 30 seconds that calls may cost,
// after an abortion, or when the context ends, for three. Before Begin it does
// nothing, nor when it is called again.
func (p *Feed) Finish(ctx context.Context, end End) (failures []Failure) {
	if p.done == nil || p.rows.closed.Swap(true) {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			failures = append(failures, crash(v))
		}
	}()
	aborted := end.Status == port.Aborted
	rest := ctx
	limit := p.calls.left() - reserveTime
	if aborted {
		waited := p.awaitRunning(stopTime - stopReserve)
		p.stop()
		p.sendState(ctx, end) // first: a second signal may come
		rest, limit = context.WithoutCancel(ctx), stopTime-stopReserve-waited
	}
	rest, stop := context.WithTimeoutCause(rest, max(limit, 0), errNoTime)
	defer stop()
	p.leave(rest)
	p.rows.finish(end)
	if aborted {
		p.sendRest(rest)
	} else {
		p.sendRest(rest, func() { p.sendState(ctx, end) })
	}
	return append(failures, p.calls.failures()...)
}

// awaitRunning waits until Port has answered that the run runs, for so long at most, and returns
// how long it was. That call would else be given up under way, and Port could carry it out after
// the one that says how the run ended.
func (p *Feed) awaitRunning(most time.Duration) time.Duration {
	began := time.Now()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-p.running:
	case <-p.done: // by a panic
	case <-timer.C:
	}
	return time.Since(began)
}

// sendRest sends what is left of each part, the parts and the others side by side.
func (p *Feed) sendRest(ctx context.Context, others ...func()) {
	var all sync.WaitGroup
	for _, send := range append(others,
		func() { p.rows.send(ctx) },
		func() { p.samples.send(ctx, true) },
		func() {
			for p.log.send(ctx, 1) {
			}
		},
	) {
		all.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					p.calls.crashed(v)
				}
			}()
			send()
		})
	}
	all.Wait()
}

// sendState reports to Port how the run ended, also when the context has ended.
func (p *Feed) sendState(ctx context.Context, end End) {
	limit := reserveTime
	if ctx.Err() != nil {
		limit = stopReserve
	}
	ctx, stop := context.WithTimeoutCause(context.WithoutCancel(ctx), limit, errNoTime)
	defer stop()
	p.calls.do(ctx, resyncState, totalTime, func(ctx context.Context) error {
		return p.port.DataSource.SetResyncStatus(ctx, end.Status, end.At)
	})
}

// leave ends the goroutine when its call is done, or at the end of the context.
func (p *Feed) leave(ctx context.Context) {
	close(p.closing)
	select {
	case <-p.done:
	case <-ctx.Done():
	}
	p.stop()
	<-p.done
}
