// Package scale_test measures the program in a process of its own: what it takes of memory,
// processor, network and time by the size of the workspace, beside another commit.
package scale_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	before   = flag.String("before", "6cce9fd", "measure this commit beside the present build; empty for none")
	sizes    = flag.String("size", "small", "small, full for up to a million entities, or a list as 60x100,600x100: repositories, and pull requests of each")
	delayed  = flag.String("latency", "", "measure the time of a run with 50 ms for each request at such sizes, as 1000x5; full does so without")
	runs     = flag.Int("runs", 1, "how often each is measured")
	profiles = flag.String("profile", "", "write profiles into this folder, and print where time and memory go")
)

// named are sizes that have a name, and withLatency those with latency.
var (
	named       = map[string]string{"small": "5x100,20x100", "full": "60x100,600x100,10000x100"}
	withLatency = map[string]string{"full": "1000x5"}
)

// latency is what each request to either service takes, where it is measured, and concurrency
// how many requests the program sends at once.
const (
	latency     = 50 * time.Millisecond
	concurrency = 10
)

// phase is which run of two.
type phase string

const (
	first     phase = "first"
	unchanged phase = "unchanged"
)

var phases = []phase{first, unchanged}

// setting is what a run is measured in.
type setting struct {
	size
	latency time.Duration
	// held is true for a run that stops before the last page of all to collect garbage, and say what
	// it holds: its other figures are not those of an ordinary run.
	held bool
}

// key is what was measured.
type key struct {
	program string
	setting setting
	phase   phase
}

// String names a run, and its profiles.
func (k key) String() string {
	name := fmt.Sprintf("%s-%d-%s", k.program, k.setting.entities(), k.phase)
	if k.setting.held {
		name += "-held"
	}
	if k.setting.latency > 0 {
		name += "-latency"
	}
	return name
}

// measured are the figures of all runs.
type measured map[key][]figures

// BenchmarkScale measures a first run and one in which nothing has changed, in turn with each
// program.
func BenchmarkScale(b *testing.B) {
	programs := []program{build(b, after, repository)}
	switch {
	case *before == "":
	case has(*before):
		programs = append(programs, buildCommit(b, *before))
	default:
		fmt.Printf("commit %s is not in the history here: the present build alone is measured\n", *before)
	}
	settings := settings(b)
	if *profiles != "" {
		if err := os.MkdirAll(*profiles, 0o777); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		all := measured{}
		for i := range *runs {
			for _, s := range settings {
				order := slices.Clone(programs)
				if i%2 == 1 {
					slices.Reverse(order)
				}
				for _, p := range order {
					all.pair(b, p, s)
				}
			}
		}
		all.print(settings)
		all.compare(b, settings)
		if *profiles != "" {
			summarize(b)
		}
	}
}

// settings are all that are measured, by the flags.
func settings(b *testing.B) []setting {
	b.Helper()
	var all []setting
	plain := parse(b, cmp.Or(named[*sizes], *sizes))
	for _, s := range plain {
		all = append(all, setting{size: s})
	}
	if len(plain) > 1 { // what is held grows from the first to the second
		all = append(all, setting{size: plain[0], held: true}, setting{size: plain[1], held: true})
	}
	if text := cmp.Or(*delayed, withLatency[*sizes]); text != "" {
		for _, s := range parse(b, text) {
			all = append(all, setting{size: s, latency: latency})
		}
	}
	return all
}

// parse reads a list of sizes, the smallest first.
func parse(b *testing.B, text string) []size {
	b.Helper()
	var all []size
	for part := range strings.SplitSeq(text, ",") {
		var s size
		if n, err := fmt.Sscanf(part, "%dx%d", &s.repositories, &s.pullRequests); n != 2 || err != nil {
			b.Fatalf("%q is no size: write repositories, and pull requests of each, as 60x100", part)
		}
		all = append(all, s)
	}
	return all
}

// pair measures both runs of a program.
func (all measured) pair(b *testing.B, p program, s setting) {
	b.Helper()
	to := serve(b, s)
	defer to.close(b)
	for _, phase := range phases {
		k := key{p.name, s, phase}
		f := to.run(b, p, k)
		all[k] = append(all[k], f)
		progress(k, f)
		if n := to.port.upserts(); phase == unchanged && n > 0 {
			b.Errorf("%s: %d requests wrote entities, although nothing has changed", p.name, n)
		}
		to.port.age(time.Hour)
	}
}
