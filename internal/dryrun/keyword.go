package dryrun

import (
	"encoding/json"
	"maps"
	"math"
	"regexp/syntax"
	"slices"
)

// Bounds of a schema and of a pattern that are read.
const (
	maxSchemaDepth = 32    // schemas within schemas; those of people have fewer than 5
	maxPattern     = 2_000 // bytes, which compile to less than 20 MB
	maxNamed       = 20    // keywords of a property that are named: drafts know 20 that are not checked
	maxName        = 40    // bytes of a name; the longest of a draft has 21
	weightBytes    = 64    // of a text that weigh one: a pattern goes through all
)

// ruleReader copies a schema without what is not checked.
type ruleReader struct {
	unchecked map[string]bool
	weight    int
	tooDeep   bool
}

// leave leaves out a keyword, and names it: of many the first.
func (r *ruleReader) leave(keyword string) {
	if len(r.unchecked) < maxNamed {
		r.unchecked[keyword[:min(len(keyword), maxName)]] = true
	}
}

// schema reads the schema of a keyword. It is whole unless something is left out of it
// that could refuse a value.
func (r *ruleReader) schema(keyword string, v any, depth int) (read any, whole bool) {
	r.weight++
	if _, isBool := v.(bool); isBool {
		return v, true
	}
	object, ok := v.(map[string]any)
	if !ok || depth == maxSchemaDepth {
		r.tooDeep = r.tooDeep || ok
		r.leave(keyword)
		return true, false
	}
	out := map[string]any{}
	whole = true
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if slices.Contains(annotations, name) {
			continue
		}
		value, keep, same := r.keyword(name, object[name], depth+1)
		whole = whole && same
		switch {
		case keep:
			out[name] = value
		case !same:
			r.leave(name)
		}
	}
	r.untangle(object, out)
	return out, whole
}

// untangle leaves out what would refuse more than the schema does, since a keyword beside
// it is left out, and lets nullable take null.
func (r *ruleReader) untangle(object, out map[string]any) {
	drop := func(names ...string) {
		for _, name := range names {
			if _, given := out[name]; given {
				delete(out, name)
				r.leave(name)
			}
		}
	}
	if _, given := object["if"]; given && out["if"] == nil {
		drop("then", "else")
	}
	given, _ := object["patternProperties"].(map[string]any)
	read, _ := out["patternProperties"].(map[string]any)
	if len(read) < len(given) {
		drop("additionalProperties")
	}
	if name, one := out["type"].(string); one && object["nullable"] == true {
		out["type"] = []any{name, "null"}
	}
}

// keyword reads the value of one keyword. It reports whether the keyword is kept, and
// whether what is left refuses all that the keyword does.
func (r *ruleReader) keyword(name string, v any, depth int) (value any, keep, same bool) {
	if valid := plainKeywords[name]; valid != nil {
		r.weight += weightOf(v)
		ok := valid(v)
		return v, ok, ok
	}
	list, _ := v.([]any)
	switch name {
	case "enum":
		r.weight += weightOf(v)
		return distinct(list), len(list) > 0, len(list) > 0
	case "pattern":
		text, _ := v.(string)
		steps, ok := patternSteps(text)
		r.weight += steps
		return v, ok, ok
	case "format":
		text, _ := v.(string)
		known := slices.Contains(textFormats, text) || text == "labeled-url"
		return v, known, known || slices.Contains(freeFormats, text)
	case "additionalItems", "additionalProperties", "contains", "propertyNames", "then", "else":
		value, same = r.schema(name, v, depth)
		return value, true, same
	case "not", "if": // one that takes more would refuse more
		value, same = r.schema(name, v, depth)
		return value, same, same
	case "items":
		if list == nil {
			value, same = r.schema(name, v, depth)
			return value, true, same
		}
		value, same = r.list(name, list, depth)
		return value, len(list) > 0, same
	case "allOf", "anyOf", "oneOf":
		value, same = r.list(name, list, depth)
		same = same && len(list) > 0
		return value, len(list) > 0 && (same || name != "oneOf"), same
	case "properties", "patternProperties", "dependencies":
		return r.named(name, v, depth)
	}
	return nil, false, false
}

func (r *ruleReader) list(keyword string, list []any, depth int) (value any, same bool) {
	out, same := make([]any, len(list)), true
	for i, v := range list {
		read, whole := r.schema(keyword, v, depth)
		out[i], same = read, same && whole
	}
	return out, same
}

// named reads schemas by the names of properties, by patterns of them, or by the
// properties that call for others.
func (r *ruleReader) named(keyword string, v any, depth int) (value any, keep, same bool) {
	object, ok := v.(map[string]any)
	out, same := map[string]any{}, ok
	for name, v := range object {
		if keyword == "patternProperties" {
			steps, ok := patternSteps(name)
			r.weight += steps
			if !ok {
				r.leave(keyword)
				same = false
				continue
			}
		}
		if keyword == "dependencies" && isNames(v) {
			out[name] = v
			r.weight += weightOf(v)
			continue
		}
		read, whole := r.schema(keyword, v, depth)
		out[name], same = read, same && whole
	}
	return out, ok, same
}

// annotations are keywords that refuse no value. "nullable" takes one more, and is read
// beside "type".
var annotations = []string{
	"$anchor", "$comment", "$defs", "$id", "$schema", "$vocabulary", "definitions", "id",
	"contentEncoding", "contentMediaType", "contentSchema", "default", "deprecated", "description", "examples", "nullable", "readOnly", "title", "writeOnly",
	"dateFormat", "enumColors", "icon", "spec", "specAuthentication", // Port's own
}

// textFormats are the formats of a text that has a certain form; freeFormats take any
// text.
//
// Source: static/apispec.yaml of https://github.com/port-labs/port-docs, 2026-01-28.
var (
	textFormats = []string{"date-time", "timer", "url", "uri", "email", "idn-email", "ipv4", "ipv6"}
	freeFormats = []string{"markdown", "yaml", "user", "blueprints", "team", "proto"}
)

// plainKeywords are the keywords that hold no schema, and which of their values are
// checked.
var plainKeywords = map[string]func(v any) bool{
	"type":  isTypes,
	"const": func(any) bool { return true },
	// A part of a whole is not the same in doubles, in which Port divides.
	"multipleOf":       func(v any) bool { n, ok := number(v); return ok && n > 0 && n == math.Trunc(n) },
	"minimum":          isNumber,
	"maximum":          isNumber,
	"exclusiveMinimum": isNumber, // true in draft 4, which is not read
	"exclusiveMaximum": isNumber,
	"minLength":        isCount,
	"maxLength":        isCount,
	"minItems":         isCount,
	"maxItems":         isCount,
	"minProperties":    isCount,
	"maxProperties":    isCount,
	"uniqueItems":      func(v any) bool { _, ok := v.(bool); return ok },
	"required":         isNames,
}

// distinct leaves out values that come again: a schema of draft 7 names each once.
func distinct(list []any) []any {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(list), func(v any) bool {
		text, _ := json.Marshal(doubles(v))
		again := seen[string(text)]
		seen[string(text)] = true
		return again
	})
}

// doubles returns a copy of a JSON value with its numbers as Port keeps them. It keeps
// a number of a billion digits from being written out, too.
func doubles(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, _ := v.Float64()
		return min(max(f, -math.MaxFloat64), math.MaxFloat64)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = doubles(item)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for k, member := range v {
			object[k] = doubles(member)
		}
		return object
	}
	return v
}

func isTypes(v any) bool {
	list, many := v.([]any)
	if !many {
		list = []any{v}
	}
	for i, item := range list {
		name, _ := item.(string)
		if !slices.Contains([]string{"array", "boolean", "integer", "null", "number", "object", "string"}, name) || slices.Contains(list[:i], item) {
			return false
		}
	}
	return len(list) > 0
}

func isNames(v any) bool {
	list, ok := v.([]any)
	seen := map[string]bool{}
	for _, item := range list {
		name, isText := item.(string)
		ok = ok && isText && !seen[name]
		seen[name] = true
	}
	return ok
}

func isNumber(v any) bool {
	_, ok := number(v)
	return ok
}

func isCount(v any) bool {
	n, ok := number(v)
	return ok && n >= 0 && n <= math.MaxInt32 && n == math.Trunc(n)
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	f, err := n.Float64()
	return f, ok && err == nil
}

// patternSteps returns how many instructions a pattern compiles to. It reports whether
// it is one that Go's engine knows, and not a long one: Port's engine is that of
// JavaScript, and knows more.
func patternSteps(text string) (int, bool) {
	if len(text) > maxPattern {
		return 0, false
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0, false
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, false
	}
	return len(program.Inst), true
}

// weightOf counts a JSON value and all values in it, and long texts by their length.
func weightOf(v any) int {
	n := 1
	switch v := v.(type) {
	case string:
		n += len(v) / weightBytes
	case []any:
		for _, item := range v {
			n += weightOf(item)
		}
	case map[string]any:
		for _, member := range v {
			n += weightOf(member)
		}
	}
	return n
}
