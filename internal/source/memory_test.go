package source_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
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
func (w world) inRun(folder string, o source.Options, git bool, read func(w world)) {
	w.Helper()
	s := w.open(folder)
	o.State = s
	w.commands()
	w.memory = w.newMemory(o, git)
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
	byEachReader(t, files, func(w world, git bool, o source.Options) {
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
		w.inRun(folder, o, git, read)
		w.inRun(folder, o, git, func(w world) {
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
		w.inRun(folder, o, git, func(w world) {
			if got := w.texts(w.commit(), "docs/x.md", "README.md") + w.commands(); got != "x # R" {
				w.Errorf("the third run: got %q, want x # R, and no request", got)
			}
		})
	})
}

// Of a branch that moved no more is asked for than what is new: over git the folders, and the
// texts that no earlier run has.
func TestNextRunOfAMovedBranch(t *testing.T) {
	files := map[string]string{"README.md": "# R", "a/x": "1", "b/y": "2", "c/z": "3"}
	byEachReader(t, files, func(w world, git bool, o source.Options) {
		folder := w.TempDir()
		read := func(w world) string {
			c := w.commit()
			defer c.Close()
			return w.objects(c, glob.Need{Depth: 2}) + w.texts(c, "README.md", "a/x", "b/y", "c/z", "none")
		}
		w.inRun(folder, o, git, func(w world) { read(w) })
		w.s.SetFile("r", "a/x", []byte("new"))
		w.inRun(folder, o, git, func(w world) {
			if w.memory.Knows(w.repository()) {
				w.Error("the new commit is known")
			}
			if got := read(w); !strings.HasSuffix(got, "# R new 2 3 <nil>") {
				w.Errorf("got %s, want what is new", got)
			}
			got, want := w.commands(), "capabilities:0 fetch:1 fetch:1"
			if !git {
				want = "r/src/HEAD/ r/src/HEAD/README.md r/src/HEAD/a/x r/src/HEAD/b/y r/src/HEAD/c/z"
			}
			if strings.Contains(w.Name(), "without_wants") { // of files: these are read over REST
				want += " r/src/HEAD/a/x"
			}
			if got != want {
				w.Errorf("got %q, want %q", got, want)
			}
		})
	})
}

// Each run gets what its own reader gives, whatever read the commit before.
func TestReaderChanges(t *testing.T) {
	files := map[string]string{"README.md": "# R", "big": "large", "link": "README.md", "module": strings.Repeat("ab", 20), "a/b": "1"}
	overGit(t, files, source.Options{}, func(w world) {
		w.s.SetAttributes("r", "big", "lfs", "binary")
		w.s.SetAttributes("r", "link", "link")
		w.s.SetAttributes("r", "module", "subrepository")
		read := func(w world) string {
			c := w.commit()
			defer c.Close()
			_, text, err := c.Followed(w.Context(), "link")
			return w.objects(c, glob.Need{Depth: 2}) + w.texts(c, "README.md", "big", "module", "a", "none") + shown(text, err)
		}
		want := map[bool]string{}
		for _, git := range []bool{true, false} {
			w.memory = w.newMemory(source.Options{}, git)
			want[git] = read(w)
			if err := w.memory.Close(); err != nil {
				w.Error(err)
			}
		}
		for _, order := range [][]bool{{true, false, true, false}, {false, true, false, true}} {
			folder := w.TempDir()
			for run, git := range order {
				w.inRun(folder, source.Options{}, git, func(w world) {
					if got := read(w); got != want[git] {
						w.Errorf("run %d: got\n%s\nwant\n%s", run, got, want[git])
					}
					if got := w.commands(); run > 1 && got != "" {
						w.Errorf("run %d asked %q, want nothing", run, got)
					}
				})
			}
		}
	})
}

// What an earlier run knows of a file that was too large for it is enough for one that reads
// no more; only to see what lies behind that is the file asked for again.
func TestMaxFileChanges(t *testing.T) {
	for name, text := range map[string]string{
		"text": strings.Repeat("x", 3000), "binary": strings.Repeat("x", 2000) + "\x00" + strings.Repeat("x", 999),
	} {
		for _, git := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " git ", git), func(t *testing.T) {
				inBubbleWith(t, map[string]string{"f": text}, source.Options{}, git, func(w world) {
					read := func(w world) string {
						c := w.commit()
						defer c.Close()
						var all string
						for _, e := range w.entries(c, glob.Need{Depth: 1}) {
							e, text, err := c.Text(w.Context(), e, false)
							all += fmt.Sprint(e.Size, e.Attributes, len(text), err)
						}
						text, err := c.File(w.Context(), "f")
						return all + fmt.Sprint(len(text), err)
					}
					for _, limits := range [][]int64{{1500, 1600, 2500, 1500, 4000, 2500}, {4000, 1500, 2500}, {2500, 1500, 2500, 2999, 3000}} {
						folder := w.TempDir()
						seen := int64(0)
						for _, limit := range limits {
							o := source.Options{MaxFile: limit}
							w.memory = w.newMemory(o, git)
							want := read(w)
							if err := w.memory.Close(); err != nil {
								w.Error(err)
							}
							w.inRun(folder, o, git, func(w world) {
								if got := read(w); got != want {
									w.Errorf("%d of %v: got %s, want %s", limit, limits, got, want)
								}
								if got := w.commands(); limit <= seen && got != "" {
									w.Errorf("%d of %v: asked %q, want nothing", limit, limits, got)
								}
								seen = max(seen, limit)
							})
						}
					}
				})
			})
		}
	}
}

// Texts that the server gives with folders alone are read for a commit of which the folders
// are known.
func TestKnownFoldersWithoutWantsOfFiles(t *testing.T) {
	overGit(t, map[string]string{"README.md": "# R", "a/x": "1", "b/y": "2"}, source.Options{}, func(w world) {
		w.s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{NoFilter: true, NoBlobWants: true}})
		folder := w.TempDir()
		for _, paths := range [][]string{{"README.md"}, {"README.md", "a/x", "b/y"}, {"a/x", "b/y"}} {
			w.inRun(folder, source.Options{OnlyGit: true}, true, func(w world) {
				c := w.commit()
				defer c.Close()
				if got := w.texts(c, paths...); strings.Contains(got, "!") {
					w.Errorf("%v: got %q, want texts", paths, got)
				}
				w.objects(c, glob.Need{Depth: 3})
			})
		}
		if got := w.commands(); got != "" {
			w.Errorf("the last run asked %q, want nothing", got)
		}
	})
}

// A large listing lies in several values; where one is lost, or another one, it is listed again.
func TestPiecesOfAListing(t *testing.T) {
	files := map[string]string{}
	for i := range 1500 {
		files[fmt.Sprintf("folder/%d/%x", i%50, i*7919)] = ""
	}
	for _, git := range []bool{true, false} {
		t.Run(fmt.Sprint("git ", git), func(t *testing.T) {
			inBubbleWith(t, files, source.Options{}, git, func(w world) {
				folder := w.TempDir()
				listed := func() (n int, asked string) {
					w.inRun(folder, source.Options{}, git, func(w world) { n, asked = len(w.entries(w.commit(), glob.Need{Depth: 5})), w.commands() })
					return n, asked
				}
				first, _ := listed()
				for _, spoil := range []func([]byte) []byte{nil, func([]byte) []byte { return nil }, func(b []byte) []byte { return b[:len(b)-1] }} {
					if spoil != nil {
						s := w.open(folder)
						for _, v := range source.StoredOf(s, w.repository(), nil, nil) {
							if v.Class == state.Listing {
								b, _ := s.Get(v.Class, v.Key...)
								s.Put(spoil(b), v.Class, v.Key...)
							}
						}
						if err := s.Close(); err != nil {
							w.Error(err)
						}
					}
					if n, asked := listed(); n != first || (asked == "") != (spoil == nil) {
						w.Errorf("got %d entries for %q, want %d", n, asked, first)
					}
				}
			})
		})
	}
}

// What may leave something out is listed again.
func TestOddListingIsNotKept(t *testing.T) {
	overGit(t, map[string]string{"two\nlines": "", "a": "A"}, source.Options{}, func(w world) {
		folder := w.TempDir()
		for range 2 {
			w.inRun(folder, source.Options{OnlyGit: true}, true, func(w world) {
				c := w.commit()
				w.entries(c, glob.Need{Depth: 1})
				if got := c.Odd(); len(got) != 1 {
					w.Errorf("got %v, want one", got)
				}
			})
		}
	})
}

// A repository that is renamed has other links in what REST lists, and the same texts.
func TestRenamedRepository(t *testing.T) {
	inBubble(t, map[string]string{"README.md": "# R"}, source.Options{}, func(w world) {
		folder := w.TempDir()
		of := w.repository()
		of.UUID = "{1}"
		for _, tt := range []struct{ at, want string }{{"old", "r/src/HEAD/README.md r/src/HEAD/ r/src/HEAD/README.md"}, {"new", "r/src/HEAD/ r/src/HEAD/README.md"}, {"new", ""}} {
			of.JSON = []byte(`{"links": {"self": {"href": "https://bitbucket.test/` + tt.at + `"}}}`)
			w.inRun(folder, source.Options{KeepFiles: true}, false, func(w world) {
				c, err := w.memory.At(w.Context(), of, "")
				if err != nil {
					w.Fatal(err)
				}
				got := w.texts(c, "README.md")
				w.objects(c, glob.Need{Depth: 1})
				if _, err := c.Meta(w.Context(), "README.md"); err != nil || got != "# R" {
					w.Errorf("got %q, %v, want # R", got, err)
				}
				if got := w.commands(); got != tt.want {
					w.Errorf("%s: got %q, want %q", tt.at, got, tt.want)
				}
			})
		}
	})
}

// A page that lost the link to the next one looks like the last one.
func TestFullLastPageIsNotKept(t *testing.T) {
	files := map[string]string{}
	for i := range 101 {
		files[fmt.Sprintf("file-%03d", i)] = "x"
	}
	inBubble(t, files, source.Options{}, func(w world) {
		w.answered()
		folder := w.TempDir()
		list := func() (n int) {
			w.inRun(folder, source.Options{}, false, func(w world) {
				c := w.commit()
				defer c.Close()
				n = strings.Count(w.objects(c, glob.Need{Depth: 1}), `"commit_file"`)
			})
			return n
		}
		w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/", Mutate: func(page map[string]any) { delete(page, "next") }})
		if got := list(); got != 100 {
			t.Errorf("the cut listing: got %d files, want 100", got)
		}
		if got := list(); got != 101 {
			t.Errorf("the next run: got %d files, want 101", got)
		}
		if got := list(); got != 101 || w.s.Requests() != 0 {
			t.Errorf("the run after: got %d files with %d requests, want 101 with none", got, w.s.Requests())
		}
	})
}

// What something on the way answers is taken as ever, and not kept for later runs.
func TestFaultsAreNotKept(t *testing.T) {
	plain := http.Header{"Content-Type": {"text/plain"}}
	values := func(change func(values []any) []any) func(map[string]any) {
		return func(page map[string]any) {
			page["values"] = change(page["values"].([]any))
			delete(page, "next")
		}
	}
	each := func(change func(value map[string]any)) func(map[string]any) {
		return values(func(all []any) []any {
			for _, v := range all {
				change(v.(map[string]any))
			}
			return all
		})
	}
	other := func(v map[string]any) { v["commit"].(map[string]any)["hash"] = strings.Repeat("0", 40) }
	const file, folder = "/repositories/acme/r/src/*/README.md", "/repositories/acme/r/src/*/"
	list := func(depth int) func(w world, c *source.Commit) string {
		return func(w world, c *source.Commit) string { return w.objects(c, glob.Need{Depth: depth}) }
	}
	readme := func(w world, c *source.Commit) string { return w.texts(c, "README.md") }
	for name, tt := range map[string]struct {
		fault bitbuckettest.Fault
		read  func(w world, c *source.Commit) string
	}{
		"a text of a proxy":          {bitbuckettest.Fault{Path: file, Status: 200, Header: plain, Body: "unavailable"}, readme},
		"another charset":            {bitbuckettest.Fault{Path: file, Header: http.Header{"Content-Type": {"text/plain; charset=latin1"}}, Rewrite: func([]byte) []byte { return []byte("\xe9") }}, readme},
		"no such file, of something": {bitbuckettest.Fault{Path: file, Status: 404, Body: `{"error": {"message": "No such file or directory"}}`}, readme},
		"a text of another size":     {bitbuckettest.Fault{Path: file, Rewrite: func([]byte) []byte { return []byte("# R, and more") }}, func(w world, c *source.Commit) string { return list(1)(w, c) + readme(w, c) }},
		"a link of another size": {bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/a/x", Rewrite: func([]byte) []byte { return []byte("one") }}, func(w world, c *source.Commit) string {
			at, text, err := c.Followed(w.Context(), "a/x")
			return at + shown(text, err)
		}},
		"an empty page":            {bitbuckettest.Fault{Times: 2, Path: folder, Mutate: values(func([]any) []any { return []any{} })}, list(1)},
		"the end is missing":       {bitbuckettest.Fault{Path: folder, Mutate: values(func(all []any) []any { return all[:len(all)-1] })}, list(3)},
		"the beginning is missing": {bitbuckettest.Fault{Path: folder, Mutate: values(func(all []any) []any { return all[1:] })}, list(3)},
		"of another commit":        {bitbuckettest.Fault{Path: folder, Mutate: each(other)}, list(1)},
		"of another folder":        {bitbuckettest.Fault{Path: folder, Mutate: each(func(v map[string]any) { v["path"] = "a/b/c/d" })}, list(1)},
		"of a type that is none":   {bitbuckettest.Fault{Path: folder, Mutate: each(func(v map[string]any) { v["type"] = "commit" })}, list(1)},
		"odd":                      {bitbuckettest.Fault{Path: folder, Mutate: each(func(v map[string]any) { v["path"] = strings.TrimPrefix(v["path"].(string), "README.md") })}, list(1)},
		"an entry of another path": {bitbuckettest.Fault{Path: file, Query: "format=meta", Mutate: func(v map[string]any) { v["path"] = "a" }}, func(w world, c *source.Commit) string {
			e, err := c.Meta(w.Context(), "README.md")
			return fmt.Sprint(string(e.JSON), err)
		}},
		"an entry of another commit": {bitbuckettest.Fault{Path: file, Query: "format=meta", Mutate: other}, func(w world, c *source.Commit) string {
			e, err := c.Meta(w.Context(), "README.md")
			return fmt.Sprint(string(e.JSON), err)
		}},
		"an outage": {bitbuckettest.Fault{Path: "/repositories/acme/r/src/**", Status: 404, Body: "Not Found", Times: -1}, func(w world, c *source.Commit) string {
			text, err := c.File(w.Context(), "README.md")
			return shown(text, err)
		}},
	} {
		for _, keep := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, files kept %v", name, keep), func(t *testing.T) {
				inBubble(t, map[string]string{"README.md": "# R", "a/x": "1", "b/y/z": "2"}, source.Options{}, func(w world) {
					w.answered()
					folder := w.TempDir()
					read := func() (got string) {
						w.inRun(folder, source.Options{KeepFiles: keep}, false, func(w world) {
							c := w.commit()
							defer c.Close()
							got = tt.read(w, c)
						})
						return got
					}
					w.memory = w.newMemory(source.Options{}, false)
					want := tt.read(w, w.commit())
					w.s.Fault(tt.fault)
					if got := read(); got == want {
						w.Errorf("with the fault: got %s, as without", got)
					}
					w.s.ClearFaults()
					if got := read(); got != want {
						w.Errorf("the run after it: got %s, want %s", got, want)
					}
				})
			})
		}
	}
}

// An outage may answer for a file and for the folder that it is in: nothing of that is proven.
func TestOutageOfFileAndFolderIsNotKept(t *testing.T) {
	for name, change := range map[string]func(values []any) []any{
		"an empty folder": func([]any) []any { return []any{} },
		"another commit's": func(all []any) []any {
			all[0].(map[string]any)["path"] = "LICENSE"
			all[0].(map[string]any)["commit"].(map[string]any)["hash"] = strings.Repeat("0", 40)
			return all
		},
		"another folder's": func(all []any) []any {
			all[0].(map[string]any)["path"] = "docs/README.md"
			return all
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"README.md": "# R"}, source.Options{}, func(w world) {
				w.answered()
				folder := w.TempDir()
				read := func() (got string) {
					w.inRun(folder, source.Options{}, false, func(w world) { got = w.texts(w.commit(), "README.md") })
					return got
				}
				w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/README.md", Status: 404, Body: "Not Found"})
				w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/", Mutate: func(page map[string]any) { page["values"] = change(page["values"].([]any)) }})
				during := read()
				w.s.ClearFaults()
				if after := read(); after == during || !strings.Contains(after, "# R") {
					w.Errorf("during the outage: %s; the run after it: %s, want the file", during, after)
				}
			})
		})
	}
}

// Where nothing may be asked of a repository, what is known of it is there, and all else is an
// error that says so, and is not kept.
func TestRepositoryThatMayNotBeAskedFor(t *testing.T) {
	inBubble(t, map[string]string{"README.md": "# R", "a/x": "1", "a/y": "README.md"}, source.Options{}, func(w world) {
		w.s.AddBranch("r", "other")
		folder := w.TempDir()
		w.inRun(folder, source.Options{}, false, func(w world) {
			c := w.commit()
			w.objects(c, glob.Need{Folder: "a", Depth: 1})
			w.texts(c, "README.md", "none")
		})
		w.barred["r"] = true
		w.inRun(folder, source.Options{}, false, func(w world) {
			c := w.commit()
			if got := w.texts(c, "README.md", "none", "a/none"); got != "# R <nil> <nil>" || !strings.Contains(w.objects(c, glob.Need{Folder: "a", Depth: 1}), `"a/x"`) {
				w.Errorf("got %q, want what is known", got)
			}
			_, listErr := w.list("")
			_, fileErr := c.File(w.Context(), "a/x")
			_, _, linkErr := c.Followed(w.Context(), "a/y")
			_, metaErr := c.Meta(w.Context(), "a/x")
			_, beginningErr := c.Beginning(w.Context(), "a/x", 1)
			_, branchErr := w.memory.At(w.Context(), w.repository(), "other")
			for what, err := range map[string]error{"list": listErr, "file": fileErr, "link": linkErr, "entry": metaErr, "beginning": beginningErr, "branch": branchErr} {
				if !errors.Is(err, bitbucket.ErrBudget) || errors.Is(err, bitbucket.ErrNotFound) {
					w.Errorf("%s: got %v, want bitbucket.ErrBudget", what, err)
				}
			}
			if got := w.commands(); got != "" {
				w.Errorf("asked %q, want nothing", got)
			}
		})
		delete(w.barred, "r")
		w.inRun(folder, source.Options{}, false, func(w world) {
			if got := w.texts(w.commit(), "a/x", "a/y"); got != "1 README.md" {
				w.Errorf("a run that may: got %q, want both", got)
			}
		})
	})
}

// Git is no part of the bound on requests.
func TestGitMayBeAskedFor(t *testing.T) {
	overGit(t, map[string]string{"README.md": "# R"}, source.Options{}, func(w world) {
		w.barred["r"] = true
		if got := w.texts(w.commit(), "README.md"); got != "# R" {
			w.Errorf("got %q, want # R", got)
		}
	})
}

// Where the requests end before it is shown that something is not there, it is not known.
func TestEndOfRequests(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		requests int
		fault    bitbuckettest.Fault
	}{
		"a file that may be in its folder":      {3, bitbuckettest.Fault{Status: 404, Body: "Not Found"}},
		"a repository that may have been there": {2, bitbuckettest.Fault{Status: 403, Body: `{"error": {"message": "no"}}`}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, map[string]string{"a": "A"}, source.Options{}, false, func(w world) {
				w.answered()
				tt.fault.Path = "/repositories/acme/r/src/**"
				w.s.Fault(tt.fault)
				if text, err := w.commit().File(w.Context(), "a"); text != nil || !errors.Is(err, bitbucket.ErrBudget) {
					w.Errorf("got %q, %v, want bitbucket.ErrBudget", text, err)
				}
				if got := w.s.Requests(); got != tt.requests {
					w.Errorf("got %d requests, want %d", got, tt.requests)
				}
			}, func(c *bitbucket.Config) { c.MaxRequests = tt.requests })
		})
	}
}
