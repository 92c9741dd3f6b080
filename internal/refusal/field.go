package refusal

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
)

// offendingField is the part of an entity that Port's words are about.
type offendingField struct {
	word string // property, relation, title, icon, team or identifier; empty when it is not known
	name string // of the property or the relation
}

func (f offendingField) String() string {
	if f.name == "" {
		return f.word
	}
	return f.word + " " + strconv.Quote(f.name)
}

// Port's wording is not documented. These match a path to a value, as validators of JSON
// Schema write it, a field by its word and its name, one of the few keys besides them, and
// any name in quotes.
var (
	fieldPath  = regexp.MustCompile(`\b(?:properties[/.])*(properties|relations)["']?\]?(?:[/.]|\[["']?)([A-Za-z0-9@_=\\-]+)`)
	fieldWord  = regexp.MustCompile("(?i)\\b(propert|relation)(?:y|ies|s)?(?: named| called|:)?\\s*[\"'`“‘]([^\"'`”’]+)[\"'`”’]")
	fieldPlain = regexp.MustCompile(`(?i)\b(property|relation) ([A-Za-z0-9@_=\\-]+)`)
	fieldKey   = regexp.MustCompile("(?:^|[\\s/.\"'`\\[])(title|icon|team|identifier)(?:[\"'`\\]/]|\\s+(?:must|should|is|was|does|has|cannot|[\"'`])|$)")
	quotedName = regexp.MustCompile("[\"'`“‘]([^\"'`”’]{1,100})[\"'`”’]")
)

// findField finds the field that Port's words are about. The words no longer hold the
// entity's own identifier; the targets are what the entity relates to. When in doubt it
// finds nothing.
func findField(e mapping.Entity, targets []catalog.Target, refusal *port.Error, text string) offendingField {
	if inheritsTeam(refusal.Code) || inheritsTeam(text) {
		return offendingField{word: "team"}
	}
	path, word := fieldPath.FindStringSubmatchIndex(text), fieldWord.FindStringSubmatchIndex(text)
	first := path
	if path == nil || word != nil && word[0] < path[0] {
		first = word
	}
	if first != nil {
		return fieldOf(e, text[first[2]:first[3]], text[first[4]:first[5]])
	}
	for _, plain := range fieldPlain.FindAllStringSubmatch(text, -1) {
		c := fieldOf(e, plain[1], plain[2])
		if _, mapped := locate(e, c); mapped { // else it is any word
			return c
		}
	}
	// What is missing is another entity: its identifier is not that of this one.
	if key := fieldKey.FindStringSubmatch(text); key != nil && !NotFound(refusal) {
		return offendingField{word: key[1]}
	}
	var quoted []string
	for _, q := range quotedName.FindAllStringSubmatch(text, -1) {
		quoted = append(quoted, q[1])
	}
	var related, named []offendingField
	for _, t := range targets {
		if slices.Contains(quoted, t.Identifier) {
			related = append(related, offendingField{"relation", t.Relation})
		}
	}
	for _, name := range quoted {
		for _, c := range []offendingField{{"property", name}, {"relation", name}} {
			if _, mapped := locate(e, c); mapped {
				named = append(named, c)
			}
		}
	}
	if NotFound(refusal) && len(related) > 0 {
		return only(related)
	}
	return only(named)
}

// only returns the field that all agree on, and none when they do not.
func only(all []offendingField) offendingField {
	if all = slices.Compact(all); len(all) == 1 {
		return all[0]
	}
	return offendingField{}
}

// fieldOf returns the property or the relation of a name. When the entry maps only the other
// one of that name, it returns the other, since validators call any key a property.
func fieldOf(e mapping.Entity, word, name string) offendingField {
	this, other := offendingField{"property", name}, offendingField{"relation", name}
	if strings.HasPrefix(strings.ToLower(word), "relation") {
		this, other = other, this
	}
	_, mapped := locate(e, this)
	if _, otherMapped := locate(e, other); !mapped && otherMapped {
		return other
	}
	return this
}

// fieldNames returns the names of an entry's properties and relations.
func fieldNames(e mapping.Entity) []string {
	var names []string
	for _, f := range slices.Concat(e.Properties, e.Relations) {
		names = append(names, f.Name)
	}
	return names
}

// inheritsTeam recognizes the codes team_inheritance_enabled and, of other routes,
// inherited_ownership_enabled.
//
// Source: https://docs.port.io/api-reference/create-an-entity, read 2026-11.
func inheritsTeam(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "team_inheritance") || strings.Contains(text, "inherited_ownership")
}

// locate finds the expression of a field; false when the entry does not map it.
func locate(e mapping.Entity, c offendingField) (mapping.Expr, bool) {
	var v mapping.Value
	switch c.word {
	case "property":
		v = valueOf(e.Properties, c.name)
	case "relation":
		v = valueOf(e.Relations, c.name)
	case "title":
		v.Expr = e.Title
	case "icon":
		v.Expr = e.Icon
	case "team":
		if e.Team != nil {
			v = *e.Team
		}
	case "identifier":
		v = e.Identifier
	}
	switch {
	case v.Expr != nil:
		return *v.Expr, true
	case v.Query != nil:
		return v.Query.Combinator, true
	}
	return mapping.Expr{}, false
}

func valueOf(fields []mapping.Field, name string) mapping.Value {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return mapping.Value{}
}
