// Package transport holds what both clients need on the way to the network, each
// as one http.RoundTripper or one function: retries, deadlines, the bound on
// requests in flight, the log, waiting for rate limits, and the ledgers of
// rate-limited credentials.
package transport

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Func is a function as an http.RoundTripper.
type Func func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f Func) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Deadline gives each request, its body included, at most d. What happens above
// it, such as waiting for a rate limit, does not count.
func Deadline(base http.RoundTripper, d time.Duration) http.RoundTripper {
	return Func(func(req *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(req.Context(), d)
		resp, err := base.RoundTrip(req.WithContext(ctx))
		if err != nil {
			cancel()
			return nil, err
		}
		resp.Body = onClose(resp.Body, cancel)
		return resp, nil
	})
}

// Slots bound how many requests, with their bodies, are under way at once, whatever Pools
// they go through. A request that waits for its rate limit holds no slot: one class of
// requests that waits does not stop the others. Nil Slots are no bound.
type Slots chan struct{}

// NewSlots returns n slots.
func NewSlots(n int) Slots { return make(Slots, n) }

// take waits for a slot. The error is the context's cause.
func (s Slots) take(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s == nil {
		return nil
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// free gives a slot back.
func (s Slots) free() {
	if s != nil {
		<-s
	}
}

// Log counts the requests that go out and writes one line at debug level for
// each: never a header, a query value or a body. One that the budget does not let out is
// not sent: its error is ErrBudget.
func Log(base http.RoundTripper, log *slog.Logger, budget *Budget) http.RoundTripper {
	return Func(func(req *http.Request) (*http.Response, error) {
		if req.Context().Err() != nil { // it would not be sent
			return nil, context.Cause(req.Context())
		}
		if !budget.take() {
			return nil, ErrBudget
		}
		start := time.Now()
		sent, again := budget.bound(req)
		resp, err := base.RoundTrip(sent)
		err = again.done(resp, err)
		args := []any{"method", req.Method, "path", req.URL.EscapedPath(), "ms", time.Since(start).Milliseconds()}
		if err != nil {
			log.Debug("request failed", append(args, "error", err)...)
			return nil, err
		}
		log.Debug("request", append(args, "status", resp.StatusCode)...)
		return resp, nil
	})
}

// Received counts the bytes of the bodies of answers as they come, also of those that are
// closed before their end.
func Received(base http.RoundTripper, count *atomic.Int64) http.RoundTripper {
	return Func(func(req *http.Request) (*http.Response, error) {
		resp, err := base.RoundTrip(req)
		if err == nil {
			resp.Body = &counter{resp.Body, count}
		}
		return resp, err
	})
}

type counter struct {
	io.ReadCloser
	count *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.count.Add(int64(n))
	return n, err
}

// Header sets a header on a clone of each request.
func Header(base http.RoundTripper, name, value string) http.RoundTripper {
	return Func(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header.Set(name, value)
		return base.RoundTrip(req)
	})
}

type closer struct {
	io.ReadCloser
	once sync.Once
	f    func()
}

func onClose(body io.ReadCloser, f func()) io.ReadCloser { return &closer{ReadCloser: body, f: f} }

func (c *closer) Close() error {
	err := c.ReadCloser.Close()
	c.once.Do(c.f)
	return err
}
