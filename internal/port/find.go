package port

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"

	"port-bitbucket-exporter/internal/catalog"
)

// Find yields those of the named entities of a blueprint that are there, whoever
// wrote them, in no certain order. The error is ErrNotFound when there is no such blueprint.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (c *Client) Find(ctx context.Context, blueprint string, identifiers []string) iter.Seq2[catalog.Fields, error] {
	return c.search(ctx, blueprint, and(map[string]any{"property": "$identifier", "operator": "in", "value": identifiers}))
}

// Life is an entity as Port holds it, when it was made, and when it was last written.
type Life struct {
	catalog.Fields
	Created, Updated time.Time // zero where Port does not say
}

// life is one as Port answers it.
type life struct {
	held
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// Lives yields those of the named entities of a blueprint that are there, whoever wrote
// them, in no certain order, and perhaps one twice.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (c *Client) Lives(ctx context.Context, blueprint string, identifiers []string) iter.Seq2[Life, error] {
	return func(yield func(Life, error) bool) {
		query := and(map[string]any{"property": "$identifier", "operator": "in", "value": identifiers})
		body := map[string]any{"limit": searchPage, "query": query}
		for e, err := range pages[life](ctx, c, path("blueprints", blueprint, "entities", "search"), body) {
			if err != nil {
				err = fmt.Errorf("search entities of blueprint %q: %w", blueprint, err)
			}
			if !yield(Life{e.fields(), e.CreatedAt, e.UpdatedAt}, err) {
				return
			}
		}
	}
}

// Relating yields the entities of a blueprint that relate by a relation to one of the
// named ones, whoever wrote them, in no certain order.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (c *Client) Relating(ctx context.Context, blueprint, relation string, to []string) iter.Seq2[catalog.Fields, error] {
	return c.search(ctx, blueprint, and(map[string]any{"relation": relation, "targetProperty": "$identifier", "operator": "containsAny", "value": to}))
}

// Matching yields the entities of a blueprint that a search query of a mapping finds.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (c *Client) Matching(ctx context.Context, blueprint string, query any) iter.Seq2[catalog.Fields, error] {
	return c.search(ctx, blueprint, query)
}

func and(rules ...any) map[string]any {
	return map[string]any{"combinator": "and", "rules": rules}
}

// search yields the entities of a blueprint that a query finds, in no certain order,
// and perhaps one twice.
func (c *Client) search(ctx context.Context, blueprint string, query any) iter.Seq2[catalog.Fields, error] {
	return func(yield func(catalog.Fields, error) bool) {
		body := map[string]any{"limit": searchPage, "query": query}
		for e, err := range pages[held](ctx, c, path("blueprints", blueprint, "entities", "search"), body) {
			if err != nil {
				err = fmt.Errorf("search entities of blueprint %q: %w", blueprint, err)
			}
			fields := e.fields()
			if !yield(fields, err) {
				return
			}
		}
	}
}

func (e held) fields() catalog.Fields {
	return catalog.Fields{Identifier: e.Identifier, Title: e.Title, Icon: e.Icon, Team: e.Team, Properties: e.Properties, Relations: e.Relations}
}

type blueprintsAnswer struct {
	Blueprints []struct {
		Identifier string `json:"identifier"`
		Blueprint
	} `json:"blueprints"`
}

func (a blueprintsAnswer) check() error {
	if a.Blueprints == nil {
		return errors.New(`no "blueprints"`)
	}
	return nil
}

// Blueprints reads all blueprints, by identifier.
//
// API: https://docs.port.io/api-reference/get-all-blueprints
func (c *Client) Blueprints(ctx context.Context) (map[string]Blueprint, error) {
	var answer blueprintsAnswer
	if err := c.do(ctx, call{method: http.MethodGet, path: path("blueprints")}, &answer); err != nil {
		return nil, fmt.Errorf("read all blueprints: %w", err)
	}
	all := make(map[string]Blueprint, len(answer.Blueprints))
	for _, b := range answer.Blueprints {
		all[b.Identifier] = b.Blueprint
	}
	return all, nil
}
