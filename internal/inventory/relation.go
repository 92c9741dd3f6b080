package inventory

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
)

// Relation names a relation of a blueprint.
type Relation struct{ Blueprint, Name string }

// Target is what a produced entity relates to.
type Target struct {
	Relation
	Identifier string
}

// Targets are what produced entities relate to.
type Targets struct {
	all map[Relation]Set
}

func newTargets() *Targets { return &Targets{map[Relation]Set{}} }

// Add remembers that an entity relates to an identifier.
func (t *Targets) Add(r Relation, identifier string) {
	if t.all[r] == nil {
		t.all[r] = Set{}
	}
	t.all[r][identifier] = true
}

// Has reports whether a produced entity relates to an identifier. It reads nothing.
func (t *Targets) Has(r Relation, identifier string) bool { return t.all[r][identifier] }

// Relations returns those that name something, sorted. It reads nothing.
func (t *Targets) Relations() []Relation {
	return slices.SortedFunc(maps.Keys(t.all), func(a, b Relation) int {
		return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Name, b.Name))
	})
}

// All yields every target once, in no certain order. An error is the last that it yields.
func (t *Targets) All() iter.Seq2[Target, error] {
	return func(yield func(Target, error) bool) {
		for r, identifiers := range t.all {
			for identifier := range identifiers {
				if !yield(Target{r, identifier}, nil) {
					return
				}
			}
		}
	}
}

// Stored is what Port stored of one blueprint.
type Stored struct {
	Edges  *Edges // nil is none
	Unread bool   // it was not read to its end
	Absent bool   // Port knows no such blueprint
}

// Edge is a relation of a stored entity to another one.
type Edge struct{ From, Relation, To string }

// EdgesOf returns those of a stored entity.
func EdgesOf(f catalog.Fields) []Edge {
	identifier, _ := f.Identifier.(string)
	var all []Edge
	for _, target := range catalog.Targets(f.Relations) {
		all = append(all, Edge{identifier, target.Relation, target.Identifier})
	}
	return all
}

// Edges are those of one blueprint. They belong to one goroutine at a time.
type Edges struct {
	all []Edge
}

// NewEdges returns a list of edges, which belongs to the inventory.
func (v *Inventory) NewEdges(edges ...Edge) *Edges {
	e := &Edges{}
	for _, one := range edges {
		e.Add(one)
	}
	return e
}

// Add adds an edge.
func (e *Edges) Add(one Edge) { e.all = append(e.all, one) }

// All yields the edges in the order in which they were added. An error is the last that it
// yields.
func (e *Edges) All() iter.Seq2[Edge, error] {
	return func(yield func(Edge, error) bool) {
		if e == nil {
			return
		}
		for _, one := range e.all {
			if !yield(one, nil) {
				return
			}
		}
	}
}
