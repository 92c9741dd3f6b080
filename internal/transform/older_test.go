package transform

import (
	"slices"
	"testing"
)

// Each expression that gives another value for the object as YAML 1.1 has it is noted.
func TestOlder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		keys          keys
		object, older string
		want          []string
	}{
		{"nothing read", keys{rest: "properties: {a: .a}"}, `{"id": "x", "a": 1, "b": 14}`, `{"id": "x", "a": 1.0, "b": 12}`, nil},
		{"the same result", keys{rest: "properties: {a: .b | type}"}, `{"id": "x", "b": 14}`, `{"id": "x", "b": 12}`, nil},
		{"a large number", keys{rest: "properties: {a: .b}"}, `{"id": "x", "b": 12345678901234567890}`, `{"id": "x", "b": 12345678901234567890}`, nil},
		{"fields", keys{rest: "title: .b\nicon: .b\nteam: .b\nproperties: {a: .b, c: '[.b, {x: .b}]', d: .c}\nrelations: {r: .b}"},
			`{"id": "x", "b": "yes", "c": 1}`, `{"id": "x", "b": true, "c": 1}`,
			[]string{`title: the text "yes" here, and true there`, `icon: the text "yes" here, and true there`, `team: the text "yes" here, and true there`,
				`property "a": the text "yes" here, and true there`, `property "c": the array ["yes",{"x":"yes"}] here, and the array [true,{"x":true}] there`,
				`relation "r": the text "yes" here, and true there`}},
		{"a key", keys{rest: "properties: {a: .on}"}, `{"id": "x", "on": "push"}`, `{"id": "x", "true": "push"}`, []string{`property "a": the text "push" here, and null there`}},
		{"identifier", keys{}, `{"id": "014"}`, `{"id": "12"}`, []string{`identifier: the text "014" here, and the text "12" there`}},
		{"a refused identifier", keys{}, `{"id": "yes"}`, `{"id": true}`, []string{`identifier: the text "yes" here, and null there`}},
		{"no identifier", keys{}, `{"id": "no"}`, `{"id": false}`, []string{"identifier: mapped here, and skipped there"}},
		{"selector", keys{query: ".on == true"}, `{"id": "x", "on": "yes"}`, `{"id": "x", "on": true}`, []string{"selector.query: filtered here, and mapped there"}},
		{"elements", keys{items: "itemsToParse: '[.l[] | select(. == true)]'"}, `{"id": "x", "l": ["yes", true]}`, `{"id": "x", "l": [true, true]}`,
			[]string{"itemsToParse: 1 elements here, and 2 elements there"}},
		{"no elements", keys{items: "itemsToParse: .l"}, `{"id": "x", "l": []}`, `{"id": "x", "l": "yes"}`, []string{"itemsToParse: 0 elements here, and no array there"}},
		{"passing", keys{rest: "properties: {a: now, b: .b}"}, `{"id": "x", "b": "no"}`, `{"id": "x", "b": false}`, []string{`property "b": the text "no" here, and false there`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := program(t, tt.keys, nil).Apply(t.Context(), Source{Object: object(t, tt.object), Older: object(t, tt.older)})
			var got []string
			for _, n := range r.Notes {
				if n.Older {
					got = append(got, n.Expr.Name+": "+n.Message)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// An object with very large results is mapped once: two of them would be in memory together.
func TestOlderOfALargeObject(t *testing.T) {
	t.Parallel()
	for factor, want := range map[string]int{"1e6": 1, "9e6": 0} {
		p := program(t, keys{rest: "properties: {a: .b, c: '(.b|type) | \"x\" * " + factor + "'}"}, nil)
		r := p.Apply(t.Context(), Source{Object: object(t, `{"id": "x", "b": "no"}`), Older: object(t, `{"id": "x", "b": false}`)})
		notes := 0
		for _, n := range r.Notes {
			if n.Older {
				notes++
			}
		}
		if notes != want || len(r.Units) != 1 || r.Units[0].Outcome != Mapped {
			t.Errorf("%s: got %d notes and %v, want %d", factor, notes, r.Units[0].Fault, want)
		}
	}
}
