package openapicheck_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type object = map[string]any

// sample is a value of a schema. It is another sample with a part added at path, or has no path.
type sample struct {
	value any
	path  []string
}

func whole(values ...any) []sample {
	var all []sample
	for _, v := range values {
		all = append(all, sample{value: v})
	}
	return all
}

// sampler makes values of schemas: small ones, that together reach each property and each alternative. Some may
// not fit: "oneOf" is not solved but tried.
type sampler struct {
	t       *testing.T
	schemas object
	// sampled are the named schemas that were gone through: at their other places one sample of each does.
	sampled map[string]bool
}

// samples are none only of a schema within itself within itself: a query may hold queries for ever. within has the
// names of the schemas that are being sampled.
func (s sampler) samples(schema object, within ...string) []sample {
	s.t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		return s.named(strings.TrimPrefix(ref, "#/components/schemas/"), within)
	}
	if values, ok := schema["enum"].([]any); ok {
		return whole(values[0])
	}
	var all []sample
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		parts, _ := schema[keyword].([]any)
		for _, part := range parts {
			all = append(all, s.samples(part.(object), within...)...)
		}
	}
	if schema["nullable"] == true {
		all = append(all, whole(nil)...)
	}
	return append(all, s.own(schema, within)...)
}

func (s sampler) named(name string, within []string) []sample {
	s.t.Helper()
	schema, ok := s.schemas[name].(object)
	if !ok {
		s.t.Fatalf("no schema %s", name)
	}
	i := slices.Index(within, name)
	if i >= 0 && slices.Contains(within[i+1:], name) {
		return nil
	}
	all := s.samples(schema, append(slices.Clip(within), name)...)
	if i >= 0 || s.sampled[name] {
		return all[:min(1, len(all))]
	}
	s.sampled[name] = true
	return all
}

// own is what a schema says beside references and alternatives.
func (s sampler) own(schema object, within []string) []sample {
	switch schema["type"] {
	case "boolean":
		return whole(true)
	case "number", "integer":
		if least, ok := schema["minimum"]; ok {
			return whole(least)
		}
		return whole(1)
	case "string":
		return whole(s.text(schema))
	case "array":
		lists := whole([]any{})
		items, _ := schema["items"].(object)
		for _, v := range s.samples(items, within...) {
			lists = append(lists, sample{[]any{v.value}, append([]string{"0"}, v.path...)})
		}
		return lists
	case "object", nil:
		return s.objects(schema, within)
	}
	s.t.Fatalf("no sample of %v", schema)
	return nil
}

// objects has the required properties alone, and with each sample of each property.
func (s sampler) objects(schema object, within []string) []sample {
	table, _ := schema["properties"].(object)
	names := slices.Sorted(maps.Keys(table))
	of := map[string][]sample{}
	for _, name := range names {
		of[name] = s.samples(table[name].(object), within...)
	}
	base := object{}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if values := of[name.(string)]; len(values) > 0 {
			base[name.(string)] = values[0].value
		}
	}
	all := whole(base)
	with := func(name string, values []sample) {
		for _, v := range values {
			o := maps.Clone(base)
			o[name] = v.value
			all = append(all, sample{o, append([]string{name}, v.path...)})
		}
	}
	for _, name := range names {
		with(name, of[name])
	}
	if extra, ok := schema["additionalProperties"].(object); ok {
		with("key", s.samples(extra, within...))
	}
	return all
}

func (s sampler) text(schema object) string {
	switch schema["format"] {
	case "date-time":
		return "2026-01-02T03:04:05.000Z"
	case "uri", "url":
		return "https://example.test/a"
	}
	pattern, _ := schema["pattern"].(string)
	// The look-ahead that Go does not know keeps "." and ".." out.
	re, err := regexp.Compile(strings.Replace(pattern, `(?!\.{1,2}$)`, "", 1))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, text := range []string{"a", "a.b", "2026-01-02T03:04:05.000000Z"} {
		if re.MatchString(text) {
			return text
		}
	}
	s.t.Fatalf("no sample of pattern %q", pattern)
	return ""
}

// others stand in place of a part: of another type, out of range, against a pattern, of too many characters.
var others = []any{nil, true, -1, 7, 1e9, "", "..", "a b", "unknown", strings.Repeat("x", 1001), []any{}, []any{nil}, object{}}

// mutants are copies of a value, each with another value in one place, or a key or an item more or less. Places
// beside the path are left alone: they are those of another sample.
func mutants(v any, path []string) []any {
	all := slices.Clone(others)
	var rest []string
	if len(path) > 0 {
		rest = path[1:]
	}
	switch v := v.(type) {
	case object:
		for k, e := range v {
			if len(path) > 0 && path[0] != k {
				continue
			}
			less := maps.Clone(v)
			delete(less, k)
			all = append(all, less)
			for _, key := range []string{"a b", strings.Repeat("k", 101)} { // for the schema of the keys
				renamed := maps.Clone(less)
				renamed[key] = e
				all = append(all, renamed)
			}
			for _, m := range mutants(e, rest) {
				o := maps.Clone(v)
				o[k] = m
				all = append(all, o)
			}
		}
		more := maps.Clone(v)
		more["unknown"] = true
		all = append(all, more)
	case []any:
		for i, e := range v {
			if len(path) > 0 && path[0] != strconv.Itoa(i) {
				continue
			}
			all = append(all, slices.Repeat([]any{e}, 21), slices.Repeat([]any{e}, 101), slices.Delete(slices.Clone(v), i, i+1))
			for _, m := range mutants(e, rest) {
				list := slices.Clone(v)
				list[i] = m
				all = append(all, list)
			}
		}
	}
	return all
}

// texts are values as JSON, each once.
func texts(t *testing.T, values []any) []string {
	t.Helper()
	seen := map[string]bool{}
	for _, v := range values {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		seen[string(text)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
