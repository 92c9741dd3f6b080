package resync_test

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
)

// One odd value in a list of Bitbucket is one failed object: it is named, all others go to
// Port, and nothing that it may have given is deleted.
func TestOddValueOfAList(t *testing.T) {
	const folders = `
- kind: folder
  selector: {query: 'true', folders: [{path: '*'}]}
  port: {entity: {mappings: {identifier: '.repo.slug + "-" + .folder.path', title: .folder.path, blueprint: '"service"'}}}`
	noSlug := map[string]any{"name": "Web", "uuid": "{w}"}
	for _, tt := range []struct {
		name, path   string
		value        any
		mapping      string
		told         string
		failed       int // objects
		left, others string
		blueprint    string
	}{
		{"project", "/workspaces/acme/projects", 7, projects, "resource 1 (project): list projects of workspace \"acme\": value 2 of the list", 1, "WEB", "API OPS", "project"},
		{"repository", "/repositories/acme", noSlug, repos, `value 2 of the list (name "Web", uuid "{w}"): it has no slug`, 1, "web", "api ops", "repo"},
		{"pull requests of a repository", "/repositories/acme", noSlug, pulls, `value 2 of the list (name "Web", uuid "{w}"): it has no slug`, 0,
			"web-1 web-2 web-3", "api-1 api-2 api-3 ops-1 ops-2 ops-3", "pull"},
		{"pull request", "/repositories/acme/web/pullrequests", map[string]any{"id": "2", "title": "Two"}, pulls,
			`list pull requests of repository "web": value 2 of the list (title "Two", id "2"): it has no id that is a number`, 1,
			"web-2", "api-1 api-2 api-3 ops-1 ops-2 ops-3 web-1 web-3", "pull"},
		{"folder", "/repositories/acme/web/src/*/", map[string]any{"type": "commit_directory"}, folders,
			`list folder "/" of repository "web": value 2 of the list: it has no path`, 1,
			"web-b", "api-a api-b api-c ops-a ops-b ops-c web-a web-c", "service"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := bitbuckettest.New("acme")
				for _, slug := range []string{"api", "web", "ops"} {
					b.AddProject(bitbuckettest.Project{Key: strings.ToUpper(slug)})
					b.AddRepository(bitbuckettest.Repository{Name: slug, ProjectKey: strings.ToUpper(slug), Files: map[string]string{"a/x": "", "b/x": "", "c/x": ""}})
					for range 3 {
						b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
					}
				}
				w := newWorld(t, b)
				w.unequal = true
				w.sync(mapped("createMissingRelatedEntities: true", tt.mapping)).ended(report.Success)
				b.Fault(bitbuckettest.Fault{Times: -1, Path: tt.path, Mutate: func(o map[string]any) { o["values"].([]any)[1] = tt.value }})
				r := w.sync(mapped("createMissingRelatedEntities: true", tt.mapping)).ended(report.Partial)
				r.problem("error", tt.told)
				all := strings.Fields(tt.left + " " + tt.others)
				r.has(tt.blueprint, all...)
				if want := len(strings.Fields(tt.others)); r.counts.Unchanged != want || r.counts.Failed != tt.failed || r.counts.Unread != tt.failed || r.deleted != 0 {
					t.Errorf("got %d unchanged, %d failed, %d unread and %d deleted, want %d, %d, %d and none\n%s",
						r.counts.Unchanged, r.counts.Failed, r.counts.Unread, r.deleted, want, tt.failed, tt.failed, r.story())
				}
				b.ClearFaults()
				w.sync(mapped("createMissingRelatedEntities: true", tt.mapping)).ended(report.Success).has(tt.blueprint, all...)
			})
		})
	}
}
