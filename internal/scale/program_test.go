package scale_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/resident"
)

// program is a build of the program that says at its end what it allocated.
type program struct {
	name    string // of the column
	path    string
	environ []string // of the image
}

// repository is where this package is in.
const repository = "../.."

// has reports whether the history holds a commit.
func has(commit string) bool {
	return exec.Command("git", "-C", repository, "cat-file", "-e", commit+"^{commit}").Run() == nil
}

// buildCommit builds the program as it was at a commit.
func buildCommit(b *testing.B, commit string) program {
	b.Helper()
	folder := b.TempDir()
	archive, err := exec.Command("git", "-C", repository, "archive", "--format=tar", commit).Output()
	if err != nil {
		b.Fatalf("git archive %s: %v", commit, err)
	}
	if err := extract(archive, folder); err != nil {
		b.Fatalf("git archive %s: %v", commit, err)
	}
	return build(b, "before", folder)
}

// extract writes the regular files of an archive.
func extract(archive []byte, folder string) error {
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case header.Typeflag != tar.TypeReg:
			continue
		}
		if !filepath.IsLocal(header.Name) {
			return fmt.Errorf("%q is not below the folder", header.Name)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		name := filepath.Join(folder, header.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			return err
		}
	}
}

// imageVariable is a line of the Dockerfile that sets a variable of the running program.
var imageVariable = regexp.MustCompile(`(?m)^ENV (\w+=\S+)$`)

// build builds the program of a folder as the image does, but for its end: see testdata.
func build(b *testing.B, name, folder string) program {
	b.Helper()
	p := program{name: name, path: filepath.Join(b.TempDir(), "program")}
	file := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		return string(text)
	}
	for _, found := range imageVariable.FindAllStringSubmatch(file(filepath.Join(folder, "Dockerfile")), -1) {
		p.environ = append(p.environ, found[1])
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		b.Fatal(err)
	}
	source := strings.ReplaceAll(file(filepath.Join(folder, "main.go")), "os.Exit(", "exitMeasured(")
	if !strings.Contains(source, "exitMeasured(") {
		b.Fatalf("main.go of %s does not end with os.Exit", name)
	}
	extra := map[string]string{"main.go": source, "probe.go": file("testdata/probe.go"), "profile.go": file("testdata/noprofile.go")}
	if *profiles != "" {
		extra["profile.go"] = file("testdata/profile.go")
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for at, text := range extra {
		instead := filepath.Join(b.TempDir(), at)
		if err := os.WriteFile(instead, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		overlay.Replace[filepath.Join(folder, at)] = instead
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		b.Fatal(err)
	}
	list := filepath.Join(b.TempDir(), "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-overlay", list, "-o", p.path, ".")
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return p
}

// figures are what one run took.
type figures struct {
	peak                             int64 // bytes of memory
	cpu, wall                        time.Duration
	Allocations, Allocated, Held     uint64 // Held: without garbage, when all is sent but the last page
	requests, pullRequestPages       int
	pullRequestBytes, bitbucketBytes int64
}

// services are both emulators, each behind a meter.
type services struct {
	workspace *workspace
	port      *organization
	latency   time.Duration
	meters    [2]*meter // of the run: that of the workspace is the first
}

// serve makes both services; they end with the benchmark.
func serve(b *testing.B, s size) *services {
	b.Helper()
	port, err := newOrganization(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := port.close(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			b.Error(err)
		}
	})
	return &services{workspace: newWorkspace(s), port: port}
}

// run runs a program against the services once.
func (s *services) run(b *testing.B, p program, held bool, environ ...string) figures {
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
	cmd.Env = append(append(environ,
		"BITBUCKET_HOST_URL="+bitbucket.URL+"/2.0", "BITBUCKET_WORKSPACE="+slug, "BITBUCKET_WORKSPACE_TOKEN="+token,
		"PORT_BASE_URL="+port.URL, "PORT_CLIENT_ID="+clientID, "PORT_CLIENT_SECRET="+clientSecret,
		"BITBUCKET_RATE_LIMIT=100000000/1h"), p.environ...)
	statistics := json.NewDecoder(told)
	var f figures
	s.workspace.again(nil)
	if held {
		s.workspace.again(func() {
			settle(s.meters)
			_ = cmd.Process.Signal(syscall.SIGUSR1) // where it has ended, reading fails
			if err := statistics.Decode(&f); err != nil {
				b.Errorf("what the heap holds: %v", err)
			}
		})
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	_ = tell.Close() // the program has it
	peak := resident.Watch(cmd.Process.Pid)
	err = cmd.Wait()
	f.wall = time.Since(start)
	f.peak = (<-peak).Bytes
	f.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err != nil {
		b.Fatalf("%s: %v\n%s", p.name, err, &out)
	}
	heldBytes := f.Held
	if err := statistics.Decode(&f); err != nil {
		b.Fatalf("statistics of %s: %v\n%s", p.name, err, &out)
	}
	f.Held = heldBytes
	s.check(b)
	s.meters[0].into(&f)
	return f
}

// check checks that Port holds every entity, and that no request was wrong.
func (s *services) check(b *testing.B) {
	b.Helper()
	for _, wrong := range append(s.workspace.violations(), s.port.violations()...) {
		b.Errorf("asked, and must not be: %s", wrong)
	}
	if got, want := s.port.entities(), s.workspace.entities(); got != want {
		b.Errorf("entities in Port: got %d, want %d", got, want)
	}
}
