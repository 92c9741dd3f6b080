package gitwire_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"path"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/gitwire/gitbackend"
)

// large is a repository of n files in n/10 folders of three levels, like a suite of tests,
// with five names at any depth that a run looks for.
func large(n int) gitbackend.Repository {
	c := gitbackend.Commit{Files: []gitbackend.File{{Path: "README.md", Content: "# r\n"}, {Path: "go.mod", Content: "module r\n"}}}
	for i := range n - 2 {
		name := fmt.Sprintf("test/area-%02d/topic-%03d/case-%04d/file-%d.js", i/3000, i/100, i/10, i)
		if i%1000 == 0 {
			name = path.Join(path.Dir(name), "port.yml")
		}
		c.Files = append(c.Files, gitbackend.File{Path: name, Content: lines(uint64(i), 20+i%60)})
	}
	return gitbackend.Repository{Commits: []gitbackend.Commit{c}, Filter: true, Loose: true}
}

// recording is an answer of git's that is played again without a network.
type recording struct {
	head gitwire.Hash
	body []byte
}

// record makes a repository and keeps what git answers to a fetch of its head.
func record(tb testing.TB, r gitbackend.Repository, filter bool) recording {
	tb.Helper()
	root := tb.TempDir()
	hashes := gitbackend.Make(tb, filepath.Join(root, "r.git"), r)
	rec := recording{head: hashOf(tb, hashes["0"])}
	remote := gitwire.Remote{URL: gitbackend.Serve(tb, root).URL + "/r.git", TempDir: tb.TempDir(), Do: func(req *http.Request) (*http.Response, error) {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if rec.body, err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(rec.body))
		return resp, nil
	}}
	s, err := remote.Snapshot(tb.Context(), gitwire.Want{Head: rec.head, Filter: filter, Enter: all})
	if err != nil {
		tb.Fatal(err)
	}
	s.Close()
	return rec
}

func (rec recording) remote(tb testing.TB) *gitwire.Remote {
	return &gitwire.Remote{URL: "https://git.test/acme/r.git", TempDir: tb.TempDir(), Do: func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK,
			Header:     http.Header{"Content-Type": {"application/x-git-upload-pack-result"}},
			Body:       io.NopCloser(bytes.NewReader(rec.body)),
			Request:    req,
		}, nil
	}}
}

// snapshot reads the recording as a run does that looks for five names, and returns the number
// of entries.
func (rec recording) snapshot(tb testing.TB) (entries int) {
	names := map[string]bool{"README.md": true, "package.json": true, "go.mod": true, "port.yml": true, "CODEOWNERS": true}
	files := 0
	s, err := rec.remote(tb).Snapshot(tb.Context(), gitwire.Want{
		Head:  rec.head,
		Enter: all,
		Keep:  func(p string, _ gitwire.Mode) bool { return names[path.Base(p)] },
		Blob:  func(gitwire.Hash, int64, []byte) error { files++; return nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Close()
	for _, err := range s.Entries() {
		if err != nil {
			tb.Fatal(err)
		}
		entries++
	}
	if files == 0 {
		tb.Fatal("no file was handed on")
	}
	return entries
}

// cpu is the time that this process has computed for.
func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkSnapshot(b *testing.B) {
	for _, bench := range []struct {
		name  string
		files int
	}{{"57,000 files", 57_000}, {"1,000 files", 1000}} {
		b.Run(bench.name, func(b *testing.B) {
			rec := record(b, large(bench.files), false)
			b.SetBytes(int64(len(rec.body)))
			b.ReportAllocs()
			b.ResetTimer()
			before := cpu(b)
			for b.Loop() {
				rec.snapshot(b)
			}
			used := (cpu(b) - before).Seconds() * 1000 / float64(b.N)
			b.ReportMetric(used/(float64(len(rec.body))/1e6), "CPU-ms/MB")
			b.ReportMetric(float64(len(rec.body))/1e6, "MB-pack")
		})
	}
}
