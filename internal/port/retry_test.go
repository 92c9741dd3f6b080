package port_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/progress"
)

// safe are the calls that may be repeated, once takes those that may not.
var (
	safe = map[string]func(*testing.T, *port.Client) error{
		"login": func(t *testing.T, c *port.Client) error { _, err := c.Login(t.Context()); return err },
		"blueprint": func(t *testing.T, c *port.Client) error {
			_, err := c.Blueprints.Read(t.Context(), repository)
			return err
		},
		"upsert": func(t *testing.T, c *port.Client) error {
			return c.Entities.Upsert(t.Context(), repository, batchOf(t, "a"), port.Flags{Merge: true})[0].Err
		},
		"owned": func(t *testing.T, c *port.Client) error {
			for _, err := range c.Entities.Owned(t.Context(), time.Now()) {
				return err
			}
			return nil
		},
		"held": func(t *testing.T, c *port.Client) error {
			for _, err := range c.Entities.Stored(t.Context(), repository, nil) {
				return err
			}
			return nil
		},
		"delete": func(t *testing.T, c *port.Client) error {
			got, _ := c.Entities.Delete(t.Context(), repository, []string{"a"}, false)
			return got[0].Err
		},
	}
	once = map[string]func(*testing.T, *port.Client) error{
		"create blueprint": func(t *testing.T, c *port.Client) error {
			return c.Blueprints.Create(t.Context(), map[string]any{"identifier": "b", "title": "B", "schema": map[string]any{"properties": map[string]any{}}})
		},
		"update blueprint": func(t *testing.T, c *port.Client) error {
			return c.Blueprints.Update(t.Context(), repository, map[string]any{"title": "T"})
		},
	}
	// passing are faults after which the same request may succeed.
	passing = map[string]porttest.Fault{
		"500":       {Status: 500},
		"502":       {Status: 502, Body: "<html>bad gateway</html>"},
		"503":       {Status: 503, Body: `{"ok":false}`},
		"504":       {Status: 504},
		"408":       {Status: 408},
		"425":       {Status: 425},
		"460":       {Status: 460},
		"499":       {Status: 499},
		"501":       {Status: 501},
		"508":       {Status: 508},
		"520":       {Status: 520, Body: "<html>Web server is returning an unknown error</html>"},
		"530":       {Status: 530},
		"dropped":   {DropConnection: true},
		"truncated": {TruncateBody: true},
		"not JSON":  {Status: 200, Body: "<html>maintenance</html>"},
		"too slow":  {Delay: 2 * time.Minute, Apply: true},
	}
)

// notLogin fits every request but a login.
func notLogin(r *http.Request, _ []byte) bool { return r.URL.Path != tokenPath }

func TestPassingFaults(t *testing.T) {
	t.Parallel()
	for call, do := range safe {
		for fault, f := range passing {
			t.Run(call+"/"+fault, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					s.PutEntity(repository, porttest.Entity{Identifier: "a", Datasource: "someone"})
					c := inProcess(s)
					if call != "login" {
						f.Match = notLogin
					}
					fired := s.Fault(f)
					start := time.Now()
					if err := do(t, c); err != nil {
						t.Error(err)
					}
					equal(t, "faults met", fired(), 1)
					if waited := time.Since(start); waited == 0 || waited > 2*time.Minute {
						t.Errorf("time: got %s, want a pause, and a deadline of a minute", waited)
					}
				})
			})
		}
	}
}

func TestLastingFaultsEnd(t *testing.T) {
	t.Parallel()
	for call, do := range safe {
		for _, fault := range []string{"503", "dropped", "too slow"} {
			t.Run(call+"/"+fault, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					c := inProcess(s)
					f := passing[fault]
					f.Times = -1
					if call != "login" {
						f.Match = notLogin
					}
					fired := s.Fault(f)
					err := do(t, c)
					if err == nil || fault == "503" && status(err) != 503 {
						t.Errorf("error: got %v, want the last one", err)
					}
					equal(t, "attempts", fired(), 5)
				})
			})
		}
	}
}

func TestWhatIsNotSafeIsNotRepeated(t *testing.T) {
	t.Parallel()
	for call, do := range once {
		for fault, f := range passing {
			if fault == "truncated" || fault == "not JSON" {
				continue // nothing is read from the answer
			}
			t.Run(call+"/"+fault, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					f.Match, f.Times = notLogin, -1
					fired := s.Fault(f)
					if err := do(t, inProcess(s)); err == nil {
						t.Error("error: got none")
					}
					equal(t, "attempts", fired(), 1)
				})
			})
		}
		t.Run(call+"/429", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				s.Fault(porttest.Fault{Match: notLogin, Status: 429})
				if err := do(t, inProcess(s)); err != nil {
					t.Errorf("after a 429, which did nothing: %v", err)
				}
			})
		})
	}
}

func TestRefusalsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for call, do := range safe {
		for _, code := range []int{400, 403, 404, 409, 410, 418, 505} {
			if call == "delete" && (code == 404 || code == 410) {
				continue // entities are deleted one by one
			}
			t.Run(call+"/"+strconv.Itoa(code), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					f := porttest.Fault{Status: code, Times: -1, Body: `{"ok":false,"error":"no","message":"not so"}`}
					if call != "login" {
						f.Match = notLogin
					}
					fired := s.Fault(f)
					start := time.Now()
					err := do(t, inProcess(s))
					equal(t, "status", status(err), code)
					equal(t, "attempts", fired(), 1)
					equal(t, "time", time.Since(start), 0)
					equal(t, "is ErrNotFound", errors.Is(err, port.ErrNotFound), code == 404)
				})
			})
		}
	}
}

// The error says that something on the way answered in place of Port, after one attempt, and
// nothing of it is for Port's support.
func TestProxyWantsALogin(t *testing.T) {
	t.Parallel()
	for call, do := range safe {
		for _, code := range []int{407, 511} {
			t.Run(call+"/"+strconv.Itoa(code), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					f := porttest.Fault{Status: code, Times: -1, Body: "<html>login"}
					if call != "login" {
						f.Match = notLogin
					}
					fired := s.Fault(f)
					err := do(t, inProcess(s))
					if err == nil || !strings.Contains(err.Error(), "a proxy on the way asks for a login") || port.Trace(err) != "" {
						t.Errorf("got %v, want the proxy's login, without a trace", err)
					}
					if fix := port.Fix(err); !strings.Contains(fix, "HTTPS_PROXY") || strings.Contains(fix, "x-trace-id") {
						t.Errorf("fix: got %q", fix)
					}
					equal(t, "attempts", fired(), 1)
				})
			})
		}
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).Unix(), 10) }
	header := func(kv ...string) func() http.Header {
		h := http.Header{}
		for i := 0; i < len(kv); i += 2 {
			h.Set(kv[i], kv[i+1])
		}
		return func() http.Header { return h }
	}
	tests := []struct {
		name   string
		header func() http.Header // made when the bubble's clock stands
		times  int
		wait   time.Duration
		fails  bool
	}{
		{"Retry-After", header("Retry-After", "7"), 1, 7 * time.Second, false},
		{"Retry-After wins", header("Retry-After", "7", "x-ratelimit-reset", "90"), 1, 7 * time.Second, false},
		{"Retry-After of nothing", header("Retry-After", "0"), 1, time.Second, false},
		{"reset in seconds", header("x-ratelimit-reset", "12"), 1, 12 * time.Second, false},
		{"reset as a time", func() http.Header { return header("x-ratelimit-reset", in(40*time.Second))() }, 1, 40 * time.Second, false},
		{"reset in the past", func() http.Header { return header("x-ratelimit-reset", in(-time.Hour))() }, 1, time.Second, false},
		{"reset by Port's clock", func() http.Header {
			date := time.Now().Add(5 * time.Hour).UTC().Format(http.TimeFormat)
			return header("Date", date, "x-ratelimit-reset", in(5*time.Hour+40*time.Second))()
		}, 1, 40 * time.Second, false},
		{"nothing said", header(), 3, (2 + 4 + 8) * time.Second, false},
		{"seconds with a fraction", header("Retry-After", "1.5"), 1, 1500 * time.Millisecond, false},
		{"a negative number", header("Retry-After", "-7", "x-ratelimit-reset", "12"), 1, 12 * time.Second, false},
		{"a date", func() http.Header { // bubbles begin at midnight
			return header("Retry-After", "Saturday, 01-Jan-00 00:01:00 GMT")()
		}, 1, time.Minute, false},
		{"nonsense", header("Retry-After", "soon", "x-ratelimit-reset", "later"), 1, 2 * time.Second, false},
		{"waiting is no attempt", header("Retry-After", "1"), 12, 12 * time.Second, false},
		{"at most 15 minutes in all", header("Retry-After", "400"), -1, 800 * time.Second, true},
		{"longer than 15 minutes", header("Retry-After", "3600"), -1, 0, true},
		{"far too long", header("Retry-After", "99999999999"), -1, 0, true},
		{"doubling to 15 minutes", header(), -1, 510 * time.Second, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				c := inProcess(s)
				if _, err := c.Login(t.Context()); err != nil {
					t.Fatal(err)
				}
				fired := s.Fault(porttest.Fault{Status: 429, Header: tt.header(), Times: tt.times})
				start := time.Now()
				_, err := c.Blueprints.Read(t.Context(), repository)
				equal(t, "time", time.Since(start), tt.wait)
				if tt.fails {
					equal(t, "status", status(err), 429)
				} else if err != nil {
					t.Error(err)
				} else {
					equal(t, "refusals", fired(), tt.times)
				}
			})
		})
	}
}

// When one call has waited for a limit in vain, others of its route fail at their first
// refusal, until one gets through.
func TestRateLimitIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		c := inProcess(s)
		fired := s.Fault(porttest.Fault{Path: "/v1/blueprints/*", Times: -1, Status: 429})
		for i, want := range []time.Duration{510 * time.Second, 0, 0} {
			start := time.Now()
			_, err := c.Blueprints.Read(t.Context(), repository)
			equal(t, fmt.Sprintf("status of call %d", i+1), status(err), 429)
			equal(t, fmt.Sprintf("time of call %d", i+1), time.Since(start), want)
		}
		equal(t, "refusals", fired(), 9+1+1)
		for _, err := range c.Entities.Stored(t.Context(), repository, nil) {
			t.Errorf("another route: got %v, want no error", err)
		}
		s.ClearFaults()
		if _, err := c.Blueprints.Read(t.Context(), repository); err != nil {
			t.Error(err)
		}
		s.Fault(porttest.Fault{Path: "/v1/blueprints/*", Times: 2, Status: 429})
		if _, err := c.Blueprints.Read(t.Context(), repository); err != nil {
			t.Errorf("after a success: got %v, want that a limit is waited for", err)
		}
	})
}

func TestWaitingForTheRateLimitIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		cfg := config("http://port.test", s.RoundTripper())
		cfg.Progress = progress.New()
		s.Fault(porttest.Fault{Match: notLogin, Status: 429, Header: http.Header{"Retry-After": {"90"}}})
		if _, err := port.New(cfg).Blueprints.Read(t.Context(), repository); err != nil {
			t.Fatal(err)
		}
		want := progress.Timeline{Slot: time.Second, Services: []progress.Series{{Name: "Port", Requests: append([]int{2}, append(make([]int, 89), 1)...)}},
			Waits: []progress.Period{{To: 90 * time.Second, Service: "Port", Why: "Port, which answered 429"}}}
		if got := cfg.Progress.Timeline(); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestRateWindowOfPort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.Configure(porttest.Options{RateLimit: 5, RatePeriod: time.Minute})
		c := inProcess(s)
		start := time.Now()
		for range 12 { // with the login 13, in windows of 5
			if _, err := c.Blueprints.Read(t.Context(), repository); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(start); got < 2*time.Minute || got > 2*time.Minute+5*time.Second {
			t.Errorf("time: got %s, want two windows", got)
		}
	})
}

// Within Port's published limits no request is refused, and a run that stays within the burst
// waits for nothing.
func TestPublishedLimitsOfPort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.Configure(porttest.Options{PublishedLimits: true, NoJournalBodies: true})
		c := inProcess(s)
		read := func() {
			if _, err := c.Blueprints.Read(t.Context(), repository); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		for range 1500 {
			read()
		}
		equal(t, "time of the burst", time.Since(start), 0)
		for range 450 {
			read()
		}
		equal(t, "time of what follows", time.Since(start).Round(time.Second), 10*time.Second)
		for range 120 { // logins
			s.RevokeTokens()
			read()
		}
		if took := time.Since(start); took < 5*time.Minute {
			t.Errorf("120 logins took %s, want more than the period in which Port takes 100", took)
		}
		equal(t, "refused for a limit", s.RateLimited(), 0)
	})
}

// A wait that an answer asks for is kept, though the published limits would let requests pass.
func TestRetryAfterWinsOverPublishedLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.Fault(porttest.Fault{Path: bulkPath, Status: 429, Header: http.Header{"Retry-After": {"70"}}})
		start := time.Now()
		equal(t, "outcome", inProcess(s).Entities.Upsert(t.Context(), repository, batchOf(t, "a"), merge)[0].Err, nil)
		equal(t, "time", time.Since(start), 70*time.Second)
	})
}

func TestARefusedLoginWaitsToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.Fault(porttest.Fault{Path: tokenPath, Status: 429, Header: http.Header{"Retry-After": {"9"}}})
		start := time.Now()
		if _, err := inProcess(s).Login(t.Context()); err != nil {
			t.Error(err)
		}
		equal(t, "time", time.Since(start), 9*time.Second)
	})
}

func TestServerPauseIsObeyed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.Fault(porttest.Fault{Path: "/v1/blueprints/*", Status: 503, Header: http.Header{"Retry-After": {"45"}}})
		start := time.Now()
		if _, err := inProcess(s).Blueprints.Read(t.Context(), repository); err != nil {
			t.Error(err)
		}
		equal(t, "time", time.Since(start), 45*time.Second)
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	faults := map[string]porttest.Fault{
		"rate limit": {Status: 429, Header: http.Header{"Retry-After": {"600"}}, Times: -1},
		"pause":      {Status: 503, Header: http.Header{"Retry-After": {"200"}}, Times: -1},
		"answer":     {Delay: 50 * time.Second, Times: -1},
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				c := inProcess(s)
				if _, err := c.Login(t.Context()); err != nil {
					t.Fatal(err)
				}
				s.Fault(f)
				over := errors.New("time limit")
				ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, over)
				defer cancel()
				start := time.Now()
				_, err := c.Blueprints.Read(ctx, repository)
				if !errors.Is(err, over) {
					t.Errorf("error: got %v, want the context's cause", err)
				}
				equal(t, "time", time.Since(start), 3*time.Second)
				equal(t, "requests", c.Requests(), 2)
			})
		})
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	var strayed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { strayed.Add(1) }))
	defer other.Close()
	for call, do := range safe {
		for _, code := range []int{301, 302, 307, 308} {
			t.Run(call+"/"+strconv.Itoa(code), func(t *testing.T) {
				s := newServer()
				f := porttest.Fault{Status: code, Header: http.Header{"Location": {other.URL + "/v1/x"}}, Times: -1}
				if call != "login" {
					f.Match = notLogin
				}
				fired := s.Fault(f)
				equal(t, "status", status(do(t, overSocket(t, s))), code)
				equal(t, "attempts", fired(), 1)
			})
		}
	}
	equal(t, "requests to the other host", strayed.Load(), 0)
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	untraced := http.Header{"X-Trace-Id": nil}
	tests := []struct {
		name, body string
		header     http.Header
		want       string
	}{
		{"message", `{"ok":false,"error":"forbidden","message":"no role"}`, http.Header{"X-Trace-Id": {"abc"}}, `GET /v1/blueprints/bitbucketRepository: 403 Forbidden: no role (x-trace-id abc)`},
		{"code alone", `{"ok":false,"error":"forbidden"}`, untraced, `GET /v1/blueprints/bitbucketRepository: 403 Forbidden: forbidden`},
		{"message of another type", `{"ok":false,"error":"forbidden","message":{"x":1}}`, untraced, `GET /v1/blueprints/bitbucketRepository: 403 Forbidden: forbidden`},
		{"a page", `<html>`, untraced, `GET /v1/blueprints/bitbucketRepository: 403 Forbidden`},
		{"a status without a name", `{"ok":false,"message":"late"}`, http.Header{"X-Trace-Id": nil, "Status": {"498"}}, `GET /v1/blueprints/bitbucketRepository: 498: late`},
		{"a redirect", ``, http.Header{"X-Trace-Id": nil, "Status": {"302"}}, `GET /v1/blueprints/bitbucketRepository: 302 Found: a redirect, which is not followed`},
		{"an endless page", strings.Repeat("x", 1<<20), untraced, `GET /v1/blueprints/bitbucketRepository: 403 Forbidden`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			code := 403
			if given := tt.header.Get("Status"); given != "" {
				code, _ = strconv.Atoi(given) // of this table
			}
			s.Fault(porttest.Fault{Match: notLogin, Status: code, Header: tt.header, Body: tt.body})
			_, err := overSocket(t, s).Blueprints.Read(t.Context(), repository)
			if want := `read blueprint "bitbucketRepository": ` + tt.want; err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

// What may pass, and what a proxy does, is told with what to do about it; what an
// answer holds is told in words of JSON.
func TestFix(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault    porttest.Fault
		fix, say string
	}{
		"503":       {porttest.Fault{Status: 503}, "status page", "503 Service Unavailable"},
		"408":       {porttest.Fault{Status: 408}, "status page", "408 Request Timeout"},
		"dropped":   {porttest.Fault{DropConnection: true}, "status page", "EOF"},
		"no JSON":   {porttest.Fault{Status: 200, Body: "<html>"}, "status page", "not the whole JSON"},
		"a list":    {porttest.Fault{Status: 200, Body: "[]"}, "status page", "it is of the JSON type array"},
		"a number":  {porttest.Fault{Status: 200, Body: `{"blueprint":{"title":1}}`}, "status page", `"blueprint.title" holds a number where another type was expected`},
		"redirect":  {porttest.Fault{Status: 307}, "proxy on the way asks for a login", "not followed"},
		"limit":     {porttest.Fault{Status: 429, Header: http.Header{"Retry-After": {"3600"}}}, "run again later", "429"},
		"forbidden": {porttest.Fault{Status: 403}, "", "403"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				tt.fault.Match, tt.fault.Times = notLogin, -1
				s.Fault(tt.fault)
				_, err := inProcess(s).Blueprints.Read(t.Context(), repository)
				got := port.Fix(err)
				if err == nil || !strings.Contains(err.Error(), tt.say) || !strings.Contains(got, tt.fix) || (got == "") != (tt.fix == "") {
					t.Errorf("got %v and fix %q, want %q and %q", err, got, tt.say, tt.fix)
				}
				if strings.Contains(got, "status page") && strings.Contains(got, "x-trace-id") != (port.Trace(err) != "") {
					t.Errorf("fix %q of an error with the trace %q", got, port.Trace(err))
				}
			})
		})
	}
}

// Where nothing answers at the address, the fix names the input that holds it.
func TestFixWithoutConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := port.New(config("http://port.test", nowhere{}))
		_, err := c.Blueprints.Read(t.Context(), repository)
		if got := port.Fix(err); !strings.Contains(got, "check port_base_url") || strings.Contains(got, "x-trace-id") {
			t.Errorf("got %v and fix %q", err, got)
		}
	})
}

// nowhere is a network without the host.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "port.test", IsNotFound: true}}
}

// An answer that is JSON and does not hold what is due is asked for again, and when it
// stays so, says nothing.
func TestHollowAnswers(t *testing.T) {
	t.Parallel()
	for call, of := range map[string]struct {
		do   func(*testing.T, *port.Client) error
		want string
	}{
		"integration": {func(t *testing.T, c *port.Client) error { _, err := c.DataSource.Integration(t.Context()); return err }, `no "integration"`},
		"blueprint":   {safe["blueprint"], `no "blueprint"`},
		"blueprints":  {func(t *testing.T, c *port.Client) error { _, err := c.Blueprints.All(t.Context()); return err }, `no "blueprints"`},
		"upsert":      {safe["upsert"], `no "entities"`},
		"owned":       {safe["owned"], `no "entities"`},
	} {
		for _, body := range []string{"{}", `{"ok":true}`, "null"} {
			t.Run(call+"/"+body, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					s.PutIntegration(identifier, map[string]any{})
					c := inProcess(s)
					once := s.Fault(porttest.Fault{Match: notLogin, Status: 200, Body: body})
					if err := of.do(t, c); err != nil || once() != 1 {
						t.Errorf("once: got %v after %d hollow answers, want a second attempt", err, once())
					}
					s.ClearFaults()
					always := s.Fault(porttest.Fault{Match: notLogin, Times: -1, Status: 200, Body: body})
					err := of.do(t, c)
					if err == nil || !strings.Contains(err.Error(), of.want) && body != "null" {
						t.Errorf("always: got %v, want %s", err, of.want)
					}
					equal(t, "attempts", always(), 5)
				})
			})
		}
	}
}

// What a delete passed over is there only when it can be read.
func TestHollowAnswerForWhatIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.Fault(porttest.Fault{Method: http.MethodGet, Path: "/v1/blueprints/*/entities/a", Status: 200, Body: "{}"})
		got, _ := inProcess(s).Entities.Delete(t.Context(), repository, []string{"a"}, false)
		if got[0].Err != nil {
			t.Errorf("got %v, want that it is gone", got[0].Err)
		}
	})
}
