package app_test

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// threeResources has three of them on the same repositories.
const threeResources = `resources:
  - kind: project
    selector: {query: "true"}
    port:
      entity:
        mappings: {identifier: .key, title: .name, blueprint: '"bitbucketProject"'}
  - kind: repository
    selector: {query: "true"}
    port:
      entity:
        mappings: {identifier: .slug, title: .name, blueprint: '"bitbucketRepository"', properties: {url: .links.html.href}}
  - kind: pull-request
    selector: {query: "true"}
    port:
      entity:
        mappings: {identifier: .destination.repository.full_name + "/" + (.id | tostring), title: .title, blueprint: '"bitbucketPullRequest"'}
`

// TestTranscripts compares what a person reads who comes to a run that went wrong, console and
// summary, with testdata/transcripts; -update writes them.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	computed := strings.ReplaceAll(threeResources, `'"bitbucketRepository"'`, `'"bitbucketRepositor" + "ies"'`)
	for _, tt := range []struct {
		name   string
		exit   int
		env    map[string]string
		before func(w *world)
	}{
		{"blueprint-missing", 2, map[string]string{"MAPPING": strings.ReplaceAll(threeResources, `"bitbucketPullRequest"`, `"bitbucketRepositories"`)}, func(w *world) {}},
		{"blueprint-missing-thrice", 2, map[string]string{"MAPPING": strings.NewReplacer(`"bitbucketPullRequest"`, `"service"`, `"bitbucketRepository"`, `"service"`, `"bitbucketProject"`, `"service"`).Replace(threeResources)}, func(w *world) {}},
		{"blueprint-computed", 3, map[string]string{"MAPPING": computed}, func(w *world) {}},
		{"token-wrong", 1, map[string]string{"BITBUCKET_WORKSPACE_TOKEN": "a-token-that-is-wrong"}, func(w *world) {}},
		{"token-revoked", 1, nil, func(w *world) { w.bitbucket.Revoke(token) }},
		{"scope-missing", 3, nil, func(w *world) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/pullrequests", Times: -1, Status: http.StatusForbidden})
		}},
		{"repositories-forbidden", 3, nil, func(w *world) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Status: http.StatusForbidden})
		}},
		{"workspace-unknown", 1, map[string]string{"BITBUCKET_WORKSPACE": "acne"}, func(w *world) {}},
		{"time-limit", 3, map[string]string{"TIME_LIMIT": "70s"}, func(w *world) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/pullrequests", Times: -1, Delay: time.Hour})
		}},
		{"repository-unreadable", 3, nil, func(w *world) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/ledger/pullrequests", Times: -1, Status: http.StatusForbidden})
		}},
		{"entities-rejected", 0, map[string]string{"MAPPING": strings.Replace(threeResources, "url: .links.html.href", "url: .size", 1)}, func(w *world) {}},
		{"port-secret-wrong", 1, map[string]string{"PORT_CLIENT_SECRET": "another-secret"}, func(w *world) {}},
		{"port-forbids-writes", 1, nil, func(w *world) {
			w.port.Fault(porttest.Fault{Method: http.MethodPost, Path: "/v1/blueprints/*/entities/bulk", Times: -1, Status: http.StatusForbidden, Header: http.Header{"X-Trace-Id": {"1f0c7a52"}}})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := virtual(t, smallBitbucket())
				w.transport = slow{w.transport}
				for _, slug := range []string{"checkout", "ledger"} {
					w.bitbucket.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "Retry on connection reset"})
				}
				tt.before(w)
				w.port.Fault(porttest.Fault{Times: -1, Header: http.Header{"X-Trace-Id": {"1f0c7a52"}}})
				env := map[string]string{"MAPPING": threeResources, "SYNC_STATUS": "false", "SHIP_LOGS": "false", "SEND_RAW_DATA_EXAMPLES": "false", "SUMMARY_FILE": "summary.md"}
				maps.Copy(env, tt.env)
				console, exit := w.console(env)
				if exit != tt.exit {
					t.Errorf("got exit status %d, want %d", exit, tt.exit)
				}
				checkGolden(t, filepath.Join("testdata", "transcripts", tt.name+".transcript"), console+"\n"+strings.Repeat("-", 80)+"\n\n"+w.read("summary.md"))
			})
		})
	}
}

// checkGolden compares a text with that of a file, which -update writes.
func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-), the program's (+), which -update writes:\n%s", file, diff)
	}
}
