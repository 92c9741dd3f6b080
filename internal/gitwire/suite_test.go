package gitwire_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/gitwire/gitbackend"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// TestMain says aloud when the suite runs against the emulator alone.
func TestMain(m *testing.M) {
	if _, err := exec.LookPath("git"); err != nil {
		fmt.Fprintf(os.Stderr, "gitwire: git is not installed: the suite runs against the emulator alone (%v)\n", err)
	}
	os.Exit(m.Run())
}

// full reports whether all is to be tried, as .ci/run lets it without the race detector.
func full() bool { return os.Getenv("TESTS") == "full" }

// skipShort leaves a test to a run that is not short: the race detector takes ten times as
// long, and sees the same goroutines in smaller repositories.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: left to a run without -short")
	}
}

// peer is a server of one repository, and what the test knows of it from another source than
// the reader.
type peer struct {
	url     string
	entries []gitwire.Entry // of the head
	text    func(gitwire.Hash) string
}

func (p peer) remote(t testing.TB) *gitwire.Remote {
	return &gitwire.Remote{URL: p.url, Do: http.DefaultClient.Do, TempDir: t.TempDir()}
}

func hashOf(t testing.TB, s string) gitwire.Hash {
	t.Helper()
	h, err := gitwire.ParseHash(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// lines is a text of n lines that compresses about as source code does.
func lines(seed uint64, n int) string {
	random := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "%s%s(%d)\n", strings.Repeat("\t", random.IntN(4)), words[random.IntN(len(words))], random.IntN(1000))
	}
	return b.String()
}

var words = strings.Fields("return func value error range string context request response header length bytes hash tree commit folder file path mode object delta base result window offset")

const submodule = "1111111111111111111111111111111111111111"

const lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

// repositories are what the suite reads, by name. Each is one or more commits; the last is
// the head.
func repositories() map[string]gitbackend.Repository {
	file := func(path, text string) gitbackend.File { return gitbackend.File{Path: path, Content: text} }
	odd := []gitbackend.File{
		file("README.md", "# r\n"), file("empty", ""), file("media/video.mp4", lfs),
		{Path: "run.sh", Mode: 0o100755, Content: "#!/bin/sh\n"},
		{Path: "docs/link", Mode: 0o120000, Content: "../README.md"},
		{Path: "vendor/lib", Mode: 0o160000, Content: submodule},
		file("odd/\"ö ü\\", "odd"), file("odd/ space ", "space"), file("odd/-dash", "dash"), file("odd/...", "dots"),
		file("a.go", "before a folder of its name"), file("a/b", "in it"), file("a0", "behind it"), file("a-b/c", "c"),
		file("big.bin", strings.Repeat(lines(1, 500), 150)), // more than a file that is handed on whole
		file("same/1", "the same text"), file("same/2", "the same text"), file("again/1", "the same text"), file("again/2", "the same text"),
		file(strings.Repeat("deep/", 200)+"file", "deep"),
	}
	alike := gitbackend.Commit{}
	for i := range 300 {
		text := lines(7, 60)
		alike.Files = append(alike.Files, file(fmt.Sprintf("alike/%02d/%d.txt", i%40, i), text[:500]+strconv.Itoa(i)+text[500:]))
	}
	merge := []gitbackend.Commit{
		{Files: odd[:4]},
		{Name: "left", Branch: "feature/a", Parents: []string{"0"}, Files: []gitbackend.File{file("l", "l")}},
		{Name: "right", Branch: "feature/b/c", Parents: []string{"0"}, Files: []gitbackend.File{file("r", "r")}},
		{Name: "octopus", Parents: []string{"0", "left", "right"}, Files: []gitbackend.File{file("o", "o")}},
	}
	tagged := gitbackend.Repository{Commits: []gitbackend.Commit{{Files: odd}}, Tags: []gitbackend.Tag{{Name: "v1", Of: "0"}, {Name: "v2", Of: "0", Message: "two"}}}
	return map[string]gitbackend.Repository{
		"odd":    {Commits: []gitbackend.Commit{{Files: odd}}, Filter: true},
		"alike":  {Commits: []gitbackend.Commit{alike}, AnySHA1: true},
		"merge":  {Commits: merge, Filter: true, AnySHA1: true},
		"tagged": tagged,
		"one":    {Commits: []gitbackend.Commit{{Files: odd[:1]}}},
	}
}

// withGit is the repository served by git.
func withGit(t *testing.T, r gitbackend.Repository) (p peer, head gitwire.Hash, hashes map[string]string) {
	root := t.TempDir()
	folder := filepath.Join(root, "r.git")
	hashes = gitbackend.Make(t, folder, r)
	p = peer{url: gitbackend.Serve(t, root).URL + "/r.git"}
	if hashes == nil {
		return p, head, nil
	}
	revision := strings.TrimSpace(string(gitbackend.Git(t, folder, nil, "rev-parse", "main")))
	out := gitbackend.Git(t, folder, nil, "ls-tree", "-rtz", "--full-tree", revision)
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		about, path, _ := strings.Cut(line, "\t")
		fields := strings.Fields(about)
		mode, err := strconv.ParseUint(fields[0], 8, 32)
		if err != nil {
			t.Fatal(err)
		}
		p.entries = append(p.entries, gitwire.Entry{Path: path, Mode: gitwire.Mode(mode), Hash: hashOf(t, fields[2])})
	}
	texts := catFile(t, folder, p.entries)
	p.text = func(h gitwire.Hash) string { return texts[h] }
	return p, hashOf(t, revision), hashes
}

// catFile reads the files of the entries with git.
func catFile(t *testing.T, folder string, entries []gitwire.Entry) map[gitwire.Hash]string {
	var ask strings.Builder
	for _, e := range entries {
		if e.Mode != gitwire.Folder && e.Mode != gitwire.Submodule {
			fmt.Fprintln(&ask, e.Hash)
		}
	}
	out := bytes.NewBuffer(gitbackend.Git(t, folder, strings.NewReader(ask.String()), "cat-file", "--batch"))
	texts := map[gitwire.Hash]string{}
	for out.Len() > 0 {
		line, err := out.ReadString('\n')
		fields := strings.Fields(line)
		if err != nil || len(fields) != 3 || fields[1] != "blob" {
			t.Fatalf("git cat-file: %q, %v", line, err)
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		texts[hashOf(t, fields[0])] = string(out.Next(size))
		out.Next(1)
	}
	return texts
}

// emulated is the repository served by the emulator.
func emulated(t *testing.T, r gitbackend.Repository, o gitwiretest.Options) (p peer, head gitwire.Hash, s *gitwiretest.Server) {
	model := gitwiretest.NewRepository()
	hashes := map[string]gitwiretest.Hash{}
	files := map[string]map[string]gitwiretest.File{}
	tips := map[string]string{"main": ""}
	for i, c := range r.Commits {
		name, branch := c.Name, c.Branch
		if name == "" {
			name = strconv.Itoa(i)
		}
		if branch == "" {
			branch = "main"
		}
		parents := c.Parents
		if parents == nil && tips[branch] != "" {
			parents = []string{tips[branch]}
		}
		commit := gitwiretest.Commit{Files: map[string]gitwiretest.File{}}
		if len(parents) > 0 {
			maps.Copy(commit.Files, files[parents[0]])
		}
		for _, f := range c.Files {
			commit.Files[f.Path] = gitwiretest.File{Mode: gitwiretest.Mode(f.Mode), Content: f.Content}
		}
		for _, parent := range parents {
			commit.Parents = append(commit.Parents, hashes[parent])
		}
		files[name], tips[branch] = commit.Files, name
		hashes[name] = model.Commit(commit)
		model.SetRef("refs/heads/"+branch, hashes[name])
	}
	for _, tag := range r.Tags {
		if tag.Message == "" {
			model.SetRef("refs/tags/"+tag.Name, hashes[tag.Of])
		} else {
			model.Tag(tag.Name, hashes[tag.Of])
		}
	}
	s = gitwiretest.NewServer(model, o)
	listener := httptest.NewServer(s)
	t.Cleanup(listener.Close)
	t.Cleanup(func() {
		for _, v := range s.Violations() {
			t.Errorf("the reader is no correct client: %s", v)
		}
	})
	p = peer{url: listener.URL + "/acme/r.git"}
	p.text = func(h gitwire.Hash) string {
		_, data, _ := model.Object(gitwiretest.Hash(h))
		return data
	}
	if tips["main"] == "" {
		return p, head, s
	}
	head = gitwire.Hash(hashes[tips["main"]])
	_, data, _ := model.Object(hashes[tips["main"]])
	root := hashOf(t, strings.TrimPrefix(data[:45], "tree "))
	p.entries = walkModel(t, p, "", root)
	return p, head, s
}

// walkModel lists a tree of the emulator.
func walkModel(t *testing.T, p peer, parent string, h gitwire.Hash) (entries []gitwire.Entry) {
	for text := p.text(h); text != ""; {
		mode, rest, _ := strings.Cut(text, " ")
		name, rest, ok := strings.Cut(rest, "\x00")
		number, err := strconv.ParseUint(mode, 8, 32)
		if !ok || err != nil || len(rest) < 20 {
			t.Fatalf("a tree of the emulator: %q", text)
		}
		e := gitwire.Entry{Path: parent + name, Mode: gitwire.Mode(number), Hash: gitwire.Hash([]byte(rest[:20]))}
		entries = append(entries, e)
		if e.Mode == gitwire.Folder {
			entries = append(entries, walkModel(t, p, e.Path+"/", e.Hash)...)
		}
		text = rest[20:]
	}
	return entries
}

// kept collects files as they are handed on, and checks them.
type kept struct {
	testing.TB
	peer  peer
	limit int
	seen  map[gitwire.Hash]int
}

func (k *kept) take(h gitwire.Hash, size int64, text []byte) error {
	if k.seen == nil {
		k.seen = map[gitwire.Hash]int{}
	}
	k.seen[h]++
	want := k.peer.text(h)
	if size != int64(len(want)) || string(text) != want[:min(len(want), k.limit)] {
		k.Errorf("file %s: got %d bytes, %d of them handed on, want %d, or others", h, size, len(text), len(want))
	}
	return nil
}

func all(string) bool { return true }

// files are the hashes of the files of entries, each once, that match.
func files(entries []gitwire.Entry, keep func(string, gitwire.Mode) bool) map[gitwire.Hash]bool {
	hashes := map[gitwire.Hash]bool{}
	for _, e := range entries {
		if e.Mode != gitwire.Folder && e.Mode != gitwire.Submodule && keep(e.Path, e.Mode) {
			hashes[e.Hash] = true
		}
	}
	return hashes
}

func everyFile(string, gitwire.Mode) bool { return true }

func collect(t testing.TB, s *gitwire.Snapshot) []gitwire.Entry {
	t.Helper()
	var entries []gitwire.Entry
	for e, err := range s.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

// compare fails the test where the lists differ.
func compare(t testing.TB, got, want []gitwire.Entry) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("entry %d: got %q %o %s, want %q %o %s", i, got[i].Path, got[i].Mode, got[i].Hash, want[i].Path, want[i].Mode, want[i].Hash)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("got %d entries, want %d", len(got), len(want))
	}
}

// readAll reads everything of a commit in the way that a run does: a snapshot, then what it
// did not bring.
func readAll(ctx context.Context, t testing.TB, p peer, head gitwire.Hash, filter bool) *gitwire.Remote {
	t.Helper()
	r := p.remote(t)
	k := kept{TB: t, peer: p, limit: 1 << 20}
	s, err := r.Snapshot(ctx, gitwire.Want{Head: head, Filter: filter, Enter: all, Keep: everyFile, Blob: k.take})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	compare(t, collect(t, s), p.entries)
	compare(t, collect(t, s), p.entries) // again
	missing, err := r.Blobs(ctx, s.Missing(), k.take)
	if err != nil || len(missing) > 0 {
		t.Fatalf("%d of %d files are missing: %v", len(missing), len(s.Missing()), err)
	}
	for h := range files(p.entries, everyFile) {
		if k.seen[h] != 1 {
			t.Errorf("file %s was handed on %d times, want once", h, k.seen[h])
		}
	}
	return r
}

// readSome reads the files of one name in all folders, and nothing else.
func readSome(ctx context.Context, t testing.TB, p peer, head gitwire.Hash) {
	t.Helper()
	k := kept{TB: t, peer: p, limit: 1 << 20}
	keep := func(path string, _ gitwire.Mode) bool { return strings.HasSuffix(path, "1") }
	r := p.remote(t)
	s, err := r.Snapshot(ctx, gitwire.Want{Head: head, Enter: all, Keep: keep, Blob: k.take})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if missing, err := r.Blobs(ctx, s.Missing(), k.take); err != nil || len(missing) > 0 {
		t.Fatalf("%d files are missing: %v", len(missing), err)
	}
	if want := files(p.entries, keep); !maps.EqualFunc(k.seen, want, func(n int, there bool) bool { return n == 1 && there }) {
		t.Errorf("got %d files, want %d, each once", len(k.seen), len(want))
	}
}

// readRoot reads the root alone, then some of its files.
func readRoot(ctx context.Context, t testing.TB, p peer, head gitwire.Hash) {
	t.Helper()
	r := p.remote(t)
	s, err := r.Snapshot(ctx, gitwire.Want{Head: head})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	top := slices.DeleteFunc(slices.Clone(p.entries), func(e gitwire.Entry) bool { return strings.Contains(e.Path, "/") })
	compare(t, collect(t, s), top)
	if r.Stats().Requests != 1 {
		t.Errorf("the root took %d requests, want 1", r.Stats().Requests)
	}
	k := kept{TB: t, peer: p, limit: 1 << 20}
	wanted := files(top, everyFile)
	missing, err := r.Blobs(ctx, slices.Collect(maps.Keys(wanted)), k.take)
	if err != nil || len(missing) > 0 || len(k.seen) != len(wanted) {
		t.Errorf("files of the root: got %d, want %d, missing %d, %v", len(k.seen), len(wanted), len(missing), err)
	}
}

func TestGit(t *testing.T) {
	t.Parallel()
	for name, repository := range repositories() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, head, _ := withGit(t, repository)
			r := readAll(t.Context(), t, p, head, false)
			t.Logf("whole: %+v", r.Stats())
			readRoot(t.Context(), t, p, head)
			readSome(t.Context(), t, p, head)
			c, err := p.remote(t).Capabilities(t.Context())
			if err != nil || c.Filter != repository.Filter || !c.Shallow || !c.SHA1 {
				t.Errorf("capabilities: got %+v, %v", c, err)
			}
			if c.Filter {
				t.Logf("filter: %+v", readAll(t.Context(), t, p, head, true).Stats())
			}
		})
	}
}

func TestEmulator(t *testing.T) {
	t.Parallel()
	for name, repository := range repositories() {
		for variant, options := range variants {
			t.Run(name+"/"+variant, func(t *testing.T) {
				if name == "odd" || name == "tagged" || name == "alike" { // the largest
					skipShort(t)
				}
				t.Parallel()
				p, head, _ := emulated(t, repository, options)
				t.Logf("whole: %+v", readAll(t.Context(), t, p, head, false).Stats())
				readRoot(t.Context(), t, p, head)
				readSome(t.Context(), t, p, head)
				if !options.NoFilter {
					readAll(t.Context(), t, p, head, true)
				}
			})
		}
	}
}

var variants = map[string]gitwiretest.Options{
	"stock":           {},
	"trees first":     {Order: gitwiretest.TreesFirst, NoFilter: true},
	"trees last":      {Order: gitwiretest.TreesLast},
	"reversed":        {Order: gitwiretest.Reversed},
	"ofs":             {Deltas: gitwiretest.OfsDeltas},
	"ref":             {Deltas: gitwiretest.RefDeltas},
	"ref, base last":  {Deltas: gitwiretest.RefDeltasFirst},
	"ofs, trees last": {Deltas: gitwiretest.OfsDeltas, Order: gitwiretest.TreesLast},
	"small packets":   {PacketSize: 1, Deltas: gitwiretest.OfsDeltas, KeepAlive: true, ServiceLine: true},
	"progress":        {PacketSize: 100, Progress: true},
}

// refNames are asked together: those that are there, names that begin with theirs, and none.
var refNames = []string{"HEAD", "refs/heads/main", "refs/heads/mai", "refs/heads/feature/b/c", "refs/heads/feature", "refs/tags/v1", "refs/tags/v2", "refs/heads/none", "", "refs/heads/main"}

func TestRefs(t *testing.T) {
	t.Parallel()
	all := repositories()
	all["empty"] = gitbackend.Repository{}
	for name, refs := range map[string]string{
		"merge":  "HEAD=octopus refs/heads/feature/b/c=right refs/heads/main=octopus",
		"tagged": "HEAD=0 refs/heads/main=0 refs/tags/v1=0 refs/tags/v2=0",
		"empty":  "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withGit, head, hashes := withGit(t, all[name])
			emulated, emulatedHead, _ := emulated(t, all[name], gitwiretest.Options{})
			got, err := withGit.remote(t).Refs(t.Context(), refNames)
			if err != nil {
				t.Fatal(err)
			}
			var list []string
			for _, ref := range slices.Sorted(maps.Keys(got)) {
				for commit, hash := range hashes {
					if hash == got[ref] {
						list = append(list, ref+"="+commit)
					}
				}
			}
			if strings.Join(list, " ") != refs || len(list) != len(got) {
				t.Errorf("git: got %q of %d refs, want %q", strings.Join(list, " "), len(got), refs)
			}
			again, err := emulated.remote(t).Refs(t.Context(), refNames)
			if err != nil || !slices.Equal(slices.Sorted(maps.Keys(again)), slices.Sorted(maps.Keys(got))) {
				t.Errorf("emulator: got %v, want the refs of %v: %v", again, got, err)
			}
			if refs != "" && (got["HEAD"] != head.String() || again["HEAD"] != emulatedHead.String()) {
				t.Errorf("HEAD: got %s and %s, want %s and %s", got["HEAD"], again["HEAD"], head, emulatedHead)
			}
		})
	}
}
