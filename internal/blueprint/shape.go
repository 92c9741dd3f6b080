package blueprint

import (
	"bytes"
	_ "embed" // the schema of a blueprint
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/nearest"
)

// schemaJSON is the form of a blueprint, without the names in it.
//
// Source: the body of https://docs.port.io/api-reference/create-a-blueprint, read 2026-11.
// Left open here are the parts that are not written by hand, and "teamInheritance", which is
// the older form of "ownership".
//
//go:embed schema.json
var schemaJSON []byte

// kept are the keys that Port adds to a blueprint, and that are no part of what is made.
var kept = []string{"createdAt", "createdBy", "updatedAt", "updatedBy"}

// form is the schema, compiled once.
var form = sync.OnceValue(func() *jsonschema.Schema {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	c := jsonschema.NewCompiler()
	const name = "port:blueprint"
	if err = errors.Join(err, c.AddResource(name, document)); err != nil {
		panic(err) // it is a part of the program
	}
	return c.MustCompile(name)
})

// shape finds what Port does not take of a blueprint for itself.
func (b Blueprint) shape(found *problems) {
	var broken *jsonschema.ValidationError
	if errors.As(form().Validate(b.at.any(rounded)), &broken) {
		b.broken(broken, found)
	}
	if id := b.at.members["identifier"]; id != nil && id.kind == '"' {
		if err := catalog.CheckBlueprint(b.Identifier); err != nil {
			found.add(b.problem(id.start, RuleValue, diag.Error, "identifier", err.Error(), "write letters, digits and @ _ . + : \\ / -, at most 100"))
		} else if own(b.Identifier) {
			found.add(b.problem(id.start, RuleValue, diag.Warning, "identifier", "a blueprint whose identifier begins with an underscore is one of Port's own: it is never made", "remove it from the file"))
		}
	}
}

// rounded returns a number that the validator takes no memory for, however many digits it
// would have written out. No rule here is about its value.
func rounded(v json.Number) any {
	f, err := v.Float64()
	if err != nil || math.IsInf(f, 0) {
		return 0.0
	}
	return f
}

// broken words the innermost causes of an error.
func (b Blueprint) broken(e *jsonschema.ValidationError, found *problems) {
	for _, cause := range e.Causes {
		b.broken(cause, found)
	}
	if len(e.Causes) > 0 || found.full() {
		return
	}
	path := e.InstanceLocation
	at := b.at.find(path)
	is := func(message, fix string) {
		found.add(b.problem(at.start, RuleValue, diag.Error, partOf(path), message, fix))
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			is(quoted(name)+" is missing", missingFix(path, name))
		}
	case *kind.AdditionalProperties:
		b.unknown(path, at, k.Properties, found)
	case *kind.Type:
		is(fmt.Sprintf("must be %s, and is %s", words(k.Want), at.describe()), typeFix(k.Want))
	case *kind.Enum:
		found.add(b.enum(path, at, k.Want))
	case *kind.MinLength:
		is("must not be empty", "write a text")
	case *kind.MaxLength:
		is(fmt.Sprintf("has %d characters, and Port takes %d", k.Got, k.Want), "shorten it")
	case *kind.MinItems:
		is("must not be empty", "write at least one item, or remove the key")
	case *kind.Pattern: // the only one is that of a mirror property
		is(quoted(at.text())+" is not a path", "write the name of a relation, a dot and what its target has: repository.url, repository.$title")
	default:
		is("is not what Port takes", "compare it with a blueprint in Port's builder, under Edit JSON")
	}
}

// unknown warns of keys that are not known. Port ignores some of them, refuses others, and
// may learn new ones.
func (b Blueprint) unknown(path []string, at *node, keys []string, found *problems) {
	valid := validKeys(path)
	for _, key := range slices.Sorted(slices.Values(keys)) {
		if found.full() {
			return
		}
		fix := "the keys here are " + strings.Join(valid, ", ")
		if near, ok := nearest.Name(key, valid); ok {
			fix = fmt.Sprintf("did you mean %q? %s", near, fix)
		}
		found.add(b.problem(at.members[key].name, RuleKey, diag.Warning, partOf(path), "unknown key "+quoted(key), fix))
	}
}

// validKeys returns the keys that the schema has for the objects at a way.
func validKeys(path []string) (keys []string) {
	s := form()
	for _, name := range path {
		next := s.Properties[name]
		if extra, ok := s.AdditionalProperties.(*jsonschema.Schema); next == nil && ok {
			next = extra
		}
		s = next
	}
	for name := range s.Properties {
		if !slices.Contains(kept, name) {
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys
}

// enum words a value that is none of some words. Only a type decides whether Port takes the
// rest; of formats and the like it may know more.
func (b Blueprint) enum(path []string, at *node, want []any) diag.Problem {
	var valid []string
	for _, v := range want {
		valid = append(valid, fmt.Sprint(v))
	}
	rule, s := RuleKey, diag.Warning
	if last := path[len(path)-1]; last != "format" && last != "spec" {
		rule, s = RuleValue, diag.Error
	}
	found, fix := at.describe(), "write one of "+strings.Join(valid, ", ")
	if at.kind == '"' {
		found = quoted(at.text())
		if near, ok := nearest.Name(at.text(), valid); ok {
			fix = fmt.Sprintf("did you mean %q? %s", near, fix)
		}
	}
	return b.problem(at.start, rule, s, partOf(path), found+" is not known", fix)
}

// missingFix says what to write for a key that is missing.
func missingFix(path []string, key string) string {
	switch key {
	case "schema", "properties":
		return fmt.Sprintf(`write %q: {…}; a blueprint without properties has "schema": {"properties": {}}`, key)
	case "required", "many":
		return fmt.Sprintf(`write "%s": false, or true`, key)
	case "target":
		return `write "target": and the identifier of the other blueprint`
	case "func", "calculationBy":
		return `write {"func": "count", "calculationBy": "entities"}, or another function`
	case "type":
		if path[0] == "ownership" {
			return `write "type": "Direct", or "Inherited" with a path`
		}
		return `write "type": "string", or number, boolean, object or array`
	}
	return fmt.Sprintf(`write "%s": "…"`, key)
}

var typeWords = map[string]string{"object": "an object", "array": "a list", "string": "a text", "boolean": "true or false", "number": "a number"}

func words(types []string) string {
	var all []string
	for _, name := range types {
		all = append(all, typeWords[name])
	}
	return strings.Join(all, " or ")
}

func typeFix(types []string) string {
	switch types[0] {
	case "object":
		return "write { and } around its keys"
	case "array":
		return "write [ and ] around its items"
	case "string":
		return "write it in double quotes"
	}
	return "write " + words(types) + ", without quotes"
}
