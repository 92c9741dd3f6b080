package plan

import (
	"cmp"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
)

// Action is what would become of an entity.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	Refuse Action = "refuse" // Port would not take it
)

// Change is what a run would do to one entity.
type Change struct {
	Action Action
	Ref    catalog.Ref
	Fields []Field // that would change, sorted by name; of a creation, those that it sets
	// Why is why Port would refuse it, or what a deletion goes along with.
	Why string
}

// Field is one value that would change.
type Field struct {
	Name     string // `title`, `property "url"`, `relation "project"`
	From, To any    // nil is none
}

// Changes are all changes, sorted by blueprint and identifier. An entity that is
// written more than once has one, from what Port holds to what would be left.
func (s *Store) Changes() []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Change
	for _, c := range s.changes {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Change) int { return compare(a.Ref, b.Ref) })
	return all
}

func compare(a, b catalog.Ref) int {
	return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Identifier, b.Identifier))
}

func (s *Store) change(ref catalog.Ref) *Change {
	c := s.changes[ref]
	if c == nil {
		c = &Change{Ref: ref}
		s.changes[ref] = c
	}
	return c
}

// note remembers how an entity would change, beside what was noted of it before.
func (s *Store) note(e *body, old, next *entity, absent, merge bool) {
	c := s.change(e.ref)
	switch {
	case c.Action == Create:
	case absent:
		c.Action = Create
	default:
		c.Action = Update
	}
	c.Why = ""
	if !catalog.Same(titled(e.ref, old.title), titled(e.ref, next.title), false) {
		c.set("title", old.title, next.title, false)
	}
	c.set("team", old.team, next.team, true)
	for _, group := range []struct {
		word         string
		was, is, new map[string]any
		related      bool
	}{
		{"property", old.properties, next.properties, e.Properties, false},
		{"relation", old.relations, next.relations, e.Relations, true},
	} {
		names := group.new
		if !merge { // what is not sent is lost
			names = map[string]any{}
			maps.Copy(names, group.was)
			maps.Copy(names, group.new)
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			c.set(group.word+` "`+name+`"`, group.was[name], group.is[name], group.related)
		}
	}
}

// titled is nil for the title that Port gives to an entity without one.
func titled(ref catalog.Ref, title any) any {
	if title == "" || title == ref.Identifier {
		return nil
	}
	return title
}

// set notes one value. One that changes back is no change.
func (c *Change) set(name string, from, to any, related bool) {
	i, found := slices.BinarySearchFunc(c.Fields, name, func(f Field, name string) int { return cmp.Compare(f.Name, name) })
	if found {
		from = c.Fields[i].From
	}
	switch same := catalog.Same(from, to, related); {
	case same && found:
		c.Fields = slices.Delete(c.Fields, i, i+1)
	case same:
	case found:
		c.Fields[i].To = to
	default:
		c.Fields = slices.Insert(c.Fields, i, Field{name, from, to})
	}
}
