package openapicheck

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"gopkg.in/yaml.v3"
)

// object is a YAML or JSON mapping of plain values.
type object = map[string]any

// document is one API, ready to be asked.
type document struct {
	name   string
	routes []*route
	// schemas are the named ones of the document.
	schemas openapi3.Schemas
	options []openapi3.SchemaValidationOption
	// maxBodyBytes is the longest body of a request; 0 means no limit.
	maxBodyBytes int
	// loose is the document without required keys, for partial answers; nil when there are none.
	loose *document
	// texts are the media types, besides JSON, of refusals that may be no JSON, by status.
	texts map[int]string
	// choose picks the schema of an answer where the document's own depends on more than the status. It
	// reports false to leave the document's own, and a nil schema for a body of any kind.
	choose func(d *document, r *route, e Exchange) (*openapi3.Schema, bool)
}

// additions are what a service does beyond its document.
type additions struct {
	Document object `yaml:"document"`
	// Gone are query parameters that a later document does not have: by path and method.
	Gone           map[string]map[string][]string `yaml:"gone"`
	Keys           map[string]object              `yaml:"keys"`
	Nulls          []string                       `yaml:"nulls"`
	Also           map[string]object              `yaml:"also"`
	AnsweredEntity struct {
		Keys  object   `yaml:"keys"`
		Nulls []string `yaml:"nulls"`
	} `yaml:"answeredEntity"`
}

// prepare reads a document, adds to it and makes it what kin-openapi's own validator understands.
func prepare(text, more []byte) (object, error) {
	var doc object
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	var add additions
	if err := yaml.Unmarshal(more, &add); err != nil {
		return nil, err
	}
	if err := add.drop(doc); err != nil {
		return nil, err
	}
	merge(doc, add.Document)
	if err := add.relax(doc); err != nil {
		return nil, err
	}
	schemas := child(doc, "components", "schemas")
	inlined := map[string]bool{}
	c := converter{schemas: schemas, add: &add, inlined: inlined}
	c.convert(doc, false)
	for name := range inlined {
		delete(schemas, name) // a table of properties is not a schema
	}
	for _, item := range child(doc, "paths") {
		for _, operation := range item.(object) {
			tidy(doc, operation.(object))
		}
	}
	return doc, nil
}

// merge puts the members of from into to: objects are merged, lists continued, other values replaced.
func merge(to, from object) {
	for k, v := range from {
		switch v := v.(type) {
		case object:
			if old, ok := to[k].(object); ok {
				merge(old, v)
				continue
			}
		case []any:
			if old, ok := to[k].([]any); ok {
				to[k] = append(slices.Clip(old), v...)
				continue
			}
		}
		to[k] = v
	}
}

// drop takes out what is gone.
func (a *additions) drop(doc object) error {
	for path, methods := range a.Gone {
		for method, names := range methods {
			operation := child(doc, "paths", path, method)
			for _, name := range names {
				parameters, _ := operation["parameters"].([]any)
				left := slices.DeleteFunc(slices.Clone(parameters), func(p any) bool { return p.(object)["in"] == "query" && p.(object)["name"] == name })
				if len(left) == len(parameters) {
					return fmt.Errorf("the document has no parameter %q of %s %s", name, method, path)
				}
				operation["parameters"] = left
			}
		}
	}
	return nil
}

func (a *additions) relax(doc object) error {
	schemas := child(doc, "components", "schemas")
	for place, keys := range a.Keys {
		holder, name, err := find(schemas, place)
		if err != nil {
			return err
		}
		merge(child(holder, name, "properties"), keys)
	}
	for place, schema := range a.Also {
		holder, name, err := find(schemas, place)
		if err != nil {
			return err
		}
		holder[name] = object{"anyOf": []any{holder[name], schema}}
	}
	for _, place := range a.Nulls {
		holder, name, err := find(schemas, place)
		if err != nil {
			return err
		}
		holder[name] = nullable(holder[name].(object))
	}
	return nil
}

// find returns the mapping that holds the schema at a place such as "pullrequest.links". An error is a mistake
// in our list, or a document that has changed.
func find(schemas object, place string) (holder object, name string, err error) {
	holder = schemas
	for i, part := range strings.Split(place, ".") {
		if i > 0 {
			holder = properties(holder[name].(object), part)
		}
		name = part
		if _, ok := holder[name].(object); !ok {
			return nil, "", fmt.Errorf("the document has no %q, of %q", part, place)
		}
	}
	return holder, name, nil
}

// properties is the table in which a schema, or one that it is made of, has a property.
func properties(schema object, name string) object {
	own, _ := schema["properties"].(object)
	if _, ok := own[name]; ok {
		return own
	}
	parts, _ := schema["allOf"].([]any)
	for _, p := range parts {
		if table := properties(p.(object), name); table[name] != nil {
			return table
		}
	}
	return own
}

// child follows names down, and makes the mappings that are missing.
func child(o object, names ...string) object {
	for _, name := range names {
		next, ok := o[name].(object)
		if !ok {
			next = object{}
			o[name] = next
		}
		o = next
	}
	return o
}

func nullable(schema object) object {
	if schema["$ref"] != nil {
		return object{"allOf": []any{schema}, "nullable": true}
	}
	schema["nullable"] = true
	return schema
}

// converter rewrites what kin-openapi reads only on its JSON Schema 2020-12 path, which compiles the schema anew
// for each value and knows no look-ahead in patterns: "const", "null" as a type, and a reference in place of
// a table of properties, which no validator knows.
type converter struct {
	schemas object
	add     *additions
	inlined map[string]bool
}

func (c *converter) convert(node any, answer bool) {
	switch node := node.(type) {
	case []any:
		for _, v := range node {
			c.convert(v, answer)
		}
	case object:
		c.inline(node, answer)
		rewriteNull(node)
		for k, v := range node {
			c.convert(v, answer || k == "responses")
		}
	}
}

func (c *converter) inline(node object, answer bool) {
	table, _ := node["properties"].(object)
	ref, _ := table["$ref"].(string)
	name, ok := strings.CutPrefix(ref, "#/components/schemas/")
	if !ok {
		return
	}
	c.inlined[name] = true
	table = clone(c.schemas[name]).(object)
	if answer {
		merge(table, clone(c.add.AnsweredEntity.Keys).(object))
		for _, k := range c.add.AnsweredEntity.Nulls {
			table[k] = nullable(table[k].(object))
		}
	}
	node["properties"] = table
}

func rewriteNull(node object) {
	if v, ok := node["const"]; ok {
		delete(node, "const")
		node["enum"] = []any{v}
	}
	if types, ok := node["type"].([]any); ok {
		kept := slices.DeleteFunc(slices.Clone(types), func(t any) bool { return t == "null" })
		if len(kept) < len(types) {
			node["nullable"] = true
		}
		node["type"] = kept
		if len(kept) == 1 {
			node["type"] = kept[0]
		}
	}
	if node["type"] == "null" {
		delete(node, "type")
		node["nullable"], node["enum"] = true, []any{nil}
	}
	if names, ok := node["required"].([]any); ok { // one schema names a key twice
		var once []any
		for _, name := range names {
			if !slices.Contains(once, name) {
				once = append(once, name)
			}
		}
		node["required"] = once
	}
	// A null among the values means that null is taken.
	if values, ok := node["enum"].([]any); ok && slices.Contains(values, nil) {
		node["nullable"] = true
	}
}

func clone(v any) any {
	switch v := v.(type) {
	case object:
		c := maps.Clone(v)
		for k, e := range c {
			c[k] = clone(e)
		}
		return c
	case []any:
		c := slices.Clone(v)
		for i, e := range c {
			c[i] = clone(e)
		}
		return c
	}
	return v
}

// tidy keeps the last of the parameters of one name, and takes out the security schemes: the extract of one
// document lacks those that it names.
func tidy(doc, operation object) {
	delete(operation, "security")
	list, ok := operation["parameters"].([]any)
	if !ok {
		return
	}
	seen := map[any]bool{}
	var kept []any
	for _, p := range slices.Backward(list) {
		named := p.(object)
		if ref, ok := named["$ref"].(string); ok {
			named = child(doc, "components", "parameters", path.Base(ref))
		}
		if key := fmt.Sprint(named["in"], " ", named["name"]); !seen[key] {
			seen[key] = true
			kept = append(kept, p)
		}
	}
	operation["parameters"] = kept
}

// load hands plain values to kin-openapi and lets it judge the document itself.
func load(doc object) (*openapi3.T, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	loader := openapi3.NewLoader()
	t, err := loader.LoadFromData(text)
	if err != nil {
		return nil, err
	}
	err = t.Validate(loader.Context, openapi3.SetRegexCompiler(compilePattern), openapi3.DisableExamplesValidation(),
		openapi3.DisableSchemaDefaultsValidation())
	return t, err
}
