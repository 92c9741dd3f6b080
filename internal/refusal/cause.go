package refusal

import (
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
)

// cause is what Port's words about one entity mean.
type cause struct {
	Refusal
	blueprint string
	err       *port.Error
	field     offendingField
	expr      mapping.Expr // of the field, when it is mapped
	mapped    bool
	value     any            // of the field, as it was sent
	absent    Absent         // the zero Absent when that is not the cause
	cycle     []catalog.Ref  // nil when that is not the cause
	schema    port.Blueprint // empty when it is not known
	known     bool
}

// newCause finds what Port's words are about. Where they name no property that is unknown,
// the blueprint shows which one it is.
func newCause(r Refusal, e *port.Error) *cause {
	c := &cause{Refusal: r, blueprint: r.Entity.Ref.Blueprint, err: e}
	text := e.Message
	if id := r.Entity.Ref.Identifier; id != "" && id != c.blueprint && !slices.Contains(fieldNames(r.Mapping), id) {
		text = replaceValue(text, id)
	}
	c.field = findField(r.Mapping, r.Entity.Targets, e, text)
	if c.field.word == "" && c.searched() && (NotFound(e) || strings.Contains(text, "query")) {
		c.field.word = "identifier"
	}
	unnamed := c.field.word == "" && strings.Contains(strings.ToLower(text), "additional propert")
	if unnamed || c.field.name != "" {
		c.schema, c.known = r.Schema()
	}
	if absent, found := named(r.Absent, e.Message); found && NotFound(e) && !c.searched() {
		c.field, c.absent, c.cycle = offendingField{"relation", absent.Relation}, absent, r.Cycle
	}
	for _, f := range r.Mapping.Properties {
		if _, there := c.schema.Schema.Properties[f.Name]; unnamed && c.known && !there {
			c.field = offendingField{"property", f.Name}
			break
		}
	}
	c.expr, c.mapped = locate(r.Mapping, c.field)
	c.value = sent(r.Entity.Body, c.field)
	return c
}

// searched reports whether a search query finds the entity.
func (r Refusal) searched() bool { return r.Mapping.Identifier.Query != nil }

// named returns the absent entity that Port's words name, or else the first one.
func named(all []Absent, words string) (Absent, bool) {
	if len(all) == 0 {
		return Absent{}, false
	}
	var names []string
	for _, q := range quotedName.FindAllStringSubmatch(words, -1) {
		names = append(names, q[1])
	}
	i := slices.IndexFunc(all, func(a Absent) bool { return slices.Contains(names, a.Ref.Identifier) })
	return all[max(i, 0)], true
}
