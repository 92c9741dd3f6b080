package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// LateError is an answer that did not come in time.
type LateError struct {
	Limit time.Duration
	Idle  bool // nothing came for so long; else the whole answer took longer
}

func (l *LateError) Error() string {
	if l.Idle {
		return fmt.Sprintf("nothing came for %s", l.Limit)
	}
	return fmt.Sprintf("no complete answer within %s", l.Limit)
}

// Timely fails a request with a *LateError when no byte of its answer, headers included,
// comes for the time idle, or when all of it takes longer than whole. The time that the
// reader of the body spends between two reads counts for whole only. What happens above it,
// such as waiting for a rate limit, does not count.
func Timely(base http.RoundTripper, idle, whole time.Duration) http.RoundTripper {
	return Func(func(req *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithCancelCause(req.Context())
		t := &timely{ctx: ctx, idle: idle}
		t.quiet = time.AfterFunc(idle, func() { cancel(&LateError{idle, true}) })
		all := time.AfterFunc(whole, func() { cancel(&LateError{whole, false}) })
		end := func() {
			t.quiet.Stop()
			all.Stop()
			cancel(nil)
		}
		resp, err := base.RoundTrip(req.WithContext(ctx))
		t.quiet.Stop()
		if err != nil {
			err = t.late(err)
			end()
			return nil, err
		}
		t.ReadCloser = resp.Body
		resp.Body = onClose(t, end)
		return resp, nil
	})
}

// timely is the body of an answer. It has one reader.
type timely struct {
	io.ReadCloser
	ctx   context.Context // ends with a *LateError as its cause
	idle  time.Duration
	quiet *time.Timer
}

func (t *timely) Read(p []byte) (int, error) {
	t.quiet.Reset(t.idle)
	n, err := t.ReadCloser.Read(p)
	t.quiet.Stop()
	if err != nil && err != io.EOF {
		err = t.late(err)
	}
	return n, err
}

// late returns the *LateError that ended the context, or else the error.
func (t *timely) late(err error) error {
	var late *LateError
	if errors.As(context.Cause(t.ctx), &late) {
		return late
	}
	return err
}
