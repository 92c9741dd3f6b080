package source

import (
	"cmp"
	"context"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
)

// Commit is one commit of a repository, as one reader of it sees it. It is safe for
// concurrent use.
type Commit struct {
	memory  *Memory
	branch  string   // as Bitbucket spells it
	at      Revision // without a hash in a repository without commits: then nothing is there
	tree    *tree    // nil without a hash
	folders *lister  // nil without a hash

	mu     sync.Mutex // guards what follows
	recent recent
	links  bitbucket.Object  // of the repository, once one was needed
	odd    []error           // until Odd returns them
	noted  map[*listing]bool // those whose odd entries are in odd, or were
}

// At resolves a branch of a repository; "" is the main branch. The main branch of a
// repository without commits is not an error. The error is bitbucket.ErrNotFound when there is
// no such branch, and a *Gone when the repository is not there any more.
func (m *Memory) At(ctx context.Context, r bitbucket.Repository, branch string) (*Commit, error) {
	c := &Commit{memory: m, at: Revision{Repository: r}, branch: cmp.Or(branch, r.MainBranch), noted: map[*listing]bool{}}
	if c.branch == "" {
		return c, nil
	}
	var err error
	if c.at.Hash = r.Hash; c.at.Hash == "" || c.branch != r.MainBranch {
		c.at.Hash, err = m.head(ctx, r, c.branch)
	}
	if err != nil {
		return nil, err
	}
	if c.at.Hash != "" {
		c.tree = m.tree(treeKey{r.Key(), c.at.Hash})
		c.folders = &lister{memory: m, at: c.at, tree: c.tree, indexes: map[*listing]index{}}
	}
	return c, nil
}

// Branch is the branch, as Bitbucket spells it.
func (c *Commit) Branch() string { return c.branch }

// Hash is that of the commit; empty in a repository without commits.
func (c *Commit) Hash() string { return c.at.Hash }

// note keeps the odd entries of a listing until the next call of Odd, once for each
// listing: what a pattern looks for may be among them.
func (c *Commit) note(l *listing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.noted[l] {
		c.noted[l] = true
		c.odd = append(c.odd, l.odd...)
	}
}

// Odd returns the errors of entries that cannot be used, of what List listed since the last
// call: each is a *bitbucket.Odd.
func (c *Commit) Odd() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	odd := c.odd
	c.odd = nil
	return odd
}

// At names a file in messages.
func (c *Commit) At(name string) string { return c.at.Repository.Slug + "/" + strings.Trim(name, "/") }

// remembered finds a body that the commit keeps by itself.
func (c *Commit) remembered(name string) (body, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recent.find(name)
}

// remember keeps a body, unless the run keeps all.
func (c *Commit) remember(name string, b body) {
	if c.memory.options.KeepFiles {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent.add(name, b)
}
