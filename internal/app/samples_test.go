package app_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/memtransport"
	"port-bitbucket-exporter/internal/port/porttest"
)

// samples are the files of examples/reports. Each is what one of the runs below leaves: the
// file that an input names, what the proxy of Pipelines is sent or, without either, what its
// console shows.
var samples = []struct{ file, run, input string }{
	{"plan.txt", "plan", ""},
	{"plan.md", "plan", "SUMMARY_FILE"},
	{"plan.html", "plan", "HTML_FILE"},
	{"resync.txt", "resync", ""},
	{"resync.md", "resync", "SUMMARY_FILE"},
	{"resync.html", "resync", "HTML_FILE"},
	{"resync.insights.json", "resync", sentToBitbucket},
	{"resync.junit.xml", "resync", "JUNIT_FILE"},
	{"resync.env", "resync", "DOTENV_FILE"},
	{"failed.txt", "failed", ""},
	{"failed.md", "failed", "SUMMARY_FILE"},
	{"failed.html", "failed", "HTML_FILE"},
	{"failed.json", "failed", "REPORT_FILE"},
	{"failed.sarif", "failed", "SARIF_FILE"},
	{"failed.codequality.json", "failed", "CODEQUALITY_FILE"},
}

const sentToBitbucket = "code_insights"

// sampleRuns are runs on the workspace of the demo, one after the other.
var sampleRuns = []struct {
	name   string
	exit   int
	env    map[string]string // of the platform, and of the run
	before func(w *world)
}{
	{"first", 0, inPipelines, func(*world) {}},
	{"plan", 10, onGitHub, changeWorkspace},
	{"resync", 3, inPipelines, breakWorkspace},
	{"failed", 2, inPipelines, func(w *world) {
		w.write("port/mapping.yml", strings.Replace(readRoot(w.t, "examples/mappings/slugs.yml"), `"bitbucketRepository"`, `"bitbucketRepositories"`, 1))
	}},
}

const sampleCommit = "7f3c2a91d05e4b8896a1f2c3d4e5f60718293a4b"

var (
	onGitHub = map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/portal", "GITHUB_SHA": sampleCommit,
		"INPUT_MODE": "plan", "INPUT_DETAILED_EXIT": "true",
	}
	inPipelines = map[string]string{
		"GITHUB_ACTIONS": "", "BITBUCKET_BUILD_NUMBER": "118", "BITBUCKET_REPO_FULL_NAME": "acme/portal", "BITBUCKET_COMMIT": sampleCommit,
	}
)

// shop is a part of the workspace of the demo: of more repositories than requests may be in
// flight at once the order is left to chance.
func shop() *bitbuckettest.Server {
	b := bitbuckettest.Sample()
	for _, key := range []string{"PLAT", "MOB", "DATA", "INT"} {
		b.RemoveProject(key)
	}
	for _, slug := range b.Slugs() {
		if !ofShop.MatchString(slug) {
			b.RemoveRepository(slug)
		}
	}
	return b
}

var ofShop = regexp.MustCompile(`^(checkout|ledger|refunds|fraud-check|payouts|storefront|help-centre|mail-push|returns|loyalty)-`)

// changeWorkspace is an ordinary week: a team is gone with its repositories, another begins.
func changeWorkspace(w *world) {
	b := w.bitbucket
	for _, slug := range []string{"returns-frontend", "returns-bff", "returns-content", "returns-e2e"} {
		b.RemoveRepository(slug)
	}
	for _, name := range []string{"Gift Cards API", "Gift Cards Web"} {
		b.AddRepository(bitbuckettest.Repository{Name: name, ProjectKey: "PAY", MainBranch: "main", Files: map[string]string{"README.md": "# " + name + "\n"}})
	}
	b.UpdateProject("CX", func(p *bitbuckettest.Project) { p.Description = "Web shop, help centre, gift cards" })
	b.UpdatePullRequest("checkout-api", 1, func(p *bitbuckettest.PullRequest) { p.Title = "Retry twice on connection reset" })
	b.UpdatePullRequest("checkout-api", 2, func(p *bitbuckettest.PullRequest) { p.State = "MERGED" })
	b.SetFile("checkout-api", "README.md", []byte("# Checkout API\n\nRun `make check` before you push.\n"))
}

// breakWorkspace is a bad day: an expression that gives the wrong type, one that gives null, and
// a repository that the credential must not read.
func breakWorkspace(w *world) {
	text := w.read("port/mapping.yml")
	text = strings.Replace(text, "private: .is_private", "private: .is_private | tostring", 1)
	text = strings.Replace(text, "defaultBranch: .mainbranch.name", "defaultBranch: .main_branch.name", 1)
	w.write("port/mapping.yml", text)
	w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/ledger-worker/pullrequests", Times: -1, Status: http.StatusForbidden})
}

// TestSamples compares examples/reports with what the program writes today; -update writes it.
func TestSamples(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)))
		w := virtual(t, shop())
		proxy := &insightsProxy{}
		w.transport.(hosts)[stepProxy] = memtransport.RoundTripper(proxy)
		w.transport = slow{w.transport}
		w.github() // its variables say nothing without GITHUB_ACTIONS
		if err := os.Mkdir(filepath.Join(w.dir, "port"), 0o755); err != nil {
			t.Fatal(err)
		}
		w.write("port/mapping.yml", readRoot(t, "examples/mappings/slugs.yml"))
		maps.Copy(w.env, map[string]string{
			"MAPPING_FILE": "port/mapping.yml", "INTEGRATION_IDENTIFIER": "acme", "CONCURRENCY": "100",
			"SYNC_STATUS": "false", "SHIP_LOGS": "false", "SEND_RAW_DATA_EXAMPLES": "false", // how many requests they are is left to chance
		})
		w.port.Fault(porttest.Fault{Times: -1, Header: http.Header{"X-Trace-Id": {"1f0c7a52"}}})
		for _, of := range sampleRuns {
			of.before(w)
			env := maps.Clone(of.env)
			for _, s := range samples {
				if s.run == of.name && s.input != "" && s.input != sentToBitbucket {
					env[s.input] = s.file
				}
			}
			console, exit := w.console(env)
			if exit != of.exit {
				t.Errorf("run %s: got exit status %d, want %d:\n%s", of.name, exit, of.exit, console)
			}
			for _, s := range samples {
				switch {
				case s.run != of.name:
				case s.input == "":
					w.write(s.file, console)
				case s.input == sentToBitbucket:
					w.write(s.file, proxy.text(t))
				}
			}
			time.Sleep(time.Hour)
		}
		known := map[string]bool{}
		for _, s := range samples {
			known[s.file] = true
			checkSample(t, s.file, w.read(s.file))
		}
		files, err := os.ReadDir(filepath.Join(root, "examples", "reports"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !known[f.Name()] {
				t.Errorf("examples/reports/%s is of no run", f.Name())
			}
		}
	})
}

// insightsProxy takes what is sent of Code Insights, and looks at nothing of it: no emulator has
// the repository of these runs.
type insightsProxy struct {
	Report      json.RawMessage   `json:"report"`
	Annotations []json.RawMessage `json:"annotations"`
}

func (p *insightsProxy) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPut:
		*p = insightsProxy{Annotations: []json.RawMessage{}}
		_ = json.NewDecoder(r.Body).Decode(&p.Report)
	case http.MethodPost:
		var some []json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&some)
		p.Annotations = append(p.Annotations, some...)
	}
}

// text is the last report with its annotations.
func (p *insightsProxy) text(t *testing.T) string {
	t.Helper()
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func checkSample(t *testing.T, file, got string) {
	t.Helper()
	if got == "" {
		t.Errorf("%s: nothing is written", file)
	}
	checkGolden(t, filepath.Join(root, "examples", "reports", file), got)
}

// console runs the program once, with both streams on one console.
func (w *world) console(env map[string]string) (shown string, exit int) {
	w.t.Helper()
	all := maps.Clone(w.env)
	maps.Copy(all, env)
	var environ []string
	for k, v := range all {
		environ = append(environ, k+"="+v)
	}
	var out bytes.Buffer
	exit = app.Main(w.t.Context(), app.Process{Environ: environ, Stdout: &out, Stderr: &out, Dir: w.dir, Transport: w.transport})
	return maskLines.ReplaceAllString(out.String(), ""), exit
}

// maskLines are those that GitHub takes in and never shows.
var maskLines = regexp.MustCompile(`(?m)^::add-mask::.*\n`)

// slow is a network on which the requests to one host take equally long, whatever their order.
type slow struct{ http.RoundTripper }

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(map[string]time.Duration{"api.bitbucket.org": 730, "bitbucket.org": 410, "api.port.io": 290}[r.URL.Host] * time.Millisecond)
	return s.RoundTripper.RoundTrip(r)
}
