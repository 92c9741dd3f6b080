package mapping

import (
	"encoding"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/nearest"
)

// Decode reads the selector into the struct that into points to. The `yaml` tag
// of a field is its key; a field without a tag is left alone. Fields may be
// string, bool, int for a number from 1 on, structs, and pointers to and lists of these. A struct whose pointer
// is an encoding.TextUnmarshaler is read from a string too; where a list of structs
// is due, one mapping is a list of one. A key that is absent or null leaves its
// field as it is; "query" and "exportEnvVariables" need no field. Decode returns every
// problem, in file order: unknown keys and wrong types are errors, and what was written as
// another type and taken all the same are notices. Decode panics when into is of
// another type, or a tag has an option other than omitempty, as that is a mistake
// of the caller.
func (s Selector) Decode(into any) diag.Problems {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() || target.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("mapping: Selector.Decode into %T: need a pointer to a struct", into))
	}
	if s.node == nil {
		return nil
	}
	d := &decoder{builder: builder{src: s.src, where: s.where}, reported: s.reported}
	d.object(s.node, target.Elem(), "selector", keyNames(commonKeys))
	d.problems.Sort()
	return d.problems
}

// Given is false for the selector of a broken resource that has none.
func (s Selector) Given() bool { return s.node != nil }

// Keys are the keys of the selector, and where they stand.
func (s Selector) Keys() map[string]diag.Position {
	keys := map[string]diag.Position{}
	if s.node != nil {
		for _, e := range s.node.entries {
			keys[e.key] = e.pos
		}
	}
	return keys
}

// Texts are the texts of a list of the selector.
func (s Selector) Texts(key string) []string {
	list := s.node.step(key)
	if list == nil {
		return nil
	}
	var texts []string
	for _, item := range list.items {
		if text, ok := item.value.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// Problem makes a problem of a value of the selector. The path names it
// (`repoQuery`, `files.repos[0]`, counting from 0); when it is absent, the
// position is that of what would hold it. An empty path is the selector itself.
// Where one mapping was written for a list of one, `files[0]` names that mapping,
// and the problem says `files`.
func (s Selector) Problem(rule diag.Rule, severity diag.Severity, path, message, fix string) diag.Problem {
	name := "selector"
	pos := diag.Position{}
	if s.src != nil {
		pos.File = s.src.file
	}
	n := s.node
	if n != nil {
		pos = n.at
	}
	for _, step := range steps(path) {
		if step == "[0]" && n != nil && n.kind == yaml.MappingNode {
			continue
		}
		name += step
		if n = n.step(strings.Trim(step, ".[]")); n != nil {
			pos = n.pos
		}
	}
	return s.src.problem(rule, severity, pos, s.where.In(name), message, fix)
}

// ProblemAt is Problem at a byte offset of the text that the path names.
func (s Selector) ProblemAt(rule diag.Rule, severity diag.Severity, path string, offset int, message, fix string) diag.Problem {
	p := s.Problem(rule, severity, path, message, fix)
	if n := s.node.step(path); n != nil {
		p.At = Expr{Text: n.text, Pos: n.pos, style: n.style, src: s.src}.At(offset)
		p.Snippet = s.src.line(p.At.Line)
	}
	return p
}

// steps splits a path before each "." and "[": `.files`, `.repos`, `[0]`.
func steps(path string) []string {
	if path != "" && path[0] != '[' {
		path = "." + path
	}
	var all []string
	for path != "" {
		end := len(path)
		if i := strings.IndexAny(path[1:], ".["); i >= 0 {
			end = i + 1
		}
		all = append(all, path[:end])
		path = path[end:]
	}
	return all
}

// step returns a value of a mapping by key, or of a list by index, or nil.
func (n *node) step(step string) *node {
	if n == nil {
		return nil
	}
	if n.kind != yaml.SequenceNode {
		return n.spelled(step)
	}
	i, err := strconv.Atoi(step)
	if err != nil || i < 0 || i >= len(n.items) {
		return nil
	}
	return n.items[i]
}

// spelled returns the value of a key, or of one that was most likely meant to be it; nil when
// there is none.
func (n *node) spelled(key string) *node {
	if value := n.child(key); value != nil {
		return value
	}
	for _, e := range n.entries {
		if _, ok := nearest.Name(e.key, []string{key}); ok {
			return e.value
		}
	}
	return nil
}

type decoder struct {
	builder
	reported string // a key of the selector that is reported already, or ""
}

func (d *decoder) object(n *node, target reflect.Value, name string, ignored []string) {
	fields := make(map[string]reflect.Value)
	valid := slices.Clone(ignored)
	for field, key := range selectorFields(target.Type()) {
		fields[key] = target.FieldByIndex(field.Index)
		valid = append(valid, key)
	}
	if n.kind != yaml.MappingNode {
		d.noMapping(n, target, name, strings.Join(valid, ", "))
		return
	}
	for _, e := range n.entries {
		field, ok := fields[e.key]
		switch {
		case ignored != nil && e.key == d.reported:
		case ok && !e.value.null():
			d.value(e.value, field, name+"."+e.key)
		case !ok && !slices.Contains(ignored, e.key):
			if place := home(e.key); ignored != nil && place != "" {
				d.error(RuleMisplacedKey, e.pos, name, fmt.Sprintf("the key %q belongs to %s", e.key, place), moveFix(place))
				continue
			}
			d.error(RuleUnknownKey, e.pos, name, "unknown key "+strconv.Quote(e.key), unknownKeyFix(e.key, valid))
			near, _ := nearest.Name(e.key, valid)
			if field, ok := fields[near]; ok && n.child(near) == nil && !e.value.null() { // to be checked
				d.value(e.value, field, name+"."+e.key)
			}
		}
	}
}

// selectorFields are the fields of a struct that have a key, and the key. Those of an
// embedded struct are among them.
func selectorFields(of reflect.Type) iter.Seq2[reflect.StructField, string] {
	return func(yield func(reflect.StructField, string) bool) {
		for _, field := range reflect.VisibleFields(of) {
			key, option, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if option != "" && option != "omitempty" {
				panic(fmt.Sprintf("mapping: Selector.Decode into %s: the tag of %s has the option %q", of, field.Name, option))
			}
			if key != "" && key != "-" && !yield(field, key) {
				return
			}
		}
	}
}

// noMapping reads a struct from text, if it can be; keys are what a mapping may have.
func (d *decoder) noMapping(n *node, target reflect.Value, name, keys string) {
	reader, ok := target.Addr().Interface().(encoding.TextUnmarshaler)
	if !ok {
		fix := "the keys here are " + keys
		if text, isText := n.value.(string); isText && slices.Contains(strings.Split(keys, ", "), "path") && len(text) <= maxHint {
			fix = "write path: " + InSingleQuotes(text) + "; " + fix
		}
		d.error(RuleWrongType, n.at, name, `expected "key: value" lines, found `+n.describe(), fix)
		return
	}
	fix := "write text, or a mapping with the keys " + keys
	text, ok := d.text(n, name, "a string or a mapping", fix)
	if !ok {
		return
	}
	if err := reader.UnmarshalText([]byte(text)); err != nil {
		d.error(RuleWrongType, n.pos, name, err.Error(), fix)
	}
}

func (d *decoder) value(n *node, target reflect.Value, name string) {
	switch target.Kind() {
	case reflect.Pointer:
		target.Set(reflect.New(target.Type().Elem()))
		d.value(n, target.Elem(), name)
	case reflect.Struct:
		d.object(n, target, name, nil)
	case reflect.Slice:
		d.list(n, target, name)
	case reflect.String:
		text, _ := d.text(n, name, "a string", "write text")
		target.SetString(text)
	case reflect.Bool:
		value, _ := d.flag(n, name)
		target.SetBool(value)
	case reflect.Int:
		value, _ := d.count(n, name)
		target.SetInt(int64(value))
	default:
		panic("mapping: Selector.Decode into a field of type " + target.Type().String())
	}
}

func (d *decoder) list(n *node, target reflect.Value, name string) {
	if n.kind == yaml.MappingNode && bare(target.Type().Elem()).Kind() == reflect.Struct {
		list := reflect.MakeSlice(target.Type(), 1, 1)
		d.value(n, list.Index(0), name)
		target.Set(list)
		return
	}
	if n.kind != yaml.SequenceNode {
		fix := `write a list: each item on a line of its own, after "- "`
		d.error(RuleWrongType, n.pos, name, "expected a list, found "+n.describe(), fix)
		return
	}
	list := reflect.MakeSlice(target.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		d.value(item, list.Index(i), name+"["+strconv.Itoa(i)+"]")
	}
	target.Set(list)
}

// SelectorKeys are the keys that Selector.Decode reads into a struct like the given
// one, and those of every selector. Besides `yaml` it reads of a field the tags
// `help`, `required` and `deprecated` ("true"), `default` of a number, and of a named text
// type its method Values() []string.
func SelectorKeys(selector any) []Key {
	return slices.Concat(commonKeys, structKeys(reflect.TypeOf(selector)))
}

func structKeys(of reflect.Type) []Key {
	var keys []Key
	for field, key := range selectorFields(of) {
		k := Key{Name: key, Help: field.Tag.Get("help"), Required: field.Tag.Get("required") == "true", Deprecated: field.Tag.Get("deprecated") == "true"}
		t := bare(field.Type)
		if t.Kind() == reflect.Slice {
			t = bare(t.Elem())
			k.Holds = Many
			if t.Kind() == reflect.Struct {
				k.Holds = OneOrMany
			}
		}
		switch _, text := reflect.New(t).Interface().(encoding.TextUnmarshaler); {
		case t.Kind() == reflect.Struct && text:
			k.Shape, k.Keys = TextOrObject, structKeys(t)
		case t.Kind() == reflect.Struct:
			k.Shape, k.Keys = Object, structKeys(t)
		case t.Kind() == reflect.Bool:
			k.Shape = Flag
		case t.Kind() == reflect.Int:
			k.Shape = Count
			if text, ok := field.Tag.Lookup("default"); ok {
				k.Default = json.Number(text)
			}
		default:
			k.Shape = Text
		}
		if known, ok := reflect.Zero(t).Interface().(interface{ Values() []string }); ok {
			k.Values = known.Values()
		}
		keys = append(keys, k)
	}
	return keys
}

// bare is the type without pointers.
func bare(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}
