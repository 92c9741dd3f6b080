package mapping

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// optionalExpr returns nil when the key is absent or null.
func (b *builder) optionalExpr(values values, key, name string) *Expr {
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
	if n.kind == yaml.SequenceNode && n.style&yaml.FlowStyle == 0 && len(n.items) == 1 && n.items[0].child("rules") != nil {
		n = b.noObject(n, name, "")
	}
	if n.kind != yaml.MappingNode {
		return b.exprValue(n, name)
	}
	switch q := (queryBuilder{b}); {
	case n.child("combinator") != nil || n.child("rules") != nil:
		return Value{Query: q.query(n, name)}, true
	case n.child("property") != nil && (n.child("operator") != nil || n.child("value") != nil):
		return Value{Query: q.lone(n, name)}, true
	}
	return b.exprValue(n, name)
}
