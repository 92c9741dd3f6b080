package check

import (
	"context"
	"encoding/json"
	"iter"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/transform"
)

// Bound is a mapping of which every selector is decoded and every expression compiled.
// It is not written to after Bind.
type Bound struct {
	Mapping *mapping.Mapping
	// Warnings are likely mistakes in the mapping, in file order.
	Warnings diag.Problems
	// Notes are possible improvements, in file order.
	Notes     diag.Problems
	Resources []*Resource
	// Idle are resources of the mapping that do not run; see Only.
	Idle []*Resource
}

// Resource is a resource of the mapping, ready to run.
type Resource struct {
	mapping.Resource
	Bound   kind.Bound
	Program *transform.Program
	Entries []*Entry
}

// Entry is one entry of a resource's mappings.
type Entry struct {
	transform.Entry
	Source   mapping.Entity
	Resource int // Index of its resource
	Number   int // among the entries of its resource, from 0
}

// Config returns the mapping as Port's integration record stores it.
func (b *Bound) Config() map[string]any { return b.Mapping.Config }

// Blueprints yields the blueprints that resources name literally, each with the
// expression that does.
func (b *Bound) Blueprints() iter.Seq2[string, mapping.Expr] {
	return func(yield func(string, mapping.Expr) bool) {
		for _, r := range b.Resources {
			for _, e := range r.Entries {
				if !e.Dynamic && !yield(e.Blueprint, e.Source.Blueprint) {
					return
				}
			}
		}
	}
}

// Entries returns the entries of all resources that can produce a blueprint.
func (b *Bound) Entries(blueprint string) []*Entry {
	var all []*Entry
	for _, r := range b.Resources {
		for _, e := range r.Entries {
			if e.Dynamic || e.Blueprint == blueprint {
				all = append(all, e)
			}
		}
	}
	return all
}

// Produces reports whether an entry can produce a blueprint. A blueprint that an entry
// computes is never one of Port's own, whose names begin with an underscore.
func (b *Bound) Produces(blueprint string) bool {
	return slices.ContainsFunc(b.Entries(blueprint), func(e *Entry) bool {
		return !e.Dynamic || blueprint != "" && blueprint[0] != '_'
	})
}

// SetBy reports how the entities of a blueprint come to a relation: searched is true
// when an entry finds its target by a search query, and left when an entry that can
// produce the blueprint does not map it and entities are merged, so that Port keeps the
// relation it holds. An entity that is replaced loses relations that are not mapped.
func (b *Bound) SetBy(blueprint, relation string) (searched, left bool) {
	for _, e := range b.Entries(blueprint) {
		i := slices.IndexFunc(e.Source.Relations, func(f mapping.Field) bool { return f.Name == relation })
		searched = searched || i >= 0 && e.Source.Relations[i].Value.Query != nil
		left = left || i < 0 && b.Mapping.EnableMergeEntity
	}
	return searched, left
}

// Digester returns what compares the entities of a blueprint of a shape: by the keys that
// the entries of the mapping name, or by all keys where entities are replaced.
func (b *Bound) Digester(blueprint string, shape catalog.Shape) *catalog.Digester {
	var keys catalog.Keys
	for _, e := range b.Entries(blueprint) {
		keys = keys.Union(e.Keys)
	}
	if b.Mapping.EnableMergeEntity {
		return catalog.NewDigester(keys, shape)
	}
	return catalog.NewReplacingDigester(keys, shape)
}

// Blueprints returns those that a resource names literally; any is true when one of its
// blueprints is computed.
func (r *Resource) Blueprints() (names []string, any bool) {
	for _, e := range r.Entries {
		if e.Dynamic {
			any = true
		} else {
			names = append(names, e.Blueprint)
		}
	}
	return names, any
}

// UniqueIdentifier returns a jq expression for identifiers that objects of the resource's
// kind do not share; empty where none is known.
func (r *Resource) UniqueIdentifier() string { return kind.Objects(r.Kind).Identifier }

// Frame is what the identifiers have in common that an entry gives for one source.
type Frame = transform.Frame

// Frame returns the frame of an entry, by its number, for a source as Bitbucket lists it;
// nil when it is not known.
func (r *Resource) Frame(ctx context.Context, entry int, source json.RawMessage) *Frame {
	object, err := r.Bound.Place(source)
	if err != nil {
		return nil
	}
	f, ok := r.Program.Frame(ctx, entry, object)
	if !ok {
		return nil
	}
	return &f
}

// Shares reports whether two resources can produce one blueprint.
func (r *Resource) Shares(other *Resource) bool {
	names, any := r.Blueprints()
	others, otherAny := other.Blueprints()
	return any || otherAny || slices.ContainsFunc(names, func(b string) bool { return slices.Contains(others, b) })
}

// CanProduce reports whether an entry of the resource can produce a blueprint.
func (r *Resource) CanProduce(blueprint string) bool {
	return slices.ContainsFunc(r.Entries, func(e *Entry) bool { return e.Dynamic || e.Blueprint == blueprint })
}

// Searches reports whether an identifier, a team or a relation of the entry is a
// search query.
func (e *Entry) Searches() bool {
	byQuery := func(f mapping.Field) bool { return f.Value.Query != nil }
	return e.QueryIdentifier || e.Source.Team != nil && e.Source.Team.Query != nil || slices.ContainsFunc(e.Source.Relations, byQuery)
}

// Has reports whether the expression at a position is one of the entry's.
func (e *Entry) Has(pos diag.Position) bool {
	is := func(x *mapping.Expr) bool { return x != nil && x.Pos == pos }
	of := func(v *mapping.Value) bool { return v != nil && (is(v.Expr) || v.Query != nil && v.Query.Has(pos)) }
	field := func(f mapping.Field) bool { return of(&f.Value) }
	return is(e.Source.Title) || is(e.Source.Icon) || of(e.Source.Team) ||
		slices.ContainsFunc(e.Source.Properties, field) || slices.ContainsFunc(e.Source.Relations, field)
}
