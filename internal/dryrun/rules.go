package dryrun

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"port-bitbucket-exporter/internal/catalog"
)

// maxWork bounds one check: the weight of the schema times that of the value. It takes
// about a second. What weighs more is not checked, and named.
const maxWork = 1_000_000

// rules are the JSON Schema of one property, as far as it is checked here: by draft 7,
// which is the default of the JSON Schema validator of JavaScript.
//
// Source: the pages of the property types at
// https://docs.port.io/build-your-software-catalog/customize-integrations/configure-data-model/setup-blueprint/properties/
// ("validations follow the JSON schema model"), read 2026-11. They do not name the draft.
type rules struct {
	schema *jsonschema.Schema // without the unchecked keywords; nil when all are
	weight int                // of the schema: its keywords, values, and steps of patterns
	// unchecked are the keywords that are left out, sorted.
	unchecked []string
}

// compileRules reads the schema of a property. It loads nothing.
func compileRules(raw any) rules {
	reader := ruleReader{unchecked: map[string]bool{}}
	object, _ := reader.schema("", raw, 0)
	schema, err := compileSchema(object)
	if err != nil || reader.tooDeep {
		return rules{}
	}
	return rules{schema, reader.weight, slices.Sorted(maps.Keys(reader.unchecked))}
}

// noLoader loads no schema: the name of one could be any file or address.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("schemas elsewhere are not loaded")
}

func compileSchema(document any) (*jsonschema.Schema, error) {
	const name = "port:property"
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.UseLoader(noLoader{})
	for _, format := range textFormats {
		c.RegisterFormat(&jsonschema.Format{Name: format, Validate: func(v any) error {
			if text, ok := v.(string); ok && !isFormat(format, text) {
				return errors.New("another form")
			}
			return nil
		}})
	}
	c.RegisterFormat(&jsonschema.Format{Name: "labeled-url", Validate: labeledURL})
	if err := c.AddResource(name, doubles(document)); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// labeledURL checks an object with an address.
//
// Source: https://docs.port.io/build-your-software-catalog/customize-integrations/configure-data-model/setup-blueprint/properties/labeled-url-object,
// read 2026-11: "url" is required. The page has two names for the other field.
func labeledURL(v any) error {
	object, ok := v.(map[string]any)
	if _, given := object["url"].(string); ok && !given {
		return errors.New("no url")
	}
	return nil
}

// check returns how a value breaks the rules, empty when it does not, and the keywords
// that it was not checked by. One that is empty is the whole schema.
func (r rules) check(v any) (why string, unchecked []string) {
	if r.schema == nil || r.weight*weightOf(v) > maxWork {
		return "", []string{""}
	}
	var broken *jsonschema.ValidationError
	if !errors.As(r.schema.Validate(doubles(v)), &broken) {
		return "", r.unchecked
	}
	first := slices.MinFunc(leaves(broken), compareLeaves)
	why = violation(first)
	if len(first.InstanceLocation) > 0 {
		why = "/" + strings.Join(first.InstanceLocation, "/") + " " + why
	}
	return why, r.unchecked
}

// violation returns the words for one error.
func violation(e *jsonschema.ValidationError) string {
	atLeast := func(limit any, unit string) string { return fmt.Sprintf("must have at least %v%s", limit, unit) }
	atMost := func(limit any, unit string) string { return fmt.Sprintf("must have at most %v%s", limit, unit) }
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		return fmt.Sprintf("must be %s, and is %s", strings.Join(k.Want, " or "), k.Got)
	case *kind.Enum:
		return "must be equal to one of the allowed values: " + listed(k.Want)
	case *kind.MinLength:
		return atLeast(k.Want, " characters")
	case *kind.MaxLength:
		return atMost(k.Want, " characters")
	case *kind.MinItems:
		return atLeast(k.Want, " items")
	case *kind.MaxItems:
		return atMost(k.Want, " items")
	case *kind.Minimum:
		f, _ := k.Want.Float64()
		return atLeast(f, "")
	case *kind.Maximum:
		f, _ := k.Want.Float64()
		return atMost(f, "")
	case *kind.Pattern:
		return fmt.Sprintf("must match pattern %q", k.Want)
	case *kind.Format:
		return fmt.Sprintf("must match format %q", k.Want)
	case *kind.Required:
		return fmt.Sprintf("must have property %q", k.Missing[0])
	case *kind.AdditionalProperties:
		return fmt.Sprintf("must not have property %q", slices.Min(k.Properties))
	case *kind.FalseSchema:
		return "is a value that its schema never takes"
	}
	return fmt.Sprintf("does not satisfy %q of its schema", keywordOf(e))
}

func listed(list []any) string {
	var words []string
	for _, v := range list {
		text, _ := catalog.JSON(v)
		words = append(words, string(text))
	}
	return strings.Join(words, ", ")
}

// leaves returns the innermost causes of an error; those of alternatives are none.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf, *kind.Not, *kind.Contains, *kind.PropertyNames:
		return []*jsonschema.ValidationError{e}
	}
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var all []*jsonschema.ValidationError
	for _, c := range e.Causes {
		all = append(all, leaves(c)...)
	}
	return all
}

// compareLeaves orders errors from the outside to the inside, and items by their number:
// the validator goes through objects in any order.
func compareLeaves(a, b *jsonschema.ValidationError) int {
	byToken := slices.CompareFunc(a.InstanceLocation, b.InstanceLocation, func(x, y string) int {
		m, errM := strconv.Atoi(x)
		n, errN := strconv.Atoi(y)
		if errM == nil && errN == nil && m != n {
			return cmp.Compare(m, n)
		}
		return cmp.Compare(x, y)
	})
	return cmp.Or(cmp.Compare(len(a.InstanceLocation), len(b.InstanceLocation)), byToken, cmp.Compare(keywordOf(a), keywordOf(b)))
}

func keywordOf(e *jsonschema.ValidationError) string {
	switch e.ErrorKind.(type) {
	case *kind.Not:
		return "not"
	case *kind.Dependency:
		return "dependencies"
	}
	if path := e.ErrorKind.KeywordPath(); len(path) > 0 {
		return path[0]
	}
	return ""
}

// isFormat reports whether a text has one of the textFormats.
func isFormat(name, v string) bool {
	switch name {
	case "date-time", "timer":
		_, err := time.Parse(time.RFC3339Nano, v)
		return err == nil
	case "url", "uri":
		u, err := url.Parse(v)
		return err == nil && u.Scheme != ""
	case "email", "idn-email":
		a, err := mail.ParseAddress(v)
		return err == nil && a.Address == v
	case "ipv4", "ipv6":
		a, err := netip.ParseAddr(v)
		return err == nil && a.Is4() == (name == "ipv4")
	}
	return true
}
