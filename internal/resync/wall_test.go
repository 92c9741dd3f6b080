package resync_test

import (
	"fmt"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
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

// As many requests to Bitbucket are under way as the concurrency allows, from the first page
// of the first list to the last pull request: while lists have more pages, while Port is
// written to, and while one repository has very many pull requests.
func TestWallTimeOfARun(t *testing.T) {
	skipShort(t)
	const (
		repositories = 300
		latency      = 50 * time.Millisecond
		// alone are the rounds in which fewer are under way: the login, the first page, the
		// last pull requests, the last write, and Port's list of what is ours.
		alone = 5
	)
	for _, tt := range []struct {
		name string
		many int // pull requests of the first repository
	}{{"alike", 1}, {"one with many pull requests", 700}} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := pullRequests(repositories, 1)
				for i := range tt.many - 1 {
					b.AddPullRequest("service-0000", bitbuckettest.PullRequest{Title: fmt.Sprintf("More %d", i)})
				}
				b.Fault(bitbuckettest.Fault{Times: -1, Delay: latency})
				w := newWorld(t, b)
				w.port.Fault(porttest.Fault{Times: -1, Delay: latency})
				for _, run := range []string{"first", "unchanged"} {
					start := time.Now()
					r := w.sync(mapped(projects, repos, pulls)).ended(report.Success)
					took := time.Since(start)
					ideal := time.Duration(len(r.requests)) * latency / time.Duration(w.concurrency)
					t.Logf("%s: %d requests took %v, %v if all slots were used", run, len(r.requests), took, ideal)
					if took > ideal+alone*latency {
						t.Errorf("%s: %d requests took %v, want at most %v", run, len(r.requests), took, ideal+alone*latency)
					}
				}
			})
		})
	}
}
