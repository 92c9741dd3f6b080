package catalog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// MaxBytes is the largest JSON of an entity that Port can take: a request's body
// may have 1 MiB, and 1 KiB of it is left for what stands around the entity.
//
// Source: https://docs.port.io/api-reference/port-api, read 2026-11.
const MaxBytes = 1<<20 - 1<<10

// Entity is one entity as it is sent: immutable, and encoded once.
type Entity struct {
	Ref    Ref    // the identifier is empty when it is a search query
	Query  string // the search query's JSON, or empty
	Body   json.RawMessage
	Digest Digest
	// Targets are the entities that its relations name; those that a search
	// query names are not among them.
	Targets []Target
	// Largest names the property that takes the most bytes, in an entity of more than MaxBytes.
	Largest string
}

// Target is one entity that a relation names. The relation's blueprint has
// the blueprint of the target.
type Target struct {
	Relation   string
	Identifier string
}

// Encode makes the entity of a blueprint from its fields. Where title, icon or team
// is null, what empties it is sent, since Port's schema has no null for them.
func Encode(blueprint string, f Fields, d *Digester) (Entity, error) {
	f = f.cleared()
	text, err := body(f)
	if err != nil {
		return Entity{}, fmt.Errorf("encode entity: %w", err)
	}
	biggest := ""
	if len(text) > MaxBytes {
		biggest = largest(f.Properties)
	}
	identifier, named := f.Identifier.(string)
	query := ""
	if !named {
		text, err := JSON(f.Identifier)
		if err != nil {
			return Entity{}, fmt.Errorf("encode entity: %w", err)
		}
		query = string(text)
	}
	return Entity{
		Query:   query,
		Ref:     Ref{Blueprint: blueprint, Identifier: identifier},
		Body:    text,
		Digest:  d.Digest(f),
		Targets: Targets(f.Relations),
		Largest: biggest,
	}, nil
}

// body is the JSON of an entity.
func body(f Fields) ([]byte, error) {
	b := append(make([]byte, 0, usualBytes), '{')
	for _, member := range [...]struct {
		name  string
		value any
		given bool
	}{
		{"icon", f.Icon, f.Icon != nil},
		{"identifier", f.Identifier, true},
		{"properties", f.Properties, f.Properties != nil},
		{"relations", f.Relations, f.Relations != nil},
		{"team", f.Team, f.Team != nil},
		{"title", f.Title, f.Title != nil},
	} {
		if !member.given {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(append(b, member.name...), `":`...)
		var err error
		if b, err = appendJSON(b, member.value); err != nil {
			return nil, err
		}
	}
	return bytes.Clone(append(b, '}')), nil
}

// Targets returns the entities that relations name, sorted.
func Targets(relations map[string]any) []Target {
	var all []Target
	for name, v := range relations {
		switch v := v.(type) {
		case string:
			all = append(all, Target{name, v})
		case []any:
			for _, e := range v {
				if s, ok := e.(string); ok {
					all = append(all, Target{name, s})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Target) int {
		return cmp.Or(cmp.Compare(a.Relation, b.Relation), cmp.Compare(a.Identifier, b.Identifier))
	})
	return all
}

func largest(properties map[string]any) string {
	name, most := "", -1
	for k, v := range properties {
		text, _ := JSON(v)
		if len(text) > most || len(text) == most && k < name {
			name, most = k, len(text)
		}
	}
	return name
}
