package memtransport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/memtransport"
)

func call(ctx context.Context, t *testing.T, h http.HandlerFunc) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://x.test/a?b=c", nil)
	if err != nil {
		t.Fatal(err)
	}
	return memtransport.RoundTripper(h).RoundTrip(r)
}

// A handler that does not flush is at its end before there is an answer, whose length is known.
func TestWhole(t *testing.T) {
	t.Parallel()
	done := false
	resp, err := call(t.Context(), t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X", "1")
		fmt.Fprint(w, r.Host, r.RequestURI)
		done = true
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if !done || err != nil || string(text) != "x.test/a?b=c" || resp.ContentLength != 12 || resp.Header.Get("X") != "1" {
		t.Errorf("got %q, %v, length %d", text, err, resp.ContentLength)
	}
}

// A handler is asked as a proxy is: for a whole address, whatever host the request went to.
func TestProxy(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://proxy.test:1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque, r.Host = "http://x.test/a?b=c", "x.test"
	resp, err := memtransport.RoundTripper(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RequestURI, " ", r.Host, r.URL)
	})).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if got, want := string(text), "http://x.test/a?b=c x.testhttp://x.test/a?b=c"; got != want || err != nil {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

// What is flushed arrives while the handler goes on.
func TestFlushed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		resp, err := call(t.Context(), t, func(w http.ResponseWriter, r *http.Request) {
			for i := range 3 {
				fmt.Fprint(w, i)
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Minute)
			}
			panic(http.ErrAbortHandler)
		})
		if err != nil || time.Since(begin) != 0 {
			t.Fatalf("got %v after %v", err, time.Since(begin))
		}
		defer resp.Body.Close()
		for i := range 3 {
			b := make([]byte, 10)
			n, err := resp.Body.Read(b)
			if want := time.Duration(i) * time.Minute; err != nil || string(b[:n]) != fmt.Sprint(i) || time.Since(begin) != want {
				t.Errorf("got %q, %v after %v, want %d after %v", b[:n], err, time.Since(begin), i, want)
			}
		}
		if _, err := resp.Body.Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("at the end: got %v", err)
		}
	})
}

// Who closes the body early ends the handler's context and its writing.
func TestClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		resp, err := call(t.Context(), t, func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, err := w.Write([]byte("x"))
			<-r.Context().Done()
			ended <- err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err == nil {
			t.Error("the handler wrote into a body that was closed")
		}
	})
}

// A context that ends is the error of a body that stands still, and of a call without an answer.
func TestContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		resp, err := call(ctx, t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "be")
			memtransport.Stall(w, r)
		})
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if text, err := io.ReadAll(resp.Body); string(text) != "be" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %q, %v", text, err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := call(ctx, t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without an answer: got %v", err)
		}
	})
}

// A handler that panics does so in the caller; one that aborts has no answer.
func TestPanics(t *testing.T) {
	t.Parallel()
	if _, err := call(t.Context(), t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("aborted: got %v", err)
	}
	defer func() {
		if p := recover(); p != "mine" {
			t.Errorf("got panic %v", p)
		}
	}()
	_, _ = call(t.Context(), t, func(http.ResponseWriter, *http.Request) { panic("mine") })
}
