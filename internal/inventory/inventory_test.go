package inventory_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/inventory"
)

type (
	inv    = inventory.Inventory
	entity = inventory.Entity
)

// at is an hour of a day.
func at(hour int) time.Time { return time.Date(2026, 11, 29, hour, 0, 0, 0, time.UTC) }

func ref(id string) catalog.Ref { return catalog.Ref{Blueprint: "service", Identifier: id} }

// put adds an entity to an inventory.
func put(v *inv, ref catalog.Ref, e entity) {
	if err := v.Entities.Keep(ref, e); err != nil {
		panic(err)
	}
}

// knowledge is what an inventory knows, as JSON.
func knowledge(t *testing.T, v *inv) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// only returns the inventory of one resource after a change.
func only(change func(*inv, *inventory.Resource)) *inv {
	v := inventory.New(1)
	change(v, v.Resources[0])
	return v
}

func result(resource, number int, address string) inventory.Result {
	return inventory.Result{Entry: inventory.Entry{Resource: resource, Number: number}, Address: address}
}

// full knows something in every field.
func full() *inv {
	v := inventory.New(2, 1)
	put(v, ref("api"), entity{
		Results: []inventory.Result{result(1, 0, "https://bitbucket.org/acme/api"), result(2, 1, "")},
		Source:  "{1}", Title: 1<<63 + 7, Flags: inventory.Flags{Fresh: true, Written: true, Counted: true, Updated: true},
	})
	put(v, ref("web"), entity{})
	put(v, catalog.Ref{Blueprint: "a", Identifier: "z"}, entity{Source: "{2}"})
	v.Targets.Add(inventory.Relation{Blueprint: "service", Name: "team"}, "x")
	v.Targets.Add(inventory.Relation{Blueprint: "service", Name: "team"}, "w")
	v.Targets.Add(inventory.Relation{Blueprint: "service", Name: "owner"}, "x")
	v.Targets.Add(inventory.Relation{Blueprint: "a", Name: "team"}, "x")
	v.Stored["service"] = inventory.Stored{Edges: v.NewEdges(inventory.Edge{From: "api", Relation: "team", To: "x"}), Unread: true}
	v.Stored["gone"] = inventory.Stored{Absent: true}
	v.Adopted["service"] = true
	r := v.Resources[0]
	r.Tasks, r.Listed, r.Extracted, r.Held = 3, true, 9, []int{4, 0}
	r.Sources["{1}"] = inventory.Source{Key: "{1}", Name: "api", Read: func() ([]byte, error) { return []byte(`{"slug":"api"}`), nil }}
	r.Gap, r.Unnamed = inventory.Gap{Why: "gap", Fix: "mend it"}, "unnamed"
	r.Partial = []inventory.Gap{{Source: inventory.Source{Key: "{2}", Name: "web"}, Why: "why", Fix: "fix"}}
	r.Remember("{1}", at(9))
	r.Remember("{3}", at(8))
	r.Leave("{4}")
	return v
}

// An Inventory is the same after JSON, and its JSON is the same for the same knowledge.
func TestJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	for range 20 { // maps are ranged over in another order
		again, err := json.Marshal(full())
		if err != nil || string(again) != string(text) {
			t.Fatalf("got %s, %v, want\n%s", again, err, text)
		}
	}
	var got inv
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(knowledge(t, full()), knowledge(t, &got)); diff != "" {
		t.Errorf("after JSON (- before, + after):\n%s", diff)
	}
}

// What is read from JSON can be written to, whatever it holds.
func TestJSONOfLittle(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{}`, `{"Entities":[{"Blueprint":"service","Identifier":"api"}],"Adopted":["service"],"Stored":null}`} {
		var got inv
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		got.Stored["a"], got.Adopted["b"] = inventory.Stored{}, true
		put(&got, ref("web"), entity{})
		got.Targets.Add(inventory.Relation{}, "x")
		if wants := text != "{}"; got.Entities.Produced(ref("api")) != wants || got.Adopted["service"] != wants {
			t.Errorf("%s: got api produced %v, service adopted %v, want %v", text, got.Entities.Produced(ref("api")), got.Adopted["service"], wants)
		}
	}
	for _, text := range []string{`[]`, `{"Entitys":[]}`, `{"Resources":{}}`} {
		if err := json.Unmarshal([]byte(text), new(inv)); err == nil {
			t.Errorf("%s: got no error", text)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	owner := inventory.Relation{Blueprint: "service", Name: "owner"}
	for _, c := range []struct {
		name  string
		parts []*inv
		want  *inv
	}{
		{"of nothing", nil, inventory.New()},
		{"of one", []*inv{full()}, func() *inv {
			v := full()
			v.Resources[0], v.Resources[1] = v.Resources[1], v.Resources[0] // in the order of the mapping
			return v
		}()},
		{"the later result of an entry counts, and others stay", []*inv{
			only(func(v *inv, _ *inventory.Resource) {
				put(v, ref("api"), entity{Results: []inventory.Result{result(1, 0, "first"), result(2, 0, "other")}, Source: "{1}", Title: 1, Flags: inventory.Flags{Fresh: true, Written: true}})
			}),
			only(func(v *inv, _ *inventory.Resource) {
				put(v, ref("api"), entity{Results: []inventory.Result{result(1, 0, "second")}, Source: "{2}", Flags: inventory.Flags{Fresh: true, Counted: true, Updated: true}})
			}),
		}, only(func(v *inv, _ *inventory.Resource) {
			put(v, ref("api"), entity{
				Results: []inventory.Result{result(2, 0, "other"), result(1, 0, "second")}, Source: "{2}", Title: 1,
				Flags: inventory.Flags{Fresh: true, Written: true, Counted: true, Updated: true},
			})
		})},
		{"what one part found stored is not fresh", []*inv{
			only(func(v *inv, _ *inventory.Resource) {
				put(v, ref("a"), entity{Flags: inventory.Flags{Fresh: true}, Title: 1, Source: "{1}"})
			}),
			only(func(v *inv, _ *inventory.Resource) { put(v, ref("a"), entity{Title: 2}) }),
		}, only(func(v *inv, _ *inventory.Resource) { put(v, ref("a"), entity{Title: 2, Source: "{1}"}) })},
		{"and the other way round", []*inv{
			only(func(v *inv, _ *inventory.Resource) {
				put(v, ref("a"), entity{Flags: inventory.Flags{Written: true, Counted: true, Updated: true}})
			}),
			only(func(v *inv, _ *inventory.Resource) { put(v, ref("a"), entity{Flags: inventory.Flags{Fresh: true}}) }),
		}, only(func(v *inv, _ *inventory.Resource) {
			put(v, ref("a"), entity{Flags: inventory.Flags{Written: true, Counted: true, Updated: true}})
		})},
		{"targets and adopted blueprints are united", []*inv{
			only(func(v *inv, _ *inventory.Resource) { v.Targets.Add(owner, "x"); v.Adopted["a"] = true }),
			only(func(v *inv, _ *inventory.Resource) { v.Targets.Add(owner, "y"); v.Adopted["b"] = true }),
		}, only(func(v *inv, _ *inventory.Resource) {
			v.Targets.Add(owner, "x")
			v.Targets.Add(owner, "y")
			v.Adopted = inventory.Set{"a": true, "b": true}
		})},
		{"stored edges are united; unread in one part is unread", []*inv{
			only(func(v *inv, _ *inventory.Resource) {
				v.Stored["s"] = inventory.Stored{Edges: v.NewEdges(inventory.Edge{From: "a", Relation: "r", To: "b"}), Unread: true, Absent: true}
			}),
			only(func(v *inv, _ *inventory.Resource) {
				v.Stored["s"] = inventory.Stored{Edges: v.NewEdges(inventory.Edge{From: "a", Relation: "r", To: "b"}, inventory.Edge{From: "a", Relation: "r", To: "c"})}
			}),
		}, only(func(v *inv, _ *inventory.Resource) {
			v.Stored["s"] = inventory.Stored{Edges: v.NewEdges(inventory.Edge{From: "a", Relation: "r", To: "b"}, inventory.Edge{From: "a", Relation: "r", To: "c"}), Unread: true}
		})},
		{"absent in all parts is absent", []*inv{
			only(func(v *inv, _ *inventory.Resource) { v.Stored["s"] = inventory.Stored{Absent: true} }),
			only(func(v *inv, _ *inventory.Resource) { v.Stored["s"] = inventory.Stored{Absent: true, Unread: true} }),
		}, only(func(v *inv, _ *inventory.Resource) {
			v.Stored["s"] = inventory.Stored{Absent: true, Unread: true}
		})},
		{"counts of a resource add up, and what one part did not list is not listed", []*inv{
			only(func(_ *inv, r *inventory.Resource) {
				r.Tasks, r.Extracted, r.Held, r.Listed = 1, 2, []int{1}, true
				r.Sources["{1}"] = inventory.Source{Key: "{1}"}
			}),
			only(func(_ *inv, r *inventory.Resource) {
				r.Tasks, r.Extracted, r.Held = 10, 20, []int{10, 5}
				r.Sources["{2}"] = inventory.Source{Key: "{2}"}
			}),
		}, only(func(_ *inv, r *inventory.Resource) {
			r.Tasks, r.Extracted, r.Held = 11, 22, []int{11, 5}
			r.Sources = map[string]inventory.Source{"{1}": {Key: "{1}"}, "{2}": {Key: "{2}"}}
		})},
		{"listed in all parts is listed", []*inv{
			only(func(_ *inv, r *inventory.Resource) { r.Listed = true }),
			only(func(_ *inv, r *inventory.Resource) { r.Listed = true }),
		}, only(func(_ *inv, r *inventory.Resource) { r.Listed = true })},
		{"what comes from memory, and what was not asked for, is united; the older reading counts", []*inv{
			only(func(_ *inv, r *inventory.Resource) {
				r.Remember("{1}", at(2))
				r.Remember("{2}", at(3))
			}),
			only(func(_ *inv, r *inventory.Resource) {
				r.Remember("{1}", at(1))
				r.Remember("{2}", at(4))
				r.Leave("{1}")
			}),
			only(func(_ *inv, r *inventory.Resource) { r.Leave("{3}") }),
		}, only(func(_ *inv, r *inventory.Resource) {
			r.Remembered = map[string]time.Time{"{1}": at(1), "{2}": at(3)}
			r.NotAsked = inventory.Set{"{1}": true, "{3}": true}
		})},
		{"the first reason counts", []*inv{
			only(func(_ *inv, r *inventory.Resource) {
				r.Partial = []inventory.Gap{{Source: inventory.Source{Key: "{1}"}, Why: "first"}}
			}),
			only(func(_ *inv, r *inventory.Resource) {
				r.Gap, r.Unnamed = inventory.Gap{Why: "gap of 2"}, "unnamed of 2"
				r.Partial = []inventory.Gap{{Source: inventory.Source{Key: "{1}"}, Why: "second"}, {Source: inventory.Source{Key: "{2}"}, Why: "other"}}
			}),
			only(func(_ *inv, r *inventory.Resource) { r.Gap, r.Unnamed = inventory.Gap{Why: "gap of 3"}, "unnamed of 3" }),
		}, only(func(_ *inv, r *inventory.Resource) {
			r.Gap, r.Unnamed = inventory.Gap{Why: "gap of 2"}, "unnamed of 2"
			r.Partial = []inventory.Gap{{Source: inventory.Source{Key: "{1}"}, Why: "first"}, {Source: inventory.Source{Key: "{2}"}, Why: "other"}}
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before, err := json.Marshal(c.parts)
			if err != nil {
				t.Fatal(err)
			}
			got, err := inventory.Merge(c.parts...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(knowledge(t, c.want), knowledge(t, got)); diff != "" {
				t.Errorf("merged (- want, + got):\n%s", diff)
			}
			// The whole is of its own: what is written to it changes no part.
			for _, r := range got.Resources {
				r.MissSource(inventory.Gap{Source: inventory.Source{Key: "{9}"}, Why: "later"})
				r.Sources["{9}"] = inventory.Source{}
				r.Remember("{9}", at(9))
				r.Leave("{9}")
				for i := range r.Held {
					r.Held[i]++
				}
				for i := range r.Partial {
					r.Partial[i].Why = "later"
				}
			}
			put(got, ref("api"), entity{Source: "later"})
			got.Targets.Add(owner, "later")
			for _, s := range got.Stored {
				s.Edges.Add(inventory.Edge{To: "later"})
			}
			if after, err := json.Marshal(c.parts); err != nil || string(after) != string(before) {
				t.Errorf("the parts have changed: got\n%s, %v, want\n%s", after, err, before)
			}
		})
	}
}

func TestMiss(t *testing.T) {
	t.Parallel()
	var r inventory.Resource
	api, web := inventory.Source{Key: "{1}", Name: "api"}, inventory.Source{Key: "{2}"}
	if !r.Complete() {
		t.Error("a resource without a gap is not complete")
	}
	r.MissSource(inventory.Gap{Source: api, Why: "first"})
	r.MissSource(inventory.Gap{Source: api, Why: "second"})
	r.MissSource(inventory.Gap{Source: web, Why: "third"})
	want := []inventory.Gap{{Source: api, Why: "first"}, {Source: web, Why: "third"}}
	if diff := cmp.Diff(want, r.Partial); diff != "" || r.Gap.Why != "" || r.Complete() {
		t.Errorf("got gap %q, complete %v, partial (- want, + got)\n%s", r.Gap.Why, r.Complete(), diff)
	}
	asOf, left := inventory.Resource{}, inventory.Resource{}
	if asOf.Remember("{1}", at(1)); !asOf.Complete() {
		t.Error("a resource that is known as of its oldest reading is not complete")
	}
	if left.Leave("{1}"); left.Complete() {
		t.Error("a resource of which something was not asked for is complete")
	}
	all := inventory.Resource{}
	all.MissSource(inventory.Gap{Why: "of all"})
	all.Miss("later")
	if all.Gap.Why != "of all" || len(all.Partial) > 0 || all.Complete() {
		t.Errorf("got gap %q, partial %v, complete %v", all.Gap.Why, all.Partial, all.Complete())
	}
}

func TestMadeBy(t *testing.T) {
	t.Parallel()
	e := entity{Results: []inventory.Result{result(1, 0, ""), result(2, 3, "")}}
	for entry, want := range map[inventory.Entry]bool{{Resource: 1}: true, {Resource: 2, Number: 3}: true, {Resource: 2}: false, {Resource: 1, Number: 3}: false} {
		if got := e.MadeBy(entry); got != want {
			t.Errorf("%v: got %v, want %v", entry, got, want)
		}
	}
}

// Equal titles have equal hashes; 0 stands for none.
func TestHashTitle(t *testing.T) {
	t.Parallel()
	hash := func(title any) uint64 { return inventory.HashTitle(catalog.Fields{Title: title}) }
	if hash("a") != hash("a") || hash("a") == hash("b") || hash("a") == 0 {
		t.Errorf("got %d, %d for a, and %d for b", hash("a"), hash("a"), hash("b"))
	}
	for _, none := range []any{nil, "", 7} {
		if got := hash(none); got != 0 {
			t.Errorf("%v: got %d, want 0", none, got)
		}
	}
}

// The edges of an entity are those of its relations.
func TestEdgesOf(t *testing.T) {
	t.Parallel()
	got := inventory.EdgesOf(catalog.Fields{Identifier: "api", Relations: map[string]any{"team": "x"}})
	got = append(got, inventory.EdgesOf(catalog.Fields{Identifier: "web", Relations: map[string]any{"peers": []any{"api", "x"}, "team": nil}})...)
	want := []inventory.Edge{{From: "api", Relation: "team", To: "x"}, {From: "web", Relation: "peers", To: "api"}, {From: "web", Relation: "peers", To: "x"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("edges (- want, + got):\n%s", diff)
	}
}
