package prune

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/inventory"
)

// origins finds out which sources can have produced an entity, by the frames of their
// identifiers.
type origins struct {
	pass     *pass
	stale    []catalog.Ref // what Port lists and the run did not produce
	indexes  map[*check.Entry]*index
	presents map[*check.Entry]map[string]bool // keys of sources; see present
	claims   map[*check.Entry]claim           // the last answer of anothers
	missed   map[*resource]map[string]bool    // by key: the sources of which something was not read
}

func newOrigins(p *pass, stale []catalog.Ref) *origins {
	return &origins{
		pass: p, stale: stale, indexes: map[*check.Entry]*index{}, presents: map[*check.Entry]map[string]bool{},
		claims: map[*check.Entry]claim{}, missed: map[*resource]map[string]bool{},
	}
}

// claim is an entity that an entry may have produced, and whether it did.
type claim struct {
	ref    catalog.Ref
	answer claimed
}

// claimed is whether an identifier is one of a source that was read.
type claimed int

const (
	unclaimed claimed = iota
	perhaps           // or of another name
	surely
)

// may reports whether a source that was not read can have produced an entity by a
// resource. It cannot when the identifier is surely one of a source that was read, and
// none of its own. Any other may be one that it had under an earlier name, unless Port
// holds entities of its present name: then an earlier run has read it since.
func (o *origins) may(ctx context.Context, of *resource, source inventory.Source, ref catalog.Ref) bool {
	mine, others, present := false, false, false
	for i, e := range of.Entries {
		if !e.Dynamic && e.Blueprint != ref.Blueprint {
			continue
		}
		mine = true
		if ctx.Err() != nil || e.QueryIdentifier || !o.trust(ctx, of, i) {
			return true
		}
		if f := o.pass.frame(ctx, of, i, source); f == nil || f.Covers(ref.Identifier) {
			return true
		}
		others = others || o.anothers(ctx, of, i, ref) == surely
		present = present || o.present(ctx, of, i, source.Key)
	}
	return mine && !others && !present
}

// present reports whether Port holds an entity that only a source can have produced under
// its present name.
func (o *origins) present(ctx context.Context, of *resource, entry int, key string) bool {
	e := of.Entries[entry]
	if known, ok := o.presents[e]; ok {
		return known[key]
	}
	found := map[string]bool{}
	o.presents[e] = found
	if o.shared(of, e) {
		return false
	}
	for _, ref := range o.stale {
		if !e.Dynamic && e.Blueprint != ref.Blueprint {
			continue
		}
		for key, f := range o.covering(ctx, of, entry, ref.Identifier) {
			if (f.Number || f.Alone(ref.Identifier)) && o.anothers(ctx, of, entry, ref) == unclaimed {
				found[key] = true
			}
		}
	}
	return found[key]
}

// shared reports whether another resource may produce entities of an entry's blueprint.
func (o *origins) shared(of *resource, e *check.Entry) bool {
	return slices.ContainsFunc(o.pass.resources, func(other *resource) bool {
		return other != of && slices.ContainsFunc(other.Entries, func(b *check.Entry) bool {
			return e.Dynamic || b.Dynamic || b.Blueprint == e.Blueprint
		})
	})
}

// anothers reports whether an identifier is one of a source that was read.
func (o *origins) anothers(ctx context.Context, of *resource, entry int, ref catalog.Ref) claimed {
	e := of.Entries[entry]
	if last, ok := o.claims[e]; ok && last.ref == ref { // for one source after the other
		return last.answer
	}
	answer := unclaimed
	for source, f := range o.covering(ctx, of, entry, ref.Identifier) {
		if source == "" || o.misses(of, source) {
			continue
		}
		answer = perhaps
		if f.Alone(ref.Identifier) {
			answer = surely
			break
		}
	}
	o.claims[e] = claim{ref, answer}
	return answer
}

// misses reports whether something of a source was not read.
func (o *origins) misses(of *resource, key string) bool {
	if o.missed[of] == nil {
		o.missed[of] = map[string]bool{}
		for _, g := range of.seen.Partial {
			o.missed[of][g.Source.Key] = true
		}
	}
	return o.missed[of][key] || of.seen.NotAsked[key]
}

// numbers reports whether an identifier is put together as those of the source of an entity
// that the run produced, and differs from it in the number only: it is of another thing.
func (o *origins) numbers(ctx context.Context, s *inventory.Entity, ref catalog.Ref) bool {
	for _, of := range o.pass.resources {
		source, listed := of.seen.Sources[s.Source]
		for i, e := range of.Entries {
			if !listed || e.QueryIdentifier || !s.MadeBy(entryOf(e)) {
				continue
			}
			if f := o.pass.frame(ctx, of, i, source); f != nil && f.Number && f.Covers(ref.Identifier) && o.trust(ctx, of, i) {
				return true
			}
		}
	}
	return false
}

// frame returns what the identifiers of one source have in common, found once for each
// entry; nil when that is not known.
func (p *pass) frame(ctx context.Context, of *resource, entry int, source inventory.Source) *check.Frame {
	e := of.Entries[entry]
	if known, ok := p.frames[e][source.Key]; ok {
		return known
	}
	text, err := source.JSON()
	p.lostSource = cmp.Or(p.lostSource, err) // without the text the frame is not known
	frame := of.Frame(ctx, entry, text)
	if p.frames[e] == nil {
		p.frames[e] = map[string]*check.Frame{}
	}
	p.frames[e][source.Key] = frame
	return frame
}

// index returns that of the frames of an entry: for all sources that were listed, and those
// of which something was not read.
func (o *origins) index(ctx context.Context, of *resource, entry int) *index {
	e := of.Entries[entry]
	if o.indexes[e] == nil {
		x := newIndex()
		for key, source := range of.seen.Sources {
			x.add(key, o.pass.frame(ctx, of, entry, source))
		}
		for _, g := range of.seen.Partial {
			if _, listed := of.seen.Sources[g.Source.Key]; !listed {
				x.add(g.Source.Key, o.pass.frame(ctx, of, entry, g.Source))
			}
		}
		o.indexes[e] = x
	}
	return o.indexes[e]
}

// covering yields the sources of an index whose frame covers an identifier.
func (o *origins) covering(ctx context.Context, of *resource, entry int, identifier string) iter.Seq2[string, *check.Frame] {
	return func(yield func(string, *check.Frame) bool) {
		for key := range o.index(ctx, of, entry).near(identifier) {
			if f := o.pass.frames[of.Entries[entry]][key]; f.Covers(identifier) && !yield(key, f) {
				return
			}
		}
	}
}

// trust reports whether the frames of an entry hold for all that it produced in this run.
func (o *origins) trust(ctx context.Context, of *resource, entry int) bool {
	if o.pass.astray == nil {
		o.pass.astray = o.pass.strayed(ctx)
	}
	return !o.pass.astray[of.Entries[entry]]
}

// strayed returns the entries that produced what does not lie in the frame of its source: all
// of them when what was produced cannot be read again.
func (p *pass) strayed(ctx context.Context) map[*check.Entry]bool {
	astray := map[*check.Entry]bool{}
	for k, err := range p.Inventory.Entities.All() {
		if err != nil {
			for _, of := range p.resources {
				for _, e := range of.Entries {
					astray[e] = true
				}
			}
			break
		}
		for _, result := range k.Results {
			of, e := p.entry(result.Entry)
			if e == nil || e.QueryIdentifier || astray[e] {
				continue
			}
			if source, listed := of.seen.Sources[k.Source]; listed {
				f := p.frame(ctx, of, e.Number, source)
				astray[e] = f != nil && !f.Covers(k.Ref.Identifier)
			}
		}
	}
	return astray
}
