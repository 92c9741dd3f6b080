package resync

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/report"
)

// note reports a problem of an expression.
func (a *account) note(s diag.Severity, x mapping.Expr, message, fix, example string) {
	a.noteOf(a.to.About(diag.Transform), diag.Problem{
		Severity: s, At: x.Pos,
		Message: message, Fix: fix, Example: example,
	})
}

func (a *account) where(x mapping.Expr) diag.Where { return a.to.Where().In(x.Name) }

func (a *account) noteField(n note) {
	where := a.where(n.Expr).String()
	switch {
	case n.NoFiles:
		a.note(diag.Warning, n.Expr, where+" "+n.Message, "remove it, or map the file from objects of one of the kinds "+strings.Join(kind.WithFiles(), ", "), n.source)
	case n.Older:
		a.note(diag.Warning, n.Expr, where+" reads what is another value in Port's own integration, which reads files by YAML 1.1, and 1.10 as 1.1",
			"put quotes around what is meant as text in the file, and write true and false, and numbers without zeros that do not count", n.Message+", for "+n.source)
	case n.LeftOut:
		a.note(diag.Warning, n.Expr, where+" raised an error on content that was not parsed, and is left out of the entity",
			"mend the file, or leave such objects out in the selector", n.Message+", for "+n.source)
	case n.Raised:
		a.note(diag.Warning, n.Expr, where+" raised an error, and is null",
			"let null pass, such as .field | if . == null then null else … end", n.Message+", for "+n.source)
	case n.Message == nullMessage:
		a.nulls.add(n)
	default:
		a.note(diag.Notice, n.Expr, where+" "+n.Message, "", n.source)
	}
}

// notKnown is for an object whose content was not parsed: what it would have given
// is not known.
func (a *account) notKnown(from kind.Source, object string) {
	a.missSource(from, a.to.Where().String()+": the content of "+object+" was not parsed, so that its entities are not known")
}

func (a *account) noteSkipped(from kind.Source, u unit) {
	if u.raw {
		a.notKnown(from, u.Address)
	}
	if u.fault != nil { // itemsToParse
		if u.fault.Raised {
			a.to.Seen.Miss(a.where(u.fault.Expr).String() + " raised an error")
		}
		a.noteOf(a.to.About(diag.Transform), diag.Problem{Severity: diag.Warning, At: u.fault.Expr.Pos, Where: a.where(u.fault.Expr), Message: "objects without an array are skipped", Example: u.Address})
		return
	}
	x := u.Entry.Source.Blueprint
	if u.Entry.Source.Identifier.Expr != nil {
		x = *u.Entry.Source.Identifier.Expr
	}
	a.noteOf(a.to.About(diag.Transform), diag.Problem{Severity: diag.Warning, At: x.Pos, Where: a.to.Where(), Message: "identifier or blueprint is null: the object is skipped",
		Fix: "leave such objects out in selector.query, or give them an identifier", Example: u.Address})
}

// noteFailed is for an expression that decides whether there is an entity, and
// raised an error: what it would have produced is not known.
func (a *account) noteFailed(u unit) {
	name := a.where(u.fault.Expr).String()
	if u.fault.Selector {
		a.report.Mark(report.FailedSelector)
	} else {
		a.report.Mark(report.FailedExpression)
	}
	a.to.Seen.Miss(name + " raised an error")
	a.note(diag.Error, u.fault.Expr, name+" failed: the object is left out", u.fault.Fix, u.fault.Message+", for "+u.Address)
}

// noteOmitted is for an object that is left out by a limit.
func (a *account) noteOmitted(from kind.Source, omitted *kind.Omitted) {
	a.missSource(from, a.to.Where().String()+" left out "+omitted.Object+": "+omitted.Why)
	a.noteOf(a.to.About(diag.Extract), diag.Problem{Severity: diag.Warning, Where: a.to.Where(), Message: omitted.Why, Fix: omitted.Fix, Example: omitted.Object})
}

// noteWarning reports what loses no object.
func (a *account) noteWarning(w *kind.Warning) {
	p := w.Problem
	p.Severity, p.Where = diag.Warning, a.to.Where()
	if w.Notice {
		p.Severity = diag.Notice
	}
	a.noteOf(a.to.About(diag.Extract), p)
}

// noteNoArrays reports a resource whose itemsToParse gave no array for any object.
func (a *account) noteNoArrays() {
	a.to.Seen.Miss(fmt.Sprintf("itemsToParse of %s never gave an array", a.to.Where()))
	a.report.Mark(report.FailedSelector)
	a.noteOf(a.to.About(diag.Transform), diag.Problem{At: a.to.ItemsToParse.Pos, Where: a.to.Where(), Message: "itemsToParse never gave an array", Fix: "check the path of the array"})
}

// noteNulls reports each expression that gave null, in file order, and in how many of its
// entities.
func (a *account) noteNulls() {
	for _, n := range slices.SortedFunc(maps.Values(a.nulls), func(a, b *null) int {
		return cmp.Or(cmp.Compare(a.expr.Pos.Line, b.expr.Pos.Line), cmp.Compare(a.expr.Pos.Column, b.expr.Pos.Column))
	}) {
		entities := 0
		for _, e := range a.to.Entries {
			if e.Has(n.expr.Pos) { // more than one where YAML repeats a part by an alias
				entities += a.mapped[e]
			}
		}
		a.noteOf(a.to.About(diag.Transform), diag.Problem{
			Severity: diag.Notice, At: n.expr.Pos, Count: n.count, Example: n.first,
			Message: fmt.Sprintf("%s %s in %d of %d", a.where(n.expr), nullMessage, n.count, entities),
		})
	}
}
