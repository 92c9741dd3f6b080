package port

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/transport"
)

const (
	attemptTimeout = time.Minute
	// maxLimitWait bounds how long one request waits for Port's rate limit in all.
	maxLimitWait = 15 * time.Minute
	// firstLimitPause is the wait after a 429 that names none, doubling.
	firstLimitPause = 2 * time.Second
	// briefAttempts and briefTime bound a call without which a run is the same.
	briefAttempts = 2
	briefTime     = 10 * time.Second
)

// wire sends requests to Port, without a token of its own: it keeps to Port's rate limits,
// and tries again what may pass.
type wire struct {
	base      string // "https://api.port.io/v1"
	transport http.RoundTripper
	wait      transport.Wait
	told      *progress.Service
	requests  transport.Budget
	pace      pace
	// exhausted are the routes on which a request was refused for as long as one waits,
	// until one gets through.
	exhausted sync.Map
}

// attempt sends one request, and returns the headers of a good answer. The error
// is an *Error when Port answered, within a *transport.Again or a *limited where
// the same request may succeed later.
func (w *wire) attempt(ctx context.Context, k call, body []byte, authorization string, into any) (http.Header, error) {
	where := k.where()
	address := cmp.Or(k.address, w.base) + k.path
	if len(k.query) > 0 {
		address += "?" + k.query.Encode()
	}
	req, err := transport.NewRequest(ctx, k.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	maps.Copy(req.Header, k.header)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if err := w.pace.wait(ctx, k.route(), w.wait); err != nil {
		return nil, err
	}
	whole := ctx
	if k.brief {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, briefTime/briefAttempts)
		defer stop()
		req = req.WithContext(ctx)
	}
	resp, err := w.transport.RoundTrip(req) // no redirects: the token and the entities go to one host alone
	w.pace.learn(k.route(), resp)
	if err != nil {
		return nil, again(whole, where, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return nil, statusError(where, resp)
	}
	// A body that is read to its end leaves the connection for the next request.
	defer io.CopyN(io.Discard, resp.Body, transport.MaxError)
	if into == nil || k.noContent && resp.StatusCode == http.StatusNoContent {
		return resp.Header, nil
	}
	err = decode(resp.Body, into)
	switch {
	case errors.Is(err, errStop):
		return nil, err
	case err != nil:
		return nil, again(whole, where, traced(fmt.Errorf("the answer is not the whole JSON that was expected: %w", err), resp.Header.Get(traceHeader)))
	}
	return resp.Header, nil
}

// reader reads an answer piece by piece.
type reader func(*transport.JSON) error

func decode(body io.Reader, into any) error {
	if read, ok := into.(reader); ok {
		return read(transport.NewJSON(body))
	}
	return transport.Decode(json.NewDecoder(io.LimitReader(body, transport.MaxJSON)), into)
}

// again makes the error of an attempt one that is tried again, unless that is in vain.
func again(ctx context.Context, where string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = traced(errors.New("no complete answer in time"), Trace(err))
	}
	return transport.Interrupted(fmt.Errorf("%s: %w", where, err))
}

// statusError reads the answer of a request that did not succeed.
func statusError(where string, resp *http.Response) error {
	return transport.StatusError(where, resp, func(text []byte) error {
		var body struct {
			Error   string `json:"error"`
			Message string `json:"message"`
		}
		_ = json.Unmarshal(text, &body) // a gateway's page has neither
		e := &Error{Where: where, Status: resp.StatusCode, Code: body.Error, Message: body.Message, Trace: resp.Header.Get(traceHeader)}
		if resp.StatusCode == http.StatusTooManyRequests {
			return &limited{e, limitWait(resp.Header)}
		}
		return e
	})
}

// retry repeats what failed for a passing reason, and waits out rate limits, as long as a call that is
// brief or not may take in all: but not when another call of the route has waited in vain.
func (w *wire) retry(ctx context.Context, route string, attempts int, brief bool, attempt func() error) error {
	var waited time.Duration
	maxWait := maxLimitWait
	if brief {
		maxWait = briefTime
	}
	pause := firstLimitPause
	return transport.Retry(ctx, w.told, attempts, func() error {
		for {
			err := attempt()
			var limit *limited
			if !errors.As(err, &limit) {
				if err == nil {
					w.exhausted.Delete(route)
				}
				return err
			}
			if _, vain := w.exhausted.Load(route); vain {
				return limit.err
			}
			wait := limit.after
			if wait == 0 {
				wait, pause = pause, 2*pause
			}
			if waited += wait; waited > maxWait {
				if !brief {
					w.exhausted.Store(route, true)
				}
				return limit.err
			}
			if err := w.wait(ctx, wait, transport.Refused); err != nil {
				return err
			}
		}
	})
}
