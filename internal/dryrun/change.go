package dryrun

import (
	"cmp"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
)

func compare(a, b catalog.Ref) int {
	return cmp.Or(cmp.Compare(a.Blueprint, b.Blueprint), cmp.Compare(a.Identifier, b.Identifier))
}

// note adds how an entity would change to what was noted of it before.
func note(c *catalog.Change, shape catalog.Shape, old, next *entity, absent bool) {
	switch {
	case c.Action == catalog.Create:
	case absent:
		c.Action = catalog.Create
	default:
		c.Action = catalog.Update
	}
	c.Why = ""
	c.Set("title", old.title, next.title, catalog.Plain)
	c.Fields = slices.DeleteFunc(c.Fields, func(f catalog.ChangedField) bool {
		return f.Name == "title" && catalog.Same(titled(c.Ref, f.From), titled(c.Ref, f.To), catalog.Plain)
	})
	c.Set("icon", texted(old.icon), texted(next.icon), catalog.Plain)
	if !shape.Inherited {
		c.Set("team", old.team, next.team, catalog.Set)
	}
	for name := range either(old.properties, next.properties) {
		form := catalog.Plain
		if shape.Instants[name] {
			form = catalog.Instant
		}
		c.Set(`property "`+name+`"`, old.properties[name], next.properties[name], form)
	}
	for name := range either(old.relations, next.relations) {
		c.Set(`relation "`+name+`"`, old.relations[name], next.relations[name], catalog.Set)
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
