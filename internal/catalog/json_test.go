package catalog_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/catalog"
)

// standard is what encoding/json writes of a value, without the escapes for HTML.
func standard(v any) (string, bool) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err == nil
}

// anything draws values as expressions give them, and others.
func anything(depth int) *rapid.Generator[any] {
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a", "<b>&", `"`, `\`, "\n\t\x00\x1f", "\x7f", "é🚀", "é\"", "\u2028", "a\u2029é", "\xff", "\xed\xa0\x80", "a\xe2\x82"}))
	simple := rapid.OneOf(
		rapid.Map(texts, func(s string) any { return s }), rapid.Map(rapid.Int(), func(n int) any { return n }), rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.SampledFrom([]any{nil, true, false, json.Number("1.50"), json.Number("-0"), json.Number("12345678901234567890"), json.Number(""), json.Number("x"), math.NaN(),
			[]any(nil), map[string]any(nil), []any{}, map[string]any{}, int64(7), []string{"<"}, map[string]string{"b": "2", "a": "\n"}, struct{ A any }{"<"}, func() {}}),
	)
	if depth == 0 {
		return simple
	}
	return rapid.OneOf(simple,
		rapid.Map(rapid.SliceOfN(anything(depth-1), 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(texts, anything(depth-1), 0, 40), func(m map[string]any) any { return m }),
	)
}

// JSON is what encoding/json writes, of every value.
func TestJSONLikeTheStandardLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := anything(3).Draw(t, "value")
		want, ok := standard(v)
		got, err := catalog.JSON(v)
		if string(got) != want && ok || (err == nil) != ok {
			t.Fatalf("got %s, %v, want %s", got, err, want)
		}
	})
}

// The body of an entity is what encoding/json writes of its keys.
func TestBodyLikeTheStandardLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(what string) any { return anything(1).Draw(t, what) }
		f := catalog.Fields{Identifier: draw("identifier"), Title: draw("title"), Icon: draw("icon"), Team: draw("team")}
		f.Properties, _ = draw("properties").(map[string]any)
		f.Relations, _ = draw("relations").(map[string]any)
		body := map[string]any{"identifier": f.Identifier, "title": f.Title, "icon": f.Icon, "team": f.Team, "properties": f.Properties, "relations": f.Relations}
		for _, key := range slices.Collect(maps.Keys(body)) {
			if v := body[key]; key != "identifier" && (v == nil || key == "properties" && f.Properties == nil || key == "relations" && f.Relations == nil) {
				delete(body, key)
			}
		}
		want, ok := standard(body)
		if _, isJSON := standard(f.Identifier); !isJSON {
			ok = false
		}
		got, err := catalog.Encode("bp", f, digesters()["full"])
		if (err == nil) != ok || ok && string(got.Body) != want {
			t.Fatalf("got %s, %v, want %s", got.Body, err, want)
		}
		if ok && cap(got.Body) > len(got.Body)+len(got.Body)/4+32 {
			t.Fatalf("the body takes %d bytes for %d", cap(got.Body), len(got.Body))
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	d := digesters()["full"]
	f := catalog.Fields{Identifier: "checkout-api17", Title: "Change the configuration", Properties: map[string]any{
		"creator": "Alex Doe", "assignees": []any{"Dana Ruiz", "Kim Lee", "Sam Oké"}, "reviewers": []any{"Dana Ruiz", "Kim Lee"}, "status": "OPEN",
		"createdAt": "2026-10-01T10:00:00.000000+00:00", "updatedAt": "2026-10-02T10:00:00.000000+00:00", "link": "https://bitbucket.org/acme/checkout-api/pull-requests/17",
	}, Relations: map[string]any{"repository": "checkout-api"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := catalog.Encode("bp", f, d); err != nil {
			b.Fatal(err)
		}
	}
}
