package resync_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// BenchmarkResync runs the real program, in a process of its own, against the
// emulators in this one. An operation is one run; peak-MB and cpu-s are those of
// the program's process alone.
//
// first-request-ms is from the start of the process to its first request.
//
// The last figure of the runs with latency is their wall time against the ideal:
// requests × latency / concurrency.
func BenchmarkResync(b *testing.B) {
	program := filepath.Join(b.TempDir(), "port-bitbucket-exporter")
	if out, err := exec.Command("go", "build", "-o", program, "port-bitbucket-exporter").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	for _, c := range []struct {
		repositories, pullRequests int
		latency                    time.Duration
	}{
		{1000, 5, 0},
		{1000, 50, 0},
		{1000, 5, 50 * time.Millisecond},
	} {
		name := fmt.Sprintf("%d repositories × %d pull requests, %s latency", c.repositories, c.pullRequests, c.latency)
		b.Run(name+", first", func(b *testing.B) {
			benchmark(b, program, c.repositories, c.pullRequests, c.latency, false)
		})
		b.Run(name+", unchanged", func(b *testing.B) {
			benchmark(b, program, c.repositories, c.pullRequests, c.latency, true)
		})
	}
}

func benchmark(b *testing.B, program string, repositories, pullRequests int, latency time.Duration, unchanged bool) {
	workspace := bitbuckettest.New("acme")
	workspace.AllowToken("bench-token", bitbuckettest.Access{Limit: -1})
	workspace.AddProject(bitbuckettest.Project{Key: "ACME"})
	for i := range repositories {
		slug := fmt.Sprintf("service-%04d", i)
		workspace.AddRepository(bitbuckettest.Repository{Name: slug, ProjectKey: "ACME", Files: map[string]string{"README.md": "# " + slug + "\n"}})
		for j := range pullRequests {
			workspace.AddPullRequest(slug, bitbuckettest.PullRequest{Title: fmt.Sprintf("Change %d", j), Reviewers: []bitbuckettest.User{{Name: "Dana Ruiz"}, {Name: "Kim Lee"}}})
		}
	}
	catalog := porttest.New()
	catalog.Configure(porttest.Options{NoJournalBodies: true})
	bs, ps := httptest.NewServer(workspace), httptest.NewServer(catalog)
	defer bs.Close()
	defer ps.Close()
	catalog.AllowClient("bench-id", "bench-secret")
	run := func() (*os.ProcessState, int64) {
		cmd := exec.Command(program)
		cmd.Env = []string{
			"BITBUCKET_HOST_URL=" + bs.URL + "/2.0", "BITBUCKET_WORKSPACE=acme", "BITBUCKET_WORKSPACE_TOKEN=bench-token",
			"PORT_BASE_URL=" + ps.URL, "PORT_CLIENT_ID=bench-id", "PORT_CLIENT_SECRET=bench-secret",
			"BITBUCKET_RATE_LIMIT=1000000/1h",
			"GOGC=50", // as the image sets it
		}
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		peak := watchMemory(cmd.Process.Pid)
		if err := cmd.Wait(); err != nil {
			b.Fatalf("%v\n%s", err, &out)
		}
		return cmd.ProcessState, <-peak
	}
	if unchanged {
		run()
		catalog.Age(time.Hour)
	}
	if latency > 0 {
		workspace.Fault(bitbuckettest.Fault{Times: -1, Delay: latency})
		catalog.Fault(porttest.Fault{Times: -1, Delay: latency})
	}
	workspace.ResetJournal()
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
	requests := workspace.Requests() / b.N
	b.ReportMetric(float64(requests), "requests/op")
	b.ReportMetric(float64(portRequests), "port-requests/op")
	b.ReportMetric(float64(first.Milliseconds())/float64(b.N), "first-request-ms")
	b.ReportMetric(float64(peak)/1024, "peak-MB")
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s")
	if latency > 0 {
		ideal := time.Duration(requests) * latency / 10
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(ideal), "wall/ideal")
	}
}

// watchMemory reads a process's peak of resident memory, in KiB, until it ends.
// The figure of wait(2) will not do: it begins with this process's own.
func watchMemory(pid int) <-chan int64 {
	peak := make(chan int64, 1)
	go func() {
		var most int64
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, after, found := strings.Cut(string(status), "VmHWM:")
			if err != nil || !found { // it has ended
				peak <- most
				return
			}
			if fields := strings.Fields(after); len(fields) > 0 {
				kib, _ := strconv.ParseInt(fields[0], 10, 64)
				most = max(most, kib)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return peak
}
