package app_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/memtransport"
)

// pipeline makes the world a step of a pipeline of the repository checkout, with the mapping in a
// file of it. At the address is the proxy; nothing is at any other.
func (w *world) pipeline(proxy, mapping string) {
	w.t.Helper()
	w.env["BITBUCKET_PIPELINE_UUID"] = "{1}"
	w.env["BITBUCKET_REPO_FULL_NAME"] = "acme/checkout"
	w.env["BITBUCKET_COMMIT"] = w.bitbucket.History("checkout")[0]
	w.env["BITBUCKET_CLONE_DIR"] = w.dir
	w.env["MAPPING_FILE"] = "mapping.yml"
	w.write("mapping.yml", mapping)
	network := hosts{proxy: memtransport.RoundTripper(w.bitbucket.PipelineProxy("checkout"))}
	services := w.transport.(hosts)
	w.transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if _, isService := services[r.URL.Host]; isService {
			return services.RoundTrip(r)
		}
		if network[r.URL.Host] == nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		}
		return network.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const stepProxy = "localhost:29418"

// proxied are the requests that came by the proxy, without the commit.
func (w *world) proxied() (all []string) {
	for _, x := range w.bitbucket.Journal() {
		if x.Credential == bitbuckettest.ProxyCredential {
			_, below, _ := strings.Cut(x.Path, "/reports/")
			_, rest, _ := strings.Cut(below, "/")
			all = append(all, strings.TrimSuffix(fmt.Sprint(x.Method, " ", rest), " "))
		}
	}
	return all
}

// nullable has a property that is null in each of the three repositories.
var nullable = strings.Replace(repositories, "title: .name\n", "title: .name\n          team: .parent.owner\n", 1)

func TestCodeInsights(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, proxy string
		env         map[string]string
	}{
		{"step", stepProxy, nil},
		{"pipe", "host.docker.internal:29418", map[string]string{"BITBUCKET_PIPE_STORAGE_DIR": "/x", "DOCKER_HOST": "unix:///var/run/docker.sock"}},
		{"pipe of a known daemon", "172.17.0.1:29418", map[string]string{"BITBUCKET_PIPE_SHARED_STORAGE_DIR": "/x", "DOCKER_HOST": "tcp://172.17.0.1:2375"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				w.pipeline(tt.proxy, mixed)
				w.bitbucket.AddRepository(bitbuckettest.Repository{Name: "rejected"})
				w.run(tt.env).check(t, 0, "partial")
				w.bitbucket.ResetJournal()
				r := w.run(tt.env)
				r.check(t, 0, "partial")
				if diff := cmp.Diff(w.proxied(), []string{"DELETE", "PUT", "POST annotations"}); diff != "" {
					t.Errorf("requests by the proxy (-got +want):\n%s", diff)
				}
				if got, want := r.number(t, "bitbucket_requests"), w.bitbucket.Requests()-3; got != want {
					t.Errorf("got %d requests told, want the %d that came by the credential", got, want)
				}
				reports := w.bitbucket.Reports("checkout")
				if len(reports) != 1 {
					t.Fatalf("got %d reports, want one, which replaces that of the run before", len(reports))
				}
				got := reports[0]
				if got.Commit != w.env["BITBUCKET_COMMIT"] || got.Result != "PASSED" || got.Link == "" {
					t.Errorf("got %+v, want one that passed, of the commit of the pipeline", got)
				}
				checkFigures(t, got, r)
				want := []bitbuckettest.Annotation{{
					ExternalID: got.Annotations[0].ExternalID, Type: "BUG", Severity: "HIGH", Result: "FAILED",
					Summary: got.Annotations[0].Summary, Details: got.Annotations[0].Details, Path: "mapping.yml", Line: 8,
					Link: "https://bitbucket.org/acme/checkout/src/" + got.Commit + "/mapping.yml#lines-8",
				}}
				if diff := cmp.Diff(got.Annotations[:1], want); diff != "" {
					t.Errorf("annotations (-got +want):\n%s", diff)
				}
				if !strings.Contains(got.Annotations[0].Details, "\nfix: ") {
					t.Errorf("got details %q, want a fix in them", got.Annotations[0].Details)
				}
				w.checkClean()
			})
		})
	}
}

// checkFigures compares the data of the report with the report file.
func checkFigures(t *testing.T, got bitbuckettest.Report, r ran) {
	t.Helper()
	figures := map[string]string{}
	for _, d := range got.Data {
		figures[d.Title] = fmt.Sprint(d.Value)
	}
	for title, name := range map[string]string{
		"Objects extracted": "objects_extracted", "Entities created": "entities_created", "Entities updated": "entities_updated",
		"Entities unchanged": "entities_unchanged", "Entities deleted": "entities_deleted", "Entities rejected": "entities_rejected",
		"Stale entities kept": "entities_stale_kept", "Requests to Bitbucket": "bitbucket_requests",
	} {
		if want := fmt.Sprint(r.number(t, name)); figures[title] != want {
			t.Errorf("figure %q: got %q, want %s", title, figures[title], want)
		}
	}
	if figures["Status"] != r.report["status"] || len(got.Data) != 10 {
		t.Errorf("got %d figures, status %q, want 10 and %v", len(got.Data), figures["Status"], r.report["status"])
	}
}

// Each mode that looks at a mapping has a report of its own. Exit status and status are those of the run.
func TestCodeInsightsOfEachMode(t *testing.T) {
	t.Parallel()
	wrong := strings.Replace(repositories, ".slug", ".slug | | .x", 1)
	tests := []struct {
		name, mode, mapping string
		env                 map[string]string
		exit                int
		title, result       string
	}{
		{"validate", "validate", nullable, nil, 0, "Port mapping: mapping.yml", "PASSED"},
		{"validate a wrong one", "validate", wrong, nil, 2, "Port mapping: mapping.yml", "FAILED"},
		{"plan", "plan", repositories, map[string]string{"DETAILED_EXIT": "true"}, 10, "Port plan: acme to " + identifier, "PASSED"},
		{"sync", "sync", repositories, nil, 0, "Port sync: acme to " + identifier, "PASSED"},
		{"sync that fails", "sync", repositories, map[string]string{"PORT_CLIENT_SECRET": "wrong-secret"}, 1, "Port sync: acme to " + identifier, "FAILED"},
		{"sync with a wrong mapping", "sync", wrong, nil, 2, "Port sync: acme to " + identifier, "FAILED"},
		{"sync with wrong inputs", "sync", repositories, map[string]string{"CONCURRENCY": "none"}, 2, "Port sync: acme to " + identifier, "FAILED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				w.pipeline(stepProxy, tt.mapping)
				w.env["MODE"] = tt.mode
				r := w.run(tt.env)
				if r.status != tt.exit {
					t.Errorf("got exit status %d, want %d\n%s%s", r.status, tt.exit, r.stdout, r.stderr)
				}
				reports := w.bitbucket.Reports("checkout")
				if len(reports) != 1 || reports[0].Title != tt.title || reports[0].Result != tt.result {
					t.Fatalf("got %+v, want one: %s, %s", reports, tt.title, tt.result)
				}
				if got := reports[0].ID; !strings.HasPrefix(got, "port-bitbucket-exporter-"+tt.mode+"-") {
					t.Errorf("got id %q, want that of the mode %s", got, tt.mode)
				}
				if tt.mapping == wrong && (len(reports[0].Annotations) == 0 || reports[0].Annotations[0].Line != 8) {
					t.Errorf("got annotations %+v, want the wrong expression", reports[0].Annotations)
				}
				if got := w.bitbucket.Violations(); len(got) > 0 {
					t.Errorf("violations: %q", got)
				}
			})
		})
	}
}

// Without the proxy auto is silent, and true uses the credential, whose requests count.
func TestCodeInsightsWithoutTheProxy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		env     map[string]string
		reports int
		notice  string // a part of it; empty for none
	}{
		{"auto", nil, 0, ""},
		{"false", map[string]string{"CODE_INSIGHTS": "false"}, 0, ""},
		{"true", map[string]string{"CODE_INSIGHTS": "true"}, 1, ""},
		{"true without a credential", map[string]string{"CODE_INSIGHTS": "true", "MODE": "validate"}, 0, "there is no proxy of Bitbucket Pipelines at localhost:29418: connection refused; fix: run in a step"},
		{"true where no request is left", map[string]string{"CODE_INSIGHTS": "true", "MAX_REQUESTS": "1", "STATE_DIR": "state"}, 0, "not asked for: max_requests is used up; fix: raise max_requests"},
		{"true where no commit is known", map[string]string{"CODE_INSIGHTS": "true", "BITBUCKET_COMMIT": ""}, 0, "no commit of Bitbucket Pipelines is known"},
		{"true on GitHub", map[string]string{"CODE_INSIGHTS": "true", "GITHUB_ACTIONS": "true"}, 0, "no commit of Bitbucket Pipelines is known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				w.pipeline("nowhere", repositories)
				begin := time.Now()
				r := w.run(tt.env)
				r.check(t, 0, "success")
				if got := len(w.bitbucket.Reports("checkout")); got != tt.reports {
					t.Errorf("got %d reports, want %d\n%s", got, tt.reports, r.stderr)
				}
				if tt.env["MODE"] == "" {
					if got, want := r.number(t, "bitbucket_requests"), w.bitbucket.Requests(); got != want {
						t.Errorf("got %d requests told, want %d", got, want)
					}
				}
				checkNotice(t, r, tt.notice)
				if took := time.Since(begin); took != 0 {
					t.Errorf("got a delay of %s, want none", took)
				}
				w.checkClean()
			})
		})
	}
}

// Whatever the proxy answers, the run is what it is, and told once.
func TestCodeInsightsRefused(t *testing.T) {
	t.Parallel()
	const route = "/repositories/{workspace}/{repo_slug}/commit/{commit}/reports/{reportId}"
	tests := []struct {
		name   string
		fault  bitbuckettest.Fault
		env    map[string]string
		most   time.Duration
		notice string
	}{
		{"forbidden", bitbuckettest.Fault{Route: route, Method: "PUT", Status: 403}, nil, 0, "403 Forbidden: Forbidden; fix: have the pipeline run in the repository"},
		{"refused in the form of these routes", bitbuckettest.Fault{Route: route, Method: "PUT", Status: 400, Body: `{"code": 400, "message": "No\ntitle."}`}, nil, 0, "400 Bad Request: No title.; fix: set code_insights to false, and report"},
		{"annotations", bitbuckettest.Fault{Route: route + "/annotations", Status: 400}, nil, 0, "annotations are not there: POST "},
		{"no answer", bitbuckettest.Fault{Route: route, Times: -1, Delay: time.Hour}, nil, 30 * time.Second, "it took too long; fix: run again"},
		{"a slow answer", bitbuckettest.Fault{Route: route, Times: 2, Delay: time.Hour}, nil, 25 * time.Second, ""},
		{"passes", bitbuckettest.Fault{Route: route, Method: "PUT", Times: 2, Status: 503}, nil, 5 * time.Second, ""},
		{"down", bitbuckettest.Fault{Route: route, Times: -1, Status: 502, Body: "<html>"}, nil, 10 * time.Second, "502 Bad Gateway; fix: run again"},
		{"too many, for a long time", bitbuckettest.Fault{Route: route, Method: "PUT", Times: -1, Status: 503, Header: http.Header{"Retry-After": {"120"}}}, nil, 0, "503 Service Unavailable: Service Unavailable; fix: run again"},
		{"broken", bitbuckettest.Fault{Route: route, Times: -1, DropConnection: true}, nil, 10 * time.Second, "unexpected EOF; fix: run again"},
		{"redirect", bitbuckettest.Fault{Route: route, Method: "PUT", Redirect: "https://evil.example/"}, nil, 0, "302 Found; fix: set code_insights to false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				w.pipeline(stepProxy, nullable)
				w.bitbucket.Fault(tt.fault)
				begin := time.Now()
				r := w.run(tt.env)
				r.check(t, 0, "success")
				if took := time.Since(begin); took > tt.most {
					t.Errorf("got a delay of %s, want at most %s", took, tt.most)
				}
				checkNotice(t, r, tt.notice)
				w.checkClean()
			})
		})
	}
}

// checkNotice wants one notice, in the log and in the report file, or none.
func checkNotice(t *testing.T, r ran, notice string) {
	t.Helper()
	want := min(len(notice), 1)
	shown := r.stderr + r.stdout
	if got := strings.Count(shown, "Bitbucket shows no report of this run"); got != want || !strings.Contains(shown, notice) {
		t.Errorf("got %d notices, want %q:\n%s", got, notice, shown)
	}
	told := 0
	for _, p := range r.report["problems"].([]any) {
		if p := p.(map[string]any); strings.Contains(p["message"].(string), "Bitbucket shows no report of this run") {
			told++
			if p["severity"] != "notice" || p["fix"] == "" {
				t.Errorf("got %v, want a notice with a fix", p)
			}
		}
	}
	if told != want {
		t.Errorf("got %d notices in the report file, want %d", told, want)
	}
}

// The credential needs a scope, which the notice names.
func TestCodeInsightsNeedsAScope(t *testing.T) {
	t.Parallel()
	w := virtual(t, smallBitbucket())
	synctest.Test(t, func(t *testing.T) {
		w.pipeline("nowhere", strings.Replace(repositories, "kind: repository", "kind: project", 1))
		w.bitbucket.AllowToken(token, bitbuckettest.Access{Scopes: []string{"project"}})
		w.bitbucket.Fault(bitbuckettest.Fault{Method: "PUT", Times: -1, Status: 403,
			Body: `{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes.","detail":{"required":["repository:write"],"granted":["project"]}}}`})
		r := w.run(map[string]string{"CODE_INSIGHTS": "true"})
		checkNotice(t, r, "fix: give the credential the scope repository:write, or set code_insights to false")
		if strings.Contains(r.stderr+r.stdout, "credential refused") {
			t.Errorf("it is told twice:\n%s%s", r.stderr, r.stdout)
		}
		if r.status != 0 {
			t.Errorf("got exit status %d, want 0", r.status)
		}
	})
}

// manyProblems is a mapping of so many problems, each on a line of its own.
func manyProblems(n int) string {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(repositories, "\n") + "\n          properties:\n")
	for i := range n {
		fmt.Fprintf(&b, "            p%d: .name | nosuch%d\n", i, i)
	}
	return b.String()
}

func TestCodeInsightsOfManyProblems(t *testing.T) {
	t.Parallel()
	w := virtual(t, smallBitbucket())
	synctest.Test(t, func(t *testing.T) {
		w.pipeline(stepProxy, manyProblems(1500))
		w.run(map[string]string{"MODE": "validate"})
		reports := w.bitbucket.Reports("checkout")
		if len(reports) != 1 || len(reports[0].Annotations) != 1000 {
			t.Fatalf("got %d reports, want one with 1,000 annotations", len(reports))
		}
		if want := "Only the 1000 worst problems are annotated.\n"; !strings.HasPrefix(reports[0].Details, want) {
			t.Errorf("got details %q, want them to begin with %q", reports[0].Details, want)
		}
		if got := len(w.proxied()); got != 2+10 {
			t.Errorf("got %d requests, want 12", got)
		}
		w.checkClean()
	})
}

// A problem is the same one when its line moves: its annotation has the same id, and a code scanner
// knows it by the same fingerprint.
func TestCodeInsightsKnowAProblemAgain(t *testing.T) {
	t.Parallel()
	w := virtual(t, smallBitbucket())
	synctest.Test(t, func(t *testing.T) {
		w.pipeline(stepProxy, manyProblems(3))
		w.run(map[string]string{"MODE": "validate", "SARIF_FILE": "m.sarif"})
		first := w.bitbucket.Reports("checkout")[0].Annotations
		w.write("mapping.yml", "# a line more\n"+manyProblems(3))
		w.run(map[string]string{"MODE": "validate"})
		second := w.bitbucket.Reports("checkout")[0].Annotations
		if len(first) != 3 || len(second) != 3 {
			t.Fatalf("got %d and %d annotations, want 3", len(first), len(second))
		}
		for i := range second {
			if second[i].ExternalID != first[i].ExternalID || second[i].Line != first[i].Line+1 {
				t.Errorf("annotation %d: got %+v, want the id of %+v, a line below", i, second[i], first[i])
			}
			if _, name, _ := strings.Cut(first[i].ExternalID, "-validate-"); !strings.Contains(w.read("m.sarif"), strings.ReplaceAll(name[len("01234567-"):], "-", ":")) {
				t.Errorf("no result of the SARIF file has the fingerprint of %q", first[i].ExternalID)
			}
		}
		w.write("mapping.yml", manyProblems(1))
		w.run(map[string]string{"MODE": "validate"})
		if got := w.bitbucket.Reports("checkout")[0].Annotations; len(got) != 1 {
			t.Errorf("got %d annotations when two problems are mended, want 1", len(got))
		}
	})
}

// Nothing that is sent holds a secret, in whatever form, and hostile texts are of one line.
func TestCodeInsightsHoldNoSecret(t *testing.T) {
	t.Parallel()
	w := virtual(t, smallBitbucket())
	synctest.Test(t, func(t *testing.T) {
		const hostile = "::error::x ##vso[task.complete] \\u001b[31m \u202e<script>alert(1)</script> [a](javascript:alert(1)) @all"
		w.pipeline(stepProxy, strings.Replace(repositories, "title: .name", `title: '"`+token+`" | error("`+clientSecret+" "+hostile+strings.Repeat("long ", 600)+`")'`, 1))
		w.bitbucket.Record(true)
		w.env["MAPPING_FILE"] = "of-" + clientID + ".yml"
		w.write(w.env["MAPPING_FILE"], w.read("mapping.yml"))
		w.run(map[string]string{"INTEGRATION_IDENTIFIER": "mine-" + clientID})
		var bodies strings.Builder
		for _, x := range w.bitbucket.Journal() {
			if x.Credential == bitbuckettest.ProxyCredential {
				bodies.WriteString(x.Path + "\n" + string(x.RequestBody))
			}
		}
		for _, secret := range []string{token, clientSecret, clientID} {
			if strings.Contains(bodies.String(), secret) {
				t.Errorf("%q is sent:\n%s", secret, bodies.String())
			}
		}
		reports := w.bitbucket.Reports("checkout")
		if len(reports) != 1 || len(reports[0].Annotations) == 0 {
			t.Fatalf("got %+v, want annotations", reports)
		}
		all := reports[0].Details
		for _, a := range reports[0].Annotations {
			all += a.Summary + a.Details
		}
		if strings.ContainsAny(all, "\x1b\u202e\r\x00") {
			t.Errorf("a hidden character is sent: %q", all)
		}
		w.checkClean()
	})
}

// A run that a signal stops is shown, too, within the time that is left.
func TestCodeInsightsOfAStoppedRun(t *testing.T) {
	t.Parallel()
	for _, slow := range []bool{false, true} {
		t.Run(fmt.Sprint("slow ", slow), func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				w.pipeline(stepProxy, repositories)
				w.env["SYNC_STATUS"], w.env["SHIP_LOGS"] = "false", "false"
				w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Delay: time.Minute})
				if slow {
					w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/checkout/commit/**", Times: -1, Delay: time.Minute})
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				begin := time.Now()
				r := w.runContext(ctx, nil)
				r.check(t, 1, "failed")
				if got, want := time.Since(begin), 13*time.Second; slow && got > want || !slow && got > 10*time.Second {
					t.Errorf("got a run of %s, want %s at most", got, want)
				}
				reports := w.bitbucket.Reports("checkout")
				if got := slices.ContainsFunc(reports, func(r bitbuckettest.Report) bool { return r.Result == "FAILED" }); got == slow {
					t.Errorf("got %+v of a slow proxy (%t)", reports, slow)
				}
			})
		})
	}
}

// On the network the proxy is asked as any proxy of plain http is: for a whole address.
func TestCodeInsightsOnTheNetwork(t *testing.T) {
	t.Parallel()
	host := loopback(t)
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "29418"))
	if err != nil {
		t.Skipf("%s cannot be listened on: %v", host, err)
	}
	w := smallWorld(t)
	server := &http.Server{Handler: w.bitbucket.PipelineProxy("checkout")}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	maps.Copy(w.env, map[string]string{
		"BITBUCKET_PIPELINE_UUID": "{1}", "BITBUCKET_REPO_FULL_NAME": "acme/checkout", "BITBUCKET_COMMIT": w.bitbucket.History("checkout")[0],
		"BITBUCKET_PIPE_STORAGE_DIR": filepath.Join(w.dir, "pipe"), "DOCKER_HOST": "tcp://" + host + ":2375", "MAPPING": nullable,
	})
	w.transport = nil
	w.run(nil).check(t, 0, "success")
	if got := w.bitbucket.Reports("checkout"); len(got) != 1 || len(got[0].Annotations) == 0 {
		t.Errorf("got %+v, want a report with annotations", got)
	}
	w.checkClean()
}

// loopback is an address of this machine that no other test uses: all of 127.0.0.0/8 are on Linux.
func loopback(t *testing.T) string {
	t.Helper()
	any, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer any.Close()
	port := any.Addr().(*net.TCPAddr).Port
	return net.IPv4(127, 29, byte(port>>8), byte(port)).String()
}

// A problem has a line to be shown on where the mapping is a file of the checkout, by whatever
// name; not where a file of the same name happens to be elsewhere.
func TestCodeInsightsWhereTheMappingIs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		place func(t *testing.T, w *world) // makes the checkout, with the mapping in w.dir
		path  string
	}{
		{"the root", func(*testing.T, *world) {}, "mapping.yml"},
		{"below the root", func(_ *testing.T, w *world) { w.env["BITBUCKET_CLONE_DIR"] = filepath.Dir(w.dir) }, "DIR/mapping.yml"},
		{"outside", func(t *testing.T, w *world) { w.env["BITBUCKET_CLONE_DIR"] = t.TempDir() }, ""},
		{"an absolute name", func(_ *testing.T, w *world) { w.env["MAPPING_FILE"] = filepath.Join(w.dir, "mapping.yml") }, "mapping.yml"},
		{"by a symbolic link", func(t *testing.T, w *world) {
			w.env["BITBUCKET_CLONE_DIR"] = filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(w.dir, w.env["BITBUCKET_CLONE_DIR"]); err != nil {
				t.Skip(err)
			}
		}, "mapping.yml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				w.pipeline(stepProxy, nullable)
				tt.place(t, w)
				w.run(map[string]string{"MODE": "validate"})
				got := w.bitbucket.Reports("checkout")[0].Annotations[0]
				want := strings.Replace(tt.path, "DIR", filepath.Base(w.dir), 1)
				if got.Path != want || (got.Link == "") != (want == "") || (got.Line == 0) != (want == "") {
					t.Errorf("got %+v, want path %q", got, want)
				}
				w.checkClean()
			})
		})
	}
}
