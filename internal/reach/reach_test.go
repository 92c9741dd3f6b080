package reach_test

import (
	"encoding/json"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/reach"
)

// parse reads paths in JSON.
func parse(t *testing.T, text string) (p *reach.Paths) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProject(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, paths, value, want string }{
		{"all", `{"whole":true}`, `{"a":[1,{"b":null}]}`, `{"a":[1,{"b":null}]}`},
		{"nothing of an object", `null`, `{"a":1}`, `{}`},
		{"nothing of an array", `null`, `[1,{"a":1}]`, `[]`},
		{"what is neither", `null`, `"text"`, `"text"`},
		{"no keys", `{}`, `{"a":1}`, `{}`},
		{"its type", `{"there":true}`, `{"a":1}`, `{}`},
		{"a key", `{"keys":{"a":{"whole":true}}}`, `{"a":{"b":1},"c":2}`, `{"a":{"b":1}}`},
		{"a key that is not there", `{"keys":{"a":{"whole":true}}}`, `{"c":2}`, `{}`},
		{"a key that is null", `{"keys":{"a":{"keys":{"b":{}}}}}`, `{"a":null}`, `{"a":null}`},
		{"keys below", `{"keys":{"a":{"keys":{"b":{"whole":true}}}}}`, `{"a":{"b":[1],"c":2}}`, `{"a":{"b":[1]}}`},
		{"the type of a key", `{"keys":{"a":{}}}`, `{"a":{"b":1}}`, `{"a":{}}`},
		{"a text where an object is due", `{"keys":{"a":{"keys":{"b":{}}}}}`, `{"a":"text"}`, `{"a":"text"}`},
		{"an array where an object is due", `{"keys":{"a":{"keys":{"b":{}}}}}`, `{"a":[{"b":1,"c":2}]}`, `{"a":[{"b":1,"c":2}]}`},
		{"elements", `{"each":{"keys":{"b":{"whole":true}}}}`, `[{"b":1,"c":2},{"c":3},null,4]`, `[{"b":1},{},null,4]`},
		{"the number of elements", `{"each":{}}`, `[{"b":1},[2,3],"x"]`, `[{},[],"x"]`},
		{"an object where an array is due", `{"each":{}}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{"an array where an object or an array is due", `{"each":{},"keys":{"a":{}}}`, `[{"b":1}]`, `[{"b":1}]`},
		{"an object where an object or an array is due", `{"each":{},"keys":{"a":{}}}`, `{"b":1}`, `{"b":1}`},
		{"an array in an array", `{"each":{"each":{"keys":{"a":{}}}}}`, `[[{"a":1,"b":2}],{"b":3}]`, `[[{"a":1}],{"b":3}]`},
	} {
		var value any
		if err := json.Unmarshal([]byte(tt.value), &value); err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(parse(t, tt.paths).Project(value))
		if string(got) != tt.want || err != nil {
			t.Errorf("%s: got %s, want %s: %v", tt.name, got, tt.want, err)
		}
		if again, _ := json.Marshal(value); string(again) != tt.value {
			t.Errorf("%s: the value itself has become %s", tt.name, again)
		}
	}
}

func TestUnionAndCovers(t *testing.T) {
	t.Parallel()
	all := []string{
		`null`, `{"whole":true}`, `{"there":true}`, `{"keys":{"a":{"whole":true}}}`, `{"keys":{"a":{}}}`, `{"keys":{"a":{"keys":{"b":{"whole":true}}}}}`,
		`{"keys":{"c":{"there":true}}}`, `{"each":{}}`, `{"each":{"whole":true}}`, `{"each":{"keys":{"a":{"whole":true}}}}`,
	}
	// covered are those that a union has to cover, beside the parts that it is made of.
	covers := map[string]string{
		`{"whole":true}`:                               strings.Join(all, " "),
		`{"keys":{"a":{"whole":true}}}`:                `{"keys":{"a":{}}} {"keys":{"a":{"keys":{"b":{"whole":true}}}}}`,
		`{"keys":{"a":{"keys":{"b":{"whole":true}}}}}`: `{"keys":{"a":{}}}`,
		`{"each":{"whole":true}}`:                      `{"each":{}} {"each":{"keys":{"a":{"whole":true}}}}`,
		`{"each":{"keys":{"a":{"whole":true}}}}`:       `{"each":{}}`,
	}
	for _, one := range all {
		for _, other := range all {
			a, b := parse(t, one), parse(t, other)
			union := reach.Union(a, b)
			if !union.Covers(a) || !union.Covers(b) {
				t.Errorf("%s and %s: their union does not cover both", one, other)
			}
			want := one == other || other == `null` || strings.Contains(" "+covers[one]+" ", " "+other+" ")
			if got := a.Covers(b); got != want {
				t.Errorf("%s covers %s: got %v, want %v", one, other, got, want)
			}
		}
	}
	a := parse(t, `{"keys":{"a":{"each":{}}}}`)
	reach.Union(a).Keys["a"].Each.Add("x")
	if a.Reach("a", "x") != true || len(a.Keys["a"].Each.Keys) > 0 {
		t.Error("a union shares something with what it is made of")
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		paths, path string // of keys
		want        bool
	}{
		{`null`, "", true},
		{`null`, "a", false},
		{`{"whole":true}`, "a b", true},
		{`{"each":{}}`, "a", true},
		{`{"keys":{"a":{"keys":{"b":{}}}}}`, "a", true},
		{`{"keys":{"a":{"keys":{"b":{}}}}}`, "a b", true},
		{`{"keys":{"a":{"keys":{"b":{}}}}}`, "a b c", false},
		{`{"keys":{"a":{"keys":{"b":{}}}}}`, "a c", false},
		{`{"keys":{"a":{"keys":{"b":{}}}}}`, "c", false},
	} {
		if got := parse(t, tt.paths).Reach(strings.Fields(tt.path)...); got != tt.want {
			t.Errorf("%s reaches %q: got %v, want %v", tt.paths, tt.path, got, tt.want)
		}
	}
}
