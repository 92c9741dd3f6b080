package bitbucket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/memtransport"
	"port-bitbucket-exporter/internal/transport"
)

// gitHost is a git host that keeps a journal of what it was asked.
type gitHost struct {
	answer http.HandlerFunc // nil answers "pack"

	mu  sync.Mutex
	log []string // status, user and body of each request
}

func (h *gitHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	user, secret, _ := r.BasicAuth()
	h.mu.Lock()
	h.log = append(h.log, fmt.Sprintf("%s %s %s:%s %s", r.Method, r.URL.EscapedPath(), user, secret, body))
	h.mu.Unlock()
	if h.answer != nil {
		h.answer(w, r)
		return
	}
	fmt.Fprint(w, "pack")
}

func (h *gitHost) journal() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.log)
}

// gitConfig reads workspace acme with one or more tokens.
func gitConfig(baseURL string, network http.RoundTripper, tokens ...string) bitbucket.Config {
	c := bitbucket.Config{
		BaseURL: inProcess, Workspace: "acme", CredentialKind: "workspace token",
		Rate:        transport.Rate{N: 10_000, Window: time.Hour},
		Git:         bitbucket.GitConfig{BaseURL: baseURL, Rate: transport.Rate{N: 60_000, Window: time.Hour}},
		Concurrency: 4, UserAgent: "exporter/1", Transport: network, Log: slog.New(slog.DiscardHandler),
	}
	for _, token := range tokens {
		c.Credentials = append(c.Credentials, transport.Credential{
			Name:         "workspace token " + token,
			Authorize:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
			AuthorizeGit: func(r *http.Request) { r.SetBasicAuth("x-token-auth", token) },
		})
	}
	return c
}

func newGit(t *testing.T, c bitbucket.Config) *bitbucket.Git {
	t.Helper()
	client, err := bitbucket.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client.Git()
}

// gitTest is the base URL of hosts that are called without a socket.
const gitTest = "https://git.test"

// gitInBubble runs a test with two tokens in virtual time.
func gitInBubble(t *testing.T, h *gitHost, test func(t *testing.T, g *bitbucket.Git)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, newGit(t, gitConfig(gitTest, memtransport.RoundTripper(h), "t1", "t2"))) })
}

func fetch(ctx context.Context, t *testing.T, g *bitbucket.Git, body string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL("repo")+"/git-upload-pack?a=secret", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := g.Do(req)
	if len(req.Header) != 0 {
		t.Errorf("the caller's request was written to: %v", req.Header)
	}
	return resp, err
}

// fetched gives the status and the body of an answer.
func fetched(t *testing.T, g *bitbucket.Git) (status int, body string, err error) {
	t.Helper()
	resp, err := fetch(t.Context(), t, g, "want")
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func TestGitIsNotThereUnlessUsed(t *testing.T) {
	t.Parallel()
	none := gitConfig("", nil, "t1")
	app := gitConfig(gitTest, nil, "t1")
	app.Credentials[0].AuthorizeGit = nil
	for name, c := range map[string]bitbucket.Config{"no host": none, "no credential for it": app} {
		if g := newGit(t, c); g != nil {
			t.Errorf("%s: got %v, want none", name, g)
		}
	}
}

func TestGitURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ base, workspace, slug, want string }{
		{gitTest, "acme", "repo", "https://git.test/acme/repo.git"},
		{"http://127.0.0.1:8080/git/", "acme", "a.b_c", "http://127.0.0.1:8080/git/acme/a.b_c.git"},
		{gitTest, "{0}", "a/../b?c#d", "https://git.test/%7B0%7D/a%2F..%2Fb%3Fc%23d.git"},
	} {
		c := gitConfig(tt.base, nil, "t1")
		c.Workspace = tt.workspace
		equal(t, "address", newGit(t, c).URL(tt.slug), tt.want)
	}
}

func TestGitSends(t *testing.T) {
	var header http.Header
	h := &gitHost{answer: func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		fmt.Fprint(w, "pack")
	}}
	gitInBubble(t, h, func(t *testing.T, g *bitbucket.Git) {
		status, body, err := fetched(t, g)
		equal(t, "answer", fmt.Sprint(status, body, err), "200pack<nil>")
		equal(t, "asked", h.journal(), []string{"POST /acme/repo.git/git-upload-pack x-token-auth:t1 want"})
		equal(t, "headers", fmt.Sprint(header["User-Agent"], header["Accept-Encoding"]), "[exporter/1] [identity]")
		equal(t, "counts", fmt.Sprint(g.Requests(), g.Bytes()), "1 4")
	})
}

// A fault that passes is tried again with the body from its beginning; of one that stays the
// last answer is handed on.
func TestGitTriesAgain(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []func(http.ResponseWriter, *http.Request)
		want   string
		asked  int
	}{
		{"passes", []func(http.ResponseWriter, *http.Request){status(502), broken}, "200pack<nil>", 3},
		{"stays", []func(http.ResponseWriter, *http.Request){status(500), status(503), status(502)}, "502status 502<nil>", 3},
		{"no connection", []func(http.ResponseWriter, *http.Request){broken, broken, broken}, "0POST /acme/repo.git/git-upload-pack: unexpected EOF", 3},
		{"not found", []func(http.ResponseWriter, *http.Request){status(404)}, "404status 404<nil>", 1},
		{"gone", []func(http.ResponseWriter, *http.Request){status(410)}, "410status 410<nil>", 1},
		{"silent, then not", []func(http.ResponseWriter, *http.Request){status(502), status(502), status(200)}, "200status 200<nil>", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &gitHost{}
			var n atomic.Int32
			h.answer = func(w http.ResponseWriter, r *http.Request) {
				if i := int(n.Add(1)); i <= len(tt.faults) {
					tt.faults[i-1](w, r)
					return
				}
				fmt.Fprint(w, "pack")
			}
			gitInBubble(t, h, func(t *testing.T, g *bitbucket.Git) {
				status, body, err := fetched(t, g)
				equal(t, "answer", fmt.Sprint(status, body, err), tt.want)
				for _, line := range h.journal() {
					if !strings.HasSuffix(line, " want") {
						t.Errorf("the body was not sent whole: %q", line)
					}
				}
				equal(t, "requests", fmt.Sprint(len(h.journal()), g.Requests()), fmt.Sprint(tt.asked, tt.asked))
			})
		})
	}
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprintf(w, "status %d", code)
	}
}

func broken(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// A 503 says when to come back.
func TestGitObeysRetryAfter(t *testing.T) {
	h := &gitHost{}
	h.answer = func(w http.ResponseWriter, _ *http.Request) {
		if len(h.journal()) == 1 {
			w.Header().Set("Retry-After", "40")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	gitInBubble(t, h, func(t *testing.T, g *bitbucket.Git) {
		start := time.Now()
		got, _, err := fetched(t, g)
		if took := time.Since(start); err != nil || got != 200 || took != 40*time.Second {
			t.Errorf("got %d, %v after %s, want 200 after 40s", got, err, took)
		}
	})
}

// What says nothing is not waited for longer than a minute, and what never ends no longer
// than five, whatever comes meanwhile.
func TestGitIsTimely(t *testing.T) {
	h := &gitHost{answer: func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "pa")
		memtransport.Stall(w, r)
	}}
	gitInBubble(t, h, func(t *testing.T, g *bitbucket.Git) {
		start := time.Now()
		got, body, err := fetched(t, g)
		var late *transport.LateError
		if !errors.As(err, &late) || !late.Idle || got != 200 || body != "pa" || time.Since(start) != time.Minute {
			t.Errorf("got %d %q, %v after %s, want the beginning, and a late error after 1m", got, body, err, time.Since(start))
		}
	})
}

// Redirects keep method, body, scheme, host and port, or are refused: nobody else is asked,
// and no credential goes anywhere else.
func TestGitRedirects(t *testing.T) {
	t.Parallel()
	other, asked := stranger(t)
	h := &gitHost{}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	own := strings.TrimPrefix(server.URL, "http://")
	_, port, _ := net.SplitHostPort(own)
	network := &http.Transport{}
	t.Cleanup(network.CloseIdleConnections)
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{
			"/acme/renamed.git/git-upload-pack", server.URL + "/acme/renamed.git/git-upload-pack",
			other + "/x", "//" + strings.TrimPrefix(other, "http://") + "/x", "https://" + own + "/x",
			"http://localhost:" + port + "/x", "http://127.0.0.1.evil.test:" + port + "/x",
		} {
			t.Run(fmt.Sprint(code, " ", url.PathEscape(location)), func(t *testing.T) {
				h.log = nil
				h.answer = func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, "renamed") {
						fmt.Fprint(w, "pack")
						return
					}
					w.Header().Set("Location", location)
					w.WriteHeader(code)
				}
				got, body, err := fetched(t, newGit(t, gitConfig(server.URL, network, "t1")))
				if code >= 307 && strings.Contains(location, "renamed") {
					equal(t, "answer", fmt.Sprint(got, body, err), "200pack<nil>")
					equal(t, "asked", h.journal()[1:], []string{"POST /acme/renamed.git/git-upload-pack x-token-auth:t1 want"})
					return
				}
				wantError(t, err, "POST /acme/repo.git/git-upload-pack: redirect refused")
				equal(t, "requests", len(h.journal()), 1)
			})
		}
	}
	equal(t, "asked elsewhere", asked.Load(), int32(0))
}

func TestGitRedirectsEnd(t *testing.T) {
	h := &gitHost{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/acme/repo.git/git-upload-pack")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}}
	gitInBubble(t, h, func(t *testing.T, g *bitbucket.Git) {
		_, _, err := fetched(t, g)
		wantError(t, err, "redirect refused: more than 3 in a row")
	})
}

// A request that is not for the host, or cannot be repeated, does not go out.
func TestGitRefusesRequests(t *testing.T) {
	h := &gitHost{}
	gitInBubble(t, h, func(t *testing.T, g *bitbucket.Git) {
		for _, tt := range []struct {
			address string
			body    io.Reader
			want    string
		}{
			{"https://git.test.evil.test/acme/repo.git", nil, `"git.test.evil.test" is not the git host`},
			{"https://git.test:444/acme/repo.git", nil, "is not the git host"},
			{"http://git.test/acme/repo.git", nil, "is not the git host"},
			{"https://git.test/acme/../repo.git", nil, "a part of the path"},
			{"https://git.test/acme/repo.git", io.MultiReader(strings.NewReader("want")), "cannot be sent again"},
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tt.address, tt.body)
			if err != nil {
				t.Fatal(err)
			}
			_, err = g.Do(req)
			wantError(t, err, tt.want)
		}
		equal(t, "requests", len(h.journal()), 0)
	})
}
