package source_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/source"
)

// commands are what git was asked since the last call, and other requests.
func (w world) commands() string {
	var all []string
	for _, x := range w.s.Journal() {
		switch {
		case !x.Git:
			all = append(all, strings.ReplaceAll(strings.TrimPrefix(x.Path, "/2.0/repositories/acme/"), w.s.Head("r"), "HEAD"))
		case x.GitCommand == nil:
			all = append(all, fmt.Sprint("git:", x.Status))
		default:
			all = append(all, fmt.Sprintf("%s:%d", x.GitCommand.Name, len(x.GitCommand.Wants)+len(x.GitCommand.Prefixes)))
		}
	}
	w.s.ResetJournal()
	return strings.Join(all, " ")
}

// entries lists a folder of "r", and returns what is in it.
func (w world) entries(c *source.Commit, n glob.Need) (all []source.Entry) {
	w.Helper()
	err := c.List(w.Context(), n, source.Visitor{
		Entry: func(_ glob.Need, e source.Entry) {
			if glob.Within(n.Folder, e.Path) {
				all = append(all, e)
			}
		},
		Restart:    func() { all = nil },
		Unfinished: func() bool { return false },
	})
	if err != nil {
		w.Error(err)
	}
	return all
}

// Whoever asks for whatever at once, the host is asked for its capabilities once, and a
// repository for its branches once.
func TestGitIsAskedOnce(t *testing.T) {
	overGit(t, map[string]string{"a/x": "1"}, source.Options{}, func(w world) {
		w.s.AddBranch("r", "one")
		w.s.AddBranch("r", "two/2")
		w.commands()
		all := sync.WaitGroup{}
		for _, b := range []string{"one", "two/2", "none"} {
			w.memory.Expect(w.repository(), b)
		}
		for _, b := range []string{"one", "two/2", "one", "", "none"} {
			all.Go(func() {
				c, err := w.memory.At(w.Context(), w.repository(), b)
				if b == "none" {
					if !errors.Is(err, bitbucket.ErrNotFound) {
						w.Errorf("got %v, want bitbucket.ErrNotFound", err)
					}
					return
				}
				if err != nil {
					w.Error(err)
					return
				}
				if got := w.entries(c, glob.Need{Depth: 1}); len(got) != 1 {
					w.Errorf("branch %q: got %d entries, want 1", b, len(got))
				}
			})
		}
		all.Wait()
		got := strings.Fields(w.commands())
		slices.Sort(got) // the main branch may come before the others
		if want := []string{"capabilities:0", "fetch:1", "ls-refs:3"}; !slices.Equal(got, want) {
			w.Errorf("got %q, want %q", got, want)
		}
	})
}

// A repository that does not answer does not keep git from others.
func TestCapabilitiesOfAnotherRepository(t *testing.T) {
	overGit(t, map[string]string{"a/x": "1"}, source.Options{}, func(w world) {
		w.s.AddRepository(bitbuckettest.Repository{Name: "hidden", Files: map[string]string{"a": ""}})
		hidden := bitbucket.Repository{Slug: "hidden", MainBranch: "main", Hash: w.s.Head("hidden")}
		w.s.Fault(bitbuckettest.Fault{Path: "/acme/hidden.git/**", Status: http.StatusNotFound, Times: -1})
		c, err := w.memory.At(w.Context(), hidden, "")
		if err != nil {
			w.Fatal(err)
		}
		w.entries(c, glob.Need{Depth: 1})
		w.entries(w.commit(), glob.Need{Depth: 1})
		got := w.memory.Readings()
		if len(got.Fallbacks) != 1 || got.Fallbacks[0].Repository != "hidden" || got.Git != 1 || got.Stopped != "" {
			w.Errorf("got %+v, want REST for the hidden one alone", got)
		}
	})
}

// Files are read together, each text once, whatever the number of its paths; Fetch has
// nothing to do where they are known.
func TestFetch(t *testing.T) {
	for name, keep := range map[string]bool{"kept for the run": true, "kept by each reader": false} {
		t.Run(name, func(t *testing.T) {
			overGit(t, map[string]string{"a/x": "same", "b/x": "same", "c/x": "other", "d": "d"}, source.Options{KeepFiles: keep}, func(w world) {
				c := w.commit()
				paths := []string{"a/x", "/b/x", "c/x", "c/none", "none/x", "a"}
				for range 2 {
					if err := c.Fetch(w.Context(), paths); err != nil {
						w.Fatal(err)
					}
				}
				var texts []string
				for _, p := range paths {
					text, err := c.File(w.Context(), p)
					texts = append(texts, fmt.Sprint(string(text), err))
				}
				if got, want := strings.Join(texts, " "), "same<nil> same<nil> other<nil> <nil> <nil> <nil>"; got != want {
					w.Errorf("got %q, want %q", got, want)
				}
				if got, want := w.commands(), "capabilities:0 fetch:1 fetch:2"; got != want {
					w.Errorf("got %q, want %q", got, want)
				}
				if text, err := c.File(w.Context(), "d"); string(text) != "d" || err != nil {
					w.Errorf("got %q, %v, want d", text, err)
				}
				if got, want := w.commands(), "fetch:1"; got != want {
					w.Errorf("a file alone: got %q, want %q", got, want)
				}
				again := w.commit()
				if err := again.Fetch(w.Context(), paths); err != nil {
					w.Fatal(err)
				}
				if got, want := w.commands(), map[bool]string{true: "", false: "fetch:2"}[keep]; got != want {
					w.Errorf("another reader: got %q, want %q", got, want)
				}
			})
		})
	}
}

// What only the text of a file shows completes its entry.
func TestTextCompletes(t *testing.T) {
	pointer := func(lines ...string) string {
		return "version https://git-lfs.github.com/spec/v1\n" + strings.Join(lines, "\n") + "\n"
	}
	oid := "oid sha256:" + strings.Repeat("ab", 32)
	files := map[string]string{
		"text": "a\n", "empty": "", "binary": "a\x00", "large": strings.Repeat("x", 2001), "large binary": strings.Repeat("\x00", 2001), "full": strings.Repeat("x", 2000),
		"run": "#!/bin/sh", "link": "text", "module": strings.Repeat("ab", 20),
		"pointer": pointer(oid, "size 12345"), "extended": pointer("ext-0-x sha256:1", oid, "size 0"),
		"no size": pointer(oid), "odd size": pointer(oid, "size -1"), "no pointer": " " + pointer(oid, "size 1"),
		"too long": pointer(oid, "size 1", strings.Repeat("x", 1024)),
	}
	plain := func(path string) string { return fmt.Sprintf("%d [] %[1]d false", len(files[path])) }
	overGit(t, files, source.Options{MaxFile: 2000}, func(w world) {
		for path, attribute := range map[string]string{"run": "executable", "link": "link", "module": "subrepository"} {
			w.s.SetAttributes("r", path, attribute)
		}
		c := w.commit()
		got := map[string]string{}
		for _, e := range w.entries(c, glob.Need{Depth: 1}) {
			e, text, err := c.Text(w.Context(), e, false)
			var omitted *source.Omitted
			if err != nil && !errors.As(err, &omitted) {
				w.Errorf("%s: got %v", e.Path, err)
			}
			got[e.Path] = fmt.Sprintf("%d %v %v %v", e.Size, e.Attributes, len(text), err != nil)
		}
		for path, want := range map[string]string{
			"text": "2 [] 2 false", "empty": "0 [] 0 false", "binary": "2 [binary] 2 false", "large": "0 [] 0 true", "large binary": "2001 [binary] 0 true", "full": "2000 [] 2000 false",
			"run": "9 [executable] 9 false", "link": "4 [link] 4 false", "module": "0 [subrepository] 0 false",
			"pointer": "12345 [lfs] 0 true", "extended": "0 [lfs] 0 true",
			"no size": plain("no size"), "odd size": plain("odd size"), "no pointer": plain("no pointer"), "too long": plain("too long"),
		} {
			if got[path] != want {
				w.Errorf("%s: got %q, want %q", path, got[path], want)
			}
		}
		if got := w.memory.Readings(); len(got.Fallbacks) > 0 {
			w.Errorf("got %+v, want none of REST", got)
		}
	})
}

// A pointer of Git LFS is one also where it is larger than the largest file that is read.
func TestPointerAboveMaxFile(t *testing.T) {
	overGit(t, map[string]string{"big": strings.Repeat("x", 200)}, source.Options{MaxFile: 3}, func(w world) {
		w.s.SetAttributes("r", "big", "lfs")
		if _, err := w.commit().File(w.Context(), "big"); !errors.Is(err, bitbucket.ErrElsewhere) {
			w.Errorf("got %v, want bitbucket.ErrElsewhere", err)
		}
	})
}

// A file of which REST has the text, after git had listed it, is completed too.
func TestTextAfterFallback(t *testing.T) {
	overGit(t, map[string]string{"text": "a\n", "binary": "a\x00", "big": "large"}, source.Options{}, func(w world) {
		w.s.SetAttributes("r", "big", "lfs")
		c := w.commit()
		all := w.entries(c, glob.Need{Depth: 1})
		w.s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{NoBlobWants: true}})
		got := map[string]string{}
		for _, e := range all {
			e, text, err := c.Text(w.Context(), e, false)
			got[e.Path] = fmt.Sprintf("%d %v %q %v", e.Size, e.Attributes, text, errors.Is(err, bitbucket.ErrElsewhere))
		}
		for path, want := range map[string]string{"text": `2 [] "a\n" false`, "binary": `2 [binary] "a\x00" false`, "big": `5 [lfs] "" true`} {
			if got[path] != want {
				w.Errorf("%s: got %q, want %q", path, got[path], want)
			}
		}
		if got := w.memory.Readings(); len(got.Fallbacks) != 1 {
			w.Errorf("got %+v, want REST for the repository", got)
		}
	})
}

// The end of a context is no failure of git.
func TestGitStopped(t *testing.T) {
	overGit(t, map[string]string{"a": "A"}, source.Options{}, func(w world) {
		ctx, stop := context.WithCancel(w.Context())
		stop()
		if _, err := w.commit().File(ctx, "a"); !errors.Is(err, context.Canceled) {
			w.Errorf("got %v, want context.Canceled", err)
		}
		if got := w.memory.Readings(); len(got.Fallbacks) > 0 {
			w.Errorf("got %+v, want none of REST", got)
		}
		if text, err := w.commit().File(w.Context(), "a"); string(text) != "A" || err != nil {
			w.Errorf("again: got %q, %v, want A", text, err)
		}
	})
}

// A file that is asked for by itself is read over REST where git gives up, whatever git was
// asked for then.
func TestFileAfterFallback(t *testing.T) {
	for name, o := range map[string]gitwiretest.Options{
		"no folders": {Err: "not today"}, "no version 2": {NoV2: true}, "no files": {NoBlobWants: true},
	} {
		t.Run(name, func(t *testing.T) {
			overGit(t, map[string]string{"a": "A"}, source.Options{}, func(w world) {
				w.s.Configure(bitbuckettest.Options{Git: o})
				if text, err := w.commit().File(w.Context(), "a"); string(text) != "A" || err != nil {
					w.Errorf("got %q, %v, want A", text, err)
				}
				if got := w.memory.Readings(); len(got.Fallbacks) != 1 {
					w.Errorf("got %+v, want REST for the repository", got)
				}
				if got := w.commands(); strings.Count(got, "HEAD") != 1 {
					w.Errorf("got %q, want one request of REST", got)
				}
			})
		})
	}
}

// Of a file that is too large the beginning is read over git too, and over REST where git
// gives up.
func TestBeginningOverGit(t *testing.T) {
	overGit(t, map[string]string{"a": strings.Repeat("x", 5000)}, source.Options{MaxFile: 2000}, func(w world) {
		c := w.commit()
		var large *source.TooLarge
		if _, err := c.File(w.Context(), "a"); !errors.As(err, &large) {
			w.Fatalf("got %v, want a *TooLarge", err)
		}
		for _, want := range []string{"capabilities:0 fetch:1 fetch:1 fetch:1", "fetch:1 r/src/HEAD/a"} {
			if text, err := c.Beginning(w.Context(), "/a", 10); string(text) != "xxxxxxxxxx" || err != nil {
				w.Errorf("got %q, %v, want ten of them", text, err)
			}
			if got := w.commands(); got != want {
				w.Errorf("got %q, want %q", got, want)
			}
			w.s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{Err: "not today"}})
		}
	})
}

// What a commit kept for itself is gone once it is closed: an error, not an empty file.
func TestClosedCommit(t *testing.T) {
	overGit(t, map[string]string{"a": "A", "empty": ""}, source.Options{}, func(w world) {
		c := w.commit()
		if err := c.Fetch(w.Context(), []string{"a", "empty"}); err != nil {
			w.Fatal(err)
		}
		for range 2 {
			if err := c.Close(); err != nil {
				w.Error(err)
			}
		}
		if text, err := c.File(w.Context(), "a"); !errors.Is(err, os.ErrClosed) {
			w.Errorf("got %q, %v, want os.ErrClosed", text, err)
		}
		if text, err := w.commit().File(w.Context(), "a"); string(text) != "A" || err != nil {
			w.Errorf("another reader: got %q, %v, want A", text, err)
		}
	})
}

// One file after the other that is not there costs no pass over the listing each. It is not
// parallel, since it counts allocations.
func TestManyAbsentFiles(t *testing.T) {
	files := map[string]string{}
	for i := range 3000 {
		files[fmt.Sprintf("d%d/x", i)] = ""
	}
	bubble(t, files, source.Options{}, true, func(w world) {
		c, n := w.commit(), 0
		w.entries(c, glob.Need{Depth: 2})
		ask := func() {
			n++
			if text, err := c.File(w.Context(), fmt.Sprintf("d%d/README.md", n)); text != nil || err != nil {
				w.Errorf("got %q, %v, want none", text, err)
			}
		}
		ask()
		if got := testing.AllocsPerRun(20, ask); got > 1000 {
			w.Errorf("got %.0f allocations for a file that is not there among %d", got, 2*len(files))
		}
	})
}
