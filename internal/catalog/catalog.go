// Package catalog holds the plain values of Port's software catalog that the
// other packages share: which entity, what it says, and whether two say the same.
package catalog

// Ref names one entity of the catalog.
type Ref struct {
	Blueprint  string
	Identifier string
}

func (r Ref) String() string { return r.Blueprint + "/" + r.Identifier }

// Fields are an entity's values as plain JSON (maps, slices, strings, numbers,
// booleans, nil): what a mapping produced, or what Port answered.
//
// A nil map or value is a field that is not there. A property or relation that
// is there with the value nil is JSON null.
type Fields struct {
	// Identifier is a string, or a search query (a JSON object) that Port
	// resolves to exactly one entity.
	Identifier any
	Title      any
	Icon       any
	Team       any
	Properties map[string]any
	Relations  map[string]any
	// Null names the keys besides properties and relations that a mapping gives null.
	Null Null `json:",omitzero"`
}

// Null marks the keys of an entity to which a mapping gives null, so that what Port
// holds of them must go.
type Null struct{ Title, Icon, Team bool }

// cleared replaces each null by a value that empties the key in Port. The schema of the
// route does not allow null there, but an empty text and an empty list of teams. A title
// becomes the identifier, which Port shows for an entity without a title.
//
// Source: static/apispec.yaml of https://github.com/port-labs/port-docs, 2026-01-28,
// the body of POST /v1/blueprints/{blueprint_identifier}/entities/bulk.
func (f Fields) cleared() Fields {
	if f.Null.Title {
		f.Title = ""
		if identifier, named := f.Identifier.(string); named {
			f.Title = identifier
		}
	}
	if f.Null.Icon {
		f.Icon = ""
	}
	if f.Null.Team {
		f.Team = []any{}
	}
	return f
}
