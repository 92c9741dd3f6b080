// Package schema describes the language of mappings as a JSON Schema, by which editors
// complete and check a mapping. It is made of the tables that the parser reads.
package schema

import (
	"bytes"
	"encoding/json"
	"slices"

	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
)

// draft is the version of JSON Schema that editors read best.
//
// Source: https://github.com/redhat-developer/yaml-language-server, read 2026-11.
const draft = "http://json-schema.org/draft-07/schema#"

// object is a JSON object. Its keys are written in sorted order.
type object = map[string]any

// Marshal returns the schema. It refuses what the parser refuses or warns of by the form
// alone; what a jq expression means, a schema cannot express.
func Marshal() ([]byte, error) {
	root := objectOf(withSnakeCase(mapping.Language))
	root["$schema"] = draft
	root["title"] = "Mapping of port-bitbucket-exporter"
	root["description"] = "Which objects of a Bitbucket Cloud workspace become which entities in Port."
	resource := root["properties"].(object)["resources"].(object)["items"].(object)
	byKind(resource)
	root["definitions"] = object{
		"query": objectOf(mapping.QueryKeys),
		"rule":  objectOf(mapping.QueryRuleKeys),
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(root)
	return out.Bytes(), err
}

// withSnakeCase adds the other spellings of the top level. None of them is required.
func withSnakeCase(keys []mapping.Key) []mapping.Key {
	all := slices.Clone(keys)
	for _, k := range keys {
		if other := mapping.SnakeCase(k.Name); other != k.Name {
			k.Name, k.Required = other, false
			all = append(all, k)
		}
	}
	return all
}

// byKind lets the kind decide which keys the selector has.
func byKind(resource object) {
	var names []string
	var choices []any
	for _, k := range kind.All() {
		names = append(names, k.Name)
		choices = append(choices, object{
			"if":   object{"properties": object{"kind": object{"const": k.Name}}, "required": []string{"kind"}},
			"then": object{"properties": object{"selector": objectOf(k.Selector)}},
		})
	}
	properties := resource["properties"].(object)
	properties["kind"].(object)["enum"] = names
	properties["selector"] = object{"type": "object", "description": properties["selector"].(object)["description"]}
	resource["allOf"] = choices
}

func objectOf(keys []mapping.Key) object {
	properties := object{}
	required := []string{}
	for _, k := range keys {
		properties[k.Name] = valueOf(k)
		if k.Required {
			required = append(required, k.Name)
		}
	}
	o := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

// valueOf describes the value of a key.
func valueOf(k mapping.Key) object {
	one := shapeOf(k)
	v := one
	switch k.Holds {
	case mapping.Named:
		v = object{"type": "object", "additionalProperties": one}
	case mapping.Many:
		v = listOf(k, one)
	case mapping.OneOrMany:
		v = object{"anyOf": []any{listOf(k, one), objectOf(k.Keys)}}
	}
	v["description"] = k.Help
	if k.Default != nil {
		v["default"] = k.Default
	}
	if k.Deprecated {
		v["deprecated"] = true
	}
	return v
}

// listOf describes a list, which has an item when the key is required.
func listOf(k mapping.Key, item object) object {
	list := object{"type": "array", "items": item}
	if k.Required {
		list["minItems"] = 1
	}
	return list
}

func reference(name string) object { return object{"$ref": "#/definitions/" + name} }

// shapeOf describes one value of a key.
func shapeOf(k mapping.Key) object {
	switch k.Shape {
	case mapping.Flag:
		return object{"type": "boolean"}
	case mapping.Fraction:
		return object{"type": "number", "minimum": 0, "maximum": 1}
	case mapping.Count:
		return object{"type": "integer", "minimum": 1}
	case mapping.Text, mapping.Expression:
		if k.Values != nil {
			return object{"type": "string", "enum": k.Values}
		}
		return object{"type": "string"}
	case mapping.ExpressionOrQuery:
		return object{"anyOf": []any{object{"type": "string"}, reference("query")}}
	case mapping.Object:
		return objectOf(k.Keys)
	case mapping.TextOrObject:
		return object{"anyOf": []any{object{"type": "string"}, objectOf(k.Keys)}}
	case mapping.Nested:
		return object{"anyOf": []any{reference("rule"), reference("query")}}
	}
	return object{}
}
