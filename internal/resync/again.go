package resync

import (
	"context"
	"fmt"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/kind"
)

// again reads the lists once more that can have held the sources of entities which are
// about to be deleted. What appears there only now, since the list moved while it was
// read or its repository was away for a while, is a gap of its own.
func (r *run) again(asking context.Context, doomed []catalog.Ref) {
	r.workspace.Forget()
	for _, of := range r.loads {
		if !of.canProduce(doomed) || of.gap != "" {
			continue
		}
		second, err := of.resource.bound.Again(asking, r.workspace)
		if err != nil {
			r.lost(asking, of, kind.Source{}, fmt.Errorf("read again before the deletion: %w", err), func(error) {}, "")
			continue
		}
		for _, source := range second.Appeared {
			of.partial = append(of.partial, sourceGap{
				source: source,
				why:    fmt.Sprintf("%s: %q is there, and was not in the list when the run read it", of.resource.Where(), source.Name),
				fix:    "run again: the next run reads it",
			})
		}
	}
}

// canProduce reports whether a resource can produce the blueprint of one of the entities.
func (of *loading) canProduce(refs []catalog.Ref) bool {
	for _, e := range of.resource.entries {
		for i, ref := range refs { // sorted by blueprint
			if (i == 0 || ref.Blueprint != refs[i-1].Blueprint) && (e.Dynamic || e.Blueprint == ref.Blueprint) {
				return true
			}
		}
	}
	return false
}
