// Package mapping reads a mapping: Port's YAML language that says which
// Bitbucket objects become which entities. It keeps the position of every
// expression, and knows neither jq nor the kinds.
package mapping

import (
	"slices"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/diag"
)

// Mapping is a whole mapping ("port app config").
type Mapping struct {
	Resources []Resource
	// Broken are the resources with problems of their own. Of them there is what
	// could be read, to be checked for further problems.
	Broken []Resource

	CreateMissingRelatedEntities bool    // default true
	DeleteDependentEntities      bool    // default false
	EnableMergeEntity            bool    // default true
	EntityDeletionThreshold      float64 // 0 to 1, default 0.9

	// Warnings are problems that do not stop a run, in file order.
	Warnings diag.Problems
	// Config is the mapping as plain JSON (maps, slices, strings, booleans,
	// numbers), as Port's integration record stores it.
	Config map[string]any
}

// Resource is one item of "resources:".
type Resource struct {
	Index   int    // counts from 1
	Kind    string // as written
	KindPos diag.Position

	Query    Expr // selector.query
	Selector Selector

	ItemsToParse      *Expr  // nil when absent
	ItemsToParseName  string // default "item"
	TopLevelTransform bool   // itemsToParseTopLevelTransform, default true

	Entities []Entity // port.entity.mappings: one, or each of a list

	// Misspelt holds the items and entities below keys that are ignored and most likely
	// misspelt, and nothing else: to be checked, and never to be run. It is nil when there
	// are none.
	Misspelt *Resource

	src *source
}

// Entity is one entry of "mappings:". A nil Value is a key that is not there.
type Entity struct {
	Pos        diag.Position
	Identifier Value
	Blueprint  Expr
	Title      *Expr
	Icon       *Expr
	Team       *Value
	Properties []Field // in file order
	Relations  []Field // in file order
}

// Place returns the position of the entry's identifier, or else of the entry.
func (e Entity) Place() diag.Position {
	if x := e.Identifier.Expr; x != nil {
		return x.Pos
	}
	return e.Pos
}

// Field is a named property or relation.
type Field struct {
	Name  string
	Value Value
}

// Value is a jq expression, or a search query whose leaves are: exactly one of
// the two is not nil.
type Value struct {
	Expr  *Expr
	Query *Query
}

// Query is {combinator, rules}: each leaf is a jq expression.
type Query struct {
	Combinator Expr
	Rules      []Rule
}

// Has reports whether one of the query's expressions is at a position.
func (q Query) Has(pos diag.Position) bool {
	return q.Combinator.Pos == pos || slices.ContainsFunc(q.Rules, func(r Rule) bool {
		return r.Nested != nil && r.Nested.Has(pos) || slices.ContainsFunc(r.Leaves, func(l Leaf) bool { return l.Expr.Pos == pos })
	})
}

// Rule is one rule of a query, or a nested query: exactly one of the two forms.
type Rule struct {
	Nested *Query
	Leaves []Leaf // property, operator, value, in file order
}

// Leaf is one key of a rule.
type Leaf struct {
	Name string
	Expr Expr
}

// Expr is the text of a jq expression and where it stands. The text is as
// written: the rule about single quotes has not been applied.
type Expr struct {
	Text string
	Pos  diag.Position
	// Name says which expression of its resource this is, in the words of the
	// mapping: `identifier`, `property "owner"`, `selector.query`.
	Name string

	where   diag.Where // the resource
	style   yaml.Style
	src     *source
	comment bool // to YAML a comment ends it, within a text of jq
	unknown bool // it could not be read as it was meant
}

// Given is false for an expression that is not there, or that could not be read as it
// was meant: of a broken resource.
func (e Expr) Given() bool { return e.Name != "" && !e.unknown }

// File returns what stands behind file:// in a text that names a file; ok is false for an
// expression.
func (e Expr) File() (name string, ok bool) { return FileName(e.Text) }

// CommentFix is what to type where YAML took the end of the expression, from the middle
// of a text on, for a comment; else it is empty.
func (e Expr) CommentFix() string {
	if !e.comment {
		return ""
	}
	if h, ok := findHint(e.src.line(e.Pos.Line)); ok {
		return h.fix
	}
	return "put the whole expression in single quotes"
}

// Selector is the selector of a resource, still undecoded: only its kind knows
// its keys.
type Selector struct {
	node     *node
	reported string     // a key that is reported already, or ""
	where    diag.Where // the resource
	src      *source
}
