package source

import (
	"cmp"
	"hash/maphash"
	"slices"
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
	isLink      = -4
	isUnsized   = -5 // a file that git listed
)

// indexEntry returns the entry in an index whose hashes have the seed.
func indexEntry(seed maphash.Seed, e Entry) indexed {
	size := e.Size
	switch {
	case e.Type != File:
		size = isFolder
	case slices.Contains(e.Attributes, Submodule):
		size = isSubmodule
	case slices.Contains(e.Attributes, Elsewhere):
		size = isElsewhere
	case slices.Contains(e.Attributes, Link):
		size = isLink
	case e.overGit():
		size = isUnsized
	}
	return indexed{maphash.String(seed, e.Path), size}
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

// presence is what the listings at hand show of a path.
type presence int

const (
	unknown presence = iota
	absent
	present
)

// firstSegments cuts a path off after n segments.
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
