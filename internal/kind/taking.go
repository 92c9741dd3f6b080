package kind

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/nearest"
)

// taking is one look of a selector at its list of repositories: which of them it takes. Bitbucket
// may have narrowed the list already; here it is judged in any case.
type taking struct {
	walked
	ws    *Workspace
	since time.Time // zero for all times
	rules []rule
	seen  bool // the list has a repository
	slugs []string
}

// rule is a key that names repositories or projects.
type rule struct {
	namePatterns
	globs    []glob.Pattern
	literals map[string]bool // names without wildcards, and whether they were seen
}

func (w walked) taking(ws *Workspace) *taking {
	t := &taking{walked: w, ws: ws, since: daysBefore(ws.moment, w.ActiveWithin)}
	for _, of := range w.patterns() {
		if len(of.patterns) == 0 {
			continue
		}
		r := rule{namePatterns: of, literals: map[string]bool{}}
		for _, pattern := range of.patterns {
			p, err := glob.Parse(pattern)
			if err != nil {
				continue // problems has reported it
			}
			r.globs = append(r.globs, p)
			if name, ok := p.Literal(); ok {
				r.literals[name] = false
			}
		}
		t.rules = append(t.rules, r)
	}
	return t
}

// repositories yields those of the list that are taken. After a *bitbucket.Odd others may follow.
func (t *taking) repositories(ctx context.Context) iter.Seq2[*listed, error] {
	return func(yield func(*listed, error) bool) {
		for l, err := range t.ws.repositories(ctx, t.query()) {
			if err == nil {
				t.note(l.Repository)
				if !t.takes(l.Repository) {
					continue
				}
			}
			if !yield(l, err) {
				return
			}
		}
	}
}

// note remembers the names of a repository, where some are looked for.
func (t *taking) note(r bitbucket.Repository) {
	t.seen = true
	for _, of := range t.rules {
		if len(of.literals) == 0 {
			continue
		}
		name := r.Slug
		if of.project {
			name = r.Project
		}
		if _, looked := of.literals[name]; looked {
			of.literals[name] = true
		}
	}
	if len(t.rules) > 0 {
		t.slugs = append(t.slugs, r.Slug, r.Name)
	}
}

// takes reports whether a repository is taken. A field that its JSON lacks does not leave it out.
func (t *taking) takes(r bitbucket.Repository) bool {
	if at, err := time.Parse(time.RFC3339, r.UpdatedOn); err == nil && at.Before(t.since) {
		return false
	}
	for _, of := range t.rules {
		if name, known := of.of(r); known && of.matches(name) == of.leaves {
			return false
		}
	}
	return true
}

// of is the name of a repository that a rule is about; not known where its JSON lacks it. One
// without a project has the empty name, which no pattern matches.
func (r rule) of(l bitbucket.Repository) (name string, known bool) {
	if r.project {
		return l.Project, l.Project != "" || l.NoProject
	}
	return l.Slug, true
}

func (r rule) matches(name string) bool {
	return name != "" && slices.ContainsFunc(r.globs, func(p glob.Pattern) bool { return p.Matches(name) })
}

// missing returns a task that warns of the names that the workspace does not have; false where
// there is nothing to look into. It is called when the list has come to its end.
func (t *taking) missing() (Task, bool) {
	whole := t.query() == bitbucket.RepositoryQuery{}
	if whole && !t.seen {
		return Task{}, false // an empty list is reported as such
	}
	var look []func(context.Context) (*Warning, error)
	for _, of := range t.rules {
		if of.leaves && !whole { // what is named may be among those that were left out anyway
			continue
		}
		for _, name := range of.patterns {
			if literal, seen := of.unseen(name); !seen {
				look = append(look, func(ctx context.Context) (*Warning, error) { return t.look(ctx, of, literal, whole) })
			}
		}
	}
	return Task{Run: looked(look), Warns: true}, len(look) > 0
}

// unseen returns the name that a pattern without wildcards stands for, and whether it was seen, or
// is none.
func (r rule) unseen(pattern string) (name string, seen bool) {
	p, err := glob.Parse(pattern)
	name, literal := p.Literal()
	return name, err != nil || !literal || r.literals[name]
}

// looked yields the warnings that come of looking.
func looked(look []func(context.Context) (*Warning, error)) Run {
	return func(ctx context.Context) iter.Seq2[Found, error] {
		return func(yield func(Found, error) bool) {
			for _, one := range look {
				w, err := one(ctx)
				if w != nil {
					err = w
				}
				if err != nil && !yield(Found{}, err) {
					return
				}
			}
		}
	}
}

// look finds out whether the workspace has what a key names, and no repository of the list is of.
// A repository may be left out by other keys, and a project may have no repository.
func (t *taking) look(ctx context.Context, of rule, name string, whole bool) (*Warning, error) {
	known := t.slugs
	var there bool
	var err error
	switch {
	case of.project:
		known, err = t.ws.keys.ask(ctx, t.ws.client)
		there = slices.Contains(known, name)
	case !whole:
		there, err = t.ws.client.Exists(ctx, name)
	}
	what, shown := "repository", "its slug"
	if of.project {
		what, shown = "project", "its key"
	}
	w := &Warning{Problem: diag.Problem{
		Message: fmt.Sprintf("%s: the workspace has no %s %q that the credential can see", of.key, what, name),
		Fix:     fmt.Sprintf("write %s as Bitbucket shows it, or remove it", shown),
	}, BlocksDeletion: !of.leaves}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case there:
		return nil, nil
	case err != nil: // such as a missing scope: the repositories themselves were read
		w.Message = fmt.Sprintf("%s: no repository is of the %s %q, and whether the workspace has it cannot be asked: %v", of.key, what, name, err)
		return w, nil
	}
	if near, ok := nearest.Name(name, known); ok {
		w.Fix = fmt.Sprintf("did you mean %q?", t.slugOf(near))
	}
	return w, nil
}

// slugOf is the slug of a repository that is near by one of its names; another name stays.
func (t *taking) slugOf(name string) string {
	if i := slices.Index(t.slugs, name); i%2 == 1 { // the slug stands before the name
		return t.slugs[i-1]
	}
	return name
}

// projectKeys are the keys of the workspace's projects. They are safe for concurrent use.
type projectKeys struct {
	mu   sync.Mutex // guards what follows
	read bool
	all  []string
}

// ask returns the keys. The list is read once a run.
func (k *projectKeys) ask(ctx context.Context, c *bitbucket.Client) ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read {
		return k.all, nil
	}
	var all []string
	for l, err := range projects.ask(ctx, c, false) {
		if err != nil && !isOdd(err) {
			return nil, err
		}
		if key, _ := l.Object["key"].(string); key != "" {
			all = append(all, key)
		}
	}
	k.all, k.read = all, true
	return all, nil
}
