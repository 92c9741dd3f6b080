package roundtrip

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Why a request waits for a rate limit, in the log.
const (
	whyRefused = "the server answered 429"
	whyUsedUp  = "the allowance is used up"
)

// Waiting returns a function that waits as long as an answer of 429 from the
// service asks for. Its error is the context's cause. One line a minute tells how
// long and why, however many wait: it is safe for concurrent use.
func Waiting(service string, log *slog.Logger) func(ctx context.Context, d time.Duration) error {
	t := teller{service: service, log: log}
	return func(ctx context.Context, d time.Duration) error {
		now := time.Now()
		for until := now.Add(d); now.Before(until); now = time.Now() {
			t.tell(now, until, whyRefused)
			if err := wait(ctx, now, until, nil); err != nil {
				return err
			}
		}
		return nil
	}
}

// wait returns at the time, at a change, or after a minute: then the caller tells again.
func wait(ctx context.Context, now, at time.Time, changed <-chan struct{}) error {
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

// teller writes one line a minute while requests wait for a rate limit.
type teller struct {
	service string
	log     *slog.Logger

	mu   sync.Mutex
	told time.Time // when the last line was written
}

// tell says until when requests wait and why; more stands after the reason.
func (t *teller) tell(now, until time.Time, why string, more ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.told) < time.Minute {
		return
	}
	t.told = now
	args := append([]any{"why", why}, more...)
	t.log.Info("waiting for the rate limit of "+t.service,
		append(args, "until", until.UTC().Format(time.TimeOnly)+" UTC", "wait", until.Sub(now).Round(time.Second))...)
}
