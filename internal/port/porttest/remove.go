package porttest

import (
	"fmt"
	"net/http"
	"strings"
)

// namedDependants is how many dependants a refused delete names.
const namedDependants = 5

// deleteBulk is POST /v1/blueprints/{blueprint_identifier}/bulk/entities/delete.
func (s *Server) deleteBulk(c *call) answer {
	blueprint := c.vars["blueprint_identifier"]
	if s.store.blueprints[blueprint] == nil {
		return noBlueprint(blueprint)
	}
	cells, deleted := []*cell{}, []any{}
	seen := map[string]bool{}
	for _, id := range stringsOf(c.object()["entities"]) {
		if e := s.store.cells[ref{blueprint, id}]; e != nil && !seen[id] {
			cells, deleted = append(cells, e), append(deleted, id)
			seen[id] = true
		}
	}
	if refused := s.remove(cells, c.flag("delete_dependents")); refused != nil {
		return *refused
	}
	return ok(http.StatusOK, "deletedEntities", deleted)
}

// deleteOne is DELETE /v1/blueprints/{blueprint_identifier}/entities/{entity_identifier}.
// Of the two routes only this one documents the refusal for dependants: 403.
//
// Source: https://docs.port.io/api-reference/delete-an-entity, read 2026-11.
func (s *Server) deleteOne(c *call) answer {
	e, refused := s.named(c)
	if refused != nil {
		return *refused
	}
	if refused = s.remove([]*cell{e}, c.flag("delete_dependents")); refused != nil {
		refused.status = http.StatusForbidden
		return *refused
	}
	return answer{status: http.StatusOK, body: map[string]any{"ok": true}}
}

// remove deletes cells, and with dependants whatever relates to them, directly
// or not. Without it, a dependant that is not among the cells stops everything.
func (s *Server) remove(cells []*cell, dependants bool) *answer {
	doomed := map[*cell]bool{}
	for _, c := range cells {
		doomed[c] = true
	}
	queue := cells
	var others []string
	for i := 0; i < len(queue); i++ {
		for _, d := range s.store.dependants(queue[i].ref()) {
			if doomed[d] {
				continue
			}
			doomed[d] = true
			queue = append(queue, d)
			others = append(others, d.entity.Blueprint+"/"+d.entity.Identifier)
		}
		if !dependants && len(others) > 0 {
			more := ""
			if len(others) > namedDependants {
				more = fmt.Sprintf(" and %d more", len(others)-namedDependants)
				others = others[:namedDependants]
			}
			a := refuse(http.StatusUnprocessableEntity, "has_dependents",
				fmt.Sprintf("entity %q has dependents: %s%s", queue[i].entity.Identifier, strings.Join(others, ", "), more))
			return &a
		}
	}
	for _, c := range queue {
		s.store.remove(c)
	}
	return nil
}
