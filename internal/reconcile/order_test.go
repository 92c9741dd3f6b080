package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/reconcile"
)

// related reads "a/x>b/y": a/x relates to b/y.
func related(text string) []reconcile.Relation {
	var all []reconcile.Relation
	for f := range strings.FieldsSeq(text) {
		from, to, _ := strings.Cut(f, ">")
		all = append(all, reconcile.Relation{From: refs(from)[0], To: refs(to)[0]})
	}
	return all
}

// steps tells all steps: "a: x y+z; b: w", where y and z go together.
func steps(d *reconcile.DeleteOrder) string {
	var all []string
	for s, more := d.Next(); more; s, more = d.Next() {
		var groups []string
		for _, g := range s.Groups {
			groups = append(groups, strings.Join(g, "+"))
		}
		all = append(all, s.Blueprint+": "+strings.Join(groups, " "))
	}
	return strings.Join(all, "; ")
}

// kept tells what is kept and why: "b/y<a/x" for a/x that relates to it.
func kept(d *reconcile.DeleteOrder) string {
	var all []string
	for _, k := range d.Kept() {
		text := k.Ref.String()
		switch {
		case k.Cycle != nil:
			text += " cycle"
			for _, ref := range k.Cycle {
				text += ">" + ref.String()
			}
		case k.Cyclic > 0:
			text += fmt.Sprintf(" %d cyclic", k.Cyclic)
		default:
			text += "<" + k.By.String()
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func TestDeletion(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, stale, related string
		cascade              bool
		steps, kept          string
	}{
		{name: "nothing"},
		{name: "no relations", stale: "b/y a/x a/w", steps: "a: w x; b: y"},
		{name: "a blueprint that relates to another", stale: "a/x a/w b/y", related: "b/y>a/x", steps: "b: y; a: w x"},
		{name: "dependants first, in one request", stale: "a/1 a/2 a/3", related: "a/3>a/2 a/2>a/1", steps: "a: 3 2 1"},
		{name: "more than one request", stale: "a/1 a/2 a/3 a/4 a/5", related: "a/5>a/4 a/4>a/3 a/3>a/2 a/2>a/1", steps: "a: 5 4 3; a: 2 1"},
		{name: "blueprints that relate to each other", stale: "a/1 a/2 b/1 b/2", related: "a/1>b/1 b/2>a/2 b/1>b/2", steps: "a: 1; b: 1 2; a: 2"},
		{name: "a cycle goes together", stale: "a/1 a/2 a/3", related: "a/1>a/2 a/2>a/1 a/3>a/1", steps: "a: 3 1+2"},
		{name: "a cycle is not parted", stale: "a/1 a/2 a/3 a/4", related: "a/1>a/2 a/2>a/1 a/3>a/1 a/4>a/3", steps: "a: 4 3; a: 1+2"},
		{name: "an entity that relates to itself", stale: "a/1", related: "a/1>a/1", steps: "a: 1"},
		{name: "a relation told twice", stale: "a/1 b/1", related: "b/1>a/1 b/1>a/1", steps: "b: 1; a: 1"},
		{name: "an entity that stays", stale: "a/1 a/2 a/3", related: "b/x>a/1 a/1>a/2", steps: "a: 3", kept: "a/1<b/x; a/2<a/1"},
		{name: "a relation to what is not stale", stale: "a/1", related: "a/1>b/x", steps: "a: 1"},
		{name: "a cycle over blueprints", stale: "a/1 b/1 c/1 c/2", related: "a/1>b/1 b/1>a/1 b/1>c/1 c/2>a/1", steps: "c: 2", kept: "a/1 cycle>a/1>b/1>a/1; b/1 cycle>a/1>b/1>a/1; c/1<b/1"},
		{name: "a long cycle over blueprints", stale: "a/1 a/2 b/1", related: "a/1>a/2 a/2>b/1 b/1>a/1", kept: "a/1 cycle>a/2>b/1>a/1>a/2; a/2 cycle>a/2>b/1>a/1>a/2; b/1 cycle>a/2>b/1>a/1>a/2"},
		{name: "a cycle of more than one request takes", stale: "a/1 a/2 a/3 a/4", related: "a/1>a/2 a/2>a/3 a/3>a/4 a/4>a/1", kept: "a/1 4 cyclic; a/2 4 cyclic; a/3 4 cyclic; a/4 4 cyclic"},
		{name: "the first reason stays", stale: "a/1 b/1", related: "a/1>b/1 b/1>a/1 x/1>a/1", kept: "a/1 cycle>a/1>b/1>a/1; b/1 cycle>a/1>b/1>a/1"},
		{name: "dependants of all may go, in order", cascade: true, stale: "a/1 a/2 a/3 a/4", related: "a/1>a/2 a/2>a/3 a/3>a/1 a/4>a/3", steps: "a: 1 2 4; a: 3"},
		{name: "dependants of all may go", cascade: true, stale: "a/1 a/2 b/1 b/2", related: "a/1>b/1 b/1>a/1 b/2>a/2 x/1>b/2", steps: "b: 1 2; a: 1 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := reconcile.NewDeleteOrder(refs(tt.stale), related(tt.related), reconcile.Limits{Most: 3, Cascade: tt.cascade})
			if got := steps(d); got != tt.steps {
				t.Errorf("steps: got %q, want %q", got, tt.steps)
			}
			if got := kept(d); got != tt.kept {
				t.Errorf("kept: got %q, want %q", got, tt.kept)
			}
		})
	}
}

// What Keep was given between two steps counts from the next step on, and the end stays
// the end.
func TestNextGoesOneStep(t *testing.T) {
	t.Parallel()
	d := reconcile.NewDeleteOrder(refs("a/1 a/2 a/3 a/4 b/1"), related("a/2>b/1 a/4>a/3"), reconcile.Limits{Most: 2})
	want := []string{"a [[1] [2]]", "a [[4] [3]]", ""} // b/1 is kept by then
	for i, w := range append(want, "", "") {
		s, more := d.Next()
		got := ""
		if more {
			got = fmt.Sprint(s.Blueprint, " ", s.Groups)
		}
		if got != w {
			t.Errorf("step %d: got %q, want %q", i, got, w)
		}
		if i == 0 {
			d.Keep(refs("a/2")[0])
		}
	}
}

// Keep changes nothing for an entity that is not stale, nor where dependants go along.
func TestKeepOfOthers(t *testing.T) {
	t.Parallel()
	for _, cascade := range []bool{false, true} {
		d := reconcile.NewDeleteOrder(refs("a/1 b/1"), related("a/1>b/1"), reconcile.Limits{Most: 3, Cascade: cascade})
		d.Keep(refs("x/x")[0])
		if cascade {
			d.Keep(refs("a/1")[0])
		}
		if got := steps(d); got != "a: 1; b: 1" || d.Keeps(refs("a/1")[0]) || len(d.Kept()) > 0 {
			t.Errorf("cascade %t: got %q, and %q kept", cascade, got, kept(d))
		}
	}
}

// What an entity relates to that Port did not delete is left out of later steps.
func TestKeep(t *testing.T) {
	t.Parallel()
	d := reconcile.NewDeleteOrder(refs("a/1 a/2 b/1 c/1 c/2"), related("a/1>b/1 b/1>c/1 a/2>c/2"), reconcile.Limits{Most: 3})
	var got []string
	for s, more := d.Next(); more; s, more = d.Next() {
		got = append(got, s.Blueprint+":"+strings.Join(slices.Concat(s.Groups...), " "))
		if s.Blueprint == "a" {
			d.Keep(refs("a/1")[0])
		}
	}
	if diff := cmp.Diff(got, []string{"a:1 2", "c:2"}); diff != "" {
		t.Errorf("got (-), want (+):\n%s", diff)
	}
	for ref, want := range map[string]bool{"a/1": true, "a/2": false, "b/1": true, "c/1": true, "c/2": false, "x/x": false} {
		if d.Keeps(refs(ref)[0]) != want {
			t.Errorf("keeps %s: got %t, want %t", ref, !want, want)
		}
	}
	if got, want := kept(d), "b/1<a/1; c/1<b/1"; got != want { // of a/1 the caller knows
		t.Errorf("kept: got %q, want %q", got, want)
	}
}

func TestLongChain(t *testing.T) {
	t.Parallel()
	const n = 50_000
	var stale []catalog.Ref
	var relations []reconcile.Relation
	for i := range n {
		stale = append(stale, catalog.Ref{Blueprint: "a", Identifier: fmt.Sprintf("%05d", i)})
		if i > 0 {
			relations = append(relations, reconcile.Relation{From: stale[i], To: stale[i-1]})
		}
	}
	count, last := 0, fmt.Sprintf("%05d", n)
	d := reconcile.NewDeleteOrder(stale, relations, reconcile.Limits{Most: 100})
	for s, more := d.Next(); more; s, more = d.Next() {
		count++
		for _, g := range s.Groups {
			if g[0] >= last {
				t.Fatalf("%s goes after %s, which it relates to", g[0], last)
			}
			last = g[0]
		}
	}
	if count != n/100 {
		t.Errorf("steps: got %d, want %d", count, n/100)
	}
}

// organization is a graph of entities, and what Port does with it.
type organization struct {
	stale     []catalog.Ref
	relations []reconcile.Relation
	most      int
}

func drawOrganization(rt *rapid.T) organization {
	ref := func(label string) catalog.Ref {
		return catalog.Ref{Blueprint: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, label+" blueprint"), Identifier: fmt.Sprint(rapid.IntRange(1, 4).Draw(rt, label))}
	}
	o := organization{most: rapid.IntRange(1, 4).Draw(rt, "most")}
	for range rapid.IntRange(0, 12).Draw(rt, "stale") {
		o.stale = append(o.stale, ref("stale"))
	}
	for range rapid.IntRange(0, 16).Draw(rt, "relations") {
		o.relations = append(o.relations, reconcile.Relation{From: ref("from"), To: ref("to")})
	}
	return o
}

// dependants are those of an entity, direct or not, that are there.
func (o organization) dependants(of catalog.Ref, gone map[catalog.Ref]bool) map[catalog.Ref]bool {
	all := map[catalog.Ref]bool{of: true}
	for grown := true; grown; {
		grown = false
		for _, r := range o.relations {
			if all[r.To] && !all[r.From] && !gone[r.From] {
				all[r.From], grown = true, true
			}
		}
	}
	return all
}

// deletable is all that can be deleted, tried out: whatever one request can delete
// is deleted, until there is nothing.
func (o organization) deletable() map[catalog.Ref]bool {
	gone := map[catalog.Ref]bool{}
	for some := true; some; {
		some = false
		for _, ref := range o.stale {
			all := o.dependants(ref, gone)
			fits := !gone[ref] && len(all) <= o.most
			for d := range all {
				fits = fits && d.Blueprint == ref.Blueprint && slices.Contains(o.stale, d)
			}
			if !fits {
				continue
			}
			some = true
			for d := range all {
				gone[d] = true
			}
		}
	}
	return gone
}

// What goes is the most that can go without dependants; no request is refused, none
// is too large, and each entity is deleted or kept.
func TestDeletionIsTheMost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		o := drawOrganization(rt)
		d := reconcile.NewDeleteOrder(o.stale, o.relations, reconcile.Limits{Most: o.most})
		gone, requests, groups := map[catalog.Ref]bool{}, 0, 0
		for s, more := d.Next(); more; s, more = d.Next() {
			requests++
			var call []catalog.Ref
			for _, g := range s.Groups {
				groups = max(groups, len(g))
				for _, id := range g {
					call = append(call, catalog.Ref{Blueprint: s.Blueprint, Identifier: id})
				}
			}
			if len(call) == 0 || len(call) > o.most {
				rt.Fatalf("a request of %d, want 1 to %d", len(call), o.most)
			}
			for _, ref := range call {
				for _, r := range o.relations {
					if r.To == ref && r.From != ref && !gone[r.From] && !slices.Contains(call, r.From) {
						rt.Fatalf("%s goes, and %s relates to it", ref, r.From)
					}
				}
				if gone[ref] || !slices.Contains(o.stale, ref) {
					rt.Fatalf("%s goes twice, or is not stale", ref)
				}
			}
			for _, ref := range call {
				gone[ref] = true
			}
		}
		if diff := cmp.Diff(gone, o.deletable()); diff != "" {
			rt.Fatalf("gone: got (-), want (+):\n%s", diff)
		}
		stale := map[catalog.Ref]bool{}
		for _, ref := range o.stale {
			stale[ref] = true
		}
		for _, k := range d.Kept() {
			if gone[k.Ref] || !stale[k.Ref] {
				rt.Fatalf("%s is kept, and is gone or is not stale", k.Ref)
			}
			delete(stale, k.Ref)
		}
		if len(stale) != len(gone) {
			rt.Fatalf("%d are neither gone nor kept", len(stale)-len(gone))
		}
		if fewest, ok := o.fewest(gone); ok && groups <= 1 && requests != fewest {
			rt.Fatalf("got %d requests, want %d", requests, fewest)
		}
	})
}

// fewest is the number of full requests, where blueprints do not relate to each
// other in a cycle.
func (o organization) fewest(gone map[catalog.Ref]bool) (requests int, acyclic bool) {
	count, later := map[string]int{}, map[[2]string]bool{}
	for ref := range gone {
		count[ref.Blueprint]++
	}
	for _, r := range o.relations {
		if slices.Contains(o.stale, r.From) && slices.Contains(o.stale, r.To) && r.From.Blueprint != r.To.Blueprint {
			later[[2]string{r.From.Blueprint, r.To.Blueprint}] = true
		}
	}
	for range 3 {
		for ab := range later {
			for bc := range later {
				if ab[1] == bc[0] {
					later[[2]string{ab[0], bc[1]}] = true
				}
			}
		}
	}
	for _, n := range count {
		requests += (n + o.most - 1) / o.most
	}
	return requests, !later[[2]string{"a", "a"}] && !later[[2]string{"b", "b"}] && !later[[2]string{"c", "c"}]
}
