package inventory

import (
	"iter"

	"port-bitbucket-exporter/internal/catalog"
)

// Entities are what a run did with each entity that it produced.
type Entities struct {
	all map[catalog.Ref]*Entity
}

func newEntities() *Entities { return &Entities{map[catalog.Ref]*Entity{}} }

// Entity is what the run did with one entity.
type Entity struct {
	// Results has one result for each entry of the mapping that produced the entity; the
	// last one comes last. It is empty for an entity that a search query found.
	Results []Result `json:",omitempty"`
	Source  string   `json:",omitempty"` // the key of the Source of the last result
	Title   uint64   `json:",omitempty"` // a hash of the title; 0 for none
	Flags
}

// Flags are what is known of an entity at once, without reading what the run did with it.
type Flags struct {
	Fresh   bool `json:",omitempty"` // Port is not known to have held it when the run began
	Written bool `json:",omitempty"` // Port has taken it from this run
	Counted bool `json:",omitempty"` // Port is known to hold it at the end
	Updated bool `json:",omitempty"` // Port held it when the run began, and has taken a change
	Listed  bool `json:"-"`          // MarkListed was called for it
}

// Result is the last of what one entry produced for an entity.
type Result struct {
	Entry   Entry
	Address string `json:",omitempty"` // of the web page, or the path, of the object
}

// Entry names an entry of the mapping.
type Entry struct {
	Resource int // Index of the resource
	Number   int // among the entries of the resource, from 0
}

// Kept is an entity, and what the run did with it.
type Kept struct {
	Ref catalog.Ref
	Entity
}

// MadeBy reports whether an entry gave one of the entity's results.
func (e *Entity) MadeBy(entry Entry) bool {
	for _, r := range e.Results {
		if r.Entry == entry {
			return true
		}
	}
	return false
}

// Keep keeps what the run did with an entity, in the place of what was kept before.
func (e *Entities) Keep(ref catalog.Ref, entity Entity) error {
	e.all[ref] = &entity
	return nil
}

// Produced reports whether the run produced an entity. It reads nothing.
func (e *Entities) Produced(ref catalog.Ref) bool { return e.all[ref] != nil }

// Flags returns those of an entity, and whether the run produced it. It reads nothing.
func (e *Entities) Flags(ref catalog.Ref) (Flags, bool) {
	if known := e.all[ref]; known != nil {
		return known.Flags, true
	}
	return Flags{}, false
}

// MarkListed notes that Port lists an entity that the run produced as ours, and reports
// whether that was noted before. It reads nothing.
func (e *Entities) MarkListed(ref catalog.Ref) (before bool) {
	known := e.all[ref]
	before = known.Listed
	known.Listed = true
	return before
}

// Of returns what the run did with an entity, and whether the run produced it.
func (e *Entities) Of(ref catalog.Ref) (Entity, bool, error) {
	if known := e.all[ref]; known != nil {
		return *known, true, nil
	}
	return Entity{}, false, nil
}

// All yields every entity that the run produced once, in no certain order. An error is the
// last that it yields. What is yielded must not be written to.
func (e *Entities) All() iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		for ref, entity := range e.all {
			if !yield(Kept{ref, *entity}, nil) {
				return
			}
		}
	}
}

// Count returns how many entities that the run produced fulfil a condition. It reads nothing.
func (e *Entities) Count(is func(blueprint string, f Flags) bool) (n int) {
	for ref, entity := range e.all {
		if is(ref.Blueprint, entity.Flags) {
			n++
		}
	}
	return n
}
