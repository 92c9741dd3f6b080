// Package gitbackend serves repositories over smart HTTP with git itself: `git http-backend`
// behind a listener on loopback, for tests. It also makes such repositories, and slows
// connections down as a long line does.
//
// Tests that use it are skipped where git is not installed. git reads no configuration of the
// machine or of the user.
package gitbackend

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Server serves every repository below a folder: the one in acme/r.git has the address
// URL + "/acme/r.git". It asks for no credential.
type Server struct {
	// URL is without a trailing slash.
	URL string

	program  string // git-http-backend
	folder   string
	requests atomic.Int64
	bytes    atomic.Int64
	running  sync.WaitGroup
}

// Serve serves the repositories below folder until the test ends, over HTTP/1.1.
func Serve(tb testing.TB, folder string) *Server {
	tb.Helper()
	s := newServer(tb, folder)
	listener := httptest.NewServer(s)
	tb.Cleanup(listener.Close)
	s.URL = listener.URL
	return s
}

// ServeTLS is Serve over TLS, with HTTP/2 for those who ask for it. The client trusts the
// certificate.
func ServeTLS(tb testing.TB, folder string) (s *Server, client *http.Client) {
	tb.Helper()
	s = newServer(tb, folder)
	listener := httptest.NewUnstartedServer(s)
	listener.EnableHTTP2 = true
	listener.StartTLS()
	tb.Cleanup(listener.Close)
	s.URL = listener.URL
	return s, listener.Client()
}

func newServer(tb testing.TB, folder string) *Server {
	tb.Helper()
	programs := strings.TrimSpace(string(Git(tb, ".", nil, "--exec-path")))
	program := filepath.Join(programs, "git-http-backend")
	if _, err := os.Stat(program); err != nil {
		tb.Skipf("git http-backend is not installed: %v", err)
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		tb.Fatal(err)
	}
	return &Server{program: program, folder: absolute}
}

// Requests is the number of requests that were received.
func (s *Server) Requests() int { return int(s.requests.Load()) }

// Bytes is the length of all bodies that were sent, as far as clients took them.
func (s *Server) Bytes() int64 { return s.bytes.Load() }

// Idle waits until every process of git has ended. The error is that of the context. It is
// called while no request is sent.
func (s *Server) Idle(ctx context.Context) error {
	idle := make(chan struct{})
	go func() {
		s.running.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ServeHTTP runs git for one request.
// Source: https://git-scm.com/docs/git-http-backend, read 2026-11. Versions before 2.34 take
// the header Git-Protocol only as a variable of the environment.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	s.running.Add(1)
	defer s.running.Done()
	handler := cgi.Handler{
		Path:   s.program,
		Root:   "/",
		Dir:    s.folder,
		Env:    append(environment(), "GIT_PROJECT_ROOT="+s.folder, "GIT_HTTP_EXPORT_ALL=1", "GIT_PROTOCOL="+r.Header.Get("Git-Protocol")),
		Logger: log.New(io.Discard, "", 0), // clients that leave early are no news
		Stderr: io.Discard,
	}
	handler.ServeHTTP(counted{w, &s.bytes}, r)
}

// counted counts what of a body was written.
type counted struct {
	http.ResponseWriter
	bytes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.bytes.Add(int64(n))
	return n, err
}

// Unwrap lets http.ResponseController flush.
func (c counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// environment keeps git from reading any configuration but that of the repository, and makes
// commits the same in each test. The last two make git several times as fast on some systems:
// zlib's state is too large for malloc to keep, and git has one for each object.
func environment() []string {
	return []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"HOME=" + os.DevNull, "XDG_CONFIG_HOME=" + os.DevNull, "LC_ALL=C", "TZ=UTC",
		"GIT_AUTHOR_NAME=Dana Ruiz", "GIT_AUTHOR_EMAIL=dana@acme.test", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=Dana Ruiz", "GIT_COMMITTER_EMAIL=dana@acme.test", "GIT_COMMITTER_DATE=1700000000 +0000",
		"MALLOC_MMAP_THRESHOLD_=1073741824", "MALLOC_TRIM_THRESHOLD_=1073741824",
	}
}

// Git runs a command of git in a folder and returns what it printed.
func Git(tb testing.TB, folder string, stdin io.Reader, arguments ...string) []byte {
	tb.Helper()
	program, err := exec.LookPath("git")
	if err != nil {
		tb.Skipf("git is not installed: %v", err)
	}
	cmd := exec.CommandContext(tb.Context(), program, arguments...)
	cmd.Dir, cmd.Stdin = folder, stdin
	cmd.Env = append(environment(), "PATH="+os.Getenv("PATH"))
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("git %s: %v\n%s", strings.Join(arguments, " "), err, &failure)
	}
	return out
}
