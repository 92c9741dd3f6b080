package port

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/transport"
)

// Entities are those of the organization; some methods are about those of the integration's
// data source alone.
type Entities struct {
	session        *session
	prefix, suffix string       // of $datasource of what our data source has written
	resync         string       // which writes belong to
	takesResync    atomic.Int32 // whether Port takes its parameters
	// failing are the blueprints of which Port was seen to fail at whatever was written,
	// until it takes something.
	failing sync.Map
}

const (
	// searchPage is the most that a search in a blueprint gives at once.
	searchPage = 1000
	// ownedPage is what the incumbent asks for.
	ownedPage = 5000
)

// Stored yields what Port holds of our data source in a blueprint, in no certain
// order, and perhaps one twice. Of its properties it yields the wanted ones alone, none for nil: there may
// be very many entities. The error is ErrNotFound when there is no such blueprint.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (e *Entities) Stored(ctx context.Context, blueprint string, wanted []string) iter.Seq2[catalog.Fields, error] {
	return e.search(ctx, blueprint, e.ours(), want(wanted))
}

// Owned yields the entities of our data source, of every blueprint, that have not
// been updated since the given time, in no certain order, and perhaps one twice.
//
// The route is not in Port's published documentation. Source: Ocean's client
// (port_ocean/clients/port/mixins/entities.py), read 2026-11.
func (e *Entities) Owned(ctx context.Context, before time.Time) iter.Seq2[catalog.Ref, error] {
	return func(yield func(catalog.Ref, error) bool) {
		body := map[string]any{
			"datasource_prefix": e.prefix,
			"datasource_suffix": e.suffix,
			"before":            before.UTC().Format("2006-01-02T15:04:05.000Z"),
			"limit":             ownedPage,
		}
		for found, err := range pages(ctx, e.session, transport.Path("blueprints", "entities", "datasource-entities"), body, readRef) {
			if err != nil {
				err = fmt.Errorf("list entities of this data source: %w", err)
			}
			if !yield(found, err) {
				return
			}
		}
	}
}

// StoredBefore yields what Port holds of our data source in a blueprint, and what has
// not been updated since the given time: what Owned does for one blueprint, over a
// documented route. Where Port does not say when an entity was updated, as its documented schema
// lets it, was says whether it was there at that time. The error is ErrNotFound when there is no
// such blueprint.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (e *Entities) StoredBefore(ctx context.Context, blueprint string, before time.Time, was func(catalog.Ref) bool) iter.Seq2[catalog.Ref, error] {
	return func(yield func(catalog.Ref, error) bool) {
		body := map[string]any{"limit": searchPage, "query": e.ours()}
		for found, err := range pages(ctx, e.session, transport.Path("blueprints", blueprint, "entities", "search"), body, readDated(wanted{})) {
			if err != nil {
				yield(catalog.Ref{}, fmt.Errorf("search entities of blueprint %q: %w", blueprint, err))
				return
			}
			identifier, _ := found.Identifier.(string)
			ref := catalog.Ref{Blueprint: blueprint, Identifier: identifier}
			old := found.Updated.Before(before)
			if found.Updated.IsZero() {
				old = was(ref)
			}
			if old && !yield(ref, nil) {
				return
			}
		}
	}
}

// ours is a query for what our data source has written.
func (e *Entities) ours() map[string]any {
	return and(
		map[string]any{"property": "$datasource", "operator": "contains", "value": e.prefix},
		map[string]any{"property": "$datasource", "operator": "contains", "value": e.suffix},
	)
}

// Find yields those of the named entities of a blueprint that are there, whoever
// wrote them, in no certain order. The error is ErrNotFound when there is no such blueprint.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (e *Entities) Find(ctx context.Context, blueprint string, identifiers []string) iter.Seq2[catalog.Fields, error] {
	return e.search(ctx, blueprint, and(map[string]any{"property": "$identifier", "operator": "in", "value": identifiers}), nil)
}

// FindDated yields those of the named entities of a blueprint that are there, whoever wrote
// them, in no certain order, and perhaps one twice.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (e *Entities) FindDated(ctx context.Context, blueprint string, identifiers []string) iter.Seq2[Dated, error] {
	return func(yield func(Dated, error) bool) {
		query := and(map[string]any{"property": "$identifier", "operator": "in", "value": identifiers})
		body := map[string]any{"limit": searchPage, "query": query}
		for found, err := range pages(ctx, e.session, transport.Path("blueprints", blueprint, "entities", "search"), body, readDated(nil)) {
			if err != nil {
				err = fmt.Errorf("search entities of blueprint %q: %w", blueprint, err)
			}
			if !yield(found, err) {
				return
			}
		}
	}
}

// Relating yields the entities of a blueprint that relate by a relation to one of the
// named ones, whoever wrote them, in no certain order. Where Port does not take a rule about a
// relation, all of the blueprint are read.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (e *Entities) Relating(ctx context.Context, blueprint, relation string, to []string) iter.Seq2[catalog.Fields, error] {
	return func(yield func(catalog.Fields, error) bool) {
		rule := map[string]any{"relation": relation, "targetProperty": "$identifier", "operator": "containsAny", "value": to}
		refused := false
		for _, query := range []any{and(rule), nil} {
			for f, err := range e.search(ctx, blueprint, query, nil) {
				if status := statusOf(err); query != nil && (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity) {
					refused = true
					break
				}
				// An answer to the rule that names no relations leaves that to the rule.
				if err == nil && !relates(f, relation, to) && (query == nil || f.Relations != nil) {
					continue
				}
				if !yield(f, err) {
					return
				}
			}
			if !refused {
				return
			}
		}
	}
}

// relates reports whether an entity has such a relation.
func relates(f catalog.Fields, relation string, to []string) bool {
	return slices.ContainsFunc(catalog.Targets(f.Relations), func(t catalog.Target) bool {
		return t.Relation == relation && slices.Contains(to, t.Identifier)
	})
}

// Matching yields the entities of a blueprint that a search query of a mapping finds.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (e *Entities) Matching(ctx context.Context, blueprint string, query any) iter.Seq2[catalog.Fields, error] {
	return e.search(ctx, blueprint, query, nil)
}

func and(rules ...any) map[string]any {
	return map[string]any{"combinator": "and", "rules": rules}
}

// search yields the entities of a blueprint that a query finds, all for nil, with the wanted properties,
// in no certain order, and perhaps one twice.
func (e *Entities) search(ctx context.Context, blueprint string, query any, wanted wanted) iter.Seq2[catalog.Fields, error] {
	return func(yield func(catalog.Fields, error) bool) {
		body := map[string]any{"limit": searchPage}
		if query != nil {
			body["query"] = query
		}
		for found, err := range pages(ctx, e.session, transport.Path("blueprints", blueprint, "entities", "search"), body, readFields(wanted)) {
			if err != nil {
				err = fmt.Errorf("search entities of blueprint %q: %w", blueprint, err)
			}
			if !yield(found, err) {
				return
			}
		}
	}
}
