// Package matrix_test runs the whole program against both emulators while one of
// them misbehaves, in every way that there is a name for, on every route that a run
// uses, and holds each run to what must be true of all of them. The combinations are
// generated: a run without a fault shows the routes. In a second dimension nothing
// fails, and the workspace changes: each edit at each moment of a run that may matter.
package faultmatrix_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

const (
	token         = "workspace-token-in-tests"
	secondToken   = "second-workspace-token-in-tests"
	clientID      = "client-id-in-tests"
	clientSecret  = "client-secret-in-tests"
	consumerID    = "consumer-key-in-tests"
	consumerHush  = "consumer-secret-in-tests"
	identifier    = "matrix"
	bitbucketHost = "api.bitbucket.org"
	gitHost       = "bitbucket.org"
	portHost      = "api.port.io"
	// latency is what each request takes: requests overlap, and a run lasts long
	// enough for a heartbeat.
	latency = 300 * time.Millisecond
	// rateWindow is short, for the program waits two windows where each answer is 429.
	rateWindow = 10 * time.Minute
)

// world is both services, and a folder to run in.
type world struct {
	t         testing.TB
	bitbucket *bitbuckettest.Server
	port      *porttest.Server
	network   *network
	env       map[string]string
	dir       string
	runs      int       // so far
	insights  *insights // nil outside of a pipeline
}

// newWorld makes both services answer. It is called within a bubble.
func newWorld(t testing.TB, b *bitbuckettest.Server, p *porttest.Server, env map[string]string) *world {
	b.AllowToken(token, bitbuckettest.Access{Limit: -1})
	b.AllowToken(secondToken, bitbuckettest.Access{Limit: -1})
	b.AllowConsumer(consumerID, consumerHush, bitbuckettest.Consumer{Access: bitbuckettest.Access{Limit: -1}, Life: 2 * time.Second})
	b.MaxPage(3)
	p.AllowClient(clientID, clientSecret)
	p.Configure(porttest.Options{MaxPage: 5})
	w := &world{t: t, bitbucket: b, port: p, dir: t.TempDir(), env: map[string]string{
		"PORT_CLIENT_ID": clientID, "PORT_CLIENT_SECRET": clientSecret, "INTEGRATION_IDENTIFIER": identifier,
		"BITBUCKET_WORKSPACE": "acme", "BITBUCKET_WORKSPACE_TOKEN": token,
		"BITBUCKET_RATE_LIMIT": fmt.Sprintf("1000/%s,git=60000/%[1]s", rateWindow), "CONCURRENCY": "4", "SOURCE_READER": "rest",
		"REPORT_FILE": "report.json", "HTML_FILE": "page.html", "JUNIT_FILE": "checks.xml", "DOTENV_FILE": "port.env",
	}}
	maps.Copy(w.env, env)
	w.network = &network{
		services: map[string]http.RoundTripper{bitbucketHost: b.RoundTripper(), gitHost: b.RoundTripper(), portHost: p.RoundTripper()},
		sent:     map[string]*atomic.Int64{bitbucketHost: {}, gitHost: {}, portHost: {}},
	}
	return w
}

// github makes the world a step of a GitHub workflow.
func (w *world) github() {
	w.env["GITHUB_ACTIONS"] = "true"
	w.env["GITHUB_WORKSPACE"] = w.dir
	w.env["GITHUB_OUTPUT"] = filepath.Join(w.dir, "outputs")
	w.env["GITHUB_STEP_SUMMARY"] = filepath.Join(w.dir, "summary.md")
}

// network is the way from the program to both services: it takes time, it leads
// nowhere else, and it knows what is still open.
type network struct {
	services map[string]http.RoundTripper
	sent     map[string]*atomic.Int64 // requests of this run, by host
	open     atomic.Int64             // answers whose bodies are not closed
	before   func(*http.Request)
	others   atomic.Int64 // entities that somebody else has deleted

	mu        sync.Mutex
	elsewhere []string // requests to other hosts
}

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	service, ok := n.services[req.URL.Host]
	if !ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.elsewhere = append(n.elsewhere, req.Method+" "+req.URL.Redacted())
		return nil, fmt.Errorf("request to host %q, which is neither service", req.URL.Host)
	}
	if req.URL.Path != bitbuckettest.TokenRoute && req.URL.Host != proxyHost { // which a run does not tell of
		n.sent[req.URL.Host].Add(1)
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	if n.before != nil {
		n.before(req)
	}
	resp, err := service.RoundTrip(req)
	if err == nil {
		n.open.Add(1)
		resp.Body = &tracked{ReadCloser: resp.Body, closed: func() { n.open.Add(-1) }}
	}
	return resp, err
}

type tracked struct {
	io.ReadCloser
	once   sync.Once
	closed func()
}

func (b *tracked) Close() error {
	b.once.Do(b.closed)
	return b.ReadCloser.Close()
}

// ran is what one run left behind.
type ran struct {
	exit           int
	stdout, stderr string
	took           time.Duration
	report         runReport
	outputs        string // the file of a GitHub step
	summary, page  string
	checks         string // JUnit's XML
	variables      string // NAME=value
}

// runReport is the report file.
type runReport struct {
	Status     string
	Created    int     `json:"entities_created"`
	Updated    int     `json:"entities_updated"`
	Unchanged  int     `json:"entities_unchanged"`
	Deleted    int     `json:"entities_deleted"`
	Rejected   int     `json:"entities_rejected"`
	StaleKept  int     `json:"entities_stale_kept"`
	Extracted  int     `json:"objects_extracted"`
	Filtered   int     `json:"objects_filtered"`
	Skipped    int     `json:"objects_skipped"`
	Failed     int     `json:"objects_failed"`
	Bitbucket  int     `json:"bitbucket_requests"`
	Git        int     `json:"bitbucket_git_requests"`
	Port       int     `json:"port_requests"`
	Seconds    float64 `json:"duration_seconds"`
	Resources  []resourceReport
	Blueprints []struct {
		Identifier                                     string
		Created, Updated, Unchanged, Rejected, Deleted int
		StaleKept                                      int    `json:"stale_kept"`
		HeldBy                                         string `json:"held_by"`
	}
	Problems []struct {
		Severity, Message, Example, Fix string
		Count                           int
	}
}

type resourceReport struct {
	Index                                         int
	Kind                                          string
	Extracted, Transformed, Filtered, Skipped     int
	Failed                                        int
	Created, Updated, Unchanged, Rejected, Merged int
	Complete                                      bool
}

// run runs the program once.
func (w *world) run() ran {
	w.t.Helper()
	w.runs++
	w.insights.forget()
	for _, sent := range w.network.sent {
		sent.Store(0)
	}
	for _, name := range []string{"report.json", "outputs", "summary.md", "page.html", "checks.xml", "port.env"} {
		_ = os.Remove(filepath.Join(w.dir, name))
	}
	var environ []string
	for k, v := range w.env {
		environ = append(environ, k+"="+v)
	}
	var stdout, stderr bytes.Buffer
	start := time.Now()
	exit := app.Main(context.Background(), app.Process{Environ: environ, Stdout: &stdout, Stderr: &stderr, Dir: w.dir, Transport: w.network})
	r := ran{exit: exit, stdout: stdout.String(), stderr: stderr.String(), took: time.Since(start), outputs: w.read("outputs"), summary: w.read("summary.md"), page: w.read("page.html"), checks: w.read("checks.xml"), variables: w.read("port.env")}
	if text := w.read("report.json"); text == "" {
		w.t.Errorf("no report file:\n%s%s", r.stdout, r.stderr)
	} else if err := json.Unmarshal([]byte(text), &r.report); err != nil {
		w.t.Errorf("report file: %v", err)
	}
	return r
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

// readOutputs reads a GITHUB_OUTPUT file: name=value, or name<<end, lines, end.
func (r ran) readOutputs() map[string]string {
	values := map[string]string{}
	lines := strings.Split(r.outputs, "\n")
	for i := 0; i < len(lines); i++ {
		name, end, long := strings.Cut(lines[i], "<<")
		if !long {
			name, value, _ := strings.Cut(lines[i], "=")
			values[name] = value
			continue
		}
		var value []string
		for i++; i < len(lines) && lines[i] != end; i++ {
			value = append(value, lines[i])
		}
		values[name] = strings.Join(value, "\n")
	}
	return values
}
