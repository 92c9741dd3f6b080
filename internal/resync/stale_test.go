package resync_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

func TestStaleEntitiesAreDeleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("PAY/api", "PAY/web", "OLD/old")
		for range 3 {
			b.AddPullRequest("old", bitbuckettest.PullRequest{Title: "x"})
		}
		b.AddPullRequest("api", bitbuckettest.PullRequest{Title: "x"})
		w := newWorld(t, b)
		m := mapped(projects, repos, pulls)
		w.sync(m).ended(report.Success).is(want{"created": 2 + 3 + 4})
		b.RemoveRepository("old")
		b.RemoveProject("OLD")
		r := w.sync(m).ended(report.Success).is(want{"deleted": 1 + 1 + 3, "unchanged": 4, "kept": 0})
		r.has("repo", "api", "web").has("project", "PAY").has("pull", "api-1")
		var order []string // dependants first
		for _, e := range r.writes {
			order = append(order, strings.Split(e.Path, "/")[3])
		}
		if got, want := fmt.Sprint(order), "[pull repo project]"; got != want {
			t.Errorf("deletes: got %s, want %s", got, want)
		}
		w.sync(m).is(want{"writes": 0, "deleted": 0})
	})
}

func TestDeletesGoInHundreds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(300))
		w.sync(mapped(repos))
		for i := range 250 {
			w.bitbucket.RemoveRepository(fmt.Sprintf("r%02d", i))
		}
		w.sync(mapped(repos)).ended(report.Success).is(want{"deleted": 250, "writes": 3})
	})
}

// What a selector leaves out is not there for the mapping, and goes as any stale entity does: it is
// a choice, and no gap. A repository of which the list does not tell stays.
func TestChoicesAreNoGaps(t *testing.T) {
	t.Parallel()
	for keys, deleted := range map[string]int{
		"repos: [a*]": 3, "excludeRepos: [web, none-*]": 1, "projects: [PAY]": 2, "excludeProjects: [PAY]": 2, "activeWithin: 30": 1, "repos: ['*'], activeWithin: 400": 0,
	} {
		t.Run(keys, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("PAY/api", "PAY/web", "OPS/dns", "OPS/old"))
				for _, slug := range w.bitbucket.Slugs() {
					days := map[bool]int{true: 300}[slug == "old"]
					w.bitbucket.UpdateRepository(slug, func(r *bitbuckettest.Repository) { r.UpdatedOn = time.Now().AddDate(0, 0, -days) })
				}
				w.sync(mapped(projects, repos)).ended(report.Success).is(want{"created": 6})
				mapping := mapped(projects, strings.Replace(repos, "query: 'true'", "query: 'true', "+keys, 1))
				w.sync(mapping).ended(report.Success).is(want{"deleted": deleted})
				w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Mutate: func(page map[string]any) {
					for _, v := range page["values"].([]any) {
						delete(v.(map[string]any), "updated_on")
						delete(v.(map[string]any), "project")
					}
				}})
				w.sync(mapping).ended(report.Success).is(want{"deleted": 0})
			})
		})
	}
}

// A pull request that falls out of the window goes, and one that came since comes.
func TestWindowsMoveOn(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"since: 30", "maxResults: 2", "pullRequestQuery: 'updated_on >= now-30d'"} {
		t.Run(keys, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("PAY/api"))
				for _, days := range []int{20, 2} {
					w.bitbucket.AddPullRequest("api", bitbuckettest.PullRequest{Title: "a title", UpdatedOn: time.Now().AddDate(0, 0, -days)})
				}
				mapping := mapped(strings.Replace(entity("pull-request", `{identifier: .id|tostring, title: .title, blueprint: '"repo"'}`), "query: 'true'", "query: 'true', "+keys, 1))
				w.sync(mapping).ended(report.Success).is(want{"created": 2})
				time.Sleep(15 * 24 * time.Hour)
				w.bitbucket.AddPullRequest("api", bitbuckettest.PullRequest{Title: "a title", UpdatedOn: time.Now()})
				w.sync(mapping).ended(report.Success).is(want{"created": 1, "deleted": 1})
			})
		})
	}
}

// Each guard holds a deletion back. The first run creates, then "old" goes and
// something else goes wrong.
func TestGuards(t *testing.T) {
	t.Parallel()
	flaw := func(from, to string) string { return mapped(projects, strings.Replace(repos, from, to, 1)) }
	const list = "/repositories/acme"
	for _, c := range []struct {
		name    string
		mapping string // of the second run; "" is that of the first
		spoil   func(w *world)
		status  string
		guard   string
		stale   int // of repo, kept
	}{
		{"a selector that gives no boolean", flaw("query: 'true'", `query: 'if .slug == "web" then null else true end'`), nil, report.Partial, "selector.query raised an error", 2},
		{"an identifier that raises an error", flaw("identifier: .slug", `identifier: 'if .slug == "web" then error("no") else .slug end'`), nil, report.Partial, "identifier raised an error", 2},
		{"a blueprint that raises an error", flaw(`blueprint: '"repo"'`, `blueprint: 'if .slug == "web" then error("no") else "repo" end'`), nil, report.Partial, "blueprint raised an error", 2},
		{"a typo in the identifier", flaw("identifier: .slug", "identifier: .slugg"), nil, report.Success, "Port holds no entity", 3},
		{"a refused identifier of all", flaw("identifier: .slug", `identifier: '.slug + " "'`), nil, report.Partial, "Port holds no entity", 3},
		{"a selector that leaves out all", flaw("query: 'true'", `query: 'false'`), nil, report.Success, "Port holds no entity", 3},
		{"an empty filtered list", flaw("query: 'true'", `query: 'true', repoQuery: 'name = "none"'`), nil, report.Success, "empty under its userRole and repoQuery", 3},
		{"an empty list for a role", flaw("query: 'true'", `query: 'true', userRole: owner`),
			func(w *world) {
				for _, slug := range w.bitbucket.Slugs() {
					w.bitbucket.UpdateRepository(slug, func(r *bitbuckettest.Repository) { r.Roles = []string{"member"} })
				}
			}, report.Success, "empty under its userRole and repoQuery", 3},
		{"a project of no repository", flaw("query: 'true'", `query: 'true', projects: [EMPTY]`), func(w *world) {
			w.bitbucket.AddProject(bitbuckettest.Project{Key: "EMPTY"})
		}, report.Success, "empty under its projects", 3},
		{"a project that is not there", flaw("query: 'true'", `query: 'true', projects: [PAYS, PAY]`), nil, report.Success, `projects: the workspace has no project "PAYS"`, 1},
		{"a repository that is not there", flaw("query: 'true'", `query: 'true', repos: [apy, web]`), nil, report.Success, `repos: the workspace has no repository "apy"`, 2},
		{"an empty list", "", func(w *world) { w.bitbucket.RemoveRepository("api"); w.bitbucket.RemoveRepository("web") }, report.Partial, "was empty", 3},
		{"a list that answers 403", "", func(w *world) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: list, Times: -1, Status: 403})
		}, report.Partial, "not read completely", 3},
		{"a second page that fails", "", func(w *world) {
			for i := range 120 {
				w.bitbucket.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("more-%d", i), ProjectKey: "PAY"})
			}
			w.bitbucket.Fault(bitbuckettest.Fault{Path: list, Query: "page=", Times: -1, Status: 500})
		}, report.Partial, "not read completely", 1},
		{"a list shorter than it says", "", func(w *world) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: list, Times: -1, Mutate: func(page map[string]any) { page["values"] = page["values"].([]any)[:1] }})
		}, report.Partial, "not read completely", 2},
		{"the threshold", "entityDeletionThreshold: 0.1\n" + mapped(projects, repos), nil, report.Success, "1 of 4 entities are stale", 1},
		{"the threshold counts what was updated", "entityDeletionThreshold: 0.24\n" + mapped(projects, repos), func(w *world) {
			w.bitbucket.UpdateRepository("web", func(r *bitbuckettest.Repository) { r.Language = "rust" })
		}, report.Success, "1 of 4 entities are stale", 1},
		{"another resource of the blueprint", mapped(projects, repos, entity("project", `{identifier: .keyy, title: .name, blueprint: '"repo"'}`)), nil, report.Success, "resource 3", 1},
		{"another resource that can give any blueprint", mapped(projects, repos, entity("project", `{identifier: .keyy, title: .name, blueprint: '"re" + "po"'}`)), nil, report.Success, "resource 3", 1},
		{"another entry of the list", mapped(projects, entity("repository", `[{identifier: .slug, title: .name, blueprint: '"repo"'}, {identifier: .typo, blueprint: '"repo"'}]`)), nil, report.Success, "by the entry at mapping.yml:7:", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("PAY/api", "PAY/web", "PAY/old"))
				w.sync(mapped(projects, repos)).ended(report.Success).is(want{"created": 4})
				w.bitbucket.RemoveRepository("old")
				if c.spoil != nil {
					c.spoil(w)
				}
				m := c.mapping
				if m == "" {
					m = mapped(projects, repos)
				}
				r := w.sync(m).ended(c.status).is(want{"deleted": 0})
				r.heldBy("repo", c.guard, c.stale)
			})
		})
	}
}

// What closes one blueprint leaves the others open.
func TestGuardsAreForTheirBlueprintAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("PAY/api", "OLD/old")
		w := newWorld(t, b)
		m := mapped("deleteDependentEntities: true", projects, repos)
		w.sync(m)
		b.RemoveRepository("old")
		b.RemoveProject("OLD")
		r := w.sync(strings.Replace(m, "identifier: .slug", "identifier: .slugg", 1)).ended(report.Success)
		// project OLD is stale, and deletion is open for it; but repo old relates to it
		// and is held, and nothing may go along with it.
		r.is(want{"deleted": 0, "kept": 1 + 2}).has("project", "PAY", "OLD").has("repo", "api", "old")
		r.problem("warning", `"project" are not deleted`, "other entities relate to them")
		for _, e := range r.writes {
			if e.Query.Get("delete_dependents") != "false" {
				t.Errorf("%s with delete_dependents=%s, want false", e.Path, e.Query.Get("delete_dependents"))
			}
		}
	})
}

func TestBlueprintThatNoResourceNames(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/web"))
		w.sync(mapped(projects, repos))
		w.sync(mapped("entityDeletionThreshold: 1", projects)).ended(report.Success).is(want{"deleted": 2, "kept": 0}).has("repo").has("project", "PAY")
	})
}

// Stubs that Port made for what a kept entity relates to are needed.
func TestRelatedStubsAreNeeded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "OLD/old"))
		w.sync(mapped(repos)).ended(report.Success).is(want{"created": 2}).has("project", "PAY", "OLD")
		w.sync(mapped(repos)).is(want{"deleted": 0, "writes": 0}).has("project", "PAY", "OLD")
		w.bitbucket.RemoveRepository("old")
		w.sync(mapped(repos)).is(want{"deleted": 2}).has("project", "PAY").has("repo", "api")
	})
}

func TestEntitiesOfOthersAreUntouched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/old", "PAY/edited"))
		others := map[string]string{
			"other-tool":     "some-script/1.0",
			"other-instance": "port-ocean/bitbucket-cloud/1/another/exporter",
			"longer-name":    "port-ocean/bitbucket-cloud/1/my-test/exporter",
			"other-type":     "port-ocean/github/1/test/exporter",
		}
		for id, source := range others {
			w.port.PutEntity("repo", porttest.Entity{Identifier: id, Title: id, Datasource: source})
		}
		w.sync(mapped(projects, repos))
		edited := w.port.Catalog()["repo"]["edited"]
		edited.Datasource = "a person"
		w.port.PutEntity("repo", edited)
		w.bitbucket.RemoveRepository("old")
		w.bitbucket.RemoveRepository("edited")
		r := w.sync(mapped(projects, repos)).ended(report.Success).is(want{"deleted": 1})
		r.has("repo", "api", "edited", "other-tool", "other-instance", "longer-name", "other-type")
		for id := range others {
			if r.after["repo"][id].UpdatedAt != r.before["repo"][id].UpdatedAt {
				t.Errorf("%s was written, want it untouched", id)
			}
		}
	})
}

func TestDependants(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) *world {
		w := newWorld(t, acme("PAY/api", "PAY/old", "PAY/older"))
		before, after, _ := strings.Cut(blueprints[1], ",\n\t\t\t\"peers\"")
		_, after, _ = strings.Cut(after, "}")
		w.port.AddBlueprint(before + after)
		w.sync(mapped(projects, repos))
		w.port.PutEntity("service", porttest.Entity{Identifier: "shop", Relations: map[string]any{"repo": "old"}, Datasource: "someone"})
		w.bitbucket.RemoveRepository("old")
		w.bitbucket.RemoveRepository("older")
		return w
	}
	t.Run("of others keep what they relate to", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			r := start(t).sync(mapped(projects, repos)).ended(report.Success).is(want{"deleted": 1, "kept": 1})
			r.has("repo", "api", "old").has("service", "shop").problem("warning", "deleteDependentEntities: true")
		})
	})
	t.Run("go along when the mapping says so", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := start(t)
			w.unequal = true // the service of someone else
			w.sync(mapped("deleteDependentEntities: true", projects, repos)).ended(report.Success).is(want{"deleted": 2, "kept": 0}).has("repo", "api").has("service")
		})
	})
	t.Run("a delete that fails makes the run partial", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := start(t)
			w.port.Fault(porttest.Fault{Path: "/v1/blueprints/repo/bulk/entities/delete", Times: -1, Status: 403})
			r := w.sync(mapped(projects, repos)).ended(report.Partial).is(want{"deleted": 0, "kept": 2})
			r.problem("error", "could not be deleted", "403")
		})
	})
}

// With deleteDependentEntities, nothing that this run produced may go along.
func TestProducedEntitiesDoNotGoAlong(t *testing.T) {
	t.Parallel()
	const dependents = "deleteDependentEntities: true\nentityDeletionThreshold: 1"
	for _, c := range []struct{ name, second string }{
		{"with a relation that is not mapped any more", mapped(dependents, entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {language: .language}}`))},
		{"with a relation that a search finds", mapped(dependents, entity("repository",
			`{identifier: .slug, title: .name, blueprint: '"repo"', relations: {project: {combinator: '"and"', rules: [{property: '"$identifier"', operator: '"="', value: .project.key}]}}}`))},
		{"when Port refuses them", mapped(dependents, entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {size: '"big"'}, relations: {project: 'null'}}`),
			entity("repository", `{identifier: '"x-" + .slug', title: .name, blueprint: '"repo"'}`))},
		{"when they are refused before", mapped(dependents, entity("repository", `{identifier: .slug, title: 'if .slug == "api" then 5 else .name end', blueprint: '"repo"', relations: {project: 'null'}}`))},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("PAY/api", "PAY/web"))
				w.sync(mapped(projects, repos)).ended(report.Success)
				r := w.sync(c.second)
				for _, slug := range []string{"api", "web"} {
					if _, there := r.after["repo"][slug]; !there {
						t.Errorf("repo %s is gone, want it kept: it is in the workspace\n%s", slug, r.story())
					}
				}
			})
		})
	}
}

func TestUnreadablePullRequests(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := acme("PAY/api", "PAY/web", "PAY/old")
				for _, slug := range b.Slugs() {
					b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
				}
				w := newWorld(t, b)
				m := mapped(projects, repos, pulls)
				w.sync(m).is(want{"created": 7})
				b.RemovePullRequest("old", 1)
				b.AddPullRequest("old", bitbuckettest.PullRequest{Title: "y"})
				b.Fault(bitbuckettest.Fault{Path: "/repositories/acme/web/pullrequests", Times: -1, Status: status})
				r := w.sync(m).ended(report.Partial).is(want{"created": 1, "deleted": 1})
				r.has("pull", "api-1", "web-1", "old-2").heldBy("pull", `repository "web" was not read completely`, 1).heldBy("repo", "", 0)
				r.problem("error", fmt.Sprint(status), "repoQuery", `name != "web"`)
				if got, want := r.report.ExitStatus(report.Incomplete), 3; got != want {
					t.Errorf("exit status: got %d, want %d", got, want)
				}
			})
		})
	}
}

// The share is that of all owned entities, those that this run changed included.
func TestThresholdLetsPass(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/web", "PAY/old"))
		w.sync(mapped(projects, repos))
		for _, slug := range []string{"api", "web"} {
			w.bitbucket.UpdateRepository(slug, func(r *bitbuckettest.Repository) { r.Language = "rust" })
		}
		w.bitbucket.RemoveRepository("old")
		w.sync(mapped("entityDeletionThreshold: 0.25", projects, repos)).ended(report.Success).is(want{"updated": 2, "deleted": 1, "kept": 0})
	})
}
