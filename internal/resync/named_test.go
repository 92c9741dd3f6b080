package resync_test

import (
	values "port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/report"
)

// named compares the entities that the report names with its counts: those that a sync deleted,
// and those that stay though they are stale.
func (w *world) named(r *report.Report) {
	w.t.Helper()
	deleted, kept := map[string]int{}, map[string]int{}
	for _, c := range r.Changes {
		if c.Action == values.Delete {
			deleted[c.Ref.Blueprint]++
		}
	}
	for _, k := range r.Kept {
		if kept[k.Ref.Blueprint]++; k.Ref.Identifier == "" || k.Why == "" {
			w.t.Errorf("an entity that stays lacks its name or a reason: %+v", k)
		}
	}
	for _, b := range r.Blueprints {
		if got := deleted[b.Identifier]; got != b.Deleted && !r.Planned {
			w.t.Errorf("blueprint %s: got the names of %d deleted entities, want %d", b.Identifier, got, b.Deleted)
		}
		if got := kept[b.Identifier]; got != b.StaleKept && b.StaleKept < 1000 {
			w.t.Errorf("blueprint %s: got the names of %d entities that stay, want %d", b.Identifier, got, b.StaleKept)
		}
	}
}
