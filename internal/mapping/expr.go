package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// optionalExpr returns nil when the key is absent or null.
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
// written as, with a warning. It returns false when the problem was reported.
func (b *builder) expr(n *node, name string) (Expr, bool) {
	if n.kind != yaml.ScalarNode || n.null() {
		b.noExpr(n, name)
		return Expr{}, false
	}
	_, text := n.value.(string)
	if _, flag := n.value.(bool); !text && (!flag || n.text == "true" || n.text == "false") { // jq tells of True
		b.warn(RuleUnquoted, n.pos, name, fmt.Sprintf("the jq expression is written as %s, and read as the text %q", n.describe(), n.text),
			"quote it: '"+n.text+"'")
	}
	return Expr{
		Text: n.text, Pos: n.pos, Name: name, where: b.where, style: n.style, src: b.src,
		comment: n.style == 0 && n.comment != "" && strings.Count(n.text, `"`)%2 == 1,
		unknown: n.unread || b.src.mended[n.pos.Line],
	}, true
}

// noExpr reports a value that is not a text.
func (b *builder) noExpr(n *node, name string) {
	message := "expected a jq expression, found " + n.describe()
	if n.kind != yaml.ScalarNode && n.style&yaml.FlowStyle != 0 {
		fix := "put the whole expression in single quotes"
		if h, ok := findHint(b.src.line(n.pos.Line)); ok && h.column == n.pos.Column {
			fix = h.fix
		}
		sign := byte('[')
		if n.kind == yaml.MappingNode {
			sign = '{'
		}
		b.error(RuleYAMLQuotes, n.pos, name, message+": "+begins[sign], fix)
		return
	}
	b.error(RuleWrongType, n.pos, name, message, "write a jq expression in single quotes")
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
	values := b.strict(n, name, QueryKeys)
	const combinatorFix = `write "combinator: '"and"'": each leaf of a query is a jq expression`
	if combinator := b.required(values, "combinator", n, name+": combinator", combinatorFix); combinator != nil {
		q.Combinator, _ = b.expr(combinator, name+": combinator")
	}
	const rulesFix = "write a list of rules, each with property, operator and value"
	rules := b.required(values, "rules", n, name+": rules", rulesFix)
	switch {
	case rules == nil:
	case rules.kind != yaml.SequenceNode:
		b.error(RuleWrongType, rules.at, name+": rules", "expected a list, found "+rules.describe(), rulesFix)
	case len(rules.items) == 0:
		b.error(RuleEmptyList, rules.at, name+": rules", "the list is empty", rulesFix)
	default:
		for i, item := range rules.items {
			q.Rules = append(q.Rules, b.rule(item, name+": rule "+strconv.Itoa(i+1)))
		}
	}
	return q
}

func (b *builder) rule(n *node, name string) Rule {
	if n.kind != yaml.MappingNode {
		b.error(RuleWrongType, n.pos, name, `expected "key: value" lines, found `+n.describe(), "write property, operator and value")
		return Rule{}
	}
	if n.child("combinator") != nil || n.child("rules") != nil {
		return Rule{Nested: b.query(n, name)}
	}
	values := b.strict(n, name, QueryRuleKeys)
	for _, key := range keyNames(QueryRuleKeys) {
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

// strict returns the values of a mapping by key. Unknown keys are errors.
func (b *builder) strict(n *node, name string, keys []Key) map[string]*node {
	valid := keyNames(keys)
	values := make(map[string]*node, len(n.entries))
	for _, e := range n.entries {
		if !slices.Contains(valid, e.key) {
			b.error(RuleUnknownKey, e.pos, name, "unknown key "+strconv.Quote(e.key), unknownKeyFix(e.key, valid))
			continue
		}
		values[e.key] = e.value
	}
	return values
}
