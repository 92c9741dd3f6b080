package openapicheck

import (
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// PortDocument is Port's document of a folder with our additions, as plain values.
func PortDocument(text []byte) (map[string]any, error) { return prepare(text, portAdditions) }

// Undocumented returns the keys of a good answer of Bitbucket that its document and our additions do not have,
// by their places: those of the values of a page, and of the elements of a list, share theirs.
func (c *Checker) Undocumented(e Exchange) ([]string, error) {
	r, err := c.bitbucket.match(e.Method, e.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	schema, err := c.bitbucket.answerSchema(r, e)
	if err != nil || schema == nil {
		return nil, err
	}
	v, err := decode(e.ResponseBody)
	if err != nil {
		return nil, err
	}
	var places []string
	undocumented([]*openapi3.Schema{schema}, v, "", &places)
	slices.Sort(places)
	return slices.Compact(places), nil
}

// undocumented appends the places of a value below one. The schemas are those that the value may have.
func undocumented(schemas []*openapi3.Schema, v any, at string, places *[]string) {
	switch v := v.(type) {
	case []any:
		var of []*openapi3.Schema
		for _, s := range parts(schemas) {
			if s.Items != nil {
				of = append(of, s.Items.Value)
			}
		}
		for _, e := range v {
			undocumented(of, e, at, places)
		}
	case map[string]any:
		for k, e := range v {
			var of []*openapi3.Schema
			for _, s := range parts(schemas) {
				switch {
				case s.Properties[k] != nil:
					of = append(of, s.Properties[k].Value)
				case s.AdditionalProperties.Schema != nil:
					of = append(of, s.AdditionalProperties.Schema.Value)
				}
			}
			below := at + k
			if at == "" && k == "values" {
				below = ""
			} else if below += "."; len(of) == 0 {
				*places = append(*places, at+k)
			}
			undocumented(of, e, below, places)
		}
	}
}

// parts are schemas with those that they are made of.
func parts(schemas []*openapi3.Schema) []*openapi3.Schema {
	var all []*openapi3.Schema
	for _, s := range schemas {
		all = append(all, s)
		for _, group := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
			for _, part := range group {
				all = append(all, parts([]*openapi3.Schema{part.Value})...)
			}
		}
	}
	return all
}
