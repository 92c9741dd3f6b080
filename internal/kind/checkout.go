package kind

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/glob"
)

// checkout is one commit of a repository: what folders and files are read from.
// Its methods may be called side by side. In one run each folder is listed once,
// and each file read once, whoever asks.
type checkout struct {
	ws         *Workspace
	repository bitbucket.Repository
	branch     string // as Bitbucket spells it
	hash       string // empty in a repository without commits: then nothing matches and no file is there

	tree *tree // nil without a hash
	// What follows is for who holds the tree.
	indexes map[*listing]index
	recent  recent

	mu      sync.Mutex   // guards what follows
	pending []error      // *Warning and *Unreadable, until untold returns them
	noted   map[any]bool // what was pending already: warnings and listings
}

type headKey struct{ repository, branch string }

// head is what a branch was resolved to; an empty hash is that of no commit.
type head struct {
	hash string
	err  error // bitbucket.ErrNotFound
}

// checkout resolves a branch of a repository; "" is the main branch. The main
// branch of a repository without commits is no error. The error is
// bitbucket.ErrNotFound when there is no such branch, and a *Gone when the
// repository is not there any more.
func (w *Workspace) checkout(ctx context.Context, r bitbucket.Repository, branch string) (*checkout, error) {
	c := &checkout{ws: w, repository: r, branch: cmp.Or(branch, r.MainBranch), indexes: map[*listing]index{}, noted: map[any]bool{}}
	if c.branch == "" {
		return c, nil
	}
	var err error
	if c.hash = r.Hash; c.hash == "" || c.branch != r.MainBranch {
		c.hash, err = w.head(ctx, r, c.branch)
	}
	if err != nil {
		return nil, err
	}
	if c.hash != "" {
		c.tree = w.tree(treeKey{r.Key(), c.hash})
	}
	return c, nil
}

// head asks once a run for a branch.
func (w *Workspace) head(ctx context.Context, r bitbucket.Repository, branch string) (string, error) {
	k := headKey{r.Key(), branch}
	w.mu.Lock()
	known, ok := w.heads[k]
	w.mu.Unlock()
	if ok {
		return known.hash, known.err
	}
	hash, err := w.client.Head(ctx, r.Slug, branch)
	switch {
	case errors.Is(err, bitbucket.ErrNotFound):
		if other := w.unlessThere(ctx, r.Slug); other != nil {
			return "", other
		}
		// A main branch that is named and not there is that of a repository without
		// commits, when there is no other branch either.
		if branch == r.MainBranch {
			others, otherErr := w.client.Branches(ctx, r.Slug)
			switch {
			case otherErr != nil: // also when they are not found: the repository is there
				return "", otherErr
			case len(others) == 0:
				err = nil
			default:
				return "", fmt.Errorf("the main branch %q of repository %q is not there, while others are; give the repository another main branch in its settings", branch, r.Slug)
			}
		}
	case err != nil:
		return "", w.gone(ctx, r.Slug, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heads[k] = head{hash, err}
	return hash, err
}

func (w *Workspace) tree(k treeKey) *tree {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trees[k] == nil {
		w.trees[k] = newTree()
	}
	return w.trees[k]
}

// match is an entry of the repository that a pattern matches.
type match struct {
	entry   bitbucket.Entry
	pattern int // index in the patterns that were asked for
}

// entryType is what match looks for.
type entryType string

const (
	folders entryType = "commit_directory"
	files   entryType = "commit_file"
)

// match finds the folders, or the files, that the patterns match: sorted by path,
// and for one path by pattern. It lists as few folders as the patterns' literal
// beginnings and depths allow. The error is a *Gone when the repository is not
// there any more.
func (c *checkout) match(ctx context.Context, what entryType, patterns []glob.Pattern) ([]match, error) {
	if c.hash == "" {
		return nil, nil
	}
	if err := c.tree.lock(ctx); err != nil {
		return nil, err
	}
	defer c.tree.unlock()
	walk := glob.NewWalk(patterns)
	var found []match
	for n, more := walk.Next(); more; n, more = walk.Next() {
		is, size, err := c.look(n.Folder)
		if err != nil {
			return nil, err
		}
		if is == absent || is == present && size != isFolder {
			continue
		}
		before := len(found)
		asked, err := c.entries(ctx, n, func(l *listing, e bitbucket.Entry) {
			if !glob.Within(n.Folder, e.Path) {
				return
			}
			found = appendMatches(found, what, patterns, e)
			if entryType(e.Type) == folders && glob.Level(e.Path) == glob.Level(l.Folder)+l.Depth {
				walk.Below(e.Path)
			}
		}, func() {
			found = found[:before]
			walk.Restart()
		})
		if err != nil {
			return nil, c.ws.gone(ctx, c.repository.Slug, err)
		}
		if asked > 0 {
			c.ws.depths.listed(asked, asked < n.Depth && walk.Unfinished())
		}
	}
	order := func(a, b match) int {
		return cmp.Or(strings.Compare(a.entry.Path, b.entry.Path), cmp.Compare(a.pattern, b.pattern))
	}
	slices.SortFunc(found, order)
	return slices.CompactFunc(found, func(a, b match) bool { return order(a, b) == 0 }), nil
}

// appendMatches appends an entry once for each pattern that matches it.
func appendMatches(found []match, what entryType, patterns []glob.Pattern, e bitbucket.Entry) []match {
	if entryType(e.Type) != what {
		return found
	}
	for i, p := range patterns {
		if p.Matches(e.Path) {
			found = append(found, match{e, i})
		}
	}
	return found
}
