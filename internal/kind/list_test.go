package kind_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// What is kept of a list of repositories hardly depends on how large they are in JSON. Not in
// parallel: it measures the memory of the process.
func TestListIsSmall(t *testing.T) {
	skipShort(t)
	const (
		n    = 500
		each = 500 // bytes in use for each repository, with its source
	)
	synctest.Test(t, func(t *testing.T) {
		s := bitbuckettest.New("acme")
		for i := range n {
			s.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("service-%04d", i), Description: strings.Repeat("text ", 1000)})
		}
		w := newWorld(t, s)
		w.good("repository", "") // the emulator remembers what it answered
		w.ws = w.workspace(kind.Options{TempDir: t.TempDir()})
		bound, err := kind.Bind(resource(w, "repository", ""))
		if err != nil {
			t.Fatal(err)
		}
		before := heap()
		var sources []kind.Source
		for task, err := range bound.Extract(t.Context(), w.ws) {
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, task.Source)
		}
		kept := int64(heap()) - int64(before)
		w.equal("repositories", len(sources), n)
		if kept > n*each {
			t.Errorf("got %d bytes in use for each of %d repositories, want at most %d", kept/n, n, each)
		}
		if text, err := sources[n-1].JSON(); err != nil || len(text) < 5000 {
			t.Errorf("got %d bytes of JSON, %v", len(text), err)
		}
	})
}

// A list of which the temporary file was emptied gives no repository without its JSON: what
// needs it fails, each by itself.
func TestListIsLost(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		folder := w.TempDir()
		w.ws = w.workspace(kind.Options{TempDir: folder})
		all := len(w.good("repository", ""))
		files, err := filepath.Glob(folder + "/*")
		if err != nil || len(files) != 1 {
			w.Fatalf("got files %q, %v", files, err)
		}
		if err := os.Truncate(files[0], 0); err != nil {
			w.Fatal(err)
		}
		lost := w.extract("repository", "")
		w.equal("objects", len(lost.objects), 0)
		w.equal("failed", len(lost.failed), all)
		w.equal("the list itself", lost.err, nil)
		w.equal("is one object", isUnreadable(lost.failed[0]), true)
		if text := lost.failed[0].Error(); !strings.Contains(text, "read what was listed of repository") || !strings.Contains(kind.Fix(lost.failed[0]), "TMPDIR") {
			w.Errorf("got %s; fix: %s", text, kind.Fix(lost.failed[0]))
		}
		lost = w.extract("file", "files: [{path: README.md}]")
		w.equal("files", len(lost.objects), 0)
		w.equal("repositories that failed", len(lost.failed), all)
		w.equal("is any number of objects", isUnreadable(lost.failed[0]), false)
		w.equal("pull requests need no JSON", len(w.extract("pull-request", "").failed), 0)
	})
}

// Extractions that begin with the same list read it once, each as far as it has come in. One
// that stops early does not hold up the other, and the end of its context is not the list's
// error for a later one.
func TestListIsShared(t *testing.T) {
	inBubble(t, manyRepositories(250), func(w world) {
		w.s.Fault(bitbuckettest.Fault{Times: -1, Delay: time.Second})
		begin := func(ctx context.Context, name string) (func() (kind.Task, error, bool), func()) {
			bound, err := kind.Bind(resource(w, name, ""))
			if err != nil {
				w.Fatal(err)
			}
			return iter.Pull2(bound.Extract(ctx, w.ws))
		}
		ended, end := context.WithCancel(w.Context())
		next, stop := begin(ended, "repository")
		next()
		end()
		for {
			_, err, more := next()
			if err != nil {
				break
			}
			if !more {
				w.Fatal("got no error after the end of the context")
			}
		}
		stop()
		synctest.Wait()
		w.s.ResetJournal()

		start := time.Now()
		first, stopFirst := begin(w.Context(), "repository")
		second, stopSecond := begin(w.Context(), "pull-request")
		defer stopSecond()
		first()
		w.equal("the first page", time.Since(start), time.Second)
		stopFirst()
		n := 0
		for _, err, more := second(); more; _, err, more = second() {
			if n++; err != nil {
				w.Fatal(err)
			}
		}
		w.equal("repositories", n, 250)
		w.equal("requests", w.s.Requests(), 3)
		w.equal("took", time.Since(start), 3*time.Second)
	})
}

func manyRepositories(n int) *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	for i := range n {
		s.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("service-%04d", i)})
	}
	return s
}
