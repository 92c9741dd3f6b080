package porttest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// predicate reports whether an entity matches a search query.
type predicate func(*cell) bool

// compileQuery reads {combinator, rules}, whose shape has been checked. The
// error names a rule that Port knows and this emulator does not.
func (t *store) compileQuery(query map[string]any) (predicate, error) {
	var parts []predicate
	rules, _ := query["rules"].([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		p, err := t.compileRule(rule)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	if query["combinator"] == "or" {
		return func(c *cell) bool {
			return slices.ContainsFunc(parts, func(p predicate) bool { return p(c) })
		}, nil
	}
	return func(c *cell) bool {
		return !slices.ContainsFunc(parts, func(p predicate) bool { return !p(c) })
	}, nil
}

func (t *store) compileRule(rule map[string]any) (predicate, error) {
	if _, nested := rule["rules"]; nested {
		return t.compileQuery(rule)
	}
	operator, _ := rule["operator"].(string)
	compare, known := operators[operator]
	read := t.reader(rule)
	if !known || read == nil {
		return nil, fmt.Errorf("the emulator has no rule %s", strings.TrimSpace(string(encode(rule))))
	}
	want := rule["value"]
	return func(c *cell) bool { return compare(read(c), want) }, nil
}

// reader returns what a rule looks at, or nil.
func (t *store) reader(rule map[string]any) func(*cell) any {
	if name, ok := rule["property"].(string); ok {
		return func(c *cell) any { return t.field(c, name) }
	}
	if name, ok := rule["relation"].(string); ok && (rule["targetProperty"] == nil || rule["targetProperty"] == "$identifier") {
		return func(c *cell) any { return c.entity.Relations[name] }
	}
	return nil
}

// field is the value of a property or meta-property, nil when not set.
func (t *store) field(c *cell, name string) any {
	e := &c.entity
	switch name {
	case "$identifier":
		return e.Identifier
	case "$title":
		return textOrNil(e.Title)
	case "$icon":
		return textOrNil(e.Icon)
	case "$blueprint":
		return e.Blueprint
	case "$datasource":
		return textOrNil(e.Datasource)
	case "$team":
		return listOf(t.team(c))
	case "$createdAt":
		return wireTime(e.CreatedAt)
	case "$updatedAt":
		return wireTime(e.UpdatedAt)
	}
	if v, set := e.Properties[name]; set {
		return v
	}
	if path, mirrored := t.blueprints[e.Blueprint].mirrors[name]; mirrored {
		return t.mirror(c, path)
	}
	return nil
}

// mirror follows a path of one single relation; a longer one is nil.
func (t *store) mirror(c *cell, path string) any {
	relation, name, _ := strings.Cut(path, ".")
	id, single := c.entity.Relations[relation].(string)
	target := t.cells[ref{t.blueprints[c.entity.Blueprint].relations[relation].target, id}]
	if !single || target == nil || strings.Contains(name, ".") {
		return nil
	}
	if strings.HasPrefix(name, "$") {
		return t.field(target, name)
	}
	return target.entity.Properties[name]
}

func textOrNil(v string) any {
	if v == "" {
		return nil
	}
	return v
}

func listOf(list []string) []any {
	values := make([]any, len(list))
	for i, v := range list {
		values[i] = v
	}
	return values
}

// operators are Port's comparisons, of what is stored with what the rule says.
// Source: static/apispec.yaml of https://github.com/port-labs/port-docs, 2026-01-28.
var operators = map[string]func(got, want any) bool{
	"=":                 equalJSON,
	"!=":                not(equalJSON),
	"contains":          includes,
	"doesNotContains":   not(includes),
	"beginsWith":        onText(strings.HasPrefix),
	"doesNotBeginsWith": not(onText(strings.HasPrefix)),
	"endsWith":          onText(strings.HasSuffix),
	"doesNotEndsWith":   not(onText(strings.HasSuffix)),
	"in":                isIn,
	"notIn":             not(isIn),
	"containsAny":       includesAny,
	"isEmpty":           isEmpty,
	"isNotEmpty":        not(isEmpty),
	">":                 ordered(func(o int) bool { return o > 0 }),
	">=":                ordered(func(o int) bool { return o >= 0 }),
	"<":                 ordered(func(o int) bool { return o < 0 }),
	"<=":                ordered(func(o int) bool { return o <= 0 }),
}

func not(f func(got, want any) bool) func(got, want any) bool {
	return func(got, want any) bool { return !f(got, want) }
}

func onText(f func(s, part string) bool) func(got, want any) bool {
	return func(got, want any) bool {
		s, text := got.(string)
		part, ok := want.(string)
		return text && ok && f(s, part)
	}
}

func includes(got, want any) bool {
	if list, ok := got.([]any); ok {
		return slices.ContainsFunc(list, func(v any) bool { return equalJSON(v, want) })
	}
	if parts, ok := want.([]any); ok {
		return slices.ContainsFunc(parts, func(v any) bool { return includes(got, v) })
	}
	return onText(strings.Contains)(got, want)
}

func isIn(got, want any) bool {
	list, _ := want.([]any)
	return slices.ContainsFunc(list, func(v any) bool { return equalJSON(got, v) })
}

func includesAny(got, want any) bool {
	list, many := got.([]any)
	if !many {
		return isIn(got, want)
	}
	return slices.ContainsFunc(list, func(v any) bool { return isIn(v, want) })
}

func isEmpty(got, _ any) bool {
	switch v := got.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// ordered compares two numbers or two instants; other pairs never match.
func ordered(accept func(order int) bool) func(got, want any) bool {
	return func(got, want any) bool {
		if x, ok := numberOf(got); ok {
			y, ok := numberOf(want)
			return ok && accept(x.Cmp(y))
		}
		x, first := instant(got)
		y, second := instant(want)
		return first && second && accept(x.Compare(y))
	}
}

func instant(v any) (t time.Time, ok bool) {
	text, ok := v.(string)
	if !ok {
		return t, false
	}
	return parseTime(text)
}
