package resync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

// ours is the data source of the tests' integration.
const ours = "port-ocean/bitbucket-cloud/1/test/exporter"

// graph adds blueprints each of which has a relation of its name to each, and one
// entity of ours in each of those that nodes maps.
func (w *world) graph(blueprints ...string) {
	for range 2 { // a relation's target must be there
		for i, b := range blueprints {
			relations := map[string]any{}
			for j, target := range blueprints {
				if _, there := w.port.Blueprint(target); there || i == j {
					relations["to-"+target] = map[string]any{"title": target, "target": target, "many": true, "required": false}
				}
			}
			text, err := json.Marshal(map[string]any{"identifier": b, "title": b, "schema": map[string]any{"properties": map[string]any{}, "required": []any{}}, "relations": relations})
			if err != nil {
				w.t.Fatal(err)
			}
			w.port.AddBlueprint(string(text))
		}
	}
}

// node puts an entity that relates to others, each named as "blueprint/identifier".
func (w *world) node(ref, datasource string, targets ...string) {
	blueprint, id, _ := strings.Cut(ref, "/")
	relations := map[string]any{}
	for _, t := range targets {
		b, to, _ := strings.Cut(t, "/")
		list, _ := relations["to-"+b].([]any)
		relations["to-"+b] = append(list, to)
	}
	w.port.PutEntity(blueprint, porttest.Entity{Identifier: id, Relations: relations, Datasource: datasource})
}

// nodes maps each repository to an entity of each blueprint, without relations.
func nodes(blueprints ...string) string {
	var all []string
	for _, b := range blueprints {
		all = append(all, entity("repository", `{identifier: .slug, title: '"a node"', blueprint: '"`+b+`"'}`))
	}
	return mapped(append(all, "entityDeletionThreshold: 1")...)
}

// deletes are the requests to delete, each as "blueprint: identifiers", and how many
// of them Port refused.
func (r result) deletes() (all []string, refused int) {
	r.t.Helper()
	for _, x := range r.writes {
		if !strings.HasSuffix(x.Path, "/bulk/entities/delete") && x.Method != http.MethodDelete {
			continue
		}
		var body struct{ Entities []string }
		if x.Method == http.MethodPost {
			if err := json.Unmarshal(x.RequestBody, &body); err != nil {
				r.t.Fatal(err)
			}
		}
		all = append(all, strings.Split(x.Path, "/")[3]+": "+strings.Join(body.Entities, " "))
		if x.Status/100 != 2 {
			refused++
		}
	}
	return all, refused
}

// deletedBy checks the requests to delete, none of which is refused.
func (r result) deletedBy(want ...string) result {
	r.t.Helper()
	got, refused := r.deletes()
	if !slices.Equal(got, want) || refused > 0 {
		r.t.Errorf("deletes: got %q, %d of them refused; want %q\n%s", got, refused, want, r.story())
	}
	return r
}

// A chain longer than one request: each link goes before the one it relates to.
func TestChainsOfStaleEntities(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("here"))
		w.graph("node")
		for i := range 250 {
			w.node(fmt.Sprintf("node/n%03d", i), ours, fmt.Sprintf("node/n%03d", i+1)) // the last one's is not there
		}
		w.node("node/n250", ours)
		r := w.sync(nodes("node")).ended(report.Success).is(want{"deleted": 251, "kept": 0})
		if got, refused := r.deletes(); len(got) != 3 || refused > 0 {
			t.Errorf("got %d deletes, %d refused; want 3, and none refused", len(got), refused)
		}
		r.has("node", "here")
	})
}

func TestDeletesInOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		put     func(w *world)
		mapping string
		deletes []string
		kept    int
		told    []string
	}{
		{"blueprints that relate to each other", func(w *world) {
			w.node("a/1", ours, "b/1")
			w.node("b/1", ours, "b/2")
			w.node("b/2", ours, "a/2")
			w.node("a/2", ours)
		}, nodes("a", "b"), []string{"a: 1", "b: 1 2", "a: 2"}, 0, nil},
		{"a cycle in one blueprint", func(w *world) {
			w.node("a/1", ours, "a/2")
			w.node("a/2", ours, "a/1")
		}, nodes("a", "b"), []string{"a: 1 2"}, 0, nil},
		{"a cycle over blueprints", func(w *world) {
			w.node("a/1", ours, "b/1")
			w.node("b/1", ours, "a/1", "a/2")
			w.node("a/2", ours)
			w.node("a/3", ours)
		}, nodes("a", "b"), []string{"a: 3"}, 3,
			[]string{`stale entities of blueprint "b" are not deleted`, "in a cycle over blueprints", "a/1 → b/1 → a/1", "deleteDependentEntities: true"}},
		{"what a kept one relates to", func(w *world) {
			w.node("a/here", ours, "b/1") // the mapping leaves the relation alone
			w.node("b/1", ours, "b/2")
			w.node("b/2", ours)
			w.node("b/3", ours)
		}, nodes("a", "b"), []string{"b: 3"}, 2,
			[]string{`stale entities of blueprint "b" are not deleted: other entities relate to them, and stay (2 times, first: b/1, to which a/here relates)`}},
		{"what a kept one does not relate to any more", func(w *world) {
			w.node("a/here", ours, "b/1")
			w.node("b/1", ours)
		}, mapped("entityDeletionThreshold: 1", entity("repository", `{identifier: .slug, blueprint: '"a"', relations: {to-b: '[]'}}`), entity("repository", `{identifier: .slug, blueprint: '"b"'}`)),
			[]string{"b: 1"}, 0, nil},
		{"what an entity without its relations stays with", func(w *world) {
			w.node("a/here", ours, "b/1")
			w.node("b/1", ours)
		}, "enableMergeEntity: false\n" + nodes("a", "b"), []string{"b: 1"}, 0, nil},
		{"a blueprint that is not mapped any more", func(w *world) {
			w.node("c/1", ours, "c/2", "a/1")
			w.node("c/2", ours, "c/3")
			w.node("c/3", ours)
			w.node("a/1", ours)
		}, nodes("a", "b"), []string{"c: 1 2 3", "a: 1"}, 0, nil},
		{"what is held back relates to it", func(w *world) {
			w.node("b/1", ours, "a/1")
			w.node("a/1", ours)
			w.node("a/2", ours)
		}, strings.Replace(nodes("a", "b"), `identifier: .slug, title: '"a node"', blueprint: '"b"'`, `identifier: .slugg, blueprint: '"b"'`, 1), []string{"a: 2"}, 3,
			[]string{`stale entities of blueprint "a" are not deleted: other entities relate to them, and stay (once: a/1, to which b/1 relates)`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("here"))
				w.graph("a", "b", "c")
				w.node("a/here", ours)
				w.node("b/here", ours)
				c.put(w)
				r := w.sync(c.mapping).ended(report.Success).is(want{"kept": c.kept}).deletedBy(c.deletes...)
				if c.told != nil {
					r.problem(c.told...)
				}
			})
		})
	}
}

// What a mapping of this run relates to stays, also when nothing makes it anew.
func TestDeleteOfWhatAProducedEntityRelatesTo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/here"))
		w.graph("a", "b")
		w.node("b/PAY", ours)
		w.node("b/old", ours)
		m := mapped("entityDeletionThreshold: 1", "createMissingRelatedEntities: false", entity("repository", `{identifier: .slug, title: .name, blueprint: '"a"', relations: {to-b: '[.project.key]'}}`),
			entity("repository", `{identifier: .slug, title: .name, blueprint: '"b"'}`))
		r := w.sync(m).ended(report.Success).is(want{"kept": 1}).deletedBy("b: old")
		r.problem("warning", `b/PAY, to which entities of blueprint "a" relate`)
	})
}

func TestCycleThatNoRequestTakes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("here"))
		w.graph("a")
		for i := range 101 {
			w.node(fmt.Sprintf("a/%d", i), ours, fmt.Sprintf("a/%d", (i+1)%101))
		}
		r := w.sync(nodes("a")).ended(report.Success).is(want{"kept": 101}).deletedBy()
		r.problem("warning", "more than 100 of them relate to each other in cycles", "101 times")
	})
}

// Of entities of others nothing is known: Port's refusal tells, and what the refused
// one relates to is not asked for any more.
func TestDependantsOfOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("here"))
		w.graph("a", "b")
		w.node("b/other", "someone", "a/04")
		for i := range 16 {
			w.node(fmt.Sprintf("a/%02d", i), ours)
		}
		w.node("a/04", ours, "a/03", "b/1")
		w.node("b/1", ours)
		w.node("a/06", ours, "a/07") // these go together
		w.node("a/07", ours, "a/06")
		r := w.sync(nodes("a", "b")).ended(report.Success).is(want{"deleted": 14, "kept": 3}).has("a", "here", "03", "04")
		got, refused := r.deletes()
		for _, d := range got {
			if strings.Contains(d, " 06") != strings.Contains(d, " 07") {
				t.Errorf("a cycle was parted: %s", d)
			}
			if strings.HasPrefix(d, "b:") {
				t.Errorf("asked for what would be refused: %s", d)
			}
		}
		if refused > 5 { // 15 groups, halved down to one
			t.Errorf("got %d refused of %q, want 5 at most", refused, got)
		}
		r.problem("warning", `stale entities of blueprint "a" are not deleted: Port refused, since other entities relate to them (once: a/04 (x-trace-id trace-`, "b/other")
		r.problem("warning", `stale entities of blueprint "b" are not deleted: other entities relate to them, and stay (once: b/1, to which a/04 relates)`)
		r.problem("warning", `(once: a/03, to which a/04 relates)`)
	})
}

// Where relations could not be read, the order may be the wrong one. What Port refuses
// then goes when what related to it is gone, and only what others hold back stays.
func TestDeletesWithoutKnowingRelations(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]porttest.Fault{
		"blueprints":            {Method: http.MethodGet, Path: "/v1/blueprints/*", Times: -1, Status: 500},
		"one blueprint":         {Method: http.MethodGet, Path: "/v1/blueprints/c", Times: -1, Status: 500},
		"what Port held":        {Path: "/v1/blueprints/*/entities/search", Times: -1, Status: 500},
		"what Port held of one": {Path: "/v1/blueprints/c/entities/search", Times: -1, Status: 500},
		"whether Port held any": {Path: "/v1/blueprints/*/entities/search", Times: -1, Status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("here"))
				w.graph("a", "b", "c")
				w.node("c/1", ours, "b/1")
				w.node("b/1", ours, "a/1")
				w.node("a/1", ours, "a/2")
				w.node("a/2", ours)
				w.node("a/3", ours)
				w.node("c/other", "someone", "a/3")
				w.port.Fault(fault)
				r := w.sync(nodes("a", "b", "c")).ended(report.Success).is(want{"deleted": 4, "kept": 1}).has("a", "here", "3").has("b", "here").has("c", "here", "other")
				r.problem("warning", `stale entities of blueprint "a" are not deleted: Port refused, since other entities relate to them (once: a/3 `, "c/other")
				if got, _ := r.deletes(); len(got) > 20 { // in three rounds, each halved
					t.Errorf("got %d requests to delete: %q", len(got), got)
				}
			})
		})
	}
}

// What stays for a stale entity that is held back goes with that: nobody has to delete it.
func TestStaysForWhatIsHeldBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "OLD/old"))
		w.sync(mapped(projects, repos)).ended(report.Success)
		w.bitbucket.RemoveRepository("old")
		w.bitbucket.RemoveProject("OLD")
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Times: -1, Status: http.StatusForbidden})
		r := w.sync(mapped(projects, repos)).ended(report.Partial).is(want{"deleted": 0})
		r.problem("warning", `stale entities of blueprint "project" are not deleted: other entities relate to them, and stay`, `they go with those, as soon as nothing holds back the deletion of blueprint "repo"`)
	})
}

// What could not be deleted keeps what it relates to.
func TestDeleteFailsForOneBlueprint(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("here"))
		w.graph("a", "b")
		w.node("a/1", ours, "b/1")
		w.node("b/1", ours)
		w.node("b/2", ours)
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/a/bulk/entities/delete", Status: 403, Body: `{"ok":false,"error":"missing_permissions","message":"entity 1 may not be deleted"}`})
		r := w.sync(nodes("a", "b")).ended(report.Partial).is(want{"deleted": 1, "kept": 2})
		got, refused := r.deletes()
		if want := []string{"a: 1", "b: 2"}; !slices.Equal(got, want) || refused != 1 {
			t.Errorf("got %q, %d refused; want %q", got, refused, want)
		}
		r.problem("error", `stale entities of blueprint "a" could not be deleted`, "entity … may not be deleted", "a/1 (x-trace-id trace-")
	})
}

func TestStopWhileDeleting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("here"))
		w.graph("a", "b")
		for i := range 150 {
			w.node(fmt.Sprintf("a/%03d", i), ours)
		}
		w.node("b/1", ours)
		ctx, stop := context.WithCancelCause(context.Background())
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/a/bulk/entities/delete", Delay: 1, Apply: true, Match: func(*http.Request, []byte) bool {
			stop(fmt.Errorf("a signal came"))
			return true
		}})
		w.unequal = true // the first delete may have been done
		r := w.syncContext(ctx, nodes("a", "b")).ended(report.Failed)
		if r.deleted+r.kept != 151 {
			t.Errorf("got %d deleted and %d kept, want 151 accounted for\n%s", r.deleted, r.kept, r.story())
		}
		r.problem("warning", `stale entities of blueprint "a" are not deleted: a signal came (150 times)`)
	})
}

// What goes along with others is asked for before them, so that it is not looked for.
func TestCascadeInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("here"))
		w.graph("a", "b")
		w.node("a/1", ours)
		w.node("a/2", ours, "a/1")
		w.node("b/1", ours, "a/1")
		w.node("b/2", "someone", "a/2")
		w.unequal = true // one of others goes too
		w.sync("deleteDependentEntities: true\n"+nodes("a", "b")).ended(report.Success).is(want{"deleted": 3, "kept": 0}).deletedBy("b: 1", "a: 2 1")
	})
}

// What is known from before costs nothing: only relations that may hinder a deletion
// are looked up in their blueprint, and only what the mapping does not name is read.
func TestDeletionAsksLittle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		put  func(w *world)
		want string
	}{
		{"nothing relates to it", func(w *world) { w.node("a/1", ours) }, "blueprint a, blueprint b, search a, search b, list, delete a"},
		{"what goes too relates to it", func(w *world) {
			w.node("a/1", ours)
			w.node("b/1", ours, "a/1")
		}, "blueprint a, blueprint b, search a, search b, list, delete b, delete a"},
		{"one of a blueprint that is not mapped", func(w *world) {
			w.node("a/1", ours)
			w.node("c/1", ours)
		}, "blueprint a, blueprint b, search a, search b, list, blueprint c, search c, delete a, delete c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("here"))
				w.graph("a", "b", "c")
				w.node("a/here", ours)
				w.node("b/here", ours)
				c.put(w)
				w.sync("createMissingRelatedEntities: false\n" + strings.ReplaceAll(nodes("a", "b"), `'"a node"'`, "'null'"))
				var got []string
				for _, x := range w.port.Journal() {
					blueprint := strings.Split(x.Path+"///", "/")[3]
					switch {
					case strings.HasSuffix(x.Path, "/datasource-entities"):
						got = append(got, "list")
					case strings.HasSuffix(x.Path, "/entities/search"):
						got = append(got, "search "+blueprint)
					case strings.HasSuffix(x.Path, "/bulk/entities/delete"):
						got = append(got, "delete "+blueprint)
					case strings.HasPrefix(x.Path, "/v1/blueprints/"):
						got = append(got, "blueprint "+blueprint)
					}
				}
				slices.Sort(got[:4]) // they are asked for side by side
				if got := strings.Join(got, ", "); got != c.want {
					t.Errorf("asked %s; want %s", got, c.want)
				}
			})
		})
	}
}
