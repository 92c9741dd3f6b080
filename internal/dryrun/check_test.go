package dryrun_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

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
				done := client.Entities.Upsert(t.Context(), "b", batch, port.Flags{Merge: true})[0]
				if (planned.Err == nil) != (done.Err == nil) || planned.RequestFailed || done.RequestFailed {
					t.Errorf("%s: planned %v, done %v", text, planned.Err, done.Err)
				}
			}
		})
	}
}
