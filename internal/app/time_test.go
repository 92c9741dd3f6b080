package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// virtual is a world for a synctest bubble: both services are called in process. Port has the
// default blueprints.
func virtual(t *testing.T, b *bitbuckettest.Server) *world {
	t.Helper()
	w := virtualWithoutBlueprints(t, b)
	w.addBlueprints()
	return w
}

func virtualWithoutBlueprints(t *testing.T, b *bitbuckettest.Server) *world {
	t.Helper()
	p := newPort()
	b.AllowToken(token)
	return &world{
		t: t, bitbucket: b, port: p, dir: t.TempDir(),
		transport: hosts{"api.bitbucket.org": b.RoundTripper(), "bitbucket.org": b.RoundTripper(), "api.port.io": p.RoundTripper()},
		env: map[string]string{
			"PORT_CLIENT_ID": clientID, "PORT_CLIENT_SECRET": clientSecret,
			"BITBUCKET_WORKSPACE": "acme", "BITBUCKET_WORKSPACE_TOKEN": token, "REPORT_FILE": "report.json",
		},
	}
}

// At the time limit nothing more is asked of Bitbucket; what is known is written, and
// nothing is deleted.
func TestTimeLimit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault bitbuckettest.Fault
		// entities of the first resource that come to Port
		want int
	}{
		{"in the second resource", bitbuckettest.Fault{Path: "/repositories/acme/*/pullrequests", Times: -1, Delay: 50 * time.Second}, 3},
		{"before anything is listed", bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Delay: time.Hour}, 0},
	}
	const mapping = repositories + `  - kind: pull-request
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: .destination.repository.slug + "-" + (.id | tostring)
          blueprint: '"bitbucketPullRequest"'
`
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				for range 60 {
					w.bitbucket.AddPullRequest("ledger", bitbuckettest.PullRequest{Title: "one"})
				}
				w.addStale()
				w.bitbucket.Fault(tt.fault)
				r := w.run(map[string]string{"TIME_LIMIT": "70s", "MAPPING": mapping, "CONCURRENCY": "1"})
				r.check(t, 3, "partial")
				if got := r.number(t, "duration_seconds"); got != 70 {
					t.Errorf("got a run of %d seconds, want 70", got)
				}
				if got := r.number(t, "entities_created"); got < tt.want {
					t.Errorf("got %d entities created, want at least %d", got, tt.want)
				}
				if got, ok := r.report["entities_deleted"]; got != 0.0 || !w.holds("bitbucketRepository", "stale") {
					t.Errorf("got %v entities deleted (%v), want none", got, ok)
				}
				r.contains(t, "the time limit was reached")
			})
		})
	}
}

// A limit that is not reached changes nothing.
// A git host that sends nothing is waited for as long as the limit allows; REST is not asked
// for files then.
func TestTimeLimitOverGit(t *testing.T) {
	t.Parallel()
	for _, reader := range []string{"auto", "git"} {
		t.Run(reader, func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				w.addStale()
				w.bitbucket.Fault(bitbuckettest.Fault{Route: bitbuckettest.GitUpload, Times: -1, Delay: time.Hour})
				r := w.run(map[string]string{"TIME_LIMIT": "70s", "MAPPING": readmes, "SOURCE_READER": reader})
				r.check(t, 3, "partial")
				if got := r.number(t, "duration_seconds"); got != 70 {
					t.Errorf("got a run of %d seconds, want 70", got)
				}
				if got, ok := r.report["entities_deleted"]; got != 0.0 || !w.holds("bitbucketRepository", "stale") {
					t.Errorf("got %v entities deleted (%v), want none", got, ok)
				}
				if listed := w.listed(); len(listed) > 0 || w.bitbucket.GitRequests() == 0 {
					t.Errorf("got %q asked over REST and %d requests to the git host, want lists of repositories, and some", listed, w.bitbucket.GitRequests())
				}
				r.contains(t, "the time limit was reached")
			})
		})
	}
}

func TestTimeLimitNotReached(t *testing.T) {
	t.Parallel()
	w := virtual(t, smallBitbucket())
	synctest.Test(t, func(t *testing.T) {
		w.addStale()
		r := w.run(map[string]string{"TIME_LIMIT": "70s", "MAPPING": repositories})
		r.check(t, 0, "success")
		if got := r.number(t, "entities_deleted"); got != 1 {
			t.Errorf("got %d entities deleted, want 1", got)
		}
	})
}

// A service that fails for a while is asked again; one that goes on failing ends the run,
// since whether there is a stored mapping is not known.
func TestIntegrationFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		times int
		exit  int
		want  string
	}{
		{"four times", 4, 0, "success"},
		{"always", -1, 1, "failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				w.port.Fault(porttest.Fault{Method: http.MethodGet, Path: "/v1/integration/**", Times: tt.times, Status: http.StatusServiceUnavailable, Body: "<html>"})
				for _, mapping := range []string{"", repositories} {
					w.bitbucket.ResetJournal()
					r := w.run(map[string]string{"MAPPING": mapping})
					r.check(t, tt.exit, tt.want)
					if n := w.bitbucket.Requests(); tt.exit == 1 && n > 0 {
						t.Errorf("got %d requests to Bitbucket, want none", n)
					}
				}
				if writes := w.port.Writes(); tt.exit == 1 && len(writes) > 0 {
					t.Errorf("written to Port: %s %s", writes[0].Method, writes[0].Path)
				}
			})
		})
	}
}

// A warning of the mapping is told once where an annotation is a line of the log, and
// on GitHub, where it stands apart, in the log too.
func TestMappingWarning(t *testing.T) {
	t.Parallel()
	for _, github := range []bool{false, true} {
		t.Run(fmt.Sprintf("GitHub %t", github), func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			if github {
				w.github()
			}
			synctest.Test(t, func(t *testing.T) {
				r := w.run(map[string]string{"MAPPING": strings.Replace(repositories, "title: .name", "title: .name + env.HOME", 1)})
				r.check(t, 0, "success")
				const place = "mapping (input):9:"
				got := fmt.Sprint(strings.Count(r.stdout, "WARNING "+place), strings.Count(r.stdout, "::warning::"+place), strings.Count(r.stderr, "WARNING "+place))
				if want := map[bool]string{false: "1 0 0", true: "0 1 1"}[github]; got != want {
					t.Errorf("told as a line, as an annotation, in the log: got %s, want %s\n%s%s", got, want, r.stdout, r.stderr)
				}
			})
		})
	}
}

// One page of three repositories, with one included file of each.
// With an allowance of their own the files do not wait for the other requests.
func TestRateLimitOfSource(t *testing.T) {
	t.Parallel()
	const mapping = `resources:
  - kind: repository
    selector:
      query: "true"
      includedFiles: [README.md]
    port:
      entity:
        mappings:
          identifier: .slug
          title: .__includedFiles["README.md"]
          blueprint: '"bitbucketRepository"'
`
	for limit, want := range map[string]int{"2/1h": 3600, "2/1h,src=3/1h": 0, "4/1h,src=1/2h": 4 * 3600} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				r := w.run(map[string]string{"BITBUCKET_RATE_LIMIT": limit, "MAPPING": mapping, "SOURCE_READER": "rest"})
				r.check(t, 0, "success")
				if got := r.number(t, "bitbucket_requests"); got != 4 {
					t.Errorf("got %d requests, want one list and three files", got)
				}
				if got := r.number(t, "duration_seconds"); got != want {
					t.Errorf("got a run of %d seconds, want %d", got, want)
				}
			})
		})
	}
}
