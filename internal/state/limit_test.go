package state_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"port-bitbucket-exporter/internal/state"
)

func config(folder string) state.Config {
	return state.Config{Folder: folder, Secret: "s", Workspace: "w", Identifier: "i"}
}

// run opens a store, and closes it after do.
func run(t *testing.T, c state.Config, do func(s *state.Store)) {
	t.Helper()
	s, _ := state.Open(c)
	do(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// text is a value that takes about a kibibyte when it is sealed.
func text(n int) []byte { return []byte(write(uint64(n)).hex(1000)) }

// put puts values from to, in a class.
func put(s *state.Store, c state.Class, from, to int) {
	for n := from; n < to; n++ {
		s.Put(text(n), c, strconv.Itoa(n))
	}
}

// has counts the values from to that are known.
func has(s *state.Store, c state.Class, from, to int) (known int) {
	for n := from; n < to; n++ {
		if s.Has(c, strconv.Itoa(n)) {
			known++
		}
	}
	return known
}

// What was used in the fewest runs goes first, whether it was read, asked for or written; and
// the folder is within the limit after each run.
func TestLimit(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	c := config(t.TempDir())
	c.Limit = limit
	within := func() {
		t.Helper()
		if size := onDisk(t, c.Folder); size > limit || size < limit/3 {
			t.Errorf("got %d bytes on disk, with the limit %d", size, limit)
		}
	}
	run(t, c, func(s *state.Store) { put(s, state.Text, 0, 400) })
	within()
	run(t, c, func(s *state.Store) {
		for n := range 100 {
			if v, ok := s.Get(state.Text, strconv.Itoa(n)); !ok || string(v) != string(text(n)) {
				t.Fatalf("value %d: got %q, %t", n, v, ok)
			}
		}
		if got := has(s, state.Text, 100, 150); got != 50 {
			t.Errorf("got %d values", got)
		}
		put(s, state.Text, 150, 200)
	})
	within()
	for range 3 { // runs that use nothing change nothing in the order
		run(t, c, func(*state.Store) {})
	}
	run(t, c, func(s *state.Store) { put(s, state.Page, 0, 450) })
	within()
	run(t, c, func(s *state.Store) {
		if got := has(s, state.Page, 0, 450); got != 450 {
			t.Errorf("of the newest values %d are left, want all of 450", got)
		}
		used, unused := has(s, state.Text, 0, 200), has(s, state.Text, 200, 400)
		if used < 150 || unused > 0 && used < 200 {
			t.Errorf("of 200 values that were used %d are left, and %d of 200 that were not", used, unused)
		}
	})
	// More in one run than fits: some of it.
	run(t, c, func(s *state.Store) { put(s, state.Listing, 0, 3000) })
	within()
	run(t, c, func(s *state.Store) {
		if old, fresh := has(s, state.Page, 0, 450)+has(s, state.Text, 0, 400), has(s, state.Listing, 0, 3000); old > 0 || fresh < 300 {
			t.Errorf("of the newest 3000 values %d are left, and %d older ones", fresh, old)
		}
	})
	c.Limit = 20 << 10 // less than anything
	run(t, c, func(s *state.Store) { s.Put(text(1), state.Text, "1") })
	if size := onDisk(t, c.Folder); size > c.Limit {
		t.Errorf("got %d bytes on disk, with the limit %d", size, c.Limit)
	}
}

// What replaces a value takes the room of what it replaces, however many runs do so.
func TestReplaced(t *testing.T) {
	skipShort(t)
	t.Parallel()
	c := config(t.TempDir())
	c.Limit = 10 << 20
	segments := func() []string {
		all, err := filepath.Glob(filepath.Join(c.Folder, "*.segment"))
		if err != nil || len(all) == 0 || len(all) > 3 {
			t.Errorf("got %q, %v", all, err)
		}
		return all
	}
	for n := range 20 {
		run(t, c, func(s *state.Store) {
			if n > 0 && has(s, state.List, 0, 100) != 100 {
				t.Fatalf("run %d lacks values", n)
			}
			put(s, state.List, 0, 100)
		})
		segments()
		if size := onDisk(t, c.Folder); size > 500<<10 {
			t.Fatalf("run %d: got %d bytes on disk, for 110 KiB of values", n, size)
		}
	}
	before := segments()
	run(t, c, func(s *state.Store) { has(s, state.List, 0, 100) })
	if after := segments(); !slices.Equal(before, after) {
		t.Errorf("a run that puts nothing writes %q, for %q", after, before)
	}
}

// A store is used by many at a time, and what one has put, all see.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	c := config(t.TempDir())
	run(t, c, func(s *state.Store) {
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for n := range 100 {
					key := fmt.Sprint(g, n)
					s.Put([]byte(key), state.Text, key)
					if v, ok := s.Get(state.Text, key); !ok || string(v) != key {
						t.Errorf("%s: got %q, %t", key, v, ok)
					}
					s.Has(state.Text, fmt.Sprint(7-g, n))
				}
			})
		}
		all.Wait()
	})
	run(t, c, func(s *state.Store) {
		for n := range 100 {
			if key := fmt.Sprint(n%8, n); !s.Has(state.Text, key) {
				t.Errorf("%s is absent", key)
			}
		}
	})
}

func TestTwoRuns(t *testing.T) {
	t.Parallel()
	c := config(t.TempDir())
	run(t, c, func(s *state.Store) {
		put(s, state.Text, 0, 10)
		if other, why := state.Open(c); other != nil || why != "another run uses it" {
			t.Errorf("a second run: got %v, %q", other, why)
		}
	})
	run(t, c, func(s *state.Store) {
		readOnly := c
		readOnly.ReadOnly = true
		run(t, readOnly, func(reader *state.Store) { // beside one that writes
			put(s, state.Text, 10, 300)
			if got := has(reader, state.Text, 0, 300); got != 10 {
				t.Errorf("a reader knows %d values, want those of when it was opened", got)
			}
		})
		run(t, readOnly, func(reader *state.Store) {
			if got := has(reader, state.Text, 0, 300); got < 300-32 {
				t.Errorf("a reader knows %d values", got)
			}
		})
	})
}

// listing of a folder: names, sizes and times.
func listing(t *testing.T, folder string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime(), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	c := config(filepath.Join(t.TempDir(), "a", "b"))
	readOnly := c
	readOnly.ReadOnly = true
	if s, why := state.Open(readOnly); s != nil || why != "it is empty" {
		t.Errorf("without a folder: got %v, %q", s, why)
	}
	if _, err := os.Stat(filepath.Dir(c.Folder)); err == nil {
		t.Error("a folder is made to read it")
	}
	run(t, c, func(s *state.Store) { put(s, state.Text, 0, 100) })
	if err := os.Remove(filepath.Join(c.Folder, "lock")); err != nil {
		t.Fatal(err)
	}
	rest := filepath.Join(c.Folder, strings.Repeat("a", 26)+".draft") // that a writer removes
	if err := os.WriteFile(rest, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(c.Folder, 0o555); err != nil {
		t.Fatal(err)
	}
	before := listing(t, c.Folder)
	run(t, readOnly, func(s *state.Store) {
		if got := has(s, state.Text, 0, 100); got != 100 {
			t.Errorf("got %d values", got)
		}
		put(s, state.Page, 0, 100)
		if has(s, state.Page, 0, 100) != 0 {
			t.Error("a value is put")
		}
	})
	if after := listing(t, c.Folder); after != before {
		t.Errorf("reading changes the folder:\n%s%s", before, after)
	}
	if err := os.Chmod(c.Folder, 0o777); err != nil {
		t.Fatal(err)
	}
	run(t, c, func(*state.Store) {})
	if _, err := os.Stat(rest); err == nil {
		t.Error("a rest of a run is left")
	}
}

// Where a folder cannot be written in, what is known is known, and Close returns.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() <= 0 {
		t.Skip("root writes everywhere, and elsewhere there are no modes")
	}
	c := config(t.TempDir())
	run(t, c, func(s *state.Store) { put(s, state.Text, 0, 10) })
	os.Remove(filepath.Join(c.Folder, "lock"))
	if err := os.Chmod(c.Folder, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(c.Folder, 0o777)
	s, why := state.Open(c)
	if why != "" || has(s, state.Text, 0, 10) != 10 {
		t.Errorf("got %q", why)
	}
	put(s, state.Page, 0, 100)
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), c.Folder) {
		t.Errorf("Close returns %v", err)
	}
}

// No store, and what no store can be made of.
func TestNone(t *testing.T) {
	t.Parallel()
	var none *state.Store
	none.Put([]byte("v"), state.Text, "k")
	if _, ok := none.Get(state.Text, "k"); ok || none.Has(state.Text, "k") || none.Close() != nil {
		t.Error("nil is a store")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]state.Config{
		"no folder":             {Secret: "s"},
		"no secret":             {Folder: t.TempDir()},
		"a file":                {Secret: "s", Folder: file},
		"a folder below a file": {Secret: "s", Folder: filepath.Join(file, "a")},
	} {
		for _, c.ReadOnly = range []bool{false, true} {
			if s, why := state.Open(c); s != nil || why == "" {
				t.Errorf("%s: got %v, %q", name, s, why)
			}
		}
	}
	closed, _ := state.Open(config(t.TempDir()))
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	closed.Put([]byte("v"), state.Text, "k")
	if _, ok := closed.Get(state.Text, "k"); ok || closed.Close() != nil {
		t.Error("a closed store keeps values")
	}
}

// A value as large as a file may be, beside one that is larger than any.
func TestLargeValues(t *testing.T) {
	skipShort(t)
	t.Parallel()
	c := config(t.TempDir())
	large := write(1).hex(5 << 20)
	run(t, c, func(s *state.Store) {
		s.Put([]byte(large), state.Text, "large")
		s.Put(make([]byte, 33<<20), state.Text, "too large")
		s.Put([]byte{}, state.Text, "empty")
	})
	run(t, c, func(s *state.Store) {
		if v, ok := s.Get(state.Text, "large"); !ok || string(v) != large {
			t.Errorf("got %d bytes, %t", len(v), ok)
		}
		if v, ok := s.Get(state.Text, "empty"); !ok || len(v) != 0 {
			t.Errorf("got %q, %t", v, ok)
		}
		if s.Has(state.Text, "too large") {
			t.Error("a value of 33 MiB is kept")
		}
	})
}
