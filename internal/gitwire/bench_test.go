package gitwire_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"syscall"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/gitwire/gitbackend"
)

// large is a repository of n files of some lines, in n/10 folders, like a suite of tests, with
// names at any depth that a run looks for.
func large(n, length int) gitbackend.Repository {
	c := gitbackend.Commit{Files: []gitbackend.File{{Path: "README.md", Content: "# r\n"}, {Path: "go.mod", Content: "module r\n"}}}
	for i := range n - 2 {
		name := fmt.Sprintf("test/area-%02d/topic-%03d/case-%04d/file-%d.js", i/3000, i/100, i/10, i)
		if i%1000 == 0 {
			name = path.Join(path.Dir(name), "port.yml")
		}
		c.Files = append(c.Files, gitbackend.File{Path: name, Content: lines(uint64(i), length+i%(2*length))})
	}
	return gitbackend.Repository{Commits: []gitbackend.Commit{c}, Filter: true, Loose: true}
}

// recording is an answer of git's that is played again without a network. It lies on disk, so
// that it is not in the memory that tests measure.
type recording struct {
	head gitwire.Hash
	file string
	size int64
}

// record makes a repository and keeps what git answers to a fetch of its head.
func record(tb testing.TB, r gitbackend.Repository) recording {
	tb.Helper()
	root := tb.TempDir()
	hashes := gitbackend.Make(tb, filepath.Join(root, "r.git"), r)
	rec := recording{head: hashOf(tb, hashes["0"]), file: filepath.Join(root, "answer")}
	remote := gitwire.Remote{URL: gitbackend.Serve(tb, root).URL + "/r.git", TempDir: tb.TempDir(), Do: func(req *http.Request) (*http.Response, error) {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		file, err := os.Create(rec.file)
		if err != nil {
			return nil, err
		}
		if rec.size, err = io.Copy(file, resp.Body); err != nil {
			return nil, err
		}
		_, err = file.Seek(0, io.SeekStart)
		resp.Body = file
		return resp, err
	}}
	s, err := remote.Snapshot(tb.Context(), gitwire.Want{Head: rec.head, Enter: all})
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	return rec
}

// sampled calls a function every few bytes.
type sampled struct {
	io.ReadCloser
	sample func()
}

func (s sampled) Read(p []byte) (int, error) {
	s.sample()
	return s.ReadCloser.Read(p[:min(len(p), 4096)])
}

func (rec recording) remote(tb testing.TB, sample func()) *gitwire.Remote {
	return &gitwire.Remote{URL: "https://git.test/acme/r.git", TempDir: tb.TempDir(), Do: func(req *http.Request) (*http.Response, error) {
		file, err := os.Open(rec.file)
		if err != nil {
			return nil, err
		}
		return &http.Response{
			StatusCode: http.StatusOK,
			Header:     http.Header{"Content-Type": {"application/x-git-upload-pack-result"}},
			Body:       sampled{file, sample},
			Request:    req,
		}, nil
	}}
}

// snapshot reads the recording as a run does that looks for five names, and returns the number
// of entries.
func (rec recording) snapshot(tb testing.TB, sample func()) (entries int) {
	names := map[string]bool{"README.md": true, "package.json": true, "go.mod": true, "port.yml": true, "CODEOWNERS": true}
	files := 0
	s, err := rec.remote(tb, sample).Snapshot(tb.Context(), gitwire.Want{
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
		if entries++; entries%1000 == 0 {
			sample()
		}
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
			rec := record(b, large(bench.files, 25))
			b.SetBytes(rec.size)
			b.ReportAllocs()
			b.ResetTimer()
			before := cpu(b)
			for b.Loop() {
				rec.snapshot(b, func() {})
			}
			used := (cpu(b) - before).Seconds() * 1000 / float64(b.N)
			b.ReportMetric(used/(float64(rec.size)/1e6), "CPU-ms/MB")
			b.ReportMetric(float64(rec.size)/1e6, "MB-pack")
		})
	}
}

// measuredProcs is how many processors memory is measured on: each has caches of its own, and more
// garbage is made on more of them while it is collected.
const measuredProcs = 2

// meter measures the memory that the program holds beyond what it held at the beginning, at
// the moments of sample.
type meter struct {
	mu         sync.Mutex
	base, most int64
}

// newMeter returns a meter for a test that is not parallel.
func newMeter(tb testing.TB) *meter {
	procs := runtime.GOMAXPROCS(measuredProcs)
	tb.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	runtime.GC()
	debug.FreeOSMemory()
	return &meter{base: held()}
}

// held is the bytes that the runtime has from the system.
func held() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}

func (m *meter) sample() {
	now := held()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.most = max(m.most, now-m.base)
}

// The memory of a read does not depend on the size of the repository.
func TestMemory(t *testing.T) {
	if !full() {
		t.Skip("measured where TESTS=full: the race detector takes memory of its own")
	}
	rec := record(t, large(57_000, 4))
	for _, tt := range []struct {
		atOnce int
		most   int64 // MiB
	}{{1, 13}, {8, 24}} {
		m := newMeter(t)
		var reads sync.WaitGroup
		for range tt.atOnce {
			reads.Go(func() {
				if got, want := rec.snapshot(t, m.sample), 57_000+20+571+5700; got < 57_000 {
					t.Errorf("got %d entries, want %d", got, want)
				}
			})
		}
		reads.Wait()
		t.Logf("%d at once: %.1f MiB", tt.atOnce, float64(m.most)/(1<<20))
		if m.most > tt.most<<20 {
			t.Errorf("%d at once took %.1f MiB, want at most %d", tt.atOnce, float64(m.most)/(1<<20), tt.most)
		}
	}
}
