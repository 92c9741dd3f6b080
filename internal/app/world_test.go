package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
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
}

const token = "workspace-token-in-tests"

func newWorld(t *testing.T, b *bitbuckettest.Server) *world {
	t.Helper()
	p := porttest.New()
	p.AllowClient("client-id-in-tests", "client-secret-in-tests")
	b.AllowToken(token)
	bs, ps := httptest.NewServer(b), httptest.NewServer(p)
	t.Cleanup(bs.Close)
	t.Cleanup(ps.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &world{
		t: t, bitbucket: b, port: p, dir: t.TempDir(), transport: transport,
		env: map[string]string{
			"PORT_CLIENT_ID": "client-id-in-tests", "PORT_CLIENT_SECRET": "client-secret-in-tests",
			"PORT_BASE_URL": ps.URL, "BITBUCKET_HOST_URL": bs.URL + "/2.0",
			"BITBUCKET_WORKSPACE": "acme", "BITBUCKET_WORKSPACE_TOKEN": token,
			"REPORT_FILE": "report.json",
		},
	}
}

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
	status := app.Main(ctx, app.Process{Environ: environ, Stdout: &stdout, Stderr: &stderr, Dir: w.dir, Transport: w.transport})
	r := ran{status: status, stdout: stdout.String(), stderr: stderr.String()}
	if text, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(text, &r.report); err != nil {
			w.t.Fatalf("report file: %v", err)
		}
	}
	return r
}

func (r ran) number(t *testing.T, name string) int {
	t.Helper()
	n, ok := r.report[name].(float64)
	if !ok {
		t.Fatalf("report has no number %q: %v\n%s%s", name, r.report[name], r.stdout, r.stderr)
	}
	return int(n)
}
