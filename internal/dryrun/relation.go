package dryrun

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// maxRelated bounds how many entities a search query of a relation may find.
//
// Source: Port's guide to search queries in mappings, read 2026-11.
const maxRelated = 100

// relations resolves and checks the relations of an entity. It returns what they would
// hold, and the entities that would have to be made for them.
func (s *Store) relations(ctx context.Context, b *blueprint, e *body, f port.Flags) (map[string]any, []catalog.Ref, *port.Error, error) {
	resolved := map[string]any{}
	var stubs []catalog.Ref
	for _, name := range slices.Sorted(maps.Keys(e.Relations)) {
		r, known := b.Relations[name]
		if !known {
			return nil, nil, refuse(http.StatusUnprocessableEntity, "invalid_request", "relation %q is not a relation of blueprint %q", name, e.ref.Blueprint), nil
		}
		v, refused, err := s.related(ctx, name, r, e.Relations[name])
		if err != nil || refused != nil {
			return nil, nil, refused, err
		}
		resolved[name] = v
		targets := targets(r.Target, v)
		missing, err := s.missing(ctx, e.ref, targets)
		switch {
		case err != nil:
			return nil, nil, nil, err
		case len(missing) > 0 && (!f.CreateMissingRelatedEntities || strings.HasPrefix(r.Target, "_")):
			return nil, nil, refuse(http.StatusNotFound, "not_found", "relation %q: entity %q of blueprint %q was not found", name, missing[0].Identifier, r.Target), nil
		}
		stubs = append(stubs, missing...)
	}
	return resolved, stubs, nil, nil
}

// related returns what a relation would hold: nothing, an identifier or a list of them.
func (s *Store) related(ctx context.Context, name string, r port.BlueprintRelation, v any) (any, *port.Error, error) {
	switch v := v.(type) {
	case string:
		if r.Many {
			return nil, refuse(http.StatusUnprocessableEntity, "invalid_request", "relation %q must be an array: it relates to many entities", name), nil
		}
	case []any:
		if !r.Many {
			return nil, refuse(http.StatusUnprocessableEntity, "invalid_request", "relation %q must be a string: it relates to one entity", name), nil
		}
	case map[string]any:
		found, err := s.find(ctx, r.Target, v, maxRelated+1)
		switch {
		case err != nil:
			return nil, nil, err
		case len(found) > maxRelated || !r.Many && len(found) > 1:
			return nil, refuse(http.StatusUnprocessableEntity, "invalid_request", "relation %q: the search query matches too many entities", name), nil
		case r.Many:
			list := make([]any, len(found))
			for i, id := range found {
				list[i] = id
			}
			return list, nil, nil
		case len(found) == 1:
			return found[0], nil, nil
		}
		return nil, nil, nil
	}
	return v, nil, nil
}

func targets(blueprint string, v any) []catalog.Ref {
	var all []catalog.Ref
	for _, t := range catalog.Targets(map[string]any{"": v}) {
		all = append(all, catalog.Ref{Blueprint: blueprint, Identifier: t.Identifier})
	}
	return all
}

// missing returns the targets that would not be there, other than the entity itself. It
// asks Port once for each.
func (s *Store) missing(ctx context.Context, self catalog.Ref, targets []catalog.Ref) (missing []catalog.Ref, err error) {
	var unknown []string
	s.mu.Lock()
	for _, t := range targets {
		if _, asked := s.there[t]; !asked && t != self && s.written[t] == nil && !s.stubs[t] {
			unknown = append(unknown, t.Identifier)
		}
	}
	s.mu.Unlock()
	found := map[string]bool{}
	if len(unknown) > 0 {
		blueprint := targets[0].Blueprint
		b, err := s.blueprint(ctx, blueprint)
		if err != nil {
			return nil, err
		}
		if b.exists {
			for f, err := range s.client.Entities.Find(ctx, blueprint, unknown) {
				if err != nil {
					return nil, err
				}
				id, _ := f.Identifier.(string)
				found[id] = true
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range unknown {
		s.there[catalog.Ref{Blueprint: targets[0].Blueprint, Identifier: id}] = found[id]
	}
	for _, t := range targets {
		if t != self && !s.there[t] && s.written[t] == nil && !s.stubs[t] {
			missing = append(missing, t)
		}
	}
	return missing, nil
}
