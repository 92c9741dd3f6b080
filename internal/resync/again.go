package resync

import (
	"context"
	"fmt"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/kind"
)

// again reads a second time the lists that can have held the sources of the doomed
// entities. A source that appears only now, since the list moved while it was read or the
// repository was away for a while, is a gap of its own.
func (r *run) again(asking context.Context, doomed []catalog.Ref) {
	r.workspace.Forget()
	for _, of := range r.loads {
		if !of.canProduce(doomed) || of.gap != "" {
			continue
		}
		second, err := of.resource.Bound.Again(asking, r.workspace)
		if err != nil {
			r.lost(asking, of, kind.Source{}, fmt.Errorf("read again before the deletion: %w", err), func(error) {}, "")
			of.report.Complete = of.complete()
			continue
		}
		for _, source := range second.Appeared {
			of.cameBack(source, "was not in the list when the run read it")
		}
		for _, l := range of.vanished {
			if second.Lists(l.source.Key) {
				of.cameBack(l.source, "was away while the run read it")
			}
		}
	}
}

// cameBack notes a source that is there before the deletion, and that the run did not read.
func (of *loading) cameBack(source kind.Source, why string) {
	of.partial = append(of.partial, sourceGap{source, fmt.Sprintf("%s: %q is there, and %s", of.resource.Where(), source.Name, why), "run again: the next run reads it"})
}

// canProduce reports whether a resource can produce the blueprint of one of the entities.
func (of *loading) canProduce(refs []catalog.Ref) bool {
	for _, e := range of.resource.Entries {
		for i, ref := range refs { // sorted by blueprint
			if (i == 0 || ref.Blueprint != refs[i-1].Blueprint) && (e.Dynamic || e.Blueprint == ref.Blueprint) {
				return true
			}
		}
	}
	return false
}
