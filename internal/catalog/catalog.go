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
}
