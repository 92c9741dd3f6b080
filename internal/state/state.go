// Package state keeps sealed values between runs, in a folder.
//
// # What is promised
//
// A memory is never needed: where it is absent, damaged, of another format or of others, Open
// says so in one line and begins an empty one. What Open finds is one moment of one memory, or
// nothing: each file proves itself before any of its bytes are used. So a value comes back
// under its own class and key alone, and only when a run with the same secret, workspace and
// identifier has put it. The package cannot know that the whole memory is an older copy: its
// user compares what it holds with what others remember of the last run.
//
// Whoever lacks the secret reads no class, key or value in the folder. They see how many
// values there are, and about how long each is. Whoever can write in the folder can destroy
// the memory, and, by writing to a file while a run has it open, end that run.
//
// # What a kill costs
//
// A run that is killed, at any moment, leaves the memory as it was at the last flush: at most
// 256 KiB of sealed values, or 32 of them, are lost, and some of what the run has used may
// count as unused. It leaves no lock, and the next run that writes removes what is left of it. A
// loss of power may cost the whole memory.
//
// # Limits
//
// Sizes are bytes on disk. After Close the files have no more than the limit: values that were
// not used for the most runs go first, and about a quarter of the limit is free after some had
// to. While a run writes, the folder holds what it held and what the run has put, and Close
// takes as much room again for a moment. In memory the package holds the values of one flush,
// a byte for each value on disk, and, while it merges, a few segments of 4 MiB. What it maps of
// its files counts as resident on top, all of them where values have to go: pages that the
// system takes back when it needs them.
package state

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
)

// Config says where a Store is, and whose it is.
type Config struct {
	Folder string
	// Secret, Workspace and Identifier are what the keys are derived from: a store of others
	// does not open.
	Secret, Workspace, Identifier string
	Limit                         int64 // on disk, in bytes; 0 means 256 MiB
	ReadOnly                      bool  // writes nothing, and takes no lock
}

const defaultLimit = 256 << 20

// Class keeps values of different kinds apart.
type Class string

// The classes.
const (
	Run     Class = "run"     // what a run leaves to the next one
	List    Class = "list"    // what is known of a list that ages
	Page    Class = "page"    // a piece of such a list, by its digest
	Commit  Class = "commit"  // what is known of a commit
	Listing Class = "listing" // a piece of a listing of a commit
	Text    Class = "text"    // of a file, by its git blob hash
)

// A flush is due at flushBytes of sealed values, or flushValues of them.
const (
	flushBytes  = 256 << 10
	flushValues = 32
)

// Store keeps values. A nil Store keeps nothing. It is safe for concurrent use.
type Store struct {
	config Config
	keys   *keys

	mu      sync.Mutex // guards what follows
	memory  *memory
	pending map[index][]byte // sealed
	bytes   int64            // of pending
	closed  bool
	err     error // why nothing more is written
}

// Open opens a store, and makes its folder. The second result says why nothing is known from
// before; it is empty when something may be. The Store is nil when nothing can be kept and
// nothing is known, as while another run uses the folder. It must be closed.
func Open(c Config) (s *Store, why string) {
	return open(c, func(string) error { return nil })
}

func open(c Config, step func(does string) error) (s *Store, why string) {
	if c.Folder == "" || c.Secret == "" {
		return nil, "there is no folder, or no Port client secret to seal it with"
	}
	k, err := newKeys(c)
	if err != nil {
		return nil, "it cannot be sealed: " + err.Error()
	}
	s = &Store{config: c, keys: k, pending: map[index][]byte{}}
	if !c.ReadOnly {
		if err := makeFolder(c.Folder); err != nil {
			return nil, "its folder cannot be made: " + err.Error()
		}
	}
	f, err := openFolder(c.Folder, step)
	if c.ReadOnly && errors.Is(err, fs.ErrNotExist) {
		return nil, "it is empty"
	}
	if err != nil {
		return nil, "its folder cannot be read: " + err.Error()
	}
	if !c.ReadOnly {
		free, err := f.take()
		if err == nil && !free {
			f.close()
			return nil, "another run uses it"
		}
		s.fail(err) // it can be read all the same
	}
	s.memory = &memory{folder: f, keys: k, press: newPress(f, k)}
	if why = s.memory.load(); why == "" && !c.ReadOnly && s.err == nil {
		f.sweep(manifest{s.memory.groups}.names())
	}
	return s, why
}

// fail ends the writing, not the run: Close returns the first error.
func (s *Store) fail(err error) {
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("what this run has read is not kept for the next one in %q: %w", s.config.Folder, err)
	}
}

// Get returns a value that was put, in this run or before. It counts as a use.
func (s *Store) Get(c Class, key ...string) (value []byte, ok bool) {
	if s == nil {
		return nil, false
	}
	name := nameOf(c, key)
	sealed, ok := s.find(s.keys.index(name))
	if !ok {
		return nil, false
	}
	value, err := s.keys.open(sealed, name)
	return value, err == nil
}

// Has reports whether Get finds a value. It counts as a use.
func (s *Store) Has(c Class, key ...string) bool {
	if s == nil {
		return false
	}
	_, ok := s.find(s.keys.index(nameOf(c, key)))
	return ok
}

// nameOf a value is what it is found under, and opens under.
func nameOf(c Class, key []string) []byte {
	return named(append([]string{"value", string(c)}, key...)...)
}

func (s *Store) find(i index) (sealed []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sealed, ok = s.pending[i]; ok {
		return sealed, true
	}
	sealed, ok = s.memory.find(i)
	return slices.Clone(sealed), ok
}

// Put keeps a value, in place of the one before, and does not hold on to it. A value of
// more than 32 MiB is not kept, nor is any by a Store that only reads, or can write no more.
func (s *Store) Put(value []byte, c Class, key ...string) {
	if s == nil || s.config.ReadOnly || len(value) > maxValue {
		return
	}
	name := nameOf(c, key)
	i, sealed := s.keys.index(name), s.keys.seal(value, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.bytes += int64(len(sealed)) - int64(len(s.pending[i]))
	s.pending[i] = sealed
	if s.bytes >= flushBytes || len(s.pending) >= flushValues {
		s.flush()
	}
}

// Flush writes what is not written yet: a kill does not lose it. Close returns what fails.
func (s *Store) Flush() {
	if s == nil || s.config.ReadOnly {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.flush()
	}
}

func (s *Store) flush() {
	if s.err == nil && len(s.pending) > 0 {
		s.fail(s.memory.add(s.pending))
	}
	clear(s.pending)
	s.bytes = 0
}

// Close writes what is not written yet, and what was used, and unlocks the folder. The error
// says why values of this run were not kept, wherever that began; a second call returns nil.
// After Close nothing is known.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if !s.config.ReadOnly {
		if s.flush(); s.err == nil {
			s.fail(s.memory.finish(cmp.Or(s.config.Limit, defaultLimit)))
		}
	}
	s.keys.close()
	if err := s.memory.close(); s.err == nil {
		s.fail(err)
	}
	return s.err
}
