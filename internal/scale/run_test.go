package scale_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/resident"
)

// figures are what one run took.
type figures struct {
	statistics
	peak             int64 // bytes of memory
	cpu, wall        time.Duration
	begins           time.Duration // until the first request to either service
	requests         int           // to Bitbucket
	service          time.Duration // of such a request, in the emulator, on average
	pages            int           // of pull requests, and in bytes:
	pullRequestBytes int64
}

// statistics are what the program says of itself.
type statistics struct {
	Allocations uint64 // how many
	Allocated   uint64 // bytes
	Held        uint64 // bytes on the heap, without garbage where it was asked to say so
}

// services are both emulators, each behind a meter.
type services struct {
	setting
	workspace *workspace
	port      *organization
	meters    [2]*meter // of the run: that of the workspace is the first
}

func serve(b *testing.B, s setting) *services {
	b.Helper()
	port, err := newOrganization(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	return &services{setting: s, workspace: newWorkspace(s.size), port: port}
}

func (s *services) close(b *testing.B) {
	if err := s.port.close(); err != nil {
		b.Error(err)
	}
}

// run runs a program against the services once.
func (s *services) run(b *testing.B, p program, k key) figures {
	b.Helper()
	s.meters = [2]*meter{{handler: s.workspace, latency: s.latency}, {handler: s.port, latency: s.latency}}
	bitbucket, port := httptest.NewServer(s.meters[0]), httptest.NewServer(s.meters[1])
	defer bitbucket.Close()
	defer port.Close()
	told, tell, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer told.Close()
	var out bytes.Buffer
	cmd := exec.Command(p.path)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &out, &out, []*os.File{tell}
	cmd.Env = append(p.environ[:len(p.environ):len(p.environ)],
		"BITBUCKET_HOST_URL="+bitbucket.URL+"/2.0", "BITBUCKET_WORKSPACE="+slug, "BITBUCKET_WORKSPACE_TOKEN="+token,
		"PORT_BASE_URL="+port.URL, "PORT_CLIENT_ID="+clientID, "PORT_CLIENT_SECRET="+clientSecret,
		"BITBUCKET_RATE_LIMIT=100000000/1h")
	if *profiles != "" {
		cmd.Env = append(cmd.Env, "SCALE_PROFILE="+filepath.Join(*profiles, k.String()))
		if s.held {
			cmd.Env = append(cmd.Env, "GODEBUG=memprofilerate=4096") // bytes: else small things are seen by chance
		}
	}
	said := json.NewDecoder(told)
	var held statistics
	s.workspace.again(nil)
	if s.held {
		s.workspace.again(func() { held.Held = s.leastHeld(b, cmd.Process, said, p.name) })
	}
	var f figures
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	_ = tell.Close() // the program has it
	peak := resident.Watch(cmd.Process.Pid)
	err = cmd.Wait()
	f.wall, f.peak = time.Since(start), (<-peak).Bytes
	f.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err == nil {
		err = said.Decode(&f.statistics)
	}
	if err != nil {
		b.Fatalf("%s: %v\n%s", p.name, err, &out)
	}
	f.Held, f.begins = held.Held, min(s.meters[0].first.Sub(start), s.meters[1].first.Sub(start))
	s.check(b)
	s.meters[0].into(&f)
	return f
}

// asks are how often a program is asked what it holds while it waits for the last page of all: where
// the machine is busy, it still works on those before at first.
const asks = 3

// leastHeld asks a program that waits for the last page of all what it holds, and returns the least.
func (s *services) leastHeld(b *testing.B, program *os.Process, said *json.Decoder, name string) (least uint64) {
	for i := range asks {
		settle(s.meters)
		_ = program.Signal(syscall.SIGUSR1) // where it has ended, there is nothing to read
		var now statistics
		if err := said.Decode(&now); err != nil {
			b.Errorf("what %s holds: %v", name, err)
			return least
		}
		if i == 0 || now.Held < least {
			least = now.Held
		}
	}
	return least
}

// check checks that Port holds every entity, and that no request was wrong.
func (s *services) check(b *testing.B) {
	b.Helper()
	for _, wrong := range append(s.workspace.violations(), s.port.violations()...) {
		b.Errorf("asked, and must not be: %s", wrong)
	}
	if got, want := s.port.entities(), s.entities(); got != want {
		b.Errorf("entities in Port: got %d, want %d", got, want)
	}
}
