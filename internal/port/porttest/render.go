package porttest

import (
	"maps"
	"slices"
)

// author is who changed everything: clients have no names.
const author = "porttest"

// selection is which parts of an entity are answered.
type selection struct {
	include, exclude []string // no include is everything
	noCalculated     bool
}

// has reports whether a part is answered: "title", "properties.url", and so on.
// A part of properties or relations may be named without the first word.
func (w selection) has(group, name string) bool {
	names := []string{name, "$" + name}
	if group != "" {
		names = []string{group, group + "." + name, name}
	}
	named := func(list []string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return contains(list, n) })
	}
	return (len(w.include) == 0 || named(w.include)) && !named(w.exclude)
}

// render is an entity as Port answers it: not as it was sent.
func (s *Server) render(c *cell, w selection) map[string]any {
	e := &c.entity
	all := map[string]any{
		"identifier": e.Identifier,
		"title":      textOrNil(e.Title),
		"icon":       textOrNil(e.Icon),
		"team":       listOf(s.store.team(c)),
		"blueprint":  e.Blueprint,
		"createdAt":  wireTime(e.CreatedAt),
		"updatedAt":  wireTime(e.UpdatedAt),
		"createdBy":  author,
		"updatedBy":  author,
	}
	if s.options.DocumentedAnswers {
		maps.DeleteFunc(all, func(k string, v any) bool {
			return v == nil || k != "identifier" && k != "title" && k != "icon" && k != "team"
		})
	}
	maps.DeleteFunc(all, func(k string, _ any) bool { return !w.has("", k) })
	for group, values := range map[string]map[string]any{
		"properties": s.store.answeredProperties(c, w.noCalculated),
		"relations":  s.store.answeredRelations(c),
	} {
		maps.DeleteFunc(values, func(k string, _ any) bool { return !w.has(group, k) })
		if len(w.include) == 0 && !contains(w.exclude, group) || contains(w.include, group) || len(values) > 0 {
			all[group] = values
		}
	}
	return all
}

// maxInherited bounds how far a team is looked for, as relations may form a ring.
const maxInherited = 15

// team is an entity's own, or that of the entity to which its blueprint's path of
// relations leads.
func (t *store) team(c *cell) []string {
	for range maxInherited {
		b := t.blueprints[c.entity.Blueprint]
		if len(b.inherits) == 0 {
			break
		}
		for _, name := range b.inherits {
			id, single := c.entity.Relations[name].(string)
			target := t.cells[ref{t.blueprints[c.entity.Blueprint].relations[name].target, id}]
			if !single || target == nil {
				return nil
			}
			c = target
		}
	}
	return c.entity.Team
}

// answeredProperties has a key for each property of the blueprint.
func (t *store) answeredProperties(c *cell, noCalculated bool) map[string]any {
	b := t.blueprints[c.entity.Blueprint]
	values := map[string]any{}
	for name := range b.properties {
		values[name] = nil
	}
	for name, v := range c.entity.Properties {
		values[name] = v
		text, isText := v.(string)
		if at, valid := parseTime(text); isText && valid && b.properties[name].format == "date-time" {
			values[name] = wireTime(at)
		}
	}
	if noCalculated {
		return values
	}
	for name, path := range b.mirrors {
		values[name] = t.mirror(c, path)
	}
	for name, kind := range b.calculations {
		values[name] = nil
		if kind == "string" {
			values[name] = "calculated for " + c.entity.Identifier
		}
	}
	return values
}

// answeredRelations has a key for each relation of the blueprint; the targets of
// a to-many relation come in reverse.
func (t *store) answeredRelations(c *cell) map[string]any {
	values := map[string]any{}
	for name, r := range t.blueprints[c.entity.Blueprint].relations {
		v := c.entity.Relations[name]
		if list, ok := v.([]any); ok {
			list = slices.Clone(list)
			slices.Reverse(list)
			v = list
		} else if v == nil && r.many {
			v = []any{}
		}
		values[name] = v
	}
	return values
}
