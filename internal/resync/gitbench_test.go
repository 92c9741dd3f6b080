package resync_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitbackend"
	"port-bitbucket-exporter/internal/port/porttest"
)

// BenchmarkGit runs the real program, in a process of its own, over a repository of 57,000
// files: by REST against the emulator, and over git against git http-backend, with filters and
// without. Both are behind the same line.
//
// All figures but the requests are above those of the same run over a repository of one file:
// repository-s is wall time, peak-MiB resident memory, and cpu-ms/MB for each MB of
// answers.
func BenchmarkGit(b *testing.B) {
	program := buildProgram(b)
	line := gitbackend.Line{OneWay: 25 * time.Millisecond, BytesPerSecond: 12_500_000} // 100 Mbit/s
	readers := []struct {
		name, reader string
		filter       bool
	}{{"REST", "rest", false}, {"git with filter", "git", true}, {"git without filter", "git", false}}
	for _, n := range []int{1, 8} {
		b.Run(fmt.Sprintf("%d × 57000 files", n), func(b *testing.B) {
			large, small := newLarge(b, line, n, wide(57_000)), newLarge(b, line, n, wide(1))
			for _, c := range readers {
				if n > 1 && c.reader == "rest" {
					continue // it asks the same n times
				}
				b.Run(c.name, func(b *testing.B) {
					base, read := small.run(b, program, c.reader, c.filter), spent{}
					b.ResetTimer()
					for range b.N {
						read.add(large.run(b, program, c.reader, c.filter))
					}
					b.StopTimer()
					read.report(b, base)
				})
			}
		})
	}
}

// fiveNames is a mapping that reads files of five names at any depth.
var fiveNames = mapped(`
- kind: file
  selector: {query: 'true', files: {filenames: [README.md, package.json, go.mod, port.yml, CODEOWNERS]}}
  port: {entity: {mappings: {identifier: '.repo.slug + "/" + .file.path', title: .file.path, blueprint: '"manifest"'}}}`)

// wide are files in folders of twenty, four levels deep. Beside them is one of five names in
// each of the first 29 folders.
func wide(files int) map[string]string {
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string { return fmt.Sprintf("%c%x", 'a'+random.IntN(26), random.IntN(4000)) }
	header := strings.Repeat("// Copyright of everybody who wrote a line of this, see the file LICENSE.\n", 3)
	names := []string{"README.md", "package.json", "go.mod", "port.yml", "CODEOWNERS"}
	all := map[string]string{}
	for i := 0; len(all) < files; i++ {
		folder := fmt.Sprintf("test/area-%02d/part-%02d/case-%03d/", i/400, i/20%20, i%20)
		if i < 29 {
			all[folder+names[i%5]] = "{}\n"
		}
		for j := 0; j < 20 && len(all) < files; j++ {
			var text strings.Builder
			text.WriteString(header)
			for range 18 {
				fmt.Fprintf(&text, "assert.sameValue(%s, %s);\n", word(), word())
			}
			all[fmt.Sprintf("%s%s-%02d.js", folder, word(), j)] = text.String()
		}
	}
	return all
}

// large is a workspace of repositories that are all the same: of the emulator, and of git
// itself.
type large struct {
	workspace        *bitbuckettest.Server
	api              string // its address at this end of the line
	filtering, plain *gitbackend.Server
	filtered, whole  string // their addresses
}

func newLarge(b *testing.B, line gitbackend.Line, n int, files map[string]string) *large {
	b.Helper()
	l := &large{workspace: bitbuckettest.New("acme")}
	l.workspace.AllowToken("bench-token", bitbuckettest.Access{Limit: -1})
	l.workspace.Record(true) // for the length of answers
	at := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		l.workspace.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("large-%d", i), Files: files, CreatedOn: at, UpdatedOn: at})
	}
	served := httptest.NewServer(l.workspace)
	b.Cleanup(served.Close)
	l.api = line.Slow(b, served.URL)
	serve := func(filter bool) (*gitbackend.Server, string) {
		root := b.TempDir()
		first := filepath.Join(root, "acme", "large-0.git")
		gitbackend.Mirror(b, first, served.URL+"/acme/large-0.git", "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte("x-token-auth:bench-token")), gitbackend.Repository{Filter: filter})
		for i := 1; i < n; i++ { // they have the same commit
			if err := os.CopyFS(filepath.Join(root, "acme", fmt.Sprintf("large-%d.git", i)), os.DirFS(first)); err != nil {
				b.Fatal(err)
			}
		}
		s := gitbackend.Serve(b, root)
		return s, line.Slow(b, s.URL)
	}
	l.filtering, l.filtered = serve(true)
	l.plain, l.whole = serve(false)
	return l
}

// spent is what a run took.
type spent struct {
	requests  int // for folders and files
	bytes     int64
	wall, cpu time.Duration
	peakKiB   int64 // the most of all runs
}

func (s *spent) add(other spent) {
	s.requests, s.bytes = s.requests+other.requests, s.bytes+other.bytes
	s.wall, s.cpu, s.peakKiB = s.wall+other.wall, s.cpu+other.cpu, max(s.peakKiB, other.peakKiB)
}

// report tells what b.N runs took, beyond what the base took.
func (s spent) report(b *testing.B, base spent) {
	runs, megabytes := float64(b.N), float64(s.bytes)/1e6
	b.ReportMetric(float64(s.requests)/runs, "requests/op")
	b.ReportMetric(megabytes/runs, "MB/op")
	b.ReportMetric(s.wall.Seconds()/runs-base.wall.Seconds(), "repository-s")
	b.ReportMetric(float64(s.peakKiB-base.peakKiB)/1024, "peak-MiB")
	b.ReportMetric(1e3*(s.cpu.Seconds()-runs*base.cpu.Seconds())/megabytes, "cpu-ms/MB")
}

// run runs the program once, with a catalog of its own.
func (l *large) run(b *testing.B, program, reader string, filter bool) spent {
	b.Helper()
	catalog := porttest.New()
	catalog.AddBlueprint(blueprint("manifest", ""))
	catalog.AllowClient("bench-id", "bench-secret")
	served := httptest.NewServer(catalog)
	defer served.Close()
	server, address := l.plain, l.whole
	if filter {
		server, address = l.filtering, l.filtered
	}
	l.workspace.ResetJournal()
	requests, bytes := server.Requests(), server.Bytes()
	start := time.Now()
	ended, peak := runProgram(b, program,
		"BITBUCKET_HOST_URL="+l.api+"/2.0", "GIT_HOST_URL="+address, "SOURCE_READER="+reader,
		"BITBUCKET_WORKSPACE=acme", "BITBUCKET_WORKSPACE_TOKEN=bench-token",
		"PORT_BASE_URL="+served.URL, "PORT_CLIENT_ID=bench-id", "PORT_CLIENT_SECRET=bench-secret",
		"BITBUCKET_RATE_LIMIT=1000000/1h", "MAPPING="+fiveNames)
	s := spent{requests: server.Requests() - requests, bytes: server.Bytes() - bytes, wall: time.Since(start), peakKiB: peak}
	s.cpu = ended.UserTime() + ended.SystemTime()
	for _, x := range l.workspace.Journal() {
		if strings.Contains(x.Path, "/src/") {
			s.requests++
			s.bytes += int64(len(x.ResponseBody))
		}
	}
	return s
}
