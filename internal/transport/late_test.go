package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

// trickle is a body of bytes that come one after the other, each after a pause.
type trickle struct {
	req    *http.Request
	left   int
	pause  time.Duration
	closed *atomic.Int32
}

func (b *trickle) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(b.pause):
		b.left--
		p[0] = 'x'
		return 1, nil
	case <-b.req.Context().Done():
		return 0, b.req.Context().Err()
	}
}

func (b *trickle) Close() error {
	b.closed.Add(1)
	return nil
}

func TestTimely(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		headers time.Duration // until they come
		pause   time.Duration // before each byte
		bytes   int
		reader  time.Duration // between two reads
		want    *transport.LateError
		after   time.Duration
	}{
		{name: "in time", headers: 59 * time.Second, pause: 59 * time.Second, bytes: 4, after: 5 * 59 * time.Second},
		{name: "no headers", headers: 2 * time.Minute, want: &transport.LateError{Limit: time.Minute, Idle: true}, after: time.Minute},
		{name: "a byte is late", pause: 61 * time.Second, bytes: 1, want: &transport.LateError{Limit: time.Minute, Idle: true}, after: time.Minute},
		{name: "too long in all", pause: 50 * time.Second, bytes: 7, want: &transport.LateError{Limit: 5 * time.Minute}, after: 5 * time.Minute},
		{name: "a slow reader", pause: time.Second, bytes: 3, reader: 70 * time.Second, after: 4*70*time.Second + 3*time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var closed atomic.Int32
				var ctx context.Context
				limited := transport.Timely(transport.Func(func(req *http.Request) (*http.Response, error) {
					ctx = req.Context()
					select {
					case <-time.After(tt.headers):
					case <-req.Context().Done():
						return nil, req.Context().Err()
					}
					return &http.Response{StatusCode: 200, Body: &trickle{req, tt.bytes, tt.pause, &closed}}, nil
				}), time.Minute, 5*time.Minute)
				start := time.Now()
				resp, err := limited.RoundTrip(request(t.Context(), t, "https://git.test/"))
				n := 0
				for err == nil {
					time.Sleep(tt.reader)
					var k int
					k, err = resp.Body.Read(make([]byte, 8))
					n += k
				}
				var late *transport.LateError
				errors.As(err, &late)
				switch {
				case tt.want == nil && (err != io.EOF || n != tt.bytes):
					t.Errorf("got %v after %d bytes, want all %d", err, n, tt.bytes)
				case tt.want != nil && (late == nil || *late != *tt.want):
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if took := time.Since(start); took != tt.after {
					t.Errorf("took %s, want %s", took, tt.after)
				}
				if resp != nil {
					resp.Body.Close()
				}
				if ctx.Err() == nil {
					t.Error("the context of the request goes on after the answer")
				}
			})
		})
	}
}

// The context's own end is no lateness.
func TestTimelyEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limited := transport.Timely(transport.Func(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}), time.Minute, 5*time.Minute)
		req := request(t.Context(), t, "https://git.test/")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var late *transport.LateError
		if _, err := limited.RoundTrip(req.WithContext(ctx)); err == nil || errors.As(err, &late) {
			t.Errorf("got %v, want the end of the context", err)
		}
	})
}

// What is closed early counts as far as it came.
func TestReceived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var count atomic.Int64
		var closed atomic.Int32
		counted := transport.Received(transport.Func(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/broken" {
				return nil, errBroken
			}
			return &http.Response{StatusCode: 200, Body: &trickle{req, 10, time.Second, &closed}}, nil
		}), &count)
		if _, err := counted.RoundTrip(request(t.Context(), t, "https://git.test/broken")); !errors.Is(err, errBroken) {
			t.Errorf("got %v, want the error", err)
		}
		resp, err := counted.RoundTrip(request(t.Context(), t, "https://git.test/"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadFull(resp.Body, make([]byte, 3))
		if got := count.Load(); got != 3 {
			t.Errorf("under way: got %d bytes, want 3", got)
		}
		resp.Body.Close()
		if got := count.Load(); got != 3 || closed.Load() != 1 {
			t.Errorf("closed early: got %d bytes and %d closed, want 3 and 1", got, closed.Load())
		}
	})
}
