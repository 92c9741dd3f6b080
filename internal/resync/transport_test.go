package resync_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

func (w *world) changed(base http.RoundTripper) http.RoundTripper {
	switch {
	case w.through != nil:
		return w.through(base)
	case w.reword != nil:
		return reworded(base, w.reword)
	}
	return base
}

// hosts sends what is asked of another host to elsewhere.
func (w *world) hosts(base http.RoundTripper) http.RoundTripper {
	if w.elsewhere == nil {
		return base
	}
	return transport.Func(func(req *http.Request) (*http.Response, error) {
		if req.URL.Host != "bitbucket.test" {
			return w.elsewhere.RoundTrip(req)
		}
		return base.RoundTrip(req)
	})
}

// slow delays each request and each answer by chance.
func (w *world) slow(base http.RoundTripper) http.RoundTripper {
	if w.delays == nil {
		return base
	}
	pause := func() {
		w.delaysMu.Lock()
		d := time.Duration(w.delays.IntN(500)) * time.Millisecond
		w.delaysMu.Unlock()
		time.Sleep(d)
	}
	return transport.Func(func(req *http.Request) (*http.Response, error) {
		pause()
		resp, err := base.RoundTrip(req)
		pause()
		return resp, err
	})
}

// exclusive fails the test when one entity is in two requests at the same time.
func (w *world) exclusive(base http.RoundTripper) http.RoundTripper {
	var mu sync.Mutex
	busy := map[string]bool{}
	return transport.Func(func(req *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(req.URL.Path, "/entities/bulk") {
			return base.RoundTrip(req)
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		var keys []string
		for _, id := range identifiers(body) {
			keys = append(keys, req.URL.Path+" "+id)
		}
		mu.Lock()
		for _, k := range keys {
			if busy[k] {
				w.t.Errorf("%s is in two requests at the same time", k)
			}
			busy[k] = true
		}
		mu.Unlock()
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			for _, k := range keys {
				delete(busy, k)
			}
		}()
		return base.RoundTrip(req)
	})
}
