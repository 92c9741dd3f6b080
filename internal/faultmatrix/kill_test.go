package faultmatrix_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// killPoints and stopPoints are how many places of a run it is killed and stopped at: with
// MATRIX=full so many times as many, of which a part takes its share.
const (
	killPoints = 3
	stopPoints = 2
	fullPoints = 10
)

// points are the places of a run that are tried, by number, of so many.
func points(n int) (tried []int, of int) {
	every := share{1, 1}
	if wanted.of > 0 {
		n, every = n*fullPoints, wanted
	}
	for i := every.part - 1; i < n; i += every.of {
		tried = append(tried, i)
	}
	return tried, n
}

// skipWithRaceDetector leaves to the other step what the race detector learns nothing from: it
// does not see into the built program, and of large workspaces it sees what it does of small ones.
func skipWithRaceDetector(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("left to a run without the race detector, which learns nothing from it")
	}
}

// TestKill kills the built program at requests that are spread over a whole run, before
// and after they have their effect, and runs it once more: then everything is as after a
// run that was never killed.
func TestKill(t *testing.T) {
	skipWithRaceDetector(t)
	binary := build(t)
	tried, of := points(killPoints)
	for _, s := range []*scene{grown(t), fresh(), grownOver(t, "auto")} {
		s.meanwhile = nil
		g, requests := s.neverKilled(t, binary)
		for _, i := range tried {
			at, after := 1+i*requests/of, i%2 == 1
			t.Run(fmt.Sprintf("%s/at request %d of %d, after it %t", s.name, at, requests, after), func(t *testing.T) {
				t.Parallel()
				s.killed(t, binary, g, at, after)
			})
		}
	}
}

// built is the program, built as it is released, once for all tests.
var built = sync.OnceValues(func() (binary string, err error) {
	dir, err := os.MkdirTemp("", "built-for-tests-")
	if err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "port-bitbucket-exporter")
	if text, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "port-bitbucket-exporter").CombinedOutput(); err != nil {
		return binary, fmt.Errorf("go build: %w\n%s", err, text)
	}
	return binary, nil
})

// builds is set when a test asked for the program.
var builds atomic.Bool

// build gives the path of the program.
func build(t *testing.T) string {
	t.Helper()
	builds.Store(true)
	binary, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// removeBuilt removes the program after the last test.
func removeBuilt() {
	if !builds.Load() {
		return
	}
	if binary, _ := built(); binary != "" {
		_ = os.RemoveAll(filepath.Dir(binary)) // it is a temporary folder
	}
}

// loopback is a world whose services are on sockets, behind what may end the program.
type loopback struct {
	*world
	binary string
	after  bool      // the request at which the program is ended has its effect
	signal os.Signal // SIGKILL; else the request hangs

	mu   sync.Mutex // guards what follows
	seen int        // requests
	at   int        // the request at which the program is ended; 0 for never
	send func(os.Signal)
}

func (s *scene) loopback(t *testing.T, binary string) *loopback {
	l := &loopback{world: s.world(t), binary: binary, signal: os.Kill}
	serve := func(h http.Handler) string {
		server := httptest.NewServer(l.behind(h))
		t.Cleanup(server.Close)
		return server.URL
	}
	bitbucket := serve(l.bitbucket)
	l.env["PORT_BASE_URL"], l.env["BITBUCKET_HOST_URL"], l.env["GIT_HOST_URL"] = serve(l.port), bitbucket+"/2.0", bitbucket
	return l
}

// after counts the requests that every run makes alike: how often the page is told of
// the run's progress depends on time.
func (l *loopback) behind(service http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		send, hit := l.count(r)
		if !hit {
			service.ServeHTTP(w, r)
			return
		}
		if l.after {
			service.ServeHTTP(httptest.NewRecorder(), r)
		}
		if send(l.signal); l.signal != os.Kill {
			_, _ = io.Copy(io.Discard, r.Body) // else the end of the connection is not seen
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	})
}

func (l *loopback) count(r *http.Request) (send func(os.Signal), hit bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/ingest/") {
		return nil, false
	}
	l.seen++
	return l.send, l.seen == l.at
}

// arm sets the request at which the program is ended; 0 means none.
func (l *loopback) arm(at int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = at
}

// start runs the program as a process, and gives what it printed.
func (l *loopback) start() (exit int, output string) {
	l.t.Helper()
	var text bytes.Buffer
	cmd := exec.Command(l.binary)
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, &text, &text
	for k, v := range l.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	started := make(chan struct{})
	l.mu.Lock()
	l.send = func(s os.Signal) {
		<-started
		_ = cmd.Process.Signal(s) // one that has ended is found out below
	}
	l.mu.Unlock()
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	close(started)
	_ = cmd.Wait() // how it ended is the exit status
	return cmd.ProcessState.ExitCode(), text.String()
}

// before is the catalog that the scene begins with.
func (s *scene) before() catalog { return catalogOf(s.organization.server()) }

// neverKilled is the run to compare with, and how many requests it made.
func (s *scene) neverKilled(t *testing.T, binary string) (good, int) {
	t.Helper()
	l := s.loopback(t, binary)
	exit, output := l.start()
	if exit != 0 {
		t.Fatalf("scene %s: exit status %d\n%s", s.name, exit, output)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return good{before: s.before(), after: catalogOf(l.port), blueprints: l.blueprints(), config: l.port.DataSource(identifier).Config}, l.seen
}

func (s *scene) killed(t *testing.T, binary string, g good, at int, after bool) {
	l := s.loopback(t, binary)
	l.env["STATE_DIR"] = "state" // half-written at that moment, whatever it is
	l.after = after
	l.arm(at)
	if exit, output := l.start(); exit != -1 {
		t.Fatalf("the program was not killed: exit status %d\n%s", exit, output)
	}
	l.finish(g)
}

// finish checks that nothing is lost, and runs the program once more: twice with a memory, since
// the next run does not ask again for what the one that was ended had read, and deletes nothing
// of it.
func (l *loopback) finish(g good) {
	l.t.Helper()
	l.arm(0)
	runs := 1
	if l.env["STATE_DIR"] != "" {
		runs = 2
	}
	for run := range runs {
		left := catalogOf(l.port)
		for ref := range g.after {
			if _, was := g.before[ref]; was && !left.has(ref) {
				l.t.Errorf("%s is deleted before run %d after, and has a source", ref, run+1)
			}
		}
		l.port.Age(time.Minute)
		if exit, output := l.start(); exit != 0 {
			l.t.Errorf("run %d after: exit status %d\n%s", run+1, exit, output)
		}
	}
	for _, text := range (&checker{good: g, w: l.world}).unlike() {
		l.t.Errorf("after the run after, %s", text)
	}
	for _, text := range l.misuse() {
		l.t.Errorf("asked, and must not be: %s", text)
	}
}

func (c catalog) has(ref string) bool {
	_, there := c[ref]
	return there
}

// TestStop sends the built program a signal while a request hangs, all over a run: it
// ends, leaves its outputs, and the next run finishes.
func TestStop(t *testing.T) {
	skipWithRaceDetector(t)
	binary := build(t)
	tried, of := points(stopPoints)
	for _, s := range []*scene{grown(t), fresh(), grownOver(t, "auto")} {
		s.meanwhile = nil
		g, requests := s.neverKilled(t, binary)
		for _, i := range tried {
			at, signal := 1+i*requests/of, []os.Signal{syscall.SIGTERM, os.Interrupt}[i%2]
			t.Run(fmt.Sprintf("%s/%s at request %d of %d", s.name, signal, at, requests), func(t *testing.T) {
				t.Parallel()
				l := s.loopback(t, binary)
				l.github()
				l.signal = signal
				l.arm(at)
				exit, output := l.start()
				if exit != 1 {
					t.Fatalf("got exit status %d, want 1\n%s", exit, output)
				}
				r := ran{outputs: l.read("outputs")}
				if got := r.readOutputs()["status"]; got != "failed" {
					t.Errorf("got output status %q, want failed\n%s", got, output)
				}
				if got := l.read("summary.md"); !strings.Contains(got, "stopped by a signal") {
					t.Errorf("the summary does not say that a signal stopped the run:\n%s", got)
				}
				l.finish(g)
			})
		}
	}
}
