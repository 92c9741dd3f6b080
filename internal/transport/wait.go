package transport

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Why a request waits for a rate limit, in the log.
const (
	Refused = "the server answered 429"
	UsedUp  = "the allowance is used up"

	tokenless = "no access token is given"
)

// Wait waits for a rate limit, for a reason to be told. Its error is the context's
// cause.
type Wait func(ctx context.Context, d time.Duration, why string) error

// Waiting returns a Wait for a service's rate limit. One line a minute reports how
// long and why, however many wait: it is safe for concurrent use.
func Waiting(service string, log *slog.Logger) Wait {
	t := throttledLog{service: service, log: log}
	return func(ctx context.Context, d time.Duration, why string) error {
		now := time.Now()
		for until := now.Add(d); now.Before(until); now = time.Now() {
			t.waiting(now, until, why)
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
	}
	if ctx.Err() != nil { // also when the time came at once with it
		return fmt.Errorf("waiting for the rate limit: %w", context.Cause(ctx))
	}
	return nil
}

// throttledLog writes one line a minute while requests wait for a rate limit.
type throttledLog struct {
	service string
	log     *slog.Logger

	mu   sync.Mutex
	last time.Time // when the last line was written
}

// waiting logs until when requests wait, and why; more stands after the reason.
func (t *throttledLog) waiting(now, until time.Time, why string, more ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.last) < time.Minute {
		return
	}
	t.last = now
	args := append([]any{"why", why}, more...)
	t.log.Info("waiting for the rate limit of "+t.service,
		append(args, "until", until.UTC().Format(time.TimeOnly)+" UTC", "wait", until.Sub(now).Round(time.Second))...)
}
