package bitbucket_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/memtransport"
	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/transport"
)

// A 429 stops git, as long as the server says, and nothing else, with the slots that all share.
func TestGitRateLimit(t *testing.T) {
	h := &gitHost{}
	var refusals atomic.Int32
	h.answer = func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.URL.Path, "/acme/"):
			fmt.Fprint(w, `{"uuid":"{1}"}`)
		case refusals.Add(1) == 1:
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			fmt.Fprint(w, "pack")
		}
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := gitConfig(gitTest, memtransport.RoundTripper(h), "t1")
		c.Concurrency, c.Log, c.Progress = 1, slog.New(slog.NewTextHandler(&log, nil)), progress.New()
		client, err := bitbucket.New(c)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				got, body, err := fetched(t, client.Git())
				if took := time.Since(start); err != nil || got != 200 || body != "pack" || took != 10*time.Minute {
					t.Errorf("got %d %q, %v after %s, want the pack after 10m", got, body, err, took)
				}
			})
		}
		synctest.Wait()
		if _, err := client.Exists(t.Context(), "repo"); err != nil || time.Since(start) != 0 {
			t.Errorf("the API was asked: %v after %s, want an answer at once", err, time.Since(start))
		}
		all.Wait()
		for _, line := range h.journal() {
			if strings.HasPrefix(line, "POST") && !strings.HasSuffix(line, " want") {
				t.Errorf("the body was not sent whole: %q", line)
			}
		}
		if part := `msg="rate limit reached" credential="workspace token t1" requests=git pause=10m0s`; !strings.Contains(log.String(), part) {
			t.Errorf("log: got\n%s\nwant %s", log.String(), part)
		}
		want := []progress.Period{{To: 10 * time.Minute, Service: "Bitbucket's git host", Why: "Bitbucket's git host, which answered 429"}}
		if got := c.Progress.Timeline().Waits; !slices.Equal(got, want) {
			t.Errorf("waits: got %+v, want %+v", got, want)
		}
	})
}

// The bound of requests under way is one for both.
func TestGitSharesTheSlots(t *testing.T) {
	var now, most atomic.Int32
	h := &gitHost{answer: func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(time.Second)
		now.Add(-1)
		fmt.Fprint(w, `{"uuid":"{1}"}`)
	}}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := bitbucket.New(gitConfig(gitTest, memtransport.RoundTripper(h), "t1"))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { _, _, _ = fetched(t, client.Git()) })
			all.Go(func() { _, _ = client.Exists(t.Context(), "repo") })
		}
		all.Wait()
		equal(t, "under way at once", most.Load(), int32(4))
		equal(t, "took", time.Since(start), 5*time.Second)
	})
}

// The line of a request says what it was, and neither query, header nor body.
func TestGitLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := gitConfig(gitTest, memtransport.RoundTripper(&gitHost{}), "t1")
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		if _, _, err := fetched(t, newGit(t, c)); err != nil {
			t.Fatal(err)
		}
		_, line, _ := strings.Cut(log.String(), " ")
		equal(t, "log", line, "level=DEBUG msg=request method=POST path=/acme/repo.git/git-upload-pack ms=0 status=200\n")
	})
}

// Answers that are closed before their end leave neither sockets nor goroutines, and count
// as far as they came.
func TestGitEarlyClose(t *testing.T) {
	for _, two := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP/2 ", two), func(t *testing.T) {
			ended := make(chan struct{}, 100)
			h := &gitHost{answer: func(w http.ResponseWriter, r *http.Request) {
				defer func() { ended <- struct{}{} }()
				for r.Context().Err() == nil { // without an end, until the client goes away
					if _, err := w.Write(make([]byte, 32<<10)); err != nil {
						return
					}
				}
			}}
			server := httptest.NewUnstartedServer(h)
			var open atomic.Int32
			closed := make(chan struct{}, 100)
			server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				switch s {
				case http.StateNew:
					open.Add(1)
				case http.StateClosed:
					open.Add(-1)
					closed <- struct{}{}
				}
			}
			server.EnableHTTP2 = two
			server.StartTLS()
			network := server.Client().Transport.(*http.Transport)
			g := newGit(t, gitConfig(server.URL, network, "t1"))
			before := runtime.NumGoroutine()
			const n = 20
			for range n {
				resp, err := fetch(t.Context(), t, g, "want")
				if err != nil {
					t.Fatal(err)
				}
				if resp.ProtoMajor == 2 != two {
					t.Fatalf("got HTTP/%d", resp.ProtoMajor)
				}
				if _, err := io.ReadFull(resp.Body, make([]byte, 1000)); err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				<-ended // the server saw it
				if !two {
					<-closed
				}
			}
			want := int32(0)
			if two {
				want = 1 // kept for the next one
			}
			equal(t, "connections", open.Load(), want)
			if got := g.Bytes(); got < n*1000 || got > n*(1<<20) {
				t.Errorf("got %d bytes counted, want %d at least", got, n*1000)
			}
			network.CloseIdleConnections()
			server.Close()
			for runtime.NumGoroutine() > before { // those that end take a moment
				runtime.Gosched()
			}
		})
	}
}

// Why there is no answer is said in words that are the same for all repositories.
func TestGitNoAnswer(t *testing.T) {
	t.Parallel()
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 4711}, Err: err}
	}
	for _, tt := range []struct {
		name  string
		err   error
		want  string
		asked int
	}{
		{"proxy", &transport.ProxyError{Proxy: "proxy:3128", Target: "git.test:443", Status: 403}, "the proxy proxy:3128 refuses the connection to git.test:443 (403 Forbidden)", 1},
		{"certificate", &tls.CertificateVerificationError{Err: errors.New("unknown authority")}, "its certificate is not trusted; name its authority in the input ca_file", 1},
		{"name", dial(&net.DNSError{Err: "no such host", Name: "git.test", Server: "10.0.0.2:53"}), "its name is not found", 3},
		{"refused", dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "dial: connect: connection refused", 3},
		{"broken", io.ErrUnexpectedEOF, "the connection broke", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				g := newGit(t, gitConfig(gitTest, transport.Func(func(*http.Request) (*http.Response, error) {
					asked++
					return nil, tt.err
				}), "t1"))
				_, _, err := fetched(t, g)
				var none *bitbucket.NoAnswer
				if !errors.As(err, &none) || none.Why() != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("got %v, want no answer since %q", err, tt.want)
				}
				equal(t, "requests", asked, tt.asked)
			})
		})
	}
}
