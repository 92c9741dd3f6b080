package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// errReplay is a request whose connection broke, and that may not go out once more.
var errReplay = errors.New("the connection broke before an answer came")

// replays counts what net/http sends by itself: where a connection that was used before breaks
// while an answer is awaited, it sends the request again on another one, without a sign. The
// server may have read both. A connection on which nothing could be written counts too, since
// that cannot be told apart.
//
// Source: https://pkg.go.dev/net/http#Transport ("Transport only retries a request upon
// encountering a network error if the connection has been already been used successfully"), read 2026-11.
type replays struct {
	budget  *Budget
	cancel  context.CancelFunc
	began   atomic.Bool
	refused atomic.Bool
}

// bound makes each further time that a request goes out count, where their number is bounded,
// and refuses what the budget does not have. Without a bound it returns nil beside the request.
func (b *Budget) bound(req *http.Request) (*http.Request, *replays) {
	if b.most == 0 {
		return req, nil
	}
	ctx, cancel := context.WithCancel(req.Context())
	r := &replays{budget: b, cancel: cancel}
	return req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: r.gotConn})), r
}

// gotConn is called each time before the request is written to a connection.
func (r *replays) gotConn(info httptrace.GotConnInfo) {
	if !r.began.Swap(true) || r.budget.take() {
		return
	}
	r.refused.Store(true)
	r.cancel()
	if secure, ok := info.Conn.(*tls.Conn); ok && secure.ConnectionState().NegotiatedProtocol == "h2" {
		return // others use it too; over HTTP/2 only what the server has not looked at is sent again
	}
	info.Conn.Close() // net/http writes to it without a look at the context
}

// done returns the error of the request, which has ended but for the body of its answer. Nil
// replays return the one that they are given.
func (r *replays) done(resp *http.Response, err error) error {
	switch {
	case r == nil:
		return err
	case err == nil:
		resp.Body = onClose(resp.Body, r.cancel)
		return nil
	}
	r.cancel()
	if r.refused.Load() {
		return fmt.Errorf("%w: %w", errReplay, ErrBudget)
	}
	return err
}
