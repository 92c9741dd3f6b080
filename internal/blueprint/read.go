// Package blueprint reads the blueprints of a file: a JSON list, as Port's builder shows
// each. It finds what Port would refuse, and in which requests they are made. It makes no
// request.
package blueprint

import (
	"fmt"

	"port-bitbucket-exporter/internal/diag"
)

// maxBlueprints bounds what is taken from one file: no organization has more.
const maxBlueprints = 1000

// Read reads a file. It returns all problems, in file order, and a nil File when one of
// them is an error.
func Read(name string, content []byte) (*File, diag.Problems) {
	t := newText(name, string(content))
	root, problem := t.parse()
	if problem != nil {
		return nil, diag.Problems{*problem}
	}
	f, found := &File{Name: name}, &problems{}
	f.take(t, root, found)
	for _, b := range f.Blueprints {
		if !found.full() {
			b.shape(found)
		}
	}
	f.names(found)
	found.all.Sort()
	if found.full() {
		found.all = append(found.all[:maxProblems], t.problem(root.start, RuleValue, diag.Error, diag.Where{}, fmt.Sprintf("more than %d problems: the others are not shown", maxProblems), "solve these first, and check again"))
	}
	if len(found.all.Errors()) > 0 {
		f = nil
	}
	return f, found.all
}

// take takes the blueprints of the list.
func (f *File) take(t *text, root *node, found *problems) {
	wrong := func(at *node, s diag.Severity, message, fix string) {
		found.add(t.problem(at.start, RuleValue, s, diag.Where{}, message, fix))
	}
	switch {
	case root.kind != '[' && root.members["identifier"] != nil:
		wrong(root, diag.Error, "expected a list of blueprints, found one", "write [ before the blueprint and ] after it")
	case root.kind != '[' && root.members["blueprints"] != nil:
		wrong(root, diag.Error, "expected a list of blueprints, found an object that holds one", `write the list alone, without {"blueprints": before it`)
	case root.kind != '[':
		wrong(root, diag.Error, "expected a list of blueprints, found "+root.describe(), listFix)
	case len(root.items) == 0:
		wrong(root, diag.Warning, "the list holds no blueprint", "put blueprints into it, or remove the input blueprints_file")
	case len(root.items) > maxBlueprints:
		wrong(root, diag.Error, fmt.Sprintf("the list holds %d blueprints, and at most %d are read", len(root.items), maxBlueprints), "look for what has written it")
		return
	}
	for i, n := range root.items {
		b := Blueprint{number: i + 1, at: n, text: t}
		if n.kind != '{' {
			wrong(n, diag.Error, "expected a blueprint, found "+n.describe(), `write {"identifier": …, "title": …, "schema": {"properties": {}}}`)
			continue
		}
		b.Identifier = n.members["identifier"].text()
		b.Doc, _ = n.any(exact).(map[string]any)
		for _, key := range kept {
			delete(b.Doc, key)
		}
		f.Blueprints = append(f.Blueprints, b)
	}
}
