package resync

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/report"
)

func (r *reading) note(s diag.Severity, x mapping.Expr, message, fix, example string) {
	r.run.report.Note(diag.Problem{
		Severity: s, At: x.Pos,
		Message: message, Fix: fix, Example: example,
	})
}

func (r *reading) where(x mapping.Expr) string {
	if x.Name == "" {
		return r.to.Where()
	}
	return r.to.Where() + ": " + x.Name
}

func (r *reading) noteField(n note) {
	where := r.where(n.Expr)
	switch {
	case n.NoFiles:
		r.note(diag.Warning, n.Expr, where+" "+n.Message, "remove it, or map the file from objects of kind repository or file", n.source)
	case n.LeftOut:
		r.note(diag.Warning, n.Expr, where+" raised an error on content that was not parsed, and is left out of the entity",
			"mend the file, or leave such objects out in the selector", n.Message+", for "+n.source)
	case n.Raised:
		r.note(diag.Warning, n.Expr, where+" raised an error, and is null",
			"let null pass, such as .field | if . == null then null else … end", n.Message+", for "+n.source)
	case n.Message == nullMessage:
		r.nulls.add(n)
	default:
		r.note(diag.Notice, n.Expr, where+" "+n.Message, "", n.source)
	}
}

// notKnown is for an object whose content was not parsed: what it would have given
// is not known.
func (r *reading) notKnown(from kind.Source, object string) {
	r.missSource(from, r.to.Where()+": the content of "+object+" was not parsed, so that its entities are not known")
}

func (r *reading) noteSkipped(from kind.Source, u unit) {
	if u.raw {
		r.notKnown(from, u.Address)
	}
	if u.fault != nil { // itemsToParse
		if u.fault.Raised {
			r.to.Seen.Miss(r.where(u.fault.Expr) + " raised an error")
		}
		r.note(diag.Warning, u.fault.Expr, r.where(u.fault.Expr)+": objects without an array are skipped", "", u.Address)
		return
	}
	x := u.Entry.Source.Blueprint
	if u.Entry.Source.Identifier.Expr != nil {
		x = *u.Entry.Source.Identifier.Expr
	}
	r.note(diag.Warning, x, r.to.Where()+": identifier or blueprint is null: the object is skipped", "leave such objects out in selector.query, or give them an identifier", u.Address)
}

// noteFailed is for an expression that decides whether there is an entity, and
// raised an error: what it would have produced is not known.
func (r *reading) noteFailed(u unit) {
	name := r.where(u.fault.Expr)
	if u.fault.Selector {
		r.run.report.Mark(report.FailedSelector)
	} else {
		r.run.report.Mark(report.FailedExpression)
	}
	r.to.Seen.Miss(name + " raised an error")
	r.note(diag.Error, u.fault.Expr, name+" failed: the object is left out", u.fault.Fix, u.fault.Message+", for "+u.Address)
}

// noteOmitted is for an object that is left out by a limit.
func (r *reading) noteOmitted(from kind.Source, omitted *kind.Omitted) {
	r.missSource(from, r.to.Where()+" left out "+omitted.Object+": "+omitted.Why)
	r.run.report.Note(diag.Problem{Severity: diag.Warning, Message: r.to.Where() + ": " + omitted.Why, Fix: omitted.Fix, Example: omitted.Object})
}

// noteNoArrays reports a resource whose itemsToParse gave no array for any object.
func (r *reading) noteNoArrays() {
	r.to.Seen.Miss(fmt.Sprintf("itemsToParse of %s never gave an array", r.to.Where()))
	r.run.report.Mark(report.FailedSelector)
	r.note(diag.Error, *r.to.ItemsToParse, r.to.Where()+": itemsToParse never gave an array", "check the path of the array", "")
}

// nullMessage is transform's note of a value that is null.
const nullMessage = "is null"

// nulls count, for each expression by its place, the values that were null.
type nulls map[diag.Position]*null

type null struct {
	expr  mapping.Expr
	count int
	first string // the object
}

// add is for a value that is null; how many were is reported with the resource.
func (n nulls) add(v note) {
	if n[v.Expr.Pos] == nil {
		n[v.Expr.Pos] = &null{expr: v.Expr, first: v.source}
	}
	n[v.Expr.Pos].count++
}

// noteNulls reports each expression that gave null, in file order, and in how many of its
// entities.
func (r *reading) noteNulls() {
	for _, n := range slices.SortedFunc(maps.Values(r.nulls), func(a, b *null) int {
		return cmp.Or(cmp.Compare(a.expr.Pos.Line, b.expr.Pos.Line), cmp.Compare(a.expr.Pos.Column, b.expr.Pos.Column))
	}) {
		entities := 0
		for _, e := range r.to.Entries {
			if e.Has(n.expr.Pos) { // more than one where YAML repeats a part by an alias
				entities += r.mapped[e]
			}
		}
		r.run.report.Note(diag.Problem{
			Severity: diag.Notice, At: n.expr.Pos, Count: n.count, Example: n.first,
			Message: fmt.Sprintf("%s %s in %d of %d", r.where(n.expr), nullMessage, n.count, entities),
		})
	}
}
