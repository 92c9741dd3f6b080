package bitbucket_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

// Twelve repositories are asked for side by side, within a budget. What the server does to the
// requests makes more of them, or makes them wait: as many arrive as the budget has, at once.
func TestMaxRequests(t *testing.T) {
	const repositories = 12
	scenes := []struct {
		name  string
		do    func(s *bitbuckettest.Server)
		rate  transport.Rate
		asks  int           // how many requests go out without a budget; 0 for more than any budget here
		waits time.Duration // at most, for each two requests but the first two
	}{
		{name: "all is well", asks: repositories},
		{name: "each takes a moment", asks: repositories, waits: time.Second, do: func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Times: -1, Delay: time.Millisecond})
		}},
		{name: "outage", waits: time.Minute, do: func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Times: -1, Status: 503})
		}},
		{name: "outage that asks to wait", waits: 10 * time.Minute, do: func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Times: -1, Status: 503, Header: http.Header{"Retry-After": {"300"}}})
		}},
		{name: "broken connections", waits: time.Minute, do: func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Times: -1, DropConnection: true})
		}},
		{name: "answers that are cut off", waits: time.Minute, do: func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Times: -1, TruncateBody: 10})
		}},
		{name: "a redirect each", asks: 2 * repositories, do: func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Times: -1, Match: func(r *http.Request) bool { return r.URL.RawQuery == "fields=uuid" }, Redirect: inProcess + "/repositories/acme/repo-1?fields=uuid%2Cslug"})
		}},
		{name: "one credential is wrong", do: func(s *bitbuckettest.Server) { s.Revoke("good") }},
		{name: "the credentials refuse by 429", waits: 2 * time.Hour, do: func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Times: -1, Status: 429})
		}},
		{name: "the allowance is small", asks: repositories, rate: transport.Rate{N: 1, Window: time.Hour}, waits: time.Hour},
	}
	for _, scene := range scenes {
		for _, most := range []int{1, 2, 7, 200} {
			t.Run(fmt.Sprint(scene.name, " ", most), func(t *testing.T) {
				t.Parallel()
				s := withRepositories(repositories)
				if scene.do != nil {
					scene.do(s)
				}
				synctest.Test(t, func(t *testing.T) {
					c := budgeted(t, s, most, scene.rate)
					start := time.Now()
					errs := make([]error, repositories)
					var all sync.WaitGroup
					for i := range repositories {
						all.Go(func() { _, errs[i] = c.Exists(t.Context(), fmt.Sprintf("repo-%d", i+1)) })
					}
					all.Wait()
					equal(t, "counted", c.Requests(), s.Requests())
					left, bounded := c.Left()
					equal(t, "left", left, most-s.Requests())
					equal(t, "bounded", bounded, true)
					if most < 100 {
						wantSpent(t, s, most, errs)
					} else if scene.asks > 0 {
						equal(t, "arrived", s.Requests(), scene.asks)
					}
					if took := time.Since(start); most < 100 && took > 10*time.Millisecond+scene.waits*time.Duration((most-1)/2) {
						t.Errorf("took %v", took)
					}
				})
			})
		}
	}
}

// wantSpent expects that the whole budget arrived, and that it is what the rest lacked.
func wantSpent(t *testing.T, s *bitbuckettest.Server, most int, errs []error) {
	t.Helper()
	equal(t, "arrived", s.Requests(), most)
	missed := 0
	for i, err := range errs {
		if errors.Is(err, bitbucket.ErrBudget) {
			missed++
			wantError(t, err, fmt.Sprintf("GET /2.0/repositories/acme/repo-%d: ", i+1), "not asked for: max_requests")
			if !strings.Contains(bitbucket.Fix(err), "max_requests") {
				t.Errorf("fix: got %q", bitbucket.Fix(err))
			}
		}
	}
	if missed < len(errs)-most {
		t.Errorf("without an answer: got %d of %d, with %d requests", missed, len(errs), most)
	}
}

// budgeted reads workspace "acme" with the tokens "good" and "second", by so many requests.
func budgeted(t *testing.T, s *bitbuckettest.Server, most int, rate transport.Rate) *bitbucket.Client {
	t.Helper()
	return budgetedAt(t, s, inProcess, s.RoundTripper(), most, rate)
}

func budgetedAt(t *testing.T, s *bitbuckettest.Server, baseURL string, network http.RoundTripper, most int, rate transport.Rate) *bitbucket.Client {
	t.Helper()
	s.AllowToken("second", bitbuckettest.Access{Limit: -1})
	var tokens []transport.Credential
	for _, token := range []string{"good", "second"} {
		tokens = append(tokens, transport.Credential{Name: token, Authorize: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }})
	}
	if rate.N == 0 {
		rate = transport.Rate{N: 10_000, Window: time.Hour}
	}
	c, err := bitbucket.New(bitbucket.Config{
		BaseURL: baseURL, Workspace: "acme", Concurrency: 4, MaxRequests: most, Credentials: tokens, Rate: rate,
		Transport: network, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The last attempts of a budget tell what they found, when that is an answer.
func TestLastRequestOfABudget(t *testing.T) {
	t.Parallel()
	s := withRepositories(1)
	synctest.Test(t, func(t *testing.T) {
		c := budgeted(t, s, 1, transport.Rate{})
		there, err := c.Exists(t.Context(), "none")
		equal(t, "found", there, false)
		equal(t, "error", err, error(nil))
		_, err = c.Exists(t.Context(), "repo-1")
		equal(t, "error after it", errors.Is(err, bitbucket.ErrBudget), true)
		equal(t, "its text", err.Error(), "GET /2.0/repositories/acme/repo-1: not asked for: max_requests is used up")
	})
}

// A request that was tried as often as any is tells what it met, though no other is left;
// one that lacks attempts tells both.
func TestLastAttemptsOfABudget(t *testing.T) {
	t.Parallel()
	for most, spent := range map[int]bool{transport.Attempts: false, transport.Attempts - 1: true} {
		s := withRepositories(1)
		s.Fault(bitbuckettest.Fault{Times: -1, Status: 503, Delay: time.Millisecond})
		synctest.Test(t, func(t *testing.T) {
			_, err := budgeted(t, s, most, transport.Rate{}).Exists(t.Context(), "repo-1")
			equal(t, "requests", s.Requests(), most)
			equal(t, "it is the budget's", errors.Is(err, bitbucket.ErrBudget), spent)
			wantError(t, err, "GET /2.0/repositories/acme/repo-1: 503 Service Unavailable")
		})
	}
}

// A server breaks every second connection when it has read a request: net/http sends that again
// by itself, and each time counts.
func TestMaxRequestsWhereConnectionsBreak(t *testing.T) {
	t.Parallel()
	for _, most := range []int{1, 2, 3, 4, 5, 8} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			t.Parallel()
			s := withRepositories(1)
			var arrived atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if arrived.Add(1)%2 == 1 {
					s.ServeHTTP(w, r)
					return
				}
				if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
					connection.Close()
				}
			}))
			t.Cleanup(server.Close)
			network := &http.Transport{}
			t.Cleanup(network.CloseIdleConnections)
			c := budgetedAt(t, s, server.URL+"/2.0", network, most, transport.Rate{})
			var err error
			for err == nil {
				_, err = c.Exists(t.Context(), "repo-1")
			}
			if !errors.Is(err, bitbucket.ErrBudget) {
				t.Errorf("got %v, want ErrBudget", err)
			}
			if most%2 == 0 { // the last one arrives on a connection that breaks
				wantError(t, err, "GET /2.0/repositories/acme/repo-1: the connection broke before an answer came: not asked for: max_requests")
			}
			server.Close() // what is on the way has arrived
			equal(t, "arrived", int(arrived.Load()), most)
			equal(t, "counted", c.Requests(), most)
		})
	}
}

// Without a bound nothing is bounded, and the git host never is.
func TestNoMaxRequests(t *testing.T) {
	t.Parallel()
	c := newClient(t, inProcess, newServer().RoundTripper())
	if _, bounded := c.Left(); bounded {
		t.Error("a client without a bound has one")
	}
}
