package transform

import (
	"strings"
	"testing"
)

// What an expression cannot be stopped from is refused in each place of a mapping.
func TestBombsEverywhere(t *testing.T) {
	const expr = `reduce range(60) as $i (1; [., .])`
	for _, c := range []struct {
		name string
		keys keys
		want Outcome
	}{
		{"selector", keys{query: expr}, Failed},
		{"identifier", keys{identifier: expr}, Failed},
		{"blueprint", keys{blueprint: expr}, Failed},
		{"itemsToParse", keys{items: "itemsToParse: " + expr}, Skipped},
		{"title", keys{rest: "title: " + expr}, Mapped},
		{"team", keys{rest: "team: " + expr}, Mapped},
		{"relation", keys{rest: "relations: {r: '" + expr + "'}"}, Mapped},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := program(t, c.keys, nil)
			r := p.Apply(t.Context(), Source{Object: object(t, `{"id": "a"}`)})
			u := r.Units[0]
			told := len(r.Notes) == 1 && r.Notes[0].Raised && u.Fault == nil
			if c.want != Mapped {
				told = u.Fault != nil && strings.Contains(u.Fault.Message, "MiB") && u.Fault.Fix != ""
			}
			if u.Outcome != c.want || !told {
				t.Errorf("got %v, fault %+v, notes %+v", u.Outcome, u.Fault, r.Notes)
			}
		})
	}
}

// Properties that are large together are no better than one that is. What is
// refused takes nothing from those after it.
func TestRoomIsShared(t *testing.T) {
	t.Parallel()
	p := program(t, keys{rest: `properties: {a: '"x" * 9e6', b: '"x" * 9e6', c: .id}`}, nil)
	r := p.Apply(t.Context(), Source{Object: object(t, `{"id": "a"}`)})
	properties := r.Units[0].Fields.Properties
	a, _ := properties["a"].(string)
	if len(a) != 9e6 || properties["b"] != nil || properties["c"] != "a" || len(r.Notes) != 1 || r.Notes[0].Message != "jq: gives more than 16 MiB" {
		t.Errorf("got %d bytes, notes %v", len(a), r.Notes)
	}
}
