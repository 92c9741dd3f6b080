package bitbucket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

// inProcess is the base URL of clients that call the emulator without a socket.
const inProcess = "https://bitbucket.test/2.0"

// newClient reads workspace "acme" with the token "good".
func newClient(t *testing.T, baseURL string, network http.RoundTripper) *bitbucket.Client {
	t.Helper()
	c, err := bitbucket.New(bitbucket.Config{
		BaseURL: baseURL, Workspace: "acme",
		Credentials: []transport.Credential{{
			Name:      "workspace access token",
			Authorize: func(r *http.Request) { r.Header.Set("Authorization", "Bearer good") },
		}},
		CredentialKind: "workspace access token",
		Rate:           transport.Rate{N: 10_000, Window: time.Hour},
		Concurrency:    4,
		UserAgent:      "exporter/1",
		Transport:      network,
		Log:            slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newServer() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	s.AllowToken("good", bitbuckettest.Access{Limit: -1})
	return s
}

// withRepositories has n repositories, repo-1 and so on.
func withRepositories(n int) *bitbuckettest.Server {
	s := newServer()
	for i := range n {
		s.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("repo-%d", i+1)})
	}
	return s
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, s *bitbuckettest.Server, test func(t *testing.T, c *bitbucket.Client)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, newClient(t, inProcess, s.RoundTripper())) })
}

// overSocket serves the emulator on loopback.
func overSocket(t *testing.T, s *bitbuckettest.Server) *bitbucket.Client {
	t.Helper()
	server := httptest.NewServer(s)
	transport := &http.Transport{}
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	return newClient(t, server.URL+"/2.0", transport)
}

// collect gives the values, and the error; the first odd value is one too.
func collect[T any](all iter.Seq2[T, error]) (values []T, err error) {
	values, odd, err := collectOdd(all)
	if err == nil && len(odd) > 0 {
		err = odd[0]
	}
	return values, err
}

// collectOdd gives the odd values apart from the error, after which nothing comes.
func collectOdd[T any](all iter.Seq2[T, error]) (values []T, odd []error, err error) {
	for v, e := range all {
		var o *bitbucket.Odd
		switch {
		case err != nil:
			panic("something after the error")
		case errors.As(e, &o):
			odd = append(odd, e)
		case e != nil:
			err = e
		default:
			values = append(values, v)
		}
	}
	return values, odd, err
}

func slugs(c *bitbucket.Client) (string, error) {
	all, err := collect(c.Repositories(context.Background(), bitbucket.RepositoryQuery{}))
	var names []string
	for _, r := range all {
		names = append(names, r.Slug)
	}
	return strings.Join(names, " "), err
}

func column(objects []bitbucket.Object, key string) string {
	var cells []string
	for _, o := range objects {
		cells = append(cells, fmt.Sprint(o[key]))
	}
	return strings.Join(cells, " ")
}

// requests are those of the journal, as sent.
func requests(s *bitbuckettest.Server) []string {
	var lines []string
	for _, x := range s.Journal() {
		line := x.Path
		if x.RawQuery != "" {
			line += "?" + x.RawQuery
		}
		lines = append(lines, line)
	}
	return lines
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("got no error, want one with %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error: got %q, want it to have %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error: got %q, want one line", err)
	}
}

func correct(t *testing.T, s *bitbuckettest.Server) {
	t.Helper()
	if got := s.Violations(); len(got) > 0 {
		t.Errorf("violations: got %q, want none", got)
	}
}

// skipShort leaves a test to a run that is not short: the race detector takes ten times as
// long, and sees the same goroutines with smaller answers, or in one case of many.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: left to a run without -short")
	}
}
