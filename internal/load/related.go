package load

import (
	"context"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/refusal"
)

// relations know what entities relate to, and whether Port holds it.
type relations struct {
	bound      *check.Bound
	schemas    *port.Schemas
	flags      port.Flags
	ledger     *ledger
	comparison *comparison
	// apart is true when Port was seen not to take entities of one request in turn.
	apart bool
}

// target returns the entity that a relation names; false when its blueprint is not known.
func (r *relations) target(ctx context.Context, p *pending, t catalog.Target) (catalog.Ref, bool) {
	schema, _ := r.schemas.Of(ctx, p.entity.Ref.Blueprint)
	relation, ok := schema.Relations[t.Relation]
	return catalog.Ref{Blueprint: relation.Target, Identifier: t.Identifier}, ok
}

// there reports whether Port is known to hold an entity of ours: it stored it before, as
// far as that was read, or has taken it.
func (r *relations) there(ref catalog.Ref) bool {
	return r.ledger.counted(ref) || r.comparison.holds(ref)
}

// awaited returns the other entities that an entity relates to and that the mapping can
// produce; none where Port makes what is missing.
func (r *relations) awaited(ctx context.Context, p *pending) (refs []catalog.Ref) {
	if r.flags.CreateMissingRelatedEntities {
		return nil
	}
	for _, t := range p.entity.Targets {
		if ref, ok := r.target(ctx, p, t); ok && ref != p.entity.Ref && r.bound.Produces(ref.Blueprint) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// lacks reports whether Port would refuse an entity since it does not hold another yet. One
// that is on its way in the same blueprint arrives before it.
func (r *relations) lacks(p *pending, to catalog.Ref) bool {
	switch {
	case r.there(to):
		return false
	case to.Blueprint == p.entity.Ref.Blueprint && !r.apart:
		return !r.underWay(to)
	}
	return true
}

func (r *relations) underWay(ref catalog.Ref) bool {
	s := r.ledger.states[ref]
	return s != nil && slices.ContainsFunc(s.results, func(r result) bool { return r.pending != nil && r.pending.stage == packed })
}

// sharesInVain reports whether all that an entity relates to is there, and Port has not
// found it: then it was in the same request.
func (r *relations) sharesInVain(ctx context.Context, p *pending) bool {
	return !p.entry.QueryIdentifier && !slices.ContainsFunc(p.entity.Targets, func(t catalog.Target) bool {
		ref, ok := r.target(ctx, p, t)
		return !ok || ref != p.entity.Ref && !(r.bound.Produces(ref.Blueprint) && r.there(ref))
	})
}

// mayCome reports whether what Port did not find may be there at the end of the run.
func (r *relations) mayCome(ctx context.Context, p *pending) bool {
	if p.entry.QueryIdentifier {
		return r.mayBeNamed(p)
	}
	return !r.flags.CreateMissingRelatedEntities && slices.ContainsFunc(p.entity.Targets, func(t catalog.Target) bool {
		ref, ok := r.target(ctx, p, t)
		return !ok || r.bound.Produces(ref.Blueprint)
	})
}

// mayBeNamed reports whether what a search query has not found may be produced by a later
// entry. It is not waited for when it would write over what that one gives: the later one
// wins, and the next run finds it in time.
func (r *relations) mayBeNamed(p *pending) bool {
	may := false
	for _, e := range r.bound.Entries(p.entity.Ref.Blueprint) {
		if e.QueryIdentifier || e.Resource < p.entry.Resource {
			continue
		}
		keys := p.entry.Keys
		if !r.flags.Merge || keys.Without(e.Keys).Size() < keys.Size() {
			return false
		}
		may = true
	}
	return may
}

// mayBeStub reports whether Port may have made an entity in this run, for a relation to it.
func (r *relations) mayBeStub(ctx context.Context, ref catalog.Ref) bool {
	for _, relation := range r.ledger.inventory.Targets.Relations() {
		if !r.flags.CreateMissingRelatedEntities || !r.ledger.inventory.Targets.Has(relation, ref.Identifier) {
			continue
		}
		if schema, _ := r.schemas.Of(ctx, relation.Blueprint); schema.Relations[relation.Name].Target == ref.Blueprint {
			return true
		}
	}
	return false
}

// absent returns what an entity relates to and Port does not hold, as far as is known, when
// that is why Port refused it.
func (r *relations) absent(ctx context.Context, p *pending, o port.Outcome) []refusal.Absent {
	if o.RequestFailed || !refusal.NotFound(o.Err) || p.entry.QueryIdentifier || r.flags.CreateMissingRelatedEntities {
		return nil
	}
	var absent []refusal.Absent
	for _, t := range p.entity.Targets {
		to, ok := r.target(ctx, p, t)
		if !ok || to == p.entity.Ref || r.bound.Produces(to.Blueprint) && r.there(to) {
			continue
		}
		absent = append(absent, refusal.Absent{Relation: t.Relation, Ref: to, Produced: r.ledger.produced(to)})
	}
	return absent
}

// dependencies returns, for each entity, the others that must go before it.
func (r *relations) dependencies(ctx context.Context, left []*pending) [][]int {
	index, of := map[*pending]int{}, map[catalog.Ref][]int{}
	for i, p := range left {
		index[p] = i
		of[p.entity.Ref] = append(of[p.entity.Ref], i)
	}
	ahead := make([][]int, len(left))
	for i, p := range left {
		for _, t := range p.entity.Targets {
			if ref, ok := r.target(ctx, p, t); ok && ref != p.entity.Ref {
				ahead[i] = append(ahead[i], of[ref]...)
			}
		}
		if a := p.ahead(); a != nil {
			if j, ok := index[a]; ok {
				ahead[i] = append(ahead[i], j)
			}
		}
	}
	return ahead
}
