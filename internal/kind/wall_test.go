package kind_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// The files of one repository are read side by side, as those of many are: an answer that
// takes 50 ms costs its time once for each round of requests, and not once for each file.
func TestWallTimeOfOneRepository(t *testing.T) {
	const (
		n           = 200
		latency     = 50 * time.Millisecond
		concurrency = 10
		share       = 0.15 // of the time that one request after the other takes
	)
	tree := map[string]string{}
	for i := range n {
		tree[fmt.Sprintf("services/%03d/port.yml", i)] = fmt.Sprintf("name: s%03d", i)
	}
	for _, tt := range []struct{ kind, selector string }{
		{"file", `files: {filenames: [port.yml]}`},
		{"folder", `folders: [{path: "services/*"}], includedFiles: [port.yml]`},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := oneRepository(tree)
				s.Fault(bitbuckettest.Fault{Times: -1, Delay: latency})
				w := newWorldWith(t, s, concurrency)
				w.ws = w.workspace(kind.Options{TempDir: t.TempDir(), Ahead: concurrency})
				start := time.Now()
				objects := w.good(tt.kind, tt.selector)
				took := time.Since(start)
				w.equal("objects", len(objects), n)
				inTurn := time.Duration(s.Requests()) * latency
				t.Logf("%d requests of %v took %v, %.3f of %v", s.Requests(), latency, took, took.Seconds()/inTurn.Seconds(), inTurn)
				if limit := time.Duration(share * float64(inTurn)); took > limit {
					t.Errorf("took %v, want at most %v", took, limit)
				}
			})
		})
	}
}
