package mapping

import (
	"fmt"
	"strconv"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/diag"
)

// resourceBuilder reads one resource.
type resourceBuilder struct {
	*builder
	r Resource
}

// resource returns a resource as far as it can be read.
func (base *builder) resource(index int, n *node) Resource {
	b := &resourceBuilder{base, Resource{Index: index, ItemsToParseName: defaultItemName, TopLevelTransform: true, src: base.src}}
	base.where = b.r.Where()
	defer func() { base.where = diag.Where{} }()
	b.read(n)
	return b.r
}

func (b *resourceBuilder) read(n *node) {
	b.kind(n.child("kind"))
	values, _, ok := b.object(n, "", resourceKeys)
	if !ok {
		return
	}
	b.kind(values["kind"])
	kind := b.required(values, "kind", n, "kind", `write what to read, such as "kind: repository"`)
	if kind != nil && b.r.Kind == "" {
		b.error(RuleWrongType, kind.pos, "kind", "expected a name, found "+kind.describe(), `write what to read, such as "kind: repository"`)
	}
	const selectorFix = `write "selector:" and under it "query: 'true'", which takes every object`
	if selector := b.required(values, "selector", n, "selector", selectorFix); selector != nil {
		b.selector(selector, selectorFix)
	}
	const portFix = `write "port:", under it "entity:", and under that "mappings:"`
	if port := b.required(values, "port", n, "port", portFix); port != nil {
		b.port(port, portFix)
	}
}

// kind names the resource by its kind, when that is a text.
func (b *resourceBuilder) kind(n *node) {
	if n == nil {
		return
	}
	if text, ok := n.value.(string); ok {
		b.r.Kind, b.r.KindPos = text, n.pos
		b.where = b.r.Where()
	}
}

// selector reads the query, and leaves the other keys to the kind.
func (b *resourceBuilder) selector(n *node, fix string) {
	if n.kind != yaml.MappingNode {
		if n = b.noObject(n, "selector", fix); n == nil {
			return
		}
	}
	b.r.Selector = Selector{node: n, where: b.where, src: b.src}
	values := map[string]*node{"query": n.child("query")}
	for _, e := range n.entries {
		if b.misspelt(e, values, "selector", commonKeys) {
			b.r.Selector.reported = e.key
		}
	}
	query := b.required(values, "query", n, "selector.query", "write \"query: 'true'\" to take every object")
	if query != nil {
		b.r.Query, _ = b.expr(query, "selector.query")
	}
}

func (b *resourceBuilder) port(n *node, fix string) {
	values, ignored, ok := b.object(n, "port", portKeys)
	if !ok {
		return
	}
	b.items(&b.r, values)
	if len(ignored) > 0 {
		b.unread(func() { b.items(b.aside(), ignored) })
	}
	entity := b.required(values, "entity", n, "port.entity", fix)
	if entity == nil {
		return
	}
	values, _, ok = b.object(entity, "port.entity", entityKeys)
	if !ok {
		return
	}
	const mappingsFix = `write "mappings:" with at least identifier and blueprint`
	mappings := b.required(values, "mappings", entity, "port.entity.mappings", mappingsFix)
	if mappings == nil {
		return
	}
	if mappings.kind != yaml.SequenceNode {
		b.r.Entities = []Entity{b.entity(mappings, "port.entity.mappings")}
		return
	}
	if len(mappings.items) == 0 {
		b.error(RuleEmptyList, mappings.at, "port.entity.mappings", "the list is empty", mappingsFix)
	}
	for i, item := range mappings.items {
		b.r.Entities = append(b.r.Entities, b.entity(item, "port.entity.mappings "+strconv.Itoa(i+1)))
	}
}

// aside holds what stands below keys that are ignored.
func (b *resourceBuilder) aside() *Resource {
	if b.r.Misspelt == nil {
		b.r.Misspelt = &Resource{}
	}
	return b.r.Misspelt
}

// items reads how an object becomes several.
func (b *resourceBuilder) items(into *Resource, values values) {
	into.ItemsToParse = b.optionalExpr(values, "itemsToParse", "itemsToParse")
	into.TopLevelTransform = b.boolean(values, "itemsToParseTopLevelTransform", "itemsToParseTopLevelTransform", true)
	if name := b.optional(values, "itemsToParseName", "itemsToParseName"); name != nil {
		const fix = `write the key under which an expression finds the item, such as "item"`
		if text, isText := b.text(name, "itemsToParseName", "a name", fix); text != "" {
			into.ItemsToParseName = text
		} else if isText {
			b.error(RuleWrongType, name.pos, "itemsToParseName", "the name is empty", fix)
		}
	}
}

func (b *resourceBuilder) entity(n *node, name string) Entity {
	e := Entity{Pos: n.pos}
	values, ignored, ok := b.object(n, name, mappingsKeys)
	if !ok {
		return e
	}
	b.amongProperties(values, "identifier", "blueprint")
	const identifierFix = `write a jq expression that differs from entity to entity, such as "identifier: .uuid"`
	if identifier := b.required(values, "identifier", n, "identifier", identifierFix); identifier != nil {
		e.Identifier, _ = b.value(identifier, "identifier")
	}
	const blueprintFix = `write the blueprint's identifier in both quotes, such as "blueprint: '"bitbucketRepository"'"`
	if blueprint := b.required(values, "blueprint", n, "blueprint", blueprintFix); blueprint != nil {
		e.Blueprint, _ = b.expr(blueprint, "blueprint")
	}
	b.parts(&e, values)
	if len(ignored) > 0 {
		b.unread(func() {
			also := Entity{Pos: n.pos}
			b.parts(&also, ignored)
			b.aside().Entities = append(b.aside().Entities, also)
		})
	}
	return e
}

// parts reads the parts of an entity that it need not have.
func (b *resourceBuilder) parts(e *Entity, values values) {
	e.Title = b.optionalExpr(values, "title", "title")
	e.Icon = b.optionalExpr(values, "icon", "icon")
	if team := b.optional(values, "team", "team"); team != nil {
		if value, ok := b.value(team, "team"); ok {
			e.Team = &value
		}
	}
	e.Properties = b.fields(values, "properties", "property", b.exprValue)
	e.Relations = b.fields(values, "relations", "relation", b.value)
}

// amongProperties reports required keys that stand one level too deep: there they are
// names of properties. They are then not missing as well.
func (b *resourceBuilder) amongProperties(values values, keys ...string) {
	properties := values["properties"]
	if properties == nil {
		return
	}
	for _, key := range keys {
		inner := properties.child(key)
		if values[key] != nil || inner == nil {
			continue
		}
		b.error(RuleMisplacedKey, inner.at, "properties", fmt.Sprintf("%q is below properties, where it is the name of a property", key),
			"move it up, next to properties, with the same indentation")
		values[key] = inner
	}
}

// fields reads properties or relations, in file order.
func (b *resourceBuilder) fields(values values, key, word string, read func(*node, string) (Value, bool)) []Field {
	n := b.optional(values, key, key)
	if n == nil {
		return nil
	}
	if n.kind != yaml.MappingNode {
		fix := "write one line for each " + word + ": its name, and a jq expression"
		if n.kind == yaml.SequenceNode && len(n.items) > 0 && n.items[0].kind == yaml.MappingNode {
			fix = `remove the "- ": ` + fix
		}
		b.error(RuleWrongType, n.at, key, `expected "key: value" lines, found `+n.describe(), fix)
		return nil
	}
	var list []Field
	for _, e := range n.entries {
		name := word + " " + strconv.Quote(e.key)
		if e.value.null() {
			b.warn(RuleNull, e.pos, name, "is null, and counts as absent", "remove the key; to empty it in Port write 'null' in quotes")
			continue
		}
		if (e.key == "properties" || e.key == "relations") && e.value.kind == yaml.MappingNode && e.value.child("rules") == nil {
			b.error(RuleMisplacedKey, e.pos, key, fmt.Sprintf("%q is below %s, where it is the name of a %s", e.key, key, word),
				"move it up, with the same indentation as "+strconv.Quote(key))
			continue
		}
		if value, ok := read(e.value, name); ok {
			list = append(list, Field{Name: e.key, Value: value})
		}
	}
	return list
}
