package porttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// maxRelated is how many entities a search query in a relation may find.
// Source: Port's guide to search queries in mappings, read 2026-11.
const maxRelated = 100

// refusal is why one entity is not written.
type refusal struct {
	status        int
	code, message string
}

func invalid(format string, args ...any) *refusal {
	return &refusal{http.StatusUnprocessableEntity, "invalid_request", fmt.Sprintf(format, args...)}
}

func missing(format string, args ...any) *refusal {
	return &refusal{http.StatusNotFound, "not_found", fmt.Sprintf(format, args...)}
}

// change is what writing one entity does.
type change struct {
	entity  Entity
	created bool
	stubs   []ref
}

// upsertOne is POST /v1/blueprints/{blueprint_identifier}/entities. It answers
// 201 for an update too: the published document has no other.
func (s *Server) upsertOne(c *call) answer {
	id := c.vars["blueprint_identifier"]
	b := s.store.blueprints[id]
	if b == nil {
		return noBlueprint(id)
	}
	ch, refused := s.plan(c, b, id, c.object())
	if refused != nil {
		return refuse(refused.status, refused.code, refused.message)
	}
	shown := &cell{entity: ch.entity}
	if !c.flag("validation_only") {
		s.apply(c, ch)
		shown = s.store.cells[ref{id, ch.entity.Identifier}]
	}
	return ok(http.StatusCreated, "entity", s.render(shown, selection{}))
}

// upsertBulk is POST /v1/blueprints/{blueprint_identifier}/entities/bulk.
func (s *Server) upsertBulk(c *call) answer {
	id := c.vars["blueprint_identifier"]
	b := s.store.blueprints[id]
	if b == nil {
		return noBlueprint(id)
	}
	done, failed := []any{}, []any{}
	seen := map[string]bool{}
	list, _ := c.object()["entities"].([]any)
	for i, v := range list {
		raw, _ := v.(map[string]any)
		ch, refused := s.plan(c, b, id, raw)
		if refused == nil && seen[ch.entity.Identifier] {
			// What Port does with it is not documented, so no client may do it.
			refused = &refusal{http.StatusConflict, "duplicate_identifier", fmt.Sprintf("identifier %q comes twice in one request", ch.entity.Identifier)}
			s.note(c.Request, refused.status, refused.message)
		}
		if refused != nil {
			failed = append(failed, map[string]any{
				"identifier": nameOf(ch, raw), "index": i,
				"statusCode": refused.status, "error": refused.code, "message": refused.message,
			})
			continue
		}
		seen[ch.entity.Identifier] = true
		if !c.flag("validation_only") {
			s.apply(c, ch)
		}
		done = append(done, map[string]any{"identifier": ch.entity.Identifier, "index": i, "created": ch.created})
	}
	status := http.StatusOK
	if len(failed) > 0 {
		status = http.StatusMultiStatus
	}
	return answer{status: status, body: map[string]any{"ok": len(failed) == 0, "entities": done, "errors": failed}}
}

func nameOf(ch change, raw map[string]any) string {
	if ch.entity.Identifier != "" {
		return ch.entity.Identifier
	}
	if id, ok := raw["identifier"].(string); ok {
		return id
	}
	return "unknown"
}

// plan works out what writing an entity would do. With a refusal, the change has
// no more than the identifier, when that is known.
func (s *Server) plan(c *call, b *blueprint, blueprint string, raw map[string]any) (change, *refusal) {
	id, refused := s.resolveIdentifier(blueprint, raw["identifier"])
	named := change{entity: Entity{Identifier: id, Blueprint: blueprint}}
	if refused != nil {
		return named, refused
	}
	old := s.store.cells[ref{blueprint, id}]
	if old != nil && !c.flag("upsert") {
		return named, &refusal{http.StatusConflict, "entity_already_exists", fmt.Sprintf("entity %q already exists", id)}
	}
	ch := named
	ch.created = old == nil
	ch.entity.Properties, ch.entity.Relations = map[string]any{}, map[string]any{}
	if old != nil && c.flag("merge") {
		ch.entity = old.entity.clone()
	} else if old != nil {
		ch.entity.CreatedAt = old.entity.CreatedAt
	}
	for _, set := range []func() *refusal{
		func() *refusal { return s.setFields(&ch.entity, raw) },
		func() *refusal { return s.setProperties(&ch.entity, b, raw["properties"]) },
		func() *refusal {
			if old == nil || !c.flag("merge") {
				fill(&ch.entity, b, raw["properties"])
			}
			return nil
		},
		func() *refusal {
			return s.setRelations(&ch, b, raw["relations"], c.flag("create_missing_related_entities"))
		},
		func() *refusal { return checkRequired(&ch.entity, b) },
	} {
		if refused := set(); refused != nil {
			return named, refused
		}
	}
	return ch, nil
}

// apply writes a change, and the related entities that it creates before it.
func (s *Server) apply(c *call, ch change) {
	at, datasource := now(), c.UserAgent()
	for _, r := range ch.stubs {
		if s.store.cells[r] == nil {
			s.store.put(Entity{
				Identifier: r.identifier, Blueprint: r.blueprint, Datasource: datasource,
				Properties: map[string]any{}, Relations: map[string]any{}, CreatedAt: at, UpdatedAt: at,
			})
		}
	}
	if ch.created {
		ch.entity.CreatedAt = at
	}
	ch.entity.UpdatedAt, ch.entity.Datasource = at, datasource
	s.store.put(ch.entity)
}

// resolveIdentifier takes an identifier or a search query for exactly one entity.
func (s *Server) resolveIdentifier(blueprint string, v any) (string, *refusal) {
	switch v := v.(type) {
	case string:
		return v, nil
	case map[string]any:
		found, refused := s.find(blueprint, v)
		if refused != nil {
			return "", refused
		}
		if len(found) == 0 {
			return "", missing("the search query of the identifier matches no entity of blueprint %q", blueprint)
		}
		if len(found) > 1 {
			return "", invalid("the search query of the identifier matches %d entities of blueprint %q", len(found), blueprint)
		}
		return found[0], nil
	}
	return "", invalid("an entity must have an identifier")
}

// find lists the identifiers that a search query matches, oldest first.
func (s *Server) find(blueprint string, query map[string]any) ([]string, *refusal) {
	matches, err := s.store.compileQuery(query)
	if err != nil {
		return nil, invalid("%v", err)
	}
	var found []string
	s.store.blueprintCells(blueprint).after(0, func(c *cell) bool {
		if matches(c) {
			found = append(found, c.entity.Identifier)
		}
		return true
	})
	return found, nil
}

// setFields sets title, icon and team, as far as given.
func (s *Server) setFields(e *Entity, raw map[string]any) *refusal {
	if title, given := raw["title"].(string); given {
		e.Title = title
	}
	if icon, given := raw["icon"].(string); given {
		e.Icon = icon
	}
	switch team := raw["team"].(type) {
	case string, []any:
		e.Team = stringsOf(team)
	case map[string]any:
		found, refused := s.find("_team", team)
		if refused != nil {
			return refused
		}
		e.Team = found
	}
	return nil
}

func (s *Server) setProperties(e *Entity, b *blueprint, given any) *refusal {
	values, _ := given.(map[string]any)
	for _, name := range sortedKeys(values) {
		p, known := b.properties[name]
		if !known && !s.options.LooseProperties {
			return invalid("property %q is not a property of blueprint %q", name, e.Blueprint)
		}
		if values[name] == nil {
			delete(e.Properties, name)
			continue
		}
		if why := p.schema.check(fmt.Sprintf("property %q", name), values[name]); why != "" {
			return invalid("%s", why)
		}
		if e.Properties[name] = stored(values[name]); e.Properties[name] == nil {
			return invalid("property %q must be number", name) // that of JavaScript which is none of JSON
		}
	}
	return nil
}

// fill gives the defaults of the schema to what a new entity, or one that replaces
// another, leaves out. A null is not an omission.
// Source: https://ajv.js.org/guide/modifying-data.html#assigning-defaults, read
// 2026-11; that Port does it is assumed.
func fill(e *Entity, b *blueprint, given any) {
	values, _ := given.(map[string]any)
	for name, v := range b.defaults {
		if _, named := values[name]; !named {
			e.Properties[name] = v
		}
	}
}

// stored is a value as a service in JavaScript keeps it: numbers are doubles, and one
// beyond their range is null.
// Source: https://tc39.es/ecma262/#sec-json.parse, read 2026-11.
func stored(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return nil
		}
		text, err := json.Marshal(f + 0) // as JavaScript writes it: 0 for -0
		must(err)
		return json.Number(text)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = stored(e)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = stored(e)
		}
		return m
	}
	return v
}

func (s *Server) setRelations(ch *change, b *blueprint, given any, create bool) *refusal {
	values, _ := given.(map[string]any)
	for _, name := range sortedKeys(values) {
		r, known := b.relations[name]
		if !known {
			return invalid("relation %q is not a relation of blueprint %q", name, ch.entity.Blueprint)
		}
		v, refused := s.relatedTo(name, r, values[name])
		if refused != nil {
			return refused
		}
		if v == nil {
			delete(ch.entity.Relations, name)
			continue
		}
		ch.entity.Relations[name] = v
		for _, id := range stringsOf(v) {
			target := ref{r.target, id}
			switch {
			case s.store.cells[target] != nil || target == ref{ch.entity.Blueprint, ch.entity.Identifier}:
			case !create:
				return missing("relation %q: entity %q of blueprint %q was not found", name, id, r.target)
			case strings.HasPrefix(r.target, "_"):
				return missing("relation %q: entity %q cannot be created in the protected blueprint %q", name, id, r.target)
			default:
				ch.stubs = append(ch.stubs, target)
			}
		}
	}
	return nil
}

// relatedTo turns a relation's value into what is stored: nil, a string or a list.
func (s *Server) relatedTo(name string, r relation, v any) (any, *refusal) {
	switch v := v.(type) {
	case string:
		if r.many {
			return nil, invalid("relation %q must be an array: it relates to many entities", name)
		}
	case []any:
		if !r.many {
			return nil, invalid("relation %q must be a string: it relates to one entity", name)
		}
	case map[string]any:
		found, refused := s.find(r.target, v)
		switch {
		case refused != nil:
			return nil, refused
		case len(found) > maxRelated || !r.many && len(found) > 1:
			return nil, invalid("relation %q: the search query matches %d entities", name, len(found))
		case r.many:
			return listOf(found), nil
		case len(found) == 1:
			return found[0], nil
		}
		return nil, nil
	}
	return v, nil
}

func checkRequired(e *Entity, b *blueprint) *refusal {
	for _, name := range b.required {
		if e.Properties[name] == nil {
			return invalid("property %q is required", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.relations)) {
		if b.relations[name].required && e.Relations[name] == nil {
			return invalid("relation %q is required", name)
		}
	}
	return nil
}

// intOf is a whole JSON number of the body, or what it is when absent.
func intOf(v any, absent int) int {
	n, given := v.(json.Number)
	if !given {
		return absent
	}
	f, _ := n.Float64()
	return int(f)
}
