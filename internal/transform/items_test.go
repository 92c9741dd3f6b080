package transform

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSourcePath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{`.content.dependencies | to_entries`, []string{"content", "dependencies"}},
		{`.items`, []string{"items"}},
		{`.items[]`, []string{"items"}},
		{`[.items[] | select(.x)]`, []string{"items"}},
		{`(.items // [])`, []string{"items"}},
		{`.items?`, []string{"items"}},
		{`.a["b c"].d`, []string{"a", "b c", "d"}},
		{`.["a-b"][]`, []string{"a-b"}},
		{`."a\"b".c`, []string{`a"b`, "c"}},
		{`. | .items | map(.x)`, []string{"items"}},
		{`map(.x) | .items`, []string{"items"}},
		{`.a[0]`, nil},
		{`.a[1:]`, nil},
		{`.`, nil},
		{`[range(3)]`, nil},
		{`[.[]]`, nil},
		{`..`, nil},
		{`."open`, nil},
		{`[.5]`, nil},
	} {
		if diff := cmp.Diff(sourcePath(c.text), c.want); diff != "" {
			t.Errorf("%s: got -, want +\n%s", c.text, diff)
		}
	}
}

func TestItemsToParse(t *testing.T) {
	t.Parallel()
	const whole = "properties: {all: .}"
	for _, c := range []struct {
		name, items, identifier, object string
		want                            []string // identifier and what the element's object was
	}{
		{"elements", "itemsToParse: .a.list", ".id + .item", `{"id": "x", "a": {"b": 1, "list": ["1", "2"]}}`, []string{
			`x1 {"a":{"b":1},"id":"x","item":"1"}`,
			`x2 {"a":{"b":1},"id":"x","item":"2"}`,
		}},
		{"no transform", "itemsToParse: .list\nitemsToParseTopLevelTransform: false", ".item", `{"list": ["1"]}`, []string{
			`1 {"item":"1","list":["1"]}`,
		}},
		{"name", "itemsToParse: .list\nitemsToParseName: list", ".list", `{"list": ["1", "2"]}`, []string{
			`1 {"list":"1"}`, `2 {"list":"2"}`,
		}},
		{"no path, nothing left out", "itemsToParse: '[range(2)]'", ".id + (.item | tostring)", `{"id": "x"}`, []string{
			`x0 {"id":"x","item":0}`, `x1 {"id":"x","item":1}`,
		}},
		{"the path is not there", "itemsToParse: .a.b // [1]", ".id", `{"id": "x", "a": {}}`, []string{
			`x {"a":{},"id":"x","item":1}`,
		}},
		{"path through no object", "itemsToParse: '[.a.b?, 1] | map(select(. != null))'", ".id", `{"id": "x", "a": 5}`, []string{
			`x {"a":5,"id":"x","item":1}`,
		}},
		{"to_entries", "itemsToParse: .deps | to_entries", ".item.key", `{"deps": {"b": "2", "a": "1"}}`, []string{
			`a {"item":{"key":"a","value":"1"}}`, `b {"item":{"key":"b","value":"2"}}`,
		}},
		{"empty", "itemsToParse: .list", ".id", `{"id": "x", "list": []}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := program(t, keys{items: c.items, identifier: c.identifier, rest: whole}, nil)
			o := object(t, c.object)
			before := encode(t, o)
			r := p.Apply(t.Context(), Source{Object: o})
			var got []string
			for _, u := range r.Units {
				got = append(got, u.Fields.Identifier.(string)+" "+encode(t, u.Fields.Properties["all"]))
			}
			if diff := cmp.Diff(got, c.want); diff != "" || r.NotArray {
				t.Errorf("NotArray = %v, got -, want +\n%s", r.NotArray, diff)
			}
			if after := encode(t, o); after != before {
				t.Errorf("the object was written: %s, before %s", after, before)
			}
		})
	}
}

func TestNotArray(t *testing.T) {
	t.Parallel()
	for items, message := range map[string]string{
		".list":             `gives null, and itemsToParse must give an array`,
		".id":               `gives the text "x", and itemsToParse must give an array`,
		"empty":             `gives null, and itemsToParse must give an array`,
		".id.x":             `jq: expected an object but got: string ("x")`,
		"'[{a: 1}][0]'":     `gives the object {"a":1}, and itemsToParse must give an array`,
		"'[.id[1:] |1][0]'": `gives the number 1, and itemsToParse must give an array`,
	} {
		p := program(t, keys{items: "itemsToParse: " + items}, nil)
		r := p.Apply(t.Context(), Source{Object: object(t, `{"id": "x"}`)})
		if !r.NotArray || len(r.Units) != 1 || r.Units[0].Outcome != Skipped {
			t.Errorf("%s: got %+v", items, r)
			continue
		}
		if f := r.Units[0].Fault; f.Message != message || f.Expr.Name != "itemsToParse" || f.Selector {
			t.Errorf("%s: fault = %+v, want %s", items, f, message)
		}
	}
}

// The selector judges each element, and no element sees what an expression
// made of another.
func TestElementsAreSeparate(t *testing.T) {
	t.Parallel()
	p := program(t, keys{
		query:      `(.item.seen // false) | not`,
		items:      "itemsToParse: .list",
		identifier: `(.item.seen = true | .shared.seen = true | .item.id)`,
		rest: `properties:
  written: '.item.tags += ["x"] | .shared.list[0] = .item.id | .shared | del(.gone)'
  sorted: '.shared.list | sort | .[0] |= 9'
  read: .shared
`,
	}, nil)
	r := p.Apply(t.Context(), Source{Object: object(t, `{
		"shared": {"list": ["b", "a"], "gone": 1},
		"list": [{"id": "1", "tags": []}, {"id": "2", "tags": []}, {"id": "3", "seen": true}]
	}`)})
	var got []string
	for _, u := range r.Units {
		got = append(got, u.Outcome.String()+" "+encode(t, u.Fields.Properties))
	}
	want := []string{
		`mapped {"read":{"gone":1,"list":["b","a"]},"sorted":[9,"b"],"written":{"list":["1","a"]}}`,
		`mapped {"read":{"gone":1,"list":["b","a"]},"sorted":[9,"b"],"written":{"list":["2","a"]}}`,
		`filtered null`,
	}
	if diff := cmp.Diff(strings.Join(got, "\n"), strings.Join(want, "\n")); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
}
