package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	queryKeys = []string{"combinator", "rules"}
	ruleKeys  = []string{"property", "operator", "value"}
)

// optionalExpr gives nil when the key is absent or null.
func (b *builder) optionalExpr(values map[string]*node, key, name string) *Expr {
	n := b.optional(values, key, name)
	if n == nil {
		return nil
	}
	e, ok := b.expr(n, name)
	if !ok {
		return nil
	}
	return &e
}

// expr reads a jq expression. A boolean or a number is taken as the text it is
// written as, with a warning. It gives false when the problem was told.
func (b *builder) expr(n *node, name string) (Expr, bool) {
	if n.kind != yaml.ScalarNode || n.null() {
		fix := "write a jq expression in single quotes"
		if hint, _, ok := quoteHint(b.src.line(n.pos.Line)); ok && n.style&yaml.FlowStyle != 0 {
			fix = hint
		}
		b.error(n.pos, name, "expected a jq expression, found "+n.describe(), fix)
		return Expr{}, false
	}
	if _, text := n.value.(string); !text {
		b.warn(n.pos, name, fmt.Sprintf("the jq expression is written as %s, and read as the text %q", n.describe(), n.text),
			"quote it: '"+n.text+"'")
	}
	if n.style == 0 && n.comment != "" && strings.Count(n.text, `"`)%2 == 1 {
		fix := "put the whole expression in single quotes"
		if hint, _, ok := quoteHint(b.src.line(n.pos.Line)); ok {
			fix = hint
		}
		b.warn(n.pos, name, `to YAML the text behind " #" is a comment, and no part of the expression`, fix)
	}
	return Expr{Text: n.text, Pos: n.pos, Name: name, where: b.where, style: n.style, src: b.src}, true
}

// exprValue reads a value that cannot be a query.
func (b *builder) exprValue(n *node, name string) (Value, bool) {
	e, ok := b.expr(n, name)
	return Value{Expr: &e}, ok
}

// value reads an expression or a search query.
func (b *builder) value(n *node, name string) (Value, bool) {
	if n.kind != yaml.MappingNode {
		return b.exprValue(n, name)
	}
	if n.child("combinator") == nil && n.child("rules") == nil {
		return b.exprValue(n, name)
	}
	return Value{Query: b.query(n, name)}, true
}

func (b *builder) query(n *node, name string) *Query {
	q := new(Query)
	values := b.strict(n, name, queryKeys)
	const combinatorFix = `write "combinator: '"and"'": each leaf of a query is a jq expression`
	if combinator := b.required(values, "combinator", n, name+": combinator", combinatorFix); combinator != nil {
		q.Combinator, _ = b.expr(combinator, name+": combinator")
	}
	const rulesFix = "write a list of rules, each with property, operator and value"
	rules := b.required(values, "rules", n, name+": rules", rulesFix)
	switch {
	case rules == nil:
	case rules.kind != yaml.SequenceNode:
		b.error(rules.at, name+": rules", "expected a list, found "+rules.describe(), rulesFix)
	case len(rules.items) == 0:
		b.error(rules.at, name+": rules", "the list is empty", rulesFix)
	default:
		for i, item := range rules.items {
			q.Rules = append(q.Rules, b.rule(item, name+": rule "+strconv.Itoa(i+1)))
		}
	}
	return q
}

func (b *builder) rule(n *node, name string) Rule {
	if n.kind != yaml.MappingNode {
		b.error(n.pos, name, "expected a mapping, found "+n.describe(), "write property, operator and value")
		return Rule{}
	}
	if n.child("combinator") != nil || n.child("rules") != nil {
		return Rule{Nested: b.query(n, name)}
	}
	values := b.strict(n, name, ruleKeys)
	for _, key := range ruleKeys {
		b.required(values, key, n, name+": "+key, "write property, operator and value, each a jq expression")
	}
	var r Rule
	for _, e := range n.entries {
		if values[e.key] == nil || e.value.null() {
			continue
		}
		if leaf, ok := b.expr(e.value, name+": "+e.key); ok {
			r.Leaves = append(r.Leaves, Leaf{Name: e.key, Expr: leaf})
		}
	}
	return r
}

// strict gives the values of a mapping by key. Unknown keys are errors.
func (b *builder) strict(n *node, name string, valid []string) map[string]*node {
	values := make(map[string]*node, len(n.entries))
	for _, e := range n.entries {
		if !slices.Contains(valid, e.key) {
			b.error(e.pos, name, "unknown key "+strconv.Quote(e.key), unknownKeyFix(e.key, valid))
			continue
		}
		values[e.key] = e.value
	}
	return values
}
