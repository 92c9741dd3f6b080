package dryrun

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

func compare(a, b catalog.Ref) int {
	return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Identifier, b.Identifier))
}

// note adds how an entity would change to what was noted of it before.
func (c *Change) note(shape catalog.Shape, old, next *entity, absent bool) {
	switch {
	case c.Action == Create:
	case absent:
		c.Action = Create
	default:
		c.Action = Update
	}
	c.Why = ""
	c.set("title", old.title, next.title, catalog.Plain)
	c.Fields = slices.DeleteFunc(c.Fields, func(f Field) bool {
		return f.Name == "title" && catalog.Same(titled(c.Ref, f.From), titled(c.Ref, f.To), catalog.Plain)
	})
	c.set("icon", texted(old.icon), texted(next.icon), catalog.Plain)
	if !shape.Inherited {
		c.set("team", old.team, next.team, catalog.Set)
	}
	for name := range either(old.properties, next.properties) {
		form := catalog.Plain
		if shape.Instants[name] {
			form = catalog.Instant
		}
		c.set(`property "`+name+`"`, old.properties[name], next.properties[name], form)
	}
	for name := range either(old.relations, next.relations) {
		c.set(`relation "`+name+`"`, old.relations[name], next.relations[name], catalog.Set)
	}
}

// either returns a map that has the keys of both.
func either(was, is map[string]any) map[string]any {
	all := maps.Clone(was)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, is)
	return all
}

// titled returns nil for the title that Port shows for an entity without one.
func titled(ref catalog.Ref, title any) any {
	if title == ref.Identifier {
		return nil
	}
	return texted(title)
}

// texted returns nil for an empty text.
func texted(v any) any {
	if v == "" {
		return nil
	}
	return v
}

// set notes one value. One that changes back is no change.
func (c *Change) set(name string, from, to any, as catalog.Form) {
	i, found := slices.BinarySearchFunc(c.Fields, name, func(f Field, name string) int { return cmp.Compare(f.Name, name) })
	if found {
		from = c.Fields[i].From
	}
	switch same := catalog.Same(from, to, as); {
	case same && found:
		c.Fields = slices.Delete(c.Fields, i, i+1)
	case same:
	case found:
		c.Fields[i].To = to
	default:
		c.Fields = slices.Insert(c.Fields, i, Field{name, from, to})
	}
}
