package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/openapicheck"
	"port-bitbucket-exporter/internal/port/porttest"
)

// world is both services on loopback and a folder to run in.
type world struct {
	t         *testing.T
	bitbucket *bitbuckettest.Server
	port      *porttest.Server
	env       map[string]string
	dir       string
	transport http.RoundTripper
	cgroup    fs.FS
}

const (
	token        = "workspace-token-in-tests"
	clientID     = "client-id-in-tests"
	clientSecret = "client-secret-in-tests"
	identifier   = "my-bitbucket-cloud-integration"
	datasource   = "port-ocean/bitbucket-cloud/0.0.1/" + identifier + "/exporter"
)

// specs is the checker of the vendors' documents; nil when the environment names none.
var specs = sync.OnceValues(func() (*openapicheck.Checker, error) {
	c, _, err := openapicheck.FromEnv()
	return c, err
})

func newWorld(t *testing.T, b *bitbuckettest.Server) *world {
	t.Helper()
	p := newPort()
	b.AllowToken(token)
	bs, ps := httptest.NewServer(b), httptest.NewServer(p)
	t.Cleanup(bs.Close)
	t.Cleanup(ps.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	w := &world{
		t: t, bitbucket: b, port: p, dir: t.TempDir(), transport: transport,
		env: map[string]string{
			"PORT_CLIENT_ID": clientID, "PORT_CLIENT_SECRET": clientSecret,
			"PORT_BASE_URL": ps.URL, "BITBUCKET_HOST_URL": bs.URL + "/2.0",
			"BITBUCKET_WORKSPACE": "acme", "BITBUCKET_WORKSPACE_TOKEN": token,
			"REPORT_FILE": "report.json",
		},
	}
	checker, err := specs()
	if err != nil {
		t.Fatal(err)
	}
	if checker != nil {
		p.Configure(porttest.Options{DocumentedAnswers: true})
		fail := func(err error) { t.Errorf("contract: %v", err) }
		w.transport = hosts{
			strings.TrimPrefix(bs.URL, "http://"): checker.RoundTripper(transport, fail, openapicheck.Bitbucket("/2.0")),
			strings.TrimPrefix(ps.URL, "http://"): checker.RoundTripper(transport, fail, openapicheck.Port("")),
		}
	}
	return w
}

func newPort() *porttest.Server {
	p := porttest.New()
	p.AllowClient(clientID, clientSecret)
	return p
}

// smallWorld has three repositories, and the default blueprints in Port.
func smallWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, smallBitbucket())
	w.addBlueprints()
	return w
}

func smallBitbucket() *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	b.AddProject(bitbuckettest.Project{Key: "PAY", Name: "Payments"})
	for _, name := range []string{"checkout", "ledger", "refunds"} {
		b.AddRepository(bitbuckettest.Repository{Name: name, ProjectKey: "PAY", Files: map[string]string{"README.md": "# " + name}})
	}
	return b
}

func (w *world) addBlueprints() {
	for _, text := range porttest.DefaultBlueprints() {
		w.port.AddBlueprint(text)
	}
}

// addStale puts an entity into Port that an earlier run produced and this one does not.
func (w *world) addStale() {
	w.port.PutEntity("bitbucketRepository", porttest.Entity{Identifier: "stale", Datasource: datasource})
	w.port.Age(time.Minute)
}

func (w *world) holds(blueprint, identifier string) bool {
	_, ok := w.port.Catalog()[blueprint][identifier]
	return ok
}

// offContract is for tests whose faults are no answers of the vendors.
func (w *world) offContract() {
	if h, ok := w.transport.(hosts); ok {
		plain := &http.Transport{}
		w.t.Cleanup(plain.CloseIdleConnections)
		for host := range h {
			h[host] = plain
		}
	}
}

// hosts sends each request to the transport of its host.
type hosts map[string]http.RoundTripper

func (h hosts) RoundTrip(req *http.Request) (*http.Response, error) {
	t, ok := h[req.URL.Host]
	if !ok {
		return nil, fmt.Errorf("request to host %q, which is neither service", req.URL.Host)
	}
	return t.RoundTrip(req)
}

// repositories maps each repository by its slug.
const repositories = `resources:
  - kind: repository
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: .slug
          title: .name
          blueprint: '"bitbucketRepository"'
`

// ran is what one run left behind.
type ran struct {
	status         int
	stdout, stderr string
	report         map[string]any
}

// run runs the program once, with further variables.
func (w *world) run(env map[string]string) ran {
	w.t.Helper()
	return w.runContext(context.Background(), env)
}

func (w *world) runContext(ctx context.Context, env map[string]string) ran {
	w.t.Helper()
	all := maps.Clone(w.env)
	maps.Copy(all, env)
	var environ []string
	for k, v := range all {
		environ = append(environ, k+"="+v)
	}
	var stdout, stderr bytes.Buffer
	file := filepath.Join(w.dir, "report.json")
	_ = os.Remove(file)
	status := app.Main(ctx, app.Process{Environ: environ, Stdout: &stdout, Stderr: &stderr, Dir: w.dir, Transport: w.transport, Cgroup: w.cgroup})
	r := ran{status: status, stdout: stdout.String(), stderr: stderr.String()}
	if text, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(text, &r.report); err != nil {
			w.t.Fatalf("report file: %v", err)
		}
	}
	return r
}

// github makes the world a step of a GitHub workflow.
func (w *world) github() {
	w.env["GITHUB_ACTIONS"] = "true"
	w.env["GITHUB_WORKSPACE"] = w.dir
	w.env["GITHUB_OUTPUT"] = filepath.Join(w.dir, "outputs")
	w.env["GITHUB_STEP_SUMMARY"] = filepath.Join(w.dir, "summary.md")
}

// write puts a file into the world's folder.
func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// read is empty for a file that is not there.
func (w *world) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	return string(text)
}

// outputs reads a GITHUB_OUTPUT file as the runner does.
// Source: https://github.com/actions/runner, src/Runner.Worker/FileCommandManager.cs, read 2026-11.
func (w *world) outputs() map[string]string {
	w.t.Helper()
	values := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(w.read("outputs"), "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		if name, value, ok := strings.Cut(lines[i], "="); ok && !strings.Contains(name, "<<") {
			values[name] = value
			continue
		}
		name, delimiter, ok := strings.Cut(lines[i], "<<")
		if !ok {
			if lines[i] != "" {
				w.t.Fatalf("outputs: line %d is no output: %q", i+1, lines[i])
			}
			continue
		}
		var value []string
		for i++; ; i++ {
			if i == len(lines) {
				w.t.Fatalf("outputs: %q does not end", name)
			}
			if lines[i] == delimiter {
				break
			}
			value = append(value, lines[i])
		}
		if _, twice := values[name]; twice {
			w.t.Fatalf("outputs: %q twice", name)
		}
		values[name] = strings.Join(value, "\n")
	}
	return values
}

// checkRequests compares how many requests reached both services.
func (w *world) checkRequests(bitbucket, port int) {
	w.t.Helper()
	if got := w.bitbucket.Requests(); got != bitbucket {
		w.t.Errorf("got %d requests to Bitbucket, want %d", got, bitbucket)
	}
	if got := w.port.Requests(); got != port {
		w.t.Errorf("got %d requests to Port, want %d", got, port)
	}
}

// checkClean is for the end of a test in which no service may have been misused.
func (w *world) checkClean() {
	w.t.Helper()
	for _, v := range append(w.bitbucket.Violations(), w.port.Violations()...) {
		w.t.Errorf("violation: %s", v)
	}
}

func (r ran) number(t *testing.T, name string) int {
	t.Helper()
	n, ok := r.report[name].(float64)
	if !ok {
		t.Fatalf("report has no number %q: %v\n%s%s", name, r.report[name], r.stdout, r.stderr)
	}
	return int(n)
}

// check compares the exit status and the output "status".
func (r ran) check(t *testing.T, exit int, status string) {
	t.Helper()
	if r.status != exit || r.report["status"] != status {
		t.Errorf("got exit status %d and %v, want %d and %s\n%s%s", r.status, r.report["status"], exit, status, r.stdout, r.stderr)
	}
}

// contains fails when a text is not in the standard output.
func (r ran) contains(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("standard output does not hold %q:\n%s", text, r.stdout)
		}
	}
}
