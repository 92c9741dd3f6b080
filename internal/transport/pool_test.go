package transport_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/transport"
)

const (
	repositories = "/repositories/acme"
	projects     = "/workspaces/acme/projects"
)

// world is a pool before an emulator, inside a bubble.
type world struct {
	t      *testing.T
	s      *bitbuckettest.Server
	pool   *transport.Pool
	tokens []transport.Credential
	log    *bytes.Buffer
	record *progress.Record
	told   *progress.Service
	start  time.Time
}

// inBubble runs a test with a pool of the tokens t1, t2, ...; server says what they may.
func inBubble(t *testing.T, rate transport.Rate, server []bitbuckettest.Access, test func(w *world)) {
	inBubbleAt(t, transport.Rates{Default: rate}, server, test)
}

// inBubbleAt has rates for the classes repositories, source and workspaces.
func inBubbleAt(t *testing.T, rates transport.Rates, server []bitbuckettest.Access, test func(w *world)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := bitbuckettest.New("acme")
		var credentials []transport.Credential
		for i, access := range server {
			token := fmt.Sprintf("t%d", i+1)
			access.Name = token
			s.AllowToken(token, access)
			credentials = append(credentials, transport.Credential{
				Name:      fmt.Sprintf("token %d of %d", i+1, len(server)),
				Authorize: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
			})
		}
		w := &world{t: t, s: s, log: &bytes.Buffer{}, record: progress.New(), start: time.Now()}
		w.told = w.record.Source("Bitbucket")
		w.tokens = credentials
		w.pool = transport.NewPool(s.RoundTripper(), credentials, rates, transport.Service{Class: classOf, Progress: w.told}, nil, logger(w.log))
		test(w)
		if got := s.Violations(); len(got) > 0 {
			t.Errorf("violations: got %q, want none", got)
		}
	})
}

// waits are the periods of waiting so far, a line each.
func waits(r *progress.Record) string {
	var b strings.Builder
	for _, p := range r.Timeline().Waits {
		fmt.Fprintf(&b, "%s to %s: %s for %s\n", p.From, p.To, p.Service, p.Why)
	}
	return b.String()
}

// classOf tells the classes of requests apart.
func classOf(r *http.Request) string {
	switch {
	case strings.Contains(r.URL.Path, "/src/"):
		return "source"
	case strings.Contains(r.URL.Path, "/repositories/"):
		return "repositories"
	}
	return "workspaces"
}

// logger writes lines without their time.
func logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// get gives the status and the body of the answer.
func (w *world) get(ctx context.Context, path string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://bitbucket.test/2.0"+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.pool.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if h := req.Header.Get("Authorization"); h != "" {
		w.t.Errorf("the caller's request was written to: %q", h)
	}
	return resp.StatusCode, string(text), err
}

// together sends n requests at once, and gives the statuses, sorted.
func (w *world) together(n int, path string) []int {
	statuses := make([]int, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { statuses[i], _, _ = w.get(context.Background(), path) })
	}
	all.Wait()
	slices.Sort(statuses)
	return statuses
}

// overlap makes each request take a moment, so that those sent together are under way together.
func (w *world) overlap() {
	w.s.Fault(bitbuckettest.Fault{Times: -1, Delay: time.Millisecond})
}

func (w *world) one(path string, want int) {
	w.t.Helper()
	if got, _, err := w.get(context.Background(), path); err != nil || got != want {
		w.t.Errorf("status: got %d, %v, want %d", got, err, want)
	}
}

// sent gives the time, the credential and the status of each request.
func (w *world) sent() []string {
	var lines []string
	for _, x := range w.s.Journal() {
		lines = append(lines, fmt.Sprintf("%s %s %d", x.Time.Sub(w.start).Round(time.Second), x.Credential, x.Status))
	}
	slices.Sort(lines)
	return lines
}

// times is sent without credential and status, in order.
func (w *world) times() string {
	var at []string
	for _, x := range w.s.Journal() {
		at = append(at, x.Time.Sub(w.start).Round(time.Second).String())
	}
	return strings.Join(at, " ")
}

func (w *world) equal(what string, got, want any) {
	w.t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// refuse makes the first n requests that bear a token be answered 429; n is -1 for all.
func (w *world) refuse(token string, n int, h http.Header) {
	w.s.Fault(bitbuckettest.Fault{
		Match: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token },
		Path:  "/repositories/**", Times: n, Status: http.StatusTooManyRequests, Header: h,
		Body: "Rate limit for this resource has been exceeded",
	})
}

func hourly(n int) transport.Rate { return transport.Rate{N: n, Window: time.Hour} }

func TestPoolNeverPassesTheWindow(t *testing.T) {
	rate := transport.Rate{N: 5, Window: time.Minute}
	inBubble(t, rate, []bitbuckettest.Access{{Limit: 5, Window: time.Minute}}, func(w *world) {
		// The server enters a request when it arrives; the first ones come late.
		w.s.Fault(bitbuckettest.Fault{Times: 3, Delay: 2 * time.Second})
		statuses := w.together(23, repositories)
		w.equal("refused", slices.Contains(statuses, http.StatusTooManyRequests), false)
		if took := time.Since(w.start); took < 4*time.Minute || took > 5*time.Minute {
			w.t.Errorf("23 requests at 5 a minute: got %s, want 4m and a little", took)
		}
	})
}

func TestPoolSpendsTokensSideBySide(t *testing.T) {
	inBubble(t, hourly(3), []bitbuckettest.Access{{Limit: 3}, {Limit: 3}}, func(w *world) {
		w.together(7, repositories)
		w.equal("requests", w.sent(), []string{
			"0s t1 200", "0s t1 200", "0s t1 200", "0s t2 200", "0s t2 200", "0s t2 200", "1h0m0s t1 200",
		})
	})
}

func TestPoolTakesTheTokenWithMostLeft(t *testing.T) {
	inBubble(t, hourly(2), []bitbuckettest.Access{{Limit: 2}, {Limit: 6, Headers: true}}, func(w *world) {
		for range 8 {
			w.one(repositories, 200)
		}
		w.equal("requests", w.sent(), []string{
			"0s t1 200", "0s t1 200", "0s t2 200", "0s t2 200", "0s t2 200", "0s t2 200", "0s t2 200", "0s t2 200",
		})
	})
}

func TestPoolTakesTheLimitOfTheServer(t *testing.T) {
	for _, tt := range []struct {
		name      string
		ours, his int
		want      string
	}{
		{"down", 10, 2, "0s 0s 1m0s 1m0s 2m0s"},
		{"up", 2, 4, "0s 0s 0s 0s 1m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rate := transport.Rate{N: tt.ours, Window: time.Minute}
			inBubble(t, rate, []bitbuckettest.Access{{Limit: tt.his, Window: time.Minute, Headers: true}}, func(w *world) {
				for range 5 {
					w.one(repositories, 200)
				}
				w.equal("times", w.times(), tt.want)
			})
		})
	}
}

// Four requests refused at once are one cooldown; each cooldown ends with one probe.
func TestPoolFreezesAndProbes(t *testing.T) {
	inBubble(t, hourly(1000), []bitbuckettest.Access{{}}, func(w *world) {
		w.overlap()
		w.refuse("t1", 6, nil)
		go func() { // another class goes on
			time.Sleep(time.Minute)
			w.one(projects, 200)
		}()
		w.equal("statuses", w.together(4, repositories), []int{200, 200, 200, 200})
		w.equal("times", w.times(), "0s 0s 0s 0s 10s 30s 1m0s 1m10s 1m10s 1m10s 1m10s")
		w.one(repositories, 200)
		w.refuse("t1", 1, nil) // after a success it begins anew
		w.one(repositories, 200)
		w.equal("then", time.Since(w.start).Round(time.Second), 80*time.Second)
	})
}

func TestPoolGivesUpAfterTwoWindows(t *testing.T) {
	inBubble(t, hourly(1000), []bitbuckettest.Access{{}}, func(w *world) {
		w.overlap()
		w.refuse("t1", -1, nil)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				status, body, err := w.get(context.Background(), repositories)
				if err != nil || status != 429 || body != "Rate limit for this resource has been exceeded" {
					w.t.Errorf("got %d %q, %v, want the refusal", status, body, err)
				}
				w.equal("after", time.Since(w.start).Round(time.Second), 2*time.Hour)
			})
		}
		all.Wait()
		w.equal("times", w.times(), "0s 0s 0s 10s 30s 1m10s 2m30s 5m10s 10m30s 21m10s 42m30s 1h25m10s")
	})
}

// The end of patience is no multiple of anything here.
func TestPoolGivesUpInTime(t *testing.T) {
	inBubble(t, transport.Rate{N: 1000, Window: 100 * time.Second}, []bitbuckettest.Access{{}}, func(w *world) {
		w.refuse("t1", -1, nil)
		w.one(repositories, 429)
		w.equal("after", time.Since(w.start), 200*time.Second)
		w.equal("times", w.times(), "0s 0s 1s 2s 4s 9s 17s 35s 1m11s 2m22s")
	})
}

func TestPoolFreezeIsNeverLongerThanTheWindow(t *testing.T) {
	inBubble(t, hourly(1000), []bitbuckettest.Access{{}}, func(w *world) {
		w.refuse("t1", 14, nil)
		for range 5 {
			w.one(repositories, 429)
			time.Sleep(time.Hour)
		}
		w.one(repositories, 200)
		w.equal("times", w.times(), "0s 10s 30s 1m10s 2m30s 5m10s 10m30s 21m10s 42m30s 1h25m10s 3h0m0s 4h0m0s 5h0m0s 6h0m0s 7h0m0s")
	})
}

// When one request was refused for two windows, no other of its class waits as long:
// it goes out when no cooldown holds it, and else has the same answer at once.
func TestPoolGivesUpOnce(t *testing.T) {
	inBubble(t, hourly(1000), []bitbuckettest.Access{{}}, func(w *world) {
		w.s.Fault(bitbuckettest.Fault{Path: repositories, Times: 11, Status: 429, Body: "no more"})
		w.one(repositories, 429)
		w.equal("after", time.Since(w.start), 2*time.Hour)
		for range 3 {
			status, body, err := w.get(context.Background(), repositories)
			if err != nil || status != 429 || body != "no more" {
				w.t.Errorf("got %d %q, %v, want the refusal", status, body, err)
			}
		}
		w.equal("requests", w.s.Requests(), 10)
		w.one(projects, 200)
		w.equal("after", time.Since(w.start), 2*time.Hour)
		time.Sleep(time.Hour)
		w.one(repositories, 429)
		w.equal("after", time.Since(w.start), 3*time.Hour)
		time.Sleep(time.Hour)
		w.one(repositories, 200)
		w.refuse("t1", 1, nil) // after a success there is patience again
		w.one(repositories, 200)
		w.equal("after", time.Since(w.start), 4*time.Hour+10*time.Second)
	})
}

func TestPoolOtherTokensGoOn(t *testing.T) {
	inBubble(t, hourly(1000), []bitbuckettest.Access{{}, {}}, func(w *world) {
		w.refuse("t1", 1, nil)
		for range 3 {
			w.one(repositories, 200)
		}
		w.equal("requests", w.sent(), []string{"0s t1 429", "0s t2 200", "0s t2 200", "0s t2 200"})
		w.equal("log", w.log.String(), "level=WARN msg=\"rate limit reached\" credential=\"token 1 of 2\" requests=repositories pause=10s\n")
	})
}

func TestPoolObeysRetryAfter(t *testing.T) {
	for _, tt := range []struct{ name, header, want string }{
		{"seconds", "30", "0s 30s"},
		{"seconds with a fraction", "90.25", "0s 1m30s"},
		{"spaces around", " 30 ", "0s 30s"},
		{"date", "Sat, 01 Jan 2000 00:10:00 GMT", "0s 10m0s"}, // bubbles begin at midnight
		{"date of RFC 850", "Saturday, 01-Jan-00 00:10:00 GMT", "0s 10m0s"},
		{"date of asctime", "Sat Jan  1 00:10:00 2000", "0s 10m0s"},
		{"absurd", "99999999", "0s 2h0m0s"},
		{"more than a number", "99999999999999999999999", "0s 10s"},
		{"zero", "0", "0s 1s"},
		{"negative", "-30", "0s 10s"},
		{"past date", "Fri, 31 Dec 1999 00:00:00 GMT", "0s 1s"},
		{"negative with a fraction", "-1.5", "0s 10s"},
		{"text", "soon", "0s 10s"},
		{"exponent", "1e1", "0s 10s"},
		{"no digits after the point", "30.", "0s 10s"},
		{"no number", "NaN", "0s 10s"},
		{"two numbers", "30, 60", "0s 10s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, hourly(1000), []bitbuckettest.Access{{}}, func(w *world) {
				w.refuse("t1", 1, http.Header{"Retry-After": {tt.header}})
				w.one(repositories, 200)
				w.equal("times", w.times(), tt.want)
			})
		})
	}
}

func TestPoolProbesAgainAfterABrokenProbe(t *testing.T) {
	inBubble(t, hourly(1000), []bitbuckettest.Access{{}}, func(w *world) {
		w.refuse("t1", 2, nil)
		w.s.Fault(bitbuckettest.Fault{Nth: 3, DropConnection: true})
		var broken, good int
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if _, _, err := w.get(context.Background(), repositories); err != nil {
					broken++
				} else {
					good++
				}
			})
			synctest.Wait()
		}
		all.Wait()
		w.equal("broken and good", []int{broken, good}, []int{1, 1})
		w.equal("times", w.times(), "0s 10s 30s 30s")
	})
}

func TestPoolTellsWhatRequestsWaitFor(t *testing.T) {
	rate := transport.Rate{N: 1, Window: 3*time.Minute + 30*time.Second}
	inBubble(t, rate, []bitbuckettest.Access{{}, {}}, func(w *world) {
		go w.together(4, repositories)
		synctest.Wait()
		time.Sleep(time.Minute)
		got := w.record.Snapshot()
		w.equal("wait", got.Wait, progress.Wait{Until: w.start.Add(rate.Window), Why: "the allowance of 2 credentials"})
		time.Sleep(rate.Window)
		w.equal("waits at the end", w.record.Snapshot().Waits, false)
		w.equal("waits", waits(w.record), "0s to 3m30s: Bitbucket for the allowance of 2 credentials\n")
	})
}

// However many wait, and however often they look again, it is one wait.
func TestPoolTellsOfARefusal(t *testing.T) {
	inBubble(t, transport.Rate{N: 100, Window: 24 * time.Minute}, []bitbuckettest.Access{{}}, func(w *world) {
		w.overlap()
		w.refuse("t1", 5, nil)
		w.together(5, repositories)
		w.equal("log", w.log.String(), "level=WARN msg=\"rate limit reached\" credential=\"token 1 of 1\" requests=repositories pause=4s\n")
		w.equal("waits", waits(w.record), "1ms to 4.001s: Bitbucket for Bitbucket, which answered 429\n")
	})
}
