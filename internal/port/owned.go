package port

import (
	"context"
	"encoding/json"
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
	Title      any            `json:"title"`
	Icon       any            `json:"icon"`
	Team       any            `json:"team"`
	Properties map[string]any `json:"properties"`
	Relations  map[string]any `json:"relations"`
}

// named is as much of an entity as tells which one it is.
type named struct {
	Identifier string `json:"identifier"`
	Blueprint  string `json:"blueprint"`
}

// dated is as much of an entity as tells whether it is old.
type dated struct {
	Identifier string    `json:"identifier"`
	UpdatedAt  time.Time `json:"updatedAt"`
}

// Held yields what Port holds of our data source in a blueprint, in no certain
// order, and perhaps one twice. The error is ErrNotFound when there is no such blueprint.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (c *Client) Held(ctx context.Context, blueprint string) iter.Seq2[catalog.Fields, error] {
	return c.search(ctx, blueprint, c.ours())
}

// Owned yields the entities of our data source, of every blueprint, that nobody
// has updated since the given time, in no certain order, and perhaps one twice.
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
		for e, err := range pages[named](ctx, c, path("blueprints", "entities", "datasource-entities"), body) {
			if err != nil {
				err = fmt.Errorf("list entities of this data source: %w", err)
			}
			if !yield(catalog.Ref{Blueprint: e.Blueprint, Identifier: e.Identifier}, err) {
				return
			}
		}
	}
}

// HeldBefore yields what Port holds of our data source in a blueprint, and nobody
// has updated since the given time: what Owned does for one blueprint, over a
// documented route. The error is ErrNotFound when there is no such blueprint.
//
// API: https://docs.port.io/api-reference/search-a-blueprints-entities
func (c *Client) HeldBefore(ctx context.Context, blueprint string, before time.Time) iter.Seq2[catalog.Ref, error] {
	return func(yield func(catalog.Ref, error) bool) {
		body := map[string]any{"limit": searchPage, "query": c.ours()}
		for e, err := range pages[dated](ctx, c, path("blueprints", blueprint, "entities", "search"), body) {
			if err != nil {
				yield(catalog.Ref{}, fmt.Errorf("search entities of blueprint %q: %w", blueprint, err))
				return
			}
			if e.UpdatedAt.IsZero() || !e.UpdatedAt.Before(before) {
				continue // when in doubt, it is not old
			}
			if !yield(catalog.Ref{Blueprint: blueprint, Identifier: e.Identifier}, nil) {
				return
			}
		}
	}
}

// ours is a query for what our data source has written.
func (c *Client) ours() map[string]any {
	return and(
		map[string]any{"property": "$datasource", "operator": "contains", "value": c.datasourcePrefix()},
		map[string]any{"property": "$datasource", "operator": "contains", "value": c.datasourceSuffix()},
	)
}

var (
	errPagingLoop = errors.New("the next page is one that was read before")
	errStop       = errors.New("nobody wants more")
)

// pages posts the body until an answer names no next page. Entities are decoded
// one by one as they arrive, since a page of them may be very large; a page that
// is cut off is asked for again, and yields again what it has yielded.
func pages[T any](ctx context.Context, c *Client, path string, body map[string]any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		seen := map[string]bool{}
		for {
			next := ""
			read := func(d *json.Decoder) (err error) {
				next, err = readPage(d, func(e T) error {
					if !yield(e, nil) {
						return errStop
					}
					return nil
				})
				return err
			}
			trace := ""
			answered := func(h http.Header) { trace = h.Get(traceHeader) }
			err := c.do(ctx, call{method: http.MethodPost, path: path, body: body, answered: answered}, reader(read))
			if errors.Is(err, errStop) {
				return
			}
			if err == nil && seen[next] {
				err = traced(errPagingLoop, trace)
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if next == "" {
				return
			}
			seen[next] = true
			body["from"] = next
		}
	}
}

// readPage reads {"entities": […], "next": "…"}, and whatever else is in it.
func readPage[T any](d *json.Decoder, each func(T) error) (next string, err error) {
	found := false
	err = object(d, func(key string) error {
		switch key {
		case "entities":
			found = true
			return array(d, each)
		case "next":
			var text *string
			err := d.Decode(&text)
			if text != nil {
				next = *text
			}
			return err
		}
		var other json.RawMessage
		return d.Decode(&other)
	})
	if err == nil && !found {
		err = errors.New("no \"entities\"")
	}
	return next, err
}

// object calls each with every key; it reads the value.
func object(d *json.Decoder, each func(key string) error) error {
	if err := delim(d, '{'); err != nil {
		return err
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if err := each(key); err != nil {
			return err
		}
	}
	return delim(d, '}')
}

func array[T any](d *json.Decoder, each func(T) error) error {
	if err := delim(d, '['); err != nil {
		return err
	}
	for d.More() {
		var e T
		if err := plain(d.Decode(&e)); err != nil {
			return err
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return delim(d, ']')
}

func delim(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if token == nil {
		token = "null"
	}
	if err == nil && token != want {
		err = fmt.Errorf("%q is due, not %v", want, token)
	}
	return err
}
