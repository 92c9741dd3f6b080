// Package faultmatrix_test tries every fault of both services at every request of a run:
// what a run leaves behind must be right, or be said to be incomplete.
package faultmatrix_test

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// tally counts over all combinations.
var tally struct{ held, fired atomic.Int64 }

// sampleOf is which part of the combinations is tried where MATRIX asks for none. It
// is prime, so that it does not always fall on the same faults of a route.
const sampleOf = 61

// gcPercent lets the garbage of many short runs wait for a heap five times as large as what
// lives, up to heapLimit: a sixth of the CPU time is not spent on it.
const (
	gcPercent = 400
	heapLimit = 1 << 30
)

// share is the part of the combinations that MATRIX asks for: "full" for all, "2/5" for the
// second of five parts. It is the zero value where nothing is asked for: a sample is tried.
type share struct{ part, of int }

// wanted is what MATRIX says.
var wanted share

func readShare(text string) (share, error) {
	var s share
	switch text {
	case "":
		return share{}, nil
	case "full":
		return share{1, 1}, nil
	}
	if _, err := fmt.Sscanf(text, "%d/%d", &s.part, &s.of); err != nil || s.part < 1 || s.part > s.of || text != fmt.Sprintf("%d/%d", s.part, s.of) {
		return share{}, fmt.Errorf(`MATRIX=%s: want full, or a part as 2/5`, text)
	}
	return s, nil
}

// sampler picks a part of what can be tried, and the first of all that shares a name with
// nothing before it: a fault, a route, an edit. Under the race detector it picks a part of that
// part alone.
type sampler struct {
	of   int // one of so many
	full int // one of so many where MATRIX says "full"; 0 for all
	n    int
	seen map[string]bool
}

// pick reports whether to try what has these names.
func (s *sampler) pick(names ...string) bool {
	at, of := 0, s.of*oneOfSample
	if wanted.of > 0 {
		at, of = wanted.part-1, max(s.full, wanted.of)
	}
	picked := s.n%of == at
	s.n++
	for _, name := range names {
		picked = picked || !s.seen[name] && !raceDetector
	}
	if picked {
		for _, name := range names {
			s.seen[name] = true
		}
	}
	return picked
}

func TestMain(m *testing.M) {
	var err error
	if wanted, err = readShare(os.Getenv("MATRIX")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(heapLimit)
	code := m.Run()
	removeBuilt()
	fmt.Printf("matrix: %d combinations held, %d faults fired\n", tally.held.Load(), tally.fired.Load())
	tellMoves()
	os.Exit(code)
}

// TestMatrix tries each combination in a world of its own, in virtual time: each fault and
// each route at least once.
func TestMatrix(t *testing.T) {
	sample := sampler{of: sampleOf, seen: map[string]bool{}}
	for _, s := range scenes(t) {
		g, routes := s.good(t)
		for _, c := range s.combinations(routes) {
			if !sample.pick(c.kind.name, string(c.use.service)+c.use.String()) {
				continue
			}
			t.Run(s.name+"/"+c.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { s.try(t, g, c) })
			})
		}
	}
}

var update = flag.Bool("update", false, "rewrite the golden files")

// TestRoutes shows which routes the matrix covers, with how many combinations: one that
// no run uses any more would fall out of it unseen.
func TestRoutes(t *testing.T) {
	skipWithRaceDetector(t)
	const golden = "testdata/routes.txt"
	var text strings.Builder
	for _, s := range scenes(t) {
		if s.varies {
			continue
		}
		_, routes := s.good(t)
		n := map[route]int{}
		for _, c := range s.combinations(routes) {
			n[c.use.route]++
		}
		for _, u := range routes {
			if n[u.route] > 0 {
				fmt.Fprintf(&text, "%s: %s: %s %d\n", s.name, u.service, u.route, n[u.route])
			}
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text.String(), string(want)); diff != "" {
		t.Errorf("routes (-got +want):\n%s", diff)
	}
}

// good runs the scene without a fault.
func (s *scene) good(t *testing.T) (g good, routes []use) {
	synctest.Test(t, func(t *testing.T) {
		w := s.world(t)
		w.bitbucket.Record(true)
		g.before = catalogOf(w.port)
		r := w.run()
		g.after, g.status, g.exit = catalogOf(w.port), r.report.Status, r.exit
		g.bitbucket, g.port = w.bitbucket.Journal(), w.port.Journal()
		g.blueprints, g.config = w.blueprints(), w.port.DataSource(identifier).Config
		routes = uses(g.bitbucket, g.port)
		k := &checker{good: g, w: w}
		k.again()
		if len(k.faults) > 0 {
			t.Fatalf("scene %s: %s", s.name, strings.Join(k.faults, "\n"))
		}
	})
	return g, routes
}

// try runs the scene with one fault, and then without.
func (s *scene) try(t *testing.T, g good, c combination) {
	w := s.world(t)
	if c.use.path != examplesRoute {
		w.env["SEND_RAW_DATA_EXAMPLES"] = "false" // they take a third of the time
	}
	fired := c.plan(w)
	k := &checker{c: c, good: g, w: w}
	k.run = w.run()
	if n := w.hits(); n == 0 || n != fired() {
		k.errorf("the fault fell %d times, %d by the journal", fired(), n)
	}
	k.check()
	if len(k.unlike()) > 0 { // else the run after is the one that good has made
		k.again()
	}
	if len(k.faults) == 0 {
		tally.held.Add(1)
		tally.fired.Add(int64(fired()))
		return
	}
	t.Errorf("%s\n%s%s", strings.Join(k.faults, "\n"), k.run.stdout, k.run.stderr)
}

// hits counts the requests of both journals that a fault fell on.
func (w *world) hits() (n int) {
	for _, x := range w.bitbucket.Journal() {
		n += x.Faults
	}
	for _, x := range w.port.Journal() {
		if x.Fault {
			n++
		}
	}
	return n
}
