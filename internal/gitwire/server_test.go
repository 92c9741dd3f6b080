package gitwire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/gitwire/gitbackend"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// A repository of 20,000 files, with the deltas that git makes for it: everything that is in
// it, then the root alone, of which only the beginning of the pack is read.
func TestManyFiles(t *testing.T) {
	skipShort(t)
	r := large(20_000, 2)
	r.Loose = false
	p, head, _ := withGit(t, r)
	whole := readAll(t.Context(), t, p, head, false).Stats()
	filtered := readAll(t.Context(), t, p, head, true).Stats()
	root := p.remote(t)
	s, err := root.Snapshot(t.Context(), gitwire.Want{Head: head})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if got := root.Stats(); got.Requests != 1 || got.Bytes > 64<<10 || whole.Bytes < 10*got.Bytes {
		t.Errorf("the root: got %+v, the whole was %+v", got, whole)
	}
	if filtered.Requests != 2 {
		t.Errorf("with a filter: got %+v, want two requests", filtered)
	}
	t.Logf("whole %+v, with a filter %+v, root %+v", whole, filtered, root.Stats())
}

// What git does not have is ErrNoObject, for trees as for files.
func TestNoObject(t *testing.T) {
	t.Parallel()
	p, _, _ := withGit(t, repositories()["one"])
	emulated, head, server := emulated(t, repositories()["odd"], gitwiretest.Options{NoBlobWants: true})
	for name, p := range map[string]peer{"git": p, "emulator": emulated} {
		r := p.remote(t)
		if _, err := r.Snapshot(t.Context(), gitwire.Want{Head: gitwire.Hash{1}}); !errors.Is(err, gitwire.ErrNoObject) {
			t.Errorf("%s: snapshot: got %v", name, err)
		}
		missing, err := r.Blobs(t.Context(), []gitwire.Hash{{1}, {2}}, func(gitwire.Hash, int64, []byte) error { return nil })
		if !errors.Is(err, gitwire.ErrNoObject) || missing != nil {
			t.Errorf("%s: blobs: got %v, %v", name, missing, err)
		}
	}
	// A server that gives no files by their hash gives them in the pack of the commit.
	r := emulated.remote(t)
	k := kept{TB: t, peer: emulated, limit: 1 << 20}
	s, err := r.Snapshot(t.Context(), gitwire.Want{Head: head, Enter: all, Keep: everyFile, Blob: k.take})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(k.seen) == 0 {
		t.Error("no file came by")
	}
	if _, err := r.Blobs(t.Context(), []gitwire.Hash{emulated.entries[0].Hash}, k.take); !errors.Is(err, gitwire.ErrNoObject) {
		t.Errorf("a want of a file: got %v", err)
	}
	if len(server.Commands()) == 0 {
		t.Error("the emulator was not asked")
	}
}

// Servers that cannot be read, or not today.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		options      gitwiretest.Options
		capabilities error
		snapshot     error
	}{
		"no version 2":   {gitwiretest.Options{NoV2: true}, gitwire.ErrNoV2, gitwire.ErrNotUnderstood},
		"SHA-256":        {gitwiretest.Options{SHA256: true}, nil, gitwire.ErrNotUnderstood},
		"empty answers":  {gitwiretest.Options{Empty: true}, nil, gitwire.ErrNotUnderstood},
		"a web page":     {gitwiretest.Options{WebPage: true}, gitwire.ErrNotUnderstood, gitwire.ErrNotUnderstood},
		"cut":            {gitwiretest.Options{Abort: 300}, nil, gitwire.ErrCut},
		"cut in a pack":  {gitwiretest.Options{Pack: gitwiretest.CutAt(150)}, nil, gitwire.ErrCut},
		"a band of none": {gitwiretest.Options{Band4: true}, nil, gitwire.ErrBroken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, head, _ := emulated(t, repositories()["alike"], tt.options)
			c, err := p.remote(t).Capabilities(t.Context())
			if !errors.Is(err, tt.capabilities) || err == nil && c.SHA1 == tt.options.SHA256 {
				t.Errorf("capabilities: got %+v, %v, want %v", c, err, tt.capabilities)
			}
			if _, err := p.remote(t).Snapshot(t.Context(), gitwire.Want{Head: head, Enter: all}); !errors.Is(err, tt.snapshot) {
				t.Errorf("snapshot: got %v, want %v", err, tt.snapshot)
			}
		})
	}
}

// A repository of the other object format says so, and does not answer.
func TestSHA256(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	hashes := gitbackend.Make(t, filepath.Join(root, "r.git"), gitbackend.Repository{SHA256: true, Commits: []gitbackend.Commit{{}}})
	r := peer{url: gitbackend.Serve(t, root).URL + "/r.git"}.remote(t)
	if _, err := gitwire.ParseHash(hashes["0"]); !errors.Is(err, gitwire.ErrObjectFormat) {
		t.Errorf("%s: got %v, want ErrObjectFormat", hashes["0"], err)
	}
	if c, err := r.Capabilities(t.Context()); err != nil || c.SHA1 {
		t.Errorf("capabilities: got %+v, %v", c, err)
	}
	if _, err := r.Refs(t.Context(), []string{"HEAD"}); !errors.Is(err, gitwire.ErrNotUnderstood) {
		t.Errorf("refs: got %v, want ErrNotUnderstood", err)
	}
}

func TestParseHash(t *testing.T) {
	t.Parallel()
	const digits = "0123456789abcdef0123456789abcdef01234567"
	if h, err := gitwire.ParseHash(digits); err != nil || h.String() != digits {
		t.Errorf("got %s, %v", h, err)
	}
	for _, text := range []string{"", "main", digits[:39], digits + "0", strings.Repeat("g", 40), strings.Repeat("g", 64)} {
		if _, err := gitwire.ParseHash(text); err == nil || errors.Is(err, gitwire.ErrObjectFormat) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// A server that leaves a tree out, or sends it as a delta of something that is passed over, is
// asked again for that tree, and again as long as that helps.
func TestSecondRound(t *testing.T) {
	t.Parallel()
	inner := item("100644", "f", nameOf(blob, "text"))
	middle := item("40000", "inner", nameOf(tree, inner))
	root := item("40000", "middle", nameOf(tree, middle)) + item("40000", "same", nameOf(tree, middle))
	for name, tt := range map[string]struct {
		trees []string // of the answers, the last of which is given again and again
		whole bool
	}{
		"all at once":    {[]string{root + middle + inner}, true},
		"one at a time":  {[]string{root, middle, inner}, true},
		"never the last": {[]string{root, middle, middle}, false},
		"nothing":        {[]string{""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			r := &gitwire.Remote{URL: "https://git.test/r.git", TempDir: t.TempDir(), Do: func(req *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(req.Body)
				if err != nil {
					return nil, err
				}
				p := &packer{}
				of(p, root)
				for _, text := range []string{root, middle, inner} {
					if strings.Contains(tt.trees[min(len(asked), len(tt.trees)-1)], text) {
						p.add(tree, text)
					}
				}
				asked = append(asked, string(body))
				return played{body: strings.NewReader(answer(p.pack(p.count), 99))}.do(req)
			}}
			s, err := r.Snapshot(t.Context(), gitwire.Want{Head: nameOf(commit, commitOf(nameOf(tree, root))), Enter: all})
			if !tt.whole {
				if !errors.Is(err, gitwire.ErrBroken) || len(asked) > 3 {
					t.Errorf("got %v after %d requests", err, len(asked))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := len(collect(t, s)); got != 6 || len(asked) != len(tt.trees) {
				t.Errorf("got %d entries after %d requests, want 6 after %d", got, len(asked), len(tt.trees))
			}
			for i, body := range asked {
				var h gitwire.Hash
				switch i {
				case 0:
					h = nameOf(commit, commitOf(nameOf(tree, root)))
				case 1:
					h = nameOf(tree, middle)
				default:
					h = nameOf(tree, inner)
				}
				if !strings.Contains(body, "want "+h.String()+"\n") || strings.Count(body, "want ") != 1 || strings.Contains(body, "deepen 1") != (i == 0) {
					t.Errorf("request %d: got %q", i, body)
				}
			}
		})
	}
}

// An offset is one of its pack: in the pack of the second answer another object lies there.
func TestOffsets(t *testing.T) {
	t.Parallel()
	inner := item("100644", "f", nameOf(blob, "text"))
	root := item("40000", "d", nameOf(tree, inner))
	first := &packer{}
	_, at := first.add(tree, root)
	head := of(first, root)
	second := &packer{}
	if _, there := second.add(blob, "not wanted"); there != at {
		t.Fatalf("objects at %d and %d, want one offset", at, there)
	}
	second.ofs(at, delta(len("not wanted"), 30, "x"))
	second.add(tree, inner)
	answers := []*packer{first, second}
	r := &gitwire.Remote{URL: "https://git.test/r.git", TempDir: t.TempDir(), Do: func(req *http.Request) (*http.Response, error) {
		p := answers[0]
		answers = answers[1:]
		return played{body: strings.NewReader(answer(p.pack(p.count), 99))}.do(req)
	}}
	s, err := r.Snapshot(t.Context(), gitwire.Want{Head: head, Enter: all})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := len(collect(t, s)); got != 2 {
		t.Errorf("got %d entries, want 2", got)
	}
}

// The end of what is needed is the end of the read. So is that of its context, with its error.
func TestLeave(t *testing.T) {
	t.Parallel()
	for name, failed := range map[string]error{"enough": nil, "canceled": context.Canceled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			const last = 3 // packets that the server sends before the client leaves
			p, head, _ := emulated(t, repositories()["alike"], gitwiretest.Options{PacketSize: 1 << 12, Pause: func(ctx context.Context, packet int) bool {
				if packet > last {
					<-ctx.Done()
				}
				return packet <= last
			}})
			r := p.remote(t)
			r.Do = func(req *http.Request) (*http.Response, error) {
				resp, err := http.DefaultClient.Do(req)
				if err == nil && failed != nil {
					resp.Body = sampled{resp.Body, cancel}
				}
				return resp, err
			}
			s, err := r.Snapshot(ctx, gitwire.Want{Head: head, Enter: func(string) bool { return failed != nil }})
			if !errors.Is(err, failed) || errors.Is(err, gitwire.ErrCut) {
				t.Fatalf("got %v, want %v", err, failed)
			}
			if err == nil {
				s.Close()
			}
		})
	}
}

// A pack that was read to its end leaves a connection that can be used again.
func TestConnections(t *testing.T) {
	t.Parallel()
	p, head, _ := withGit(t, repositories()["alike"])
	r := p.remote(t)
	var mu sync.Mutex
	var reused []bool
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	r.Do = func(req *http.Request) (*http.Response, error) {
		trace := httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
			mu.Lock()
			defer mu.Unlock()
			reused = append(reused, info.Reused)
		}}
		return client.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), &trace)))
	}
	for range 2 {
		s, err := r.Snapshot(t.Context(), gitwire.Want{Head: head, Enter: all, Keep: everyFile, Blob: func(gitwire.Hash, int64, []byte) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	if got, want := fmt.Sprint(reused), "[false true]"; got != want {
		t.Errorf("connections used again: got %s, want %s", got, want)
	}
}

// Side by side, over one connection of HTTP/2.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	hashes := gitbackend.Make(t, filepath.Join(root, "r.git"), repositories()["alike"])
	server, client := gitbackend.ServeTLS(t, root)
	r := &gitwire.Remote{URL: server.URL + "/r.git", Do: client.Do, TempDir: t.TempDir()}
	const atOnce = 4
	var reads sync.WaitGroup
	for range atOnce {
		reads.Go(func() {
			s, err := r.Snapshot(t.Context(), gitwire.Want{Head: hashOf(t, hashes["0"]), Enter: all})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if got, want := len(collect(t, s)), 300+40+1; got != want {
				t.Errorf("got %d entries, want %d", got, want)
			}
		})
	}
	reads.Wait()
	if got := r.Stats(); got.Requests != atOnce || got.Bytes == 0 || got.Objects < 41*atOnce {
		t.Errorf("got %+v", got)
	}
}

// Names that are left out of a listing, and trees that are broken.
func TestNames(t *testing.T) {
	t.Parallel()
	text := nameOf(blob, "text")
	file := func(name string) string { return item("100644", name, text) }
	deep := nameOf(tree, "")
	long := strings.Repeat("x", 1024)
	for name, tt := range map[string]struct {
		root    string
		want    string // names
		leftOut int
	}{
		"all are usual":      {file("...") + file(".gitignore") + file("a b") + file("ü"), "... .gitignore a b ü", 0},
		"of work trees":      {file(".") + file("..") + file(".GIT") + file(".git") + file("a"), "a", 4},
		"a folder":           {file("a") + item("40000", ".git", deep), "a", 1},
		"control characters": {file("\x01") + file("a\nb") + file("b\x7f") + file("c\u0085") + file("d"), "d", 4},
		"invalid UTF-8":      {file("a") + file("b\xff") + file("c\xc3"), "a", 2},
		"the same twice":     {file("a") + file("a") + file("b"), "a b", 1},
		"file and folder":    {file("a") + file("a.b") + item("40000", "a", deep) + file("b"), "a a.b b", 1},
		"out of order":       {file("b") + file("a") + file("b") + file("c"), "b a c", 1},
		"too long":           {file("a") + file(long) + file(long+"x"), "a " + long, 1},
		"old modes":          {item("100664", "a", text) + item("100777", "b", text) + item("0100644", "c", text), "a b c", 0},
		"empty":              {"", "", 0},
		"a slash":            {file("a/b"), "", -1},
		"no name":            {file(""), "", -1},
		"no mode":            {item("", "a", text), "", -1},
		"mode 9":             {item("9", "a", text), "", -1},
		"mode 0":             {item("0", "a", text), "", -1},
		"a device":           {item("20000", "a", text), "", -1},
		"a long mode":        {item("00100644", "a", text), "", -1},
		"cut in a hash":      {file("a")[:15], "", -1},
		"cut in a name":      {"100644 a", "", -1},
		"cut in a mode":      {file("a") + "1006", "", -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &packer{}
			head := of(p, tt.root)
			p.add(tree, tt.root)
			p.add(tree, "")
			r := &gitwire.Remote{URL: "https://git.test/r.git", TempDir: t.TempDir(), Do: played{body: strings.NewReader(answer(p.pack(p.count), 999))}.do}
			s, err := r.Snapshot(t.Context(), gitwire.Want{Head: head, Enter: all})
			if tt.leftOut < 0 {
				if !errors.Is(err, gitwire.ErrBroken) {
					t.Errorf("got %v, want ErrBroken", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var names []string
			for _, e := range collect(t, s) {
				names = append(names, e.Path)
			}
			n, first := s.LeftOut()
			if got := strings.Join(names, " "); got != tt.want || n != tt.leftOut || (n > 0) != (first != "") {
				t.Errorf("got %q, %d left out, the first %q; want %q and %d", got, n, first, tt.want, tt.leftOut)
			}
		})
	}
}
