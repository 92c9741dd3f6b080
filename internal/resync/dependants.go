package resync

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/reconcile"
)

// related are the relations to entities that are to be deleted, as far as they are
// known: what Port held when the run began is known of the blueprints that the
// mapping names, and what the run has written. Others are searched, when they hold
// stale entities that may relate to stale ones. Of entities of others nothing is
// known. With all, those of stale entities are complete.
func (r *run) related(ctx context.Context, stale []catalog.Ref) (found []reconcile.Relation, all bool) {
	f := finder{run: r, stale: map[catalog.Ref]bool{}, identifiers: map[string]bool{}}
	for _, ref := range stale {
		f.stale[ref], f.identifiers[ref.Identifier] = true, true
		if i := len(f.blueprints) - 1; i < 0 || f.blueprints[i] != ref.Blueprint { // stale is sorted
			f.blueprints = append(f.blueprints, ref.Blueprint)
		}
	}
	for _, blueprint := range slices.Sorted(maps.Keys(r.loader.held)) {
		if h := r.loader.held[blueprint]; !h.failed {
			f.add(ctx, blueprint, h.edges)
		}
	}
	for _, blueprint := range f.blueprints {
		switch h := r.loader.held[blueprint]; {
		case h == nil || h.failed:
			f.search(ctx, blueprint)
		case h.absent: // and yet Port lists entities of it
			f.unknown = true
		}
	}
	for _, rel := range slices.SortedFunc(maps.Keys(r.loader.targets), compareRelations) {
		for id := range r.loader.targets[rel] {
			if f.identifiers[id] {
				f.relate(ctx, catalog.Ref{Blueprint: rel.blueprint}, rel.name, id)
			}
		}
	}
	return f.found, !f.unknown
}

func compareRelations(a, b relation) int {
	return cmp.Or(cmp.Compare(a.blueprint, b.blueprint), cmp.Compare(a.name, b.name))
}

// finder collects relations to stale entities.
type finder struct {
	run         *run
	stale       map[catalog.Ref]bool
	identifiers map[string]bool // of the stale ones: few of all relations name one
	blueprints  []string        // of the stale ones
	found       []reconcile.Relation
	unknown     bool // something could not be read: Port will tell
}

// add takes what entities of a blueprint related to when the run began.
func (f *finder) add(ctx context.Context, blueprint string, edges []edge) {
	for _, e := range edges {
		from := catalog.Ref{Blueprint: blueprint, Identifier: e.from}
		if f.identifiers[e.to] && (f.stale[from] || f.run.stillRelates(from, e.relation)) {
			f.relate(ctx, from, e.relation, e.to)
		}
	}
}

// relate adds a relation when it is to a stale entity. The relation's blueprint
// tells the target's.
func (f *finder) relate(ctx context.Context, from catalog.Ref, relation, to string) {
	schema := f.schema(ctx, from.Blueprint)
	target := catalog.Ref{Blueprint: schema.Relations[relation].Target, Identifier: to}
	if f.stale[target] {
		f.found = append(f.found, reconcile.Relation{From: from, To: target})
	}
}

func (f *finder) schema(ctx context.Context, blueprint string) port.Blueprint {
	schema, ok := f.run.loader.schemas.of(ctx, blueprint)
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
	texts := interned{}
	for fields, err := range f.run.job.Port.Held(ctx, blueprint) {
		if err != nil {
			f.unknown = true
			return
		}
		f.add(ctx, blueprint, texts.edges(nil, fields))
	}
}

// stillRelates says whether an entity has a relation as Port held it when the run
// began: it was not written, or no entry that gave it maps the relation.
func (r *run) stillRelates(ref catalog.Ref, relation string) bool {
	s := r.loader.states[ref]
	if s == nil || s.counted == nil {
		return true
	}
	if !r.job.Bound.Mapping.EnableMergeEntity {
		return false
	}
	if len(s.results) == 0 { // found by a search query: which entry did is not known
		_, left := r.job.Bound.SetBy(ref.Blueprint, relation)
		return left
	}
	return !slices.ContainsFunc(s.results, func(res result) bool { return slices.Contains(res.entry.Keys.Relations, relation) })
}
