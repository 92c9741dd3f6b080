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
	body := map[string]any{"identifier": f.Identifier}
	for name, v := range map[string]any{"title": f.Title, "icon": f.Icon, "team": f.Team} {
		if v != nil {
			body[name] = v
		}
	}
	if f.Properties != nil {
		body["properties"] = f.Properties
	}
	if f.Relations != nil {
		body["relations"] = f.Relations
	}
	text, err := JSON(body)
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

// JSON returns a value on one line with "<", ">" and "&" as they are: escaped they are six
// bytes each, which a text full of them pays towards Port's limit, and hard to read for a
// person. Control characters other than those of ASCII are as they are too.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.Clone(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
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
