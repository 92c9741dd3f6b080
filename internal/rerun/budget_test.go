package rerun_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// entity is what is compared of one: who wrote it when is not.
type entity struct {
	Title      string
	Properties map[string]any
	Relations  map[string]any
}

// catalogOf is what an organization holds, by blueprint and identifier.
func catalogOf(p *porttest.Server) map[string]entity {
	all := map[string]entity{}
	for blueprint, entities := range p.Catalog() {
		for id, e := range entities {
			all[blueprint+"/"+id] = entity{e.Title, e.Properties, e.Relations}
		}
	}
	return all
}

// truth is the catalog of one full run without a memory, in an organization of its own.
func (w *world) truth() map[string]entity {
	w.t.Helper()
	before := w.port
	defer func() { w.port = before }()
	w.port = organization()
	r := w.run("STATE_DIR=", "MAX_REQUESTS=")
	if r.report.Status != "success" {
		w.t.Fatalf("the full run is %s:\n%s%s", r.report.Status, r.stdout, r.stderr)
	}
	return catalogOf(w.port)
}

// equalsTruth compares Port with the workspace.
func (w *world) equalsTruth() {
	w.t.Helper()
	if diff := cmp.Diff(catalogOf(w.port), w.truth()); diff != "" {
		w.t.Errorf("the catalog (-got +want):\n%s", diff)
	}
}

// lists notes when the list of pull requests of each repository was answered last.
type lists map[string]time.Time

func (l lists) note(journal []bitbuckettest.Exchange) {
	for _, x := range journal {
		if strings.HasSuffix(x.Route, "/pullrequests") && x.Status == 200 {
			l[strings.Split(x.Path, "/")[4]] = x.Time
		}
	}
}

// oldest is the time of the list that was read longest ago.
func (l lists) oldest() time.Time {
	return slices.MinFunc(slices.Collect(maps.Values(l)), time.Time.Compare)
}

// A bound of requests is kept in each hour: what was pushed is read in the run after it, no
// list is older than it may be, and in the end Port holds what the workspace does.
func TestHoursWithinABudget(t *testing.T) {
	if raceDetector {
		t.Skip("it counts over many runs: see raceDetector")
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const hours, maxAge = 30, 24 * time.Hour
		const pullRequests = 1 // of each repository
		n := 50
		if sweep() {
			n = 250
		}
		budget, moving := n*3/10, max(1, n/100) // an hour: requests, and repositories that move
		random := rand.New(rand.NewPCG(2, 2))
		b := services(n, pullRequests)
		w := newWorld(t, b, map[string]string{"MAPPING": defaultMapping(t)})
		l := lists{}
		r := w.run()
		l.note(r.is("success", 1+(n+99)/100+2*n, 0).journal)
		w.env["MAX_REQUESTS"] = fmt.Sprint(budget)
		hour := func() ran {
			time.Sleep(time.Hour - r.took)
			r = w.run()
			if r.requests > budget {
				t.Errorf("got %d requests, want at most %d", r.requests, budget)
			}
			l.note(r.journal)
			if age := time.Since(l.oldest()); age > maxAge {
				t.Errorf("a list is %s old", age)
			}
			if r.report.Status != "success" {
				t.Fatalf("got a run that is %s:\n%s%s", r.report.Status, r.stdout, r.stderr)
			}
			return r
		}
		for i := range hours {
			var moved []string
			for range moving {
				moved = append(moved, slug(random.IntN(n)))
				b.SetFile(moved[len(moved)-1], "README.md", []byte(fmt.Sprintf("# In hour %d\n", i)))
				b.UpdatePullRequest(slug(random.IntN(n)), 1+random.IntN(pullRequests), func(p *bitbuckettest.PullRequest) {
					p.Title, p.UpdatedOn = fmt.Sprintf("Edited in hour %d", i), time.Now()
				})
			}
			began := time.Now()
			hour()
			for _, slug := range moved {
				if l[slug].Before(began) {
					t.Errorf("hour %d: the pull requests of %s were not asked for, and it has moved", i, slug)
				}
				if got, want := w.port.Catalog()["bitbucketRepository"][slug].Properties["readme"], fmt.Sprintf("# In hour %d\n", i); got != want {
					t.Errorf("hour %d: %s has the README %q, want %q", i, slug, got, want)
				}
			}
		}
		perRun := budget - 1 - (n+99)/100 // lists of pull requests; nothing has moved since
		for range (n+perRun-1)/perRun + 1 {
			hour()
		}
		w.equalsTruth()
	})
}

// One credential reads a workspace that is larger than its allowance, in runs each hour that
// do not wait: the first full picture takes what its requests take.
func TestFirstPicture(t *testing.T) {
	if raceDetector {
		t.Skip("it counts over many runs: see raceDetector")
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 200
		if sweep() {
			n = 1000
		}
		limit := n / 5 // an hour
		b := services(n, 1)
		w := newWorld(t, b, map[string]string{
			"MAPPING": defaultMapping(t), "MAX_REQUESTS": "auto", "BITBUCKET_RATE_LIMIT": fmt.Sprintf("%d/1h", limit),
		})
		b.AllowToken(token, bitbuckettest.Access{Limit: limit})
		start, asked := time.Now(), 0
		for runs := 1; ; runs++ {
			began := time.Now()
			r := w.run()
			asked += r.requests
			if r.took >= time.Hour {
				t.Errorf("run %d took %s", runs, r.took)
			}
			for _, x := range r.journal {
				if x.Status == 429 {
					t.Fatalf("run %d: Bitbucket refused a request beyond the allowance", runs)
				}
			}
			if r.report.Status == "success" {
				break
			}
			if r.report.Deleted > 0 || r.report.Status != "partial" || runs > 20 {
				t.Fatalf("run %d is %s, with %d deleted:\n%s%s", runs, r.report.Status, r.report.Deleted, r.stdout, r.stderr)
			}
			time.Sleep(time.Hour - time.Since(began))
		}
		ideal := time.Duration(float64(asked) / float64(limit) * float64(time.Hour))
		if took := time.Since(start); took > ideal*105/100 {
			t.Errorf("the first picture of %d repositories took %s, and its %d requests take %s", n, took, asked, ideal)
		}
		w.env["BITBUCKET_RATE_LIMIT"] = "1000000/1h"
		b.AllowToken(token, bitbuckettest.Access{Limit: -1})
		w.equalsTruth()
	})
}
