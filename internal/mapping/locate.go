package mapping

import (
	"unicode/utf8"

	"port-bitbucket-exporter/internal/diag"
)

// Where names the resource for a message: `resource 2 (repository)`.
func (r Resource) Where() diag.Where { return diag.Where{Resource: r.Index, Kind: r.Kind} }

// About names the resource, in a phase of a run, for Port's log.
func (r Resource) About(in diag.Phase) diag.About {
	return diag.About{Phase: in, Kind: r.Kind, Index: r.Index}
}

// Problem makes a problem of this resource. The name says which part of the
// resource it is about (`kind`, `property "owner"`); it may be empty.
func (r Resource) Problem(rule diag.Rule, severity diag.Severity, pos diag.Position, name, message, fix string) diag.Problem {
	return r.src.problem(rule, severity, pos, r.Where().In(name), message, fix)
}

// Problem makes a problem at a byte offset of the expression's text.
func (e Expr) Problem(rule diag.Rule, severity diag.Severity, offset int, message, fix string) diag.Problem {
	return e.src.problem(rule, severity, e.At(offset), e.where.In(e.Name), message, fix)
}

// At returns the position of a byte offset of the text. It is exact for text
// that stands in the file as it is read: plain, quoted and block scalars, with
// the escapes of YAML that stand for one character. A blank at which a folded
// line was joined has the position of the line's end. An offset at or after
// the end has the position after the last character. When the place is not
// known, At returns the start of the expression.
func (e Expr) At(offset int) diag.Position {
	if e.src == nil || e.Pos.Line < 1 || e.Pos.Line > len(e.src.lines) {
		return e.Pos
	}
	w := newWalker(e.src, e.Pos, e.style)
	if !w.enter() {
		return e.Pos
	}
	for i, want := range e.Text {
		if !isBlank(want) && !w.skipBlanks() {
			return e.Pos
		}
		at := w.position()
		if isBlank(want) {
			w.nextBlank(want)
		} else if got, ok := w.next(); !ok || got != want {
			return e.Pos
		}
		if offset < i+utf8.RuneLen(want) {
			return e.position(at)
		}
	}
	return e.position(w.position())
}

func (e Expr) position(p diag.Position) diag.Position {
	p.File = e.Pos.File
	return p
}
