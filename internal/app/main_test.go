package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"port-bitbucket-exporter": command})
}

// command is the program as main runs it.
func command() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(app.Main(ctx, app.Process{Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Transport: http.DefaultTransport}))
}

// leakChecked fails the tests when one of them leaves a goroutine behind. It also tells
// how many exchanges were checked against the vendors' documents.
type leakChecked struct{ *testing.M }

func (l leakChecked) Run() int {
	debug.SetGCPercent(400) // the garbage of many short runs can wait
	code := l.M.Run()
	removeBuilt()
	if checker, _ := specs(); checker != nil {
		fmt.Printf("contract: %d exchanges checked\n", checker.Checked())
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

type services struct {
	bitbucket *bitbuckettest.Server
	port      *porttest.Server
}

// TestScripts runs the program as a process of its own, from the environment to the
// files that it leaves. Commands beside testscript's own:
//
//	resync N arguments…      runs the program and expects exit status N
//	requests bitbucket|port N  expects so many requests since the last time
//	entities blueprint N     expects so many entities in Port
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"resync":   resyncCommand,
			"requests": requestsCommand,
			"entities": entitiesCommand,
		},
	})
}

func setupScript(env *testscript.Env) error {
	s := services{smallBitbucket(), newPort()}
	s.bitbucket.AllowToken(token)
	for _, text := range porttest.DefaultBlueprints() {
		s.port.AddBlueprint(text)
	}
	bs, ps := httptest.NewServer(s.bitbucket), httptest.NewServer(s.port)
	env.Defer(bs.Close)
	env.Defer(ps.Close)
	env.Values["services"] = s
	// GORACE: else a process waits for a second at its end under the race detector.
	env.Vars = append(env.Vars, "BITBUCKET_URL="+bs.URL+"/2.0", "PORT_URL="+ps.URL, "GORACE="+os.Getenv("GORACE"))
	return nil
}

func resyncCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: resync exit-status arguments")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec("port-bitbucket-exporter", args[1:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func requestsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: requests bitbucket|port number")
	}
	s := ts.Value("services").(services)
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	var got int
	switch args[0] {
	case "bitbucket":
		got = s.bitbucket.Requests()
		s.bitbucket.ResetJournal()
	case "port":
		got = s.port.Requests()
		s.port.ResetJournal()
	default:
		ts.Fatalf("no service %q", args[0])
	}
	if got != want {
		ts.Fatalf("%d requests to %s, want %d", got, args[0], want)
	}
}

func entitiesCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: entities blueprint number")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := len(ts.Value("services").(services).port.Entities(args[0])); got != want {
		ts.Fatalf("%d entities of %s, want %d", got, args[0], want)
	}
}

// skipShort leaves a test to a run that is not short: the race detector takes ten times as
// long, and sees the same goroutines in shorter runs of the program, or none.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: left to a run without -short")
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

// build gives the path of the program. It is built without the race detector, which .ci/run
// therefore spares such tests.
func build(t *testing.T) string {
	t.Helper()
	skipShort(t)
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

// process starts the program in the world; the log is complete when it has ended.
func (w *world) process(binary string) (*exec.Cmd, *strings.Builder) {
	w.t.Helper()
	cmd, log := exec.Command(binary), &strings.Builder{}
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, log, log
	for k, v := range w.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	return cmd, log
}

// await waits for the request that hangs, and ends a program that does not come to it.
func await(t *testing.T, cmd *exec.Cmd, log *strings.Builder, hung <-chan struct{}) {
	t.Helper()
	select {
	case <-hung:
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("the program did not come to the request that hangs:\n%s", log.String())
	}
}

// The built program is stopped while a request hangs, at either service. It ends within
// five seconds, tells how it ended, and what was stale is still there.
func TestSignal(t *testing.T) {
	t.Parallel()
	binary := build(t)
	tests := []struct {
		name   string
		signal os.Signal
		hang   func(w *world, hung chan<- struct{})
	}{
		{"SIGTERM while Bitbucket lists", syscall.SIGTERM, hangBitbucket},
		{"SIGINT while Bitbucket lists", os.Interrupt, hangBitbucket},
		{"SIGTERM while Port logs in", syscall.SIGTERM, hangPort("/v1/auth/access_token")},
		{"SIGTERM while Port writes", syscall.SIGTERM, hangPort("/v1/blueprints/*/entities/bulk")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.addStale()
			w.github()
			w.env["MAPPING"] = repositories
			hung := make(chan struct{}, 100)
			tt.hang(w, hung)
			cmd, log := w.process(binary)
			await(t, cmd, log, hung)
			sent := time.Now()
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // the status is compared below
			if took := time.Since(sent); took > 5*time.Second {
				t.Errorf("ended %s after the signal, want at most 5s", took)
			}
			if got := cmd.ProcessState.ExitCode(); got != 1 {
				t.Errorf("got exit status %d, want 1\n%s", got, log.String())
			}
			if got := w.outputs()["status"]; got != "failed" {
				t.Errorf("got output status %q, want failed", got)
			}
			if got := w.read("summary.md"); !strings.Contains(got, "stopped by a signal") {
				t.Errorf("the summary does not say that a signal stopped the run:\n%s", got)
			}
			if !w.holds("bitbucketRepository", "stale") {
				t.Error("a stopped run deleted an entity")
			}
			if page := w.port.DataSource(identifier); page.Version != "" && page.ResyncState.Status != "aborted" {
				t.Errorf("the page shows %q, want aborted", page.ResyncState.Status)
			}
		})
	}
}

// A second signal ends the program at once, whatever it is still doing: here it takes
// back what it made before the first. SIGTERM: whoever starts the tests may ignore SIGINT.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, smallBitbucket())
	hung := make(chan struct{}, 100)
	hang := func(*http.Request, []byte) bool {
		hung <- struct{}{}
		return true
	}
	w.port.Fault(porttest.Fault{Method: http.MethodPatch, Path: "/v1/blueprints/*", Delay: time.Hour, Match: hang})
	w.port.Fault(porttest.Fault{Method: http.MethodDelete, Path: "/v1/blueprints/*", Times: -1, Delay: time.Hour, Match: hang})
	cmd, log := w.process(build(t))
	await(t, cmd, log, hung)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await(t, cmd, log, hung)
	ended := make(chan error)
	go func() { ended <- cmd.Wait() }()
	for running := true; running; {
		_ = cmd.Process.Signal(syscall.SIGTERM) // again while the first is still being acted on
		select {
		case <-ended: // how, is compared below
			running = false
		case <-time.After(10 * time.Millisecond):
		}
	}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() || s.Signal() != syscall.SIGTERM {
		t.Errorf("got %v, want an end by the second signal\n%s", cmd.ProcessState, log.String())
	}
}

func hangBitbucket(w *world, hung chan<- struct{}) {
	w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Delay: time.Hour, Match: func(*http.Request) bool {
		hung <- struct{}{}
		return true
	}})
}

func hangPort(path string) func(*world, chan<- struct{}) {
	return func(w *world, hung chan<- struct{}) {
		w.port.Fault(porttest.Fault{Path: path, Delay: time.Hour, Match: func(*http.Request, []byte) bool {
			hung <- struct{}{}
			return true
		}})
	}
}
