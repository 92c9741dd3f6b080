package resync

import (
	"context"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/transform"
)

// cameFrom remembers the source of an entity, and the title of one that may take the
// place of another.
func (l *loader) cameFrom(u unit, source kind.Source) {
	s := l.states[u.entity.Ref]
	if s == nil {
		return
	}
	s.from = source.Key
	if h := l.held[u.entity.Ref.Blueprint]; h != nil && h.some() && !h.has(u.entity.Ref.Identifier) {
		s.title = u.title
	}
}

// some reports whether Port held any entity of the blueprint.
func (h *held) some() bool {
	h.reading.wait()
	return len(h.digests) > 0
}

// origins finds out which sources can have produced an entity, by what the identifiers of
// all objects of one source have in common.
type origins struct {
	run   *run
	spans map[*entry]map[string]span // by key of the source
	// trusted says of an entry whether all that it produced in this run lies in the span
	// of its source.
	trusted map[*entry]bool
}

// may reports whether a source can have produced an entity by a resource. It is true when
// that is not known.
func (o *origins) may(ctx context.Context, of *loading, source kind.Source, ref catalog.Ref) bool {
	for i, e := range of.resource.entries {
		if !e.Dynamic && e.Blueprint != ref.Blueprint {
			continue
		}
		if e.QueryIdentifier || o.span(ctx, of, i, source).covers(ref.Identifier) || !o.trust(ctx, of, i) {
			return true
		}
	}
	return false
}

// span returns what the identifiers of one source have in common, computed once for each
// entry. It covers every identifier when they have nothing in common, or cannot be made up.
func (o *origins) span(ctx context.Context, of *loading, entry int, source kind.Source) span {
	e := of.resource.entries[entry]
	if known, ok := o.spans[e][source.Key]; ok {
		return known
	}
	var ids [transform.Variants]string
	made := true
	for variant := range ids {
		object, err := of.resource.bound.Place(transform.MadeUp(of.resource.Kind, variant), source)
		if made = err == nil; made {
			ids[variant], made = of.resource.program.Identify(ctx, entry, object)
		}
		if !made {
			break
		}
	}
	var s span
	if made {
		s = spanOf(ids)
	}
	if o.spans[e] == nil {
		o.spans[e] = map[string]span{}
	}
	o.spans[e][source.Key] = s
	return s
}

// trust reports whether the spans of an entry hold for all that it produced in this run:
// an expression may treat a made-up object in another way than a real one. Where the entry
// produced nothing, its expression must read nothing but the identifying keys.
func (o *origins) trust(ctx context.Context, of *loading, entry int) bool {
	e := of.resource.entries[entry]
	trusted, known := o.trusted[e]
	if known {
		return trusted
	}
	trusted, shown := true, false
	for ref, s := range o.run.loader.states {
		if !slices.ContainsFunc(s.results, func(r result) bool { return r.entry == e }) {
			continue
		}
		source, listed := of.sources[s.from]
		if !listed {
			continue
		}
		if shown = true; !o.span(ctx, of, entry, source).covers(ref.Identifier) {
			trusted = false
			break
		}
	}
	if !shown { // only what the expression reads can show it
		keys := of.resource.bound.IdentifyingKeys()
		trusted = keys == nil || of.resource.program.IdentifierReads(entry).Only(keys...)
	}
	o.trusted[e] = trusted
	return trusted
}
