// Package spool keeps bytes for the length of a run, out of memory.
package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
)

// Spool keeps bytes in a temporary file that only this user can read, or in memory when
// there is none to be had. It is safe for concurrent use. It must be closed.
type Spool struct {
	folder string

	mu     sync.Mutex // guards what follows
	file   *os.File
	size   int64
	failed bool // no file can be made or written: memory from now on
	closed bool // nothing can be read
}

// New returns an empty Spool. It makes its file in a folder, or in the system's for temporary
// files when that is "", as soon as it keeps something.
func New(folder string) *Spool { return &Spool{folder: folder} }

// Blob is bytes in a Spool. The zero Blob has none.
type Blob struct {
	offset, length int64
	memory         []byte // when not in the file
}

// Len is how many bytes it has.
func (b Blob) Len() int64 { return b.length + int64(len(b.memory)) }

// Put keeps bytes; the caller must not write into them afterwards.
func (s *Spool) Put(text []byte) Blob {
	if len(text) == 0 {
		return Blob{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil && !s.failed {
		var err error
		s.file, err = os.CreateTemp(s.folder, "port-bitbucket-exporter-*")
		s.failed = err != nil
	}
	if s.failed {
		return Blob{memory: text}
	}
	n, err := s.file.WriteAt(text, s.size)
	if err != nil || n < len(text) {
		s.failed = true // what was written before can still be read
		return Blob{memory: text}
	}
	b := Blob{offset: s.size, length: int64(len(text))}
	s.size += b.length
	return b
}

// Open reads what was put. After Close the error is os.ErrClosed.
func (s *Spool) Open(b Blob) io.Reader {
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

// Read returns what was put; an error when not all of it can be read.
func (s *Spool) Read(b Blob) ([]byte, error) {
	text := make([]byte, b.Len())
	_, err := io.ReadFull(s.Open(b), text)
	switch err {
	case nil:
		return text, nil
	case io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

// closedReader reads from a Spool that is closed.
type closedReader struct{}

func (closedReader) Read([]byte) (int, error) { return 0, os.ErrClosed }

// Close removes the file. It may be called again.
func (s *Spool) Close() error {
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
