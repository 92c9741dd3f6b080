package dryrun

import (
	"context"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
)

// find returns what a search query of a mapping would find, at most so many: of what
// would have been written by then, and of what Port has besides that.
func (s *Store) find(ctx context.Context, blueprint string, query any, most int) ([]string, error) {
	found := s.findWritten(blueprint, query, most)
	b, err := s.blueprint(ctx, blueprint)
	if err != nil {
		return nil, err
	}
	if !b.exists {
		return found, nil
	}
	for f, err := range s.client.Entities.Matching(ctx, blueprint, query) {
		if err != nil {
			return nil, err
		}
		id, _ := f.Identifier.(string)
		if len(found) == most {
			break
		}
		s.mu.Lock()
		written := s.written[catalog.Ref{Blueprint: blueprint, Identifier: id}] != nil
		s.mu.Unlock()
		if !written && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	return found, nil
}

func (s *Store) findWritten(blueprint string, query any, most int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for ref, e := range s.written {
		if ref.Blueprint == blueprint && matches(query, ref, e) {
			found = append(found, ref.Identifier)
		}
	}
	for ref := range s.stubs {
		if ref.Blueprint == blueprint && s.written[ref] == nil && matches(query, ref, &entity{}) {
			found = append(found, ref.Identifier)
		}
	}
	slices.Sort(found)
	return found[:min(len(found), most)]
}

// matches reports whether a query finds an entity. A rule that is unknown here finds
// nothing of what would be written.
//
// Source: https://docs.port.io/search-and-query/, read 2026-11.
func matches(query any, ref catalog.Ref, e *entity) bool {
	q, _ := query.(map[string]any)
	rules, nested := q["rules"].([]any)
	if !nested {
		return matchesRule(q, ref, e)
	}
	one := func(rule any) bool { return matches(rule, ref, e) }
	if q["combinator"] == "or" {
		return slices.ContainsFunc(rules, one)
	}
	return !slices.ContainsFunc(rules, func(rule any) bool { return !one(rule) })
}

func matchesRule(rule map[string]any, ref catalog.Ref, e *entity) bool {
	is := valueOf(rule, ref, e)
	operator, _ := rule["operator"].(string)
	want := rule["value"]
	switch operator {
	case "=":
		return catalog.Same(is, want, catalog.Plain)
	case "!=":
		return !catalog.Same(is, want, catalog.Plain)
	case "in":
		return in(is, want)
	case "notIn":
		return !in(is, want)
	case "contains":
		return contains(is, want)
	case "doesNotContains":
		return !contains(is, want)
	case "containsAny":
		list, many := is.([]any)
		return !many && in(is, want) || slices.ContainsFunc(list, func(v any) bool { return in(v, want) })
	case "isEmpty":
		return is == nil || is == ""
	case "isNotEmpty":
		return is != nil && is != ""
	}
	text, isText := is.(string)
	part, isPart := want.(string)
	both := isText && isPart
	switch operator {
	case "beginsWith":
		return both && strings.HasPrefix(text, part)
	case "doesNotBeginsWith":
		return !(both && strings.HasPrefix(text, part))
	case "endsWith":
		return both && strings.HasSuffix(text, part)
	case "doesNotEndsWith":
		return !(both && strings.HasSuffix(text, part))
	}
	return false
}

func valueOf(rule map[string]any, ref catalog.Ref, e *entity) any {
	if name, ok := rule["relation"].(string); ok {
		return e.relations[name]
	}
	switch name, _ := rule["property"].(string); name {
	case "$identifier":
		return ref.Identifier
	case "$blueprint":
		return ref.Blueprint
	case "$title":
		return e.title
	case "$icon":
		return e.icon
	case "$team":
		return e.team
	default:
		return e.properties[name]
	}
}

func in(v, list any) bool {
	all, _ := list.([]any)
	return slices.ContainsFunc(all, func(w any) bool { return catalog.Same(v, w, catalog.Plain) })
}

func contains(is, want any) bool {
	switch is := is.(type) {
	case []any:
		return in(want, is)
	case string:
		text, ok := want.(string)
		return ok && strings.Contains(is, text)
	}
	return false
}
