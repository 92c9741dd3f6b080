// Package rerun_test runs the whole program again and again with one memory, in virtual
// time, while the workspace changes: what it costs, how old it may be, and whether Port
// holds what the workspace does.
package rerun_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

const (
	token        = "workspace-token-in-tests"
	clientID     = "client-id-in-tests"
	clientSecret = "client-secret-in-tests"
	identifier   = "rerun"
	latency      = 100 * time.Millisecond // of each request
	gitLimit     = 60_000
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // the garbage of many short runs can wait
	os.Exit(m.Run())
}

// sweep reports whether the largest cases are tried: they take minutes.
func sweep() bool { return os.Getenv("TESTS") == "sweep" }

// full reports whether more is tried, as .ci/run does.
func full() bool { return sweep() || os.Getenv("TESTS") == "full" }

// world is both services, and a folder whose part "state" is the memory.
type world struct {
	t         *testing.T
	bitbucket *bitbuckettest.Server
	port      *porttest.Server
	env       map[string]string
	dir       string
	asked     atomic.Int64 // requests in this run, to all hosts
	api, git  atomic.Int64 // those to Bitbucket's API and to its git host
	// kill is called at the request stopAt of the next run; 0 for none.
	stopAt int64
	kill   func(context.CancelFunc)
	cancel context.CancelFunc
}

// newWorld is called within a bubble.
func newWorld(t *testing.T, b *bitbuckettest.Server, env map[string]string) *world {
	b.AllowToken(token, bitbuckettest.Access{Limit: -1})
	w := &world{t: t, bitbucket: b, dir: t.TempDir(), env: map[string]string{
		"PORT_CLIENT_ID": clientID, "PORT_CLIENT_SECRET": clientSecret, "INTEGRATION_IDENTIFIER": identifier,
		"BITBUCKET_WORKSPACE": "acme", "BITBUCKET_WORKSPACE_TOKEN": token, "REPORT_FILE": "report.json",
		"STATE_DIR": "state", "SOURCE_READER": "rest", "BITBUCKET_RATE_LIMIT": "1000000/1h",
		"SEND_RAW_DATA_EXAMPLES": "false", "SHIP_LOGS": "false", "PUBLISH_MAPPING": "always",
	}}
	w.port = organization()
	maps.Copy(w.env, env)
	return w
}

// organization is one of Port that holds the blueprints of the mappings, and no entity.
func organization() *porttest.Server {
	p := porttest.New()
	p.AllowClient(clientID, clientSecret)
	p.Configure(porttest.Options{NoJournalBodies: true})
	for _, text := range porttest.DefaultBlueprints() {
		p.AddBlueprint(text)
	}
	p.AddBlueprint(`{"identifier": "file", "title": "File", "schema": {"properties": {"text": {"type": "string"}, "title": {"type": "string"}}}}`)
	return p
}

// RoundTrip is the way from the program to both services.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	if n := w.asked.Add(1); w.stopAt != 0 && n == w.stopAt {
		w.kill(w.cancel)
	}
	switch req.URL.Host {
	case "api.bitbucket.org":
		w.api.Add(1)
	case "bitbucket.org":
		w.git.Add(1)
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	switch req.URL.Host {
	case "api.bitbucket.org", "bitbucket.org":
		return w.bitbucket.RoundTripper().RoundTrip(req)
	case "api.port.io":
		return w.port.RoundTripper().RoundTrip(req)
	}
	return nil, fmt.Errorf("request to host %q, which is neither service", req.URL.Host)
}

// ran is what one run left behind.
type ran struct {
	t              *testing.T
	exit           int
	stdout, stderr string
	took           time.Duration
	report         runReport
	requests       int // to the API
	git            int // to the git host
	journal        []bitbuckettest.Exchange
}

// runReport is the part of the report file that is looked at.
type runReport struct {
	Status       string
	Created      int    `json:"entities_created"`
	Updated      int    `json:"entities_updated"`
	Unchanged    int    `json:"entities_unchanged"`
	Deleted      int    `json:"entities_deleted"`
	Requests     int    `json:"bitbucket_requests"`
	OldestReadAt string `json:"oldest_read_at"`
	FromMemory   int    `json:"repositories_from_memory"`
	Problems     []struct{ Severity, Message, Fix string }
}

// run runs the program once, with further variables.
func (w *world) run(env ...string) ran {
	w.t.Helper()
	w.bitbucket.ResetJournal()
	w.port.ResetJournal()
	for _, n := range []*atomic.Int64{&w.asked, &w.api, &w.git} {
		n.Store(0)
	}
	_ = os.Remove(filepath.Join(w.dir, "report.json")) // it may not be there
	var environ []string
	for k, v := range w.env {
		environ = append(environ, k+"="+v)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	w.cancel = stop
	var stdout, stderr bytes.Buffer
	start := time.Now()
	exit := app.Main(ctx, app.Process{Environ: append(environ, env...), Stdout: &stdout, Stderr: &stderr, Dir: w.dir, Transport: w})
	r := ran{
		t: w.t, exit: exit, stdout: stdout.String(), stderr: stderr.String(), took: time.Since(start),
		requests: int(w.api.Load()), git: int(w.git.Load()), journal: w.bitbucket.Journal(),
	}
	if text, err := os.ReadFile(filepath.Join(w.dir, "report.json")); err != nil {
		w.t.Errorf("no report: %v\n%s%s", err, r.stdout, r.stderr)
	} else if err := json.Unmarshal(text, &r.report); err != nil {
		w.t.Errorf("report: %v", err)
	}
	if r.report.Requests != r.requests {
		w.t.Errorf("the report has %d requests, %d were sent", r.report.Requests, r.requests)
	}
	for _, text := range append(w.bitbucket.Violations(), w.port.Violations()...) {
		w.t.Errorf("asked, and must not be: %s", text)
	}
	return r
}

// is checks how the run ended and how much it asked of Bitbucket's API and of the git host.
func (r ran) is(status string, requests, git int) ran {
	r.t.Helper()
	if r.report.Status != status || r.requests != requests || r.git != git {
		r.t.Errorf("got a run that is %s with %d requests and %d to git, want %s with %d and %d\n%s%s",
			r.report.Status, r.requests, r.git, status, requests, git, r.stdout, r.stderr)
	}
	return r
}

// files counts the requests for listings and files.
func (r ran) files() (n int) {
	for _, x := range r.journal {
		if x.Git || strings.Contains(x.Route, "/src/") {
			n++
		}
	}
	return n
}

// onDisk is how many bytes the memory takes.
func (w *world) onDisk() (bytes int64) {
	err := filepath.WalkDir(filepath.Join(w.dir, "state"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		bytes += info.Size()
		return nil
	})
	if err != nil {
		w.t.Errorf("the memory on disk: %v", err)
	}
	return bytes
}

// words makes texts that compress as prose does.
var words = strings.Fields(`the service reads orders from a queue and writes invoices to the ledger it is owned by
	payments run make test before each change deploy with helm chart values in deploy folder see runbook for alerts
	latency budget retries timeouts database schema migrations are applied at start dashboards metrics traces logs
	contact channel on call rotation weekly release notes follow semantic versions dependencies are updated monthly`)

func prose(random *rand.Rand, n int) string {
	var text strings.Builder
	for range n {
		text.WriteString(words[random.IntN(len(words))])
		text.WriteByte(' ')
	}
	return text.String()
}

// services is a workspace of repositories, each with a README and so many open pull requests.
func services(repositories, pullRequests int) *bitbuckettest.Server {
	random := rand.New(rand.NewPCG(1, 1))
	b := bitbuckettest.New("acme")
	b.AddProject(bitbuckettest.Project{Key: "ACME"})
	for i := range repositories {
		b.AddRepository(bitbuckettest.Repository{Name: slug(i), ProjectKey: "ACME", Files: map[string]string{"README.md": "# " + slug(i) + "\n" + prose(random, 300)}})
		for range pullRequests {
			b.AddPullRequest(slug(i), bitbuckettest.PullRequest{
				Title: prose(random, 6), Description: prose(random, 40), Reviewers: []bitbuckettest.User{{Name: "Dana Ruiz"}, {Name: "Kim Lee"}},
				CreatedOn: time.Now(), UpdatedOn: time.Now(),
			})
		}
	}
	return b
}

func slug(i int) string { return fmt.Sprintf("service-%04d", i) }

// defaultMapping is the documented one, given as an input.
func defaultMapping(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/default-mapping.yml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
