package resync_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
)

// population is entities and their relations, of which some are stale.
type population struct {
	relates      map[string][]string // "blueprint/identifier": the same
	stays        map[string]bool     // of ours
	others       map[string]bool
	createsStubs bool
	targets      []string // of the mapped relation of a/here
}

func drawPopulation(rt *rapid.T) population {
	p := population{map[string][]string{}, map[string]bool{"a/here": true, "b/here": true}, map[string]bool{}, rapid.Bool().Draw(rt, "creates stubs"), nil}
	all := []string{"a/here", "b/here"}
	for _, blueprint := range []string{"a", "b", "c"} { // c is not mapped
		for i := range rapid.IntRange(0, 4).Draw(rt, "entities of "+blueprint) {
			all = append(all, fmt.Sprintf("%s/%d", blueprint, i))
		}
	}
	for _, ref := range all {
		p.relates[ref] = nil
		if !p.stays[ref] && rapid.IntRange(0, 6).Draw(rt, ref+" of") == 0 {
			p.others[ref] = true
		}
		for range rapid.IntRange(0, 2).Draw(rt, "relations of "+ref) {
			p.relates[ref] = append(p.relates[ref], rapid.SampledFrom(all).Draw(rt, "related to"))
		}
	}
	for range rapid.IntRange(0, 2).Draw(rt, "mapped relations") {
		if t := rapid.SampledFrom(all).Draw(rt, "mapped to"); strings.HasPrefix(t, "b/") {
			p.targets = append(p.targets, strings.TrimPrefix(t, "b/"))
		}
	}
	return p
}

// relations are those after the load: of a/here to b, the mapped ones.
func (p population) relations() [][2]string {
	var all [][2]string
	for from, targets := range p.relates {
		for _, to := range targets {
			if from != "a/here" || !strings.HasPrefix(to, "b/") {
				all = append(all, [2]string{from, to})
			}
		}
	}
	for _, id := range p.targets {
		all = append(all, [2]string{"a/here", "b/" + id})
	}
	return all
}

// stale are those of ours that are not produced, nor needed.
func (p population) stale() map[string]bool {
	all := map[string]bool{}
	for ref := range p.relates {
		id, ofB := strings.CutPrefix(ref, "b/")
		if !p.stays[ref] && !p.others[ref] && !(p.createsStubs && ofB && slices.Contains(p.targets, id)) {
			all[ref] = true
		}
	}
	return all
}

// related counts those of ours that were not produced, hold something, and stay since
// what was produced relates to them.
func (p population) related() (n int) {
	for ref, targets := range p.relates {
		id, ofB := strings.CutPrefix(ref, "b/")
		if !p.stays[ref] && !p.others[ref] && p.createsStubs && ofB && slices.Contains(p.targets, id) && len(targets) > 0 {
			n++
		}
	}
	return n
}

// deletable is found by trying: what has no dependants left but in its blueprint.
func (p population) deletable() map[string]bool {
	stale, gone, relations := p.stale(), map[string]bool{}, p.relations()
	for some := true; some; {
		some = false
		for ref := range stale {
			all := map[string]bool{ref: true}
			for grown := true; grown; {
				grown = false
				for _, r := range relations {
					if all[r[1]] && !all[r[0]] && !gone[r[0]] {
						all[r[0]], grown = true, true
					}
				}
			}
			fits := !gone[ref]
			for d := range all {
				fits = fits && stale[d] && d[0] == ref[0]
			}
			if fits {
				some = true
				maps.Copy(gone, all)
			}
		}
	}
	return gone
}

// Whatever relates to what: all goes that can go, nothing else does, and Port refuses
// only for entities of others.
func TestDeletesTheMostThatCanGo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPopulation(rt)
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, bitbuckettest.New("acme"))
			w.bitbucket.AddRepository(bitbuckettest.Repository{Name: "here"})
			w.graph("a", "b", "c")
			for _, ref := range slices.Sorted(maps.Keys(p.relates)) {
				source := ours
				if p.others[ref] {
					source = "someone"
				}
				w.node(ref, source, p.relates[ref]...)
			}
			targets, err := json.Marshal(append([]string{}, p.targets...))
			if err != nil {
				t.Fatal(err)
			}
			m := mapped("entityDeletionThreshold: 1", fmt.Sprint("createMissingRelatedEntities: ", p.createsStubs), entity("repository", `{identifier: .slug, blueprint: '"a"', relations: {to-b: '`+string(targets)+`'}}`),
				entity("repository", `{identifier: .slug, blueprint: '"b"'}`))
			r := w.sync(m).ended(report.Success)
			want, stale := p.deletable(), p.stale()
			for ref := range p.relates {
				blueprint, id, _ := strings.Cut(ref, "/")
				if _, there := r.after[blueprint][id]; there == want[ref] {
					t.Errorf("%s: there %t, want %t\n%s", ref, there, !want[ref], r.story())
				}
			}
			kept := len(stale) - len(want) + p.related()
			if r.deleted != len(want) || r.kept != kept {
				t.Errorf("got %d deleted and %d kept, want %d and %d\n%s", r.deleted, r.kept, len(want), kept, r.story())
			}
			for _, x := range r.writes {
				if x.Status == http.StatusUnprocessableEntity && !p.blamesOthers(string(x.ResponseBody)) {
					t.Errorf("refused: %s\n%s", x.ResponseBody, r.story())
				}
			}
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// blamesOthers says whether a refusal names an entity of others.
func (p population) blamesOthers(text string) bool {
	_, dependants, _ := strings.Cut(text, "dependents: ")
	return slices.ContainsFunc(slices.Collect(maps.Keys(p.others)), func(ref string) bool { return strings.Contains(dependants, ref) })
}
