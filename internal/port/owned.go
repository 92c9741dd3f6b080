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

const (
	// searchPage is the most that a search in a blueprint gives at once.
	searchPage = 1000
	// ownedPage is what the incumbent asks for.
	ownedPage = 5000
)

// held is an entity as Port answers it.
type held struct {
	Identifier string         `json:"identifier"`
	Blueprint  string         `json:"blueprint"`
	Title      any            `json:"title"`
	Team       any            `json:"team"`
	Properties map[string]any `json:"properties"`
	Relations  map[string]any `json:"relations"`
}

type heldPage struct {
	Entities []held `json:"entities"`
	Next     string `json:"next"`
}

// Held yields what Port holds of our data source in a blueprint, in no certain
// order. The error is ErrNotFound when there is no such blueprint.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (c *Client) Held(ctx context.Context, blueprint string) iter.Seq2[catalog.Fields, error] {
	query := map[string]any{
		"combinator": "and",
		"rules": []any{
			map[string]any{"property": "$datasource", "operator": "contains", "value": c.datasourcePrefix()},
			map[string]any{"property": "$datasource", "operator": "contains", "value": c.datasourceSuffix()},
		},
	}
	return func(yield func(catalog.Fields, error) bool) {
		body := map[string]any{"query": query, "limit": searchPage}
		for e, err := range c.pages(ctx, path("blueprints", blueprint, "entities", "search"), body) {
			if err != nil {
				err = fmt.Errorf("search entities of blueprint %q: %w", blueprint, err)
			}
			fields := catalog.Fields{Identifier: e.Identifier, Title: e.Title, Team: e.Team, Properties: e.Properties, Relations: e.Relations}
			if !yield(fields, err) {
				return
			}
		}
	}
}

// Owned yields the entities of our data source, of every blueprint, that nobody
// has updated since the given time, in no certain order.
//
// The route is not in Port's published documentation. Source: Ocean's client
// (port_ocean/clients/port/mixins/entities.py), read 2026-11.
func (c *Client) Owned(ctx context.Context, before time.Time) iter.Seq2[catalog.Ref, error] {
	return func(yield func(catalog.Ref, error) bool) {
		body := map[string]any{
			"datasource_prefix": c.datasourcePrefix(),
			"datasource_suffix": c.datasourceSuffix(),
			"before":            before.UTC().Format("2006-01-02T15:04:05.000Z"),
			"limit":             ownedPage,
		}
		for e, err := range c.pages(ctx, path("blueprints", "entities", "datasource-entities"), body) {
			if err != nil {
				err = fmt.Errorf("list entities of this data source: %w", err)
			}
			if !yield(catalog.Ref{Blueprint: e.Blueprint, Identifier: e.Identifier}, err) {
				return
			}
		}
	}
}

var errPagingLoop = errors.New("the next page is one that was read before")

// pages posts the body until an answer names no next page.
func (c *Client) pages(ctx context.Context, path string, body map[string]any) iter.Seq2[held, error] {
	return func(yield func(held, error) bool) {
		seen := map[string]bool{}
		for {
			var page heldPage
			if err := c.do(ctx, call{method: http.MethodPost, path: path, body: body}, &page); err != nil {
				yield(held{}, err)
				return
			}
			for _, e := range page.Entities {
				if !yield(e, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			if seen[page.Next] {
				yield(held{}, errPagingLoop)
				return
			}
			seen[page.Next] = true
			body["from"] = page.Next
		}
	}
}
