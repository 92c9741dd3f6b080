package resync_test

import (
	"fmt"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
)

func TestRequestsAreExact(t *testing.T) {
	t.Parallel()
	const withFiles = `
- kind: repository
  selector: {query: 'true', includedFiles: [README.md]}
  port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '"repo"', properties: {readme: '.__includedFiles["README.md"]'}}}}`
	const narrowed = `
- kind: repository
  selector: {query: 'true', repoQuery: 'name = "no-such"'}
  port: {entity: {mappings: {identifier: .slug, blueprint: '"repo"'}}}`
	// 102 projects, 120 repositories of which one is empty, 300 open pull requests of
	// which 64 in one repository.
	for _, c := range []struct {
		name    string
		mapping string
		want    int
	}{
		{"projects", mapped(projects), 2},
		{"repositories", mapped(repos), 2},
		{"two resources share a list", mapped(repos, repos), 2},
		{"another query is another list", mapped(repos, narrowed), 2 + 1},
		{"files", mapped(withFiles), 2 + 119},
		{"pull requests", mapped(pulls), 2 + 119 + 2},
		{"all", mapped(projects, withFiles, pulls), 2 + 2 + 119 + 119 + 2},
		{"pull requests twice", mapped(pulls, pulls), 2 + 2*(119+2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := bitbuckettest.Sample()
				for i := range 96 {
					b.AddProject(bitbuckettest.Project{Key: fmt.Sprintf("P%d", i)})
				}
				newWorld(t, b).sync(c.mapping).ended(report.Success).is(want{"requests": c.want})
			})
		})
	}
}

// What Port answers differs from what was sent in every way it can: nulls, times,
// the order of to-many relations.
func TestSecondRunWritesNothing(t *testing.T) {
	t.Parallel()
	rich := entity("repository", `{identifier: .slug, title: .name, icon: '"Git"', blueprint: '"repo"', team: '["b", "a"]',
    properties: {url: .links.html.href, size: '9007199254740993', created: '.created_on | sub("\\+00:00$"; "+00:00")', description: 'null',
      raw: '{a: null, b: [1.0, 1e2]}', tags: '[]'},
    relations: {project: .project.key, peers: '["zeta", "alpha", "mid"]'}}`)
	enriched := entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {language: .language}}`)
	list := entity("repository", `[{identifier: .slug, title: .name, blueprint: '"repo"'}, {identifier: .slug, blueprint: '"repo"', properties: {private: .is_private}},
    {identifier: '"svc-" + .slug', title: .name, blueprint: '"service"', relations: {repo: .slug}}]`)
	collision := entity("repository", `{identifier: '.slug[0:3]', title: .name, blueprint: '"repo"', properties: {language: .language}}`)
	dynamic := entity("repository", `{identifier: .slug, title: .name, blueprint: 'if .is_private then "repo" else "service" end'}`)
	for i, c := range []struct{ name, mapping string }{
		{"three kinds", mapped(projects, repos, pulls)},
		{"in the other order", mapped(pulls, repos, projects)},
		{"what Port rewrites", mapped(rich)},
		{"enrichment", mapped(repos, enriched)},
		{"list of mappings", mapped(list)},
		{"collision", mapped(collision)},
		{"computed blueprint", mapped(dynamic)},
		{"without merge", mapped("enableMergeEntity: false", projects, repos, pulls)},
		{"without merge, what Port rewrites", mapped("enableMergeEntity: false", rich)},
		{"without creating related entities", mapped("createMissingRelatedEntities: false", pulls, repos, projects)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if i%5 > 0 {
				skipShort(t)
			}
			bubble(t, func(t *testing.T) {
				w := newWorld(t, bitbuckettest.Sample())
				w.unequal = true // stubs are filled
				first := w.sync(c.mapping).ended(report.Success)
				w.unequal = false
				second := w.sync(c.mapping).ended(report.Success)
				second.is(want{"writes": 0, "created": 0, "updated": 0, "deleted": 0, "unchanged": first.counts.Created + first.counts.Updated, "merged": first.counts.Merged})
			})
		})
	}
}

func TestOneChangeIsOneWrite(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, bitbuckettest.Sample())
		m := mapped(projects, repos, pulls)
		w.sync(m).is(want{"created": 6 + 120 + 300})
		w.bitbucket.UpdateRepository("checkout-api", func(r *bitbuckettest.Repository) { r.Language = "rust" })
		w.bitbucket.AddPullRequest("checkout-api", bitbuckettest.PullRequest{Title: "New"})
		r := w.sync(m).ended(report.Success).is(want{"created": 1, "updated": 1, "unchanged": 425, "writes": 2})
		if got, want := r.after["repo"]["checkout-api"].Properties["language"], "rust"; got != want {
			t.Errorf("language: got %v, want %v", got, want)
		}
	})
}

func TestTitleIconAndTeam(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api"))
		m := func(team string) string {
			return mapped(entity("repository", `{identifier: .slug, title: '"The " + .name', icon: '"Git"', team: '`+team+`', blueprint: '"repo"'}`))
		}
		e := w.sync(m(`["a", "b"]`)).is(want{"created": 1}).after["repo"]["api"]
		if e.Title != "The api" || e.Icon != "Git" || fmt.Sprint(e.Team) != "[a b]" {
			t.Errorf("got title %q, icon %q, team %v; want The api, Git, [a b]", e.Title, e.Icon, e.Team)
		}
		w.sync(m(`["b", "a"]`)).is(want{"unchanged": 1, "writes": 0})
		if got := w.sync(m(`"c"`)).is(want{"updated": 1}).after["repo"]["api"].Team; fmt.Sprint(got) != "[c]" {
			t.Errorf("team: got %v, want [c]", got)
		}
	})
}
