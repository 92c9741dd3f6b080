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

// Limit lets at most n requests, with their bodies, be under way at once.
func Limit(base http.RoundTripper, n int) http.RoundTripper {
	slots := make(chan struct{}, n)
	return Func(func(req *http.Request) (*http.Response, error) {
		select {
		case slots <- struct{}{}:
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
		free := func() { <-slots }
		resp, err := base.RoundTrip(req)
		if err != nil {
			free()
			return nil, err
		}
		resp.Body = onClose(resp.Body, free)
		return resp, nil
	})
}

// Log counts the requests that go out and writes one line at debug level for
// each: never a header, a query value or a body.
func Log(base http.RoundTripper, log *slog.Logger, count *atomic.Int64) http.RoundTripper {
	return Func(func(req *http.Request) (*http.Response, error) {
		if req.Context().Err() != nil { // it would not be sent
			return nil, context.Cause(req.Context())
		}
		count.Add(1)
		start := time.Now()
		resp, err := base.RoundTrip(req)
		args := []any{"method", req.Method, "path", req.URL.EscapedPath(), "ms", time.Since(start).Milliseconds()}
		if err != nil {
			log.Debug("request failed", append(args, "error", err)...)
			return nil, err
		}
		log.Debug("request", append(args, "status", resp.StatusCode)...)
		return resp, nil
	})
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
