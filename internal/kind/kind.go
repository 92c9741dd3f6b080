// Package kind holds the kinds of Bitbucket objects that a mapping can name: for
// each one its selector, and how its objects are extracted.
package kind

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/shape"
)

// all kinds, in the order of the manual.
var all = []Kind{project, repository, pullRequest, folder, file, pipeline, deployment, environment, user, repositoryPermission, branch, branchRestriction, tag, skill, codeReport, runner}

// All returns the kinds, in the order of the manual.
func All() []Kind { return slices.Clone(all) }

// names are those of all kinds.
func names() []string {
	var names []string
	for _, k := range all {
		names = append(names, k.Name)
	}
	return names
}

// WithFiles names the kinds whose objects have files that a mapping may name by file://.
func WithFiles() []string {
	var names []string
	for _, k := range all {
		if k.Files {
			names = append(names, k.Name)
		}
	}
	return names
}

// Objects returns what is known of the objects of a kind; the zero value of one that does
// not exist.
func Objects(name string) shape.Kind {
	i := slices.IndexFunc(all, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return shape.Kind{}
	}
	return all[i].Objects
}

// Shared returns the options by which resources that one run reads share what more than one
// of them wants.
func Shared(resources []Bound) Options {
	var o Options
	readers, begun := 0, map[any]bool{}
	for _, b := range resources {
		if b.ReadsFiles {
			readers++
		}
		o.KeepLists = o.KeepLists || b.list != nil && begun[b.list]
		begun[b.list] = true
	}
	o.KeepFiles, o.Parts = readers > 1, partsOf(resources)
	return o
}

// Bind decodes a resource's selector for its kind. It makes no request. The error
// is diag.Problems. Of a broken resource without a selector it checks the kind.
func Bind(r mapping.Resource) (Bound, error) {
	i := slices.IndexFunc(all, func(k Kind) bool { return k.Name == r.Kind })
	if i >= 0 {
		bound, err := all[i].bind(r.Selector)
		return bound, ofKinds(err, r.Selector)
	}
	kinds := strings.Join(names(), ", ")
	fix := "use one of " + kinds
	if near, ok := meant(r.Kind); ok {
		fix = fmt.Sprintf("did you mean %q? The kinds are %s", near, kinds)
	}
	return Bound{}, diag.Problems{r.Problem(mapping.RuleUnknownKind, diag.Error, r.KindPos, "kind", fmt.Sprintf("unknown kind %q", r.Kind), fix)}
}

// Meant returns the kind that a name stands for, or is near to; known is true when it is one.
func Meant(name string) (kind string, known bool) {
	if slices.Contains(names(), name) {
		return name, true
	}
	kind, _ = meant(name)
	return kind, false
}

// meant returns the kind that a name stands for, or is near to.
func meant(name string) (string, bool) {
	for _, k := range all {
		if slices.Contains(k.Aliases, strings.ToLower(name)) {
			return k.Name, true
		}
	}
	return nearest.Name(name, names())
}

// ofKinds adds to the problems of unknown keys which other kinds have them.
func ofKinds(err error, raw mapping.Selector) error {
	var problems diag.Problems
	if !errors.As(err, &problems) {
		return err
	}
	for i, p := range problems {
		for key, at := range raw.Keys() {
			if kinds := kindsWith(key); p.Rule == mapping.RuleUnknownKey && p.At == at && kinds != "" {
				problems[i].Fix = fmt.Sprintf("%s is a key of %s; %s", key, kinds, p.Fix)
			}
		}
	}
	return problems
}

// kindsWith names the kinds whose selector has a key; empty when none has.
func kindsWith(key string) string {
	var names []string
	for _, k := range all {
		if slices.ContainsFunc(k.Selector, func(own mapping.Key) bool { return own.Name == key }) {
			names = append(names, k.Name)
		}
	}
	return strings.Join(names, ", ")
}
