package port_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

func TestTokenIsToldBeforeItsFirstUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		told := map[string]bool{}
		used := 0
		c := config("http://port.test", through{base: s.RoundTripper(), before: func(req *http.Request) {
			header := req.Header.Get("Authorization")
			if req.URL.Path == tokenPath {
				equal(t, "Authorization of a login", header, "")
				return
			}
			used++
			if token, ok := strings.CutPrefix(header, "Bearer "); !ok || !told[token] {
				t.Errorf("Authorization: got %q, want a token that was told", header)
			}
		}})
		c.OnToken = func(token string) { told[token] = true }
		client := port.New(c)
		for range 3 {
			if _, err := client.Blueprints.Read(t.Context(), repository); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "answers", answers(s), "login:200 200 200 200")
		equal(t, "requests with a token", used, 3)
		equal(t, "tokens told", len(told), 1)
		equal(t, "Requests", client.Requests(), 4)
		s.RevokeTokens()
		if _, err := client.Blueprints.Read(t.Context(), repository); err != nil {
			t.Fatal(err)
		}
		equal(t, "tokens told after a renewal", len(told), 2)
	})
}

func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.Configure(porttest.Options{TokenLifetime: 10 * time.Minute})
		c := inProcess(s)
		start := time.Now()
		for range 40 {
			if _, err := c.Blueprints.Read(t.Context(), repository); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Second)
		}
		var logins []time.Duration
		for _, x := range s.Journal() {
			equal(t, "status of "+x.Path, x.Status, http.StatusOK)
			if x.Path == tokenPath {
				logins = append(logins, x.Time.Sub(start))
			}
		}
		// A token that lasts for 10 minutes is used for 9.
		equal(t, "logins", fmt.Sprint(logins), "[0s 9m0s 18m0s]")
	})
}

func TestConcurrentCallsShareOneLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.Fault(porttest.Fault{Path: tokenPath, Delay: 5 * time.Second})
		c := inProcess(s)
		var calls sync.WaitGroup
		for range 20 {
			calls.Go(func() {
				if _, err := c.Blueprints.Read(t.Context(), repository); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		equal(t, "requests", s.Requests(), 21)
		s.RevokeTokens()
		for range 20 {
			calls.Go(func() {
				if _, err := c.Blueprints.Read(t.Context(), repository); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		logins := strings.Count(answers(s), "login")
		equal(t, "logins after the token was revoked", logins, 2)
	})
}

func TestWaitingForALoginEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.Fault(porttest.Fault{Path: tokenPath, Delay: 30 * time.Second})
		c := inProcess(s)
		var first sync.WaitGroup
		first.Go(func() {
			if _, err := c.Login(t.Context()); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		over := errors.New("over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, over)
		defer cancel()
		start := time.Now()
		_, err := c.Blueprints.Read(ctx, repository)
		if !errors.Is(err, over) {
			t.Errorf("error: got %v, want %v", err, over)
		}
		equal(t, "time", time.Since(start), 3*time.Second)
		first.Wait()
	})
}

func TestARefusedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		times   int
		answers string
		status  int
	}{
		{"once", 1, "login:200 401 login:200 200", 0},
		{"always", -1, "login:200 401 login:200 401", 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				s.Fault(porttest.Fault{Path: "/v1/blueprints/*", Times: tt.times, Status: 401, Body: `{"ok":false}`})
				start := time.Now()
				_, err := inProcess(s).Blueprints.Read(t.Context(), repository)
				equal(t, "status of the error", status(err), tt.status)
				equal(t, "answers", answers(s), tt.answers)
				equal(t, "time", time.Since(start), 0)
			})
		})
	}
	t.Run("for what is not repeated too", func(t *testing.T) {
		t.Parallel()
		s := newServer()
		c := overSocket(t, s)
		if _, err := c.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.RevokeTokens()
		if _, err := c.DataSource.Create(t.Context(), map[string]any{}); err != nil {
			t.Error(err)
		}
		equal(t, "answers", answers(s), "login:200 401 login:200 201")
	})
}

func TestWrongSecretFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		c := config("http://port.test", s.RoundTripper())
		c.ClientSecret = "not-the-secret"
		client := port.New(c)
		start := time.Now()
		at, err := client.Login(t.Context())
		equal(t, "status", status(err), http.StatusUnauthorized)
		equal(t, "requests", s.Requests(), 1)
		equal(t, "time", time.Since(start), 0)
		equal(t, "time of a login that failed", at, time.Time{})
		text := fmt.Sprintf("%v %+v", err, err)
		if !strings.Contains(text, "log in to Port") || !strings.Contains(text, "x-trace-id trace-1") || strings.Contains(text, "not-the-secret") {
			t.Errorf("error: got %q, want the act and the x-trace-id, and not the secret", text)
		}
	})
}

// A server that says neither the kind of its tokens nor, as a number, how long they last.
func TestTokenWithoutLife(t *testing.T) {
	t.Parallel()
	for _, life := range []string{"", `,"expiresIn":null`, `,"expiresIn":"10800"`, `,"expiresIn":{}`} {
		t.Run(life, func(t *testing.T) { t.Parallel(); tokenWithoutLife(t, life) })
	}
}

func tokenWithoutLife(t *testing.T, life string) {
	var logins atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == tokenPath {
			logins.Add(1)
			io.WriteString(w, `{"ok":true,"accessToken":"t"`+life+`}`)
			return
		}
		if got := r.Header.Get("Authorization"); got != "Bearer t" {
			t.Errorf("Authorization: got %q, want %q", got, "Bearer t")
		}
		io.WriteString(w, `{"ok":true,"blueprint":{"identifier":"b"}}`)
	}))
	defer server.Close()
	c := port.New(config(server.URL, server.Client().Transport))
	for range 3 {
		if _, err := c.Blueprints.Read(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "logins", logins.Load(), 1)
}

func TestLoginWithoutToken(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.Fault(porttest.Fault{Path: tokenPath, Times: -1, Status: 200, Body: `{"ok":true}`})
	if _, err := overSocket(t, s).Login(t.Context()); err == nil || !strings.Contains(err.Error(), "no token") {
		t.Errorf("error: got %v, want that there is no token", err)
	}
}

func TestLoginGivesPortsClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		ahead := 3 * time.Hour
		var dates []time.Time // of the answers
		client := port.New(config("http://port.test", through{base: s.RoundTripper(), after: func(resp *http.Response) {
			at := time.Now().Add(ahead).Truncate(time.Second)
			resp.Header.Set("Date", at.UTC().Format(http.TimeFormat))
			dates = append(dates, at)
		}}))
		time.Sleep(700 * time.Millisecond)
		for range 2 { // the second one finds the token of the first
			got, err := client.Login(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "time of the login", got.UTC(), dates[0].UTC())
			time.Sleep(time.Minute)
		}
		equal(t, "requests", len(dates), 1)
	})
}

// Where Port's clock may show what ours shows, the login is timed by ours, which is not cut to the
// second: what was stored earlier in the same second is older.
func TestLoginIsNotCutToTheSecond(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		delay time.Duration // from the request, 700 ms after the second, to the answer
		date  time.Duration // of the answer, after that second
		none  bool          // no Date
		want  time.Duration
	}{
		"same second":                      {date: 0, want: 700 * ms},
		"the answer comes in the next one": {delay: 400 * ms, date: 0, want: 700 * ms},
		"made in the next one":             {delay: 400 * ms, date: time.Second, want: time.Second},
		"no date":                          {none: true, want: 700 * ms},
		"a clock behind":                   {date: -time.Second, want: -time.Second},
		"a clock ahead":                    {date: time.Second, want: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, second := newServer(), time.Now()
				time.Sleep(700 * ms)
				client := port.New(config("http://port.test", through{base: s.RoundTripper(), after: func(resp *http.Response) {
					time.Sleep(c.delay)
					resp.Header.Set("Date", second.Add(c.date).UTC().Format(http.TimeFormat))
					if c.none {
						resp.Header.Del("Date")
					}
				}}))
				got, err := client.Login(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				equal(t, "time of the login after the second", got.Sub(second), c.want)
			})
		})
	}
}

// A login is safe to repeat, also before a call that is not.
func TestALoginIsRepeatedBeforeWhatIsNotSafe(t *testing.T) {
	t.Parallel()
	for call, do := range once {
		for fault, f := range passing {
			t.Run(call+"/"+fault, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer()
					f.Path = tokenPath
					fired := s.Fault(f)
					if err := do(t, inProcess(s)); err != nil {
						t.Error(err)
					}
					equal(t, "faults met", fired(), 1)
					equal(t, "writes", len(s.Writes()), 1)
				})
			})
		}
	}
}
