package porttest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// schema is a compiled JSON Schema, of the subset that Port's OpenAPI document
// and Port's blueprints use. It is safe for concurrent use.
type schema struct {
	types      []string
	enum       []any
	properties map[string]*schema
	names      *schema // propertyNames
	extra      *schema // additionalProperties as a schema
	closed     bool    // additionalProperties: false
	required   []string
	items      *schema
	anyOf      []*schema
	oneOf      []*schema
	pattern    *pattern
	format     string
	bounds     bounds
	ref        string
	refs       map[string]*schema
}

// bounds are the numeric keywords that are present, by name.
type bounds map[string]float64

var boundKeywords = []string{"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "minProperties", "maxProperties"}

// compile reads a schema. A keyword it does not know has no effect, as JSON
// Schema wants it. refs is where "$ref" finds its names, when it is used.
func compile(raw map[string]any, refs map[string]*schema) (*schema, error) {
	c := &schema{refs: refs, bounds: bounds{}}
	c.ref, _ = raw["$ref"].(string)
	c.format, _ = raw["format"].(string)
	c.types = stringsOf(raw["type"])
	c.required = stringsOf(raw["required"])
	if raw["nullable"] == true && len(c.types) > 0 {
		c.types = append(c.types, "null")
	}
	if list, ok := raw["enum"].([]any); ok {
		c.enum = list
	}
	for _, k := range boundKeywords {
		if n, ok := numberOf(raw[k]); ok {
			c.bounds[k], _ = n.Float64()
		}
	}
	if text, ok := raw["pattern"].(string); ok {
		p, err := compilePattern(text)
		if err != nil {
			return nil, err
		}
		c.pattern = p
	}
	return c, c.compileParts(raw)
}

func (c *schema) compileParts(raw map[string]any) (err error) {
	one := func(v any) *schema {
		m, ok := v.(map[string]any)
		if !ok || err != nil {
			return nil
		}
		var sub *schema
		sub, err = compile(m, c.refs)
		return sub
	}
	list := func(v any) (subs []*schema) {
		items, _ := v.([]any)
		for _, item := range items {
			subs = append(subs, one(item))
		}
		return subs
	}
	c.names, c.items, c.extra = one(raw["propertyNames"]), one(raw["items"]), one(raw["additionalProperties"])
	c.closed = raw["additionalProperties"] == false
	c.anyOf, c.oneOf = list(raw["anyOf"]), list(raw["oneOf"])
	if props, ok := raw["properties"].(map[string]any); ok {
		c.properties = map[string]*schema{}
		for k, v := range props {
			c.properties[k] = one(v)
		}
	}
	return err
}

// check returns what is wrong with v, or "". at names v in the answer.
func (c *schema) check(at string, v any) string {
	if c == nil {
		return ""
	}
	if c.ref != "" {
		return c.refs[c.ref].check(at, v)
	}
	if len(c.types) > 0 && !slices.ContainsFunc(c.types, func(t string) bool { return isType(t, v) }) {
		return fmt.Sprintf("%s must be %s", at, strings.Join(c.types, " or "))
	}
	if c.enum != nil && !slices.ContainsFunc(c.enum, func(e any) bool { return equalJSON(e, v) }) {
		return fmt.Sprintf("%s must be equal to one of the allowed values", at)
	}
	if why := c.checkForms(at, v); why != "" {
		return why
	}
	switch v := v.(type) {
	case string:
		return c.checkString(at, v)
	case json.Number:
		n, _ := v.Float64()
		return c.bounds.check(at, "", n, "minimum", "maximum")
	case []any:
		return c.checkArray(at, v)
	case map[string]any:
		return c.checkObject(at, v)
	}
	return ""
}

func (c *schema) checkForms(at string, v any) string {
	fits := func(s *schema) bool { return s.check(at, v) == "" }
	if c.anyOf != nil && !slices.ContainsFunc(c.anyOf, fits) {
		return at + " must match a schema in anyOf"
	}
	if c.oneOf == nil {
		return ""
	}
	n, first := 0, ""
	for _, s := range c.oneOf {
		why := s.check(at, v)
		if why == "" {
			n++
		} else if first == "" {
			first = why
		}
	}
	if n != 1 {
		return fmt.Sprintf("%s must match exactly one schema in oneOf (%d match; %s)", at, n, first)
	}
	return ""
}

func (c *schema) checkString(at, v string) string {
	if why := c.bounds.check(at, "characters", float64(utf8.RuneCountInString(v)), "minLength", "maxLength"); why != "" {
		return why
	}
	if c.pattern != nil && !c.pattern.match(v) {
		return fmt.Sprintf("%s must match pattern %q", at, c.pattern.text)
	}
	if c.format != "" && !isFormat(c.format, v) {
		return fmt.Sprintf("%s must match format %q", at, c.format)
	}
	return ""
}

func (c *schema) checkArray(at string, v []any) string {
	if why := c.bounds.check(at, "items", float64(len(v)), "minItems", "maxItems"); why != "" {
		return why
	}
	for i, item := range v {
		if why := c.items.check(fmt.Sprintf("%s/%d", at, i), item); why != "" {
			return why
		}
	}
	return ""
}

func (c *schema) checkObject(at string, v map[string]any) string {
	if why := c.bounds.check(at, "properties", float64(len(v)), "minProperties", "maxProperties"); why != "" {
		return why
	}
	for _, k := range c.required {
		if _, ok := v[k]; !ok {
			return fmt.Sprintf("%s must have required property %q", at, k)
		}
	}
	for _, k := range sortedKeys(v) {
		if why := c.names.check(at+" property name "+k, k); why != "" {
			return why
		}
		sub, known := c.properties[k]
		if !known {
			if c.closed {
				return fmt.Sprintf("%s must not have additional property %q", at, k)
			}
			sub = c.extra
		}
		if why := sub.check(at+"/"+k, v[k]); why != "" {
			return why
		}
	}
	return ""
}

func (b bounds) check(at, unit string, n float64, low, high string) string {
	if limit, ok := b[low]; ok && n < limit {
		return strings.TrimSpace(fmt.Sprintf("%s must not be less than %v %s", at, limit, unit))
	}
	if limit, ok := b[high]; ok && n > limit {
		return strings.TrimSpace(fmt.Sprintf("%s must not be more than %v %s", at, limit, unit))
	}
	return ""
}

// pattern is an ECMAScript pattern. Go's engine has no look-ahead, so the one
// that Port writes before its identifiers is taken off and checked by hand.
type pattern struct {
	text    string
	re      *regexp.Regexp
	notDots bool // "." and ".." are refused
}

const dotGuard = `(?!\.{1,2}$)`

// newLetters are some that came with Unicode 16, of Cyrillic, Latin and Garay: Go's tables
// may be older than those of Port.
const newLetters = `\x{1C89}\x{1C8A}\x{A7CB}-\x{A7CD}\x{10D4A}-\x{10D65}`

func compilePattern(text string) (*pattern, error) {
	rest := strings.Replace(text, "^"+dotGuard, "^", 1)
	rest = strings.ReplaceAll(rest, `[\p{L}`, `[\p{L}`+newLetters)
	re, err := regexp.Compile(rest)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", text, err)
	}
	return &pattern{text: text, re: re, notDots: rest != text}, nil
}

func (p *pattern) match(v string) bool {
	return p.re.MatchString(v) && !(p.notDots && (v == "." || v == ".."))
}

func isType(name string, v any) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case json.Number:
		n, ok := numberOf(v)
		return name == "number" || name == "integer" && ok && n.IsInt()
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}

// numberOf is exact: 1, 1.0 and 1e0 are one number, and large integers keep
// every digit. One beyond float64's range is not taken for a number, and one too
// small for it is 0: written out, they would fill the memory.
func numberOf(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	f, err := n.Float64()
	if err != nil {
		return nil, false
	}
	if f == 0 {
		return new(big.Rat), true
	}
	return new(big.Rat).SetString(n.String())
}

func equalJSON(a, b any) bool {
	if x, ok := numberOf(a); ok {
		y, ok := numberOf(b)
		return ok && x.Cmp(y) == 0
	}
	return reflect.DeepEqual(a, b)
}

func stringsOf(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, item := range v {
			if s, ok := item.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
