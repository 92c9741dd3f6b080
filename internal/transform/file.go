package transform

import (
	"fmt"
	"maps"
	"slices"
)

// Files are the files that expressions name by file://, sorted.
func (p *Program) Files() []string { return slices.Sorted(maps.Keys(p.files)) }

// file is what Source.Read gave.
type file struct {
	text any
	err  error
}

// file gives the text of the file that an expression names, read once for each
// object. One that cannot be read makes the unit useless: null would be written
// over what Port holds.
func (a *application) file(x *expression) any {
	if a.source.Read == nil {
		a.result.Notes = append(a.result.Notes, Note{Expr: x.Expr, NoFiles: true, Message: "is null: this kind has no files"})
		return nil
	}
	f, known := a.files[x.file]
	if !known && a.unread == nil {
		f.text, f.err = a.source.Read(a.evaluator.Context(), x.file)
		if a.files == nil {
			a.files = map[string]file{}
		}
		a.files[x.file] = f
	}
	switch {
	case f.err != nil && a.unread == nil:
		err := fmt.Errorf("read file %q: %w", x.file, f.err)
		a.unread = &Fault{Expr: x.Expr, Unread: err, Message: err.Error(), Fix: "run again"}
	case f.text == nil:
		a.note(x.Expr, "is null: there is no such file")
	}
	return f.text
}
