package transport

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"

	"port-bitbucket-exporter/internal/progress"
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
// attempt, without the *Again around it. It records each pause in told, which may be nil.
func Retry(ctx context.Context, told *progress.Service, attempts int, attempt func() error) error {
	pauses := &pauses{BackOff: exponential()}
	var pause progress.Wait
	defer func() { told.End(&pause) }()
	err := backoff.RetryNotify(func() error {
		told.End(&pause)
		err := attempt()
		var again *Again
		if err == nil || errors.As(err, &again) && ctx.Err() == nil {
			if again != nil {
				pauses.after = min(again.After, maxServerPause)
			}
			return err
		}
		return backoff.Permanent(err)
	}, backoff.WithContext(backoff.WithMaxRetries(pauses, uint64(attempts-1)), ctx), func(_ error, d time.Duration) {
		pause = progress.Wait{Until: time.Now().Add(d), Why: told.Name() + ", which did not answer as it should"}
		told.Begin(&pause)
	})
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
	next := max(p.after, p.BackOff.NextBackOff())
	p.after = 0
	return next
}

func exponential() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.MaxElapsedTime = firstPause, maxPause, 0
	return b
}

// delaySeconds matches a number of seconds as servers write it: RFC 9110 allows whole
// seconds only, and some servers send a fraction.
var delaySeconds = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

// RetryAfter reads the header Retry-After: seconds, also with a fraction, or a date in
// one of the three formats of HTTP. ok is false for anything else, such as a negative
// number or one above maxSeconds.
//
// Source: RFC 9110, sections 10.2.3 and 5.6.7.
func RetryAfter(h http.Header) (after time.Duration, ok bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if delaySeconds.MatchString(text) {
		seconds, err := strconv.ParseFloat(text, 64)
		return time.Duration(min(seconds, maxDelay.Seconds()) * float64(time.Second)), err == nil && seconds < maxSeconds
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0), true
	}
	return 0, false
}

const (
	// maxSeconds is more than any server means.
	maxSeconds = 1 << 62
	// maxDelay keeps a wait within what a time.Duration holds; callers have bounds of their own.
	maxDelay = 1 << 31 * time.Second
)
