package transport

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"port-bitbucket-exporter/internal/progress"
)

// Reason is why a request waits for a rate limit.
type Reason int

// The reasons.
const (
	UsedUp  Reason = iota // the allowance is used up
	Refused               // the server answered 429
)

// Wait waits for a rate limit, for a reason that is recorded. Its error is the context's
// cause.
type Wait func(ctx context.Context, d time.Duration, why Reason) error

// Waiting returns a Wait for the rate limit of a service of that name. It is safe for
// concurrent use.
func Waiting(name string, told *progress.Service) Wait {
	return func(ctx context.Context, d time.Duration, why Reason) error {
		now := time.Now()
		text := "the allowance at " + name
		if why == Refused {
			text = refusedBy(name)
		}
		for until := now.Add(d); now.Before(until); now = time.Now() {
			if err := wait(ctx, told, progress.Wait{Until: until, Why: text}, until, nil); err != nil {
				return err
			}
		}
		return nil
	}
}

func refusedBy(service string) string { return service + ", which answered 429" }

// wait returns at the time, or at a change; without a time after a minute at the latest. It
// records a wait that has an end.
func wait(ctx context.Context, told *progress.Service, w progress.Wait, at time.Time, changed <-chan struct{}) error {
	if !w.Until.IsZero() {
		told.Begin(&w)
		defer told.End(&w)
	}
	pause := time.Minute
	if !at.IsZero() {
		pause = time.Until(at)
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

// Observed records each request that goes out, and its answer.
func Observed(base http.RoundTripper, told *progress.Service) http.RoundTripper {
	if told == nil {
		return base
	}
	return Func(func(req *http.Request) (*http.Response, error) {
		told.Sent()
		defer told.Answered()
		return base.RoundTrip(req)
	})
}
