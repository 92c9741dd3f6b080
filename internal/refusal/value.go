package refusal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"port-bitbucket-exporter/internal/catalog"
)

// sent returns the value of a field as it was sent, or the whole entity when the field is
// not known.
func sent(body []byte, f offendingField) any {
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&fields) != nil {
		return nil
	}
	switch f.word {
	case "property":
		fields, _ = fields["properties"].(map[string]any)
		return fields[f.name]
	case "relation":
		fields, _ = fields["relations"].(map[string]any)
		return fields[f.name]
	case "":
		return fields
	}
	return fields[f.word]
}

// maxLeaves bounds how many texts and numbers of one value Generalize looks for: the time
// for one message grows with each.
const maxLeaves = 100

// leaves appends the texts and numbers in a value.
func leaves(v any, all []string) []string {
	if len(all) >= maxLeaves {
		return all
	}
	switch v := v.(type) {
	case string:
		return append(all, v)
	case json.Number:
		return append(all, v.String())
	case []any:
		for _, e := range v {
			all = leaves(e, all)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			all = leaves(v[k], all)
		}
	}
	return all
}

func asJSON(v any) string {
	text, err := catalog.JSON(v)
	if err != nil { // no JSON
		return strconv.Quote(fmt.Sprint(v))
	}
	return string(text)
}

// typeOf returns the JSON Schema type of a value.
func typeOf(v any) string {
	switch v.(type) {
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}
