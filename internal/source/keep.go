package source

import (
	"crypto/sha256"
	"slices"
	"strconv"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/state"
)

// What a commit holds never changes, so that what was read of it is kept for later runs: in
// Options.State, one value for each commit, and others for large listings, for texts and for
// single entries. Only what is proven is kept: what git read, since its hashes prove it, and
// of REST what cannot be the answer of an outage or of a proxy. A value that is missing
// costs requests, and nothing else.

// Knows reports whether an earlier run has read something of the head of a repository's main
// branch.
func (m *Memory) Knows(r bitbucket.Repository) bool {
	m.mu.Lock()
	t := m.trees[treeKey{r.Key(), r.Hash}]
	m.mu.Unlock()
	if t == nil {
		return r.Hash != "" && m.options.State.Has(state.Commit, r.Key(), r.Hash)
	}
	t.load.Do(func() { m.load(t) }) // the store may have what this run has read
	return t.known
}

// load gives a tree what the store has of its commit.
func (m *Memory) load(t *tree) {
	if m.options.State == nil {
		return
	}
	place := t.kept.place
	encoded, _ := m.options.State.Get(state.Commit, t.at.Repository.Key(), t.at.Hash)
	v, ok := decodeCommit(encoded)
	var listings []*listing
	moved := v.place != place
	v.place = place
	v.listings = slices.DeleteFunc(v.listings, func(k keptListing) bool {
		if k.git && m.readers.git == nil {
			return false // for a run that reads over git
		}
		if !k.git && moved {
			return true
		}
		l := m.loadListing(t, place, k)
		if l != nil {
			listings = append(listings, l)
		}
		return l == nil
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept.place, t.kept.listings, t.listings = v.place, v.listings, listings
	if ok {
		t.known, t.kept.records, t.shallow = true, v.records, v.shallow
	}
}

// knew notes that something of a tree came from the store.
func (m *Memory) knew(t *tree) {
	if t.known { // written before anybody has the tree
		m.readers.knew(t.at.Repository)
	}
}

// pieceKey is the key of a piece of a listing. A repository that is renamed keeps its key and
// its commits, and has other links.
func pieceKey(at Revision, place digest, k keptListing, i int) []string {
	reader := "git"
	if !k.git {
		reader = string(place[:])
	}
	return []string{at.Repository.Key(), at.Hash, reader, k.Folder, strconv.Itoa(k.Depth), strconv.Itoa(i)}
}

// loadListing puts a listing into the spool; nil when it is not whole.
func (m *Memory) loadListing(t *tree, place digest, k keptListing) *listing {
	l := &listing{Need: k.Need, git: k.git, sure: true, saved: true, stored: true}
	sum := sha256.New()
	take := func(piece []byte) {
		sum.Write(piece)
		l.kept = append(l.kept, m.spool.Put(piece))
	}
	if k.pieces == 0 {
		take(k.inline)
	}
	for i := range k.pieces {
		piece, ok := m.options.State.Get(state.Listing, pieceKey(t.at, place, k, i)...)
		if !ok {
			return nil
		}
		take(piece)
	}
	if digest(sum.Sum(nil)) != k.digest {
		return nil
	}
	return l
}

// keep gives the store what is new of a tree.
func (m *Memory) keep(t *tree) {
	if m.options.State == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.listings {
		if !l.sure || l.saved {
			continue
		}
		l.saved = true // once, also where it fails
		if k, ok := m.saveListing(t, l); ok {
			t.kept.listings, t.changed = append(t.kept.listings, k), true
		}
	}
	if !t.changed {
		return
	}
	t.changed = false
	t.kept.listings = widest(t.kept.listings)
	t.kept.shallow = t.shallow
	m.options.State.Put(t.kept.encode(), state.Commit, t.at.Repository.Key(), t.at.Hash)
}

// maxInline bounds a listing that is in the value of its commit, in bytes.
const maxInline = 4 << 10

// saveListing gives the store the bytes of a listing, one piece after the other.
func (m *Memory) saveListing(t *tree, l *listing) (k keptListing, ok bool) {
	k = keptListing{Need: l.Need, git: l.git, pieces: len(l.kept)}
	size := int64(0)
	for _, b := range l.kept {
		size += b.Len()
	}
	if size <= maxInline {
		k.pieces = 0
	}
	sum := sha256.New()
	for i, b := range l.kept {
		piece, err := m.spool.Read(b)
		if err != nil {
			return k, false
		}
		sum.Write(piece)
		if k.pieces == 0 {
			k.inline = append(k.inline, piece...)
			continue
		}
		m.options.State.Put(piece, state.Listing, pieceKey(t.at, t.kept.place, k, i)...)
	}
	k.digest = digest(sum.Sum(nil))
	return k, true
}

// widest leaves out the listings of which all is in another one of the same reader.
func widest(all []keptListing) []keptListing {
	within := func(a, b keptListing) bool {
		return a.git == b.git && glob.Within(b.Folder, a.Folder) && glob.Level(a.Folder)+a.Depth <= glob.Level(b.Folder)+b.Depth
	}
	var left []keptListing
	for i, k := range all {
		covered := false
		for j, other := range all {
			covered = covered || i != j && within(k, other) && (j > i || !within(other, k))
		}
		if !covered {
			left = append(left, k)
		}
	}
	return left
}
