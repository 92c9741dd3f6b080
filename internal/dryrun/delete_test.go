package dryrun_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

// Deletions of random entities that relate to each other: a plan says of each call what
// Port then says, whatever goes along and whatever was written before.
func TestDeletesAsPortDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		type link struct{ from, to int }
		const n = 6
		links := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) link {
			return link{rapid.IntRange(0, n-1).Draw(rt, "from"), rapid.IntRange(0, n-1).Draw(rt, "to")}
		}), 0, 8).Draw(rt, "links")
		rewritten := rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 2).Draw(rt, "rewritten")
		doomed := rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 1, 3, rapid.ID[int]).Draw(rt, "doomed")
		cascade := rapid.Bool().Draw(rt, "cascade")
		synctest.Test(t, func(t *testing.T) {
			s, client, store := world(t, `{"identifier":"b","title":"B","schema":{"properties":{},"required":[]},
				"relations":{"up":{"title":"Up","target":"b","many":true,"required":false}}}`)
			related := make([][]any, n)
			for _, l := range links {
				related[l.from] = append(related[l.from], fmt.Sprint("e", l.to))
			}
			for i := range n {
				s.PutEntity("b", porttest.Entity{Identifier: fmt.Sprint("e", i), Relations: map[string]any{"up": append([]any{}, related[i]...)}})
			}
			for _, i := range rewritten {
				batch := entity(t, "b", fmt.Sprint("e", i), nil, map[string]any{"up": []any{fmt.Sprint("e", (i+1)%n)}})
				store.Upsert(t.Context(), "b", batch, port.Flags{Merge: true})
				client.Entities.Upsert(t.Context(), "b", batch, port.Flags{Merge: true})
			}
			// The plan comes first, over what Port held before those writes too: it has them itself.
			ids := make([]string, len(doomed))
			for i, d := range doomed {
				ids[i] = fmt.Sprint("e", d)
			}
			_, plannedRefused := store.Delete(t.Context(), "b", ids, cascade)
			before := s.Catalog()["b"]
			_, refused := client.Entities.Delete(t.Context(), "b", ids, cascade)
			if plannedRefused != refused {
				t.Errorf("planned a refusal: %t, done: %t", plannedRefused, refused)
			}
			gone := map[string]bool{}
			for id := range before {
				if _, left := s.Catalog()["b"][id]; !left {
					gone[id] = true
				}
			}
			for _, c := range store.Changes() {
				if c.Action == catalog.Delete && !gone[c.Ref.Identifier] {
					t.Errorf("%s was not deleted", c.Ref)
				}
				if c.Action == catalog.Delete {
					delete(gone, c.Ref.Identifier)
				}
			}
			if len(gone) > 0 {
				t.Errorf("deleted, but not planned: %v", gone)
			}
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// Who would relate to what is deleted keeps it, or goes along, and is named.
func TestDeleteWithDependants(t *testing.T) {
	t.Parallel()
	s, _, store := world(t, group, service)
	s.PutEntity("group", porttest.Entity{Identifier: "g"})
	s.PutEntity("service", porttest.Entity{Identifier: "x", Relations: map[string]any{"owner": "g"}})
	s.PutEntity("service", porttest.Entity{Identifier: "y", Relations: map[string]any{"needs": []any{"x"}}})
	got, refused := store.Delete(t.Context(), "group", []string{"g"}, false)
	if !refused || !got[0].HasDependants || !strings.Contains(got[0].Err.Error(), `entities of blueprint "group" have dependents: service/x`) || len(store.Changes()) > 0 {
		t.Errorf("got %+v, %t, want that service/x relates to it", got, refused)
	}
	if got, refused := store.Delete(t.Context(), "group", []string{"g"}, true); refused || got[0].Err != nil {
		t.Errorf("got %+v, %t, want all deleted", got, refused)
	}
	want := []catalog.Change{
		{Action: catalog.Delete, Ref: catalog.Ref{Blueprint: "group", Identifier: "g"}},
		{Action: catalog.Delete, Ref: catalog.Ref{Blueprint: "service", Identifier: "x"}, Why: `along with an entity of blueprint "group" that it relates to`},
		{Action: catalog.Delete, Ref: catalog.Ref{Blueprint: "service", Identifier: "y"}, Why: `along with an entity of blueprint "service" that it relates to`},
	}
	if diff := cmp.Diff(store.Changes(), want); diff != "" {
		t.Errorf("got (-), want (+):\n%s", diff)
	}
}

// What is planned before a deletion counts: a relation that is taken away, one that is
// new, and an entity that is deleted. Relations of other names and targets do not.
func TestDeleteAfterWrites(t *testing.T) {
	t.Parallel()
	s, _, store := world(t, group, service)
	for _, id := range []string{"g", "h", "i"} {
		s.PutEntity("group", porttest.Entity{Identifier: id})
		s.PutEntity("service", porttest.Entity{Identifier: id})
	}
	s.PutEntity("service", porttest.Entity{Identifier: "x", Relations: map[string]any{"owner": "g", "needs": []any{"h"}}})
	write := func(id string, relations map[string]any) {
		t.Helper()
		if got := store.Upsert(t.Context(), "service", []catalog.Entity{encoded(t, "service", catalog.Fields{Identifier: id, Relations: relations})}, port.Flags{Merge: true})[0]; got.Err != nil {
			t.Fatal(got.Err)
		}
	}
	remove := func(blueprint, id, by string) {
		t.Helper()
		got, refused := store.Delete(t.Context(), blueprint, []string{id}, false)
		if refused != (by != "") || refused && !strings.HasSuffix(got[0].Err.Error(), by) {
			t.Errorf("%s/%s: got %v, want it refused by %q", blueprint, id, got[0].Err, by)
		}
	}
	remove("group", "g", "service/x")
	write("x", map[string]any{"owner": "i"})
	remove("group", "g", "") // x relates to another by now
	remove("group", "h", "") // x relates to a service of that name
	remove("group", "i", "service/x")
	remove("service", "h", "service/x")
	write("y", map[string]any{"needs": []any{"i"}})
	remove("service", "i", "service/y")
	remove("service", "x", "")
	remove("group", "i", "")
	remove("service", "h", "")
	reads := 0
	for _, x := range s.Journal() {
		if strings.HasSuffix(x.Path, "/v1/blueprints") {
			reads++
		}
	}
	if reads != 1 {
		t.Errorf("all blueprints were read %d times, want once", reads)
	}
}

// One of several that go together is not kept by the others.
func TestDeleteTogether(t *testing.T) {
	t.Parallel()
	s, _, store := world(t, group, service)
	s.PutEntity("service", porttest.Entity{Identifier: "a"})
	s.PutEntity("service", porttest.Entity{Identifier: "b", Relations: map[string]any{"needs": []any{"a"}}})
	if got, refused := store.Delete(t.Context(), "service", []string{"a", "b"}, false); refused || got[0].Err != nil || got[1].Identifier != "b" {
		t.Errorf("got %+v, %t, want both deleted", got, refused)
	}
}
