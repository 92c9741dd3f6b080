// Package state keeps sealed values between runs, in a folder.
package state

import (
	"encoding/gob"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Config says where a Store is, and whose it is.
type Config struct {
	Folder string
	// Secret, Workspace and Identifier are what the keys are derived from: a store of others
	// does not open.
	Secret, Workspace, Identifier string
	Limit                         int64 // on disk, in bytes; 0 is 256 MiB
	ReadOnly                      bool  // nothing is written
}

// Class tells values of different kinds apart.
type Class string

// The classes.
const (
	Run     Class = "run"     // what a run tells the next one
	List    Class = "list"    // what is known of a list that ages
	Page    Class = "page"    // a piece of such a list, by its digest
	Commit  Class = "commit"  // what is known of a commit
	Listing Class = "listing" // a piece of a listing of a commit
	Text    Class = "text"    // of a file, by its git blob hash
)

// Store keeps values. A nil Store keeps nothing. It is safe for concurrent use.
type Store struct {
	config Config

	mu     sync.Mutex
	values map[string][]byte
}

// Open opens a store. The second result says why nothing is known from before; it is empty
// when something is. The Store is nil when nothing can be kept.
func Open(c Config) (s *Store, why string) {
	s = &Store{config: c, values: map[string][]byte{}}
	f, err := os.Open(s.file())
	if errors.Is(err, fs.ErrNotExist) {
		return s, "it is empty"
	}
	if err != nil {
		return nil, err.Error()
	}
	defer f.Close()
	if err := gob.NewDecoder(f).Decode(&s.values); err != nil {
		s.values = map[string][]byte{}
		return s, "it is damaged"
	}
	return s, ""
}

func (s *Store) file() string { return filepath.Join(s.config.Folder, "values") }

func named(c Class, key []string) string { return string(c) + "\x00" + strings.Join(key, "\x00") }

// Get returns a value that was put, in this run or before.
func (s *Store) Get(c Class, key ...string) (value []byte, ok bool) {
	if s == nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok = s.values[named(c, key)]
	return slices.Clone(value), ok
}

// Has reports whether Get finds a value.
func (s *Store) Has(c Class, key ...string) bool {
	_, ok := s.Get(c, key...)
	return ok
}

// Put keeps a value.
func (s *Store) Put(value []byte, c Class, key ...string) {
	if s == nil || s.config.ReadOnly {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[named(c, key)] = slices.Clone(value)
}

// Close writes what is not written yet.
func (s *Store) Close() error {
	if s == nil || s.config.ReadOnly {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.MkdirAll(s.config.Folder, 0o777); err != nil {
		return err
	}
	f, err := os.Create(s.file())
	if err != nil {
		return err
	}
	return errors.Join(gob.NewEncoder(f).Encode(s.values), f.Close())
}
