package dryrun

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// blueprint is what entities are checked by.
type blueprint struct {
	port.Blueprint
	shape    catalog.Shape
	required []string
	rules    map[string]func() rules // of properties, compiled when they are first needed
	exists   bool                    // in Port
}

func newBlueprint(b port.Blueprint, exists bool) *blueprint {
	read := &blueprint{Blueprint: b, shape: b.Shape(), rules: map[string]func() rules{}, exists: exists}
	names, _ := b.Schema.Required.([]any)
	for _, name := range names {
		if text, ok := name.(string); ok {
			read.required = append(read.required, text)
		}
	}
	slices.Sort(read.required)
	for name, raw := range b.Schema.Properties {
		read.rules[name] = sync.OnceValue(func() rules { return compileRules(raw) })
	}
	return read
}

// Unchecked is a keyword of a blueprint's schema by which values are not checked: Port
// may refuse what a plan shows as fine.
type Unchecked struct {
	Blueprint string
	Property  string // empty: the keyword is one of the whole schema
	Keyword   string // empty: none of the property's schema is checked
}

// check returns why Port would refuse an entity, nil when it would not, and what it was
// not checked by; next is the state after it.
func (b *blueprint) check(e *body, next *entity) (refused *port.Error, unchecked []Unchecked) {
	invalid := func(format string, args ...any) *port.Error {
		return refuse(http.StatusUnprocessableEntity, "invalid_request", format, args...)
	}
	if _, list := b.Schema.Required.([]any); !list && b.Schema.Required != nil {
		unchecked = append(unchecked, Unchecked{Blueprint: e.ref.Blueprint, Keyword: "required"})
	}
	for _, name := range slices.Sorted(maps.Keys(e.Properties)) {
		rules, known := b.rules[name]
		if !known {
			return invalid("property %q is not a property of blueprint %q", name, e.ref.Blueprint), unchecked
		}
		v := e.Properties[name]
		if v == nil {
			continue
		}
		if n, isNumber := v.(json.Number); isNumber {
			if _, err := n.Float64(); err != nil {
				return invalid("property %q is a number that Port cannot keep: it has doubles", name), unchecked
			}
		}
		why, without := rules().check(v)
		if why != "" {
			return invalid("property %q %s", name, why), unchecked
		}
		for _, keyword := range without {
			unchecked = append(unchecked, Unchecked{e.ref.Blueprint, name, keyword})
		}
	}
	for _, name := range b.required {
		if next.properties[name] == nil {
			return invalid("property %q is required", name), unchecked
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Relations)) {
		if b.Relations[name].Required && next.relations[name] == nil {
			return invalid("relation %q is required", name), unchecked
		}
	}
	return nil, unchecked
}
