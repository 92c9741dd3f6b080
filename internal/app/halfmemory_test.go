package app_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// withReadmes maps the repositories with a file of each.
const withReadmes = `  - kind: repository
    selector:
      query: "true"
      includedFiles: [README.md]
    port:
      entity:
        mappings:
          identifier: .slug
          title: .name
          blueprint: '"bitbucketRepository"'
          properties:
            readme: .__includedFiles["README.md"]
`

var portRequests = regexp.MustCompile(`\d+ to Port`)

// A run that may make seven requests reads half of the lists again. The others come from
// memory, and nothing of them goes: the summary says so.
func TestHalfFromMemory(t *testing.T) {
	t.Parallel()
	b := bitbuckettest.New("acme")
	for i := range 10 {
		slug := fmt.Sprintf("repo-%d", i)
		b.AddRepository(bitbuckettest.Repository{Name: slug, Files: map[string]string{"README.md": "# " + slug}})
		b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "one"})
	}
	w := virtual(t, b)
	w.github()
	maps.Copy(w.env, map[string]string{"STATE_DIR": "memory", "MAPPING": pullRequests + withReadmes, "SOURCE_READER": "rest"})
	synctest.Test(t, func(t *testing.T) {
		w.run(nil).check(t, 0, "success")
		if n := b.Requests(); n != 21 {
			t.Errorf("got %d requests of the first run, want 21", n)
		}
		time.Sleep(5*time.Hour + 30*time.Minute)
		w.port.Age(time.Hour)
		b.SetFile("repo-7", "README.md", []byte("# moved"))
		b.RemoveRepository("repo-8")
		// As a run has left them whose memory is lost.
		for i := range 10 {
			w.port.PutEntity("bitbucketPullRequest", porttest.Entity{Identifier: fmt.Sprintf("acme/repo-%d-99", i), Datasource: datasource})
		}
		w.port.Age(time.Hour)
		for _, name := range []string{"summary.md", "outputs"} { // those of the first run
			if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		r, paths := w.asked(map[string]string{"MAX_REQUESTS": "7"})
		r.check(t, 0, "success")
		if len(paths) != 7 {
			t.Errorf("got requests %q, want 7", paths)
		}
		got := w.outputs()
		if got["repositories_from_memory"] == "0" || got["oldest_read_at"] != "2000-01-01T00:00:00Z" {
			t.Errorf("got outputs %v", got)
		}
		r.contains(t, "memory between runs: the lists of "+got["repositories_from_memory"]+" repositories come from memory; the oldest was read at 2000-01-01T00:00:00Z, 5h30m before this run")
		summary := portRequests.ReplaceAllString(w.read("summary.md"), "N to Port") // those of the feed depend on timing
		checkGolden(t, "testdata/half-from-memory.md", summary)
		if strings.Contains(summary, "partial") {
			t.Error("what comes from memory makes the run partial")
		}
		w.checkClean()
	})
}
