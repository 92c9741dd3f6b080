package blueprint

import (
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/diag"
)

// File is a file of blueprints of which Port is known to refuse none for itself.
type File struct {
	Name       string
	Blueprints []Blueprint // in file order
}

// Blueprint is one blueprint of a file. It is not written to.
type Blueprint struct {
	Identifier string
	// Doc is its JSON as Port takes it, without what Port keeps of every blueprint; numbers
	// are json.Number.
	Doc map[string]any

	number int // in the file, from 1
	at     *node
	text   *text
}

// Find returns the blueprint of an identifier.
func (f *File) Find(identifier string) (b Blueprint, ok bool) {
	if f == nil || identifier == "" {
		return b, false
	}
	i := slices.IndexFunc(f.Blueprints, func(b Blueprint) bool { return b.Identifier == identifier })
	if i < 0 {
		return b, false
	}
	return f.Blueprints[i], true
}

// Identifiers returns those of all blueprints, in file order; nil without a file.
func (f *File) Identifiers() (names []string) {
	if f == nil {
		return nil
	}
	for _, b := range f.Blueprints {
		names = append(names, b.Identifier)
	}
	return names
}

// Place returns where the blueprint begins.
func (b Blueprint) Place() diag.Position { return b.text.position(b.at.start) }

// problem makes a problem of the blueprint, at a byte offset of the file. Part is the way
// to the part that it is about, joined by dots; it may be empty.
func (b Blueprint) problem(offset int, rule diag.Rule, s diag.Severity, part, message, fix string) diag.Problem {
	where := "blueprint " + strconv.Itoa(b.number)
	if b.Identifier != "" {
		where = "blueprint " + quoted(b.Identifier)
	}
	return b.text.problem(offset, rule, s, diag.Where{Part: where}.In(part), message, fix)
}

// maxName is how much is shown of a name of the file, in bytes.
const maxName = 120

// quoted shows a text of the file.
func quoted(s string) string { return strconv.Quote(clip.Bytes(s, maxName, "…")) }

// partOf joins the way to a part of a blueprint.
func partOf(path []string) string {
	short := make([]string, len(path))
	for i, name := range path {
		short[i] = clip.Bytes(name, maxName, "…")
	}
	return strings.Join(short, ".")
}

// members returns the names of the objects below a key of the blueprint, sorted.
func (b Blueprint) members(path ...string) []string {
	n := b.at.find(path)
	if n == nil {
		return nil
	}
	return slices.Sorted(slices.Values(n.keys))
}

// has reports whether a name stands below a key of the blueprint.
func (b Blueprint) has(name string, path ...string) bool {
	n := b.at.find(path)
	return n != nil && n.members[name] != nil
}
