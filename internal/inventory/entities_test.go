package inventory_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/inventory"
)

// drawEntity draws what a run did with an entity.
func drawEntity(rt *rapid.T) entity {
	text := rapid.SampledFrom([]string{"", "a", "https://bitbucket.org/acme/api", "\x00\xff", "äöü"})
	digest := rapid.Custom(func(rt *rapid.T) catalog.Digest {
		return catalog.Digest(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "slots"))
	})
	return entity{
		Results: rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) inventory.Result {
			return inventory.Result{
				Entry:   inventory.Entry{Resource: rapid.IntRange(0, 300).Draw(rt, "resource"), Number: rapid.IntRange(0, 300).Draw(rt, "number")},
				Address: text.Draw(rt, "address"), Digest: digest.Draw(rt, "digest"), Rejected: rapid.Bool().Draw(rt, "rejected"),
			}
		}), 0, 3).Draw(rt, "results"),
		Source: text.Draw(rt, "source"), Title: rapid.Uint64().Draw(rt, "title"),
		Flags: inventory.Flags{
			Fresh: rapid.Bool().Draw(rt, "fresh"), Written: rapid.Bool().Draw(rt, "written"),
			Counted: rapid.Bool().Draw(rt, "counted"), Updated: rapid.Bool().Draw(rt, "updated"),
		},
		Touched: rapid.Bool().Draw(rt, "touched"), CountedBy: rapid.IntRange(0, 300).Draw(rt, "counted by"), Created: rapid.Bool().Draw(rt, "created"),
	}
}

// model is what Entities are like, as maps.
type model struct {
	produced map[catalog.Ref]entity
	stored   map[catalog.Ref]catalog.Digest
}

// is compares all that is known.
func (m model) is(t rapid.TB, e *inventory.Entities, refs []catalog.Ref) {
	t.Helper()
	all := map[catalog.Ref]entity{}
	for k, err := range e.All() {
		if _, twice := all[k.Ref]; twice || err != nil {
			t.Fatalf("%v: got it again, or %v", k.Ref, err)
		}
		all[k.Ref] = k.Entity
	}
	if !reflect.DeepEqual(all, m.produced) {
		t.Fatalf("all (- want, + got):\n%s", cmp.Diff(m.produced, all))
	}
	for _, ref := range refs {
		want, produced := m.produced[ref]
		digest, stored := m.stored[ref]
		got, is, err := e.Of(ref)
		if !reflect.DeepEqual(got, want) || is != produced || err != nil {
			t.Fatalf("%v: got produced %v, %v, (- want, + got):\n%s", ref, is, err, cmp.Diff(want, got))
		}
		if got, is, err := e.Stored(ref); got != digest || is != stored || err != nil {
			t.Fatalf("%v: got stored %v, %x, %v, want %v, %x", ref, is, got, err, stored, digest)
		}
		flags, is := e.Flags(ref)
		if want := want.Flags; is != produced || e.Produced(ref) != produced || flags.Stored != stored || produced && flags != want {
			t.Fatalf("%v: got flags %+v, %v, want %+v", ref, flags, is, want)
		}
	}
	counted := 0
	for ref, one := range m.produced {
		if ref.Blueprint == "service" && one.Counted && !one.Listed {
			counted++
		}
	}
	if got := e.Count(func(blueprint string, f inventory.Flags) bool {
		return blueprint == "service" && f.Counted && !f.Listed
	}); got != counted {
		t.Fatalf("got %d counted, want %d", got, counted)
	}
}

// What is kept of entities is what was given, whatever came before.
func TestEntities(t *testing.T) {
	t.Parallel()
	var refs []catalog.Ref
	for i := range 8 {
		refs = append(refs, ref(fmt.Sprint(i)), catalog.Ref{Blueprint: "pull", Identifier: fmt.Sprint(i)})
	}
	rapid.Check(t, func(rt *rapid.T) {
		v := inventory.New()
		defer v.Close()
		m := model{map[catalog.Ref]entity{}, map[catalog.Ref]catalog.Digest{}}
		one := rapid.SampledFrom(refs)
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) { m.is(rt, v.Entities, refs) },
			"keep": func(rt *rapid.T) {
				ref, e := one.Draw(rt, "ref"), drawEntity(rt)
				if err := v.Entities.Keep(ref, e); err != nil {
					rt.Fatal(err)
				}
				_, e.Stored = m.stored[ref]
				if len(e.Results) == 0 {
					e.Results = nil
				}
				m.produced[ref] = e
			},
			"store": func(rt *rapid.T) {
				ref, digest := one.Draw(rt, "ref"), catalog.Digest(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "digest"))
				if err := v.Entities.KeepStored(ref, digest); err != nil {
					rt.Fatal(err)
				}
				m.stored[ref] = digest
				if e, ok := m.produced[ref]; ok {
					e.Stored = true
					m.produced[ref] = e
				}
			},
			"list": func(rt *rapid.T) {
				ref := one.Draw(rt, "ref")
				e, produced := m.produced[ref]
				if got := v.Entities.MarkListed(ref); got != e.Listed {
					rt.Fatalf("got listed before %v, want %v", got, e.Listed)
				}
				if e.Listed = true; produced {
					m.produced[ref] = e
				}
			},
		})
		if err := v.Err(); err != nil {
			rt.Fatal(err)
		}
	})
}

// Targets are those that were added, each once.
func TestTargets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		v := inventory.New()
		defer v.Close()
		name := rapid.SampledFrom([]string{"", "a", "ab", "b"})
		want := map[inventory.Target]bool{}
		for range rapid.IntRange(0, 20).Draw(rt, "n") {
			one := inventory.Target{Relation: inventory.Relation{Blueprint: name.Draw(rt, "blueprint"), Name: name.Draw(rt, "relation")}, Identifier: name.Draw(rt, "identifier")}
			v.Targets.Add(one.Relation, one.Identifier)
			want[one] = true
			if id := name.Draw(rt, "produced"); rapid.Bool().Draw(rt, "produces") {
				put(v, ref(id), entity{})
			}
		}
		got, all := map[inventory.Target]bool{}, map[inventory.Relation]bool{}
		for one, err := range v.Targets.All() {
			if got[one] || err != nil {
				rt.Fatalf("%v: got it again, or %v", one, err)
			}
			got[one] = true
			produced := v.Entities.Produced(ref(one.Identifier))
			if known, ok := all[one.Relation]; ok {
				produced = produced && known
			}
			all[one.Relation] = produced
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("targets (- want, + got):\n%s", diff)
		}
		if relations := v.Targets.Relations(); len(relations) != len(all) {
			rt.Fatalf("got relations %v, want those of %v", relations, all)
		}
		for _, r := range v.Targets.Relations() {
			if got, want := v.AllProduced(r, "service"), all[r]; got != want {
				rt.Fatalf("%v: got all produced %v, want %v", r, got, want)
			}
			if v.AllProduced(r, "pull") {
				rt.Fatalf("%v: all is produced in a blueprint without entities", r)
			}
		}
		if one := (inventory.Target{Relation: inventory.Relation{Blueprint: "a", Name: "b"}, Identifier: "ab"}); v.Targets.Has(one.Relation, one.Identifier) != want[one] {
			rt.Fatalf("%v: got has %v", one, !want[one])
		}
	})
}

// Edges come back in their order, also where they are more than memory takes.
func TestManyEdges(t *testing.T) {
	t.Parallel()
	v := inventory.New()
	defer v.Close()
	a, b := v.NewEdges(), v.NewEdges()
	const n = 5000
	for i := range n {
		a.Add(inventory.Edge{From: fmt.Sprint("a", i), Relation: "r", To: fmt.Sprint(i)})
		b.Add(inventory.Edge{From: fmt.Sprint("b", i)})
	}
	i := 0
	for e, err := range a.All() {
		if want := (inventory.Edge{From: fmt.Sprint("a", i), Relation: "r", To: fmt.Sprint(i)}); e != want || err != nil {
			t.Fatalf("got %v, %v, want %v", e, err, want)
		}
		i++
	}
	for range b.All() {
		break
	}
	if i != n {
		t.Errorf("got %d edges, want %d", i, n)
	}
}

// What cannot be read again is an error, once for all; what the run produced stays known.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	v := inventory.NewIn(folder)
	defer v.Close()
	const n = 5000
	refs := map[catalog.Ref]bool{}
	edges := v.NewEdges()
	for i := range n {
		of := ref(fmt.Sprint(i))
		refs[of] = true
		if err := v.Entities.KeepStored(of, "digest"); err != nil {
			t.Fatal(err)
		}
		put(v, of, entity{Flags: inventory.Flags{Counted: true}})
		edges.Add(inventory.Edge{From: of.Identifier, Relation: "r", To: "x"})
		v.Targets.Add(inventory.Relation{Blueprint: "service", Name: "r"}, of.Identifier)
	}
	if err := v.Err(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if len(names) != 1 || err != nil {
		t.Fatal(names, err)
	}
	if err := os.Truncate(names[0], 0); err != nil {
		t.Fatal(err)
	}
	first := ref("0")
	_, produced, err := v.Entities.Of(first)
	if flags, also := v.Entities.Flags(first); !produced || !also || !flags.Counted || !flags.Stored || err == nil {
		t.Errorf("got produced %v and %v, flags %+v, %v", produced, also, flags, err)
	}
	if !errors.Is(v.Err(), err) {
		t.Errorf("got %v, want %v", v.Err(), err)
	}
	if _, stored, err := v.Entities.Stored(first); !stored || err == nil {
		t.Errorf("got stored %v, %v", stored, err)
	}
	for name, keep := range map[string]func() error{
		"keep":        func() error { return v.Entities.Keep(first, entity{}) },
		"keep stored": func() error { return v.Entities.KeepStored(ref("1"), "d") },
	} {
		if err := keep(); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	last := map[string]error{}
	for _, err := range v.Entities.All() {
		last["entities"] = err
	}
	for _, err := range v.Targets.All() {
		last["targets"] = err
	}
	for _, err := range edges.All() {
		last["edges"] = err
	}
	if len(last) != 3 || last["entities"] == nil || last["targets"] == nil || last["edges"] == nil {
		t.Errorf("got %v, want three errors", last)
	}
	for of := range maps.Keys(refs) {
		if !v.Entities.Produced(of) || !v.Targets.Has(inventory.Relation{Blueprint: "service", Name: "r"}, of.Identifier) {
			t.Fatalf("%v is not known any more", of)
		}
	}
}

// maxPerEntity is what memory may have of an entity, in bytes.
const maxPerEntity = 40

// Memory has a few bytes of an entity, however many there are. It is not parallel, since it
// measures the heap.
func TestMemoryPerEntity(t *testing.T) {
	n := 50_000
	if os.Getenv("TESTS") == "full" { // as .ci/run lets them
		n = 200_000
	}
	for name, stores := range map[string]bool{"first run": false, "unchanged run": true} {
		t.Run(name, func(t *testing.T) {
			heap := func() int64 {
				runtime.GC()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc)
			}
			before := heap()
			v := inventory.New()
			defer v.Close()
			edges, digest := v.NewEdges(), catalog.Digest(make([]byte, 80))
			for i := range n {
				repository := fmt.Sprintf("service-%04d", i/100)
				of := catalog.Ref{Blueprint: "pull", Identifier: fmt.Sprintf("%s/%d", repository, i)}
				if stores {
					if err := v.Entities.KeepStored(of, digest); err != nil {
						t.Fatal(err)
					}
					edges.Add(inventory.Edge{From: of.Identifier, Relation: "repository", To: repository})
				}
				v.Targets.Add(inventory.Relation{Blueprint: "pull", Name: "repository"}, repository)
				put(v, of, entity{
					Results: []inventory.Result{{Entry: inventory.Entry{Resource: 1}, Digest: digest, Address: "https://bitbucket.org/acme/" + of.Identifier}},
					Source:  "{1}", Title: uint64(i + 1), CountedBy: 1,
				})
			}
			per := float64(heap()-before) / float64(n)
			t.Logf("%.1f bytes", per)
			if per > maxPerEntity {
				t.Errorf("got %.1f bytes for each of %d entities, want at most %d", per, n, maxPerEntity)
			}
			runtime.KeepAlive(v)
		})
	}
}

func BenchmarkKeep(b *testing.B) {
	v := inventory.New()
	defer v.Close()
	digest := catalog.Digest(make([]byte, 80))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		of := ref(fmt.Sprint(i))
		if err := v.Entities.KeepStored(of, digest); err != nil {
			b.Fatal(err)
		}
		if _, _, err := v.Entities.Stored(of); err != nil {
			b.Fatal(err)
		}
		put(v, of, entity{
			Results: []inventory.Result{{Entry: inventory.Entry{Resource: 1}, Digest: digest, Address: "https://bitbucket.org/acme/api/1"}},
			Source:  "{1}",
		})
	}
}
