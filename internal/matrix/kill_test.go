package matrix_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// killPoints is how many places of a run it is killed at: as many again with MATRIX=full.
const killPoints = 15

// TestKill kills the built program at requests that are spread over a whole run, before
// and after they have their effect, and runs it once more: then everything is as after a
// run that was never killed.
func TestKill(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "port-bitbucket-exporter")
	if text, err := exec.Command("go", "build", "-o", binary, "port-bitbucket-exporter").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	points := killPoints
	if os.Getenv("MATRIX") == "full" {
		points *= 2
	}
	for _, s := range []*scene{grown(t), fresh()} {
		s.meanwhile = nil
		g, requests := s.neverKilled(t, binary)
		for i := range points {
			at, after := 1+i*requests/points, i%2 == 1
			t.Run(fmt.Sprintf("%s/at request %d of %d, after it %t", s.name, at, requests, after), func(t *testing.T) {
				t.Parallel()
				s.killed(t, binary, g, at, after)
			})
		}
	}
}

// loopback is a world whose services are on sockets, behind what may kill the program.
type loopback struct {
	*world
	binary string
	seen   atomic.Int64
	blow   atomic.Pointer[blow] // of the process that runs
}

// blow kills a process.
type blow struct {
	at    int64 // the request at which it is killed; 0 for never
	after bool  // the request has its effect
	kill  func()
}

func (s *scene) loopback(t *testing.T, binary string) *loopback {
	l := &loopback{world: s.world(t), binary: binary}
	serve := func(h http.Handler) string {
		server := httptest.NewServer(l.behind(h))
		t.Cleanup(server.Close)
		return server.URL
	}
	l.env["PORT_BASE_URL"], l.env["BITBUCKET_HOST_URL"] = serve(l.port), serve(l.bitbucket)+"/2.0"
	return l
}

// behind counts the requests that every run makes alike: how often the page is told of
// the run's progress depends on time.
func (l *loopback) behind(service http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := l.blow.Load()
		if strings.HasPrefix(r.URL.Path, "/ingest/") || l.seen.Add(1) != b.at {
			service.ServeHTTP(w, r)
			return
		}
		if b.after {
			service.ServeHTTP(httptest.NewRecorder(), r)
		}
		b.kill()
		panic(http.ErrAbortHandler)
	})
}

// start runs the program as a process, which is killed at a request, and gives what it
// printed.
func (l *loopback) start(at int64, after bool) (exit int, output string) {
	l.t.Helper()
	var text bytes.Buffer
	cmd := exec.Command(l.binary)
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.dir, &text, &text
	for k, v := range l.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	started := make(chan struct{})
	l.blow.Store(&blow{at, after, func() {
		<-started
		_ = cmd.Process.Kill() // one that has ended is found out below
	}})
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	close(started)
	_ = cmd.Wait() // how it ended is the exit status
	return cmd.ProcessState.ExitCode(), text.String()
}

// neverKilled is the run to compare with, and how many requests it made.
func (s *scene) neverKilled(t *testing.T, binary string) (good, int) {
	t.Helper()
	l := s.loopback(t, binary)
	exit, output := l.start(0, false)
	if exit != 0 {
		t.Fatalf("scene %s: exit status %d\n%s", s.name, exit, output)
	}
	return good{after: catalogOf(l.port), blueprints: l.blueprints(), config: l.port.DataSource(identifier).Config}, int(l.seen.Load())
}

func (s *scene) killed(t *testing.T, binary string, g good, at int, after bool) {
	l := s.loopback(t, binary)
	if exit, output := l.start(int64(at), after); exit != -1 {
		t.Fatalf("the program was not killed: exit status %d\n%s", exit, output)
	}
	for ref := range g.after {
		if _, was := s.before()[ref]; was && l.missing(ref) {
			t.Errorf("%s is deleted, and has a source", ref)
		}
	}
	l.port.Age(time.Minute)
	if exit, output := l.start(0, false); exit != 0 {
		t.Errorf("the run after: exit status %d\n%s", exit, output)
	}
	for _, text := range (&checker{good: g, w: l.world}).unlike() {
		t.Errorf("after the run after, %s", text)
	}
	for _, text := range l.misuse() {
		t.Errorf("asked, and must not be: %s", text)
	}
}

// before is the catalog that the scene begins with.
func (s *scene) before() catalog { return catalogOf(s.organization.server()) }

func (l *loopback) missing(ref string) bool {
	_, there := catalogOf(l.port)[ref]
	return !there
}

var _ = cmp.Equal
