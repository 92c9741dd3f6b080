package state_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"port-bitbucket-exporter/internal/state"
)

// onDisk is what the files of a folder have, in bytes.
func onDisk(tb testing.TB, folder string) (bytes int64) {
	tb.Helper()
	all, err := os.ReadDir(folder)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range all {
		info, err := os.Stat(filepath.Join(folder, f.Name()))
		if err != nil {
			tb.Fatal(err)
		}
		bytes += info.Size()
	}
	return bytes
}

// A workspace of 1,000 repositories with 5 pull requests and a README each fits into the cache
// of any CI: 10 MiB. The tests of every day try a tenth of it.
func TestSize(t *testing.T) {
	skipShort(t)
	t.Parallel()
	repositories := 100
	if os.Getenv("TESTS") == "full" { // as .ci/run lets them
		repositories = 1000
	}
	c := state.Config{Folder: t.TempDir(), Secret: "s", Workspace: "w", Identifier: "i"}
	s, _ := state.Open(c)
	raw := 0
	put := func(v []byte, class state.Class, key string) {
		raw += len(v)
		s.Put(v, class, key)
	}
	for i, list := range pullRequestLists(t, repositories) {
		put(list, state.Page, fmt.Sprint(i))
		put(readme(i), state.Text, fmt.Sprint(i))
		w := write(uint64(i))
		put(fmt.Appendf(nil, `{"paths":{"README.md":{"blob":"%s","size":%d}}}`, w.hex(40), w.IntN(5000)), state.Commit, fmt.Sprint(i))
		put(fmt.Appendf(nil, `{"read_at":"2026-11-30T06:%02d:%02dZ","pages":["%s"],"hash":"%s"}`, w.IntN(60), w.IntN(60), w.hex(64), w.hex(40)), state.List, fmt.Sprint(i))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	size := onDisk(t, c.Folder)
	t.Logf("%d bytes of values take %d bytes on disk", raw, size)
	if most := int64(10<<20) * int64(repositories) / 1000; size > most {
		t.Errorf("got %d bytes, want at most %d", size, most)
	}
}
