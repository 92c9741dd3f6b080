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
func (r *run) inOrder(ctx context.Context) []*loading {
	left := slices.Clone(r.loads)
	var order []*loading
	for len(left) > 0 {
		next := max(0, slices.IndexFunc(left, func(of *loading) bool {
			return !slices.ContainsFunc(left, func(o *loading) bool {
				return o != of && (o.resource.Index < of.resource.Index && o.resource.Shares(of.resource) || r.relatesTo(ctx, of.resource, o.resource))
			})
		}))
		order = append(order, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return order
}

// relatesTo says whether entities of one resource relate to those of another, which
// must be there before them.
func (r *run) relatesTo(ctx context.Context, from, to *check.Resource) bool {
	names, _ := to.Blueprints()
	for _, e := range from.Entries {
		for _, f := range e.Source.Relations {
			if e.Dynamic || f.Value.Query == nil && r.job.Bound.Mapping.CreateMissingRelatedEntities {
				continue
			}
			schema, _ := r.loader.schemas.of(ctx, e.Blueprint)
			if slices.Contains(names, schema.Relations[f.Name].Target) {
				return true
			}
		}
	}
	return false
}
