package kind

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/content"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/source"
)

// checkout is one commit of a repository as one task reads it, with what is to be reported
// of it besides its objects. Its methods may be called side by side.
type checkout struct {
	*source.Commit
	ws         *Workspace
	repository bitbucket.Repository
	fullName   string

	mu      sync.Mutex // guards what follows
	pending []error    // until report yields them
	noted   map[Warning]bool
}

// checkout resolves a branch of a repository, as source.Memory.At does. The error is a *Warning
// when the repository does not have a branch that is named.
func (w *Workspace) checkout(ctx context.Context, l *listed, branch string) (*checkout, error) {
	r, err := l.whole()
	if err != nil {
		return nil, err
	}
	c, err := w.memory.At(ctx, r, branch)
	if branch != "" && errors.Is(err, bitbucket.ErrNotFound) {
		return nil, missingBranch(ctx, w, l.Repository, branch, err)
	}
	if err != nil {
		return nil, err
	}
	var of struct {
		FullName string `json:"full_name"`
	}
	_ = json.Unmarshal(r.JSON, &of) // it was read before
	found := &checkout{Commit: c, ws: w, repository: r, fullName: cmp.Or(of.FullName, r.Slug), noted: map[Warning]bool{}}
	if c.Branch() == "" {
		found.pending = []error{w.noCommits(l.Repository)}
	}
	return found, nil
}

// match is an entry of the repository that a pattern matches.
type match struct {
	entry   source.Entry
	pattern int // index in the patterns that were asked for
}

// match finds the entries of a type that the patterns match: sorted by path, and for one
// path by pattern. The error is a *Gone when the repository is not there any more.
//
// Keep reports whether a file is to be read afterwards.
func (c *checkout) match(ctx context.Context, entryType string, patterns []glob.Pattern, keep func(path string) bool) ([]match, error) {
	walk := glob.NewWalk(patterns)
	var found []match
	for n, more := walk.Next(); more; n, more = walk.Next() {
		before := len(found)
		err := c.List(ctx, n, source.Visitor{
			Entry: func(of glob.Need, e source.Entry) {
				if !glob.Within(n.Folder, e.Path) {
					return
				}
				if e.Type == entryType {
					found = appendMatches(found, patterns, e)
				}
				if e.Type == source.Folder && glob.Level(e.Path) == glob.Level(of.Folder)+of.Depth {
					walk.Below(e.Path)
				}
			},
			Restart: func() {
				found = found[:before]
				walk.Restart()
			},
			Several:    walk.Several(),
			Keep:       keep,
			Unfinished: walk.Unfinished,
		})
		if err != nil {
			return nil, err
		}
	}
	order := func(a, b match) int {
		return cmp.Or(strings.Compare(a.entry.Path, b.entry.Path), cmp.Compare(a.pattern, b.pattern))
	}
	// slices.SortFunc would be compiled once more for so large an element: 8 KB of the binary.
	sort.Slice(found, func(i, j int) bool { return order(found[i], found[j]) < 0 })
	return slices.CompactFunc(found, func(a, b match) bool { return order(a, b) == 0 }), nil
}

// appendMatches appends an entry once for each pattern that matches it.
func appendMatches(found []match, patterns []glob.Pattern, e source.Entry) []match {
	for i, p := range patterns {
		if p.Matches(e.Path) {
			found = append(found, match{e, i})
		}
	}
	return found
}

// warn keeps a warning, once, until the next call of report.
func (c *checkout) warn(all ...*Warning) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range all {
		if !c.noted[*w] {
			c.noted[*w] = true
			c.pending = append(c.pending, w)
		}
	}
}

// report yields the errors and warnings since the last call. A task calls it when it has
// found its objects, and after each object: reading a file that a mapping names may add
// some.
func (c *checkout) report(yield func(Found, error) bool) bool {
	for _, err := range c.Odd() {
		if !yield(Found{}, unreadable(err)) {
			return false
		}
	}
	c.mu.Lock()
	pending := c.pending
	c.pending = nil
	c.mu.Unlock()
	for _, w := range pending {
		if !yield(Found{}, w) {
			return false
		}
	}
	return true
}

// text returns a file as UTF-8, or nil when there is none. Of a symbolic link it returns the
// file that it leads to. It is nil, with a warning, for a link that leads to none, and for a
// file that is binary or kept on another host. One that is too large is an error, since a
// null would overwrite what Port holds.
func (c *checkout) text(ctx context.Context, name string) (any, *Warning, error) {
	path, body, err := c.Followed(ctx, name)
	if large := (*source.TooLarge)(nil); errors.As(err, &large) {
		body, err = c.beginning(ctx, path, large)
	}
	var omitted *Omitted
	var dead *source.DeadLink
	switch {
	case errors.As(err, &dead):
		return nil, &Warning{Unclear: true, Problem: diag.Problem{Message: dead.Why + ": it is null", Example: c.At(name)}}, nil
	case errors.As(err, &omitted):
		return nil, &Warning{Unclear: true, Problem: diag.Problem{Message: omitted.Why + ": it is null", Fix: omitted.Fix, Example: omitted.Object}}, nil
	case err != nil || body == nil:
		return nil, nil, err
	case content.Binary(body):
		return nil, &Warning{Unclear: true, Problem: diag.Problem{Message: "a file is binary, and has no text: it is null", Example: c.At(name)}}, nil
	}
	return content.Text(body), nil, nil
}

// maxEntity is more than an entity in Port can hold, in bytes.
//
// Source: https://docs.port.io/api-reference/create-multiple-entities, read 2026-11.
const maxEntity = 1<<20 + 1

// beginning reads as much of a file that is too large as no entity can hold: a
// mapping may use a part of it, and an entity with all of it is rejected by its
// property's name. Where less than that is too large, the file is not given.
func (c *checkout) beginning(ctx context.Context, name string, large *source.TooLarge) ([]byte, error) {
	switch {
	case c.ws.memory.MaxFile() < maxEntity-1:
		return nil, &advised{fmt.Errorf("read file %q: %w", c.At(name), large), "raise the input max_file_size"}
	case large.Beginning != nil:
		return large.Beginning[:min(len(large.Beginning), maxEntity)], nil
	}
	return c.Beginning(ctx, name, maxEntity)
}

// address is the Found.Address of what lies at a path: the repository's full name, and the
// path.
func (c *checkout) address(path string) string {
	return c.fullName + "/" + path
}

// reader is the Found.Read of an object whose files lie in a folder.
func (c *checkout) reader(folder string) func(context.Context, string) (any, error) {
	return func(ctx context.Context, name string) (any, error) {
		path, inside, err := fileFrom(folder, name)
		if err != nil || !inside { // the check of the mapping has refused it
			return nil, err
		}
		text, warning, err := c.text(ctx, path)
		if warning != nil {
			c.warn(warning)
		}
		return text, err
	}
}

// fileFrom returns the path of a file that a mapping names, from a folder or from the root.
func fileFrom(folder, name string) (path string, inside bool, err error) {
	p, err := mapping.ParseFilePath(name)
	if err != nil {
		return "", false, err
	}
	path, inside = p.From(folder)
	return path, inside, nil
}

// namedFrom returns the paths of files that a mapping names.
func namedFrom(folder string, names []string) (paths []string) {
	for _, name := range names {
		if path, inside, err := fileFrom(folder, name); err == nil && inside && path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// below joins the path of a file to that of a folder.
func below(folder, name string) string {
	name = strings.TrimPrefix(name, "/")
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

func allBelow(folder string, names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = below(folder, name)
	}
	return paths
}

// included are files that a selector names, by their names.
type included struct {
	texts    Object // null for what is not there, and for what has no text
	unclear  bool   // a text is not given
	warnings []*Warning
	err      error
}

// included reads files below a folder, the root when it is empty. One that cannot be read
// is an error, since a null would overwrite what Port holds.
func (c *checkout) included(ctx context.Context, folder string, names []string) (all included) {
	all.texts = Object{}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	paths := allBelow(folder, names)
	if all.err = c.Fetch(ctx, paths); all.err == nil {
		all.err = c.ListInstead(ctx, folder, paths)
	}
	if all.err != nil {
		return all
	}
	for i, name := range names {
		text, warning, err := c.text(ctx, paths[i])
		if err != nil {
			all.err = err
			return all
		}
		if warning != nil {
			all.warnings = append(all.warnings, warning)
			all.unclear = all.unclear || warning.Unclear
		}
		all.texts[name] = text
	}
	return all
}

// rootFiles are the included files of a repository's root, for one task: they are read once
// it has an object, and are the same for all. It is for one goroutine.
type rootFiles struct {
	checkout *checkout
	names    []string
	read     bool
	files    included
}

// rootFiles returns the root's files of these names that expressions reach; nil without names.
func (c *checkout) rootFiles(names []string, reads Reads) *rootFiles {
	if len(names) == 0 {
		return nil
	}
	return &rootFiles{checkout: c, names: reads.of(names, includedFiles)}
}

// paths are those of the files.
func (r *rootFiles) paths() []string {
	if r == nil {
		return nil
	}
	return allBelow("", r.names)
}

// load reads the files, unless they have been read.
func (r *rootFiles) load(ctx context.Context) {
	if r == nil || r.read {
		return
	}
	r.read, r.files = true, r.checkout.included(ctx, "", r.names)
	r.checkout.warn(r.files.warnings...)
}

// included returns the files, with texts that the caller may write into.
func (r *rootFiles) included(ctx context.Context) (included, error) {
	r.load(ctx)
	files := r.files
	files.texts, _ = clone(files.texts).(Object)
	return files, files.err
}

// includedFiles is the key of included files, in an object and in the folder of one.
const includedFiles = "__includedFiles"

// Reads reports whether the expressions of a resource can reach a path of its objects,
// given by its keys. A nil Reads reaches everything.
type Reads func(path ...string) bool

// any reports whether the expressions of a resource can reach a path.
func (r Reads) any(path ...string) bool { return r == nil || r(path...) }

// of returns the names of included files that expressions can reach below a path.
func (r Reads) of(names []string, path ...string) []string {
	if r == nil {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !r(append(slices.Clone(path), name)...) })
}
