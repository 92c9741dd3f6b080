package dryrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// schema is a blueprint by which entities are checked.
type schema struct {
	port.Blueprint
	shape    catalog.Shape
	required []string
	exists   bool // in Port
}

// schema reads a blueprint, once.
func (s *Store) schema(ctx context.Context, blueprint string) (*schema, error) {
	s.mu.Lock()
	known := s.blueprints[blueprint]
	given, made := s.given[blueprint]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	b, err := s.client.Blueprint(ctx, blueprint)
	read := &schema{Blueprint: b, exists: err == nil}
	switch {
	case errors.Is(err, port.ErrNotFound) && made:
		read.Blueprint = given
	case err != nil:
		return nil, err
	}
	read.shape = read.Shape()
	names, _ := read.Schema.Required.([]any)
	for _, name := range names {
		if text, ok := name.(string); ok {
			read.required = append(read.required, text)
		}
	}
	slices.Sort(read.required)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blueprints[blueprint] = read
	return read, nil
}

// check says why Port would refuse an entity; next is the state after it.
func (b *schema) check(e *body, next *entity) *port.Error {
	invalid := func(format string, args ...any) *port.Error {
		return refuse(http.StatusUnprocessableEntity, "invalid_request", format, args...)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Properties)) {
		rules, known := b.Schema.Properties[name]
		if !known {
			return invalid("property %q is not a property of blueprint %q", name, e.ref.Blueprint)
		}
		if v := e.Properties[name]; v != nil {
			object, _ := rules.(map[string]any)
			if n, isNumber := v.(json.Number); isNumber {
				if _, err := n.Float64(); err != nil {
					return invalid("property %q is a number that Port cannot keep: it has doubles", name)
				}
			}
			if why := violation(object, v); why != "" {
				return invalid("property %q %s", name, why)
			}
		}
	}
	for _, name := range b.required {
		if next.properties[name] == nil {
			return invalid("property %q is required", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Relations)) {
		if b.Relations[name].Required && next.relations[name] == nil {
			return invalid("relation %q is required", name)
		}
	}
	return nil
}

// violation says how a value breaks the rules of a property, which are a JSON
// Schema; empty when it does not. A rule that is not known here has no effect.
func violation(rules map[string]any, v any) string {
	if want, ok := rules["type"].(string); ok && !isType(want, v) {
		return fmt.Sprintf("must be %s, and is %s", want, typeOf(v))
	}
	if list, ok := rules["enum"].([]any); ok && !slices.ContainsFunc(list, func(e any) bool { return catalog.Same(e, v, catalog.Plain) }) {
		return "must be equal to one of the allowed values: " + listed(list)
	}
	switch v := v.(type) {
	case string:
		return textViolation(rules, v)
	case json.Number:
		n, err := v.Float64()
		if err != nil {
			return ""
		}
		return bounds(rules, "", "minimum", "maximum", n)
	case []any:
		if why := bounds(rules, " items", "minItems", "maxItems", float64(len(v))); why != "" {
			return why
		}
		items, ok := rules["items"].(map[string]any)
		for i, item := range v {
			if why := violation(items, item); ok && why != "" {
				return fmt.Sprintf("/%d %s", i, why)
			}
		}
	}
	return ""
}

func textViolation(rules map[string]any, v string) string {
	if why := bounds(rules, " characters", "minLength", "maxLength", float64(utf8.RuneCountInString(v))); why != "" {
		return why
	}
	if text, ok := rules["pattern"].(string); ok {
		// One that this engine does not know is left to Port.
		if pattern, err := regexp.Compile(text); err == nil && !pattern.MatchString(v) {
			return fmt.Sprintf("must match pattern %q", text)
		}
	}
	if format, ok := rules["format"].(string); ok && !isFormat(format, v) {
		return fmt.Sprintf("must match format %q", format)
	}
	return ""
}

func bounds(rules map[string]any, unit, low, high string, n float64) string {
	limit := func(name string) (float64, bool) {
		number, ok := rules[name].(json.Number)
		f, err := number.Float64()
		return f, ok && err == nil
	}
	if f, ok := limit(low); ok && n < f {
		return fmt.Sprintf("must have at least %v%s", f, unit)
	}
	if f, ok := limit(high); ok && n > f {
		return fmt.Sprintf("must have at most %v%s", f, unit)
	}
	return ""
}

func listed(list []any) string {
	var words []string
	for _, v := range list {
		text, _ := json.Marshal(v)
		words = append(words, string(text))
	}
	return strings.Join(words, ", ")
}

func isType(want string, v any) bool {
	if want == "integer" {
		n, ok := v.(json.Number)
		f, err := n.Float64()
		return ok && err == nil && f == float64(int64(f))
	}
	return want == typeOf(v)
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "number"
}

// isFormat says whether a text has one of the formats that have a certain form.
// Others, such as markdown or user, take any text.
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
