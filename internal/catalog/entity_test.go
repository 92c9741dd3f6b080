package catalog_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/catalog"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	query := map[string]any{"combinator": "and", "rules": []any{map[string]any{"property": "$title", "operator": "=", "value": "x"}}}
	tests := []struct {
		name string
		f    catalog.Fields
		body string
		ref  string
	}{
		{"identifier alone", catalog.Fields{Identifier: "a"}, `{"identifier":"a"}`, "bp/a"},
		{"no title, icon and team are left out",
			catalog.Fields{Identifier: "a", Title: nil, Icon: nil, Team: nil, Properties: map[string]any{}, Relations: map[string]any{}},
			`{"identifier":"a","properties":{},"relations":{}}`, "bp/a"},
		{"null title, icon and team are emptied",
			catalog.Fields{Identifier: "a", Null: catalog.Null{Title: true, Icon: true, Team: true}},
			`{"icon":"","identifier":"a","team":[],"title":"a"}`, "bp/a"},
		{"null title of a search query", catalog.Fields{Identifier: query, Null: catalog.Null{Title: true}},
			`{"identifier":{"combinator":"and","rules":[{"operator":"=","property":"$title","value":"x"}]},"title":""}`, "bp/"},
		{"null property and relation stay",
			catalog.Fields{Identifier: "a", Properties: map[string]any{"p": nil}, Relations: map[string]any{"r": nil}},
			`{"identifier":"a","properties":{"p":null},"relations":{"r":null}}`, "bp/a"},
		{"everything",
			catalog.Fields{Identifier: "a", Title: "T", Icon: "I", Team: []any{"x", "y"}, Properties: map[string]any{"z": true, "b": []any{1, "1"}}, Relations: map[string]any{"many": []any{}}},
			`{"icon":"I","identifier":"a","properties":{"b":[1,"1"],"z":true},"relations":{"many":[]},"team":["x","y"],"title":"T"}`, "bp/a"},
		{"numbers are exact",
			catalog.Fields{Identifier: "a", Properties: map[string]any{"big": json.Number("12345678901234567890123"), "dec": json.Number("0.1000000000000000055511151231257827"), "f": 0.1, "i": 7}},
			`{"identifier":"a","properties":{"big":12345678901234567890123,"dec":0.1000000000000000055511151231257827,"f":0.1,"i":7}}`, "bp/a"},
		{"text as it is",
			catalog.Fields{Identifier: "a", Title: `<b>&"` + "\n🚀"},
			`{"identifier":"a","title":"<b>&\"\n🚀"}`, "bp/a"},
		{"search query", catalog.Fields{Identifier: query},
			`{"identifier":{"combinator":"and","rules":[{"operator":"=","property":"$title","value":"x"}]}}`, "bp/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := catalog.Encode("bp", tt.f, digesters()["full"])
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Body) != tt.body {
				t.Errorf("body: got %s, want %s", got.Body, tt.body)
			}
			if got.Ref.String() != tt.ref || got.Largest != "" {
				t.Errorf("got %q and largest %q, want %q and none", got.Ref, got.Largest, tt.ref)
			}
			if got.Digest == "" || tt.f.Null == (catalog.Null{}) && got.Digest != digesters()["full"].Digest(tt.f) {
				t.Error("digest: got another than that of the fields")
			}
		})
	}
}

func TestEncodeWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	for _, v := range []any{math.NaN(), math.Inf(1), json.Number("nonsense"), func() {}} {
		f := catalog.Fields{Identifier: "a", Properties: map[string]any{"p": v}}
		if _, err := catalog.Encode("bp", f, digesters()["full"]); err == nil {
			t.Errorf("%T: got no error", v)
		}
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	f := catalog.Fields{Identifier: "a", Relations: map[string]any{
		"z": "one", "many": []any{"d", "b", "c"}, "none": nil, "empty": []any{},
		"query": map[string]any{"combinator": "and", "rules": []any{}},
	}}
	want := []catalog.Target{{"many", "b"}, {"many", "c"}, {"many", "d"}, {"z", "one"}}
	for range 20 { // a map has no order
		got, err := catalog.Encode("bp", f, digesters()["full"])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got.Targets, want); diff != "" {
			t.Fatalf("got (-), want (+):\n%s", diff)
		}
	}
}

func TestLargest(t *testing.T) {
	t.Parallel()
	// The sizes are those of the JSON as it is sent: "<" is one byte, a quote two.
	f := catalog.Fields{Identifier: "a", Properties: map[string]any{
		"angle": strings.Repeat("<", 600<<10), "quote": strings.Repeat(`"`, 400<<10), "small": "x",
	}}
	got, err := catalog.Encode("bp", f, digesters()["full"])
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Body) <= catalog.MaxBytes || got.Largest != "quote" {
		t.Errorf("got largest %q of %d bytes, want quote", got.Largest, len(got.Body))
	}
	delete(f.Properties, "quote")
	if got, err = catalog.Encode("bp", f, digesters()["full"]); err != nil || got.Largest != "" || len(got.Body) > catalog.MaxBytes {
		t.Errorf("got largest %q of %d bytes (%v), want none: it fits", got.Largest, len(got.Body), err)
	}
}
