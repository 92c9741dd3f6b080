package gitwire_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/gitwire/gitbackend"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// Large files that are alike come as deltas of each other. All of them are handed on: together
// where one can be the base of the others, and else one by one, since a file that comes alone
// is no delta.
func TestLargeFilesAlike(t *testing.T) {
	const n = 20
	text := lines(7, 2000)
	c := gitbackend.Commit{}
	for i := range n {
		c.Files = append(c.Files, gitbackend.File{Path: fmt.Sprintf("p%02d/package-lock.json", i), Content: text[:9000] + fmt.Sprint("number ", i) + text[9000:]})
	}
	for _, tt := range []struct {
		name     string
		limits   gitwire.Limits
		requests int64
	}{
		{"handed on whole", gitwire.Limits{}, 1},
		{"larger than what is handed on", gitwire.Limits{MaxFile: 1000}, 1},
		{"larger than a base can be", gitwire.Limits{MaxFile: 1000, MaxTree: 2000}, n},
	} {
		for _, deltas := range []gitwiretest.Deltas{gitwiretest.OfsDeltas, gitwiretest.RefDeltas, gitwiretest.RefDeltasFirst} {
			t.Run(fmt.Sprint(tt.name, " ", deltas), func(t *testing.T) {
				t.Parallel()
				p, _, _ := emulated(t, gitbackend.Repository{Commits: []gitbackend.Commit{c}}, gitwiretest.Options{Deltas: deltas})
				r := p.remote(t)
				r.Limits = tt.limits
				k := kept{TB: t, peer: p, limit: 1 << 20}
				if tt.limits.MaxFile > 0 {
					k.limit = int(tt.limits.MaxFile)
				}
				hashes := slices.Collect(maps.Keys(files(p.entries, everyFile)))
				missing, err := r.Blobs(t.Context(), hashes, k.take)
				if err != nil || len(missing) > 0 || len(k.seen) != n {
					t.Errorf("got %d of %d files, %d missing, %v", len(k.seen), n, len(missing), err)
				}
				if got := r.Stats().Requests; got > tt.requests {
					t.Errorf("got %d requests, want %d at most", got, tt.requests)
				}
			})
		}
	}
}
