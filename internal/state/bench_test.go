package state_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"port-bitbucket-exporter/internal/state"
)

func benchConfig(b *testing.B) state.Config {
	return state.Config{Folder: b.TempDir(), Secret: "s", Workspace: "w", Identifier: "i"}
}

func opened(b *testing.B, c state.Config) *state.Store {
	b.Helper()
	s, _ := state.Open(c)
	if s == nil {
		b.Fatal("no store")
	}
	return s
}

func closed(b *testing.B, s *state.Store) {
	b.Helper()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// header is a record of a list or of a commit.
func header(n int) []byte {
	w := write(uint64(n))
	return fmt.Appendf(nil, `{"read_at":"2026-11-30T06:%02d:%02dZ","pages":["%s"],"hash":"%s"}`, w.IntN(60), w.IntN(60), w.hex(64), w.hex(40))
}

// What the memory costs a run over 1,000 repositories: the first one, and one that finds
// nothing changed.
func BenchmarkRun(b *testing.B) {
	const repositories = 1000
	lists := pullRequestLists(b, repositories)
	readmes, headers := make([][]byte, repositories), make([][]byte, repositories)
	for i := range readmes {
		readmes[i], headers[i] = readme(i), header(i)
	}
	put := func(s *state.Store) {
		for i, list := range lists {
			key := strconv.Itoa(i)
			s.Put(list, state.Page, key)
			s.Put(readmes[i], state.Text, key)
			s.Put(headers[i], state.Commit, key)
			s.Put(headers[i], state.List, key)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			s := opened(b, benchConfig(b))
			put(s)
			closed(b, s)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		c := benchConfig(b)
		s := opened(b, c)
		put(s)
		closed(b, s)
		for b.Loop() {
			s := opened(b, c)
			for i := range lists {
				key := strconv.Itoa(i)
				_, page := s.Get(state.Page, key)
				_, text := s.Get(state.Text, key)
				if !page || !text {
					b.Fatal("a value is absent")
				}
				s.Put(headers[i], state.List, key)
			}
			closed(b, s)
		}
	})
}

// A memory of 256 MiB.
func BenchmarkLarge(b *testing.B) {
	c := benchConfig(b)
	s := opened(b, c)
	values := 0
	for onDisk(b, c.Folder) < 240<<20 {
		for range 1000 {
			s.Put([]byte(write(uint64(values)).hex(3000)), state.Text, strconv.Itoa(values))
			values++
		}
	}
	closed(b, s)
	b.Logf("%d values", values)
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			closed(b, opened(b, state.Config{Folder: c.Folder, Secret: "s", Workspace: "w", Identifier: "i", ReadOnly: true}))
		}
		files, err := os.ReadDir(c.Folder)
		if err != nil {
			b.Fatal(err)
		}
		manifest, err := os.Stat(filepath.Join(c.Folder, "manifest"))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(files)), "files")
		b.ReportMetric(float64(manifest.Size()), "B-of-manifest")
		b.ReportMetric(float64(onDisk(b, c.Folder))/(1<<20), "MiB-on-disk")
	})
	b.Run("get", func(b *testing.B) {
		s := opened(b, c)
		n := 0
		for b.Loop() {
			n = (n + 7919) % values
			if _, ok := s.Get(state.Text, strconv.Itoa(n)); !ok {
				b.Fatal("a value is absent")
			}
		}
		closed(b, s)
	})
	b.Run("held", func(b *testing.B) {
		for b.Loop() {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s := opened(b, c)
			s.Put([]byte("x"), state.Run)
			s.Get(state.Run)
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/(1<<20), "MiB-of-heap")
			closed(b, s)
		}
	})
}
