package port

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/transport"
)

// Blueprint is the part of a blueprint that defines what its entities may hold, and
// how they are related.
type Blueprint struct {
	Title     string                       `json:"title"`
	Schema    Schema                       `json:"schema"`
	Relations map[string]BlueprintRelation `json:"relations"`
	// The names of these are properties that Port works out itself.
	Mirrored   map[string]any `json:"mirrorProperties"`
	Calculated map[string]any `json:"calculationProperties"`
	Aggregated map[string]any `json:"aggregationProperties"`
	// Ownership is {"type": "Inherited", "path": "…"} where the team is that of another
	// entity; TeamInheritance is {"path": "…"} in an older blueprint.
	Ownership       any `json:"ownership"`
	TeamInheritance any `json:"teamInheritance"`
}

// Shape is how Port keeps the values of entities of the blueprint.
//
// Source: static/apispec.yaml of https://github.com/port-labs/port-docs, 2026-01-28:
// the formats of properties, and "ownership". That Port fills in a default where an entity
// leaves the property out is assumed, as the JSON Schema validator of JavaScript does it:
// https://ajv.js.org/guide/modifying-data.html#assigning-defaults, read 2026-11.
func (b Blueprint) Shape() catalog.Shape {
	s := catalog.Shape{
		Properties: slices.Sorted(maps.Keys(b.Schema.Properties)), Relations: slices.Sorted(maps.Keys(b.Relations)),
		Instants: map[string]bool{}, Defaults: map[string]any{},
	}
	for name, v := range b.Schema.Properties {
		rules, _ := v.(map[string]any)
		switch rules["format"] {
		case "date-time", "timer":
			s.Instants[name] = true
		}
		if v := rules["default"]; v != nil {
			s.Defaults[name] = v
		}
	}
	ownership, _ := b.Ownership.(map[string]any)
	inheritance, _ := b.TeamInheritance.(map[string]any)
	s.Inherited = ownership["type"] == "Inherited" || inheritance["path"] != nil
	return s
}

// Schema names the properties that can be written.
type Schema struct {
	// Properties are JSON Schemas.
	Properties map[string]any `json:"properties"`
	// Required is a list of names, or {"or": […]} or the like, which is not read.
	Required any `json:"required"`
}

// BlueprintRelation is a relation's target blueprint, and whether an entity may
// relate to many of its entities.
type BlueprintRelation struct {
	Target   string `json:"target"`
	Many     bool   `json:"many"`
	Required bool   `json:"required"`
}

type blueprintAnswer struct {
	Blueprint *Blueprint `json:"blueprint"`
}

func (a blueprintAnswer) Check() error {
	if a.Blueprint == nil {
		return errors.New(`no "blueprint"`)
	}
	return nil
}

// Blueprints are those of the organization.
type Blueprints struct{ session *session }

// Read reads a blueprint. The error is ErrNotFound when there is none.
//
// API: https://docs.port.io/api-reference/get-a-blueprint
func (b *Blueprints) Read(ctx context.Context, identifier string) (Blueprint, error) {
	var answer blueprintAnswer
	if err := b.session.do(ctx, call{method: http.MethodGet, path: transport.Path("blueprints", identifier)}, &answer); err != nil {
		return Blueprint{}, fmt.Errorf("read blueprint %q: %w", identifier, err)
	}
	return *answer.Blueprint, nil
}

type blueprintsAnswer struct {
	Blueprints []struct {
		Identifier string `json:"identifier"`
		Blueprint
	} `json:"blueprints"`
}

func (a blueprintsAnswer) Check() error {
	if a.Blueprints == nil {
		return errors.New(`no "blueprints"`)
	}
	return nil
}

// All reads all blueprints, by identifier.
//
// API: https://docs.port.io/api-reference/get-all-blueprints
func (b *Blueprints) All(ctx context.Context) (map[string]Blueprint, error) {
	var answer blueprintsAnswer
	if err := b.session.do(ctx, call{method: http.MethodGet, path: transport.Path("blueprints")}, &answer); err != nil {
		return nil, fmt.Errorf("read all blueprints: %w", err)
	}
	all := make(map[string]Blueprint, len(answer.Blueprints))
	for _, one := range answer.Blueprints {
		all[one.Identifier] = one.Blueprint
	}
	return all, nil
}

// DecodeBlueprint reads a blueprint's JSON as an answer's.
func DecodeBlueprint(text []byte) (Blueprint, error) {
	var b Blueprint
	err := decode(bytes.NewReader(text), &b)
	return b, err
}

// Create makes a blueprint of its JSON.
//
// API: https://docs.port.io/api-reference/create-a-blueprint
func (b *Blueprints) Create(ctx context.Context, blueprint map[string]any) error {
	err := b.session.do(ctx, call{method: http.MethodPost, path: transport.Path("blueprints"), body: blueprint, once: true}, nil)
	if err != nil {
		return fmt.Errorf("create blueprint %q: %w", blueprint["identifier"], err)
	}
	return nil
}

// Update sets the given keys of a blueprint, and leaves the others.
//
// API: https://docs.port.io/api-reference/update-a-blueprint
func (b *Blueprints) Update(ctx context.Context, identifier string, keys map[string]any) error {
	err := b.session.do(ctx, call{method: http.MethodPatch, path: transport.Path("blueprints", identifier), body: keys, once: true}, nil)
	if err != nil {
		return fmt.Errorf("update blueprint %q: %w", identifier, err)
	}
	return nil
}

// Delete deletes a blueprint that has no entities.
//
// API: https://docs.port.io/api-reference/delete-a-blueprint
func (b *Blueprints) Delete(ctx context.Context, identifier string) error {
	err := b.session.do(ctx, call{method: http.MethodDelete, path: transport.Path("blueprints", identifier)}, nil)
	if err != nil {
		return fmt.Errorf("delete blueprint %q: %w", identifier, err)
	}
	return nil
}
