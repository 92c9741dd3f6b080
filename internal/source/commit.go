package source

import (
	"cmp"
	"context"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/spool"
)

// Commit is one commit of a repository, as one reader of it sees it. It is safe for
// concurrent use.
type Commit struct {
	files
	branch string // as Bitbucket spells it

	mu    sync.Mutex        // guards what follows
	links bitbucket.Object  // of the repository, once one was needed
	odd   []error           // until Odd returns them
	noted map[*listing]bool // those whose odd entries are in odd, or were
}

// At resolves a branch of a repository; "" is the main branch. The main branch of a
// repository without commits is not an error. The error is bitbucket.ErrNotFound when there is
// no such branch, and a *Gone when the repository is not there any more.
func (m *Memory) At(ctx context.Context, r bitbucket.Repository, branch string) (*Commit, error) {
	c := &Commit{branch: cmp.Or(branch, r.MainBranch), noted: map[*listing]bool{}}
	c.files = files{past: past{bodies: bodies{Revision{Repository: r}, m.options.MaxFile}, memory: m}, fetched: map[string]body{}, texts: m.spool}
	if !m.options.KeepFiles {
		c.texts = spool.New(m.options.TempDir)
	}
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
		c.tree = m.tree(c.at)
		c.folders = &lister{memory: m, at: c.at, tree: c.tree, texts: c.texts, indexes: map[*listing]index{}, came: map[gitwire.Hash]came{}}
	}
	return c, nil
}

// Close removes what the commit keeps of files for itself. None may be read any more. What is
// new of it is kept for later runs.
func (c *Commit) Close() error {
	if c.tree != nil {
		c.memory.release(c.tree)
	}
	if c.texts == c.memory.spool {
		return nil
	}
	return c.texts.Close()
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
func (c *Commit) At(name string) string { return c.at.named(name) }
