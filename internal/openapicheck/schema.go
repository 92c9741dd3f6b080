package openapicheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// dotGuard is the look-ahead that Port writes before its identifiers: neither "." nor "..". Go's engine has no
// look-ahead, so it is checked by hand.
const dotGuard = `(?!\.{1,2}$)`

type guarded struct {
	re    *regexp.Regexp
	guard bool
}

func (g guarded) MatchString(s string) bool {
	return g.re.MatchString(s) && !(g.guard && (s == "." || s == ".."))
}

func compilePattern(text string) (openapi3.RegexMatcher, error) {
	rest := strings.Replace(text, "^"+dotGuard, "^", 1)
	re, err := regexp.Compile(rest)
	if err != nil {
		return nil, err
	}
	return guarded{re: re, guard: rest != text}, nil
}

// format is a kin-openapi format validator.
type format func(string) error

func (f format) Validate(s string) error { return f(s) }

func isURI(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return errors.New("an absolute address is due")
	}
	return nil
}

// schemaOptions are those of every validation; uri judges the formats "uri" and "url".
func schemaOptions(uri format) []openapi3.SchemaValidationOption {
	return []openapi3.SchemaValidationOption{
		openapi3.SetSchemaRegexCompiler(compilePattern),
		// Its own message prints schema and value, which takes most of the time and is not read: see explain.
		openapi3.SetSchemaErrorMessageCustomizer(func(e *openapi3.SchemaError) string { return e.Reason }),
		openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{"uri": uri, "url": uri}),
	}
}

// fits explains why a value does not fit a schema. The error names the place in the value.
func (d *document) fits(schema *openapi3.Schema, v any) error {
	if err := schema.VisitJSON(v, d.options...); err != nil {
		return explain(err)
	}
	return d.checkNames(schema, v, nil)
}

// checkNames applies "propertyNames", which kin-openapi's own validator passes over.
func (d *document) checkNames(schema *openapi3.Schema, v any, at []string) error {
	for _, part := range schema.AllOf {
		if err := d.checkNames(part.Value, v, at); err != nil {
			return err
		}
	}
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			if schema.Items == nil {
				break
			}
			if err := d.checkNames(schema.Items.Value, e, append(slices.Clip(at), strconv.Itoa(i))); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			if names := schema.PropertyNames; names != nil {
				if err := names.Value.VisitJSON(k, d.options...); err != nil {
					return fmt.Errorf("/%s: the key %q: %w", strings.Join(at, "/"), k, explain(err))
				}
			}
			sub := schema.Properties[k]
			if sub == nil {
				sub = schema.AdditionalProperties.Schema
			}
			if sub == nil {
				continue
			}
			if err := d.checkNames(sub.Value, v[k], append(slices.Clip(at), k)); err != nil {
				return err
			}
		}
	}
	return nil
}

// explain shortens kin-openapi's error, which prints schemas and values, to the innermost place and reason.
func explain(err error) error {
	var e *openapi3.SchemaError
	if !errors.As(err, &e) {
		return err
	}
	for {
		var inner *openapi3.SchemaError
		if e.Origin == nil || !errors.As(e.Origin, &inner) {
			break
		}
		if e.SchemaField == "oneOf" {
			return fmt.Errorf("/%s: %s: at first /%s: %s", strings.Join(e.JSONPointer(), "/"), e.Reason,
				strings.Join(inner.JSONPointer(), "/"), inner.Reason)
		}
		e = inner
	}
	return fmt.Errorf("/%s: %s", strings.Join(e.JSONPointer(), "/"), e.Reason)
}

// decode reads exactly one JSON value, with exact numbers.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("no JSON: more follows the first value")
	}
	return v, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
