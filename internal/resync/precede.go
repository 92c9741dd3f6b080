package resync

import (
	"context"
	"slices"

	"port-bitbucket-exporter/internal/check"
)

// inOrder are the resources in the order in which they run. It is the mapping's; but
// what others relate to comes first where it is not created for them: where
// createMissingRelatedEntities is false, and where a search query looks for it. Those
// that can produce one blueprint keep their order: the later one wins.
func (r *run) inOrder(ctx context.Context) []*reading {
	left := slices.Clone(r.readings)
	var order []*reading
	for len(left) > 0 {
		next := max(0, slices.IndexFunc(left, func(of *reading) bool {
			return !slices.ContainsFunc(left, func(o *reading) bool {
				return o != of && (o.to.Index < of.to.Index && o.to.Shares(of.to.Resource) || r.relatesTo(ctx, of.to.Resource, o.to.Resource))
			})
		}))
		order = append(order, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return order
}

// relatesTo reports whether entities of one resource relate to those of another, which
// must be there before them.
func (r *run) relatesTo(ctx context.Context, from, to *check.Resource) bool {
	names, _ := to.Blueprints()
	for _, e := range from.Entries {
		for _, f := range e.Source.Relations {
			if e.Dynamic || f.Value.Query == nil && r.job.Bound.Mapping.CreateMissingRelatedEntities {
				continue
			}
			schema, _ := r.schemas.Of(ctx, e.Blueprint)
			if slices.Contains(names, schema.Relations[f.Name].Target) {
				return true
			}
		}
	}
	return false
}
