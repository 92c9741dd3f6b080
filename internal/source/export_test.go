package source

import (
	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/state"
)

// Stored is a value that a store has.
type Stored struct {
	Class state.Class
	Key   []string
}

// StoredOf returns the values that a store has of the head of a repository, of some texts and
// of the entries of some paths.
func StoredOf(s *state.Store, r bitbucket.Repository, texts, paths []string) (all []Stored) {
	add := func(c state.Class, key ...string) {
		if s.Has(c, key...) {
			all = append(all, Stored{c, key})
		}
	}
	m := New(REST{}, Options{State: s})
	p := past{bodies: bodies{at: Revision{r, r.Hash}}, memory: m}
	add(state.Commit, r.Key(), r.Hash)
	encoded, _ := s.Get(state.Commit, r.Key(), r.Hash)
	v, _ := decodeCommit(encoded)
	for _, l := range v.listings {
		for i := range l.pieces {
			add(state.Listing, pieceKey(p.at, v.place, l, i)...)
		}
	}
	for _, of := range v.records {
		add(state.Text, of.text.String())
	}
	for _, text := range texts {
		add(state.Text, blobHash([]byte(text)).String())
		add(state.Text, blobHash([]byte(text)).String(), "beginning")
	}
	for _, path := range paths {
		add(state.Listing, p.entryKey(path)...)
	}
	return all
}

// Trees returns of how many commits a memory holds something.
func Trees(m *Memory) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.trees)
}
