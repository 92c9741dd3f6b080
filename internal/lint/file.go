package lint

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

// fileReferences finds file:// where no file can be named, or a path that names none. It
// ends the look at the expression, which is not jq.
func fileReferences(x *expression) bool {
	name, ok := x.File()
	if !ok {
		return false
	}
	offset := strings.Index(x.Text, mapping.FileScheme)
	if x.role != fileRole {
		x.add(mapping.RuleFile, diag.Error, offset, "file:// can stand only for a property or the title", includedFix(x, name))
		return true
	}
	if problem, fix := pathProblem(name); problem != "" {
		x.add(mapping.RuleFile, diag.Error, offset, problem, fix)
	} else if !x.files {
		x.files = true
		x.add(mapping.RuleDeprecated, diag.Warning, offset, "file:// in a mapping is deprecated", includedFix(x, path.Clean(name)))
	}
	return true
}

// includedFix names the field in which a file comes with the object. Where the kind has
// such a field within the object that bears its name, file:// begins there: at the folder.
func includedFix(x *expression, name string) string {
	field := "." + includedFiles
	if inner := (shape.Path{{Key: x.resource.Kind}, {Key: includedFiles}}); x.Kind.Object.At(inner) != nil {
		field = inner.String()
	}
	if name == "" {
		name = "README.md"
	}
	return fmt.Sprintf("name the file in selector.includedFiles and write %s[%q]", field, name)
}

// pathProblem returns what is wrong with the path of a file; "" when it is right. A path
// that leaves where it begins is refused: only an object shows whether it is inside.
func pathProblem(name string) (problem, fix string) {
	p, err := mapping.ParseFilePath(name)
	switch {
	case errors.Is(err, mapping.ErrFolder):
		return err.Error(), "write the path of a file, such as file://" + strings.TrimLeft(name, "/") + "README.md"
	case err != nil:
		return err.Error(), "write the path of the file, such as file://README.md"
	case p.Rooted:
		return "the path after file:// begins with a slash",
			"write " + mapping.FileScheme + strings.TrimLeft(name, "/") + ": the path begins at the root of the repository, or at the folder"
	case p.Up:
		return `the path after file:// has the segment ".."`, "write the path without it: it begins at the root of the repository, or at the folder"
	}
	return "", ""
}
