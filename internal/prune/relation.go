package prune

import (
	"context"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/reconcile"
)

// related returns the relations to entities that are to be deleted, as far as they are
// known: what Port held when the run began is known of the blueprints that the
// mapping names, and what the run has written. Others are searched, when they hold
// stale entities that may relate to stale ones. Of entities of others nothing is
// known. With all, those of stale entities are complete.
func (p *pass) related(ctx context.Context, stale []catalog.Ref) (found []reconcile.Relation, all bool) {
	f := finder{pass: p, stale: stale, identifiers: map[string]bool{}, outer: map[catalog.Ref]catalog.Ref{}}
	for _, ref := range stale {
		f.identifiers[ref.Identifier] = true
		if i := len(f.blueprints) - 1; i < 0 || f.blueprints[i] != ref.Blueprint { // stale is sorted
			f.blueprints = append(f.blueprints, ref.Blueprint)
		}
	}
	for _, blueprint := range slices.Sorted(maps.Keys(p.Inventory.Stored)) {
		if h := p.Inventory.Stored[blueprint]; !h.Unread {
			f.stored(ctx, blueprint, h.Edges)
		}
	}
	for _, blueprint := range f.blueprints {
		switch h, known := p.Inventory.Stored[blueprint]; {
		case !known || h.Unread:
			f.search(ctx, blueprint)
		case h.Absent: // and yet Port lists entities of it
			f.unknown = true
		}
	}
	for _, rel := range p.Inventory.Targets.Relations() {
		for id := range f.identifiers {
			if p.Inventory.Targets.Has(rel, id) {
				f.relate(ctx, catalog.Ref{Blueprint: rel.Blueprint}, rel.Name, id)
			}
		}
	}
	for to, from := range f.outer {
		f.found = append(f.found, reconcile.Relation{From: from, To: to})
	}
	return f.found, !f.unknown
}

// finder collects relations to stale entities.
type finder struct {
	pass        *pass
	stale       []catalog.Ref   // sorted
	identifiers map[string]bool // of the stale ones: few of all relations name one
	blueprints  []string        // of the stale ones
	found       []reconcile.Relation
	// outer has, of the entities that are not stale and relate to a stale one, the first in
	// the order of refs: they may be very many, and the first one is the reason that is given.
	outer   map[catalog.Ref]catalog.Ref
	unknown bool // something could not be read: Port decides
}

// stored takes what entities of a blueprint related to when the run began.
func (f *finder) stored(ctx context.Context, blueprint string, edges *inventory.Edges) {
	for e, err := range edges.All() {
		if err != nil {
			f.unknown = true
			return
		}
		f.add(ctx, blueprint, []inventory.Edge{e})
	}
}

// add takes what entities of a blueprint related to when the run began.
func (f *finder) add(ctx context.Context, blueprint string, edges []inventory.Edge) {
	for _, e := range edges {
		from := catalog.Ref{Blueprint: blueprint, Identifier: e.From}
		if f.identifiers[e.To] && f.pass.stands(from, e.Relation) {
			f.relate(ctx, from, e.Relation, e.To)
		}
	}
}

// relate adds a relation when it is to a stale entity. The schema of the blueprint that
// relates names the target's blueprint.
func (f *finder) relate(ctx context.Context, from catalog.Ref, relation, to string) {
	schema := f.schema(ctx, from.Blueprint)
	target := catalog.Ref{Blueprint: schema.Relations[relation].Target, Identifier: to}
	if !f.isStale(target) {
		return
	}
	if f.isStale(from) {
		f.found = append(f.found, reconcile.Relation{From: from, To: target})
	} else if first, known := f.outer[target]; !known || compareRefs(from, first) < 0 {
		f.outer[target] = from
	}
}

func (f *finder) isStale(ref catalog.Ref) bool {
	_, stale := slices.BinarySearchFunc(f.stale, ref, compareRefs)
	return stale
}

func (f *finder) schema(ctx context.Context, blueprint string) port.Blueprint {
	schema, ok := f.pass.Schemas.Of(ctx, blueprint)
	f.unknown = f.unknown || !ok
	return schema
}

// search reads a blueprint that was not read before, when its entities may relate
// to stale ones.
func (f *finder) search(ctx context.Context, blueprint string) {
	schema := f.schema(ctx, blueprint)
	may := false
	for _, relation := range schema.Relations {
		may = may || slices.Contains(f.blueprints, relation.Target)
	}
	if !may {
		return
	}
	for fields, err := range f.pass.Port.Entities.Stored(ctx, blueprint, nil) {
		if err != nil {
			f.unknown = true
			return
		}
		f.add(ctx, blueprint, inventory.EdgesOf(fields))
	}
}

// stands reports whether an entity has a relation as Port held it when the run began: it
// was not written, or no entry that gave it maps the relation.
func (p *pass) stands(ref catalog.Ref, relation string) bool {
	if flags, produced := p.Inventory.Entities.Flags(ref); !produced || !flags.Counted {
		return true
	}
	if !p.Bound.Mapping.EnableMergeEntity {
		return false
	}
	s, _, err := p.Inventory.Entities.Of(ref)
	if err != nil {
		return true
	}
	if len(s.Results) == 0 { // found by a search query: which entry did is not known
		_, left := p.Bound.SetBy(ref.Blueprint, relation)
		return left
	}
	return !slices.ContainsFunc(s.Results, func(res inventory.Result) bool {
		_, e := p.entry(res.Entry)
		return slices.Contains(e.Keys.Relations, relation)
	})
}
