package mapping

import (
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/nearest"
)

// queryBuilder reads search queries.
type queryBuilder struct{ *builder }

func (b queryBuilder) query(n *node, name string) *Query {
	q := new(Query)
	values, _ := b.strict(n, name, QueryKeys)
	const combinatorFix = `write "combinator: '"and"'": each leaf of a query is a jq expression`
	if combinator := b.required(values, "combinator", n, name+": combinator", combinatorFix); combinator != nil {
		q.Combinator, _ = b.expr(combinator, name+": combinator")
	}
	const rulesFix = "write a list of rules, each with property, operator and value"
	rules := b.required(values, "rules", n, name+": rules", rulesFix)
	switch {
	case rules == nil:
	case rules.kind == yaml.MappingNode && rules.child("property") != nil:
		b.error(RuleWrongType, rules.at, name+": rules", "expected a list, found one rule", `write "- " before "property:", and indent the other lines of the rule as far as that key`)
		q.Rules = append(q.Rules, b.rule(rules, name+": rule 1"))
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

// lone reports a rule without a query around it, and returns the query of it.
func (b queryBuilder) lone(n *node, name string) *Query {
	b.error(RuleSearch, n.at, name, "a rule of a search query is not in a query",
		`write combinator: '"and"', then "rules:", and below it the rule as an item: "- property: …"`)
	return &Query{Rules: []Rule{b.rule(n, name+": rule 1")}}
}

func (b queryBuilder) rule(n *node, name string) Rule {
	if n.kind != yaml.MappingNode {
		b.error(RuleWrongType, n.pos, name, `expected "key: value" lines, found `+n.describe(), "write property, operator and value")
		return Rule{}
	}
	if n.child("combinator") != nil || n.child("rules") != nil {
		return Rule{Nested: b.query(n, name)}
	}
	values, entries := b.strict(n, name, QueryRuleKeys)
	for _, key := range keyNames(QueryRuleKeys) {
		b.required(values, key, n, name+": "+key, "write property, operator and value, each a jq expression")
	}
	var r Rule
	for _, e := range entries {
		if e.value.null() {
			continue
		}
		if leaf, ok := b.expr(e.value, name+": "+e.key); ok {
			r.Leaves = append(r.Leaves, Leaf{Name: e.key, Expr: leaf})
		}
	}
	return r
}

// strict returns the values of a mapping by key, and in their order. Unknown keys are
// errors; the value of one that is misspelt is taken for the one that was meant.
func (b queryBuilder) strict(n *node, name string, keys []Key) (known values, entries []entry) {
	valid := keyNames(keys)
	known = make(values, len(n.entries))
	for _, e := range n.entries {
		if !slices.Contains(valid, e.key) {
			b.error(RuleUnknownKey, e.pos, name, "unknown key "+strconv.Quote(e.key), unknownKeyFix(e.key, valid))
			near, ok := nearest.Name(e.key, valid)
			if !ok || n.child(near) != nil || known[near] != nil {
				continue
			}
			e.key = near
		}
		known[e.key] = e.value
		entries = append(entries, e)
	}
	return known, entries
}
