package bitbucket_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

// shorterPages are the attempts that a list makes after a page that may be too heavy: of 50,
// 25, 12 and 10 values.
const shorterPages = 4

// What may pass by itself is tried five times, and goes on when it has passed. What a page
// that is too heavy meets too is then asked for in shorter ones.
func TestPassingFaults(t *testing.T) {
	faults := map[string]bitbuckettest.Fault{
		"408":             {Status: 408},
		"500 HTML":        {Status: 500, Body: "<html>\n<h1>Oops</h1></html>"},
		"425":             {Status: 425},
		"460":             {Status: 460},
		"499":             {Status: 499},
		"501":             {Status: 501},
		"508":             {Status: 508},
		"520":             {Status: 520, Body: "<html>Web server is returning an unknown error</html>"},
		"530":             {Status: 530},
		"502":             {Status: 502},
		"503":             {Status: 503},
		"504":             {Status: 504},
		"555":             {Status: 555},
		"broken":          {DropConnection: true},
		"truncated":       {TruncateBody: 40},
		"HTML with 200":   {Status: 200, Body: "<html>login</html>"},
		"{}":              {Status: 200, Body: "{}"},
		"null":            {Status: 200, Body: "null", Header: http.Header{"Content-Type": {"application/json"}}},
		"list":            {Status: 200, Body: "[]", Header: http.Header{"Content-Type": {"application/json"}}},
		"null values":     {Status: 200, Body: `{"values":null}`},
		"cut JSON":        {Status: 200, Body: `{"values":[{"slug":`},
		"two documents":   {Status: 200, Body: `{"values":[]}{"values":[]}`},
		"next is no text": {Status: 200, Body: `{"values":[],"size":9,"next":5}`},
		"empty":           {Status: 200, Body: " "},
		"slow":            {Delay: 2 * time.Minute},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("four times", func(t *testing.T) {
				s := withRepositories(2)
				fault.Times = 4
				s.Fault(fault)
				inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
					got, err := slugs(c)
					equal(t, "error", err, nil)
					equal(t, "slugs", got, "repo-1 repo-2")
					equal(t, "requests", s.Requests(), 5)
				})
			})
			t.Run("always", func(t *testing.T) {
				s := withRepositories(2)
				fault.Times = -1
				s.Fault(fault)
				inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
					got, err := slugs(c)
					equal(t, "slugs", got, "")
					wantError(t, err, `list repositories of workspace "acme": GET /2.0/repositories/acme: `)
					want := transport.Attempts
					if fault.Status > 400 || fault.Delay > 0 {
						want += shorterPages
					}
					equal(t, "requests", s.Requests(), want)
				})
			})
		})
	}
}

func TestNothingOfABrokenAnswerStays(t *testing.T) {
	s := withRepositories(1)
	s.OmitSize(true)
	s.Fault(bitbuckettest.Fault{Status: 200, Body: `{"values":[],"size":9,"next":5}`})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := slugs(c)
		equal(t, "slugs", got, "repo-1")
		equal(t, "error", err, nil)
		equal(t, "requests", s.Requests(), 2)
	})
}

func TestRetryAfterOf503(t *testing.T) {
	for _, tt := range []struct {
		header string
		want   time.Duration
	}{
		{"90", 90 * time.Second}, {"90.5", 90*time.Second + 500*time.Millisecond},
		{"Sat Jan  1 00:02:00 2000", 2 * time.Minute}, {"3600", 5 * time.Minute}, // bubbles begin at midnight
	} {
		t.Run(tt.header, func(t *testing.T) {
			s := withRepositories(1)
			s.Fault(bitbuckettest.Fault{Status: 503, Header: http.Header{"Retry-After": {tt.header}}})
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				start := time.Now()
				_, err := slugs(c)
				equal(t, "error", err, nil)
				equal(t, "waited", time.Since(start), tt.want)
			})
		})
	}
}

// What will not pass by itself is told at once, after one request; a 401 may pass, and is
// asked for once more.
func TestRefusals(t *testing.T) {
	const scopes = `{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes.",` +
		`"detail":{"required":["repository","pullrequest"],"granted":["repository","project"]}}}`
	const removed = `{"type":"error","error":{"message":"CHANGE-2770 - Functionality\nhas been deprecated","detail":"Please read the changelog entry for more details.",` +
		`"data":{"announcement_url":"https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770"}}}`
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   []string
		denied bool
		fix    string
	}{
		{"403 locked", 403, "Too many invalid password attempts. Log in at https://id.atlassian.com/ to restore access.",
			[]string{"403 Forbidden: Too many invalid password attempts. Log in at https://id.atlassian.com/ to restore access."}, true, "log in at"},
		{"403 account", 403, `{"error":{"message":"Your Atlassian account has been temporarily locked."}}`, []string{"temporarily locked"}, true, "log in at"},
		{"403 suspended", 403, `{"error":{"message":"Access denied","detail":"This account is suspended."}}`, []string{"suspended"}, true, "log in at"},
		{"403 single sign-on", 403, "Because your Atlassian account admin requires single sign-on, you'll need to authenticate with an app password.",
			[]string{"single sign-on"}, true, "log in at"},
		{"403 about a repository of such a name", 403, `{"error":{"message":"You may not see acme/captcha-account-locked."}}`, []string{"403 Forbidden"}, false, "read access"},
		{"401 captcha", 401, `{"error":{"message":"CAPTCHA required. Your Bitbucket account has been locked."}}`, []string{"CAPTCHA required"}, true, "log in at"},
		{"401", 401, `{"type":"error","error":{"message":"Token is invalid, expired, or not supported for this endpoint."}}`,
			[]string{"401 Unauthorized: Token is invalid", "used was: workspace access token"}, true, "check the credential"},
		{"403 scopes", 403, scopes, []string{"required privilege scopes", "missing scopes: pullrequest", "used was: workspace access token"}, true,
			"scopes repository, pullrequest"},
		{"403 scopes in text", 403, `{"error":{"message":"Your credentials lack one or more required privilege scopes."}}`,
			[]string{"privilege scopes"}, true, "all scopes"},
		{"403 plain", 403, `{"type":"error","error":{"message":"Forbidden"}}`, []string{"403 Forbidden: Forbidden; used was"}, false, "read access"},
		{"403 about a repository with a name", 403, `{"error":{"message":"You may not see acme/ip-scope-whitelist-allowlist."}}`,
			[]string{"403 Forbidden"}, false, "read access"},
		{"403 address", 403, `{"error":{"message":"To access this repository, an admin must whitelist your IP."}}`, []string{"whitelist your IP"}, true, "address"},
		{"403 address, other words", 403, `{"error":{"message":"Your IP is not on the allow-list"}}`, []string{"allow-list"}, true, "address"},
		{"403 two-step", 403, `{"error":{"message":"To access this repository, enable two-step authentication."}}`, []string{"two-step"}, true, ""},
		{"410", 410, removed, []string{"410 Gone: CHANGE-2770 - Functionality has been deprecated",
			"see https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770"}, true, "announcement"},
		{"404", 404, `{"type":"error","error":{"message":"No workspace"}}`, []string{"404 Not Found: No workspace"}, false, ""},
		{"400", 400, `{"type":"error","error":{"message":"bad q","detail":"at 3"}}`, []string{"400 Bad Request: bad q (at 3)"}, false, ""},
		{"400 odd types", 400, `{"error":{"message":"bad q","detail":7,"data":"x"},"data":[]}`, []string{"400 Bad Request: bad q"}, false, ""},
		{"400 text", 400, "no\nway", []string{"400 Bad Request: no way"}, false, ""},
		{"400 HTML", 400, "<html>", []string{"400 Bad Request"}, false, ""},
		{"400 other JSON", 400, `{"error":"short"}`, []string{`400 Bad Request: {"error":"short"}`}, false, ""},
		{"400 huge", 400, `{"error":{"message":"` + strings.Repeat("long ", 9000) + `"}}`, []string{"long long"}, false, ""},
		{"400 beyond what is read", 400, `{"error":{"message":"` + strings.Repeat("long ", 20_000) + `"}}`, []string{"400 Bad Request"}, false, ""},
		{"505", 505, "", []string{"505 HTTP Version Not Supported"}, false, ""},
		{"204", 204, "", []string{"204 No Content"}, false, ""},
		{"444, which has no name", 444, "out", []string{"acme: 444: out"}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := withRepositories(1)
			s.Fault(bitbuckettest.Fault{Status: tt.status, Body: tt.body, Times: -1})
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				start := time.Now()
				_, err := slugs(c)
				wantError(t, err, append(tt.want, "GET /2.0/repositories/acme: ")...)
				want := 1
				if tt.name == "401" || tt.status == 400 { // once more: with another token, or without fields
					want = 2
				}
				equal(t, "requests", s.Requests(), want)
				equal(t, "took", time.Since(start), time.Duration(0))
				if len(err.Error()) > 1500 {
					t.Errorf("length of the message: got %d, want it short", len(err.Error()))
				}
				var e *bitbucket.Error
				if !errors.As(err, &e) {
					t.Fatalf("got %T, want an *Error", err)
				}
				equal(t, "denied", e.Denied(), tt.denied)
				equal(t, "not found", errors.Is(err, bitbucket.ErrNotFound), tt.status == 404)
				if !strings.Contains(e.Fix(), tt.fix) {
					t.Errorf("fix: got %q, want it to have %q", e.Fix(), tt.fix)
				}
			})
		})
	}
}

// The refusals of the emulator itself, which has the shapes that users report.
func TestRefusalsOfTheService(t *testing.T) {
	s := newServer()
	s.AllowToken("good", bitbuckettest.Access{Scopes: []string{"pullrequest"}})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		_, err := collect(listProjects(t.Context(), c))
		wantError(t, err, `list projects of workspace "acme": GET /2.0/workspaces/acme/projects: 403 Forbidden`, "missing scopes: project")
		s.Revoke("good")
		_, err = slugs(c)
		wantError(t, err, "401 Unauthorized")
	})
}

// A refusal for too many requests is told with the vendor's text in the end.
func TestRateLimitForEver(t *testing.T) {
	s := withRepositories(1)
	s.Fault(bitbuckettest.Fault{Status: 429, Times: -1, Body: "Rate limit for this resource has been exceeded"})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		start := time.Now()
		_, err := slugs(c)
		wantError(t, err, "429 Too Many Requests: Rate limit for this resource has been exceeded")
		equal(t, "after", time.Since(start), 2*time.Hour)
	})
}

// No request that waited for a slot goes out into a freeze.
func TestFreezeHoldsWhatWaits(t *testing.T) {
	s := withRepositories(1)
	s.Fault(bitbuckettest.Fault{Delay: time.Second, Times: -1})
	s.Fault(bitbuckettest.Fault{Status: 429, Times: 4, Body: "Rate limit for this resource has been exceeded"})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		for range 12 {
			go func() { _, _ = c.Exists(context.Background(), "repo-1") }()
		}
		time.Sleep(9 * time.Second)
		equal(t, "requests before the end of the freeze: one for each slot", s.Requests(), 4)
		time.Sleep(time.Hour)
		equal(t, "requests", s.Requests(), 4+12)
	})
}

func TestContextEnds(t *testing.T) {
	why := errors.New("time limit")
	for name, fault := range map[string]bitbuckettest.Fault{
		"before the answer": {Delay: 30 * time.Second}, "between attempts": {Status: 503, Header: http.Header{"Retry-After": {"60"}}, Times: -1},
		"while a limit is waited for": {Status: 429, Times: -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := withRepositories(1)
			s.Fault(fault)
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(8*time.Second, func() { cancel(why) })
				start := time.Now()
				_, err := collect(c.Repositories(ctx, bitbucket.RepositoryQuery{}))
				equal(t, "is the cause", errors.Is(err, why), true)
				equal(t, "after", time.Since(start), 8*time.Second)
				equal(t, "requests", s.Requests(), 1)
			})
		})
	}
}

// endless is a body that never ends.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func TestEndlessAnswers(t *testing.T) {
	skipShort(t)
	t.Parallel()
	for _, status := range []int{200, 400} {
		synctest.Test(t, func(t *testing.T) {
			body := &endless{}
			c := newClient(t, inProcess, transport.Func(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: status, Body: io.NopCloser(body), Header: http.Header{}, Request: req}, nil
			}))
			_, err := slugs(c)
			wantError(t, err, map[int]string{200: "the answer is larger than 64 MiB", 400: "400 Bad Request"}[status])
			if most := map[int]int{200: 65 << 20, 400: 1 << 20}[status]; body.read > most {
				t.Errorf("status %d: got %d bytes read, want at most %d", status, body.read, most)
			}
		})
	}
}

func TestUserAgent(t *testing.T) {
	s := withRepositories(1)
	s.Record(true)
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		_, _ = slugs(c)
		h := s.Journal()[0].RequestHeader
		equal(t, "user agent and accept", [2]string{h.Get("User-Agent"), h.Get("Accept")}, [2]string{"exporter/1", "application/json"})
	})
}

// A body that stands still is a late answer, and not one that was cut off.
func TestStalledBody(t *testing.T) {
	s := newServer()
	s.AddRepository(bitbuckettest.Repository{Name: "checkout", Files: map[string]string{"README.md": "# Checkout\n"}})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		s.Fault(bitbuckettest.Fault{StallBody: 5, Times: -1})
		start := time.Now()
		_, list := slugs(c)
		_, _, file := c.File(context.Background(), "checkout", s.Head("checkout"), "README.md", 100)
		for what, err := range map[string]error{"list": list, "file": file} {
			if err == nil || !strings.HasSuffix(err.Error(), ": no complete answer within 1m0s") {
				t.Errorf("%s: got %v", what, err)
			}
		}
		equal(t, "attempts", s.Requests(), 2*transport.Attempts+shorterPages)
		if took := time.Since(start); took < 14*time.Minute || took > 15*time.Minute {
			t.Errorf("got %s, want a minute for each of 14 attempts", took)
		}
	})
}

// What may pass, and what a proxy does, is told with what to do about it.
func TestFix(t *testing.T) {
	t.Parallel()
	const stays, proxy = "status.atlassian.com", "proxy on the way asks for a login"
	for name, tt := range map[string]struct {
		fault bitbuckettest.Fault
		fix   string
	}{
		"503":         {bitbuckettest.Fault{Status: 503}, stays},
		"408":         {bitbuckettest.Fault{Status: 408}, stays},
		"dropped":     {bitbuckettest.Fault{DropConnection: true}, stays},
		"stalled":     {bitbuckettest.Fault{StallBody: 5}, stays},
		"cut off":     {bitbuckettest.Fault{TruncateBody: 5}, stays},
		"no JSON":     {bitbuckettest.Fault{Status: 200, Body: "<html>"}, stays},
		"loop":        {bitbuckettest.Fault{RepeatPage: true}, stays},
		"foreign":     {bitbuckettest.Fault{Next: "https://elsewhere.example/"}, stays},
		"redirect":    {bitbuckettest.Fault{Redirect: "https://elsewhere.example/"}, proxy},
		"not found":   {bitbuckettest.Fault{Status: 404}, "read access"},
		"shrinks":     {bitbuckettest.Fault{Mutate: func(o map[string]any) { o["size"] = json.Number("9") }}, stays},
		"bad request": {bitbuckettest.Fault{Status: 400}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := withRepositories(1)
			tt.fault.Times = -1
			s.Fault(tt.fault)
			inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
				_, err := slugs(c)
				if got := bitbucket.Fix(err); err == nil || !strings.Contains(got, tt.fix) || (got == "") != (tt.fix == "") {
					t.Errorf("got fix %q for %v, want %q", got, err, tt.fix)
				}
			})
		})
	}
}

// Where nothing answers at the address, the fix names the input that holds it.
func TestFixWithoutConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, err := slugs(newClient(t, inProcess, nowhere{}))
		if got := bitbucket.Fix(err); !strings.Contains(got, "check bitbucket_host_url") {
			t.Errorf("got %v and fix %q", err, got)
		}
	})
}

// nowhere is a network without the host.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "bitbucket.test", IsNotFound: true}}
}
