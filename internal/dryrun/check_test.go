package dryrun_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/dryrun"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

// world is a client of Port, and a plan over the same catalog.
func world(t *testing.T, blueprints ...string) (*porttest.Server, *port.Client, *dryrun.Store) {
	t.Helper()
	s := porttest.New()
	s.AllowClient("id", "hush")
	for _, b := range blueprints {
		s.AddBlueprint(b)
	}
	c := port.New(port.Config{
		BaseURL: "http://port.test", ClientID: "id", ClientSecret: "hush", Identifier: "acme", Version: "1.2.3",
		Transport: s.RoundTripper(), Log: slog.New(slog.DiscardHandler),
	})
	return s, c, dryrun.New(c, nil)
}

func entity(t *testing.T, blueprint, id string, properties, relations map[string]any) []catalog.Entity {
	t.Helper()
	e, err := catalog.Encode(blueprint, catalog.Fields{Identifier: id, Properties: properties, Relations: relations}, catalog.NewDigester(catalog.Keys{}, catalog.Shape{}))
	if err != nil {
		t.Fatal(err)
	}
	return []catalog.Entity{e}
}

// rules are JSON Schemas of properties, and values are values to try with each.
var (
	rules = []string{
		`{"type":"string"}`, `{"type":"number"}`, `{"type":"boolean"}`, `{"type":"object"}`, `{"type":"array"}`,
		`{"type":"string","format":"url"}`, `{"type":"string","format":"date-time"}`, `{"type":"string","format":"email"}`,
		`{"type":"string","format":"ipv4"}`, `{"type":"string","format":"ipv6"}`, `{"type":"string","format":"markdown"}`,
		`{"type":"string","format":"user"}`, `{"type":"string","format":"timer"}`, `{"type":"string","enum":["a","b"]}`,
		`{"type":"number","enum":[1,2.5]}`, `{"type":"string","minLength":2,"maxLength":3}`, `{"type":"string","pattern":"^[a-c]+$"}`,
		`{"type":"number","minimum":0,"maximum":10}`, `{"type":"array","minItems":1,"maxItems":2}`,
		`{"type":"array","items":{"type":"string"}}`, `{"type":"array","items":{"type":"string","format":"url"}}`,
		`{"type":"array","items":{"type":"object"}}`,
	}
	values = []string{
		`null`, `""`, `"a"`, `"ab"`, `"abc"`, `"abcd"`, `"naïve"`, `"https://a.example/x"`, `"a.example"`, `"mailto:x@y.example"`,
		`"x@y.example"`, `"Dana <x@y.example>"`, `"2026-11-22T10:00:00Z"`, `"2026-11-22"`, `"2026-11-22T10:00:00.123+02:00"`,
		`"10.0.0.1"`, `"::1"`, `"10.0.0.256"`, `0`, `1`, `1.0`, `2.5`, `-1`, `10`, `11`, `1e2`, `true`, `false`, `[]`, `["a"]`, `["a",1]`,
		`["https://a.example"]`, `["a","b","c"]`, `[[]]`, `[{}]`, `{}`, `{"a":1}`, `{"a":null}`,
	}
)

// What a plan refuses is what Port refuses, for every rule and every value.
func TestChecksAsPortDoes(t *testing.T) {
	t.Parallel()
	for i, rule := range rules {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			_, client, store := world(t, fmt.Sprintf(`{"identifier":"b","title":"B","schema":{"properties":{"p":%s},"required":[]},"relations":{}}`, rules[i]))
			for _, text := range values {
				var v any
				d := json.NewDecoder(strings.NewReader(text))
				d.UseNumber()
				if err := d.Decode(&v); err != nil {
					t.Fatal(err)
				}
				batch := entity(t, "b", "x", map[string]any{"p": v}, nil)
				planned := store.Upsert(t.Context(), "b", batch, port.Flags{Merge: true})[0]
				done := client.Upsert(t.Context(), "b", batch, port.Flags{Merge: true})[0]
				if (planned.Err == nil) != (done.Err == nil) || planned.RequestFailed || done.RequestFailed {
					t.Errorf("%s: planned %v, done %v", text, planned.Err, done.Err)
				}
			}
		})
	}
}

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
				client.Upsert(t.Context(), "b", batch, port.Flags{Merge: true})
			}
			// The plan comes first, over what Port held before those writes too: it has them itself.
			ids := make([]string, len(doomed))
			for i, d := range doomed {
				ids[i] = fmt.Sprint("e", d)
			}
			_, plannedRefused := store.Delete(t.Context(), "b", ids, cascade)
			before := s.Catalog()["b"]
			_, refused := client.Delete(t.Context(), "b", ids, cascade)
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
