package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/diag"
)

const (
	maxNodes = 100_000 // after aliases and merge keys are expanded
	maxDepth = 100
)

// node is a YAML value with aliases and merge keys resolved.
type node struct {
	kind    yaml.Kind // ScalarNode, MappingNode or SequenceNode
	style   yaml.Style
	pos     diag.Position
	at      diag.Position // of the key that holds this value; pos when there is none
	text    string        // of a scalar, as YAML reads it
	value   any           // of a scalar, as plain JSON; nil for null
	unread  bool          // YAML took a part of it for a tag
	comment string        // after the scalar, on its line
	entries []entry       // of a mapping, in file order
	items   []*node       // of a sequence
}

type entry struct {
	key   string
	pos   diag.Position
	value *node
}

func (n *node) null() bool { return n.kind == yaml.ScalarNode && n.value == nil }

// child returns the value of a key, or nil.
func (n *node) child(key string) *node {
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// describe names what the value is, for "expected ..., found ...".
func (n *node) describe() string {
	switch n.kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	}
	return "a number"
}

// plain returns the value as plain JSON.
func (n *node) plain() any {
	switch n.kind {
	case yaml.MappingNode:
		object := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			object[e.key] = e.value.plain()
		}
		return object
	case yaml.SequenceNode:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	}
	return n.value
}

// grower turns the nodes of the YAML library into a tree of our own.
type grower struct {
	src      *source
	problems diag.Problems
	count    int
	active   map[*yaml.Node]bool // aliases that are being expanded
	stopped  bool                // a bound was passed: the tree is not whole
}

func (g *grower) problem(rule diag.Rule, pos diag.Position, message, fix string) {
	g.problems = append(g.problems, g.src.problem(rule, diag.Error, pos, diag.Where{}, message, fix))
}

// stop reports a passed bound, once.
func (g *grower) stop(pos diag.Position, message, fix string) {
	if !g.stopped {
		g.problem(RuleYAMLAnchor, pos, message, fix)
	}
	g.stopped = true
}

func (g *grower) position(y *yaml.Node) diag.Position {
	return diag.Position{File: g.src.file, Line: y.Line, Column: y.Column}
}

// grow never returns nil. After a bound was passed it returns nulls.
func (g *grower) grow(y *yaml.Node, depth int) *node {
	pos := g.position(y)
	n := &node{kind: yaml.ScalarNode, pos: pos, at: pos, style: y.Style &^ yaml.TaggedStyle}
	g.count++
	switch {
	case g.stopped:
		return n
	case g.count > maxNodes:
		g.stop(pos, fmt.Sprintf("the mapping has more than %d values", maxNodes), "use fewer aliases (*name)")
		return n
	case depth > maxDepth:
		g.stop(pos, fmt.Sprintf("values are nested more than %d deep", maxDepth), "remove the nesting")
		return n
	}
	switch y.Kind {
	case yaml.AliasNode:
		return g.alias(y, n, depth)
	case yaml.MappingNode:
		n.kind = y.Kind
		g.tag(y, pos, "!!map")
		g.mapping(y, n, depth)
	case yaml.SequenceNode:
		n.kind = y.Kind
		g.tag(y, pos, "!!seq")
		for _, item := range y.Content {
			n.items = append(n.items, g.grow(item, depth+1))
		}
	case yaml.ScalarNode:
		g.scalar(y, n)
	}
	return n
}

func (g *grower) alias(y *yaml.Node, n *node, depth int) *node {
	if g.active[y.Alias] {
		g.stop(n.pos, fmt.Sprintf("the anchor %q contains itself", y.Value), "write the value out instead of *"+y.Value)
		return n
	}
	g.active[y.Alias] = true
	defer delete(g.active, y.Alias)
	return g.grow(y.Alias, depth+1)
}

// tag refuses a tag other than the one that the value has by itself.
func (g *grower) tag(y *yaml.Node, pos diag.Position, want string) {
	if got := y.ShortTag(); got != want {
		g.unknownTag(pos, got)
	}
}

func (g *grower) unknownTag(pos diag.Position, tag string) {
	fix := "remove the tag"
	if name := strings.TrimPrefix(tag, "!"); strings.HasPrefix(name, ".") {
		fix = fmt.Sprintf("for the opposite write (%s | not): jq has no \"!\"", name)
	} else if h, ok := findHint(g.src.line(pos.Line)); ok && h.column == pos.Column {
		fix = h.fix
	}
	g.problem(RuleYAMLTag, pos, fmt.Sprintf("to YAML \"!\" begins a tag, and it does not know %q", tag), fix)
}

func (g *grower) scalar(y *yaml.Node, n *node) {
	n.text, n.comment = y.Value, y.LineComment
	switch tag := y.ShortTag(); tag {
	case "!!null":
	case "!!str", "!!timestamp", "!!merge", "!!binary":
		n.value = y.Value
	case "!!bool", "!!int", "!!float":
		value, err := scalarValue(y)
		if err != nil {
			g.problem(RuleYAMLTag, n.pos, fmt.Sprintf("%q does not fit the YAML tag %q", y.Value, tag), "remove the tag")
		}
		n.value = value
	default:
		g.unknownTag(n.pos, tag)
		n.value, n.unread = y.Value, true
	}
}

// scalarValue returns a boolean, an int or a float64. What plain JSON has no number
// for (infinity, not a number) stays text.
func scalarValue(y *yaml.Node) (any, error) {
	var value any
	copied := yaml.Node{Kind: yaml.ScalarNode, Tag: y.Tag, Value: y.Value, Style: y.Style}
	if err := copied.Decode(&value); err != nil {
		return y.Value, err
	}
	switch v := value.(type) {
	case bool, int:
		return v, nil
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return y.Value, nil
		}
		return v, nil
	}
	return y.Value, nil
}

// mapping fills the entries: duplicates are a problem, merge keys give way to
// the keys that are written out, and of merged mappings the earlier one wins.
// Source: https://yaml.org/type/merge.html
func (g *grower) mapping(y *yaml.Node, n *node, depth int) {
	written := make(map[string]int, len(y.Content)/2) // key to its line
	for i := 0; i+1 < len(y.Content) && !g.stopped; i += 2 {
		name, ok := g.key(y.Content[i])
		if !ok {
			continue
		}
		id := name
		if y.Content[i].ShortTag() == "!!merge" {
			id = "" // no key that is written out: those have names
		}
		line, twice := written[id]
		if twice && name == "kind" && written["port"]+written["selector"] > 0 {
			g.problem(RuleDuplicateKey, g.position(y.Content[i]), "a new resource begins here, without a \"-\"",
				`write "- " before kind, instead of two blanks`)
			break
		}
		if twice {
			g.problem(RuleDuplicateKey, g.position(y.Content[i]),
				fmt.Sprintf("the key %q is written twice: the first one is in line %d", name, line),
				"remove one of the two, or rename it")
			continue
		}
		written[id] = y.Content[i].Line
	}
	seen := make(map[string]bool, len(written))
	for i := 0; i+1 < len(y.Content) && !g.stopped; i += 2 {
		key := y.Content[i]
		value := g.grow(y.Content[i+1], depth+1)
		if key.ShortTag() == "!!merge" {
			g.merge(n, value, written, seen)
			continue
		}
		name, ok := keyName(key)
		if !ok || seen[name] {
			continue
		}
		seen[name] = true
		// An aliased value is shared: its key is not.
		own := *value
		own.at = g.position(key)
		n.entries = append(n.entries, entry{key: name, pos: own.at, value: &own})
	}
}

// key checks that the key is a name, and returns it.
func (g *grower) key(y *yaml.Node) (string, bool) {
	if g.count++; g.count > maxNodes {
		g.stop(g.position(y), fmt.Sprintf("the mapping has more than %d values", maxNodes), "use fewer aliases (*name)")
		return "", false
	}
	name, ok := keyName(y)
	if !ok {
		fix := "write a name before the colon"
		if h, found := findHint(g.src.line(y.Line)); found {
			fix = h.fix
			if strings.HasPrefix(h.value, "{{") { // reported where the value is read
				return name, ok
			}
		}
		g.problem(RuleWrongType, g.position(y), "a key must be a name", fix)
	}
	return name, ok
}

func keyName(y *yaml.Node) (string, bool) {
	if y.Kind == yaml.AliasNode && y.Alias != nil {
		y = y.Alias
	}
	return y.Value, y.Kind == yaml.ScalarNode && y.Value != ""
}

func (g *grower) merge(n, value *node, written map[string]int, seen map[string]bool) {
	from := []*node{value}
	if value.kind == yaml.SequenceNode {
		from = value.items
	}
	for _, one := range from {
		if one.kind != yaml.MappingNode {
			if !g.stopped {
				g.problem(RuleYAMLAnchor, one.pos, "the merge key << needs a mapping, found "+one.describe(), "name the anchor of a mapping: <<: *name")
			}
			continue
		}
		for _, e := range one.entries {
			if _, own := written[e.key]; own || seen[e.key] {
				continue
			}
			if g.count++; g.count > maxNodes {
				g.stop(value.pos, "the mapping has more than "+strconv.Itoa(maxNodes)+" values", "use fewer aliases (*name)")
				return
			}
			seen[e.key] = true
			n.entries = append(n.entries, e)
		}
	}
}
