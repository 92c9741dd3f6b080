package resync

import (
	"context"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/transform"
)

// cameFrom remembers the source of an entity, and by what it may be the twin of another.
func (l *loader) cameFrom(u unit, source kind.Source) {
	s := l.states[u.entity.Ref]
	if s == nil {
		return
	}
	s.from = source.Key
	if u.title != 0 {
		s.title = u.title
	}
	h := l.held[u.entity.Ref.Blueprint]
	s.fresh = h != nil && !h.has(u.entity.Ref.Identifier)
}

// origins finds out which sources can have produced an entity, by the frames of their
// identifiers.
type origins struct {
	run       *run
	stale     []catalog.Ref // what Port lists and the run did not produce
	presences map[presence]bool
	claims    map[claim]claimed                            // answers of anothers: it looks at all sources
	missed    map[*loading]map[string]bool                 // by key: the sources of which something was not read
	frames    map[*check.Entry]map[string]*transform.Frame // by key of the source; nil for one that is not known
	// trusted says of an entry whether all that it produced in this run lies in the frame
	// of its source: the list may have named a source otherwise than its objects do.
	trusted map[*check.Entry]bool
}

func newOrigins(r *run, stale []catalog.Ref) *origins {
	return &origins{
		run: r, stale: stale, presences: map[presence]bool{}, claims: map[claim]claimed{}, missed: map[*loading]map[string]bool{},
		frames: map[*check.Entry]map[string]*transform.Frame{}, trusted: map[*check.Entry]bool{},
	}
}

// claim is an entity that an entry may have produced.
type claim struct {
	entry *check.Entry
	ref   catalog.Ref
}

// claimed says whether an identifier is one of a source that was read.
type claimed int

const (
	nobodys claimed = iota
	perhaps         // or of another name
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
func (o *origins) may(ctx context.Context, of *loading, source kind.Source, ref catalog.Ref) bool {
	others, present := false, false
	for i, e := range of.resource.Entries {
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
func (o *origins) present(ctx context.Context, of *loading, entry int, source kind.Source) bool {
	e := of.resource.Entries[entry]
	key := presence{e, source.Key}
	if known, ok := o.presences[key]; ok {
		return known
	}
	f := o.frame(ctx, of, entry, source)
	o.presences[key] = f != nil && !o.shared(of, e) && slices.ContainsFunc(o.stale, func(ref catalog.Ref) bool {
		return (e.Dynamic || e.Blueprint == ref.Blueprint) && f.Covers(ref.Identifier) && (f.Number || f.Alone(ref.Identifier)) &&
			o.anothers(ctx, of, entry, ref) == nobodys
	})
	return o.presences[key]
}

// shared reports whether another resource may produce entities of an entry's blueprint.
func (o *origins) shared(of *loading, e *check.Entry) bool {
	return slices.ContainsFunc(o.run.loads, func(other *loading) bool {
		return other != of && slices.ContainsFunc(other.resource.Entries, func(b *check.Entry) bool {
			return e.Dynamic || b.Dynamic || b.Blueprint == e.Blueprint
		})
	})
}

// anothers reports whether an identifier is one of a source that was read.
func (o *origins) anothers(ctx context.Context, of *loading, entry int, ref catalog.Ref) claimed {
	key := claim{of.resource.Entries[entry], ref}
	if known, ok := o.claims[key]; ok {
		return known
	}
	answer := nobodys
	for _, source := range of.sources {
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
func (o *origins) misses(of *loading, source kind.Source) bool {
	if o.missed[of] == nil {
		o.missed[of] = map[string]bool{}
		for _, g := range of.partial {
			o.missed[of][g.source.Key] = true
		}
	}
	return o.missed[of][source.Key]
}

// numbers reports whether an identifier is put together as those of the source of an entity
// that the run produced, and differs from it in the number only: it is of another thing.
func (o *origins) numbers(ctx context.Context, s *state, ref catalog.Ref) bool {
	for _, of := range o.run.loads {
		source, listed := of.sources[s.from]
		for i, e := range of.resource.Entries {
			if !listed || e.QueryIdentifier || !slices.ContainsFunc(s.results, func(r result) bool { return r.entry == e }) {
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
func (o *origins) frame(ctx context.Context, of *loading, entry int, source kind.Source) *transform.Frame {
	e := of.resource.Entries[entry]
	if known, ok := o.frames[e][source.Key]; ok {
		return known
	}
	var frame *transform.Frame
	if object, err := of.resource.Bound.Place(source); err == nil {
		if f, ok := of.resource.Program.Frame(ctx, entry, object); ok {
			frame = &f
		}
	}
	if o.frames[e] == nil {
		o.frames[e] = map[string]*transform.Frame{}
	}
	o.frames[e][source.Key] = frame
	return frame
}

// trust reports whether the frames of an entry hold for all that it produced in this run.
func (o *origins) trust(ctx context.Context, of *loading, entry int) bool {
	e := of.resource.Entries[entry]
	trusted, known := o.trusted[e]
	if known {
		return trusted
	}
	trusted = true
	for ref, s := range o.run.loader.states {
		if !slices.ContainsFunc(s.results, func(r result) bool { return r.entry == e }) {
			continue
		}
		source, listed := of.sources[s.from]
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
