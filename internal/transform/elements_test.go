//go:build !race

// The race detector makes this test take minutes.

package transform

import "testing"

// The elements of one object share what there is: those for which nothing is left
// fail, and lose nothing.
func TestElementsAreBounded(t *testing.T) {
	t.Parallel()
	o := func() Source { return Source{Object: object(t, `{"id": "a"}`)} }
	many := program(t, keys{items: "itemsToParse: '[range(100001)]'", identifier: ".item | tostring"}, nil)
	if r := many.Apply(t.Context(), o()); len(r.Units) != 1 || r.Units[0].Outcome != Skipped || !r.Units[0].Fault.Raised ||
		r.Units[0].Fault.Message != "jq: gives more than 100000 elements" && r.Units[0].Fault.Message != "jq: takes longer than 2s" {
		t.Errorf("got %d units, %+v", len(r.Units), r.Units[0].Fault)
	}
	large := program(t, keys{items: "itemsToParse: '[range(20)]'", identifier: ".item | tostring",
		rest: "properties: {a: '\"x\" * 5e6', b: '\"x\" * 5e6', c: .id}"}, nil)
	r := large.Apply(t.Context(), o())
	mapped, failed := 0, 0
	for _, u := range r.Units {
		switch {
		case u.Outcome == Mapped && u.Fields.Properties["a"] != nil && u.Fields.Properties["c"] == "a":
			mapped++
		case u.Outcome == Failed && u.Fault.Message == "jq: the object gives more than 128 MiB":
			failed++
		}
	}
	if mapped != 13 || failed != 7 || len(r.Notes) != 0 {
		t.Errorf("got %d mapped and %d failed, notes %v", mapped, failed, r.Notes)
	}
}
