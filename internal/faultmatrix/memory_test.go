package faultmatrix_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// fullSampleOfRemembered is which part of the faults on what a run remembers is tried where
// MATRIX says "full", so that they take less than a minute, or asks for a larger part. It is prime, as sampleOf is.
const fullSampleOfRemembered = 5

// remembered is true for a route whose answers the next run may take from the memory.
func (r route) remembered() bool {
	return r.service == ofBitbucket && (r.overGit() || strings.HasSuffix(r.path, "/pullrequests") || strings.Contains(r.path, "/src/"))
}

// emptyFile is an answer that may be that of an empty file, so that no run can tell: the next
// one must ask again.
var emptyFile = kind{name: "empty file", status: 200, header: header("Content-Type", "text/plain"), fits: func(u use) bool { return u.form == aFile }}

// TestMemory tries the faults on what a run remembers, with a memory. A run that may ask for
// the lists of repositories alone then does with what the first has kept, and one that may
// ask for everything makes the catalog of a run that never failed: no fault was kept as an
// answer.
func TestMemory(t *testing.T) {
	sample := sampler{of: sampleOf, full: fullSampleOfRemembered, seen: map[string]bool{}}
	for _, s := range []*scene{grown(t), grownOver(t, "auto"), grownOver(t, "git")} {
		s.part = func(_ int, u use) bool { return u.remembered() && (s.env["SOURCE_READER"] == "" || u.overGit()) }
		g, routes := s.good(t)
		all := s.combinations(routes)
		for _, u := range routes {
			if emptyFile.fits(u) && s.part(0, u) {
				all = append(all, combination{kind: emptyFile, use: u, scope: once}, combination{kind: emptyFile, use: u, scope: always})
			}
		}
		for _, c := range all {
			if !sample.pick(c.kind.name, string(c.use.form)) {
				continue
			}
			t.Run(s.name+"/"+c.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { s.remember(t, g, c) })
			})
		}
	}
}

// remember runs the scene with one fault, then with its memory, and then with all that may
// be asked for.
func (s *scene) remember(t *testing.T, g good, c combination) {
	w := s.world(t)
	w.env["STATE_DIR"] = "state"
	fired := c.plan(w)
	k := &checker{c: c, good: g, w: w}
	k.run = w.run()
	first := k.run
	if fired() == 0 {
		k.errorf("the fault never fell")
	}
	if c.kind.name != emptyFile.name { // which is believed while the run lasts
		k.check()
	}
	w.bitbucket.ClearFaults()
	time.Sleep(2 * time.Second) // Port's clock counts whole seconds
	w.env["MAX_REQUESTS"] = fmt.Sprint(lists(g.bitbucket))
	w.run()
	k.after = catalogOf(w.port)
	if c.kind.name != emptyFile.name {
		k.checkCatalog()
	}
	delete(w.env, "MAX_REQUESTS")
	time.Sleep(2 * time.Hour) // what the second run has read is asked for again
	k.again()
	if len(k.faults) > 0 {
		t.Errorf("%s\nthe run with the fault:\n%s%s", strings.Join(k.faults, "\n"), first.stdout, first.stderr)
		return
	}
	tally.held.Add(1)
	tally.fired.Add(int64(fired()))
}

// lists is how many requests for lists of projects and repositories a run made.
func lists(journal []bitbuckettest.Exchange) (n int) {
	for _, x := range journal {
		if x.Method == http.MethodGet && !x.Git && !strings.Contains(x.Path, "/repositories/acme/") {
			n++
		}
	}
	return n
}
