package resync_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/resident"
)

// BenchmarkRemembered compares an unchanged run with a memory against one without, over REST:
// the ratios are what the first takes of what the second takes.
func BenchmarkRemembered(b *testing.B) {
	m := benchmark{program: buildProgram(b), unchanged: true, env: []string{"SOURCE_READER=rest"}, workspace: pullRequests(1000, 5)}
	without := m.run(b)
	m.workspace, m.env = pullRequests(1000, 5), append(m.env, "STATE_DIR="+b.TempDir())
	with := m.run(b)
	b.ReportMetric(float64(with.requests)/float64(without.requests), "requests-ratio")
	b.ReportMetric(with.cpu.Seconds()/without.cpu.Seconds(), "cpu-ratio")
	b.ReportMetric(float64(with.peak)/float64(without.peak), "peak-ratio")
}

// BenchmarkFiles runs the real program, in a process of its own, with a mapping that reads
// files: five that match in each of 1,000 repositories, among 40 others. An operation is one
// run; peak-MB and cpu-s are those of the program's process alone.
//
// first-request-ms is from the start of the process to its first request.
//
// The last figure of the runs with latency is their wall time against the ideal:
// requests × latency / concurrency.
func BenchmarkFiles(b *testing.B) {
	program := buildProgram(b)
	for _, c := range []struct {
		name, mapping string
		latency       time.Duration
		unchanged     bool
	}{
		{"one resource, first", manifestFiles, 0, false},
		{"one resource, unchanged", manifestFiles, 0, true},
		{"three resources, first", manifestFiles + manifestFolders + readmes, 0, false},
		{"three resources, unchanged", manifestFiles + manifestFolders + readmes, 0, true},
		{"one resource, 50ms latency, first", manifestFiles, 50 * time.Millisecond, false},
	} {
		b.Run("1000 repositories × 5 files, "+c.name, func(b *testing.B) {
			benchmark{program: program, workspace: manifestRepositories(), mapping: mapped(c.mapping), latency: c.latency, unchanged: c.unchanged}.run(b)
		})
	}
}

// Resources of BenchmarkFiles.
const (
	manifestFiles = `
- kind: file
  selector: {query: 'true', files: {filenames: [package.json]}}
  port: {entity: {mappings: {identifier: '.repo.slug + "/" + .file.path', title: .content.name, blueprint: '"manifest"',
    properties: {version: .content.version, dependencies: .content.dependencies}}}}`
	manifestFolders = `
- kind: folder
  selector: {query: 'true', folders: [{path: services/*}]}
  port: {entity: {mappings: {identifier: '.repo.slug + "/" + .folder.path', title: .folder.path, blueprint: '"manifest"'}}}`
	readmes = `
- kind: repository
  selector: {query: 'true', includedFiles: [README.md]}
  port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '"manifest"', properties: {version: '.__includedFiles["README.md"]'}}}}`
)

// manifestRepositories have a package.json of about 2 KiB in each of five folders.
func manifestRepositories() *bitbuckettest.Server {
	dependencies := map[string]string{}
	for i := range 50 {
		dependencies[fmt.Sprintf("@acme/a-dependency-of-it-%02d", i)] = fmt.Sprintf("^%d.0.0", i)
	}
	workspace := bitbuckettest.New("acme")
	for i := range 1000 {
		files := map[string]string{"README.md": strings.Repeat("# About the services in here\n", 50)}
		for j := range 5 {
			folder := fmt.Sprintf("services/service-%d/", j)
			manifest, err := json.Marshal(map[string]any{"name": fmt.Sprintf("s%d-%d", i, j), "version": "1.0.0", "dependencies": dependencies})
			if err != nil {
				panic(err)
			}
			files[folder+"package.json"] = string(manifest)
			for k := range 8 {
				files[fmt.Sprintf("%ssrc/file-%d.ts", folder, k)] = "export {}\n"
			}
		}
		workspace.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("service-%04d", i), Files: files})
	}
	return workspace
}

func buildProgram(b *testing.B) string {
	program := filepath.Join(b.TempDir(), "port-bitbucket-exporter")
	if out, err := exec.Command("go", "build", "-o", program, "port-bitbucket-exporter").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// pullRequests is a workspace of repositories with so many open pull requests each.
func pullRequests(repositories, pullRequests int) *bitbuckettest.Server {
	workspace := bitbuckettest.New("acme")
	workspace.AddProject(bitbuckettest.Project{Key: "ACME"})
	for i := range repositories {
		slug := fmt.Sprintf("service-%04d", i)
		workspace.AddRepository(bitbuckettest.Repository{Name: slug, ProjectKey: "ACME", Files: map[string]string{"README.md": "# " + slug + "\n"}})
		for j := range pullRequests {
			workspace.AddPullRequest(slug, bitbuckettest.PullRequest{Title: fmt.Sprintf("Change %d", j), Reviewers: []bitbuckettest.User{{Name: "Dana Ruiz"}, {Name: "Kim Lee"}}})
		}
	}
	return workspace
}

// benchmark is what one runs, and against what.
type benchmark struct {
	program   string
	workspace *bitbuckettest.Server
	mapping   string // empty for the default one
	latency   time.Duration
	unchanged bool
	env       []string // further variables
}

// taken is what all runs of a benchmark took; peak is the largest of them, in KiB.
type taken struct {
	requests int
	cpu      time.Duration
	peak     int64
}

func (m benchmark) run(b *testing.B) taken {
	m.workspace.AllowToken("bench-token", bitbuckettest.Access{Limit: -1})
	catalog := porttest.New()
	if m.mapping != "" {
		catalog.AddBlueprint(blueprint("manifest", `"version":{"type":"string"},"dependencies":{"type":"object"}`))
	}
	catalog.Configure(porttest.Options{NoJournalBodies: true})
	bs, ps := httptest.NewServer(m.workspace), httptest.NewServer(catalog)
	defer bs.Close()
	defer ps.Close()
	catalog.AllowClient("bench-id", "bench-secret")
	run := func() (*os.ProcessState, int64) {
		return runProgram(b, m.program, append(slices.Clone(m.env),
			"BITBUCKET_HOST_URL="+bs.URL+"/2.0", "BITBUCKET_WORKSPACE=acme", "BITBUCKET_WORKSPACE_TOKEN=bench-token",
			"PORT_BASE_URL="+ps.URL, "PORT_CLIENT_ID=bench-id", "PORT_CLIENT_SECRET=bench-secret",
			"BITBUCKET_RATE_LIMIT=1000000/1h",
			"MAPPING="+m.mapping)...)
	}
	if m.unchanged {
		run()
		catalog.Age(time.Hour)
	}
	if m.latency > 0 {
		m.workspace.Fault(bitbuckettest.Fault{Times: -1, Delay: m.latency})
		catalog.Fault(porttest.Fault{Times: -1, Delay: m.latency})
	}
	m.workspace.ResetJournal()
	catalog.ResetJournal()
	var cpu, first time.Duration
	var peak int64
	portRequests := 0
	b.ResetTimer()
	for range b.N {
		catalog.ResetJournal()
		start := time.Now()
		state, kib := run()
		journal := catalog.Journal()
		first += journal[0].Time.Sub(start)
		portRequests = len(journal)
		cpu += state.UserTime() + state.SystemTime()
		peak = max(peak, kib)
	}
	b.StopTimer()
	requests := m.workspace.Requests() / b.N
	b.ReportMetric(float64(requests), "requests/op")
	b.ReportMetric(float64(portRequests), "port-requests/op")
	b.ReportMetric(float64(first.Milliseconds())/float64(b.N), "first-request-ms")
	b.ReportMetric(float64(peak)/1024, "peak-MB")
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s")
	if m.latency > 0 {
		ideal := time.Duration(requests) * m.latency / 10
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(ideal), "wall/ideal")
	}
	return taken{m.workspace.Requests() + m.workspace.GitRequests(), cpu, peak}
}

// runProgram runs the program as the image does, and returns its peak of resident memory in KiB.
func runProgram(b *testing.B, program string, environment ...string) (ended *os.ProcessState, peakKiB int64) {
	b.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(environment, "GOGC=50")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	peak := resident.Watch(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		b.Fatalf("%v\n%s", err, &out)
	}
	return cmd.ProcessState, (<-peak).Bytes >> 10
}
