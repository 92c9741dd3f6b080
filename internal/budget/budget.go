// Package budget decides what a budget is spent on: which of the things that were read before,
// or never, are asked for again when the requests of one run do not suffice for all.
package budget

import (
	"slices"
	"time"
)

// Candidate is something that a run may ask for.
type Candidate struct {
	Key  string // unique among the candidates
	Cost int    // in requests
	// Moved is true for what is known to be another than the one that was read.
	Moved bool
	// Changed is when it last changed, as far as is known; zero for unknown.
	Changed time.Time
	// Read is when it was last read; zero for never.
	Read time.Time
}

// Grant returns the keys of what is to be asked for, the most urgent first. Together they
// cost at most n requests. Nothing that is left out would fit into what is left.
//
// What was never read comes first, in the order of the candidates, and then what has moved,
// the one that was read longest ago first: where not all of it fits, each has its turn. Next
// is what is due, older than three quarters of maxAge, the oldest first: so that it is read
// again before it is too old to be used. A share of what is left goes to what changed within
// maxAge, the latest first, since it is most likely to change again: at most half, and so much
// that it takes no more than one run longer until all is read. The rest goes to what was read
// longest ago, and so spreads what will be due over the runs.
func Grant(all []Candidate, n int, now time.Time, maxAge time.Duration) []string {
	g := &grants{left: n}
	oldest := func(a, b Candidate) int { return a.Read.Compare(b.Read) }
	rest := g.stage(all, n, oldest, func(c Candidate) bool { return c.Moved || c.Read.IsZero() })
	rest = g.stage(rest, g.left, oldest, func(c Candidate) bool { return now.Sub(c.Read) > maxAge-maxAge/4 })
	latest := func(a, b Candidate) int { return b.Changed.Compare(a.Changed) }
	rest = g.stage(rest, share(g.left, rest), latest, func(c Candidate) bool { return !c.Changed.IsZero() && now.Sub(c.Changed) < maxAge })
	g.stage(rest, g.left, oldest, func(Candidate) bool { return true })
	return g.keys
}

// share is how many of n requests, which a run has for candidates of equal right, may go to some
// of them out of turn. All of them take total/n runs in turn, and with n·n/(total+n) requests
// out of turn in each run one more, since n - n·n/(total+n) is n·total/(total+n).
func share(n int, of []Candidate) int {
	total := 0
	for _, c := range of {
		total += c.Cost
	}
	if n <= 0 || total <= n {
		return n / 2
	}
	return n * n / (total + n)
}

type grants struct {
	keys []string
	left int // requests
}

// stage grants candidates that belong to it, in their order, as long as they cost at most n
// together, and returns those that were not granted. One that is too dear is left out, and
// cheaper ones may follow. Where the order does not tell candidates apart, it is their own.
func (g *grants) stage(all []Candidate, n int, order func(a, b Candidate) int, belongs func(Candidate) bool) (rest []Candidate) {
	own := slices.DeleteFunc(slices.Clone(all), func(c Candidate) bool { return !belongs(c) })
	slices.SortStableFunc(own, order)
	granted := map[string]bool{}
	for _, c := range own {
		if c.Cost > n {
			continue
		}
		n -= c.Cost
		g.left -= c.Cost
		g.keys = append(g.keys, c.Key)
		granted[c.Key] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(c Candidate) bool { return granted[c.Key] })
}
