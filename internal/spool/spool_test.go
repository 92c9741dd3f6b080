package spool_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"port-bitbucket-exporter/internal/spool"
)

// files are those in a folder.
func files(t *testing.T, folder string) (all []fs.FileInfo) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info)
	}
	return all
}

// has fails the test when a blob does not read as it was put.
func has(t *testing.T, s *spool.Spool, b spool.Blob, want string) {
	t.Helper()
	read, err := s.Read(b)
	opened, also := io.ReadAll(s.Open(b))
	if string(read) != want || string(opened) != want || err != nil || also != nil {
		t.Errorf("got %.20q, %v and %.20q, %v, want %.20q", read, err, opened, also, want)
	}
	if b.Len() != int64(len(want)) {
		t.Errorf("got %d bytes, want %d", b.Len(), len(want))
	}
}

// What is put is in a file that only the user can read, until the spool is closed.
func TestSpool(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := spool.New(folder)
	has(t, s, s.Put(nil), "")
	if got := files(t, folder); len(got) != 0 {
		t.Errorf("nothing was put: got %v, want no file", got)
	}
	one, two := s.Put([]byte("one")), s.Put([]byte("two"))
	has(t, s, one, "one")
	has(t, s, two, "two")
	if got := files(t, folder); len(got) != 1 || got[0].Mode().Perm() != 0o600 || got[0].Size() != 6 {
		t.Errorf("got files %v, want one of 6 bytes for the user alone", got)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if got := files(t, folder); len(got) != 0 {
		t.Errorf("closed: got %v, want no file", got)
	}
	if text, err := s.Read(two); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: got %q, %v, want os.ErrClosed", text, err)
	}
	has(t, s, s.Put(nil), "")
}

// Where no file can be made, what is put is in memory.
func TestWithoutAFolder(t *testing.T) {
	t.Parallel()
	s := spool.New(filepath.Join(t.TempDir(), "none"))
	has(t, s, s.Put([]byte("one")), "one")
	has(t, s, s.Put(bytes.Repeat([]byte("2"), 1<<20)), string(bytes.Repeat([]byte("2"), 1<<20)))
}

// What is not in the file any more is an error, and not an empty text.
func TestTruncated(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := spool.New(folder)
	defer s.Close()
	one, two := s.Put([]byte("one")), s.Put([]byte("two"))
	if err := os.Truncate(filepath.Join(folder, files(t, folder)[0].Name()), 4); err != nil {
		t.Fatal(err)
	}
	has(t, s, one, "one")
	if text, err := s.Read(two); text != nil || err == nil {
		t.Errorf("got %q, want an error", text)
	}
}
