package porttest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/port/porttest"
)

func TestFaultStatus(t *testing.T) {
	t.Parallel()
	r := start(t)
	fired := r.Fault(porttest.Fault{
		Method: "POST", Path: "/v1/blueprints/*/entities/bulk", Nth: 2, Times: 2,
		Status: 429, Header: http.Header{"retry-after": {"30"}}, Body: `{"ok":false,"error":"slow_down"}`,
	})
	body := `{"identifier":"a"}`
	r.put("bitbucketProject", upsert, body).want(200)
	r.call("GET", "/v1/blueprints", "").want(200)
	got := r.put("bitbucketRepository", upsert, body).want(429)
	equal(t, "Retry-After", got.header.Get("Retry-After"), "30")
	equal(t, "code", got.text("error"), "slow_down")
	equal(t, "has a trace", got.header.Get("X-Trace-Id") != "", true)
	r.put("bitbucketRepository", upsert, body).want(429)
	equal(t, "stored", len(r.Entities("bitbucketRepository")), 0)
	r.put("bitbucketRepository", upsert, body).want(200)
	equal(t, "fired", fired(), 2)
	equal(t, "writes, the refused too", len(r.Writes()), 4)
	equal(t, "journal", r.Writes()[1].Status, 429)
}

func TestFaultMatch(t *testing.T) {
	t.Parallel()
	r := start(t)
	fired := r.Fault(porttest.Fault{
		Path: "/v1/blueprints/**", Times: -1, Status: 500, Body: `{"ok":false}`,
		Match: func(_ *http.Request, body []byte) bool { return strings.Contains(string(body), "poison") },
	})
	for range 3 {
		r.put("bitbucketProject", upsert, `{"identifier":"poison"}`).want(500)
	}
	r.put("bitbucketProject", upsert, `{"identifier":"a"}`).want(200)
	equal(t, "fired", fired(), 3)
	r.ClearFaults()
	r.put("bitbucketProject", upsert, `{"identifier":"poison"}`).want(200)
}

func TestFaultApplied(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.Fault(porttest.Fault{Path: "/v1/blueprints/bitbucketProject/**", Status: 502, Body: `{}`, Apply: true})
	r.put("bitbucketProject", upsert, `{"identifier":"a"}`).want(502)
	equal(t, "stored", len(r.Entities("bitbucketProject")), 1)
}

// transports are the two ways to reach an emulator.
func transports(t *testing.T, test func(t *testing.T, r *raw)) {
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		test(t, start(t))
	})
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		r := start(t)
		r.client, r.base = &http.Client{Transport: r.RoundTripper()}, "http://port.invalid"
		test(t, r)
	})
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, r *raw) {
		r.Fault(porttest.Fault{Path: "/v1/blueprints/**", DropConnection: true, Apply: true})
		got := r.put("bitbucketProject", upsert, `{"identifier":"a"}`)
		if got.err == nil || got.status != 0 {
			t.Errorf("dropped: got %v, status %d, want an error and no status", got.err, got.status)
		}
		equal(t, "stored", len(r.Entities("bitbucketProject")), 1)
		equal(t, "journal", r.Journal()[0].Status, 0)

		r.ClearFaults()
		r.Fault(porttest.Fault{Path: "/v1/blueprints", TruncateBody: true})
		got = r.call("GET", "/v1/blueprints", "")
		if !errors.Is(got.err, io.ErrUnexpectedEOF) || got.status != 200 {
			t.Errorf("truncated: got %v, status %d, want an unexpected EOF after status 200", got.err, got.status)
		}
		r.call("GET", "/v1/blueprints", "").want(200)
	})
}

func TestMalformedGlobPanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("got no panic")
		}
	}()
	porttest.New().Fault(porttest.Fault{Path: "/v1/[a"})
}

// inBubble makes an emulator for a synctest bubble.
func inBubble(t *testing.T) *raw {
	s := porttest.New()
	s.AllowClient("id", "secret")
	s.AddBlueprint(porttest.DefaultBlueprints()[0])
	r := &raw{Server: s, t: t, client: &http.Client{Transport: s.RoundTripper()}, base: "http://port.invalid", agent: agent}
	r.login("id", "secret")
	return r
}

func TestTokenExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t)
		time.Sleep(3*time.Hour - time.Second)
		r.call("GET", "/v1/blueprints", "").want(200)
		time.Sleep(time.Second)
		r.call("GET", "/v1/blueprints", "").says(401, "expired")
		r.Configure(porttest.Options{TokenLifetime: time.Minute})
		r.login("id", "secret")
		time.Sleep(time.Minute)
		r.call("GET", "/v1/blueprints", "").says(401, "expired")
		r.wantViolations(0)
	})
}

func TestTimesAreTheBubbles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t)
		r.put("bitbucketProject", upsert, `{"identifier":"a"}`).want(200)
		written := time.Now()
		time.Sleep(time.Hour)
		got := r.put("bitbucketProject", upsert, `{"identifier":"a"}`).want(200)
		equal(t, "Date", got.header.Get("Date"), time.Now().UTC().Format(http.TimeFormat))
		e := r.Entities("bitbucketProject")[0]
		equal(t, "CreatedAt", e.CreatedAt, written.UTC())
		equal(t, "UpdatedAt, though nothing changed", e.UpdatedAt, time.Now().UTC())
	})
}

func TestRateWindowPasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t)
		time.Sleep(time.Hour)
		r.Configure(porttest.Options{RateLimit: 1})
		r.call("GET", "/v1/blueprints", "").want(200)
		r.call("GET", "/v1/blueprints", "").want(429)
		time.Sleep(time.Minute)
		r.call("GET", "/v1/blueprints", "").want(200)
	})
}

func TestDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t)
		r.Fault(porttest.Fault{Path: "/v1/blueprints", Delay: time.Minute, Times: -1})
		begin := time.Now()
		r.call("GET", "/v1/blueprints", "").want(200)
		equal(t, "waited", time.Since(begin), time.Minute)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", r.base+"/v1/blueprints", nil)
		if err != nil {
			t.Fatal(err)
		}
		begin = time.Now()
		if got := r.send(req); !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", got.err)
		}
		equal(t, "waited", time.Since(begin), time.Second)
		if got := r.send(req); !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("ended before: got %v, want the context's error", got.err)
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.client, r.base = &http.Client{Transport: r.RoundTripper()}, "http://port.invalid"
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			id := string(rune('a' + i))
			answers := []*got{
				r.put("bitbucketRepository", upsert, `{"identifier":"`+id+`","relations":{"project":"p"}}`),
				r.call("POST", "/v1/entities/search", `{"combinator":"and","rules":[]}`),
				r.call("DELETE", "/v1/blueprints/bitbucketRepository/entities/"+id+alone, ""),
			}
			for _, a := range answers {
				if a.err != nil || a.status != 200 {
					t.Errorf("%s: got status %d (%v), want 200", a.name, a.status, a.err)
				}
			}
			r.Catalog()
			r.Journal()
		})
	}
	all.Wait()
	equal(t, "left", len(r.Catalog()), 1)
}

// A route's fault falls on that route alone, and the journal knows of it.
func TestFaultOfARoute(t *testing.T) {
	t.Parallel()
	r := start(t)
	const read = "/v1/blueprints/{identifier}"
	fired := r.Fault(porttest.Fault{Method: "GET", Route: read, Times: -1, Status: 503, Body: `{"ok":false}`})
	r.call("GET", "/v1/blueprints", "").want(200)
	r.call("GET", "/v1/blueprints/bitbucketProject", "").want(503)
	r.call("GET", "/v1/blueprints/bitbucketProject/entities", "").want(200)
	equal(t, "fired", fired(), 1)
	for _, x := range r.Journal() {
		equal(t, x.Route+" has a fault", x.Fault, x.Route == read)
	}
}

// The "next" of a page that repeats itself is good, and leads to the page once more.
func TestRepeatPage(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	const path = "/v1/blueprints/thing/entities/search"
	ask := func(from string) (page, next string) {
		body := `{"limit":2}`
		if from != "" {
			body = `{"limit":2,"from":"` + from + `"}`
		}
		got := r.call("POST", path, body).want(200)
		return got.column("entities", "identifier"), got.text("next")
	}
	_, second := ask("")
	r.Fault(porttest.Fault{Path: path, Times: 2, RepeatPage: true})
	page, again := ask("")
	equal(t, "first page", page, "a b")
	page, itself := ask(second)
	equal(t, "second page", page, "c d")
	equal(t, "next of the second", itself, second)
	page, next := ask(again)
	equal(t, "first page again", page, "a b")
	equal(t, "its next", next, second)
}

func TestMaxPage(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	r.Configure(porttest.Options{MaxPage: 3})
	got := r.call("POST", "/v1/blueprints/thing/entities/search", `{"limit":1000}`).want(200)
	equal(t, "page", got.column("entities", "identifier"), "a b c")
	equal(t, "has a next", got.text("next") != "", true)
}

func TestRewriteAndHeader(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.Fault(porttest.Fault{Path: "/v1/blueprints", Header: http.Header{"Content-Type": {"text/html"}}, Rewrite: func([]byte) []byte { return []byte(`{"rewritten":true}`) }})
	got := r.call("GET", "/v1/blueprints", "").want(200)
	equal(t, "type", got.header.Get("Content-Type"), "text/html")
	equal(t, "trace", got.header.Get("X-Trace-Id") != "", true)
	equal(t, "body", got.body["rewritten"], true)
}

// A body that stands still does so until the caller gives up.
func TestStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t)
		r.Fault(porttest.Fault{Path: "/v1/blueprints", StallBody: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", r.base+"/v1/blueprints", nil)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if got := r.send(req); !errors.Is(got.err, context.DeadlineExceeded) || got.status == 0 {
			t.Errorf("got %v and status %d, want the context's error after a status", got.err, got.status)
		}
		equal(t, "waited", time.Since(begin), time.Second)
	})
}

func TestRemoveEntity(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	equal(t, "there", r.RemoveEntity("thing", "b"), true)
	equal(t, "there still", r.RemoveEntity("thing", "b"), false)
	equal(t, "left", len(r.Entities("thing")), 3)
}

func TestFaultOfAnEntity(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	fired := r.Fault(porttest.Fault{Entity: "b", Status: 500, Times: -1, Body: "{}"})
	r.put("thing", upsert, `{"identifier":"a"}`, `{"identifier":"b"}`).want(500)
	r.call("POST", "/v1/blueprints/thing/entities"+upsert, `{"identifier":"b"}`).want(500)
	r.put("thing", upsert, `{"identifier":"a","title":"b"}`, `{"identifier":"bb"}`).want(200)
	r.call("POST", "/v1/blueprints/thing/entities/search", `{}`).want(200)
	equal(t, "fired", fired(), 2)
	equal(t, "entities", len(r.Entities("thing")), 2)
}
