package catalog_test

import (
	"encoding/json"
	"testing"

	"port-bitbucket-exporter/internal/catalog"
)

func TestWhatPortAdds(t *testing.T) {
	t.Parallel()
	s := shape
	s.Defaults, s.Inherited = map[string]any{"a": json.Number("1.0"), "at": "2026-11-22T10:00:00+01:00"}, true
	held := catalog.Fields{Identifier: "id", Team: "theirs", Properties: map[string]any{"a": 1, "at": "2026-11-22T09:00:00Z"}}
	null := catalog.Fields{Identifier: "id", Properties: map[string]any{"a": nil, "at": nil}}
	d := catalog.NewReplacingDigester(keys, s)
	for _, c := range []struct {
		name         string
		entity, held catalog.Fields
		same         bool
	}{
		{"left out", catalog.Fields{Identifier: "id"}, held, true},
		{"left out, and Port holds none", catalog.Fields{Identifier: "id"}, catalog.Fields{Identifier: "id"}, false},
		{"null", null, held, false},
		{"null, and Port holds none", null, catalog.Fields{Identifier: "id"}, true},
	} {
		if got := d.Same(d.Digest(c.entity), d.Digest(c.held)); got != c.same {
			t.Errorf("%s: got same %v, want %v", c.name, got, c.same)
		}
	}
}

func TestIcon(t *testing.T) {
	t.Parallel()
	withIcon := keys
	withIcon.Icon = true
	for _, d := range []*catalog.Digester{catalog.NewDigester(withIcon, shape), catalog.NewReplacingDigester(withIcon, shape)} {
		icon := func(v any) catalog.Digest { return d.Digest(catalog.Fields{Identifier: "id", Icon: v}) }
		for _, c := range []struct {
			entity, held any
			same         bool
		}{{"Git", "Git", true}, {"Git", "Github", false}, {"Git", nil, false}, {"", "Git", false}, {"", nil, true}, {nil, "Git", true}} {
			if got := d.Same(icon(c.entity), icon(c.held)); got != c.same {
				t.Errorf("%v over %v: got same %v, want %v", c.entity, c.held, got, c.same)
			}
		}
	}
}

// What is left of several writes is, of each key, what was written last.
func TestOver(t *testing.T) {
	t.Parallel()
	a := func(title, a any) catalog.Fields {
		return catalog.Fields{Identifier: "id", Title: title, Properties: map[string]any{"a": a}}
	}
	writes := []catalog.Fields{a("one", 1), {Identifier: "id", Title: "two"}, {Identifier: "id", Properties: map[string]any{"a": 3}}}
	for name, want := range map[string]catalog.Fields{"mapped": a("two", 3), "full": writes[2]} {
		d, sum := digesters()[name], catalog.Digest("")
		for _, w := range writes {
			sum = d.Over(sum, d.Digest(w))
		}
		if sum != d.Digest(want) {
			t.Errorf("%s: got another digest than that of %v", name, want)
		}
	}
	d := digesters()["mapped"]
	entity, held := d.Digest(a("two", 3)), d.Digest(a("one", 3))
	for _, c := range []struct {
		by   catalog.Keys
		want bool
	}{{catalog.Keys{Title: true}, true}, {catalog.Keys{Properties: []string{"a"}}, false}, {catalog.Keys{}, false}} {
		if got := d.Covers(entity, held, c.by); got != c.want {
			t.Errorf("%v covers a change of the title: got %v, want %v", c.by, got, c.want)
		}
	}
}
