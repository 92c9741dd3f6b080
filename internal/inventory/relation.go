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

// Targets are what produced entities relate to. Memory has a key of each; the identifiers are
// in records. They belong to one goroutine.
type Targets struct {
	store  *store
	keys   map[Relation]*table[struct{}]
	buffer []byte // of a record
}

func newTargets(s *store) *Targets { return &Targets{store: s, keys: map[Relation]*table[struct{}]{}} }

// Add remembers that an entity relates to an identifier.
func (t *Targets) Add(r Relation, identifier string) {
	known, k := t.keys[r], keyOf(identifier)
	if known == nil {
		known = &table[struct{}]{}
		t.keys[r] = known
	}
	if known.find(k) != nil {
		return
	}
	known.put(k)
	t.buffer = append(t.buffer[:0], recordTarget)
	for _, text := range []string{r.Blueprint, r.Name, identifier} {
		t.buffer = appendText(t.buffer, text)
	}
	t.store.log.Append(t.buffer)
}

// Has reports whether a produced entity relates to an identifier. It reads nothing.
func (t *Targets) Has(r Relation, identifier string) bool {
	known := t.keys[r]
	return known != nil && known.find(keyOf(identifier)) != nil
}

// every reports whether a condition holds for all that a relation names.
func (t *Targets) every(r Relation, is func(k key) bool) bool {
	known := t.keys[r]
	return known == nil || known.all(func(k key, _ *struct{}) bool { return is(k) })
}

// Relations returns those that name something, sorted. It reads nothing.
func (t *Targets) Relations() []Relation {
	return slices.SortedFunc(maps.Keys(t.keys), func(a, b Relation) int {
		return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Name, b.Name))
	})
}

// All yields every target once. An error is the last that it yields.
func (t *Targets) All() iter.Seq2[Target, error] {
	return func(yield func(Target, error) bool) {
		if err := t.store.all(recordTarget, func(_ int64, d *decoder) (more bool, err error) {
			one := Target{Relation{d.text(), d.text()}, d.text()}
			if err := d.err(); err != nil {
				return false, err
			}
			return yield(one, nil), nil
		}); err != nil {
			yield(Target{}, err)
		}
	}
}

// Stored is what Port stored of one blueprint.
type Stored struct {
	Edges  *Edges // nil means none
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

// Edges are those of one blueprint: in records of many. They belong to one goroutine at a time.
type Edges struct {
	store *store
	at    []int64 // of the records
	open  []byte  // a record that is not full yet
}

// edgesBytes is the length of a record of edges, in bytes.
const edgesBytes = 16 << 10

// NewEdges returns a list of edges, which belongs to the inventory.
func (v *Inventory) NewEdges(edges ...Edge) *Edges {
	e := &Edges{store: v.store}
	for _, one := range edges {
		e.Add(one)
	}
	return e
}

// Add adds an edge.
func (e *Edges) Add(one Edge) {
	if len(e.open) == 0 {
		e.open = append(e.open, recordEdges)
	}
	for _, text := range []string{one.From, one.Relation, one.To} {
		e.open = appendText(e.open, text)
	}
	if len(e.open) >= edgesBytes {
		e.at, e.open = append(e.at, e.store.log.Append(e.open)), e.open[:0]
	}
}

// All yields the edges in the order in which they were added. An error is the last that it
// yields.
func (e *Edges) All() iter.Seq2[Edge, error] {
	return func(yield func(Edge, error) bool) {
		if e == nil {
			return
		}
		var buffer []byte
		for _, at := range e.at {
			d, err := e.store.read(at, recordEdges, &buffer)
			if err != nil {
				yield(Edge{}, err)
				return
			}
			if !d.edges(yield) {
				return
			}
		}
		if len(e.open) > 0 {
			e.store.decode(e.open).edges(yield)
		}
	}
}

// edges yields those of a record.
func (d *decoder) edges(yield func(Edge, error) bool) (more bool) {
	for len(d.rest) > 0 {
		one := Edge{d.text(), d.text(), d.text()}
		err := d.err()
		if err != nil {
			one = Edge{}
		}
		if !yield(one, err) || err != nil {
			return false
		}
	}
	return true
}
