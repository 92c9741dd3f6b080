package source

import (
	"bytes"
	"cmp"
	"compress/flate"
	"hash/maphash"
	"sync"

	"port-bitbucket-exporter/internal/spool"
	"port-bitbucket-exporter/internal/state"
)

// defaultMaxFile is the largest file that is read when nothing else is said: Port
// takes no larger body.
//
// Source: https://docs.port.io/api-reference/create-multiple-entities, read 2026-11.
const defaultMaxFile = 1 << 20

// Options of a Memory.
type Options struct {
	// MaxFile is the largest file that is read, in bytes; 0 means 1 MiB.
	MaxFile int64
	// KeepFiles keeps what is read of files until Close.
	KeepFiles bool
	// TempDir is the folder for the file in which listings and files are kept; "" is the
	// system's.
	TempDir string
	// Git is where repositories are read over git; nil when REST reads all.
	Git *GitHost
	// OnlyGit makes it an error of a repository that git cannot read it.
	OnlyGit bool
	// State is what earlier runs have read; nil for nothing.
	State *state.Store
}

// Memory is what one run has read. It is safe for concurrent use, and holds no
// lock over a request.
type Memory struct {
	readers *readers
	heads   *heads
	options Options
	spool   *spool.Spool
	seed    maphash.Seed
	depths  depths

	mu    sync.Mutex // guards what follows
	trees map[treeKey]*tree
}

type treeKey struct{ repository, hash string }

// New returns a memory that has read nothing yet. It must be closed.
func New(rest REST, o Options) *Memory {
	o.MaxFile = cmp.Or(o.MaxFile, defaultMaxFile)
	r := &readers{rest: rest, onlyGit: o.OnlyGit, fallen: map[string]*Fallback{}, over: map[string]bool{}, known: map[string]bool{}, begun: map[string]int{}}
	if o.Git != nil {
		r.git = newGit(rest, o)
	}
	return &Memory{
		readers: r, heads: newHeads(), options: o, spool: spool.New(o.TempDir), seed: maphash.MakeSeed(),
		trees: map[treeKey]*tree{},
	}
}

// Close removes what was kept for the run. Nothing may be read any more.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.trees {
		m.keep(t)
	}
	return m.spool.Close()
}

// Spool is where the memory keeps what is large, until Close.
func (m *Memory) Spool() *spool.Spool { return m.spool }

// Readings returns what read the repositories so far.
func (m *Memory) Readings() Readings { return m.readers.readings() }

// MaxFile is the largest file that is read, in bytes.
func (m *Memory) MaxFile() int64 { return m.options.MaxFile }

// tree is that of a commit, with what earlier runs have read of it. It is to be released.
func (m *Memory) tree(at Revision) *tree {
	k, place := treeKey{at.Repository.Key(), at.Hash}, digest{}
	if m.options.State != nil {
		place = placeOf(at.Repository)
	}
	m.mu.Lock()
	t := m.trees[k]
	if t == nil {
		t = newTree(at, place)
		m.trees[k] = t
	}
	t.users++
	m.mu.Unlock()
	t.load.Do(func() { m.load(t) })
	return t
}

// release gives the store what is new of a tree, and forgets one that holds nothing once it
// is not used any more: a run reads very many of which it keeps nothing.
func (m *Memory) release(t *tree) {
	m.keep(t)
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.users--; t.users == 0 && t.blank() {
		delete(m.trees, treeKey{t.at.Repository.Key(), t.at.Hash})
	}
}

// depthsOf are the depths that a source gave up on; nil for git, which lists any depth.
func (m *Memory) depthsOf(s Source) *depths {
	if _, ok := s.(*Git); ok {
		return nil
	}
	return &m.depths
}

// packers holds each *flate.Writer that no listing is packed with: a new one takes more than a
// megabyte, whichever run it is for.
var packers sync.Pool

// packer compresses into a buffer. It is to be put back into packers.
func packer(into *bytes.Buffer) (*flate.Writer, error) {
	if p, ok := packers.Get().(*flate.Writer); ok {
		p.Reset(into)
		return p, nil
	}
	return flate.NewWriter(into, flate.BestSpeed)
}
