package resync_test

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// parts deals what a run knows out to parts: each source of a resource goes to one of them,
// with its entities and gaps. Every part is written as JSON and read again.
func parts(t *testing.T, whole *inventory.Inventory, n int, r *rand.Rand) []*inventory.Inventory {
	t.Helper()
	indexes := make([]int, len(whole.Resources))
	for i, res := range whole.Resources {
		indexes[i] = res.Index
	}
	all := make([]*inventory.Inventory, n)
	for i := range all {
		all[i] = inventory.New(indexes...)
	}
	of := map[string]*inventory.Inventory{} // by key of the source
	part := func(key string) *inventory.Inventory {
		if of[key] == nil {
			of[key] = all[r.IntN(n)]
		}
		return of[key]
	}
	keep := func(p *inventory.Inventory, k inventory.Kept) {
		if err := p.Entities.Keep(k.Ref, k.Entity); err != nil {
			t.Fatal(err)
		}
	}
	for k, err := range whole.Entities.All() {
		if err != nil {
			t.Fatal(err)
		}
		first, last := k, k
		cut := len(k.Results)
		if cut > 1 {
			cut = 1 + r.IntN(cut)
		}
		first.Results, last.Results = k.Results[:cut], k.Results[cut:]
		i := r.IntN(n)
		if keep(all[i], first); len(last.Results) > 0 {
			if i == n-1 {
				keep(all[i], k)
			} else {
				keep(all[i+1+r.IntN(n-1-i)], last)
			}
		}
	}
	for target, err := range whole.Targets.All() {
		if err != nil {
			t.Fatal(err)
		}
		all[r.IntN(n)].Targets.Add(target.Relation, target.Identifier)
	}
	for blueprint, s := range whole.Stored {
		unread := r.IntN(n)
		for i, p := range all {
			p.Stored[blueprint] = inventory.Stored{Edges: p.NewEdges(), Unread: s.Unread && i == unread, Absent: s.Absent}
		}
		for e, err := range s.Edges.All() {
			if err != nil {
				t.Fatal(err)
			}
			all[r.IntN(n)].Stored[blueprint].Edges.Add(e)
		}
	}
	for blueprint := range whole.Adopted {
		all[r.IntN(n)].Adopted[blueprint] = true
	}
	for i, res := range whole.Resources {
		blind := r.IntN(n)
		for k, p := range all {
			to := p.Resources[i]
			to.Listed, to.Held = res.Listed || k != blind, make([]int, len(res.Held))
		}
		for key, source := range res.Sources {
			part(key).Resources[i].Sources[key] = source
		}
		for range res.Tasks {
			all[r.IntN(n)].Resources[i].Tasks++
		}
		all[r.IntN(n)].Resources[i].Extracted += res.Extracted
		for e, held := range res.Held {
			all[r.IntN(n)].Resources[i].Held[e] += held
		}
		all[r.IntN(n)].Resources[i].Gap = res.Gap
		all[r.IntN(n)].Resources[i].Unnamed = res.Unnamed
		for _, g := range res.Partial {
			to := part(g.Source.Key).Resources[i]
			to.Partial = append(to.Partial, g)
		}
		for key, readAt := range res.Remembered {
			part(key).Resources[i].Remember(key, readAt)
		}
		for key := range res.NotAsked {
			part(key).Resources[i].Leave(key)
		}
	}
	for i, p := range all {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		read := new(inventory.Inventory)
		if err := json.Unmarshal(text, read); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		all[i] = read
	}
	return all
}

// deletions takes deletions, and does nothing.
type deletions struct {
	resync.Store
	deleted []string
}

func (r *deletions) Delete(_ context.Context, blueprint string, identifiers []string, _ bool) (results []port.DeleteResult, refused bool) {
	for _, id := range identifiers {
		r.deleted = append(r.deleted, blueprint+"/"+id)
		results = append(results, port.DeleteResult{Identifier: id})
	}
	return results, false
}

// prunedInParts does a run on a workspace that was edited, with faults and lists that it does
// not ask for, and prunes by what the run knows, and by n parts of it. It returns what was
// deleted and kept.
func prunedInParts(t *testing.T, s state, edits []edit, faults []func(*world), hows map[string]how, n int, seed uint64) (deleted, kept int) {
	m := mapped("entityDeletionThreshold: 1", projects, repos, pulls, entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {description: .slug}}`))
	m = strings.ReplaceAll(m, "created: .created_on, ", "") // of the emulators' clock
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, s.build())
		l := &lists{known: map[string]knownList{}}
		w.unequal, w.adjust = true, l.in
		w.sync(m).ended(report.Success)
		l.choose = hows
		for _, e := range edits {
			s.edit(e, w.bitbucket)
		}
		for _, f := range faults {
			f(w)
		}
		w.port.Age(time.Hour)
		job := w.job(m)
		job.Watch.Reconciling = func() { // both prunings meet the same services
			w.bitbucket.ClearFaults()
			w.port.ClearFaults()
		}
		stores := [2]*deletions{{Store: job.Port.Entities}, {Store: job.Port.Entities}}
		job.Store = job.Port.Entities
		reports := resync.PruneTwice(context.Background(), job, func(whole *inventory.Inventory) *inventory.Inventory {
			merged, err := inventory.Merge(parts(t, whole, n, rand.New(rand.NewPCG(seed, 0)))...)
			if err != nil {
				t.Fatal(err)
			}
			return merged
		}, [2]resync.Store{stores[0], stores[1]})
		for _, b := range reports[0].Blueprints {
			deleted, kept = deleted+b.Deleted, kept+b.StaleKept
		}
		if diff := cmp.Diff(stores[0].deleted, stores[1].deleted); diff != "" {
			t.Errorf("deleted of %d parts (- whole, + merged):\n%s", n, diff)
		}
		if diff := cmp.Diff(reports[0].Blueprints, reports[1].Blueprints); diff != "" {
			t.Errorf("blueprints of %d parts (- whole, + merged):\n%s", n, diff)
		}
		if got, want := reports[1].Settled, reports[0].Settled; got != want {
			t.Errorf("settled of %d parts: got %v, want %v", n, got, want)
		}
	})
	return deleted, kept
}

// What is deleted does not depend on whether a run knew all at once, or parts of it were
// kept as JSON and merged.
func TestPartsOfARun(t *testing.T) {
	t.Parallel()
	some := func() state {
		return state{map[string]string{"keep": "go", "r0": "go", "r1": "go"}, map[string]map[int]int{"keep": {1: 0}, "r0": {1: 0, 2: 0}, "r1": {1: 0}}}
	}
	edits := []edit{{0, 0}, {1, 3}} // r0 is removed, and the pull request of r1
	if deleted, kept := prunedInParts(t, some(), edits, nil, nil, 3, 1); deleted != 4 || kept != 0 {
		t.Errorf("got %d deleted and %d kept, want 4 and 0", deleted, kept)
	}
	unread := func(w *world) {
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/r1/pullrequests", Times: -1, Status: 404})
	}
	if deleted, kept := prunedInParts(t, some(), edits, []func(*world){unread}, nil, 3, 1); deleted != 3 || kept != 1 {
		t.Errorf("r1 is not read: got %d deleted and %d kept, want 3 and 1", deleted, kept)
	}
	if deleted, kept := prunedInParts(t, some(), edits, nil, map[string]how{"r1": leavesIt}, 3, 1); deleted != 3 || kept != 1 {
		t.Errorf("r1 is not asked for: got %d deleted and %d kept, want 3 and 1", deleted, kept)
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := drawState(rt)
		edits := rapid.SliceOfN(rapid.Custom(drawEdit), 0, 5).Draw(rt, "edits")
		faults := make([]func(*world), rapid.IntRange(0, 2).Draw(rt, "faults"))
		for i := range faults {
			faults[i] = drawFault(rt)
		}
		hows := map[string]how{}
		for _, slug := range slices.Sorted(maps.Keys(s.languages)) {
			hows[slug] = rapid.SampledFrom([]how{asks, recalls, leavesIt}).Draw(rt, "how")
		}
		n, seed := rapid.IntRange(1, 3).Draw(rt, "parts"), rapid.Uint64().Draw(rt, "seed")
		prunedInParts(t, s, edits, faults, hows, n, seed)
		if t.Failed() {
			rt.FailNow()
		}
	})
}
