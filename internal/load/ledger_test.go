package load

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/report"
)

// ledgerOf is that of two resources with two entries each.
func ledgerOf() (*ledger, []*Resource) {
	v := inventory.New(1, 2) // too little is put into it for a file
	bound, all := &check.Bound{}, []*Resource(nil)
	for i, seen := range v.Resources {
		r := &check.Resource{}
		r.Index = seen.Index
		for n := range 2 {
			r.Entries = append(r.Entries, &check.Entry{Resource: r.Index, Number: n})
		}
		bound.Resources = append(bound.Resources, r)
		seen.Held = make([]int, len(r.Entries))
		all = append(all, &Resource{Resource: r, Report: &report.Resource{Index: i + 1}, Seen: seen})
	}
	return newLedger(Config{Bound: bound, Report: &report.Report{}, Inventory: v}), all
}

// A state that comes to rest, and is asked for again, is what it was: random histories of two
// ledgers, of which one never lets a state rest.
func TestRest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var ledgers [2]*ledger
		var resources [2][]*Resource
		for i := range ledgers {
			ledgers[i], resources[i] = ledgerOf()
		}
		var pendings [][2]*pending
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			ref := catalog.Ref{Blueprint: "b", Identifier: fmt.Sprint(rapid.IntRange(0, 2).Draw(rt, "identifier"))}
			of, number := rapid.IntRange(0, 1).Draw(rt, "resource"), rapid.IntRange(0, 1).Draw(rt, "entry")
			digest := catalog.Digest(rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "digest"))
			as := outcome(rapid.IntRange(0, 2).Draw(rt, "outcome"))
			act := rapid.IntRange(0, 4).Draw(rt, "act")
			which := rapid.IntRange(0, max(0, len(pendings)-1)).Draw(rt, "pending")
			var came [2]*pending
			for i, l := range ledgers {
				to := resources[i][of]
				switch {
				case act < 2: // a result comes
					p := &pending{entity: catalog.Entity{Ref: ref}, entry: to.Entries[number], of: to, state: l.state(ref), number: len(pendings)}
					p.state.results = append(p.state.results, result{entry: p.entry, digest: digest, address: fmt.Sprint(digest, len(pendings)), pending: p})
					p.state.Title, p.state.Source, p.state.Fresh = uint64(len(digest)), string(digest), act == 1
					came[i] = p
				case len(pendings) == 0 || pendings[which][i].stage == over:
				case act == 2: // one arrives
					p := pendings[which][i]
					p.state.Touched, p.state.Written = true, true
					l.count(p, as)
					l.close(p)
				case act == 3: // one is rejected
					p := pendings[which][i]
					p.reject()
					l.close(p)
				case act == 4: // one need not be written
					l.leave(pendings[which][i])
				}
				if i == 0 {
					l.rest()
				}
			}
			if came[0] != nil {
				pendings = append(pendings, came)
			}
		}
		for _, ref := range []catalog.Ref{{Blueprint: "b", Identifier: "0"}, {Blueprint: "b", Identifier: "1"}, {Blueprint: "b", Identifier: "2"}} {
			if got, want := ledgers[0].counted(ref), ledgers[1].counted(ref); got != want {
				rt.Fatalf("%v: got counted %v, want %v", ref, got, want)
			}
			if got, want := ledgers[0].produced(ref), ledgers[1].produced(ref); got != want {
				rt.Fatalf("%v: got produced %v, want %v", ref, got, want)
			}
		}
		for i := range resources[0] {
			if got, want := *resources[0][i].Report, *resources[1][i].Report; !reflect.DeepEqual(got, want) {
				rt.Fatalf("resource %d: got %+v, want %+v", i, got, want)
			}
		}
		for _, l := range ledgers {
			l.release()
		}
		got, want := kept(rt, ledgers[0]), kept(rt, ledgers[1])
		if !reflect.DeepEqual(got, want) {
			rt.Fatalf("got\n%+v, want\n%+v", got, want)
		}
	})
}

// kept are the entities of a ledger's inventory.
func kept(rt *rapid.T, l *ledger) map[catalog.Ref]inventory.Entity {
	all := map[catalog.Ref]inventory.Entity{}
	for k, err := range l.inventory.Entities.All() {
		if err != nil {
			rt.Fatal(err)
		}
		all[k.Ref] = k.Entity
	}
	return all
}

// Of entities of which nothing is on its way, no state is left.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	l, resources := ledgerOf()
	for i := range 1000 {
		ref := catalog.Ref{Blueprint: "b", Identifier: fmt.Sprint(i)}
		p := &pending{entity: catalog.Entity{Ref: ref}, entry: resources[0].Entries[0], of: resources[0], state: l.state(ref)}
		p.state.results = []result{{entry: p.entry, pending: p}}
		l.rest()
		if len(l.states) != 1 || l.states[ref] != p.state {
			t.Fatalf("got %d states while one result is on its way", len(l.states))
		}
		l.count(p, created)
		l.close(p)
		l.rest()
		if len(l.states) != 0 || len(l.moved) != 0 {
			t.Fatalf("got %d states, %d of which may rest", len(l.states), len(l.moved))
		}
		if !l.produced(ref) || !l.counted(ref) {
			t.Fatalf("%v is not known any more", ref)
		}
	}
}
