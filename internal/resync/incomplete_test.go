package resync_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

// An entity that the run produced may hang on a stale one by a chain, of which a
// link is somebody else's: then nothing is deleted along with the stale one.
func TestCascadeOverSomebodyElse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/old"))
		w.unequal = true
		before, after, _ := strings.Cut(blueprints[1], ",\n\t\t\t\"peers\"")
		_, after, _ = strings.Cut(after, "}")
		w.port.AddBlueprint(before + after)
		w.port.AddBlueprint(`{"identifier":"app","title":"App","schema":{"properties":{},"required":[]},"relations":{"service":{"title":"S","target":"service","many":false,"required":false}}}`)
		app := entity("project", `{identifier: .key, title: .name, blueprint: '"app"', relations: {service: '"shop"'}}`)
		m := mapped("deleteDependentEntities: true", projects, repos, app)
		w.port.PutEntity("service", porttest.Entity{Identifier: "shop", Relations: map[string]any{}, Datasource: "someone"})
		w.sync(m)
		w.port.PutEntity("service", porttest.Entity{Identifier: "shop", Relations: map[string]any{"repo": "old"}, Datasource: "someone"})
		w.bitbucket.RemoveRepository("old")
		r := w.sync(m)
		if _, ok := r.after["app"]["PAY"]; !ok {
			t.Errorf("app/PAY was produced, and is gone\n%s", r.story())
		}
		if _, ok := r.after["repo"]["old"]; !ok || r.kept != 1 {
			t.Errorf("got %d stale entities kept, want repo/old\n%s", r.kept, r.story())
		}
	})
}

// What an itemsToParse that raises an error would have given is not known.
func TestItemsThatRaiseCloseDeletion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("a", "b"))
		m := func(items string) string {
			return mapped("entityDeletionThreshold: 1", `
- kind: repository
  selector: {query: 'true'}
  port:
    itemsToParse: '`+items+`'
    entity: {mappings: {identifier: '.slug + "-" + .item', title: .name, blueprint: '"service"'}}`)
		}
		w.sync(m(`["x"]`)).is(want{"created": 2})
		r := w.sync(m(`if .slug == "a" then error("boom") else ["x"] end`))
		if r.deleted != 0 || r.kept != 1 {
			t.Errorf("raised: got %d deleted and %d kept, want 0 and 1\n%s", r.deleted, r.kept, r.story())
		}
		r = w.sync(m(`if .slug == "a" then null else ["x"] end`))
		if r.deleted != 1 || r.kept != 0 {
			t.Errorf("null: got %d deleted and %d kept, want 1 and 0\n%s", r.deleted, r.kept, r.story())
		}
	})
}

// The later resource wins, whichever of the two finds the entity by a search query.
func TestNamedAfterFound(t *testing.T) {
	found := `{identifier: {combinator: '"and"', rules: [{property: '"owner"', operator: '"="', value: .slug}]}, blueprint: '"service"', title: '"one"'}`
	named := `{identifier: .slug, blueprint: '"service"', title: '"two"'}`
	for name, m := range map[string]string{
		"two resources": mapped(entity("repository", found), entity("repository", named)),
		"one resource":  mapped(entity("repository", "["+found+", "+named+"]")),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("api"))
				w.unequal = true
				w.port.PutEntity("service", porttest.Entity{Identifier: "api", Properties: map[string]any{"owner": "api"}})
				for i := range 4 {
					r := w.sync(m)
					if got := r.after["service"]["api"].Title; got != "two" {
						t.Errorf("run %d: got title %q, want two\n%s", i, got, r.story())
					}
				}
			})
		})
	}
}

// An entity is produced even when this program alone refuses its identifier.
func TestRefusedIdentifierIsNotStale(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api", "My Repo"))
		w.port.PutEntity("repo", porttest.Entity{Identifier: "My Repo", Title: "held", Datasource: "port-ocean/bitbucket-cloud/1/test/exporter"})
		r := w.sync(mapped("entityDeletionThreshold: 1", entity("repository", `{identifier: .name, title: .name, blueprint: '"repo"'}`)))
		if r.deleted != 0 {
			t.Errorf("got %d deleted, want none\n%s", r.deleted, r.story())
		}
	})
}

func TestTimeLimitWhileWriting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/old"))
		w.sync(mapped(projects, repos))
		w.bitbucket.RemoveRepository("old")
		w.bitbucket.UpdateRepository("api", func(r *bitbuckettest.Repository) { r.Language = "rust" })
		w.timeLimit = 30 * time.Second
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/repo/entities/bulk", Status: 429, Header: http.Header{"Retry-After": {"600"}}})
		r := w.sync(mapped(projects, repos))
		if got := r.report.Status(); got != "partial" || r.deleted != 0 {
			t.Errorf("got status %s and %d deleted, want partial and none\n%s", got, r.deleted, r.story())
		}
	})
}

// A rate limit of Port that lets nothing through ends the writing: not every
// batch is as patient again.
func TestRateLimitOfPortThatLasts(t *testing.T) {
	skipShort(t)
	for name, limit := range map[string]time.Duration{"time limit": time.Minute, "no time limit": 0} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := bitbuckettest.New("acme")
				for i := range 400 {
					b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("r%04d", i)})
				}
				w := newWorld(t, b)
				w.timeLimit = limit
				w.port.Fault(porttest.Fault{Path: "/v1/blueprints/repo/entities/bulk", Status: 429, Times: -1})
				start := time.Now()
				r := w.sync(mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"'}`)))
				if took := time.Since(start); took > 20*time.Minute {
					t.Errorf("took %s, want the patience of one request", took)
				}
				if r.counts.Rejected == 0 || r.counts.Rejected != r.counts.Transformed || r.deleted != 0 {
					t.Errorf("got %d of %d rejected and %d deleted, want all and none\n%s", r.counts.Rejected, r.counts.Transformed, r.deleted, r.story())
				}
				want := "failed"
				if limit > 0 {
					want = "partial"
				}
				if got := r.report.Status(); got != want {
					t.Errorf("got status %s, want %s\n%s", got, want, r.story())
				}
			})
		})
	}
}

// Where Port has no list of a data source any more, its blueprints are searched.
func TestDataSourceRouteIsGone(t *testing.T) {
	for _, status := range []int{404, 405, 410, 501} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("PAY/api", "PAY/old"))
				w.sync(mapped(projects, repos))
				w.bitbucket.RemoveRepository("old")
				w.port.Fault(porttest.Fault{Path: "/v1/blueprints/entities/datasource-entities", Status: status, Times: -1})
				r := w.sync(mapped(projects, repos))
				if got := r.report.Status(); got != "success" || r.deleted != 1 {
					t.Errorf("got status %s and %d deleted, want success and 1\n%s", got, r.deleted, r.story())
				}
			})
		})
	}
}

// Where it does not search blueprints either, what is stale stays, and that is told.
func TestNoListOfEntities(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/old"))
		w.sync(mapped(projects, repos))
		w.bitbucket.RemoveRepository("old")
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/entities/datasource-entities", Status: 404, Times: -1})
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/*/entities/search", Status: 404, Times: -1})
		r := w.sync(mapped(projects, repos)).ended(report.Success).is(want{"deleted": 0})
		r.problem("warning", `Port gives no list of the entities of blueprint "repo": what is stale is not known, and stays`)
	})
}

// Where it does not say either when an entity was updated, what was there when the run began is old.
func TestDataSourceRouteIsGoneAndEntitiesHaveNoTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/old"))
		w.sync(mapped(projects, repos))
		w.bitbucket.RemoveRepository("old")
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/entities/datasource-entities", Status: 404, Times: -1})
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/*/entities/search", Times: -1, Rewrite: func(body []byte) []byte {
			return bytes.ReplaceAll(body, []byte(`"updatedAt"`), []byte(`"other"`))
		}})
		r := w.sync(mapped(projects, repos)).ended(report.Success).is(want{"deleted": 1})
		r.has("repo", "api")
	})
}

// A list that has begun is there: what fails in it is a failure.
func TestDataSourceListBreaksOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/old"))
		w.port.Configure(porttest.Options{MaxPage: 1})
		w.sync(mapped(projects, repos))
		w.bitbucket.RemoveRepository("old")
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/entities/datasource-entities", Status: 404, Nth: 2})
		r := w.sync(mapped(projects, repos)).ended(report.Partial).is(want{"deleted": 0})
		r.problem("error", "what Port owns could not be listed", "404")
	})
}

// A blueprint of which some entities were read is there.
func TestHeldBreaksOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api", "web"))
		w.port.Configure(porttest.Options{MaxPage: 1})
		w.sync(mapped(repos))
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/repo/entities/search", Status: 404, Nth: 2, Times: -1})
		r := w.sync(mapped(repos)).ended(report.Success)
		r.problem("warning", `what Port holds of blueprint "repo" could not be read`, "404")
	})
}

// A credential that may not list its entities deletes none, and that is not a failure.
func TestDataSourceIsForbidden(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/old"))
		w.sync(mapped(projects, repos))
		w.bitbucket.RemoveRepository("old")
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/entities/datasource-entities", Status: 403, Times: -1})
		r := w.sync(mapped(projects, repos)).ended(report.Success).is(want{"deleted": 0})
		r.problem("warning", "what Port owns could not be listed", "role admin")
	})
}

// A relation that the mapping leaves alone hinders a cascade only when it is used.
func TestCascadeBesideRelationsLeftAlone(t *testing.T) {
	for name, used := range map[string]bool{"not used": false, "used": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("PAY/api", "PAY/old"))
				w.unequal = true
				m := mapped("deleteDependentEntities: true", entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"'}`))
				w.sync(m)
				if used {
					e := w.port.Catalog()["repo"]["api"]
					e.Relations = map[string]any{"project": "PAY"}
					w.port.PutEntity("repo", e)
				}
				w.bitbucket.RemoveRepository("old")
				w.port.ResetJournal()
				r := w.sync(m)
				for _, x := range w.port.Journal() {
					if strings.HasSuffix(x.Path, "/bulk/entities/delete") {
						if got, want := x.Query.Get("delete_dependents"), strconv.FormatBool(!used); got != want {
							t.Errorf("got delete_dependents=%s, want %s\n%s", got, want, r.story())
						}
					}
				}
				if r.deleted != 1 {
					t.Errorf("got %d deleted, want 1\n%s", r.deleted, r.story())
				}
			})
		})
	}
}

// Two resources give one key of an entity different values. The later one wins, and
// what Port holds at the end is what a second run compares with.
func TestOverlayWritesNothingTwice(t *testing.T) {
	repo := func(fields string) string {
		return entity("repository", `{identifier: .slug, blueprint: '"repo"', `+fields+`}`)
	}
	for _, tt := range []struct{ name, flags, first, second string }{
		{"one key", "", `title: '"one"', properties: {language: .language}`, `title: '"two"'`},
		{"all keys", "", `title: '"one"'`, `title: '"two"'`},
		{"without merge", "enableMergeEntity: false", `title: '"one"', properties: {language: .language}`, `title: '"two"'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("a", "b"))
				w.unequal = true
				m := mapped(tt.flags, repo(tt.first), repo(tt.second))
				w.sync(m)
				w.port.ResetJournal()
				r := w.sync(m)
				if n := len(w.port.Writes()); n != 0 {
					t.Errorf("second run: got %d writes, want none\n%s", n, r.story())
				}
				if r.counts.Unchanged != 2 || r.counts.Merged != 2 {
					t.Errorf("second run: got %d unchanged and %d merged, want 2 and 2\n%s", r.counts.Unchanged, r.counts.Merged, r.story())
				}
				w.bitbucket.UpdateRepository("a", func(r *bitbuckettest.Repository) { r.Language = "rust" })
				r = w.sync(m)
				if got := r.after["repo"]["a"].Title; got != "two" {
					t.Errorf("third run: got title %q, want two\n%s", got, r.story())
				}
				w.port.ResetJournal()
				if r = w.sync(m); len(w.port.Writes()) != 0 {
					t.Errorf("fourth run: got writes, want none\n%s", r.story())
				}
			})
		})
	}
}
