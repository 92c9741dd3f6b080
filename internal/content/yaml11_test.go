package content

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// TestOlder compares with what PyYAML 6.0.3 was recorded to make of scalars, times written
// by isoformat, and infinity as jq has it.
func TestOlder(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/pyyaml.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded []struct {
		Text  string
		Value json.RawMessage
		Key   *string
		Error bool // PyYAML refuses it
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded) < 800 {
		t.Fatalf("got %d recorded scalars", len(recorded))
	}
	for _, r := range recorded {
		if r.Error {
			if r.Text != "<<" && !same(r.Text) {
				t.Errorf("%q, which PyYAML refuses: got %v and %v", r.Text, core(r.Text), older(r.Text))
			}
			continue
		}
		want, err := decodeJSON(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		got := older(r.Text)
		if !reflect.DeepEqual(comparable(got), comparable(want)) {
			t.Errorf("%q: got %#v, want %#v", r.Text, got, want)
		}
		if got := same(r.Text); got != reflect.DeepEqual(core(r.Text), want) {
			t.Errorf("%q is %v and %v: got same %v", r.Text, core(r.Text), want, got)
		}
		if r.Key != nil && *r.Key != olderKey(r.Text) && *r.Key != "Infinity" && *r.Key != "-Infinity" && *r.Key != "NaN" {
			t.Errorf("the key %q: got %q, want %q", r.Text, olderKey(r.Text), *r.Key)
		}
	}
}

// What YAML 1.1 makes of a file is there where a scalar without quotes differs, and only there.
func TestParseOlder(t *testing.T) {
	t.Parallel()
	n := func(text string) any { return json.Number(text) }
	for _, tt := range []struct {
		name, text string
		want       any // nil where nothing differs
	}{
		{"nothing", "a: 1\nb: x\nc: [true, null, 1.5, 0x1F, +5, 5., .5, 2026-11-22]", nil},
		{"zeros", "a: 1.10\nb: [2.50, 1.5]", object{"a": n("1.1"), "b": []any{n("2.5"), n("1.5")}}},
		{"JSON with zeros", `{"a": [1.10, 2], "b": {"c": 1.0}}`, object{"a": []any{n("1.1"), n("2")}, "b": object{"c": n("1.0")}}},
		{"quoted", "a: 'yes'\nb: \"014\"\nc: |\n  yes\nd: !!str no\n", nil},
		{"JSON", `{"a": "yes", "b": [10, -0, 1.5]}`, nil},
		{"words", "a: [yes, no, on, off, y, n]", object{"a": []any{true, false, true, false, "y", "n"}}},
		{"numbers", "[014, 1_000, 0b1, 12:30:45, 1e3, 0o17, -.5]", []any{n("12"), n("1000"), n("1"), n("45045"), "1e3", "0o17", "-.5"}},
		{"JSON with an exponent", `{"a": 1e3}`, object{"a": "1e3"}},
		{"times", "a: 2026-11-22T10:00:00Z\nb: 2001-12-14 21:59:43.10 -5", object{"a": "2026-11-22T10:00:00+00:00", "b": "2001-12-14T21:59:43.100000-05:00"}},
		{"keys", "on: {014: a, 1.10: b, ~: c, x: d}", object{"true": object{"12": "a", "1.1": "b", "null": "c", "x": "d"}}},
		{"documents", "a: yes\n---\nb: 1", []any{object{"a": true}, object{"b": n("1")}}},
		{"merged", "a: &a {x: yes}\nb: {<<: *a}", object{"a": object{"x": true}, "b": object{"x": true}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := NewReader().Parse("a.yml", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got.Differs != (tt.want != nil) {
				t.Errorf("differs: got %v", got.Differs)
			}
			if !reflect.DeepEqual(got.Older, tt.want) {
				t.Errorf("got %#v, want %#v", got.Older, tt.want)
			}
		})
	}
}

// A JSON file has the spelling of Python as well.
func TestParseOlderJSON(t *testing.T) {
	t.Parallel()
	got, err := NewReader().Parse("a.json", []byte(`{"a": [1.10, 2, {"b": 1e3}], "c": "1.10", "d": 1.5}`))
	want := object{"a": []any{json.Number("1.1"), json.Number("2"), object{"b": json.Number("1000.0")}}, "c": "1.10", "d": json.Number("1.5")}
	if err != nil || !got.Differs || !reflect.DeepEqual(got.Older, want) {
		t.Errorf("got %v, differs %t, error = %v", got.Older, got.Differs, err)
	}
	if first := got.Value.(object)["a"].([]any)[0]; first != json.Number("1.10") {
		t.Errorf("the value itself is changed: %v", first)
	}
	if got, err := NewReader().Parse("a.json", []byte(`{"a": 1.5, "b": 100000000000000000000}`)); err != nil || got.Differs || got.Older != nil {
		t.Errorf("got %v, differs %t, error = %v", got.Older, got.Differs, err)
	}
}
