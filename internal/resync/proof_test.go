package resync_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/prune"
	"port-bitbucket-exporter/internal/resync"
)

// everything lets all stale entities go.
const everything = "entityDeletionThreshold: 1"

// slugs maps repositories without relations.
const slugs = `
- kind: repository
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '"repo"'}}}`

// A file that does not parse any more may have made an entity by its content.
func TestFileThatDoesNotParseKeepsItsEntity(t *testing.T) {
	for _, id := range []string{`.content.name? // .repo.slug`, `(try .content.name catch null) // .repo.slug`, `.repo.slug + "-" + (.content.kind? // "none")`} {
		t.Run(id, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := acme("a", "b")
				b.SetFile("a", "port.yml", []byte("name: svc\nkind: lib\n"))
				b.SetFile("b", "port.yml", []byte("owner: me\n"))
				w := newWorld(t, b)
				m := mapped(everything, `
- kind: file
  selector: {query: 'true', files: [{path: "port.yml"}]}
  port: {entity: {mappings: {identifier: '`+id+`', title: .repo.slug, blueprint: '"service"'}}}`)
				before := w.sync(m)
				b.SetFile("a", "port.yml", []byte("name: svc\n  kind: [lib\n"))
				r := w.sync(m)
				for id := range before.after["service"] {
					if _, there := r.after["service"][id]; !there {
						t.Errorf("%s deleted\n%s", id, r.story())
					}
				}
			})
		})
	}
}

// Where the path decides whether an identifier names the repository, one that cannot be
// read holds back all.
func TestIdentifierByPathIsOfNoRepository(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("mono", "api", "web")
		b.SetFile("mono", "services/cart/port.yml", []byte("a: 1"))
		b.SetFile("mono", "services/pay/port.yml", []byte("a: 1"))
		b.SetFile("api", "port.yml", []byte("a: 1"))
		b.SetFile("web", "port.yml", []byte("a: 1"))
		w := newWorld(t, b)
		m := mapped(everything, `
- kind: file
  selector: {query: 'true', files: [{path: "**/port.yml"}]}
  port: {entity: {mappings: {identifier: 'if (.file.path | startswith("services/")) then (.file.path | split("/")[1]) else .repo.slug end', title: .repo.slug, blueprint: '"service"'}}}`)
		w.sync(m).has("service", "cart", "pay", "api", "web")
		unreadable(b, http.StatusForbidden, "mono")
		w.sync(m).has("service", "cart", "pay", "api", "web")
	})
}

// The same for one that answers 404.
func TestIdentifierByPathOfAMissingRepository(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("mono", "api", "web")
		b.SetFile("mono", "services/cart/x.go", []byte("a"))
		b.SetFile("api", "services/x.go", []byte("a"))
		w := newWorld(t, b)
		m := mapped(everything, `
- kind: folder
  selector: {query: 'true', folders: [{path: "services"}, {path: "services/*"}]}
  port: {entity: {mappings: {identifier: '.folder.path | split("/") | if length > 1 then .[1] else "root" end', title: .folder.path, blueprint: '"service"'}}}`)
		w.sync(m)
		unreadable(b, http.StatusNotFound, "mono")
		w.sync(m).is(want{"deleted": 0}).has("service", "root", "cart")
	})
}

// An identifier that depends on another field does not name its repository, also where
// what was read looks as if it did.
func TestConditionalIdentifier(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "b")
		b.AddPullRequest("a", bitbuckettest.PullRequest{Title: "x"})
		b.AddPullRequest("b", bitbuckettest.PullRequest{Title: "y"})
		w := newWorld(t, b)
		m := mapped(everything, entity("pull-request", `{identifier: 'if .title == "x" then "x" + (.id|tostring) else .destination.repository.name + (.id|tostring) end', title: .title, blueprint: '"pull"'}`))
		w.sync(m).has("pull", "x1", "b1")
		unreadable(b, http.StatusForbidden, "a")
		w.sync(m).has("pull", "x1", "b1")
	})
}

// An identifier that may be of the content does not name its repository.
func TestIdentifierByContentOrSlug(t *testing.T) {
	t.Parallel()
	for _, id := range []string{`.content.name // .repo.slug`, `.file.content.name // .repo.slug`} {
		for _, shown := range []bool{true, false} {
			t.Run(fmt.Sprint(id, shown), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := acme("a", "b", "c")
					b.SetFile("a", "port.yml", []byte("name: svc\n"))
					b.SetFile("c", "port.yml", []byte("name: other\n"))
					want := []string{"svc"}
					if shown {
						b.SetFile("b", "port.yml", []byte("owner: me\n"))
						want = append(want, "b")
					}
					w := newWorld(t, b)
					m := mapped(everything, `
- kind: file
  selector: {query: 'true', files: [{path: "port.yml"}]}
  port: {entity: {mappings: {identifier: '`+id+`', title: .repo.slug, blueprint: '"service"'}}}`)
					w.sync(m)
					b.RemoveFile("c", "port.yml")
					unreadable(b, http.StatusForbidden, "a")
					r := w.sync(m)
					for _, id := range want {
						if _, there := r.after["service"][id]; !there {
							t.Errorf("%s deleted\n%s", id, r.story())
						}
					}
				})
			})
		}
	}
}

// Included files are no part of a repository in the list.
func TestIdentifierByIncludedFile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "b")
		b.SetFile("a", "NAME", []byte("svc"))
		w := newWorld(t, b)
		m := mapped(everything, `
- kind: repository
  selector: {query: 'true', includedFiles: [NAME]}
  port: {entity: {mappings: {identifier: '.__includedFiles["NAME"] // .slug', title: .name, blueprint: '"repo"'}}}`)
		w.sync(m).has("repo", "svc", "b")
		unreadable(b, http.StatusForbidden, "a")
		w.sync(m).has("repo", "svc", "b")
	})
}

// The same for a repository that was away while the list was read.
func TestAwayWithAConditionalIdentifier(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "b")
		b.AddPullRequest("a", bitbuckettest.PullRequest{Title: "y"})
		b.AddPullRequest("b", bitbuckettest.PullRequest{Title: "x"})
		w := newWorld(t, b)
		m := mapped(everything, entity("pull-request", `{identifier: 'if .title == "x" then "x" + (.id|tostring) else .destination.repository.name + (.id|tostring) end', title: .title, blueprint: '"pull"'}`))
		w.sync(m).has("pull", "a1", "x1")
		b.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: 1, Mutate: func(page map[string]any) {
			page["values"], page["size"] = page["values"].([]any)[:1], 1
		}})
		w.sync(m).has("pull", "a1", "x1")
	})
}

// What a repository made under an earlier name stays while it cannot be read.
func TestRenamedAndNotReadable(t *testing.T) {
	for _, status := range []int{403, 404} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := acme("a", "b")
				for _, slug := range b.Slugs() {
					b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
				}
				w := newWorld(t, b)
				m := mapped(everything, joinedPulls)
				w.sync(m).has("pull", "a1", "b1")
				b.RenameRepository("b", "moved")
				unreadable(b, status, "moved")
				w.sync(m).has("pull", "a1", "b1")
			})
		})
	}
}

// The same for the entity of the repository itself.
func TestRepositoryRenamedAndNotReadable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "b")
		w := newWorld(t, b)
		m := mapped(everything, `
- kind: repository
  selector: {query: 'true', includedFiles: [README.md]}
  port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '"repo"', properties: {readme: '.__includedFiles["README.md"]'}}}}`)
		w.sync(m).has("repo", "a", "b")
		b.RenameRepository("b", "moved")
		unreadable(b, 404, "moved")
		w.sync(m).has("repo", "a", "b")
	})
}

// What was made by an earlier identifier stays while its repository cannot be read.
func TestIdentifierChangedAndNotReadable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "b")
		for _, slug := range b.Slugs() {
			b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
		}
		w := newWorld(t, b)
		m := mapped(everything, joinedPulls)
		w.sync(strings.Replace(m, "identifier: '", `identifier: '"pr-" + `, 1)).has("pull", "pr-a1", "pr-b1")
		unreadable(b, 403, "a")
		w.sync(m).has("pull", "pr-a1", "pr-b1", "b1")
	})
}

// The same for a repository that was away while the list was read.
func TestRenamedAndAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("a", "b")
		b.AddPullRequest("a", bitbuckettest.PullRequest{Title: "y"})
		b.AddPullRequest("b", bitbuckettest.PullRequest{Title: "x"})
		w := newWorld(t, b)
		m := mapped(everything, slugs, joinedPulls)
		w.sync(m).has("pull", "a1", "b1")
		b.RenameRepository("b", "moved")
		b.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: 1, Mutate: func(page map[string]any) {
			page["values"], page["size"] = page["values"].([]any)[:1], 1
		}})
		w.sync(m).has("pull", "a1", "b1")
	})
}

// A repoQuery that finds other repositories, which have no pull requests.
func TestMistakeInRepoQuery(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("shop", "shop-docs")
		for range 15 {
			b.AddPullRequest("shop", bitbuckettest.PullRequest{Title: "x"})
		}
		w := newWorld(t, b)
		m := func(q string) string {
			return mapped(everything, strings.Replace(joinedPulls, "query: 'true'", `query: 'true', repoQuery: 'name = "`+q+`"'`, 1))
		}
		w.sync(m("shop"))
		w.adjust = func(j *resync.Job) { j.Selector = func(int) prune.SelectorHistory { return prune.SelectorChanged } }
		w.sync(m("shop-docs")).is(want{"deleted": 0, "kept": 15})
	})
}

// A 404 of the branches is no repository without commits while the list has it.
func TestBranchesThatAreNotFound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, withPortFiles("a", "b", "c"))
		m := mapped(everything, portFiles)
		w.sync(m).is(want{"created": 3})
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Mutate: func(o map[string]any) {
			for _, v := range o["values"].([]any) {
				if v := v.(map[string]any); v["slug"] == "b" {
					v["mainbranch"] = map[string]any{"name": "main", "type": "branch"}
				}
			}
		}})
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/b/refs/**", Times: -1, Status: 404})
		w.sync(m).has("service", "a", "b", "c")
	})
}

// The last of several results for an entity need not have the title.
func TestRenamesOfSeveralResults(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := numbered(12)
		w := newWorld(t, b)
		m := func(id string) string {
			return mapped(everything, "enableMergeEntity: true",
				entity("repository", `{identifier: '`+id+`', title: .name, blueprint: '"repo"'}`),
				entity("repository", `{identifier: '`+id+`', blueprint: '"repo"', properties: {language: .language}}`))
		}
		w.sync(m(".slug")).is(want{"created": 12})
		w.sync(m(`"x-" + .slug`)).is(want{"deleted": 0, "kept": 12})
	})
}

// named maps repositories under an identifier, to be renamed by another one.
func named(identifier string, resources ...string) string {
	one := entity("repository", `{identifier: '`+identifier+`', title: .name, blueprint: '"repo"'}`)
	return mapped(append(append([]string{everything}, resources...), one)...)
}

// What Port held could not be read.
func TestRenamesWhereNothingIsKnown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(12))
		w.sync(named(".slug")).is(want{"created": 12})
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/repo/entities/search", Status: 500, Times: 5})
		w.sync(named(`"x-" + .slug`)).is(want{"deleted": 0, "kept": 12})
	})
}

// Entities that are made for a relation first are new all the same.
func TestRenamesOfWhatRelationsMade(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := numbered(12)
		for _, s := range b.Slugs() {
			b.AddPullRequest(s, bitbuckettest.PullRequest{Title: "x"})
		}
		w := newWorld(t, b)
		m := func(pre string) string {
			return mapped(everything, "createMissingRelatedEntities: true",
				entity("pull-request", `{identifier: '.destination.repository.name + (.id|tostring)', title: .title, blueprint: '"pull"', relations: {repo: '"`+pre+`" + .destination.repository.name'}}`),
				entity("repository", `{identifier: '"`+pre+`" + .slug', title: .name, blueprint: '"repo"'}`))
		}
		w.unequal = true
		w.sync(m(""))
		r := w.sync(m("x-"))
		if r.deleted != 0 {
			t.Errorf("deleted %d\n%s", r.deleted, r.story())
		}
	})
}

// Renames wait for the confirmation, and neither for the next run nor for a third identifier.
func TestRenamesWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(12))
		w.sync(named(".slug"))
		w.sync(named(`"x-" + .slug`)).is(want{"deleted": 0, "kept": 12})
		w.sync(named(`"x-" + .slug`)).is(want{"deleted": 0, "kept": 12})
		w.sync(named(`"y-" + .slug`)).is(want{"deleted": 0, "kept": 24})
	})
}

// Of a rename the reason is told, also where it is more than may go.
func TestRenamesAboveTheBound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(12))
		w.sync(named(".slug", projects))
		n := 5
		w.adjust = func(j *resync.Job) { j.MaxDeletions = &n }
		r := w.sync(named(`"x-" + .slug`, projects)).is(want{"deleted": 0})
		if !strings.Contains(r.story(), "confirm_renames") {
			t.Errorf("not told as a rename\n%s", r.story())
		}
	})
}

// Several entities of one object have one address, and are no renames of each other.
func TestEntitiesOfOneObject(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(12))
		one := entity("repository", `{identifier: '.slug + "-a"', title: .name, blueprint: '"repo"', properties: {url: .links.html.href}}`)
		two := entity("repository", `{identifier: '.slug + "-b"', title: .name, blueprint: '"repo"', properties: {url: .links.html.href}}`)
		w.sync(mapped(everything, one, two)).is(want{"created": 24})
		r := w.sync(mapped(everything, one))
		if r.counts.Created == 0 && strings.Contains(r.story(), "would be replaced") {
			t.Errorf("created %d, deleted %d, kept %d\n%s", r.counts.Created, r.deleted, r.kept, r.story())
		}
	})
}

// What Port works out does not make more of an entity that a relation made.
func TestStubWithCalculatedProperties(t *testing.T) {
	for name, text := range map[string]string{
		"calculated": `{"identifier":"owner","title":"Owner","schema":{"properties":{"name":{"type":"string"}},"required":[]},"relations":{},"calculationProperties":{"shown":{"type":"string","calculation":".identifier"}}}`,
		"default":    `{"identifier":"owner","title":"Owner","schema":{"properties":{"name":{"type":"string","default":"nobody"}},"required":[]},"relations":{}}`,
		"plain":      `{"identifier":"owner","title":"Owner","schema":{"properties":{"name":{"type":"string"}},"required":[]},"relations":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("PAY/a"))
				w.port.AddBlueprint(text)
				w.port.AddBlueprint(`{"identifier":"thing","title":"Thing","schema":{"properties":{},"required":[]},"relations":{"owner":{"title":"Owner","target":"owner","many":false,"required":false}}}`)
				m := mapped(everything, "createMissingRelatedEntities: true",
					entity("project", `{identifier: .key, title: .name, blueprint: '"owner"'}`),
					entity("repository", `{identifier: .slug, title: .name, blueprint: '"thing"', relations: {owner: '"made"'}}`))
				w.unequal = true
				w.sync(m)
				r := w.sync(m)
				if r.kept != 0 {
					t.Errorf("kept %d\n%s", r.kept, r.story())
				}
			})
		})
	}
}

// A repository that answered 404 is accounted for where the list cannot be read again.
func TestMissingRepositoryIsAccountedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("a", "b"))
		m := mapped(everything, `
- kind: repository
  selector: {query: 'true', includedFiles: [README.md]}
  port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '"repo"', properties: {readme: '.__includedFiles["README.md"]'}}}}`)
		w.sync(m)
		unreadable(w.bitbucket, 404, "a")
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Nth: 2, Times: -1, Status: 403})
		w.sync(m).is(want{"extracted": 2, "failed": 1})
	})
}

// An object whose file answers 404 with all of its repository has failed.
func TestFileOfAMissingRepository(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("a", "b"))
		m := mapped(everything, entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {readme: 'file://README.md'}}`))
		w.sync(m)
		unreadable(w.bitbucket, 404, "a")
		w.sync(m).is(want{"extracted": 2, "failed": 1, "skipped": 0, "kept": 1})
	})
}

// The time limit in the second reading deletes nothing of any blueprint.
func TestTimeLimitInTheSecondReading(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("A/a", "B/b")
		w := newWorld(t, b)
		m := mapped(everything, projects, strings.Replace(repos, ", relations: {project: .project.key}", "", 1))
		w.sync(m)
		b.RemoveRepository("b")
		b.RemoveProject("B")
		w.timeLimit = 2 * time.Minute
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Nth: 2, Times: -1, Delay: 10 * time.Minute})
		w.sync(m).is(want{"deleted": 0, "kept": 2})
	})
}

// The last repository that a known repoQuery selects goes.
func TestLastOneUnderARepoQuery(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("PAY/api", "OPS/web")
		w := newWorld(t, b)
		m := mapped(everything, strings.Replace(repos, "query: 'true'", `query: 'true', repoQuery: 'project.key="PAY"'`, 1))
		m = strings.Replace(m, ", relations: {project: .project.key}", "", 1)
		w.sync(m).has("repo", "api")
		b.RemoveRepository("api")
		w.adjust = func(j *resync.Job) { j.Selector = func(int) prune.SelectorHistory { return prune.SelectorSame } }
		w.sync(m).has("repo")
	})
}

// What comes of a repository that was renamed and cannot be read is not known, whatever
// its earlier identifiers look like.
func TestRenamedAndUnread(t *testing.T) {
	pulls := func(identifier string) string {
		return entity("pull-request", `{identifier: '`+identifier+`', title: .title, blueprint: '"pull"'}`)
	}
	byTitle := `.destination.repository.name + "-" + .title`
	tests := []struct {
		name         string
		repositories []string
		resources    []string
		change       func(b *bitbuckettest.Server)
		kept         string
	}{
		{"number 11 of svc is number 1 of svc1", []string{"svc", "svc1"}, []string{joinedPulls},
			func(b *bitbuckettest.Server) { b.RenameRepository("svc1", "moved") }, "svc11"},
		{"svc-gw-x begins like svc", []string{"svc", "svc-gw"}, []string{pulls(byTitle)},
			func(b *bitbuckettest.Server) { b.RenameRepository("svc-gw", "moved") }, "svc-gw-x"},
		{"moved-old-x begins like the present name", []string{"a", "foo", "moved-old"}, []string{pulls(byTitle)},
			func(b *bitbuckettest.Server) {
				b.RemoveRepository("moved-old")
				b.RenameRepository("foo", "moved")
			}, "foo-x"},
		{"another resource made what looks like the present name", []string{"a", "foo", "c"}, []string{
			pulls(`.destination.repository.name + "-" + (.id|tostring)`), `
- kind: file
  selector: {query: 'true', files: [{path: "port.yml"}]}
  port: {entity: {mappings: {identifier: '.content.name', title: .repo.slug, blueprint: '"pull"'}}}`},
			func(b *bitbuckettest.Server) {
				b.SetFile("c", "port.yml", []byte("name: other\n"))
				b.RenameRepository("foo", "moved")
			}, "foo-1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := acme(test.repositories...)
				for _, slug := range test.repositories {
					b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "x"})
				}
				b.SetFile(test.repositories[len(test.repositories)-1], "port.yml", []byte("name: moved-1\n"))
				w := newWorld(t, b)
				m := mapped(append([]string{everything}, test.resources...)...)
				w.sync(m)
				test.change(b)
				b.Fault(bitbuckettest.Fault{Times: -1, Status: http.StatusForbidden, Path: "/repositories/acme/moved/pullrequests"})
				r := w.sync(m)
				if _, there := r.after["pull"][test.kept]; !there {
					t.Errorf("%s is deleted\n%s", test.kept, r.story())
				}
			})
		})
	}
}

// An object of two entities has two twins.
func TestRenamedByTwoEntries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(12))
		m := func(separator string) string {
			one := func(end string) string {
				return entity("repository", `{identifier: '.slug + "`+separator+end+`"', title: .name, blueprint: '"repo"', properties: {url: .links.html.href}}`)
			}
			return mapped(everything, one("a"), one("b"))
		}
		w.sync(m("-")).is(want{"created": 24})
		w.sync(m("_")).is(want{"deleted": 0, "kept": 24})
	})
}

// A pull request opened every week under one title takes no other's place.
func TestWeeklyPullRequestsAreNotRenamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := numbered(12)
		for _, slug := range b.Slugs() {
			b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: slug + ": weekly update"})
		}
		w := newWorld(t, b)
		m := mapped(everything, joinedPulls)
		w.sync(m)
		for week := range 3 {
			for _, slug := range b.Slugs() {
				b.RemovePullRequest(slug, week+1)
				b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: slug + ": weekly update"})
			}
			w.sync(m).is(want{"created": 12, "deleted": 12, "kept": 0})
		}
	})
}
