package dryrun

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// entity is the state of one entity, as it is or would be.
type entity struct {
	title      any
	icon       any
	team       any
	properties map[string]any
	relations  map[string]any
}

// body is an entity as it is sent, its identifier resolved.
type body struct {
	ref        catalog.Ref
	refused    *port.Error
	Title      any            `json:"title"`
	Icon       any            `json:"icon"`
	Team       any            `json:"team"`
	Properties map[string]any `json:"properties"`
	Relations  map[string]any `json:"relations"`
	Identifier any            `json:"identifier"`
}

// readBody decodes an entity as it is sent. Its ref has no identifier when the entity
// has a search query for one.
func readBody(blueprint string, e catalog.Entity) (body, error) {
	var b body
	d := json.NewDecoder(strings.NewReader(string(e.Body)))
	d.UseNumber()
	if err := d.Decode(&b); err != nil {
		return b, fmt.Errorf("plan: read an entity: %w", err)
	}
	id, _ := b.Identifier.(string)
	b.ref = catalog.Ref{Blueprint: blueprint, Identifier: id}
	return b, nil
}

// with returns the state after an entity has been written over it.
func (old *entity) with(e *body, merge bool) *entity {
	next := &entity{title: e.Title, icon: e.Icon, team: e.Team, properties: map[string]any{}, relations: map[string]any{}}
	if merge {
		next.title = cmp.Or(next.title, old.title)
		next.icon = cmp.Or(next.icon, old.icon)
		if next.team == nil {
			next.team = old.team
		}
		maps.Copy(next.properties, old.properties)
		maps.Copy(next.relations, old.relations)
	}
	maps.Copy(next.properties, e.Properties)
	maps.Copy(next.relations, e.Relations)
	return next
}

// fillDefaults gives next the blueprint's defaults of properties that a body leaves out.
func fillDefaults(next *entity, e *body, defaults map[string]any) {
	for name, v := range defaults {
		if _, given := e.Properties[name]; !given {
			next.properties[name] = v
		}
	}
}

func refuse(status int, code, format string, args ...any) *port.Error {
	return &port.Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}
