// Package scale_test measures the program in a process of its own: what it takes of memory,
// processor, network and time, by the size of the workspace, beside another commit.
package scale_test

import (
	"cmp"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
)

var (
	before   = flag.String("before", "6cce9fd", "measure this commit beside the present build; empty for none")
	sizes    = flag.String("size", "small", "small, full for up to a million entities, or a list as 60x100,600x100: repositories, and pull requests of each")
	runs     = flag.Int("runs", 1, "how often each is measured")
	profiles = flag.String("profile", "", "write profiles into this folder")
)

// phase is which run of two.
type phase string

const (
	first     phase = "first"
	unchanged phase = "unchanged"
)

// key is what was measured.
type key struct {
	program string
	size    size
	phase   phase
}

// measured are the figures of all runs.
type measured map[key][]figures

// BenchmarkScale measures a first run and one in which nothing has changed, in turn with each
// program.
func BenchmarkScale(b *testing.B) {
	programs := []program{build(b, "after", repository)}
	switch {
	case *before == "":
	case has(*before):
		programs = append([]program{buildCommit(b, *before)}, programs...)
	default:
		b.Logf("commit %s is not in the history: the present build alone is measured", *before)
	}
	b.ResetTimer()
	for b.Loop() {
		all := measured{}
		for _, s := range sizesOf(b) {
			for range *runs {
				for _, p := range programs {
					all.pair(b, p, s)
				}
			}
		}
		all.print(b, programs)
	}
}

// named are sizes that have a name.
var named = map[string]string{
	"small": "60x100,200x100",
	"full":  "60x100,600x100,10000x100",
}

// sizesOf reads -size.
func sizesOf(b *testing.B) []size {
	b.Helper()
	var all []size
	for part := range strings.SplitSeq(cmp.Or(named[*sizes], *sizes), ",") {
		var s size
		if n, err := fmt.Sscanf(part, "%dx%d", &s.repositories, &s.pullRequests); n != 2 || err != nil {
			b.Fatalf("-size is small, full, or repositories and pull requests of each, as 60x100,600x100; not %q", *sizes)
		}
		all = append(all, s)
	}
	return all
}

// pair measures both runs of a program.
func (all measured) pair(b *testing.B, p program, s size) {
	to := serve(b, s)
	for _, phase := range []phase{first, unchanged} {
		f := to.run(b, p, false)
		k := key{p.name, s, phase}
		all[k] = append(all[k], f)
		if upserts := to.port.upserts(); phase == unchanged && upserts != 0 {
			b.Errorf("%s: %d requests wrote entities, although nothing has changed", p.name, upserts)
		}
		to.port.age(time.Hour)
	}
}
