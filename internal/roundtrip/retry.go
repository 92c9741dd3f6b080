package roundtrip

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Attempts is how often a request that is safe to repeat goes out at most.
const Attempts = 5

const (
	firstPause = 500 * time.Millisecond
	maxPause   = 30 * time.Second
	// maxServerPause bounds the wait that an answer of 503 asks for.
	maxServerPause = 5 * time.Minute
)

// Again is an error after which the same request may go out once more.
type Again struct {
	Err error
	// After is how long the server asked to wait; 0 when it did not say.
	After time.Duration
}

func (a *Again) Error() string { return a.Err.Error() }

func (a *Again) Unwrap() error { return a.Err }

// Retry calls attempt until it succeeds, fails with anything but an *Again, has
// been called so many times, or the context ends. The error is that of the last
// attempt, without the *Again around it.
func Retry(ctx context.Context, attempts int, attempt func() error) error {
	pauses := &pauses{BackOff: exponential()}
	err := backoff.Retry(func() error {
		err := attempt()
		var again *Again
		if err == nil || errors.As(err, &again) && ctx.Err() == nil {
			if again != nil {
				pauses.after = min(again.After, maxServerPause)
			}
			return err
		}
		return backoff.Permanent(err)
	}, backoff.WithContext(backoff.WithMaxRetries(pauses, uint64(attempts-1)), ctx))
	var again *Again
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &again):
		return again.Err
	}
	return err
}

// pauses are backoff's own, but for the one that a server asked for.
type pauses struct {
	backoff.BackOff
	after time.Duration
}

func (p *pauses) NextBackOff() time.Duration {
	next := p.BackOff.NextBackOff()
	if p.after > next {
		next = p.after
	}
	p.after = 0
	return next
}

func exponential() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.MaxElapsedTime = firstPause, maxPause, 0
	return b
}

// RetryAfter reads the header Retry-After, in seconds or as a date.
func RetryAfter(h http.Header) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 1<<31)) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0), true
	}
	return 0, false
}
