package source

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
)

// spool keeps bytes for the length of a run: in a temporary file that only this
// user can read, or in memory when there is none to be had. It is safe for
// concurrent use.
type spool struct {
	folder string // "" is the system's for temporary files

	mu     sync.Mutex
	file   *os.File
	size   int64
	failed bool // no file can be made or written: memory from now on
	closed bool // nothing can be read
}

// blob is bytes in a spool.
type blob struct {
	offset, length int64
	memory         []byte // when not in the file
}

// sizeOf is how many bytes some blobs have.
func sizeOf(all []blob) (n int64) {
	for _, b := range all {
		n += b.length + int64(len(b.memory))
	}
	return n
}

// put keeps the bytes; the caller must not write into them afterwards.
func (s *spool) put(text []byte) blob {
	if len(text) == 0 {
		return blob{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil && !s.failed {
		var err error
		s.file, err = os.CreateTemp(s.folder, "port-bitbucket-exporter-*")
		s.failed = err != nil
	}
	if s.failed {
		return blob{memory: text}
	}
	n, err := s.file.WriteAt(text, s.size)
	if err != nil || n < len(text) {
		s.failed = true // what was written before can still be read
		return blob{memory: text}
	}
	b := blob{offset: s.size, length: int64(len(text))}
	s.size += b.length
	return b
}

// open reads what was put.
func (s *spool) open(b blob) io.Reader {
	if b.memory != nil {
		return bytes.NewReader(b.memory)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed && b.length > 0:
		return closedReader{}
	case s.file == nil:
		return bytes.NewReader(nil)
	}
	return io.NewSectionReader(s.file, b.offset, b.length)
}

// closedReader reads from a spool that is closed.
type closedReader struct{}

func (closedReader) Read([]byte) (int, error) { return 0, os.ErrClosed }

// close removes the file.
func (s *spool) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Close(), os.Remove(s.file.Name()))
	s.file, s.failed = nil, true
	return err
}
