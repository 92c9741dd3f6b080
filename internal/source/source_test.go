package source_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/source"
	"port-bitbucket-exporter/internal/transport"
)

// latency is what each request of these tests takes, in virtual time.
const latency = 50 * time.Millisecond

// world is a repository "r" in an emulator, and a run's memory of it.
type world struct {
	*testing.T
	s         *bitbuckettest.Server
	memory    *source.Memory
	newMemory func(o source.Options, git bool) *source.Memory // that of another run
	barred    map[string]bool                                 // repositories that REST may not be asked for
}

func inBubble(t *testing.T, files map[string]string, o source.Options, test func(w world)) {
	t.Helper()
	inBubbleWith(t, files, o, false, test)
}

// overGit is inBubble, with a memory that reads over git.
func overGit(t *testing.T, files map[string]string, o source.Options, test func(w world)) {
	t.Helper()
	inBubbleWith(t, files, o, true, test)
}

func inBubbleWith(t *testing.T, files map[string]string, o source.Options, git bool, test func(w world)) {
	t.Helper()
	t.Parallel()
	bubble(t, files, o, git, test)
}

func bubble(t *testing.T, files map[string]string, o source.Options, git bool, test func(w world), change ...func(*bitbucket.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := bitbuckettest.New("acme")
		s.AddRepository(bitbuckettest.Repository{Name: "r", Files: files})
		s.Fault(bitbuckettest.Fault{Times: -1, Delay: latency})
		s.AllowToken("good", bitbuckettest.Access{Limit: -1})
		rate := transport.Rate{N: 10_000, Window: time.Hour}
		config := bitbucket.Config{
			BaseURL: "https://bitbucket.test/2.0", Workspace: "acme", CredentialKind: "workspace access token",
			Credentials: []transport.Credential{{
				Authorize:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer good") },
				AuthorizeGit: func(r *http.Request) { r.SetBasicAuth("x-token-auth", "good") },
			}},
			Git:  bitbucket.GitConfig{BaseURL: "https://git.test", Rate: rate},
			Rate: rate, Concurrency: 10,
			Transport: s.RoundTripper(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		}
		for _, change := range change {
			change(&config)
		}
		client, err := bitbucket.New(config)
		if err != nil {
			t.Fatal(err)
		}
		barred := map[string]bool{}
		newMemory := func(o source.Options, git bool) *source.Memory {
			if g := client.Git(); git {
				o.Git = &source.GitHost{URL: g.URL, Do: g.Do, StatusError: g.StatusError}
			}
			o.TempDir = t.TempDir()
			return source.New(source.REST{Client: client, May: func(repository string) bool { return !barred[repository] }}, o)
		}
		w := world{t, s, newMemory(o, git), newMemory, barred}
		test(w)
		if err := w.memory.Close(); err != nil {
			t.Error(err)
		}
	})
}

// repository is "r" as a list of repositories has it.
func (w world) repository() bitbucket.Repository {
	return bitbucket.Repository{Slug: "r", MainBranch: "main", Hash: w.s.Head("r"), JSON: []byte(`{"links": {
		"self": {"href": "https://bitbucket.test/2.0/repositories/acme/r"}, "html": {"href": "https://bitbucket.org/acme/r"}}}`)}
}

// commit is the head of "r", as a reader of its own sees it.
func (w world) commit() *source.Commit {
	w.Helper()
	c, err := w.memory.At(w.Context(), w.repository(), "")
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// Of a commit of which nothing is kept nothing is left in memory, once its last reader has closed.
func TestMemoryForgetsCommits(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    source.Options
		list bool
		left int
	}{
		{"a file", source.Options{}, false, 0},
		{"a file that is kept", source.Options{KeepFiles: true}, false, 1},
		{"a listing", source.Options{}, true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, map[string]string{"a": "A"}, tt.o, func(w world) {
				first, second := w.commit(), w.commit()
				if text, err := first.File(w.Context(), "a"); string(text) != "A" || err != nil {
					t.Errorf("got %q, %v", text, err)
				}
				if tt.list {
					w.entries(first, glob.Need{Depth: 1})
				}
				for i, c := range []*source.Commit{first, second} {
					if err := c.Close(); err != nil {
						t.Error(err)
					}
					if got, want := source.Trees(w.memory), max(tt.left, 1-i); got != want {
						t.Errorf("commits in memory when %d of 2 readers have closed: got %d, want %d", i+1, got, want)
					}
				}
			})
		})
	}
}

func TestFileIsReadOnceAtOnce(t *testing.T) {
	for name, keep := range map[string]bool{"kept for the run": true, "kept by each reader": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, map[string]string{"a": "A"}, source.Options{KeepFiles: keep}, func(w world) {
				var all sync.WaitGroup
				first, second := w.commit(), w.commit()
				for _, c := range []*source.Commit{first, second, first, second} {
					all.Go(func() {
						if text, err := c.File(w.Context(), "a"); err != nil || string(text) != "A" {
							w.Errorf("got %q, %v, want A", text, err)
						}
					})
				}
				all.Wait()
				if got := w.s.Requests(); got != 1 {
					w.Errorf("requests: got %d, want 1", got)
				}
				if _, err := second.File(w.Context(), "a"); err != nil || w.s.Requests() != 1 {
					w.Errorf("again: got %d requests, %v, want 1", w.s.Requests(), err)
				}
			})
		})
	}
}

// A failure is shared by those who wait for it, and not remembered.
func TestFileFailsAtOnce(t *testing.T) {
	inBubble(t, map[string]string{"a": "A"}, source.Options{KeepFiles: true}, func(w world) {
		w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r/src/*/a", Status: http.StatusForbidden})
		var all sync.WaitGroup
		c := w.commit()
		for range 2 {
			all.Go(func() {
				if _, err := c.File(w.Context(), "a"); err == nil {
					w.Error("got no error, want that of the request")
				}
			})
		}
		all.Wait()
		if text, err := c.File(w.Context(), "a"); err != nil || string(text) != "A" {
			w.Errorf("again: got %q, %v, want A", text, err)
		}
	})
}

// Who waits for a file does not fail because the one who asked for it was stopped.
func TestFileOfAStoppedReader(t *testing.T) {
	inBubble(t, map[string]string{"a": "A"}, source.Options{}, func(w world) {
		ctx, stop := context.WithCancel(w.Context())
		c := w.commit()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := c.File(ctx, "a"); !errors.Is(err, context.Canceled) {
				w.Errorf("stopped: got %v, want context.Canceled", err)
			}
		})
		time.Sleep(latency / 4)
		all.Go(func() {
			if text, err := c.File(w.Context(), "a"); err != nil || string(text) != "A" {
				w.Errorf("waiting: got %q, %v, want A", text, err)
			}
		})
		time.Sleep(latency / 4)
		stop()
		all.Wait()
	})
}

func TestFolderIsListedOnceAtOnce(t *testing.T) {
	inBubble(t, map[string]string{"a/b/x": "", "c/x": ""}, source.Options{}, func(w world) {
		var all sync.WaitGroup
		for _, n := range []glob.Need{{Folder: "", Depth: 3}, {Folder: "", Depth: 3}, {Folder: "a", Depth: 2}} {
			all.Go(func() {
				var paths []string
				err := w.commit().List(w.Context(), n, source.Visitor{
					Entry:      func(_ glob.Need, e source.Entry) { paths = append(paths, e.Path) },
					Restart:    func() {},
					Unfinished: func() bool { return false },
				})
				if err != nil || len(paths) != 5 {
					w.Errorf("%v: got %q, %v, want 5 entries", n, paths, err)
				}
			})
			time.Sleep(time.Millisecond) // the deepest is under way when the others ask
		}
		all.Wait()
		if got := w.s.Requests(); got != 1 {
			w.Errorf("requests: got %d, want 1", got)
		}
	})
}
