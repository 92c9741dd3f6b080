package porttest

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
)

const (
	defaultSearchLimit     = 200
	defaultDatasourceLimit = 1000
)

func (c *call) selection() selection {
	return selection{
		include: c.query["include"], exclude: c.query["exclude"],
		noCalculated: c.flag("exclude_calculated_properties"),
	}
}

// listEntities is GET /v1/blueprints/{blueprint_identifier}/entities.
func (s *Server) listEntities(c *call) answer {
	id := c.vars["blueprint_identifier"]
	if s.store.blueprints[id] == nil {
		return noBlueprint(id)
	}
	list, w := []any{}, c.selection()
	s.store.blueprintCells(id).after(0, func(e *cell) bool {
		list = append(list, s.render(e, w))
		return true
	})
	return ok(http.StatusOK, "entities", list)
}

func (s *Server) readEntity(c *call) answer {
	e, refusal := s.named(c)
	if refusal != nil {
		return *refusal
	}
	return ok(http.StatusOK, "entity", s.render(e, c.selection()))
}

// named finds the entity of a path.
func (s *Server) named(c *call) (*cell, *answer) {
	blueprint, id := c.vars["blueprint_identifier"], c.vars["entity_identifier"]
	e := s.store.cells[ref{blueprint, id}]
	if e == nil {
		a := refuse(http.StatusNotFound, "not_found", fmt.Sprintf("entity %q of blueprint %q was not found", id, blueprint))
		return nil, &a
	}
	return e, nil
}

func (s *Server) countEntities(c *call) answer {
	id := c.vars["blueprint_identifier"]
	if s.store.blueprints[id] == nil {
		return noBlueprint(id)
	}
	n := 0
	s.store.blueprintCells(id).after(0, func(*cell) bool { n++; return true })
	return ok(http.StatusOK, "count", n)
}

// searchBlueprint is POST /v1/blueprints/{blueprint_identifier}/entities/search.
func (s *Server) searchBlueprint(c *call) answer {
	id := c.vars["blueprint_identifier"]
	if s.store.blueprints[id] == nil {
		return noBlueprint(id)
	}
	body := c.object()
	matches := func(*cell) bool { return true }
	if query, given := body["query"].(map[string]any); given {
		compiled, err := s.store.compileQuery(query)
		if err != nil {
			return violate(http.StatusUnprocessableEntity, "invalid_request", err.Error())
		}
		matches = compiled
	}
	w := selection{include: stringsOf(body["include"]), exclude: stringsOf(body["exclude"])}
	return s.page(c, s.store.blueprintCells(id), intOf(body["limit"], defaultSearchLimit), matches,
		func(e *cell) any { return s.render(e, w) })
}

// searchAll is POST /v1/entities/search: without pages.
func (s *Server) searchAll(c *call) answer {
	matches, err := s.store.compileQuery(c.object())
	if err != nil {
		return violate(http.StatusUnprocessableEntity, "invalid_request", err.Error())
	}
	list, w := []any{}, c.selection()
	found := map[string]bool{}
	s.store.all.after(0, func(e *cell) bool {
		if matches(e) {
			list = append(list, s.render(e, w))
			found[e.entity.Blueprint] = true
		}
		return true
	})
	return answer{status: http.StatusOK, body: map[string]any{
		"ok": true, "entities": list, "matchingBlueprints": sortedKeys(found),
	}}
}

// datasourceEntities is POST /v1/blueprints/entities/datasource-entities: the
// entities last written by one kind of User-Agent before an instant.
func (s *Server) datasourceEntities(c *call) answer {
	body := c.object()
	prefix, _ := body["datasource_prefix"].(string)
	suffix, _ := body["datasource_suffix"].(string)
	before, limited := instant(body["before"])
	matches := func(e *cell) bool {
		by := e.entity.Datasource
		return strings.HasPrefix(by, prefix) && strings.HasSuffix(by, suffix) &&
			(!limited || e.entity.UpdatedAt.Before(before))
	}
	show := func(e *cell) any {
		return map[string]any{
			"identifier": e.entity.Identifier, "blueprint": e.entity.Blueprint,
			"title": textOrNil(e.entity.Title), "updatedAt": wireTime(e.entity.UpdatedAt),
		}
	}
	return s.page(c, &s.store.all, intOf(body["limit"], defaultDatasourceLimit), matches, show)
}

// page answers the cells after the body's "from". "next" comes when there are more.
func (s *Server) page(c *call, q *sequence, limit int, matches predicate, show func(*cell) any) answer {
	after, ok := c.cursor()
	if !ok {
		return violate(http.StatusUnprocessableEntity, "invalid_request", "body/from was not given out for this search")
	}
	if most := s.options.MaxPage; most > 0 {
		limit = min(limit, most)
	}
	list := []any{}
	last, more := after, false
	q.after(after, func(e *cell) bool {
		if !matches(e) {
			return true
		}
		if len(list) == limit {
			more = true
			return false
		}
		list = append(list, show(e))
		last = e.seq
		return true
	})
	body := map[string]any{"ok": true, "entities": list}
	if more {
		body["next"] = c.giveCursor(last)
	}
	return answer{status: http.StatusOK, body: body}
}

func (c *call) giveCursor(last uint64) string {
	text := strconv.FormatUint(last, 10) + " " + c.fingerprint()
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// cursor reads "from". It is good only for the search that gave it out.
func (c *call) cursor() (after uint64, ok bool) {
	from, given := c.object()["from"].(string)
	if !given {
		return 0, true
	}
	text, err := base64.RawURLEncoding.DecodeString(from)
	if err != nil {
		return 0, false
	}
	number, mark, _ := strings.Cut(string(text), " ")
	after, err = strconv.ParseUint(number, 10, 64)
	return after, err == nil && mark == c.fingerprint()
}

// fingerprint names a search apart from its page.
func (c *call) fingerprint() string {
	body := map[string]any{}
	for k, v := range c.object() {
		if k != "from" && k != "limit" {
			body[k] = v
		}
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.URL.EscapedPath()))
	_, _ = h.Write(encode(body))
	return strconv.FormatUint(h.Sum64(), 36)
}
