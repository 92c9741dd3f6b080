// Package transform maps Bitbucket objects to Port entities with the jq
// expressions of one resource: they are compiled once and applied to many
// objects.
package transform

import (
	"maps"
	"slices"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// Program is a resource whose expressions are compiled. It is not written after
// Compile, and safe for concurrent use.
type Program struct {
	kind     shape.Kind
	selector *expression
	items    *items // nil without itemsToParse
	entries  []entry
	files    map[string]bool // named by file://
	turn     jq.Turn
}

// Entry is what is known of one entry of mappings before any object is seen.
type Entry struct {
	Blueprint       string // the literal, "" when Dynamic
	Dynamic         bool   // the blueprint expression is not a literal: it can be any blueprint
	Keys            catalog.Keys
	QueryIdentifier bool // the identifier is a search query
}

// expression is a compiled expression.
type expression struct {
	mapping.Expr
	tree *gojq.Query // nil when it is a file
	code *jq.Code    // nil when it is a file
	file string      // the path of a file, or ""
}

// entry is an entry of mappings. Nil fields are keys that are not there.
type entry struct {
	Entry
	identifier value
	anatomy    *anatomy // of the identifier; nil when it cannot be taken apart
	blueprint  *expression
	title      *expression
	icon       *expression
	team       *value
	properties []field
	relations  []field
}

type field struct {
	name  string
	value value
}

// value is an expression or a search query: one of the two is not nil.
type value struct {
	expr  *expression
	query *query
}

// query is a search query whose leaves are expressions.
type query struct {
	combinator *expression
	rules      []rule
}

// rule is a nested query, or the keys of a rule.
type rule struct {
	nested *query
	leaves []leaf
}

type leaf struct {
	name string
	expr *expression
}

// items is itemsToParse: the elements that an object is split into.
type items struct {
	expr *expression
	name string   // the key under which an element is added to its copy of the object
	drop []string // the source array, left out of the copies; nil when it stays
}

// anatomy is how an identifier is put together. What its head and tail give depends on
// the origin of an object alone, whatever else the object holds.
type anatomy struct {
	head, tail    []*expression
	exact, number bool
}

// Entries describes the entries of mappings, in their order.
func (p *Program) Entries() []Entry {
	all := make([]Entry, len(p.entries))
	for i := range p.entries {
		all[i] = p.entries[i].Entry
	}
	return all
}

// Files are the files that expressions name by file://, sorted.
func (p *Program) Files() []string { return slices.Sorted(maps.Keys(p.files)) }

// where is the expression that stands for the value in messages.
func (v value) where() mapping.Expr {
	if v.query != nil {
		return v.query.combinator.Expr
	}
	return v.expr.Expr
}

// expressions returns all expressions of an entry; some are nil.
func (e *entry) expressions() []*expression {
	all := append(e.identifier.expressions(), e.blueprint, e.title, e.icon)
	if e.team != nil {
		all = append(all, e.team.expressions()...)
	}
	for _, f := range slices.Concat(e.properties, e.relations) {
		all = append(all, f.value.expressions()...)
	}
	return all
}

func (v value) expressions() []*expression {
	if v.query == nil {
		return []*expression{v.expr}
	}
	return v.query.expressions()
}

func (q *query) expressions() []*expression {
	all := []*expression{q.combinator}
	for _, r := range q.rules {
		if r.nested != nil {
			all = append(all, r.nested.expressions()...)
		}
		for _, l := range r.leaves {
			all = append(all, l.expr)
		}
	}
	return all
}
