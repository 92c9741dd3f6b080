package source

import (
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"errors"
	"hash/maphash"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
)

// defaultMaxFile is the largest file that is read when nothing else is said: Port
// takes no larger body.
//
// Source: https://docs.port.io/api-reference/create-multiple-entities, read 2026-11.
const defaultMaxFile = 1 << 20

// Options of a Memory.
type Options struct {
	// MaxFile is the largest file that is read, in bytes; 0 is 1 MiB.
	MaxFile int64
	// KeepFiles keeps what is read of files until Close.
	KeepFiles bool
	// TempDir is the folder for the file in which listings and files are kept; "" is the
	// system's.
	TempDir string
}

// Memory is what one run has read of a Source. It is safe for concurrent use, and holds no
// lock over a request.
type Memory struct {
	source  Source
	options Options
	spool   *spool
	seed    maphash.Seed
	packers sync.Pool // of *flate.Writer
	depths  depths

	mu    sync.Mutex // guards what follows
	trees map[treeKey]*tree
	heads map[headKey]head
}

type treeKey struct{ repository, hash string }

type headKey struct{ repository, branch string }

// head is what a branch was resolved to; an empty hash is that of no commit.
type head struct {
	hash string
	err  error // bitbucket.ErrNotFound
}

// New returns a memory that has read nothing yet. It is to be closed.
func New(s Source, o Options) *Memory {
	o.MaxFile = cmp.Or(o.MaxFile, defaultMaxFile)
	return &Memory{
		source: s, options: o, spool: &spool{folder: o.TempDir}, seed: maphash.MakeSeed(),
		trees: map[treeKey]*tree{}, heads: map[headKey]head{},
	}
}

// Close removes what was kept. Nothing may be read any more.
func (m *Memory) Close() error { return m.spool.close() }

// MaxFile is the largest file that is read, in bytes.
func (m *Memory) MaxFile() int64 { return m.options.MaxFile }

// head asks once a run for a branch.
func (m *Memory) head(ctx context.Context, r bitbucket.Repository, branch string) (string, error) {
	k := headKey{r.Key(), branch}
	m.mu.Lock()
	known, ok := m.heads[k]
	m.mu.Unlock()
	if ok {
		return known.hash, known.err
	}
	hash, err := m.source.Head(ctx, r, branch)
	if err != nil && (branch == r.MainBranch || !errors.Is(err, bitbucket.ErrNotFound)) {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heads[k] = head{hash, err}
	return hash, err
}

func (m *Memory) tree(k treeKey) *tree {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.trees[k] == nil {
		m.trees[k] = newTree()
	}
	return m.trees[k]
}

// packer compresses into a buffer. It is to be put back: a new one takes more than a
// megabyte.
func (m *Memory) packer(into *bytes.Buffer) (*flate.Writer, error) {
	if p, ok := m.packers.Get().(*flate.Writer); ok {
		p.Reset(into)
		return p, nil
	}
	return flate.NewWriter(into, flate.BestSpeed)
}
