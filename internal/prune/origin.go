package prune

import (
	"context"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/inventory"
)

// origins finds out which sources can have produced an entity, by the frames of their
// identifiers.
type origins struct {
	pass      *pass
	stale     []catalog.Ref // what Port lists and the run did not produce
	presences map[presence]bool
	claims    map[claim]claimed                        // answers of anothers: it looks at all sources
	missed    map[*resource]map[string]bool            // by key: the sources of which something was not read
	frames    map[*check.Entry]map[string]*check.Frame // by key of the source; nil for one that is not known
	// trusted is true for an entry when all that it produced in this run lies in the frame
	// of its source: the list may have named a source otherwise than its objects do.
	trusted map[*check.Entry]bool
}

func newOrigins(p *pass, stale []catalog.Ref) *origins {
	return &origins{
		pass: p, stale: stale, presences: map[presence]bool{}, claims: map[claim]claimed{}, missed: map[*resource]map[string]bool{},
		frames: map[*check.Entry]map[string]*check.Frame{}, trusted: map[*check.Entry]bool{},
	}
}

// claim is an entity that an entry may have produced.
type claim struct {
	entry *check.Entry
	ref   catalog.Ref
}

// claimed is whether an identifier is one of a source that was read.
type claimed int

const (
	unclaimed claimed = iota
	perhaps           // or of another name
	surely
)

// presence is one source of an entry.
type presence struct {
	entry  *check.Entry
	source string // its key
}

// may reports whether a source that was not read can have produced an entity by a
// resource. It cannot when the identifier is surely one of a source that was read, and
// none of its own. Any other may be one that it had under an earlier name, unless Port
// holds entities of its present name: then an earlier run has read it since.
func (o *origins) may(ctx context.Context, of *resource, source inventory.Source, ref catalog.Ref) bool {
	others, present := false, false
	for i, e := range of.Entries {
		if !e.Dynamic && e.Blueprint != ref.Blueprint {
			continue
		}
		if ctx.Err() != nil || e.QueryIdentifier || !o.trust(ctx, of, i) {
			return true
		}
		if f := o.frame(ctx, of, i, source); f == nil || f.Covers(ref.Identifier) {
			return true
		}
		others = others || o.anothers(ctx, of, i, ref) == surely
		present = present || o.present(ctx, of, i, source)
	}
	return !others && !present
}

// present reports whether Port holds an entity that only a source can have produced under
// its present name.
func (o *origins) present(ctx context.Context, of *resource, entry int, source inventory.Source) bool {
	e := of.Entries[entry]
	key := presence{e, source.Key}
	if known, ok := o.presences[key]; ok {
		return known
	}
	f := o.frame(ctx, of, entry, source)
	o.presences[key] = f != nil && !o.shared(of, e) && slices.ContainsFunc(o.stale, func(ref catalog.Ref) bool {
		return (e.Dynamic || e.Blueprint == ref.Blueprint) && f.Covers(ref.Identifier) && (f.Number || f.Alone(ref.Identifier)) &&
			o.anothers(ctx, of, entry, ref) == unclaimed
	})
	return o.presences[key]
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
	key := claim{of.Entries[entry], ref}
	if known, ok := o.claims[key]; ok {
		return known
	}
	answer := unclaimed
	for _, source := range of.seen.Sources {
		if source.Key == "" || o.misses(of, source) {
			continue
		}
		f := o.frame(ctx, of, entry, source)
		if f == nil || !f.Covers(ref.Identifier) {
			continue
		}
		answer = perhaps
		if f.Alone(ref.Identifier) {
			answer = surely
			break
		}
	}
	o.claims[key] = answer
	return answer
}

// misses reports whether something of a source was not read.
func (o *origins) misses(of *resource, source inventory.Source) bool {
	if o.missed[of] == nil {
		o.missed[of] = map[string]bool{}
		for _, g := range of.seen.Partial {
			o.missed[of][g.Source.Key] = true
		}
	}
	return o.missed[of][source.Key]
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
			if f := o.frame(ctx, of, i, source); f != nil && f.Number && f.Covers(ref.Identifier) && o.trust(ctx, of, i) {
				return true
			}
		}
	}
	return false
}

// frame returns what the identifiers of one source have in common, found once for each
// entry; nil when that is not known.
func (o *origins) frame(ctx context.Context, of *resource, entry int, source inventory.Source) *check.Frame {
	e := of.Entries[entry]
	if known, ok := o.frames[e][source.Key]; ok {
		return known
	}
	frame := of.Frame(ctx, entry, source.JSON)
	if o.frames[e] == nil {
		o.frames[e] = map[string]*check.Frame{}
	}
	o.frames[e][source.Key] = frame
	return frame
}

// trust reports whether the frames of an entry hold for all that it produced in this run.
func (o *origins) trust(ctx context.Context, of *resource, entry int) bool {
	e := of.Entries[entry]
	trusted, known := o.trusted[e]
	if known {
		return trusted
	}
	trusted = true
	for ref, s := range o.pass.Inventory.Entities {
		if !s.MadeBy(entryOf(e)) {
			continue
		}
		source, listed := of.seen.Sources[s.Source]
		if !listed {
			continue
		}
		if f := o.frame(ctx, of, entry, source); f != nil && !f.Covers(ref.Identifier) {
			trusted = false
			break
		}
	}
	o.trusted[e] = trusted
	return trusted
}
