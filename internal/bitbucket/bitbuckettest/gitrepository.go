package bitbuckettest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// gitRepository is a repository as git has it. Commits come into it when the hash of one is asked for.
type gitRepository struct {
	mu      sync.Mutex
	store   *gitwiretest.Repository
	commits []gitwiretest.Hash // of the first commits of the repository, in their order
	gen     uint64             // of the workspace, when the refs were last set
}

// hash is the real one of the commit. It is used with workspace.mu held.
func (c *commit) hash() string {
	if id := c.id.Load(); id != nil {
		return *id
	}
	c.repo.git.mu.Lock()
	defer c.repo.git.mu.Unlock()
	c.repo.git.take(c.repo)
	return *c.id.Load()
}

// take brings all commits into the store.
func (g *gitRepository) take(r *repository) {
	if g.store == nil {
		g.store = gitwiretest.NewRepository()
	}
	for _, c := range r.commits[len(g.commits):] {
		in := gitwiretest.Commit{Files: make(map[string]gitwiretest.File, len(c.files)), Message: c.message, Time: c.date}
		for path, content := range c.files {
			in.Files[path] = r.gitFile(path, content)
		}
		if c.parent != nil {
			parent, _ := gitwiretest.ParseHash(*c.parent.id.Load())
			in.Parents = []gitwiretest.Hash{parent}
		}
		h := g.store.Commit(in)
		id := h.String()
		c.id.Store(&id)
		g.commits = append(g.commits, h)
	}
}

// forgetHashes makes the commits others than they were.
func (r *repository) forgetHashes() {
	r.git.store, r.git.commits, r.git.gen = nil, nil, 0
	for _, c := range r.commits {
		c.id.Store(nil)
	}
}

// gitFile is a file as git has it.
func (r *repository) gitFile(path, content string) gitwiretest.File {
	attributes := r.attributes[path]
	f := gitwiretest.File{Content: content}
	switch {
	case slices.Contains(attributes, "subrepository"):
		f.Mode = gitwiretest.Submodule
		if _, ok := gitwiretest.ParseHash(content); !ok {
			f.Content = hashOf("subrepository", content)
		}
		return f
	case slices.Contains(attributes, "link"):
		f.Mode = gitwiretest.Link
		return f
	case slices.Contains(attributes, "executable"):
		f.Mode = gitwiretest.Executable
	}
	if slices.Contains(attributes, "lfs") {
		f.Content = lfsPointer(content)
	}
	return f
}

// lfsPointer is what git has of a file that is kept elsewhere.
// Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, read 2026-11.
func lfsPointer(content string) string {
	sum := sha256.Sum256([]byte(content))
	return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", hex.EncodeToString(sum[:]), len(content))
}

// served is the repository with its branches as they are now. It is used with workspace.mu held for reading.
func (r *repository) served(gen uint64) *gitwiretest.Repository {
	g := &r.git
	g.mu.Lock()
	defer g.mu.Unlock()
	g.take(r)
	if g.gen == gen {
		return g.store
	}
	g.gen = gen
	refs := map[string]gitwiretest.Hash{}
	for _, b := range r.branches {
		h, _ := gitwiretest.ParseHash(*b.head.id.Load())
		refs["refs/heads/"+b.name] = h
	}
	g.store.SetRefs(refs)
	main := r.MainBranch
	if main == "" {
		main = "main"
	}
	g.store.SetHead("refs/heads/" + main)
	return g.store
}
