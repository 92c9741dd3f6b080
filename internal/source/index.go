package source

import (
	"cmp"
	"hash/maphash"
	"slices"

	"port-bitbucket-exporter/internal/glob"
)

// index is what a listing holds in little memory, sorted by hash. Two paths of one hash are
// as good as impossible, and would cost a request, or a size.
type index []indexed

type indexed struct {
	hash uint64 // of the path
	size int64  // of a file; one of those below of anything else
}

const (
	isFolder    = -1
	isSubmodule = -2
	isElsewhere = -3 // in Git LFS
)

func (m *Memory) indexed(e Entry) indexed {
	size := e.Size
	switch {
	case e.Type != File:
		size = isFolder
	case slices.Contains(e.Attributes, Submodule):
		size = isSubmodule
	case slices.Contains(e.Attributes, Elsewhere):
		size = isElsewhere
	}
	return indexed{maphash.String(m.seed, e.Path), size}
}

func (ix index) sort() {
	slices.SortFunc(ix, func(a, b indexed) int { return cmp.Compare(a.hash, b.hash) })
}

func (ix index) find(hash uint64) (size int64, ok bool) {
	i, ok := slices.BinarySearchFunc(ix, hash, func(e indexed, hash uint64) int { return cmp.Compare(e.hash, hash) })
	if !ok {
		return 0, false
	}
	return ix[i].size, true
}

func (c *Commit) setIndex(l *listing, ix index) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.indexes[l] = ix
}

// index returns that of a listing at hand, made once for the commit.
func (c *Commit) index(l *listing) (index, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ix, ok := c.indexes[l]
	if ok {
		return ix, nil
	}
	ix, err := c.replay(l, func(Entry) {})
	if err == nil {
		c.indexes[l] = ix
	}
	return ix, err
}

// presence is what the listings at hand show of a path.
type presence int

const (
	unknown presence = iota
	absent
	present
)

// look returns what is known of a path. The size is that of an index, when present.
func (c *Commit) look(path string) (presence, int64, error) {
	for _, l := range c.tree.at() {
		if !glob.Within(l.Folder, path) || path == l.Folder {
			continue
		}
		ix, err := c.index(l)
		if err != nil {
			return unknown, 0, err
		}
		listed := firstSegments(path, glob.Level(l.Folder)+l.Depth)
		size, ok := ix.find(maphash.String(c.memory.seed, listed))
		switch {
		case !ok && len(l.odd) > 0: // it may be there
		case !ok || listed != path && size != isFolder:
			return absent, 0, nil
		case listed == path:
			return present, size, nil
		}
	}
	return unknown, 0, nil
}

// firstSegments cuts a path off behind n segments.
func firstSegments(path string, n int) string {
	for i := range len(path) {
		if path[i] == '/' {
			if n--; n == 0 {
				return path[:i]
			}
		}
	}
	return path
}
