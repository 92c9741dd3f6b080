package kind_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

func oneRepository(files map[string]string) *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "r", Files: files})
	return s
}

// tooDeep answers 555 to listings of a folder beyond a depth.
func tooDeep(s *bitbuckettest.Server, folder string, depths ...string) {
	s.Fault(bitbuckettest.Fault{Status: 555, Times: -1, Match: func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/"+s.Head("r")+"/"+folder) && slices.Contains(depths, r.URL.Query().Get("max_depth"))
	}})
}

// A listing that is too deep is not asked for twice; its folders are, as far as they can match.
func TestTooDeepIsWalked(t *testing.T) {
	s := oneRepository(map[string]string{
		"a/b/c/web/x": "", "a/d/web/x": "", "e/web/x": "", "docs/x": "", "top": "",
	})
	tooDeep(s, "", "20", "3")
	tooDeep(s, "a/", "10")
	inBubble(t, s, func(w world) {
		w.equal("folders", folderPaths(w.good("folder", "folders: [{path: '**/web'}]")),
			"r:a/b/c/web=**/web@main r:a/d/web=**/web@main r:e/web=**/web@main")
		w.equal("requests", w.wire(), " r:@20 r:@1 r:a@10 r:a@1 r:docs@5 r:e@5 r:a/b@5 r:a/d@5")
		w.equal("again", folderPaths(w.good("folder", "folders: [{path: '**/c/web'}]")), "r:a/b/c/web=**/c/web@main")
		w.equal("requests of the second", w.wire(), "")
		w.equal("bounded depth", folderPaths(w.good("folder", "folders: [{path: '[ae]/*/web'}, {path: 'a/d/*'}]")),
			"r:a/d/web=[ae]/*/web@main r:a/d/web=a/d/*@main")
		w.equal("requests of the third: each folder is listed", w.wire(), "")
	})
}

// A server that does not list as deep as it is asked to shows it by folders with nothing in them,
// which git does not keep: these are listed, however deep it went.
func TestDepthThatIsNotKept(t *testing.T) {
	for depth, want := range map[int]string{
		1: " r:@20 r:a@20 r:docs@20 r:e@20 r:a/b@20 r:a/d@20 r:e/web@20 r:a/b/c@20 r:a/d/web@20 r:a/b/c/web@20",
		2: " r:@20 r:a/b@20 r:a/d@20 r:e/web@20 r:a/b/c/web@20",
	} {
		t.Run(fmt.Sprint(depth), func(t *testing.T) {
			s := oneRepository(map[string]string{"a/b/c/web/x": "", "a/d/web/x": "", "e/web/x": "", "docs/x": "", "top": ""})
			s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/**", Times: -1, Mutate: func(page map[string]any) {
				values, _ := page["values"].([]any)
				delete(page, "size")
				levels := func(v any) int { return strings.Count(v.(map[string]any)["path"].(string), "/") }
				page["values"] = slices.DeleteFunc(values, func(v any) bool { return levels(v) >= levels(values[0])+depth })
			}})
			inBubble(t, s, func(w world) {
				w.equal("folders", folderPaths(w.good("folder", "folders: [{path: '**/web'}]")),
					"r:a/b/c/web=**/web@main r:a/d/web=**/web@main r:e/web=**/web@main")
				w.equal("requests", w.wire(), want)
				w.equal("files", len(w.good("file", "files: {path: '**/x'}")), 4)
			})
		})
	}
}

func TestTooDeepWithCoveredPattern(t *testing.T) {
	s := oneRepository(map[string]string{"x/p/q/r/f": "", "b/c/d/e/f": "", "b/n/d/e/f": ""})
	tooDeep(s, "", "4")
	inBubble(t, s, func(w world) {
		w.equal("folders", folderPaths(w.good("folder", "folders: [{path: 'x*/*/*/*'}, {path: b/c/d/*}]")), "r:b/c/d/e=b/c/d/*@main r:x/p/q/r=x*/*/*/*@main")
		w.equal("requests", w.wire(), " r:@4 r:@1 r:b@2 r:x@3 r:b/c/d@1")
	})
}

func TestDepthOneThatTimesOut(t *testing.T) {
	s := oneRepository(map[string]string{"a/b/c": ""})
	tooDeep(s, "", "20", "1")
	inBubble(t, s, func(w world) {
		got := w.extract("folder", "folders: [{path: '**'}]")
		if len(got.failed) != 1 || !strings.Contains(got.failed[0].Error(), "555 Timeout") {
			t.Errorf("got %v, want the server's 555", got.failed)
		}
		w.equal("requests", w.wire(), " r:@20 r:@1 r:@1 r:@1 r:@1 r:@1 r:@1/50 r:@1/25 r:@1/12 r:@1/10")
	})
}

// A page of a listing that times out half-way leaves nothing behind.
func TestTooDeepHalfway(t *testing.T) {
	files := map[string]string{}
	for i := range 120 {
		files[fmt.Sprintf("a/%03d/x", i)] = ""
	}
	s := oneRepository(files)
	s.Fault(bitbuckettest.Fault{Status: 555, Times: -1, Match: func(r *http.Request) bool {
		return r.URL.Query().Has("page") && r.URL.Query().Get("max_depth") == "2"
	}})
	inBubble(t, s, func(w world) {
		w.equal("folders", len(w.good("folder", "folders: [{path: '*/*'}]")), 120)
		w.equal("requests", w.wire(), " r:@2 r:@2+ r:@1 r:a@1 r:a@1+")
	})
}

func TestDeeperThanOneListing(t *testing.T) {
	deep := strings.Repeat("d/", 45) + "web"
	s := oneRepository(map[string]string{deep + "/x": "", strings.Repeat("e/", 30) + "x": ""})
	inBubble(t, s, func(w world) {
		w.equal("any depth", folderPaths(w.good("folder", "folders: [{path: 'd/**/web'}]")), "r:"+deep+"=d/**/web@main")
		w.equal("requests", w.wire(), " r:d@20 r:"+strings.Repeat("d/", 20)+"d@20 r:"+strings.Repeat("d/", 40)+"d@20")
		pattern := strings.Repeat("*/", 29) + "*"
		w.equal("a pattern of 30 segments", len(w.good("folder", "folders: [{path: '"+pattern+"'}]")), 2)
	})
}

func TestHostilePaths(t *testing.T) {
	names := []string{"a b", "c#d", "e?f", "100%", `q"'q`, "🚀", "two\nlines", "[x]", "{y}", `back\slash`, "per%2Fcent", "+plus", "a;b=c&d"}
	tree := map[string]string{}
	for _, n := range names {
		tree[n+"/in "+n+"/README.md"] = "of " + n
	}
	inBubble(t, oneRepository(tree), func(w world) {
		objects := w.good("folder", "includedFiles: [README.md], folders: [{path: '*/*'}]")
		w.equal("folders", len(objects), len(names))
		slices.Sort(names)
		for i, o := range objects {
			folder := o["folder"].(kind.Object)
			w.equal("path", folder["path"], any(names[i]+"/in "+names[i]))
			w.equal("file", files(folder), any(kind.Object{"README.md": "of " + names[i]}))
		}
		for _, n := range names {
			quoted := strings.NewReplacer(`\`, `\\`, "[", `\[`, "{", `\{`, "}", `\}`, "?", `\?`).Replace(n)
			selector := "folders: [{path: " + fmt.Sprintf("%q", quoted+"/*") + "}]"
			w.equal(n, len(w.good("folder", selector)), 1)
		}
		w.wire()
	})
}

// Resources share what the run has read, whatever their kinds.
func TestSharedReading(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		w.good("repository", "includedFiles: [README.md, CODEOWNERS, go.mod]")
		w.equal("three files of the root: one listing", w.wire(), " mono-repo:@1 mono-repo:CODEOWNERS mono-repo:README.md svc:@1 svc:README.md")
		w.good("repository", "includedFiles: [README.md, package.json, nowhere/x.json, README.md/x]")
		w.equal("again, and others that are known absent", w.wire(), "")
		w.good("folder", "folders: [{path: '*'}]")
		w.equal("folders of the root", w.wire(), "")
		w.good("folder", "folders: [{path: 'nowhere/**'}, {path: 'README.md/*'}], includedFiles: [README.md]")
		w.equal("below what is not there", w.wire(), "")
		w.good("folder", "folders: [{path: '**/src'}]")
		w.equal("all", w.wire(), "mono-repo:@20 svc:@20")
		w.equal("below", folderPaths(w.good("folder", "folders: [{path: 'apps/**/src/*'}, {path: libs/*}]")),
			"mono-repo:apps/web/src/deep=apps/**/src/*@main mono-repo:libs/log=libs/*@main")
		w.good("repository", "includedFiles: [apps/web/README.md, docs/none.md]")
		w.equal("a file that is listed, and one that is not", w.wire(), "mono-repo:apps/web/README.md")
		w.good("folder", "folders: [{path: 'apps', repos: [{name: mono-repo, branch: feature/old}]}]")
		w.equal("another commit", w.wire(), "mono-repo:refs/branches/feature%2Fold mono-repo:@1")
		w.good("folder", "folders: [{path: 'docs', repos: [{name: mono-repo, branch: feature/old}]}]")
		w.extract("folder", "folders: [{path: 'docs', repos: [{name: mono-repo, branch: none}]}]")
		w.wire()
		w.extract("folder", "folders: [{path: 'docs', repos: [{name: mono-repo, branch: none}]}]")
		w.equal("a branch that is known not to be there", w.wire(), "")
	})
}

// A file that several tasks of one checkout want is read once without KeepFiles too.
func TestWithoutKeepFiles(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		w.ws = w.workspace(kind.Options{})
		w.good("folder", "includedFiles: [README.md], folders: [{path: 'apps/*', repos: [{name: mono-repo}]}, {path: '*/web', repos: [{name: mono-repo}]}]")
		w.equal("requests", w.wire(), " mono-repo:@2 mono-repo:README.md mono-repo:apps/api/README.md mono-repo:apps/new/README.md mono-repo:apps/web/README.md")
		w.good("repository", "includedFiles: [README.md]")
		w.equal("another resource reads again", w.wire(), "mono-repo:README.md svc:README.md")
	})
}

func (w world) temporary(folder string) int {
	w.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		w.Fatal(err)
	}
	return len(entries)
}

func TestSpool(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		folder := w.TempDir()
		w.ws = w.workspace(kind.Options{KeepFiles: true, TempDir: folder})
		w.good("project", "")
		w.equal("nothing is kept", w.temporary(folder), 0)
		w.good("repository", "")
		w.equal("one file, for the list", w.temporary(folder), 1)
		want := w.good("repository", "includedFiles: [README.md]")
		w.equal("one file, for all", w.temporary(folder), 1)
		w.equal("the same", w.good("repository", "includedFiles: [README.md]"), want)
		w.equal("close", w.ws.Close(), nil)
		w.equal("close again", w.ws.Close(), nil)
		w.equal("removed", w.temporary(folder), 0)
	})
}

func TestSpoolWithoutAFolder(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		w.ws = w.workspace(kind.Options{KeepFiles: true, TempDir: w.TempDir() + "/none"})
		const selector = "includedFiles: [README.md, CODEOWNERS, go.mod]"
		want := w.good("repository", selector)
		w.wire()
		w.equal("from memory", w.good("repository", selector), want)
		w.equal("folders from memory", len(w.good("folder", "folders: [{path: '*'}]")), 5)
		w.equal("requests", w.wire(), "")
		w.equal("close", w.ws.Close(), nil)
	})
}

// largeTree has n files in 1,050 folders, and one folder "web".
func largeTree(n int) map[string]string {
	tree := map[string]string{"apps/web/x": ""}
	for i := range n {
		tree[fmt.Sprintf("src/%02d/%02d/file-%05d.txt", i%50, i/50%20, i)] = ""
	}
	return tree
}

// kept lists the tree for one folder, and gives what is in use after it, in bytes.
func (w world) kept() int64 {
	w.good("repository", "")
	before := heap()
	w.equal("folders", folderPaths(w.good("folder", "folders: [{path: '**/web'}]")), "r:apps/web=**/web@main")
	return int64(heap()) - int64(before)
}

// What of a large tree does not match is not kept in memory. Not in parallel: it
// measures the memory of the process.
func TestLargeTree(t *testing.T) {
	skipShort(t)
	const n = 10_000
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, oneRepository(largeTree(n)))
		kept := w.kept()
		w.equal("requests", w.s.Requests(), 1+(n+1050+4+99)/100)
		// The emulator remembers the list's entries and the journal: about 150 bytes each.
		if kept > n*300 {
			w.Errorf("got %d bytes in use for %d files, want no entries among them", kept, n)
		}
	})
}

// Over git nothing of it is kept in memory, whatever its size.
func TestLargeTreeOverGit(t *testing.T) {
	skipShort(t)
	const n = 57_000
	synctest.Test(t, func(t *testing.T) {
		w := overGit(t, oneRepository(largeTree(n)), kind.Options{OnlyGit: true})
		if kept := w.kept(); kept > n {
			t.Errorf("got %d bytes in use for %d files, want no more than for a few", kept, n)
		}
		items, _, _ := w.files("files: [{path: '**/file-0000?.txt'}]")
		w.equal("items", len(items), 10)
		git, _ := w.requests()
		w.equal("requests: capabilities, folders, files", git, 3)
	})
}

func BenchmarkHugeTree(b *testing.B) {
	tree := largeTree(100_000)
	for b.Loop() {
		w := newWorld(b, oneRepository(tree))
		b.ReportMetric(float64(w.kept()), "bytes-kept")
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what a sync.Pool holds goes with the second
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
