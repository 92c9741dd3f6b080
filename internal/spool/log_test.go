package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/spool"
)

// records are those of a log, as it yields them.
func records(l *spool.Log) (at []int64, texts []string, err error) {
	for r, err := range l.All() {
		if err != nil {
			return at, texts, err
		}
		at, texts = append(at, r.At), append(texts, string(r.Text))
	}
	return at, texts, nil
}

// written is a log with records of all sizes, and where they are.
func written(t *testing.T, folder string, n int) (l *spool.Log, at []int64, texts []string) {
	t.Helper()
	l = spool.NewLog(folder)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		size := []int{0, 3, 100, 250, 5000, 35_000}[r.IntN(6)]
		text := strings.Repeat(fmt.Sprint(i), size)
		at, texts = append(at, l.Append([]byte(text))), append(texts, text)
	}
	return l, at, texts
}

// Every record is read as it was appended, whether it is in the file or not yet, or cannot be.
func TestLog(t *testing.T) {
	t.Parallel()
	for name, folder := range map[string]string{"in a file": t.TempDir(), "in memory": filepath.Join(t.TempDir(), "none")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, at, texts := written(t, folder, 100)
			var buffer []byte
			for _, i := range rand.Perm(len(at)) {
				record, err := l.Read(at[i], &buffer)
				if err != nil || string(record) != texts[i] {
					t.Fatalf("record %d: got %.20q, %v, want %.20q", i, record, err, texts[i])
				}
			}
			gotAt, got, err := records(l)
			if fmt.Sprint(gotAt) != fmt.Sprint(at) || strings.Join(got, "\n") != strings.Join(texts, "\n") || err != nil {
				t.Errorf("got %d records, %v, want %d", len(got), err, len(texts))
			}
		})
	}
}

// What is appended while the records are read is not among them, and one may stop.
func TestAllOfWhatWasThere(t *testing.T) {
	t.Parallel()
	l := spool.NewLog(t.TempDir())
	defer l.Close()
	for range 3 {
		l.Append([]byte("a"))
	}
	n := 0
	for r, err := range l.All() {
		n++
		if l.Append([]byte("b")); err != nil || string(r.Text) != "a" {
			t.Errorf("got %q, %v, want a", r.Text, err)
		}
	}
	for range l.All() {
		break
	}
	if n != 3 {
		t.Errorf("got %d records, want 3", n)
	}
}

// A file that is cut, or written over by anything, is an error: no record is taken for
// another, nor is a hole.
func TestDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(file *os.File, size int64) error{
		"cut":            func(f *os.File, size int64) error { return f.Truncate(size / 2) },
		"empty":          func(f *os.File, _ int64) error { return f.Truncate(0) },
		"a hole":         func(f *os.File, size int64) error { return errors.Join(f.Truncate(size/2), f.Truncate(size)) },
		"another record": func(f *os.File, size int64) error { return move(f, size) },
		"a huge length":  func(f *os.File, _ int64) error { _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, 100), 0); return err },
		"a large length": func(f *os.File, _ int64) error { _, err := f.WriteAt([]byte{0xff, 0xff, 0xff, 1}, 0); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			l := spool.NewLog(folder)
			defer l.Close()
			var at []int64
			for i := range 8_000 {
				at = append(at, l.Append([]byte(fmt.Sprintf("record %05d", i))))
			}
			info := files(t, folder)[0]
			f, err := os.OpenFile(filepath.Join(folder, info.Name()), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := damage(f, info.Size()); err != nil {
				t.Fatal(err)
			}
			lost := 0
			for i, p := range at {
				record, err := l.Read(p, new([]byte))
				if err != nil {
					lost++
				} else if want := fmt.Sprintf("record %05d", i); string(record) != want {
					t.Fatalf("got %q, want %q or an error", record, want)
				}
			}
			_, texts, err := records(l)
			if lost == 0 || err == nil || len(texts) >= len(at) {
				t.Errorf("got %d records lost, and %d of all, %v, want an error", lost, len(texts), err)
			}
		})
	}
}

// move writes the second half of a file over the first one.
func move(f *os.File, size int64) error {
	half := make([]byte, size/2)
	_, err := f.ReadAt(half, size/2)
	_, also := f.WriteAt(half, 0)
	return errors.Join(err, also)
}

// When the disk is full, what was written can be read, and the rest is in memory.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l := spool.NewLog(folder)
	l.Append(make([]byte, 70_000))
	l.Append([]byte("in the file"))
	l.Append(make([]byte, 70_000))
	spool.Fill(l)
	var at []int64
	for i := range 8_000 {
		at = append(at, l.Append([]byte(fmt.Sprint(i))))
	}
	for i, p := range at {
		if record, err := l.Read(p, new([]byte)); err != nil || string(record) != fmt.Sprint(i) {
			t.Fatalf("got %q, %v, want %d", record, err, i)
		}
	}
	_, texts, err := records(l)
	if len(texts) != 3+len(at) || texts[1] != "in the file" || err != nil {
		t.Errorf("got %d records, %v, want %d", len(texts), err, 3+len(at))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got := files(t, folder); len(got) != 0 {
		t.Errorf("closed: got %v, want no file", got)
	}
	if _, err := l.Read(0, new([]byte)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: got %v, want os.ErrClosed", err)
	}
}
