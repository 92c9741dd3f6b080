package transform

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

// fileScheme begins a text that names a file, and is no jq.
//
// Source: https://docs.port.io/build-your-software-catalog/sync-data-to-catalog/git/bitbucket/, read 2026-11.
const fileScheme = "file://"

// fileReference gives the path in a text that names a file.
func fileReference(text string) (name string, ok bool) {
	return strings.CutPrefix(strings.TrimSpace(text), fileScheme)
}

// fileOrExpr compiles an expression that may also name a file.
func (c *compiler) fileOrExpr(e mapping.Expr) *expression {
	name, ok := fileReference(e.Text)
	if !ok || len(e.Text) > jq.MaxText {
		return c.given(e, lenient)
	}
	offset := strings.Index(e.Text, fileScheme)
	x := &expression{Expr: e}
	if problem, fix := pathProblem(name); problem != "" {
		c.problems = append(c.problems, e.Problem(mapping.RuleFile, diag.Error, offset, problem, fix))
		return x
	}
	x.file = path.Clean(name)
	if c.files == nil {
		c.files = map[string]bool{}
		c.problems = append(c.problems, e.Problem(mapping.RuleDeprecated, diag.Warning, offset, "file:// in a mapping is deprecated", c.includedFix(x.file)))
	}
	c.files[x.file] = true
	return x
}

// noFile is the problem of a file where only an expression can stand.
func (c *compiler) noFile(e mapping.Expr) {
	name, _ := fileReference(e.Text)
	c.problems = append(c.problems, e.Problem(mapping.RuleFile, diag.Error, strings.Index(e.Text, fileScheme),
		"file:// can stand only for a property or the title", c.includedFix(name)))
}

// includedFix names the field in which a file comes with the object: file:// in
// the mapping of folders begins at the folder.
func (c *compiler) includedFix(name string) string {
	field := ".__includedFiles"
	if c.resource.Kind == "folder" {
		field = ".folder.__includedFiles"
	}
	if name == "" {
		name = "README.md"
	}
	return fmt.Sprintf("name the file in selector.includedFiles and write %s[%q]", field, name)
}

// pathProblem says what is wrong with the path of a file; "" when it is right.
func pathProblem(name string) (problem, fix string) {
	switch {
	case path.Clean(name) == ".":
		return "file:// names no file", "write the path of the file, such as file://README.md"
	case strings.HasPrefix(name, "/"):
		return "the path behind file:// begins with a slash",
			"write " + fileScheme + strings.TrimLeft(name, "/") + ": the path begins at the root of the repository, or at the folder"
	case slices.Contains(strings.Split(name, "/"), ".."):
		return `the path behind file:// has the segment ".."`, "write the path without it: it begins at the root of the repository, or at the folder"
	case strings.HasSuffix(name, "/"):
		return "the path behind file:// names a folder", "write the path of a file, such as file://" + name + "README.md"
	}
	return "", ""
}

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
