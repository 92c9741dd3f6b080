package transform

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
)

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		keys    keys
		object  string
		outcome Outcome
		fault   string // expression and message; "" for none
		fix     string // part of the fix
	}{
		{"mapped", keys{}, `{"id": "a"}`, Mapped, "", ""},
		{"single quotes", keys{query: `.state == 'OPEN'`}, `{"id": "a", "state": "OPEN"}`, Mapped, "", ""},
		{"filtered", keys{query: `.state == 'OPEN'`}, `{"id": "a"}`, Filtered, "", ""},
		{"selector null", keys{query: `.draft`}, `{"id": "a"}`, Failed,
			`selector.query: gives null, and a selector must give true or false`, `== true`},
		{"selector text", keys{query: `'{a: "true"} | .a'`}, `{"id": "a"}`, Failed,
			`selector.query: gives the text "true", and a selector must give true or false`, `== true`},
		{"selector without output", keys{query: `"def take: select(.draft); take"`}, `{"id": "a"}`, Failed,
			`selector.query: gives null, and a selector must give true or false`, `== true`},
		{"selector raises", keys{query: `.id.name`}, `{"id": "a"}`, Failed,
			`selector.query: jq: expected an object but got: string ("a")`, `// ""`},
		{"selector first output", keys{query: `'def both: true, error("x"); both'`}, `{"id": "a"}`, Mapped, "", ""},

		{"identifier null", keys{}, `{}`, Skipped, "", ""},
		{"identifier false", keys{}, `{"id": false}`, Skipped, "", ""},
		{"identifier 0", keys{}, `{"id": 0}`, Skipped, "", ""},
		{"identifier 0.0", keys{}, `{"id": -0.0}`, Skipped, "", ""},
		{"identifier empty text", keys{}, `{"id": ""}`, Skipped, "", ""},
		{"identifier empty", keys{identifier: `empty`}, `{}`, Skipped, "", ""},
		{"identifier raises", keys{identifier: `.a + 1`}, `{"a": "x"}`, Failed,
			`identifier: jq: cannot add: string ("x") and number (1)`, `// ""`},
		{"identifier halts", keys{identifier: `halt`}, `{}`, Failed, `identifier: jq: halt`, ``},
		{"identifier by a wrong regular expression", keys{identifier: `.id as $r | $r | sub($r; "")`}, `{"id": "a(b"}`, Failed,
			`identifier: jq: Regex failure: end pattern with unmatched parenthesis`, `startswith`},
		{"identifier NaN", keys{identifier: `nan`}, `{}`, Failed, `identifier: jq: gives NaN or Infinity, which JSON does not have`, ``},
		{"identifier number", keys{}, `{"id": 42}`, Refused,
			`identifier: gives a number, and an identifier must be a text: 42`, `(.id | tostring)`},
		{"identifier true", keys{}, `{"id": true}`, Refused,
			`identifier: gives a boolean, and an identifier must be a text: true`, `(.id | tostring)`},
		{"identifier object", keys{identifier: `.`}, `{"id": true}`, Refused,
			`identifier: gives an object, and an identifier must be a text: {"id":true}`, `name the field`},
		{"identifier with a space", keys{kind: "repository", identifier: ".name"}, `{"name": "my repo"}`, Refused,
			`identifier: the identifier holds ' ', which Port does not allow in an identifier: "my repo"`, `.slug`},
		{"identifier dots", keys{}, `{"id": ".."}`, Refused, `identifier: the identifier is a dot path: ".."`, `"x" + `},
		{"identifier long", keys{}, `{"id": "` + strings.Repeat("é", 1001) + `"}`, Refused,
			`identifier: the identifier has 1001 characters, and Port takes at most 1000: "` + strings.Repeat("é", 100) + `" (cut)`, `[:1000]`},
		{"identifier letters", keys{}, `{"id": "größe/a=b\\c:d.e+f_g@h-1"}`, Mapped, "", ""},

		{"blueprint null", keys{blueprint: `.kind`}, `{"id": "a"}`, Skipped, "", ""},
		{"blueprint raises", keys{blueprint: `.id.x`}, `{"id": "a"}`, Failed,
			`blueprint: jq: expected an object but got: string ("a")`, ``},
		{"blueprint raises, identifier null", keys{blueprint: `error("x")`}, `{}`, Failed, `blueprint: jq: error: x`, ``},
		{"blueprint number", keys{blueprint: `.n`}, `{"id": "a", "n": 7}`, Refused,
			`blueprint: gives a number, and a blueprint must be a text: 7`, `(.n | tostring)`},
		{"blueprint with =", keys{blueprint: `.n`}, `{"id": "a", "n": "x=y"}`, Refused,
			`blueprint: the blueprint holds '=', which Port does not allow in an identifier: "x=y"`, `next to its title`},

		{"title number", keys{rest: "title: .n"}, `{"id": "a", "n": 1.50}`, Refused,
			`title: gives a number, and a title must be a text: 1.50`, `(.n | tostring)`},
		{"icon array", keys{rest: "icon: .n"}, `{"id": "a", "n": []}`, Refused,
			`icon: gives an array, and an icon must be a text: []`, `name the field`},
		{"team text", keys{rest: "team: .n"}, `{"id": "a", "n": "t"}`, Mapped, "", ""},
		{"team texts", keys{rest: "team: .n"}, `{"id": "a", "n": ["t", "u"]}`, Mapped, "", ""},
		{"team null among texts", keys{rest: "team: .n"}, `{"id": "a", "n": ["t", null]}`, Refused,
			`team: gives null, and a member of a team list must be a text`, `map(select(. != null))`},
		{"team number", keys{rest: "team: .n"}, `{"id": "a", "n": 5}`, Refused, `team: gives a number, and a team must be a text: 5`, ``},
		{"team object", keys{rest: "team: .n"}, `{"id": "a", "n": {"name": "x"}}`, Refused,
			`team: a search query has the combinator "and" or "or", and this has null`, `give its identifier`},

		{"relation", keys{rest: "relations: {r: .n}"}, `{"id": "a", "n": "b"}`, Mapped, "", ""},
		{"relations", keys{rest: "relations: {r: .n}"}, `{"id": "a", "n": ["b", "c"]}`, Mapped, "", ""},
		{"no relations", keys{rest: "relations: {r: .n}"}, `{"id": "a", "n": []}`, Mapped, "", ""},
		{"relation empty text", keys{rest: "relations: {r: .n}"}, `{"id": "a", "n": ""}`, Refused,
			`relation "r": the identifier is empty: ""`, `null`},
		{"relation number", keys{rest: "relations: {r: .n}"}, `{"id": "a", "n": 5}`, Refused,
			`relation "r": gives a number, and a relation must be a text: 5`, `(.n | tostring)`},
		{"relation null among texts", keys{rest: "relations: {r: .n}"}, `{"id": "a", "n": ["b", null]}`, Refused,
			`relation "r": gives null, and a member of a relation must be a text`, `map(select(. != null))`},
		{"relation bad among texts", keys{rest: "relations: {r: .n}"}, `{"id": "a", "n": ["b", "c d"]}`, Refused,
			`relation "r": the identifier holds ' ', which Port does not allow in an identifier: "c d"`, `gsub`},
		{"relation query", keys{rest: "relations: {r: .n}"},
			`{"id": "a", "n": {"combinator": "and", "rules": [{"property": "x", "operator": "=", "value": null}]}}`, Mapped, "", ""},
		{"relation nested query", keys{rest: "relations: {r: .n}"},
			`{"id": "a", "n": {"combinator": "or", "rules": [{"combinator": "no", "rules": []}]}}`, Refused,
			`relation "r": a search query has the combinator "and" or "or", and this has the text "no"`, ``},
		{"relation query without rules", keys{rest: "relations: {r: .n}"}, `{"id": "a", "n": {"combinator": "or", "rules": []}}`, Refused,
			`relation "r": a search query has an array of rules, and this has the array []`, ``},
		{"relation query without operator", keys{rest: "relations: {r: .n}"},
			`{"id": "a", "n": {"combinator": "or", "rules": [{"property": "x"}]}}`, Refused,
			`relation "r": a search query has an operator in each rule, and this has null`, ``},
		{"properties take anything", keys{rest: "properties: {p: .}"}, `{"id": "a", "n": [{}, null, 1]}`, Mapped, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := program(t, c.keys, nil).Apply(t.Context(), Source{Object: object(t, c.object)})
			if len(r.Units) != 1 || r.NotArray {
				t.Fatalf("units = %v", r.Units)
			}
			u := r.Units[0]
			fault := ""
			if u.Fault != nil {
				fault = u.Fault.Expr.Name + ": " + u.Fault.Message
				if u.Fault.Value != "" {
					fault += ": " + u.Fault.Value
				}
				if !strings.Contains(u.Fault.Fix, c.fix) || u.Fault.Fix == "" {
					t.Errorf("fix = %q, want it to hold %q", u.Fault.Fix, c.fix)
				}
				if selector := u.Fault.Expr.Name == "selector.query"; u.Fault.Selector != selector {
					t.Errorf("Selector = %v", u.Fault.Selector)
				}
				if u.Fault.Expr.Pos.Line == 0 {
					t.Error("the fault has no position")
				}
			}
			if u.Outcome != c.outcome || fault != c.fault {
				t.Errorf("got %v %q\nwant %v %q", u.Outcome, fault, c.outcome, c.fault)
			}
		})
	}
}

// TestFixes applies the ways out that messages offer for bad identifiers.
func TestFixes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ identifier, object, want string }{
		{`'.id | gsub("[^A-Za-z0-9@_.+:\\\\/=-]"; "-")'`, `{"id": "a b\\c&d/é"}`, `a-b\c-d/-`},
		{`'(.id | tostring)'`, `{"id": 12345678901234567890}`, `12345678901234567890`},
		{`(.id)[:1000]`, `{"id": "` + strings.Repeat("x", 1001) + `"}`, strings.Repeat("x", 1000)},
		{`'"x" + (.id)'`, `{"id": "."}`, `x.`},
	} {
		u := program(t, keys{identifier: c.identifier}, nil).Apply(t.Context(), Source{Object: object(t, c.object)}).Units[0]
		if u.Outcome != Mapped || u.Fields.Identifier != c.want {
			t.Errorf("%s: got %v %v, want %v", c.identifier, u.Outcome, u.Fields.Identifier, c.want)
		}
	}
}

// A refused entity still tells which entity it is, so that it is not taken for stale.
func TestRefusedKeepsItsName(t *testing.T) {
	t.Parallel()
	p := program(t, keys{blueprint: ".b", rest: "relations: {r: .n}\ntitle: .t"}, nil)
	u := p.Apply(t.Context(), Source{Object: object(t, `{"id": "a", "b": "service", "n": 1, "t": "T"}`)}).Units[0]
	want := catalog.Fields{Identifier: "a", Title: "T", Relations: map[string]any{"r": json.Number("1")}}
	if u.Outcome != Refused || u.Blueprint != "service" || !cmp.Equal(u.Fields, want) {
		t.Errorf("got %+v", u)
	}
	u = p.Apply(t.Context(), Source{Object: object(t, `{"id": 5, "b": "service"}`)}).Units[0]
	if u.Outcome != Refused || u.Fields.Identifier != nil {
		t.Errorf("got %+v", u)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	p := program(t, keys{rest: `title: .t
icon: .id.x
team: .t
properties:
  good: .id
  missing: .a.b.c
  raised: 'def each: .a[]; each | .b'
  nothing: empty
  error: 'error("` + strings.Repeat("e", 400) + `")'
  nan: nan
  inner: '[1, infinite, 5]'
relations:
  missing: .a
  raised: '.id | keys'
`}, nil)
	r := p.Apply(t.Context(), Source{Object: object(t, `{"id": "a"}`)})
	var got []string
	for _, n := range r.Notes {
		kind := " null: "
		if n.Raised {
			kind = " raised: "
		}
		got = append(got, n.Expr.Name+kind+n.Message)
	}
	want := []string{
		`title null: is null`,
		`icon raised: jq: expected an object but got: string ("a")`,
		`team null: is null`,
		`property "missing" null: is null`,
		`property "raised" raised: jq: cannot iterate over: null`,
		`property "nothing" null: is null`,
		`property "error" raised: jq: error: ` + strings.Repeat("e", 293) + `...`,
		`property "nan" null: gives NaN or Infinity, which JSON does not have: null, or the largest number, stands for it`,
		`property "inner" null: gives NaN or Infinity, which JSON does not have: null, or the largest number, stands for it`,
		`relation "missing" null: is null`,
		`relation "raised" raised: jq: keys cannot be applied to: string ("a")`,
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
	wantFields := catalog.Fields{
		Identifier: "a",
		Properties: map[string]any{
			"good": "a", "missing": nil, "raised": nil, "nothing": nil, "error": nil, "nan": nil,
			"inner": []any{1, math.MaxFloat64, 5},
		},
		Relations: map[string]any{"missing": nil, "raised": nil},
		Null:      catalog.Null{Title: true, Icon: true, Team: true},
	}
	if diff := cmp.Diff(r.Units[0].Fields, wantFields); diff != "" || r.Units[0].Outcome != Mapped {
		t.Errorf("got -, want +\n%s", diff)
	}
}

func TestNumbersStayExact(t *testing.T) {
	t.Parallel()
	p := program(t, keys{rest: `properties:
  id: .n
  whole: '.'
  sum: .n + 1
  big: '[12345678901234567890, {a: 98765432109876543210}]'
  decimal: .d
  same: '[.d, .n]'
  text: .n | tostring
  float: .d * 2
  far: .e
  parsed: '"12345678901234567890" | fromjson'
`}, nil)
	r := p.Apply(t.Context(), Source{Object: object(t, `{"id": "a", "n": 12345678901234567890, "d": 1.50, "e": 1e400}`)})
	want := `{"big":[12345678901234567890,{"a":98765432109876543210}],"decimal":1.50,"far":1e400,"float":3,` +
		`"id":12345678901234567890,"parsed":12345678901234567890,"same":[1.50,12345678901234567890],` +
		`"sum":12345678901234567000,"text":"12345678901234567890",` +
		`"whole":{"d":1.50,"e":1e400,"id":"a","n":12345678901234567890}}`
	if got := encode(t, r.Units[0].Fields.Properties); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	query := func(value string) string {
		return "\n          combinator: '\"and\"'\n          rules:\n" +
			"          - {property: '\"$identifier\"', operator: '\"=\"', value: " + value + "}\n" +
			"          - {combinator: '\"or\"', rules: [{property: '\"n\"', operator: '\"in\"', value: '[.n]'}]}"
	}
	wantQuery := map[string]any{"combinator": "and", "rules": []any{
		map[string]any{"property": "$identifier", "operator": "=", "value": "a"},
		map[string]any{"combinator": "or", "rules": []any{
			map[string]any{"property": "n", "operator": "in", "value": []any{json.Number("7")}},
		}},
	}}
	apply := func(k keys) (Entry, Unit, []Note) {
		p := program(t, k, nil)
		r := p.Apply(t.Context(), Source{Object: object(t, `{"id": "a", "n": 7}`)})
		return p.Entries()[0], r.Units[0], r.Notes
	}

	entry, u, _ := apply(keys{identifier: query(".id")})
	if diff := cmp.Diff(u.Fields.Identifier, any(wantQuery)); diff != "" || u.Outcome != Mapped || !entry.QueryIdentifier {
		t.Errorf("identifier: %+v %+v\n%s", entry, u, diff)
	}
	_, u, _ = apply(keys{identifier: query(".id.x")})
	if u.Outcome != Failed || u.Fault.Expr.Text != ".id.x" {
		t.Errorf("identifier that raises: %+v", u)
	}
	_, u, _ = apply(keys{identifier: strings.Replace(query(".id"), `"and"`, `"xor"`, 1)})
	if u.Outcome != Refused || !strings.Contains(u.Fault.Message, `the text "xor"`) {
		t.Errorf("identifier with a bad combinator: %+v", u)
	}
	relation := func(value string) keys {
		return keys{rest: "relations:\n  r:" + strings.ReplaceAll(query(value), "\n      ", "\n") + "\n"}
	}
	entry, u, notes := apply(relation(".id"))
	if diff := cmp.Diff(u.Fields.Relations, map[string]any{"r": wantQuery}); diff != "" || len(notes) > 0 || entry.QueryIdentifier {
		t.Errorf("relation: %+v %v\n%s", u, notes, diff)
	}
	_, u, notes = apply(relation(".id.x"))
	if u.Outcome != Mapped || u.Fields.Relations["r"] != nil || len(notes) != 1 || !notes[0].Raised || notes[0].Expr.Text != ".id.x" {
		t.Errorf("relation that raises: %+v %v", u, notes)
	}
}

func TestEntries(t *testing.T) {
	t.Parallel()
	r := resource(t, `resources:
- kind: repository
  selector: {query: .ok}
  port:
    entity:
      mappings:
      - identifier: .id
        blueprint: ("service")
        title: .id
        properties: {b: .b, a: .a}
      - identifier: .id
        blueprint: "'team'"
        team: .id
        relations: {z: .z, y: .y}
      - identifier: .id
        blueprint: '"a\(.id)"'
`)
	p, err := Compile(r, nil, kind.Objects(r.Kind))
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Blueprint: "service", Keys: catalog.Keys{Title: true, Properties: []string{"a", "b"}}},
		{Blueprint: "team", Keys: catalog.Keys{Team: true, Relations: []string{"y", "z"}}},
		{Dynamic: true},
	}
	if diff := cmp.Diff(p.Entries(), want); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
	for _, c := range []struct {
		object string
		want   []string
	}{
		{`{"ok": true, "id": "x"}`, []string{"0 mapped service", "1 mapped team", "2 mapped ax"}},
		{`{"ok": false}`, []string{"0 filtered service", "1 filtered team", "2 filtered "}},
		{`{}`, []string{"0 failed service", "1 failed team", "2 failed "}},
	} {
		var got []string
		for _, u := range p.Apply(t.Context(), Source{Object: object(t, c.object)}).Units {
			got = append(got, string(rune('0'+u.Entry))+" "+u.Outcome.String()+" "+u.Blueprint)
		}
		if diff := cmp.Diff(got, c.want); diff != "" {
			t.Errorf("%s: got -, want +\n%s", c.object, diff)
		}
	}
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, k := range map[string]keys{
		"selector": {query: `.id | length > 0`},
		"property": {rest: `properties: {a: .id | length}`},
		"elements": {items: `itemsToParse: '[.id | length]'`},
	} {
		r := program(t, k, nil).Apply(ctx, Source{Object: object(t, `{"id": "a"}`)})
		if len(r.Units) != 1 || r.Units[0].Outcome != Failed || len(r.Notes) > 0 || r.NotArray {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

// Apply may run in many goroutines; run with -race.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r, _, _ := loadKind(t, "pull-request")
	p, err := Compile(r, nil, kind.Objects(r.Kind))
	if err != nil {
		t.Fatal(err)
	}
	var first Result
	var group sync.WaitGroup
	for i := range 8 {
		_, o, _ := loadKind(t, "pull-request")
		group.Go(func() {
			result := p.Apply(context.Background(), Source{Object: o})
			if i == 0 {
				first = result
			}
		})
	}
	group.Wait()
	_, o, _ := loadKind(t, "pull-request")
	again := p.Apply(t.Context(), Source{Object: o})
	if diff := cmp.Diff(first.Units, again.Units, cmpopts.IgnoreUnexported(mapping.Expr{})); diff != "" {
		t.Error(diff)
	}
}
