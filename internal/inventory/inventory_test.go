package inventory_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/inventory"
)

type entity = inventory.Entity

// at is an hour of a day.
func at(hour int) time.Time { return time.Date(2026, 11, 29, hour, 0, 0, 0, time.UTC) }

func ref(id string) catalog.Ref { return catalog.Ref{Blueprint: "service", Identifier: id} }

// put adds an entity to an inventory.
func put(v *inventory.Inventory, ref catalog.Ref, e entity) {
	if err := v.Entities.Keep(ref, e); err != nil {
		panic(err)
	}
}

func result(resource, number int, address string) inventory.Result {
	return inventory.Result{Entry: inventory.Entry{Resource: resource, Number: number}, Address: address}
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
	asOf.Remember("{1}", at(2))
	asOf.Remember("{2}", at(2))
	asOf.Remember("{2}", at(1))
	if diff := cmp.Diff(map[string]time.Time{"{1}": at(1), "{2}": at(1)}, asOf.Remembered); diff != "" {
		t.Errorf("remembered as of (- want, + got):\n%s", diff)
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
