package resync_test

import (
	"fmt"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
)

// A run reads the files of one repository as many at once as its concurrency allows.
func TestWallTimeOfOneRepository(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const (
			files   = 200
			latency = 50 * time.Millisecond
			share   = 0.15 // of the time that one request after the other takes
		)
		b := bitbuckettest.New("acme")
		tree := map[string]string{}
		for i := range files {
			tree[fmt.Sprintf("services/%03d/port.yml", i)] = "a: 1"
		}
		b.AddRepository(bitbuckettest.Repository{Name: "mono", Files: tree})
		b.Fault(bitbuckettest.Fault{Times: -1, Delay: latency})
		w := newWorld(t, b)
		start := time.Now()
		r := w.sync(mapped(`
- kind: file
  selector: {query: 'true', files: {filenames: [port.yml]}}
  port: {entity: {mappings: {identifier: .file.path, title: .file.path, blueprint: '"repo"'}}}`)).ended(report.Success).is(want{"created": files})
		took, inTurn := time.Since(start), time.Duration(len(r.requests))*latency
		if limit := time.Duration(share * float64(inTurn)); took > limit {
			t.Errorf("%d requests took %v, want at most %v", len(r.requests), took, limit)
		}
	})
}
