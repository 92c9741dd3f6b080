package source_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/source"
	"port-bitbucket-exporter/internal/state"
)

// open opens the store in a folder, as each run does.
func (w world) open(folder string) *state.Store {
	w.Helper()
	s, _ := state.Open(state.Config{Folder: folder, Secret: "s", Workspace: "acme", Identifier: "i"})
	if s == nil {
		w.Fatal("no store")
	}
	return s
}

// inRun calls read with the memory of a run of its own, over the store in a folder.
func (w world) inRun(folder string, o source.Options, read func(w world)) {
	w.Helper()
	s := w.open(folder)
	o.State = s
	w.commands()
	w.memory = w.newMemory(o)
	read(w)
	if err := w.memory.Close(); err != nil {
		w.Error(err)
	}
	if err := s.Close(); err != nil {
		w.Error(err)
	}
}

// readers are the ways to read a repository.
var readers = map[string]struct {
	git  bool
	host gitwiretest.Options
}{
	"REST": {}, "git": {git: true}, "git without filters": {git: true, host: gitwiretest.Options{NoFilter: true}},
	"git without wants of files": {git: true, host: gitwiretest.Options{NoFilter: true, NoBlobWants: true}},
}

// byEachReader calls test for each reader, and for files that are kept for the run or not.
func byEachReader(t *testing.T, files map[string]string, test func(w world, git bool, o source.Options)) {
	for name, r := range readers {
		for _, keep := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, files kept %v", name, keep), func(t *testing.T) {
				inBubbleWith(t, files, source.Options{}, r.git, func(w world) {
					w.s.Configure(bitbuckettest.Options{Git: r.host})
					test(w, r.git, source.Options{KeepFiles: keep})
				})
			})
		}
	}
}

// texts reads files together, and shows what is in them.
func (w world) texts(c *source.Commit, paths ...string) string {
	w.Helper()
	if err := c.Fetch(w.Context(), paths); err != nil {
		w.Error(err)
	}
	var all []string
	for _, p := range paths {
		text, err := c.File(w.Context(), p)
		shown := string(text)
		if text == nil {
			shown = "<nil>"
		}
		if err != nil {
			shown += "!" + err.Error()
		}
		all = append(all, shown)
	}
	return strings.Join(all, " ")
}

// objects are those of the entries in a folder, sorted.
func (w world) objects(c *source.Commit, n glob.Need) string {
	w.Helper()
	var all []string
	for _, e := range w.entries(c, n) {
		if e.Path == n.Folder {
			continue
		}
		o, err := c.Object(e)
		text, jsonErr := json.Marshal(o)
		if err := errors.Join(err, jsonErr); err != nil {
			w.Error(err)
		}
		all = append(all, string(text)+"\n")
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// A run asks nothing of a commit that an earlier one has read; also where that read it for
// others, and where its own were more.
func TestNextRunAsksNothing(t *testing.T) {
	files := map[string]string{"README.md": "# R", "a/b/port.yml": "a: 1", "a/b/empty": "", "docs/x.md": "x"}
	byEachReader(t, files, func(w world, _ bool, o source.Options) {
		folder := w.TempDir()
		var want string
		read := func(w world) {
			c := w.commit()
			got := w.objects(c, glob.Need{Folder: "a", Depth: 3}) + w.objects(c, glob.Need{Depth: 4}) + w.objects(c, glob.Need{Folder: "none", Depth: 2})
			got += w.texts(c, "README.md", "a/b/port.yml", "a/b/empty", "none", "a/none", "docs", "none/x")
			if err := c.Close(); err != nil {
				w.Error(err)
			}
			if want == "" {
				want = got
			}
			if got != want {
				w.Errorf("got %s, want %s", got, want)
			}
		}
		w.inRun(folder, o, read)
		w.inRun(folder, o, func(w world) {
			if !w.memory.Knows(w.repository()) {
				w.Error("the commit is not known")
			}
			read(w)
			read(w)
			if got := w.memory.Readings(); got.Known != 1 {
				w.Errorf("got %+v, want 1 repository from memory", got)
			}
			if got := w.commands(); got != "" {
				w.Errorf("the second run asked %q, want nothing", got)
			}
			if got := w.texts(w.commit(), "docs/x.md"); got != "x" {
				w.Errorf("got %q, want x", got)
			}
		})
		w.inRun(folder, o, func(w world) {
			if got := w.texts(w.commit(), "docs/x.md", "README.md") + w.commands(); got != "x # R" {
				w.Errorf("the third run: got %q, want x # R, and no request", got)
			}
		})
	})
}
