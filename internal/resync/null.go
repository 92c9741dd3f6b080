package resync

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
)

// nullMessage is transform's note of a value that is null.
const nullMessage = "is null"

// nulls counts the values of one expression that were null.
type nulls struct {
	expr  mapping.Expr
	count int
	first string // the object
}

// countNull is for a value that is null; how many were is told with the resource.
func (of *loading) countNull(n note) {
	if of.nulls == nil {
		of.nulls = map[diag.Position]*nulls{}
	}
	if of.nulls[n.Expr.Pos] == nil {
		of.nulls[n.Expr.Pos] = &nulls{expr: n.Expr, first: n.source}
	}
	of.nulls[n.Expr.Pos].count++
}

// tellNulls tells each expression that gave null, in file order, and in how many of
// its entities.
func (r *run) tellNulls(of *loading) {
	for _, n := range slices.SortedFunc(maps.Values(of.nulls), func(a, b *nulls) int {
		return cmp.Or(cmp.Compare(a.expr.Pos.Line, b.expr.Pos.Line), cmp.Compare(a.expr.Pos.Column, b.expr.Pos.Column))
	}) {
		entities := 0
		for _, e := range of.resource.Entries {
			if e.Has(n.expr.Pos) { // more than one where YAML repeats a part by an alias
				entities += of.mapped[e]
			}
		}
		p := n.expr.Pos
		r.report.Note(diag.Problem{
			Severity: diag.Notice, At: p, Count: n.count, Example: n.first,
			Message: fmt.Sprintf("%s %s in %d of %d", r.where(of, n.expr), nullMessage, n.count, entities),
		})
	}
}
