package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/transport"
)

func request(ctx context.Context, t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

var errBroken = errors.New("connection reset")

func TestRetry(t *testing.T) {
	t.Parallel()
	permanent := errors.New("403")
	for _, tt := range []struct {
		name     string
		errs     []error // of the attempts; the last one goes on
		attempts int
		want     error
	}{
		{"good", []error{nil}, 1, nil},
		{"good at last", []error{&transport.Again{Err: errBroken}, &transport.Again{Err: errBroken}, nil}, 3, nil},
		{"never", []error{&transport.Again{Err: errBroken}}, transport.Attempts, errBroken},
		{"permanent", []error{permanent}, 1, permanent},
		{"permanent later", []error{&transport.Again{Err: errBroken}, permanent}, 2, permanent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n, start := 0, time.Now()
				err := transport.Retry(t.Context(), nil, transport.Attempts, func() error {
					n++
					return tt.errs[min(n, len(tt.errs))-1]
				})
				if err != tt.want || n != tt.attempts {
					t.Errorf("got %v after %d attempts, want %v after %d", err, n, tt.want, tt.attempts)
				}
				if took := time.Since(start); tt.attempts == 1 && took > 0 {
					t.Errorf("took: got %s, want no time", took)
				}
			})
		})
	}
}

func TestRetryWaitsAsAsked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ after, least, most time.Duration }{
		{0, 0, time.Second}, {40 * time.Second, 40 * time.Second, 40 * time.Second}, {time.Hour, 5 * time.Minute, 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			n, start := 0, time.Now()
			_ = transport.Retry(t.Context(), nil, transport.Attempts, func() error {
				if n++; n == 1 {
					return &transport.Again{Err: errBroken, After: tt.after}
				}
				return nil
			})
			if got := time.Since(start); got < tt.least || got > tt.most {
				t.Errorf("asked to wait %s: got %s, want %s to %s", tt.after, got, tt.least, tt.most)
			}
		})
	}
}

func TestRetryEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("signal")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(why) })
		n, start := 0, time.Now()
		err := transport.Retry(ctx, nil, transport.Attempts, func() error { n++; return &transport.Again{Err: errBroken, After: time.Minute} })
		if !errors.Is(err, why) || n != 1 || time.Since(start) != 3*time.Second {
			t.Errorf("got %v after %d attempts and %s, want the cause after 1 and 3s", err, n, time.Since(start))
		}
	})
}

// Each attempt has a deadline of its own, and the wait for a rate limit is in none.
func TestDeadlineIsOfOneAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs := 2
		server := transport.Func(func(req *http.Request) (*http.Response, error) {
			if hangs > 0 {
				hangs--
				<-req.Context().Done()
				return nil, req.Context().Err()
			}
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		rates := transport.Rates{Default: transport.Rate{N: 1, Window: time.Hour}}
		pool := transport.NewPool(transport.Deadline(server, time.Minute), []transport.Credential{{Authorize: func(*http.Request) {}}}, rates,
			transport.Service{Class: func(*http.Request) string { return "" }}, nil, logger(io.Discard))
		start := time.Now()
		err := transport.Retry(t.Context(), nil, transport.Attempts, func() error {
			resp, err := pool.RoundTrip(request(t.Context(), t, "https://bitbucket.test/"))
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want a deadline", err)
				}
				return &transport.Again{Err: err}
			}
			return resp.Body.Close()
		})
		if took := time.Since(start); err != nil || took != 2*time.Hour+2*time.Minute {
			t.Errorf("got %v after %s, want success after two deadlines and two windows", err, took)
		}
	})
}

// slow is a body whose end does not come before the request's context ends.
type slow struct{ ctx context.Context }

func (s slow) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func (slow) Close() error { return nil }

func TestDeadlineCoversTheBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := transport.Deadline(transport.Func(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: slow{req.Context()}}, nil
		}), time.Minute)
		start := time.Now()
		resp, err := d.RoundTrip(request(t.Context(), t, "https://bitbucket.test/"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("got %v after %s, want a deadline after 1m", err, time.Since(start))
		}
	})
}

// slotted is a pool with one credential in front of a server. The class of a request is its path.
func slotted(server http.RoundTripper, rates transport.Rates, slots transport.Slots) *transport.Pool {
	return transport.NewPool(server, []transport.Credential{{Authorize: func(*http.Request) {}}}, rates,
		transport.Service{Class: func(req *http.Request) string { return req.URL.Path }}, slots, logger(io.Discard))
}

func TestSlotsBoundTwoPoolsTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var underWay, most atomic.Int32
		server := transport.Func(func(req *http.Request) (*http.Response, error) {
			most.Store(max(most.Load(), underWay.Add(1)))
			time.Sleep(time.Second)
			if req.URL.Path == "/broken" {
				underWay.Add(-1)
				return nil, errBroken
			}
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		slots := transport.NewSlots(3)
		pools := []*transport.Pool{slotted(server, transport.Rates{Default: hourly(100)}, slots), slotted(server, transport.Rates{Default: hourly(100)}, slots)}
		start := time.Now()
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				if i%2 == 0 {
					_, _ = pools[i/2%2].RoundTrip(request(t.Context(), t, "https://bitbucket.test/broken"))
					return
				}
				resp, err := pools[i/2%2].RoundTrip(request(t.Context(), t, "https://bitbucket.test/"))
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Second) // the body is under way too
				underWay.Add(-1)
				resp.Body.Close()
				resp.Body.Close() // frees no second slot
			})
		}
		all.Wait()
		if got := most.Load(); got != 3 {
			t.Errorf("under way at once: got %d, want 3", got)
		}
		if took := time.Since(start); took < 6*time.Second {
			t.Errorf("18 seconds of work in 3 slots: got %s, want 6s at least", took)
		}
	})
}

func TestSlotsWaitEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := slotted(transport.Func(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		}), transport.Rates{Default: hourly(10)}, transport.NewSlots(1))
		first, err := pool.RoundTrip(request(t.Context(), t, "https://bitbucket.test/"))
		if err != nil {
			t.Fatal(err)
		}
		why := errors.New("signal")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		if _, err := pool.RoundTrip(request(ctx, t, "https://bitbucket.test/")); !errors.Is(err, why) {
			t.Errorf("got %v, want the cause", err)
		}
		first.Body.Close()
		if _, err := pool.RoundTrip(request(t.Context(), t, "https://bitbucket.test/")); err != nil {
			t.Errorf("the slot was not freed: %v", err)
		}
	})
}

// Requests that wait for the allowance of their class, or for the end of its cooldown, hold
// no slot that others need.
func TestSlotsAreFreeWhileAClassWaits(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 429, 401} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				refused := false
				server := transport.Func(func(req *http.Request) (*http.Response, error) {
					resp := &http.Response{StatusCode: 200, Body: http.NoBody}
					if req.URL.Path == "/scarce" && !refused {
						refused, resp.StatusCode = true, status
					}
					return resp, nil
				})
				pool := slotted(server, transport.Rates{Default: hourly(10), Classes: map[string]transport.Rate{"/scarce": hourly(1)}}, transport.NewSlots(2))
				var waiting sync.WaitGroup
				ask := func(path string) {
					resp, err := pool.RoundTrip(request(t.Context(), t, "https://bitbucket.test"+path))
					if err != nil {
						t.Error(err)
						return
					}
					resp.Body.Close()
				}
				for range 4 {
					waiting.Go(func() { ask("/scarce") })
				}
				synctest.Wait()
				start := time.Now()
				for range 4 {
					ask("/plenty")
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("requests of another class waited for %s", took)
				}
				waiting.Wait()
			})
		})
	}
}

// All that wait are told of, and when the first of them goes on.
func TestWaitingTells(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		record := progress.New()
		wait := transport.Waiting("Port", record.Service("Port"))
		start := time.Now()
		var all sync.WaitGroup
		for _, d := range []time.Duration{0, 2 * time.Second, 150 * time.Second, 150 * time.Second} {
			all.Go(func() {
				if err := wait(t.Context(), d, transport.Refused); err != nil || time.Since(start) != d {
					t.Errorf("got %v after %s, want no error after %s", err, time.Since(start), d)
				}
			})
			synctest.Wait()
		}
		if got := record.Snapshot(); got.Wait.Until != start.Add(2*time.Second) || got.Wait.Why != "Port, which answered 429" {
			t.Errorf("got %+v, want the first of three waits", got.Wait)
		}
		all.Wait()
		if err := wait(t.Context(), time.Second, transport.UsedUp); err != nil {
			t.Error(err)
		}
		const want = "0s to 2m30s: Port for Port, which answered 429\n2m30s to 2m31s: Port for the allowance at Port\n"
		if got := waits(record); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("signal")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 90*time.Second, why)
		defer cancel()
		start := time.Now()
		err := transport.Waiting("Port", nil)(ctx, time.Hour, transport.Refused)
		if !errors.Is(err, why) || time.Since(start) != 90*time.Second {
			t.Errorf("got %v after %s, want the cause after 1m30s", err, time.Since(start))
		}
	})
}

func TestLogAndHeader(t *testing.T) {
	t.Parallel()
	var agent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agent = r.UserAgent()
		w.Header().Set("X-Secret", "header-of-answer")
		_, _ = io.WriteString(w, "body-of-answer")
	}))
	defer server.Close()
	var out bytes.Buffer
	var count transport.Budget
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	chain := transport.Header(transport.Log(base, logger(&out), &count), "User-Agent", "exporter/1")
	req := request(t.Context(), t, server.URL+"/2.0/a%20b?q=query-value")
	req.Header.Set("Authorization", "Bearer secret-token")
	resp, err := chain.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, err := chain.RoundTrip(request(t.Context(), t, "http://127.0.0.1:0/gone?q=query-value")); err == nil {
		t.Error("got no error from port 0")
	}
	text := out.String()
	for _, want := range []string{"method=GET path=/2.0/a%20b", "status=200", "path=/gone", "request failed"} {
		if !strings.Contains(text, want) {
			t.Errorf("log: got %q, want it to have %q", text, want)
		}
	}
	for _, secret := range []string{"query-value", "secret-token", "header-of-answer", "body-of-answer"} {
		if strings.Contains(text, secret) {
			t.Errorf("log: got %q, want it without %q", text, secret)
		}
	}
	if agent != "exporter/1" || req.Header.Get("User-Agent") != "" {
		t.Errorf("user agent: got %q and %q on the caller's request, want it on a clone alone", agent, req.Header.Get("User-Agent"))
	}
	if count.Sent() != 2 {
		t.Errorf("requests: got %d, want 2", count.Sent())
	}
}

func TestPoolWaitEndsWithTheContext(t *testing.T) {
	inBubble(t, hourly(1), []bitbuckettest.Access{{}}, func(w *world) {
		w.one(repositories, 200)
		why := errors.New("time limit")
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(time.Minute, func() { cancel(why) })
		_, _, err := w.get(ctx, repositories)
		if !errors.Is(err, why) || !strings.Contains(err.Error(), "waiting for the rate limit") {
			w.t.Errorf("got %v, want the cause", err)
		}
		w.equal("after", time.Since(w.start), time.Minute)
		w.equal("requests", w.s.Requests(), 1)
	})
}
