// Package lint finds what is wrong or odd in the jq expressions of a resource. It is a
// list of rules, each in a file of its own; one rule more is a file and a line of the
// list. A rule looks at one expression and reports what, where, and what to type instead.
package lint

import (
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
)

// texts are the rules of an expression before it is read as jq. The first one that finds
// something ends the look at the expression.
var texts = []func(*expression) (found bool){
	tooLong,
	fileReferences,
	searchTexts,
	syntax,
}

// rules are those of an expression that is jq. Problems at one place of the mapping come
// in their order.
var rules = []func(*expression){
	unknownNames,
	unknownVariables,
	idleFunctions,
	emptyEnvironment,
	regularExpressions,
	formats,
	appliedFields,
	precedence,
	conditions,
	comparisons,
	doubleMarks,
	unknownFields,
	selectors,
	arrays,
	identifiers,
	severalResults,
	searchWords,
	blueprints,
	differences,
}

// Check returns the problems, warnings and notes of the expressions of a resource, in
// file order. The resource may be broken: expressions that are missing are skipped. A
// resource without problems of the severity diag.Error compiles.
func Check(r mapping.Resource, o Options) diag.Problems {
	l := &linter{Options: o, resource: r}
	l.expr(selectorRole, r.Query)
	if r.ItemsToParse != nil {
		l.expr(itemsRole, *r.ItemsToParse)
	}
	also := l.misspelt()
	for _, e := range r.Entities {
		l.entity(e)
	}
	l.problems = append(l.problems, also...)
	l.problems.Sort()
	return l.problems
}

// misspelt looks at what stands below keys that are ignored: its errors stop no run. From
// then on the items are taken as they were meant.
func (l *linter) misspelt() diag.Problems {
	m := l.resource.Misspelt
	if m == nil {
		return nil
	}
	also := &linter{Options: l.Options, resource: l.resource}
	if m.ItemsToParse != nil {
		also.resource.ItemsToParse, l.resource.ItemsToParse = m.ItemsToParse, m.ItemsToParse
		also.expr(itemsRole, *m.ItemsToParse)
	}
	if m.ItemsToParseName != "" {
		also.resource.ItemsToParseName, l.resource.ItemsToParseName = m.ItemsToParseName, m.ItemsToParseName
	}
	for _, e := range m.Entities {
		also.entity(e)
	}
	for i := range also.problems {
		also.problems[i].Severity = max(also.problems[i].Severity, diag.Warning)
	}
	return also.problems
}

// entity looks at the expressions of an entity.
func (l *linter) entity(e mapping.Entity) {
	l.value(identifierRole, e.Identifier)
	l.expr(blueprintRole, e.Blueprint)
	for _, f := range e.Properties {
		l.value(fileRole, f.Value)
	}
	for _, f := range e.Relations {
		l.value(valueRole, f.Value)
	}
	if e.Title != nil {
		l.expr(fileRole, *e.Title)
	}
	if e.Icon != nil {
		l.expr(valueRole, *e.Icon)
	}
	if e.Team != nil {
		l.value(valueRole, *e.Team)
	}
}

func (l *linter) value(as role, v mapping.Value) {
	switch {
	case v.Expr != nil:
		l.expr(as, *v.Expr)
	case v.Query == nil: // of a broken resource
	case as == identifierRole:
		l.query(identityRole, v.Query)
	default:
		l.query(leafRole, v.Query)
	}
}

func (l *linter) query(as role, q *mapping.Query) {
	l.expr(as, q.Combinator)
	for _, r := range q.Rules {
		if r.Nested != nil {
			l.query(as, r.Nested)
			continue
		}
		for _, leaf := range r.Leaves {
			l.expr(as, leaf.Expr)
		}
	}
}

// expr looks at one expression, unless a broken resource lacks it.
func (l *linter) expr(as role, e mapping.Expr) {
	if !e.Given() {
		return
	}
	x := &expression{Expr: e, linter: l, role: as, source: e.Text}
	defer func() { l.problems = append(l.problems, x.problems...) }()
	for _, find := range texts {
		if find(x) {
			return
		}
	}
	for _, look := range rules {
		look(x)
	}
}
