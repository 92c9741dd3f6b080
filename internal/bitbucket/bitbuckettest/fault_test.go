package bitbuckettest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestFaultStatus(t *testing.T) {
	t.Parallel()
	s := small(t)
	fired := s.Fault(Fault{Path: "/repositories/**", Nth: 2, Status: 429, Header: http.Header{"retry-after": {"30"}}, Body: "slow down"})
	equal(t, "first", call(t, s, "/repositories/acme").status, 200)
	equal(t, "another path", call(t, s, "/workspaces/acme").status, 200)
	g := call(t, s, "/repositories/acme/empty")
	equal(t, "second", g.status, 429)
	equal(t, "header", g.header.Get("Retry-After"), "30")
	equal(t, "type", g.header.Get("Content-Type"), "text/plain")
	equal(t, "body", g.body, "slow down")
	equal(t, "third", call(t, s, "/repositories/acme").status, 200)
	equal(t, "fired", fired(), 1)
	equal(t, "journal", s.Journal()[2].Status, 429)

	fired = s.Fault(Fault{Query: "name=x y", Times: 2, Status: 503})
	g = call(t, s, "/repositories/acme?name=x+y")
	equal(t, "status", g.status, 503)
	equal(t, "envelope", g.message(), "Service Unavailable")
	equal(t, "checked all the same", len(s.Violations()), 1)
	call(t, s, "/repositories/acme?name=x+y")
	equal(t, "over", call(t, s, "/repositories/acme?name=x+y").status, 400)
	equal(t, "fired", fired(), 2)

	s.Fault(Fault{Match: func(r *http.Request) bool { return r.Header.Get("Accept") != "" }, Method: "POST", Status: 500})
	equal(t, "no match", call(t, s, "/repositories/acme").status, 200)
	fired = s.Fault(Fault{Times: -1, Status: 500, Body: "<html>"})
	for range 3 {
		equal(t, "always", call(t, s, "/workspaces/acme").status, 500)
	}
	equal(t, "fired", fired(), 3)
	equal(t, "no credential first", send(t, s, "GET", "/workspaces/acme", "").status, 401)
}

func TestFaultPage(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.Fault(Fault{Next: "https://evil.test/2.0/x"})
	equal(t, "next", call(t, s, "/repositories/acme").at("next"), any("https://evil.test/2.0/x"))
	s.Fault(Fault{RepeatPage: true})
	equal(t, "same page", call(t, s, "/repositories/acme?pagelen=2&page=2").at("next"), any(base+"/repositories/acme?page=2&pagelen=2"))
	s.Fault(Fault{Mutate: func(o map[string]any) {
		o["size"] = json.Number("99")
		delete(o, "values")
	}})
	g := call(t, s, "/repositories/acme")
	equal(t, "mutated", g.at("size"), any(99.0))
	equal(t, "deleted", g.at("values"), nil)
	s.Fault(Fault{Redirect: "https://evil.test/"})
	g = call(t, s, "/repositories/acme")
	equal(t, "redirect", g.status, 302)
	equal(t, "location", g.header.Get("Location"), "https://evil.test/")
	s.Fault(Fault{Redirect: "/moved", Status: 301})
	equal(t, "moved", call(t, s, "/repositories/acme").status, 301)
	s.Fault(Fault{Header: http.Header{"X-Extra": {"1"}}})
	g = call(t, s, "/repositories/acme")
	equal(t, "header alone", g.header.Get("X-Extra"), "1")
	equal(t, "answer as it is", g.at("size"), any(4.0))
}

func get(ctx context.Context, t *testing.T, c *http.Client, target string) (body string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer good")
	res, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"socket", "in process"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := small(t)
			client, address := &http.Client{Transport: s.RoundTripper()}, "http://bitbucket.test"
			if way == "socket" {
				srv := httptest.NewServer(s)
				t.Cleanup(srv.Close)
				client, address = srv.Client(), srv.URL
			}
			address += "/2.0/repositories/acme?pagelen=1"
			s.Fault(Fault{TruncateBody: 20})
			body, err := get(t.Context(), t, client, address)
			equal(t, "truncated", len(body), 20)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("truncated: %v", err)
			}
			s.Fault(Fault{DropConnection: true, Times: -1})
			if _, err = get(t.Context(), t, client, address); err == nil {
				t.Error("dropped: no error")
			}
			last := s.Journal()[s.Requests()-1]
			equal(t, "journal", last.Status, 0)
			equal(t, "credential", last.Credential, "good")
		})
	}
}

func TestSocket(t *testing.T) {
	t.Parallel()
	s := small(t)
	srv := httptest.NewTLSServer(s)
	t.Cleanup(srv.Close)
	body, err := get(t.Context(), t, srv.Client(), srv.URL+"/2.0/repositories/acme?pagelen=1")
	if err != nil || !strings.Contains(body, `"next":"`+srv.URL+`/2.0/repositories/acme?page=2&pagelen=1"`) {
		t.Errorf("%v in %s", err, body)
	}
	body, err = get(t.Context(), t, srv.Client(), srv.URL+"/2.0/repositories/acme/checkout-api/src")
	if err != nil || !strings.Contains(body, `"commit_directory"`) {
		t.Errorf("redirect to the root listing: %v in %s", err, body)
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := small(t)
		s.Fault(Fault{Times: -1, Delay: time.Hour})
		client := &http.Client{Transport: s.RoundTripper()}
		start := time.Now()
		if _, err := get(t.Context(), t, client, base+"/workspaces/acme"); err != nil {
			t.Error(err)
		}
		equal(t, "waited", time.Since(start), time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := get(ctx, t, client, base+"/workspaces/acme")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cancelled: %v", err)
		}
		equal(t, "waited until cancelled", time.Since(start), time.Hour+time.Minute)
		if _, err = get(ctx, t, client, base+"/workspaces/acme"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cancelled before: %v", err)
		}
		equal(t, "requests", s.Requests(), 2)
	})
}

func TestMatchPath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, path string
		want          bool
	}{
		{"/repositories/*", "/repositories/acme", true},
		{"/repositories/*", "/repositories/acme/x", false},
		{"/repositories/**", "/repositories/acme/x", true},
		{"/repositories/acme/r*/pullrequests", "/repositories/acme/r1/pullrequests", true},
		{"/**/pullrequests", "/repositories/acme/r1/pullrequests", true},
		{"/**/src/**", "/repositories/acme/r1/pullrequests", false},
		{"**", "", true},
	}
	for _, tt := range tests {
		equal(t, tt.pattern+" "+tt.path, matchPath(strings.Split(tt.pattern, "/"), strings.Split(tt.path, "/")), tt.want)
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	s := small(t)
	call(t, s, "/repositories/acme?role=member&pagelen=1")
	x := s.Journal()[0]
	equal(t, "method", x.Method, "GET")
	equal(t, "host", x.Host, "bitbucket.test")
	equal(t, "path", x.Path, "/2.0/repositories/acme")
	equal(t, "query", x.RawQuery, "role=member&pagelen=1")
	equal(t, "role", x.Query.Get("role"), "member")
	equal(t, "credential", x.Credential, "good")
	equal(t, "body is not kept", len(x.ResponseBody), 0)
	if x.Time.IsZero() {
		t.Error("no time")
	}
	s.Record(true)
	g := call(t, s, "/repositories/acme")
	x = s.Journal()[1]
	equal(t, "body", string(x.ResponseBody), g.body)
	equal(t, "response header", x.ResponseHeader.Get("Content-Type"), g.header.Get("Content-Type"))
	equal(t, "secret", x.RequestHeader.Get("Authorization"), "")
	equal(t, "requests", s.Requests(), 2)
	s.ResetJournal()
	equal(t, "after the reset", s.Requests(), 0)
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s := Sample()
	s.AllowToken("good", Access{Limit: -1})
	s.Record(true)
	s.Fault(Fault{Nth: 10, Status: 500})
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			client := &http.Client{Transport: s.RoundTripper()}
			for _, target := range []string{
				"/repositories/acme?sort=created_on&pagelen=100", "/workspaces/acme/projects",
				"/repositories/acme/checkout-api/pullrequests?sort=id&fields=%2Bvalues.reviewers",
				"/repositories/acme/checkout-api/src/main/README.md",
			} {
				if _, err := get(t.Context(), t, client, base+target); err != nil {
					t.Error(err)
				}
			}
			switch n {
			case 0:
				s.AddPullRequest("checkout-api", PullRequest{Title: "new"})
			case 1:
				s.SetFile("checkout-api", "a", nil)
			case 2:
				s.UpdateRepository("ledger-api", func(r *Repository) { r.Size++ })
			}
			_, _, _ = s.Journal(), s.Violations(), s.Requests()
		})
	}
	wg.Wait()
	equal(t, "requests", s.Requests(), 16)
}

// A route's fault falls on that route alone, and the journal knows of it, also while
// the answer is still to come.
func TestFaultOfARoute(t *testing.T) {
	t.Parallel()
	s := small(t)
	const list = "/repositories/{workspace}/{repo_slug}/pullrequests"
	fired := s.Fault(Fault{Route: list, Times: -1, Status: 503})
	s.OnRequest(func(n int, _ *http.Request) { equal(t, "faults of one to come", s.Journal()[n-1].Faults, 0) })
	for target, want := range map[string]int{
		"/repositories/acme/checkout-api/pullrequests":   503,
		"/repositories/acme/checkout-api/pullrequests/1": 200,
		"/repositories/acme/checkout-api":                200,
		"/elsewhere":                                     404,
	} {
		equal(t, target, call(t, s, target).status, want)
	}
	equal(t, "fired", fired(), 1)
	for _, x := range s.Journal() {
		equal(t, x.Path+" has a fault", x.Faults, map[bool]int{true: 1}[x.Route == list])
		equal(t, x.Path+" has a route", x.Route != "", x.Status != 404)
	}
	s.ClearFaults()
	equal(t, "cleared", call(t, s, "/repositories/acme/checkout-api/pullrequests").status, 200)
}

func TestPageAgain(t *testing.T) {
	t.Parallel()
	s := small(t)
	for target, next := range map[string]string{
		"/repositories/acme?pagelen=2&sort=name":         "/repositories/acme?page=1&pagelen=2&sort=name",
		"/repositories/acme/checkout-api/src/main/docs/": "/repositories/acme/checkout-api/src/main/docs/?page=",
		"/repositories/acme/checkout-api/refs/branches":  "/repositories/acme/checkout-api/refs/branches?page=1",
	} {
		s.Fault(Fault{PageAgain: true})
		link, _ := call(t, s, target).at("next").(string)
		if !strings.HasPrefix(link, base+next) {
			t.Errorf("%s: got next %q, want %q", target, link, next)
		}
		equal(t, target+" again", call(t, s, link).at("page"), any(1.0))
	}
}

func TestMaxPage(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.MaxPage(1)
	names := ""
	for next := base + "/repositories/acme?pagelen=100&sort=name"; next != ""; {
		g := call(t, s, next)
		equal(t, "pagelen", g.at("pagelen"), any(1.0))
		names += g.column("slug") + " "
		next, _ = g.at("next").(string)
	}
	equal(t, "slugs", names, "checkout-api r-d-bot empty orphan ")
	names = ""
	for next := base + "/repositories/acme/checkout-api/src/main/?max_depth=2&pagelen=100"; next != ""; {
		g := call(t, s, next)
		names += g.column("path") + " "
		next, _ = g.at("next").(string)
	}
	equal(t, "paths", names, "docs README.md docs/deep docs/a b.txt ")
	equal(t, "violations", len(s.Violations()), 0)
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	s := small(t)
	whole := call(t, s, "/repositories/acme/checkout-api/src/main/README.md").body
	s.Fault(Fault{Rewrite: func(body []byte) []byte { return body[:4] }})
	g := call(t, s, "/repositories/acme/checkout-api/src/main/README.md")
	equal(t, "body", g.body, whole[:4])
	equal(t, "length", g.header.Get("Content-Length"), "4")
}

// A body that stands still does so until the caller gives up, and then its error is the
// caller's.
func TestStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := small(t)
		s.Fault(Fault{StallBody: 7})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		body, err := get(ctx, t, &http.Client{Transport: s.RoundTripper()}, base+"/workspaces/acme")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		equal(t, "read", len(body), 7)
		equal(t, "waited", time.Since(start), time.Minute)
	})
	s := small(t)
	srv := httptest.NewServer(s)
	defer srv.Close()
	s.Fault(Fault{StallBody: 7})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/2.0/workspaces/acme", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer good")
	res, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	begin := make([]byte, 7)
	if _, err := io.ReadFull(res.Body, begin); err != nil {
		t.Errorf("the beginning: %v", err)
	}
	cancel()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("the rest: got %v, want the context's error", err)
	}
}
