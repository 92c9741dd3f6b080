package app_test

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// latency is what each answer of either service takes, in a world that is far away.
const latency = 50 * time.Millisecond

// far puts a virtual world behind long lines, without a bound on requests.
func far(w *world) *world {
	w.bitbucket.AllowToken(token, bitbuckettest.Access{Limit: -1})
	hosts := w.transport.(hosts)
	for host, inner := range hosts {
		hosts[host] = late{inner, latency}
	}
	w.port.Configure(porttest.Options{NoJournalBodies: true})
	w.env["SOURCE_READER"], w.env["BITBUCKET_RATE_LIMIT"] = "rest", "1000000/1h"
	return w
}

// What Port is asked before Bitbucket is the first time goes side by side, except where one
// request needs the answer to another.
func TestWallTimeBeforeBitbucket(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		env     map[string]string
		world   func(*testing.T, *bitbuckettest.Server) *world
		runs    int
		answers time.Duration // one after the other before the last run asks Bitbucket
	}{
		// The login, the integration, the list of blueprints.
		{"second run", nil, virtual, 2, 3},
		// And the creation of the integration.
		{"given mapping", map[string]string{"MAPPING": repositories}, virtual, 1, 4},
		{"default mapping", nil, virtual, 1, 4},
		// And reading the blueprints, making the last and the others, relating them, finishing
		// the last, and the integration's word that they are made.
		{"default blueprints", nil, virtualWithoutBlueprints, 1, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := far(tt.world(t, smallBitbucket()))
				var start time.Time
				for range tt.runs {
					w.bitbucket.ResetJournal()
					start = time.Now()
					w.run(tt.env).check(t, 0, "success")
					w.port.Age(time.Minute)
				}
				if got := w.bitbucket.Journal()[0].Time.Sub(start) - latency; got != tt.answers*latency {
					t.Errorf("Bitbucket is asked after %v, want %v", got, tt.answers*latency)
				}
			})
		})
	}
}

// As many requests to Bitbucket are under way as the concurrency allows, but for what comes before
// the first and after the last: with 1,000 repositories the whole program takes no longer than 1.05
// times what its requests to Bitbucket alone would.
func TestWallTime(t *testing.T) {
	skipShort(t)
	t.Parallel()
	const (
		concurrency = 10
		// alone are the rounds of requests in which fewer are under way: up to four before the
		// first list, its first two pages, the last pull requests, the last write, Port's list of
		// what is ours, and two for the last that Port's Data sources page shows. The last
		// pull requests and the two pages are rounds in part.
		alone = 10
		most  = 1.05
	)
	repositories := 200
	if os.Getenv("TESTS") == "full" {
		repositories = 1000
	}
	synctest.Test(t, func(t *testing.T) {
		b := bitbuckettest.New("acme")
		b.AddProject(bitbuckettest.Project{Key: "ACME"})
		for i := range repositories {
			slug := fmt.Sprintf("service-%04d", i)
			b.AddRepository(bitbuckettest.Repository{Name: slug, ProjectKey: "ACME", Files: map[string]string{"README.md": "# " + slug + "\n"}})
			for range 5 {
				b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "Change"})
			}
		}
		w := far(virtual(t, b))
		for _, run := range []string{"first", "unchanged"} {
			w.bitbucket.ResetJournal()
			start := time.Now()
			r := w.run(map[string]string{"CONCURRENCY": fmt.Sprint(concurrency)})
			took := time.Since(start)
			r.check(t, 0, "success")
			// The list of projects, pages of 100 repositories, and of each a file and its pull requests.
			n := w.bitbucket.Requests()
			if want := 1 + repositories/100 + 2*repositories; n != want {
				t.Errorf("%s run: got %d requests to Bitbucket, want %d", run, n, want)
			}
			ideal := time.Duration(n) * latency / concurrency
			ratio := took.Seconds() / ideal.Seconds()
			t.Logf("%s run: %v, %.3f times what %d requests take", run, took, ratio, n)
			if took > ideal+alone*latency || repositories >= 1000 && ratio > most {
				t.Errorf("%s run: took %v, want at most %v more than %v", run, took, alone*latency, ideal)
			}
			w.port.Age(time.Minute)
		}
	})
}
