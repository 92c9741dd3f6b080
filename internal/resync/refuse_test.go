package resync_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

func TestItemsToParse(t *testing.T) {
	t.Parallel()
	m := func(items string) string {
		return mapped(`
- kind: repository
  selector: {query: '.item != "no"'}
  port:
    itemsToParse: '` + items + `'
    itemsToParseTopLevelTransform: false
    entity: {mappings: {identifier: '.slug + "-" + .item', title: .name, blueprint: '"service"'}}`)
	}
	t.Run("elements, none, and no array", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, acme("a", "b", "c", "d"))
			r := w.sync(m(`if .slug == "a" then ["x","y","no"] elif .slug == "b" then [] elif .slug == "c" then null else "text" end`))
			r.ended(report.Success).is(want{"extracted": 5, "created": 2, "filtered": 1, "skipped": 2}).has("service", "a-x", "a-y")
			r.problem("warning", "without an array are skipped", "mapping.yml:5:")
		})
	})
	t.Run("never an array", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, acme("a", "b"))
			w.sync(m(`["x"]`)).is(want{"created": 2})
			r := w.sync(m(".no_such")).is(want{"skipped": 2, "deleted": 0}).heldBy("service", "itemsToParse", 2)
			r.problem("error", "never gave an array")
			if r.report.Resources[0].Complete {
				t.Error("the resource is complete, want it incomplete")
			}
		})
	})
}

func TestQueryIdentifiersAndRelations(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api", "web"))
		w.port.PutEntity("service", porttest.Entity{Identifier: "service-of-api", Title: "API", Properties: map[string]any{"owner": "api"}, Datasource: "someone"})
		m := mapped(repos, entity("repository", `{identifier: {combinator: '"and"', rules: [{property: '"owner"', operator: '"="', value: .slug}]},
    blueprint: '"service"', title: '"found " + .slug', relations: {repo: {combinator: '"and"', rules: [{property: '"$identifier"', operator: '"="', value: .slug}]}}}`))
		r := w.sync(m).ended(report.Partial).is(want{"created": 2, "updated": 1, "rejected": 1}).has("service", "service-of-api")
		e := r.after["service"]["service-of-api"]
		if e.Title != "found api" || e.Relations["repo"] != "api" {
			t.Errorf("got %q related to %v, want %q related to api", e.Title, e.Relations["repo"], "found api")
		}
		// What such an identifier names is not known when it is rejected: it is not stale.
		w.port.AddBlueprint(strings.Replace(blueprints[3], `"owner":{"type":"string"}`, `"owner":{"type":"number"}`, 1))
		w.sync(m).is(want{"deleted": 0})
	})
}

func TestRejectedQueryIdentifierKeepsWhatItNames(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api", "web"))
		w.port.PutEntity("service", porttest.Entity{Identifier: "a", Properties: map[string]any{"owner": "api"}})
		w.port.PutEntity("service", porttest.Entity{Identifier: "b", Properties: map[string]any{"owner": "web"}})
		m := func(title string) string {
			return mapped(entity("repository", `{identifier: {combinator: '"and"', rules: [{property: '"owner"', operator: '"="', value: .slug}]},
    blueprint: '"service"', title: '`+title+`'}`))
		}
		w.sync(m(".slug")).ended(report.Success).is(want{"updated": 2})
		r := w.sync(m(`if .slug == "web" then 5 else .slug end`)).ended(report.Partial).is(want{"updated": 1, "rejected": 1, "deleted": 0})
		r.has("service", "a", "b").heldBy("service", "search query", 1)
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, mapping string
		want          want
		problem       []string
	}{
		{"a space in the identifier", mapped(entity("repository", `{identifier: .name, title: .name, blueprint: '"repo"'}`)),
			want{"created": 2, "rejected": 1}, []string{"error", "mapping.yml:4:", "My Repo", ".slug"}},
		{"a space in a relation", mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', relations: {project: .name}}`)),
			want{"created": 2, "rejected": 1}, []string{"error", "mapping.yml:4:", `relation "project"`, "My Repo"}},
		{"a wrong type", mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {size: 'if .slug == "api" then "big" else 1 end'}}`)),
			want{"created": 2, "rejected": 1}, []string{"error", "mapping.yml:4:", `property "size" must be number`, "repo/api"}},
		{"an enum", mapped(strings.Replace(pulls, "selector: {query: 'true'}", `selector: {query: 'true', pullRequestQuery: 'state="OPEN" OR state="SUPERSEDED"'}`, 1)),
			want{"created": 1, "rejected": 1}, []string{"error", "mapping.yml:5:26:", "allowed values", "pull/api-2", `"OPEN", "MERGED", "DECLINED"`}},
		{"an unknown property", mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {nope: '1'}}`), projects),
			want{"created": 0, "rejected": 3}, []string{"error", `"nope"`, "3 times"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := acme("api", "web", "My Repo")
				b.AddPullRequest("api", bitbuckettest.PullRequest{Title: "open"})
				b.AddPullRequest("api", bitbuckettest.PullRequest{Title: "replaced", State: "SUPERSEDED"})
				r := newWorld(t, b).sync(c.mapping).ended(report.Partial).is(c.want)
				r.problem(c.problem...)
			})
		})
	}
}

// A refused entity is not stale, and does not close deletion for its neighbours.
func TestRefusedEntityIsNotStale(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api", "web", "old"))
		w.sync(mapped(repos))
		w.bitbucket.RemoveRepository("old")
		for _, size := range []string{`if .slug == "api" then "big" else 1 end`, `1`} {
			m := mapped(entity("repository", `{identifier: .slug, title: 'if .slug == "web" then 5 else .name end', blueprint: '"repo"', properties: {size: '`+size+`'}}`))
			w.sync(m).ended(report.Partial).has("repo", "api", "web")
		}
	})
}

func TestSizes(t *testing.T) {
	t.Parallel()
	t.Run("an entity larger than Port takes", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := acme("api", "web")
			b.SetFile("api", "README.md", []byte(strings.Repeat("x", 1<<20-500)))
			w := newWorld(t, b)
			m := mapped(`
- kind: repository
  selector: {query: 'true', includedFiles: [README.md]}
  port: {entity: {mappings: {identifier: .slug, title: .name, blueprint: '"repo"', properties: {language: .language, readme: '.__includedFiles["README.md"]'}}}}`)
			r := w.sync(m).ended(report.Partial).is(want{"created": 1, "rejected": 1, "writes": 1})
			r.problem("error", `largest property is "readme"`, "mapping.yml:4:", "repo/api")
		})
	})
	t.Run("also behind a search query", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, acme("api"))
			m := mapped(entity("repository", `{identifier: {combinator: '"and"', rules: [{property: '"owner"', operator: '"="', value: .slug}]},
    blueprint: '"service"', properties: {owner: '"x" * 1100000'}}`))
			r := w.sync(m).ended(report.Partial).is(want{"rejected": 1, "writes": 0})
			r.problem("error", `largest property is "owner"`)
		})
	})
	t.Run("20 entities to a batch", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			r := newWorld(t, numbered(61)).sync(mapped(repos)).is(want{"created": 61})
			got := map[int]int{}
			for _, b := range r.batches("repo") {
				got[len(b)]++
			}
			if got[20] != 3 || got[1] != 1 {
				t.Errorf("batches by length: got %v, want three of 20 and one of 1", got)
			}
		})
	})
	t.Run("900 KiB to a batch", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			m := mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {readme: '"\u00e9" * 100000'}}`))
			r := newWorld(t, numbered(12)).sync(m).is(want{"created": 12})
			for _, e := range r.writes {
				if len(e.RequestBody) > 900<<10+100 {
					t.Errorf("a body has %d bytes, want at most 900 KiB of entities", len(e.RequestBody))
				}
			}
			if got, want := len(r.writes), 3; got != want { // 4 entities of 200,000 bytes each
				t.Errorf("requests: got %d, want %d", got, want)
			}
		})
	})
}

// Port may refuse a whole batch for one entity in it, or for its size.
func TestRefusedBatchesAreSplit(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, numbered(20))
				w.port.Fault(porttest.Fault{Path: "/v1/blueprints/*/entities/bulk", Times: -1, Status: status,
					Match: func(_ *http.Request, body []byte) bool { return strings.Contains(string(body), `"identifier":"r13"`) }})
				r := w.sync(mapped(repos)).ended(report.Partial).is(want{"created": 19, "rejected": 1})
				r.problem("error", fmt.Sprint(status), "repo/r13")
			})
		})
	}
}

func TestCleanNullsAreSkipped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api", "web"))
		m := mapped(entity("repository", `{identifier: 'if .slug == "api" then null else .slug end', title: .name, blueprint: '"repo"', properties: {language: .no.such, url: '.slug.x'}}`))
		r := w.sync(m).ended(report.Success).is(want{"created": 1, "skipped": 1})
		r.problem("warning", "the object is skipped", "mapping.yml:4:")
		r.problem("notice", `property "language" is null in `)
		r.problem("warning", `property "url" raised an error`)
	})
}

func TestPortFails(t *testing.T) {
	t.Parallel()
	t.Run("every write", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, acme("PAY/api", "web"))
			w.sync(mapped(projects, repos)).ended(report.Success)
			w.bitbucket.RemoveRepository("web")
			w.bitbucket.UpdateRepository("api", func(r *bitbuckettest.Repository) { r.Language = "rust" })
			w.port.Fault(porttest.Fault{Path: "/v1/blueprints/*/entities/bulk", Times: -1, Status: 500})
			r := w.sync(mapped(projects, repos)).ended(report.Failed).is(want{"deleted": 0, "rejected": 1})
			r.heldBy("repo", "the run failed", 1)
		})
	})
	t.Run("one write: the others go on, and it is told once", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, numbered(100))
			w.port.Fault(porttest.Fault{Path: "/v1/blueprints/*/entities/bulk", Times: -1, Status: 503, Header: http.Header{"X-Trace-Id": {"t-1"}},
				Match: func(_ *http.Request, body []byte) bool {
					return strings.Contains(string(body), `"identifier":"r13"`) || strings.Contains(string(body), `"identifier":"r33"`)
				}})
			r := w.sync(mapped(repos)).ended(report.Partial).is(want{"created": 98, "rejected": 2})
			if p := r.problem("error", "Port fails at an entity", "503", "repo/r13"); p.Count != 2 || !strings.Contains(p.Example, "t-1") || strings.Contains(p.Message, "t-1") {
				t.Errorf("got %+v, want one problem for both, the trace in its example", p)
			}
		})
	})
	t.Run("what it holds cannot be read: all is written", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, numbered(30))
			w.sync(mapped(repos))
			w.port.Fault(porttest.Fault{Path: "/v1/blueprints/repo/entities/search", Times: -1, Status: 500})
			r := w.sync(mapped(repos)).ended(report.Success).is(want{"updated": 30})
			r.problem("warning", "could not be read", "every entity is written")
		})
	})
	t.Run("what it owns cannot be listed: nothing is deleted", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, acme("api", "web", "old"))
			w.sync(mapped(repos))
			w.bitbucket.RemoveRepository("old")
			w.port.Fault(porttest.Fault{Path: "/v1/blueprints/entities/datasource-entities", Times: -1, Status: 500})
			r := w.sync(mapped(repos)).ended(report.Partial).is(want{"unchanged": 2, "deleted": 0})
			r.problem("error", "what Port owns could not be listed")
		})
	})
	t.Run("a lost answer is asked for again", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, numbered(30))
			w.unequal = true // the second answer says "updated"
			w.port.Fault(porttest.Fault{Path: "/v1/blueprints/repo/entities/bulk", TruncateBody: true})
			w.port.Fault(porttest.Fault{Path: "/v1/blueprints/repo/entities/bulk", DropConnection: true, Apply: true})
			w.sync(mapped(repos)).ended(report.Success).is(want{"rejected": 0, "extracted": 30})
		})
	})
}

// Which letters there are is for Port to say: what is newer than our own tables is sent.
func TestLettersThatAreNewerThanOurs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := bitbuckettest.New("acme")
		for slug, name := range map[string]string{"new": "\U00010d4a-api", "none": "\u0378-api", "never": "\uffff-api", "plain": "api"} {
			b.AddRepository(bitbuckettest.Repository{Slug: slug, Name: name})
		}
		w := newWorld(t, b)
		w.violated = true // Port refuses one
		m := mapped(entity("repository", `{identifier: .name, title: .slug, blueprint: '"repo"'}`))
		r := w.sync(m).ended(report.Partial).is(want{"created": 2, "rejected": 2, "failed": 0, "deleted": 0})
		r.has("repo", "api", "\U00010d4a-api")
		r.problem("error", "must match pattern", "repo/\u0378-api from")
		r.problem("error", `holds '\uffff', which Port does not allow`)
	})
}
