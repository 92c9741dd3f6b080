package resync

import (
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/report"
)

func (r *run) note(s diag.Severity, x mapping.Expr, message, fix, example string) {
	r.report.Note(diag.Problem{
		Severity: s, At: x.Pos,
		Message: message, Fix: fix, Example: example,
	})
}

func (r *run) where(of *loading, x mapping.Expr) string {
	if x.Name == "" {
		return of.resource.Where()
	}
	return of.resource.Where() + ": " + x.Name
}

func (r *run) noteField(of *loading, n note) {
	where := r.where(of, n.Expr)
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
		of.countNull(n)
	default:
		r.note(diag.Notice, n.Expr, where+" "+n.Message, "", n.source)
	}
}

// notKnown is for an object whose content was not parsed: what it would have given
// is not known.
func (r *run) notKnown(of *loading, from kind.Source, object string) {
	r.gapAt(of, from, of.resource.Where()+": the content of "+object+" was not parsed, so that its entities are not known")
}

func (r *run) noteSkipped(of *loading, from kind.Source, u unit) {
	if u.raw {
		r.notKnown(of, from, u.source)
	}
	if u.fault != nil { // itemsToParse
		if u.fault.Raised {
			r.gap(of, r.where(of, u.fault.Expr)+" raised an error")
		}
		r.note(diag.Warning, u.fault.Expr, r.where(of, u.fault.Expr)+": objects without an array are skipped", "", u.source)
		return
	}
	x := u.entry.Source.Blueprint
	if u.entry.Source.Identifier.Expr != nil {
		x = *u.entry.Source.Identifier.Expr
	}
	r.note(diag.Warning, x, of.resource.Where()+": identifier or blueprint is null: the object is skipped", "leave such objects out in selector.query, or give them an identifier", u.source)
}

// noteFailed is for an expression that decides whether there is an entity, and
// raised an error: what it would have produced is not known.
func (r *run) noteFailed(of *loading, u unit) {
	name := r.where(of, u.fault.Expr)
	if u.fault.Selector {
		r.report.Mark(report.FailedSelector)
	} else {
		r.report.Mark(report.FailedExpression)
	}
	r.gap(of, name+" raised an error")
	r.note(diag.Error, u.fault.Expr, name+" failed: the object is left out", u.fault.Fix, u.fault.Message+", for "+u.source)
}

func valueFrom(u unit) string {
	if u.fault.Value == "" {
		return u.source
	}
	return u.fault.Value + " from " + u.source
}

// noteOmitted is for an object that is left out by a limit.
func (r *run) noteOmitted(of *loading, from kind.Source, omitted *kind.Omitted) {
	r.gapAt(of, from, of.resource.Where()+" left out "+omitted.Object+": "+omitted.Why)
	r.report.Note(diag.Problem{Severity: diag.Warning, Message: of.resource.Where() + ": " + omitted.Why, Fix: omitted.Fix, Example: omitted.Object})
}
