package kind

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/filter"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/shape"
	"port-bitbucket-exporter/internal/source"
)

// checkOneOf reports a value of a key that is not among the known ones; what names them in messages.
func checkOneOf(s mapping.Selector, key, value string, known []string, what string) diag.Problems {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	all := strings.Join(known[:len(known)-1], ", ") + " or " + known[len(known)-1]
	fix := "use " + all
	if near, ok := nearest.Name(value, known); ok {
		fix = fmt.Sprintf("did you mean %q? Write %s", near, all)
	}
	return diag.Problems{s.Problem(mapping.RuleSelectorValue, diag.Error, key, fmt.Sprintf("unknown %s %q", what, value), fix)}
}

// checkEach is checkOneOf for each value of a list. An empty value is not known.
func checkEach[T ~string](s mapping.Selector, key string, values []T, known []string, what string) (problems diag.Problems) {
	for i, value := range values {
		at := fmt.Sprintf("%s[%d]", key, i)
		if value == "" {
			problems = append(problems, s.Problem(mapping.RuleSelectorValue, diag.Error, at, "the "+what+" is empty", "use one of "+strings.Join(known, ", ")))
			continue
		}
		problems = append(problems, checkOneOf(s, at, string(value), known, what)...)
	}
	return problems
}

// maxFilter bounds a filter that a fix repeats, in bytes.
const maxFilter = 200

// checkFilter finds what Bitbucket refuses in the filter of a key, for a list of objects.
func checkFilter(s mapping.Selector, key, text string, of *shape.Shape) diag.Problems {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	f := filter.Check(text)
	if f == nil {
		return checkFields(s, key, text, of)
	}
	fix := f.Fix
	if mended := strings.TrimSpace(f.Mended); mended != "" && len(mended) <= maxFilter && !strings.Contains(mended, "\n") {
		fix += ": " + key + ": " + mapping.InSingleQuotes(mended)
	}
	return diag.Problems{s.ProblemAt(mapping.RuleSelectorValue, diag.Error, key, f.Offset, "Bitbucket does not take the filter: "+f.Message, fix)}
}

// checkFields finds fields of a filter that are most likely misspelt. One that is like none
// of those that are known may be there all the same.
func checkFields(s mapping.Selector, key, text string, of *shape.Shape) (problems diag.Problems) {
	for _, name := range filter.Fields(text) {
		var path shape.Path
		for one := range strings.SplitSeq(name.Text, ".") {
			path = append(path, shape.Step{Key: one})
		}
		at, in := of.DeadEnd(path)
		if at < 0 || in.Form != shape.Object {
			continue
		}
		if near, ok := nearest.Name(path[at].Key, in.Names); ok {
			path[at].Key = near
			problems = append(problems, s.ProblemAt(mapping.RuleField, diag.Warning, key, name.Offset,
				fmt.Sprintf("Bitbucket has no field %s", name.Text), fmt.Sprintf("did you mean %s?", strings.TrimPrefix(path.String(), "."))))
		}
	}
	return problems
}

// repoRef names a repository in a selector, and a branch of it: as text the name alone.
type repoRef struct {
	Name   string `yaml:"name" required:"true" help:"The name or the slug of the repository."`
	Branch string `yaml:"branch" help:"The branch: the main one when it is absent or \"default\"."`
}

// named is how many repositories patterns name; 0 when one of them is for all.
func named(patterns [][]repoRef) int {
	names := map[string]bool{}
	for _, refs := range patterns {
		if len(refs) == 0 {
			return 0
		}
		for _, r := range refs {
			names[r.Name] = true
		}
	}
	return len(names)
}

// UnmarshalText reads a name without a branch.
func (r *repoRef) UnmarshalText(text []byte) error {
	r.Name = string(text)
	return nil
}

// is reports whether it names the repository: by name or slug, or by the name with
// dashes for spaces, as the product's own integration takes it.
func (r repoRef) is(of bitbucket.Repository) bool {
	return r.Name == of.Slug || r.Name == of.Name || r.Name == strings.ReplaceAll(of.Name, " ", "-")
}

// branch is empty for the main one.
func (r repoRef) branch(of bitbucket.Repository) string {
	if r.Branch == "default" || r.Branch == of.MainBranch {
		return ""
	}
	return r.Branch
}

// checkRefs finds the repositories without a name; path is where they stand in the selector.
func checkRefs(raw mapping.Selector, path string, refs []repoRef) (problems diag.Problems) {
	for i, r := range refs {
		if r.Name == "" {
			problems = append(problems, raw.Problem(mapping.RuleSelectorValue, diag.Error, fmt.Sprintf("%s[%d]", path, i),
				"the repository has no name", "give its name or slug, such as checkout-api, or leave repos out for all repositories"))
		}
	}
	return problems
}

// chosen is a branch of a repository, with the patterns of a selector that apply to it.
type chosen struct {
	repository *listed
	branch     string // empty for the main one
	patterns   []int  // indices, ascending
}

// choose lists a task for each repository and branch that a pattern applies to,
// in the order of the repositories. refs are those of each pattern: a pattern
// without any applies to the main branch of all repositories. What is named and
// not there is a *Warning of a last task.
func choose(ctx context.Context, ws *Workspace, w walked, refs [][]repoRef, run func(chosen) Run) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		found := map[string]bool{}
		var names []string
		t := w.taking(ws)
		for l, err := range t.repositories(ctx) {
			if isOdd(err) {
				if !yield(failing(err), nil) {
					return
				}
				continue
			}
			if err != nil {
				yield(Task{}, err)
				return
			}
			names = append(names, l.Name, l.Slug)
			branches := chooseIn(l, refs, found)
			for _, c := range branches {
				ws.memory.Expect(l.Repository, c.branch)
			}
			for _, c := range branches {
				if !yield(Task{Source: l.source(), Run: run(c), reads: &c}, nil) {
					return
				}
			}
		}
		if task, ok := t.missing(); ok && !yield(task, nil) {
			return
		}
		if len(names) == 0 {
			return // no task at all: an empty list is reported as such
		}
		if missing := missingRepositories(refs, found, names, w); len(missing) > 0 {
			yield(Task{Run: onlyErrors(missing...), Warns: true}, nil)
		}
	}
}

// chooseIn returns the branches of one repository, in the order of the patterns, and
// notes the names by which it was found.
func chooseIn(l *listed, refs [][]repoRef, found map[string]bool) (branches []chosen) {
	add := func(branch string, pattern int) {
		i := slices.IndexFunc(branches, func(c chosen) bool { return c.branch == branch })
		if i < 0 {
			i = len(branches)
			branches = append(branches, chosen{repository: l, branch: branch})
		}
		if !slices.Contains(branches[i].patterns, pattern) {
			branches[i].patterns = append(branches[i].patterns, pattern)
		}
	}
	for pattern, named := range refs {
		if len(named) == 0 {
			add("", pattern)
		}
		for _, ref := range named {
			if ref.is(l.Repository) {
				found[ref.Name] = true
				add(ref.branch(l.Repository), pattern)
			}
		}
	}
	return branches
}

func missingRepositories(refs [][]repoRef, found map[string]bool, names []string, w walked) (missing []*Warning) {
	told := map[string]bool{}
	for _, ref := range slices.Concat(refs...) {
		if found[ref.Name] || told[ref.Name] {
			continue
		}
		told[ref.Name] = true
		warning := &Warning{Problem: diag.Problem{Message: fmt.Sprintf("the workspace has no repository %q that the credential can see", ref.Name),
			Fix: "write its name or slug as Bitbucket shows it"}, BlocksDeletion: true}
		if keys := w.narrowing(); keys != "" {
			warning.Message = fmt.Sprintf("repository %q is not among those that %s leave", ref.Name, keys)
		}
		if near, ok := nearest.Name(ref.Name, names); ok {
			warning.Fix = fmt.Sprintf("did you mean %q?", near)
		}
		missing = append(missing, warning)
	}
	return missing
}

// missingBranch is for a branch that a selector names.
func missingBranch(ctx context.Context, ws *Workspace, r bitbucket.Repository, branch string, err error) *Warning {
	w := &Warning{Problem: diag.Problem{Message: fmt.Sprintf("repository %q has no branch %q", r.Slug, branch), Fix: "leave the branch out for the main branch"}, BlocksDeletion: true}
	var names []string
	none := &source.NoBranch{}
	if !errors.As(err, &none) { // only to say what is near
		none.Others, _ = ws.client.Branches(ctx, r.Slug)
	}
	for _, b := range none.Others {
		names = append(names, b.Name)
	}
	if near, ok := nearest.Name(branch, names); ok {
		w.Fix = fmt.Sprintf("did you mean %q?", near)
	}
	return w
}

// patternFix returns the fix of an error for an invalid pattern, or otherwise where it has none.
func patternFix(err error, otherwise string) string {
	if invalid := (*glob.Invalid)(nil); errors.As(err, &invalid) {
		return invalid.Fix
	}
	return otherwise
}

// checkIncluded finds what is not a path in includedFiles.
func checkIncluded(raw mapping.Selector, names []string) (problems diag.Problems) {
	for i, name := range names {
		if !validPath(name) {
			problems = append(problems, raw.Problem(mapping.RuleSelectorValue, diag.Error, fmt.Sprintf("includedFiles[%d]", i),
				fmt.Sprintf("%q is not the path of a file", name), "give the path from the repository's root, such as docs/README.md, without . and .."))
		}
	}
	return problems
}

// validPath reports whether a name is a path as Git has it, maybe with a leading slash.
func validPath(name string) bool {
	p, err := mapping.ParseFilePath(name)
	return err == nil && !p.Up && path.Clean("/"+name) == "/"+strings.TrimPrefix(name, "/")
}

// includedCost is the least number of requests for files of one folder: from so many
// on a listing comes before them, and shows which are there.
func includedCost(names []string) int {
	if len(names) < source.ListingInstead {
		return len(names)
	}
	return 1
}
