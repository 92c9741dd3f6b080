package resync_test

import (
	"testing"

	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// Of four entities two go stale. The inputs rule whether they go.
func TestDeletionInputs(t *testing.T) {
	t.Parallel()
	most := func(n int) *int { return &n }
	for _, c := range []struct {
		name     string
		deletion reconcile.Policy
		most     *int
		guard    string // "" when the stale ones are deleted
	}{
		{"no bound", reconcile.Apply, nil, ""},
		{"within the bound", reconcile.Apply, most(2), ""},
		{"above the bound", reconcile.Apply, most(1), "2 entities are stale, more than the input max_deletions of 1 allows"},
		{"a bound of 0", reconcile.Apply, most(0), "2 entities are stale, more than the input max_deletions of 0 allows"},
		{"report", reconcile.Report, nil, `the input deletion is "report"; with "apply" they would go`},
		{"report, above the bound", reconcile.Report, most(1), "max_deletions of 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("PAY/api", "PAY/web", "PAY/old"))
				m := mapped(projects, repos)
				w.sync(m).ended(report.Success).is(want{"created": 4})
				w.bitbucket.RemoveRepository("old")
				w.bitbucket.RemoveRepository("web")
				w.adjust = func(j *resync.Job) { j.Deletion, j.MaxDeletions = c.deletion, c.most }
				r := w.sync(m).ended(report.Success)
				if c.guard == "" {
					r.is(want{"deleted": 2, "kept": 0}).heldBy("repo", "", 0).has("repo", "api")
					return
				}
				r.is(want{"deleted": 0, "kept": 2, "writes": 0}).heldBy("repo", c.guard, 2).has("repo", "api", "web", "old")
				// The next run without them makes up for it.
				w.adjust = nil
				w.sync(m).ended(report.Success).is(want{"deleted": 2, "kept": 0}).has("repo", "api")
			})
		})
	}
}

// What holds a blueprint back for another reason says so, also when nothing would
// be deleted anyway.
func TestDeletionReportNamesTheGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/old"))
		w.sync(mapped(projects, repos)).ended(report.Success)
		w.bitbucket.RemoveRepository("old")
		w.adjust = func(j *resync.Job) { j.Deletion = reconcile.Report }
		w.sync(mapped(projects, entity("repository", `{identifier: .typo, title: .name, blueprint: '"repo"'}`))).
			heldBy("repo", "Port holds no entity that", 2).is(want{"deleted": 0})
	})
}

// With "never" Port is not asked what it owns: there is one request less than in a
// run that finds nothing stale.
func TestDeletionNever(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/old"))
		m := mapped(projects, repos)
		w.sync(m).ended(report.Success)
		w.sync(m).ended(report.Success)
		asked := w.port.Requests()
		w.bitbucket.RemoveRepository("old")
		w.adjust = func(j *resync.Job) { j.Deletion = reconcile.Never }
		r := w.sync(m).ended(report.Success).is(want{"deleted": 0, "kept": 0, "writes": 0}).has("repo", "api", "old")
		r.problem("notice", "stale entities were not looked for")
		if got, want := w.port.Requests(), asked-1; got != want {
			t.Errorf("got %d requests to Port, want %d", got, want)
		}
	})
}
