package transport_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

const source = "/repositories/acme/checkout/src/main/README.md"

// apart gives the class source a rate of its own.
func apart(all, source transport.Rate) transport.Rates {
	return transport.Rates{Default: all, Classes: map[string]transport.Rate{"source": source}}
}

// answerSource makes each request for a file succeed with a header.
func (w *world) answerSource(h http.Header) {
	w.s.Fault(bitbuckettest.Fault{Path: "/repositories/*/*/src/**", Times: -1, Status: 200, Header: h, Body: "text"})
}

// timesOf is times for the paths that contain a part, or with "!" that do not.
func (w *world) timesOf(part string) string {
	part, not := strings.CutPrefix(part, "!")
	var at []string
	for _, x := range w.s.Journal() {
		if strings.Contains(x.Path, part) != not {
			at = append(at, x.Time.Sub(w.start).Round(time.Second).String())
		}
	}
	return strings.Join(at, " ")
}

func TestPoolClassHasALedgerOfItsOwn(t *testing.T) {
	inBubbleAt(t, apart(hourly(2), hourly(3)), []bitbuckettest.Access{{Limit: -1}}, func(w *world) {
		w.answerSource(nil)
		var all sync.WaitGroup
		for path, n := range map[string]int{source: 7, repositories: 3} {
			all.Go(func() { w.together(n, path) })
		}
		all.Wait()
		w.equal("source", w.timesOf("/src/"), "0s 0s 0s 1h0m0s 1h0m0s 1h0m0s 2h0m0s")
		w.equal("others", w.timesOf("!/src/"), "0s 0s 1h0m0s")
	})
}

func TestPoolOtherClassesShareALedger(t *testing.T) {
	inBubbleAt(t, apart(hourly(2), hourly(1)), []bitbuckettest.Access{{Limit: -1}}, func(w *world) {
		w.answerSource(nil)
		for _, path := range []string{source, repositories, projects, projects} {
			w.one(path, 200)
		}
		w.equal("times", w.times(), "0s 0s 0s 1h0m0s")
	})
}

func TestPoolClassWithoutARateSpendsTheDefault(t *testing.T) {
	inBubble(t, hourly(2), []bitbuckettest.Access{{Limit: -1}}, func(w *world) {
		w.answerSource(nil)
		for _, path := range []string{source, repositories, source} {
			w.one(path, 200)
		}
		w.equal("times", w.times(), "0s 0s 1h0m0s")
	})
}

// One window is one day, the other one hour: each class keeps to its own.
func TestPoolClassNeverPassesItsWindow(t *testing.T) {
	day := transport.Rate{N: 2, Window: 24 * time.Hour}
	inBubbleAt(t, apart(hourly(1), day), []bitbuckettest.Access{{Limit: -1}}, func(w *world) {
		w.answerSource(nil)
		for range 3 {
			w.one(repositories, 200)
			w.one(source, 200)
		}
		w.equal("source", w.timesOf("/src/"), "0s 1h0m0s 24h0m0s")
		w.equal("others", w.timesOf("!/src/"), "0s 1h0m0s 2h0m0s")
	})
}

func TestPoolTakesTheLimitOfTheServerForThatClass(t *testing.T) {
	for _, tt := range []struct {
		name, limit  string
		ours         int
		source, rest string
	}{
		{"up", "4", 2, "0s 0s 0s 0s 1h0m0s", "1h0m0s 1h0m0s 2h0m0s"},
		{"down", "2", 10, "0s 0s 1h0m0s 1h0m0s 2h0m0s", "2h0m0s 2h0m0s 3h0m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubbleAt(t, apart(hourly(2), hourly(tt.ours)), []bitbuckettest.Access{{Limit: -1}}, func(w *world) {
				h := http.Header{}
				h.Set("X-RateLimit-Limit", tt.limit)
				w.answerSource(h)
				for range 5 {
					w.one(source, 200)
				}
				for range 3 {
					w.one(repositories, 200)
				}
				w.equal("source", w.timesOf("/src/"), tt.source)
				w.equal("others", w.timesOf("!/src/"), tt.rest)
			})
		})
	}
}

func TestPoolTakesTheTokenWithMostLeftOfThatClass(t *testing.T) {
	inBubbleAt(t, apart(hourly(2), hourly(2)), []bitbuckettest.Access{{Limit: -1}, {Limit: -1}}, func(w *world) {
		w.answerSource(nil)
		var got []string
		for _, path := range []string{source, repositories, source, repositories} {
			w.one(path, 200)
			got = append(got, w.s.Journal()[w.s.Requests()-1].Credential)
		}
		w.equal("credentials", got, []string{"t1", "t1", "t2", "t2"})
	})
}

// The shortest cooldown, the longest, and patience are parts of the class's window.
func TestPoolFreezesAClassByItsWindow(t *testing.T) {
	rates := apart(hourly(1000), transport.Rate{N: 1000, Window: 12 * time.Minute})
	inBubbleAt(t, rates, []bitbuckettest.Access{{Limit: -1}}, func(w *world) {
		w.s.Fault(bitbuckettest.Fault{Path: "/repositories/*/*/src/**", Times: -1, Status: 429})
		var all sync.WaitGroup
		all.Go(func() { w.one(source, 429) })
		all.Go(func() {
			time.Sleep(30 * time.Second)
			w.one(repositories, 200)
		})
		all.Wait()
		w.equal("source", w.timesOf("/src/"), "0s 2s 6s 14s 30s 1m2s 2m6s 4m14s 8m30s 17m2s")
		w.equal("others", w.timesOf("!/src/"), "30s")
		w.equal("after", time.Since(w.start), 24*time.Minute)
	})
}

func TestPoolTellsOfTheClass(t *testing.T) {
	rates := apart(hourly(7), transport.Rate{N: 1, Window: time.Minute})
	inBubbleAt(t, rates, []bitbuckettest.Access{{Limit: -1}}, func(w *world) {
		w.answerSource(nil)
		w.one(source, 200)
		if _, _, err := w.get(context.Background(), source); err != nil {
			w.t.Fatal(err)
		}
		w.equal("waits", waits(w.record), "0s to 1m0s: Bitbucket for the allowance of 1 credential for requests of source\n")
	})
}
