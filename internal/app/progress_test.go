package app_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// many is a workspace of n repositories, each with a file.
func many(n int) *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	b.AddProject(bitbuckettest.Project{Key: "PAY"})
	for i := range n {
		b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("service-%03d", i), ProjectKey: "PAY", Files: map[string]string{"README.md": "# one"}})
	}
	return b
}

// withReadme maps each repository, with a file of it.
const withReadme = `resources:
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

// entities are those that a line of progress counts. Which of several results are there in time
// depends on how goroutines are scheduled.
var entities = regexp.MustCompile(`[0-9,]+ entities`)

// said are the lines of the log from the forecast on.
func said(r ran) []string {
	var lines []string
	for line := range strings.Lines(r.stderr) {
		line = entities.ReplaceAllString(strings.TrimSuffix(line, "\n"), "N entities")
		if len(lines) > 0 || strings.HasPrefix(line, "INFO  forecast") {
			lines = append(lines, line)
		}
	}
	return lines
}

func sameLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
}

// A run at a slow service says how far it is, once a minute; one of some seconds does not.
func TestProgressOfASlowRun(t *testing.T) {
	t.Parallel()
	for latency, want := range map[time.Duration][]string{
		10 * time.Millisecond: {},
		1300 * time.Millisecond: {
			"INFO  76 of 504 requests, 66 of 499 repositories, N entities, about 113 seconds left",
			"INFO  306 of 504 requests, 296 of 499 repositories, N entities, less than a minute left",
		},
	} {
		t.Run(latency.String(), func(t *testing.T) {
			t.Parallel()
			w := virtual(t, many(499))
			synctest.Test(t, func(t *testing.T) {
				hosts := w.transport.(hosts)
				hosts["api.bitbucket.org"] = late{hosts["api.bitbucket.org"], latency}
				r := w.run(map[string]string{"MAPPING": withReadme, "SOURCE_READER": "rest", "CONCURRENCY": "5"})
				r.check(t, 0, "success")
				got := said(r)
				sameLines(t, got[2:], want...)
			})
		})
	}
}

// What a run costs is told before it waits for the first time, also when the lists of
// repositories take more than one page. While it waits it says for what, and how long still.
func TestProgressOfALimitedRun(t *testing.T) {
	t.Parallel()
	w := virtual(t, many(250))
	synctest.Test(t, func(t *testing.T) {
		r := w.run(map[string]string{"MAPPING": withReadme, "SOURCE_READER": "rest", "BITBUCKET_RATE_LIMIT": "100/4m", "HTML_FILE": "report.html"})
		r.check(t, 0, "success")
		if page := w.read("report.html"); !strings.Contains(page, "the allowance of 1 credential") {
			t.Error("the page does not say what the run waited for")
		}
		sameLines(t, said(r),
			"INFO  forecast for 250 repositories: about 253 requests; 1 credential may make 100 in 4m: 8m of waiting, none with 3 credentials; 3 more if anything is to be deleted",
			"INFO  Port takes 70000 changed entities without a wait, and 2100 a second beyond them",
			"INFO  waiting until 00:04:00 UTC for the allowance of 1 credential; then 153 requests, about 8 minutes left",
			"INFO  100 of 253 requests, 97 of 250 repositories, N entities; waiting until 00:04:00 UTC, about 7 minutes left",
			"INFO  still waiting: 118 seconds until 00:04:00 UTC",
			"INFO  still waiting: 58 seconds until 00:04:00 UTC",
			"INFO  200 of 253 requests, 197 of 250 repositories, N entities; waiting until 00:08:00 UTC for the allowance of 1 credential; then 53 requests",
			"INFO  still waiting: 3 minutes until 00:08:00 UTC",
			"INFO  still waiting: 118 seconds until 00:08:00 UTC",
			"INFO  still waiting: 58 seconds until 00:08:00 UTC")
	})
}

// A pause before a request goes out again is told as a wait for a limit is, and stands in the page.
func TestProgressOfAnOutage(t *testing.T) {
	t.Parallel()
	w := virtual(t, many(2))
	w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"120"}}})
	synctest.Test(t, func(t *testing.T) {
		r := w.run(map[string]string{"MAPPING": withReadme, "SOURCE_READER": "rest", "HTML_FILE": "report.html"})
		r.check(t, 0, "success")
		const why = "Bitbucket, which did not answer as it should"
		if page := w.read("report.html"); !strings.Contains(page, why) {
			t.Error("the page does not say what the run waited for")
		}
		if want := "\nINFO  waiting until 00:02:00 UTC for " + why + "\nINFO  1 request; waiting until 00:02:00 UTC\n"; !strings.Contains(r.stderr, want) {
			t.Errorf("got %s\nwant %q", r.stderr, want)
		}
		// Port's page has a heartbeat each 10 seconds, and three durations once a minute.
		if got := w.port.Requests(); got > 40 {
			t.Errorf("got %d requests to Port, want at most 40", got)
		}
	})
}

// However small the allowance, the lists of repositories have it first: what the run costs is told
// before it waits, and no request is sent for it.
func TestForecastBeforeTheFirstPause(t *testing.T) {
	t.Parallel()
	w := virtual(t, many(201))
	synctest.Test(t, func(t *testing.T) {
		hosts := w.transport.(hosts)
		hosts["api.bitbucket.org"] = late{hosts["api.bitbucket.org"], time.Second}
		r := w.run(map[string]string{"MAPPING": withReadme, "SOURCE_READER": "rest", "BITBUCKET_RATE_LIMIT": "25/1m"})
		r.check(t, 0, "success")
		forecast, waiting := strings.Index(r.stderr, "forecast for 201 repositories: about 204 requests;"), strings.Index(r.stderr, "waiting until")
		if forecast < 0 || waiting < forecast {
			t.Errorf("the forecast stands at %d and the first wait at %d:\n%s", forecast, waiting, r.stderr)
		}
		if got := w.bitbucket.Requests(); got != 204 {
			t.Errorf("got %d requests, want 204", got)
		}
	})
}
