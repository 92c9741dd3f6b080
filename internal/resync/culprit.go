package resync

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
)

// culprit is the part of an entity that Port's words are about.
type culprit struct {
	word string // property, relation, title, icon, team or identifier; empty when it is not known
	name string // of the property or the relation
}

func (c culprit) String() string {
	if c.name == "" {
		return c.word
	}
	return c.word + " " + strconv.Quote(c.name)
}

// Port's wording is not documented. These find a path to a value, as validators of
// JSON Schema write it, a field by its word and its name, one of the few
// keys beside them, and any name in quotes.
var (
	culpritPath   = regexp.MustCompile(`\b(?:properties[/.])*(properties|relations)["']?\]?(?:[/.]|\[["']?)([A-Za-z0-9@_=\\-]+)`)
	culpritWord   = regexp.MustCompile("(?i)\\b(propert|relation)(?:y|ies|s)?(?: named| called|:)?\\s*[\"'`“‘]([^\"'`”’]+)[\"'`”’]")
	culpritPlain  = regexp.MustCompile(`(?i)\b(property|relation) ([A-Za-z0-9@_=\\-]+)`)
	culpritKey    = regexp.MustCompile("(?:^|[\\s/.\"'`\\[])(title|icon|team|identifier)(?:[\"'`\\]/]|\\s+(?:must|should|is|was|does|has|cannot|[\"'`])|$)")
	culpritQuoted = regexp.MustCompile("[\"'`“‘]([^\"'`”’]{1,100})[\"'`”’]")
)

// findCulprit reads Port's words about an entity, which do not hold the entity's
// own identifier any more, and to which the targets are related. When in doubt it
// finds nothing.
func findCulprit(e mapping.Entity, targets []catalog.Target, refusal *port.Error, text string) culprit {
	if inheritsTeam(refusal.Code) || inheritsTeam(text) {
		return culprit{word: "team"}
	}
	path, word := culpritPath.FindStringSubmatchIndex(text), culpritWord.FindStringSubmatchIndex(text)
	first := path
	if path == nil || word != nil && word[0] < path[0] {
		first = word
	}
	if first != nil {
		return fieldOf(e, text[first[2]:first[3]], text[first[4]:first[5]])
	}
	for _, plain := range culpritPlain.FindAllStringSubmatch(text, -1) {
		c := fieldOf(e, plain[1], plain[2])
		if _, mapped := locate(e, c); mapped { // else it is any word
			return c
		}
	}
	// What is missing is another entity: its identifier is not that of this one.
	if key := culpritKey.FindStringSubmatch(text); key != nil && !missing(refusal) {
		return culprit{word: key[1]}
	}
	var quoted []string
	for _, q := range culpritQuoted.FindAllStringSubmatch(text, -1) {
		quoted = append(quoted, q[1])
	}
	var related, named []culprit
	for _, t := range targets {
		if slices.Contains(quoted, t.Identifier) {
			related = append(related, culprit{"relation", t.Relation})
		}
	}
	for _, name := range quoted {
		for _, c := range []culprit{{"property", name}, {"relation", name}} {
			if _, mapped := locate(e, c); mapped {
				named = append(named, c)
			}
		}
	}
	if missing(refusal) && len(related) > 0 {
		return only(related)
	}
	return only(named)
}

// only is the one that all agree on.
func only(all []culprit) culprit {
	if all = slices.Compact(all); len(all) == 1 {
		return all[0]
	}
	return culprit{}
}

// fieldOf tells a property from a relation. Where the entry maps only the other
// one of that name, it is the other: validators call any key a property.
func fieldOf(e mapping.Entity, word, name string) culprit {
	this, other := culprit{"property", name}, culprit{"relation", name}
	if strings.HasPrefix(strings.ToLower(word), "relation") {
		this, other = other, this
	}
	_, mapped := locate(e, this)
	if _, otherMapped := locate(e, other); !mapped && otherMapped {
		return other
	}
	return this
}

// fieldNames are the names of an entry's properties and relations.
func fieldNames(e mapping.Entity) []string {
	var names []string
	for _, f := range slices.Concat(e.Properties, e.Relations) {
		names = append(names, f.Name)
	}
	return names
}

// inheritsTeam knows the codes team_inheritance_enabled and, of other routes,
// inherited_ownership_enabled.
//
// Source: https://docs.port.io/api-reference/create-an-entity, read 2026-11.
func inheritsTeam(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "team_inheritance") || strings.Contains(text, "inherited_ownership")
}

// locate finds the expression of a culprit; false when the entry has none.
func locate(e mapping.Entity, c culprit) (mapping.Expr, bool) {
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
