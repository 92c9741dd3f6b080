package resync_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/prune"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// The documented default mapping makes the identifier of a pull request of a name and a
// number, with nothing between them.
const joinedPulls = `
- kind: pull-request
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: '.destination.repository.name + (.id|tostring)', title: .title, blueprint: '"pull"', properties: {status: .state}}}}`

// unreadable fails every request to a repository's own routes, while the list names it.
func unreadable(b *bitbuckettest.Server, status int, slugs ...string) {
	b.Fault(bitbuckettest.Fault{Times: -1, Status: status, Match: func(r *http.Request) bool {
		_, path, _ := strings.Cut(r.URL.Path, "/repositories/acme/")
		for _, slug := range slugs {
			if path == slug || strings.HasPrefix(path, slug+"/") {
				return true
			}
		}
		return false
	}})
}

// A repository that is listed and answers 404 on every route of its own is there, and
// cannot be read: nothing of it is deleted, and the others' entities go all the same.
func TestListedAndNotReadable(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusForbidden} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := bitbuckettest.New("acme")
				for i := range 20 {
					name := fmt.Sprintf("r%02d", i)
					b.AddRepository(bitbuckettest.Repository{Name: name, Files: map[string]string{"README.md": "# " + name}})
					b.AddPullRequest(name, bitbuckettest.PullRequest{Title: "x"})
				}
				w := newWorld(t, b)
				readmes := strings.Replace(repos, "query: 'true'", "query: 'true', includedFiles: [README.md]", 1)
				readmes = strings.Replace(readmes, "relations: {project: .project.key}", "", 1)
				m := mapped(strings.Replace(readmes, "url: .links.html.href,", `readme: '.__includedFiles["README.md"]',`, 1), joinedPulls)
				w.sync(m).is(want{"created": 40})
				unreadable(b, status, "r03", "r07", "r11", "r15")
				b.RemovePullRequest("r05", 1)
				b.RemovePullRequest("r15", 1)
				b.RemoveRepository("r19")
				for range 2 { // in every run
					r := w.sync(m).ended(report.Partial).is(want{"kept": 8})
					for _, slug := range []string{"r03", "r07", "r11", "r15"} {
						if _, there := r.after["repo"][slug]; !there {
							t.Errorf("repository %s is deleted\n%s", slug, r.story())
						}
						if _, there := r.after["pull"][slug+"1"]; !there {
							t.Errorf("the pull request of repository %s is deleted\n%s", slug, r.story())
						}
						r.problem("error", fmt.Sprintf("repository %q", slug), fmt.Sprint(status))
					}
					for _, id := range []string{"r051", "r191"} {
						if _, there := r.after["pull"][id]; there {
							t.Errorf("pull request %s is kept, and gone\n%s", id, r.story())
						}
					}
					if _, there := r.after["repo"]["r19"]; there {
						t.Errorf("repository r19 is kept, and gone\n%s", r.story())
					}
				}
				b.ClearFaults()
				r := w.sync(m).ended(report.Success).is(want{"deleted": 1, "kept": 0})
				if _, there := r.after["pull"]["r151"]; there {
					t.Errorf("the pull request that went meanwhile is kept\n%s", r.story())
				}
			})
		})
	}
}

// Where entities cannot be told apart by their repository, one that cannot be read holds
// back all of them, and the message names the way out.
func TestNotToldApart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "b", "c")
		for _, slug := range b.Slugs() {
			b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "of-" + slug})
			b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "more-of-" + slug})
		}
		w := newWorld(t, b)
		m := mapped(entity("pull-request", `{identifier: .title, title: .title, blueprint: '"pull"'}`))
		w.sync(m).is(want{"created": 6})
		b.RemovePullRequest("a", 1)
		unreadable(b, http.StatusForbidden, "b")
		r := w.sync(m).ended(report.Partial).heldBy("pull", `repository "b" was not read completely`, 3)
		r.problem("warning", "not deleted", `leave it out by the selector's repoQuery: 'name != "b"'`)
		r = w.sync(strings.Replace(m, "query: 'true'", `query: 'true', repoQuery: 'name != "b"'`, 1)).ended(report.Success)
		r.has("pull", "of-c", "more-of-a", "more-of-c")
	})
}

// An identifier of a name and a number can be one of two repositories: what the one that
// cannot be read may have made stays.
func TestAmbiguousIdentifier(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "a1", "ab")
		for _, slug := range b.Slugs() {
			for range 3 {
				b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
			}
		}
		w := newWorld(t, b)
		m := mapped(joinedPulls)
		w.sync(m)
		b.RemovePullRequest("a1", 2) // "a12", as number 12 of repository a would be
		b.RemovePullRequest("ab", 2) // "ab2" is none of a's
		unreadable(b, http.StatusForbidden, "a")
		w.sync(m).heldBy("pull", `repository "a" was not read completely`, 4).has("pull", "a1", "a2", "a3", "a11", "a12", "a13", "ab1", "ab3")
	})
}

// A repository that is away while the list is read, and back before the deletion.
func TestAwayForAWhile(t *testing.T) {
	t.Parallel()
	for _, m := range []string{mapped(repos, joinedPulls), mapped(entity("pull-request", `{identifier: .title, title: .title, blueprint: '"pull"'}`))} {
		bubbled := func(t *testing.T) {
			b := acme("a", "b")
			for _, slug := range b.Slugs() {
				b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "of-" + slug})
			}
			w := newWorld(t, b)
			before := w.sync(m)
			var lists atomic.Int32
			b.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: 1, Mutate: func(page map[string]any) {
				lists.Add(1)
				page["values"], page["size"] = page["values"].([]any)[:1], 1
			}})
			r := w.sync(m).ended(report.Success).is(want{"deleted": 0})
			if lists.Load() != 1 {
				t.Fatal("the list was not changed")
			}
			r.problem("warning", `"b" is there, and was not in the list when the run read it`)
			w.sync(m).is(want{"created": 0, "unchanged": len(before.after["repo"]) + len(before.after["pull"])})
		}
		t.Run(fmt.Sprint(len(m)), func(t *testing.T) { bubble(t, bubbled) })
	}
}

// A project that is missed while the list is read is there in the second reading.
func TestProjectAwayForAWhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("A/a", "B/b"))
		m := mapped(projects)
		w.sync(m).is(want{"created": 2})
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/workspaces/acme/projects", Times: 1, Mutate: func(page map[string]any) {
			page["values"], page["size"] = page["values"].([]any)[:1], 1
		}})
		w.sync(m).ended(report.Success).is(want{"deleted": 0, "kept": 1})
		w.bitbucket.RemoveRepository("b")
		w.bitbucket.RemoveProject("B")
		w.sync(m).ended(report.Success).is(want{"deleted": 1, "kept": 0})
	})
}

// A list that cannot be read again before the deletion deletes nothing.
func TestSecondReadingFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("a", "b"))
		m := mapped(repos)
		w.sync(m)
		w.bitbucket.RemoveRepository("b")
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Nth: 2, Times: -1, Status: http.StatusForbidden})
		r := w.sync(m).ended(report.Partial).is(want{"deleted": 0, "kept": 1})
		r.problem("error", "read again before the deletion", "403")
		w.bitbucket.ClearFaults()
		w.sync(m).is(want{"deleted": 1})
	})
}

// What was read to its end, and is empty, is known to be gone.
func TestEmptyIsKnown(t *testing.T) {
	t.Parallel()
	catalogFiles := `
- kind: file
  selector: {query: 'true', files: [{path: "**/catalog.yml"}]}
  port: {entity: {mappings: {identifier: .content.name, title: .content.name, blueprint: '"service"'}}}`
	folders := `
- kind: folder
  selector: {query: 'true', folders: [{path: "services/*"}]}
  port: {entity: {mappings: {identifier: '.repo.slug + "/" + .folder.path', title: .folder.path, blueprint: '"service"'}}}`
	items := `
- kind: file
  selector: {query: 'true', files: [{path: "catalog.yml"}]}
  port: {itemsToParse: .content.items, entity: {mappings: {identifier: .item, title: .item, blueprint: '"service"'}}}`
	world := func() *bitbuckettest.Server {
		b := bitbuckettest.New("acme")
		b.AddRepository(bitbuckettest.Repository{Name: "shop", Files: map[string]string{
			"catalog.yml": "name: shop\nitems: [cart]\n", "services/cart/main.go": "package main", "README.md": "#"}})
		b.AddRepository(bitbuckettest.Repository{Name: "other", Files: map[string]string{"README.md": "#"}})
		b.AddPullRequest("shop", bitbuckettest.PullRequest{Title: "x"})
		return b
	}
	remove := func(path string) func(*bitbuckettest.Server) {
		return func(b *bitbuckettest.Server) { b.RemoveFile("shop", path) }
	}
	for _, tt := range []struct {
		name, mapping string
		blueprint     string
		edit          func(*bitbuckettest.Server)
		second        string // another mapping for the second run
		known         prune.SelectorHistory
		gone          bool
	}{
		{"the only pull request", joinedPulls, "pull", func(b *bitbuckettest.Server) {
			b.UpdatePullRequest("shop", 1, func(p *bitbuckettest.PullRequest) { p.State = "MERGED" })
		}, "", prune.SelectorUnknown, true},
		{"the only file", catalogFiles, "service", remove("catalog.yml"), "", prune.SelectorUnknown, true},
		{"the only file, whose selector is known", catalogFiles, "service", remove("catalog.yml"), "", prune.SelectorSame, true},
		{"the only folder", folders, "service", remove("services/cart/main.go"), "", prune.SelectorUnknown, true},
		{"the only item", items, "service", func(b *bitbuckettest.Server) {
			b.SetFile("shop", "catalog.yml", []byte("name: shop\nitems: []\n"))
		}, "", prune.SelectorUnknown, true},
		{"a mistake in the path", catalogFiles, "service", func(*bitbuckettest.Server) {},
			strings.Replace(catalogFiles, "catalog.yml", "catalgo.yml", 1), prune.SelectorChanged, false},
		{"a mistake in the query of pull requests", joinedPulls, "pull", func(*bitbuckettest.Server) {},
			strings.Replace(joinedPulls, "query: 'true'", `query: 'true', pullRequestQuery: 'state="MERGED"'`, 1), prune.SelectorChanged, false},
		{"a mistake in the selector", joinedPulls, "pull", func(*bitbuckettest.Server) {},
			strings.Replace(joinedPulls, "query: 'true'", `query: '.state == "OPNE"'`, 1), prune.SelectorSame, false},
		{"a mistake in the identifier", catalogFiles, "service", func(*bitbuckettest.Server) {},
			strings.Replace(catalogFiles, ".content.name", ".content.nmae", 1), prune.SelectorSame, false},
		{"a mistake in the items", items, "service", func(*bitbuckettest.Server) {},
			strings.Replace(items, ".content.items", ".content.itmes", 1), prune.SelectorSame, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, world())
				w.sync(mapped("entityDeletionThreshold: 1", tt.mapping)).ended(report.Success).is(want{"created": 1})
				tt.edit(w.bitbucket)
				second := tt.mapping
				if tt.second != "" {
					second = tt.second
				}
				w.adjust = func(j *resync.Job) { j.Selector = func(int) prune.SelectorHistory { return tt.known } }
				r := w.sync(mapped("entityDeletionThreshold: 1", second))
				if got := len(r.after[tt.blueprint]) == 0; got != tt.gone {
					t.Errorf("gone: got %t, want %t\n%s", got, tt.gone, r.story())
				}
				if !tt.gone && r.kept != 1 {
					t.Errorf("got %d kept, want 1\n%s", r.kept, r.story())
				}
			})
		})
	}
}

// A selector of which nothing is known, and that finds nothing where Port holds many, is
// rather a mistake.
func TestManyThatWentAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := numbered(12)
		w := newWorld(t, b)
		m := func(name string) string {
			return mapped("entityDeletionThreshold: 1", `
- kind: file
  selector: {query: 'true', files: [{path: "`+name+`"}]}
  port: {entity: {mappings: {identifier: .repo.slug, title: .repo.slug, blueprint: '"service"'}}}`)
		}
		for _, slug := range b.Slugs() {
			b.SetFile(slug, "a.yml", []byte("a: 1"))
		}
		w.sync(m("a.yml")).is(want{"created": 12})
		r := w.sync(m("b.yml")).ended(report.Success).is(want{"deleted": 0, "kept": 12})
		r.problem("warning", "finds nothing, and earlier runs are not known to have had its selector", "delete these entities in Port")
		w.adjust = func(j *resync.Job) { j.Selector = func(int) prune.SelectorHistory { return prune.SelectorSame } }
		w.sync(m("b.yml")).ended(report.Success).is(want{"deleted": 12})
	})
}

// An identifier that changes makes new entities: the old ones, which live on in them,
// stay until that is confirmed.
func TestRenames(t *testing.T) {
	t.Parallel()
	first := entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {url: .links.html.href}}`)
	for _, tt := range []struct {
		name, first, second string
		n                   int // repositories
		confirm             bool
		deleted             int
		again               int // deleted by the run after
	}{
		{"of the same title", strings.Replace(first, "url: .links.html.href", "", 1), strings.Replace(strings.Replace(first, "url: .links.html.href", "", 1), ".slug", `'"x-" + .slug'`, 1), 12, false, 0, 0},
		{"of the same address", strings.Replace(first, "title: .name,", "", 1), strings.Replace(strings.Replace(first, "title: .name,", "", 1), ".slug", `'"x-" + .slug'`, 1), 12, false, 0, 0},
		{"confirmed", first, strings.Replace(first, ".slug", `'"x-" + .slug'`, 1), 12, true, 12, 0},
		{"few", first, strings.Replace(first, ".slug", `'"x-" + .slug'`, 1), 10, false, 10, 0},
		{"of another title, and no address", entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"'}`),
			entity("repository", `{identifier: '"x-" + .slug', title: '.name + "!"', blueprint: '"repo"'}`), 12, false, 12, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := bitbuckettest.New("acme")
				for i := range tt.n {
					b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("r%02d", i)})
				}
				w := newWorld(t, b)
				w.adjust = func(j *resync.Job) { j.ConfirmRenames = tt.confirm }
				w.sync(mapped("entityDeletionThreshold: 1", tt.first)).is(want{"created": tt.n})
				planned, changes, err := w.rehearse(mapped("entityDeletionThreshold: 1", tt.second))
				r := w.sync(mapped("entityDeletionThreshold: 1", tt.second)).ended(report.Success).is(want{"created": tt.n, "deleted": tt.deleted})
				w.foreseen(planned, changes, err, r)
				if tt.deleted == 0 {
					r.heldBy("repo", fmt.Sprintf("%d entities would be replaced by others of the same title or address", tt.n), tt.n)
					r.problem("warning", "confirm_renames")
				}
				w.sync(mapped("entityDeletionThreshold: 1", tt.second)).is(want{"deleted": tt.again})
			})
		})
	}
}

// Many pull requests of one title are no renames when few of that title are new.
func TestTitlesThatManyShare(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a")
		for range 30 {
			b.AddPullRequest("a", bitbuckettest.PullRequest{Title: "bump"})
		}
		w := newWorld(t, b)
		w.sync(mapped(pulls)).is(want{"created": 30})
		for i := range 20 {
			b.RemovePullRequest("a", i+1)
		}
		for range 10 {
			b.AddPullRequest("a", bitbuckettest.PullRequest{Title: "bump"})
		}
		w.sync(mapped(pulls)).is(want{"created": 10, "deleted": 20, "kept": 0})
	})
}

// What is stale and stays, since what the run produced relates to it, is counted and
// named; what was only made for a relation is not stale.
func TestStaleThatIsRelatedTo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("PAY/api", "PAY/old")
		w := newWorld(t, b)
		services := entity("project", `{identifier: .key, title: .name, blueprint: '"service"', relations: {repo: '"old"'}}`)
		stubs := entity("project", `{identifier: '.key + "-2"', title: .name, blueprint: '"service"', relations: {repo: '"made"'}}`)
		m := mapped("entityDeletionThreshold: 1", projects, repos, services, stubs)
		w.sync(m)
		b.RemoveRepository("old")
		for range 2 {
			planned, changes, err := w.rehearse(m)
			r := w.sync(m).ended(report.Success).is(want{"deleted": 0, "kept": 1}).has("repo", "api", "made", "old")
			w.foreseen(planned, changes, err, r)
			r.problem("warning", `stale entities of blueprint "repo" are not deleted`, `entities of blueprint "service" relate to them by relation "repo"`, "repo/old, to which service/PAY relates")
		}
		w.port.PutEntity("repo", porttest.Entity{Identifier: "other", Datasource: "someone"})
		w.sync(strings.ReplaceAll(m, `"old"`, `"other"`)).is(want{"deleted": 1, "kept": 0}).has("repo", "api", "made", "other")
	})
}

// Where no object shows what identifiers are like, they are told apart only when nothing
// else of an object can matter to them.
func TestToldApartWithoutAnObject(t *testing.T) {
	t.Parallel()
	for identifier, apart := range map[string]bool{
		`.destination.repository.name + "/" + (.id|tostring)`:                                               true,
		`.destination.repository.uuid[1:9] + "-" + (.id|tostring)`:                                          true,
		`if .title == "x" then "x" + (.id|tostring) else .destination.repository.name + (.id|tostring) end`: false,
		`.title + (.id|tostring)`: false,
	} {
		t.Run(identifier, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := acme("a", "b")
				for _, slug := range b.Slugs() {
					for range 2 {
						b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
					}
				}
				b.RemovePullRequest("a", 1)
				w := newWorld(t, b)
				m := mapped("entityDeletionThreshold: 1", entity("pull-request", `{identifier: '`+identifier+`', title: .title, blueprint: '"pull"'}`))
				before := len(w.sync(m).after["pull"])
				b.RemovePullRequest("b", 1)
				b.RemovePullRequest("b", 2)
				unreadable(b, http.StatusForbidden, "a")
				want := 0
				if apart {
					want = 2
				}
				if r := w.sync(m); r.deleted != want || r.kept != before-want {
					t.Errorf("got %d deleted and %d kept of %d, want %d deleted\n%s", r.deleted, r.kept, before, want, r.story())
				}
			})
		})
	}
}

// One repository whose main branch is not there, in every run, holds back its own
// entities alone.
func TestMainBranchThatIsNotThereHoldsItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, withPortFiles("a", "b", "c"))
		m := mapped("entityDeletionThreshold: 1", portFiles)
		w.sync(m).is(want{"created": 3})
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Mutate: func(o map[string]any) {
			for _, v := range o["values"].([]any) {
				if v := v.(map[string]any); v["slug"] == "b" {
					v["mainbranch"] = map[string]any{"name": "gone", "type": "branch"}
				}
			}
		}})
		w.bitbucket.RemoveFile("a", "port.yml")
		for range 2 {
			r := w.sync(m).ended(report.Partial).has("service", "b", "c").heldBy("service", `repository "b" was not read completely`, 1)
			r.problem("error", `the main branch "gone" of repository "b" is not there`)
			r.problem("warning", `leave it out by the selector's repoQuery: 'name != "b"'`)
		}
	})
}

// A pull request that moves in front of the newest ones while they are read is found, and one that goes
// takes no other one along.
func TestNewestThatMove(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(b *bitbuckettest.Server) // after the first page
	}{
		{"updated", func(b *bitbuckettest.Server) {
			b.UpdatePullRequest("web", 80, func(p *bitbuckettest.PullRequest) { p.UpdatedOn = time.Now() })
		}},
		{"merged", func(b *bitbuckettest.Server) {
			b.UpdatePullRequest("web", 10, func(p *bitbuckettest.PullRequest) { p.State, p.UpdatedOn = "MERGED", time.Now() })
		}},
		{"merged and opened", func(b *bitbuckettest.Server) {
			b.UpdatePullRequest("web", 10, func(p *bitbuckettest.PullRequest) { p.State, p.UpdatedOn = "MERGED", time.Now() })
			b.AddPullRequest("web", bitbuckettest.PullRequest{Title: "new", UpdatedOn: time.Now()})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("web"))
				for i := range 150 {
					w.bitbucket.AddPullRequest("web", bitbuckettest.PullRequest{Title: fmt.Sprint("change ", i), UpdatedOn: time.Now().Add(-time.Duration(i) * time.Hour)})
				}
				text := mapped(strings.Replace(entity("pull-request", `{identifier: .id | tostring, title: .title, blueprint: '"pull"'}`), "query: 'true'", "query: 'true', maxResults: 100", 1))
				before := w.sync(text).ended(report.Success).is(want{"created": 100})
				var once sync.Once
				w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/web/pullrequests", Times: -1, Mutate: func(map[string]any) { once.Do(func() { tt.edit(w.bitbucket) }) }})
				r := w.sync(text).ended(report.Success)
				for id := range before.after["pull"] {
					if _, there := r.after["pull"][id]; !there {
						t.Errorf("the pull request %s is deleted", id)
					}
				}
			})
		})
	}
}
