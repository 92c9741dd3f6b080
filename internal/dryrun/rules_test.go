package dryrun_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"port-bitbucket-exporter/internal/dryrun"
	"port-bitbucket-exporter/internal/port"
)

// tried is what a plan makes of one value of a property: why it would be refused, and
// which keywords it did not look at.
func tried(t *testing.T, schema, value string) (refused string, unchecked []string) {
	t.Helper()
	// The blueprint is a given one: Port's emulator would not take every schema of these.
	blueprint, err := port.DecodeBlueprint([]byte(fmt.Sprintf(`{"identifier":"b","title":"B","schema":{"properties":{"p":%s}},"relations":{}}`, schema)))
	if err != nil {
		t.Fatal(err)
	}
	_, client, _ := world(t)
	store := dryrun.New(client, map[string]port.Blueprint{"b": blueprint})
	done := store.Upsert(t.Context(), "b", entity(t, "b", "x", map[string]any{"p": decoded(t, value)}, nil), port.Flags{Merge: true})[0]
	if done.RequestFailed {
		t.Fatal(done.Err)
	}
	for _, u := range store.Unchecked() {
		if u.Blueprint != "b" || u.Property != "p" {
			t.Errorf("unchecked: got %v, want it of b and p", u)
		}
		unchecked = append(unchecked, u.Keyword)
	}
	if done.Err != nil {
		refused = done.Err.Error()
	}
	return refused, unchecked
}

func decoded(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// keywordCase is a keyword in a schema, and a value that it takes and one that it does not.
type keywordCase struct{ keyword, schema, good, bad, why string }

// checked are the keywords by which a plan refuses.
var checked = []keywordCase{
	{"type", `{"type":"string"}`, `"a"`, `1`, `must be string, and is number`},
	{"type", `{"type":["string","null"]}`, `"a"`, `true`, `must be null or string, and is boolean`},
	{"type", `{"items":{"type":"integer"}}`, `[1e300]`, `[1.5]`, `/0 must be integer, and is number`},
	{"enum", `{"enum":["a",1.50,null]}`, `1.5`, `"b"`, `must be equal to one of the allowed values: "a", 1.5, null`},
	{"enum", `{"enum":["a","a",1,1.0,{"x":[1]},{"x":[1]}]}`, `{"x":[1]}`, `"b"`, `must be equal to one of the allowed values: "a", 1, {"x":[1]}`},
	{"enum", `{"enum":["R&D","<b>"]}`, `"R&D"`, `"b"`, `must be equal to one of the allowed values: "R&D", "<b>"`},
	{"enum", `{"enum":["a"]}`, `"a"`, `"b"`, `must be equal to one of the allowed values: "a"`},
	{"allOf", `{"allOf":[{"maxLength":1}]}`, `"a"`, `"ab"`, `must have at most 1 characters`},
	{"const", `{"const":{"a":[1]}}`, `{"a":[1.0]}`, `{"a":[2]}`, `does not satisfy "const" of its schema`},
	{"multipleOf", `{"multipleOf":5}`, `15`, `16`, `does not satisfy "multipleOf" of its schema`},
	{"minimum", `{"minimum":0.5}`, `0.5`, `0.4`, `must have at least 0.5`},
	{"maximum", `{"maximum":3}`, `3`, `4`, `must have at most 3`},
	{"exclusiveMinimum", `{"exclusiveMinimum":3}`, `3.1`, `3`, `does not satisfy "exclusiveMinimum" of its schema`},
	{"exclusiveMaximum", `{"exclusiveMaximum":3}`, `2.9`, `3`, `does not satisfy "exclusiveMaximum" of its schema`},
	{"minLength", `{"minLength":2}`, `"éé"`, `"é"`, `must have at least 2 characters`},
	{"maxLength", `{"maxLength":2}`, `"éé"`, `"ééé"`, `must have at most 2 characters`},
	{"pattern", `{"pattern":"^a+$"}`, `"aa"`, `"ab"`, `must match pattern "^a+$"`},
	{"format", `{"format":"ipv4"}`, `"10.0.0.1"`, `"10.0.0.256"`, `must match format "ipv4"`},
	{"format", `{"format":"labeled-url"}`, `{"url":"https://a.example"}`, `{"displayText":"a"}`, `must match format "labeled-url"`},
	{"items", `{"items":{"type":"string"}}`, `["a"]`, `["a",1]`, `/1 must be string, and is number`},
	{"items", `{"items":[{"type":"string"}]}`, `["a",1]`, `[1]`, `/0 must be string, and is number`},
	{"items", `{"items":{"items":{"maximum":9}}}`, `[[9]]`, `[[1],[9,10]]`, `/1/1 must have at most 9`},
	{"additionalItems", `{"items":[{"type":"string"}],"additionalItems":false}`, `["a"]`, `["a",1]`, `does not satisfy "additionalItems" of its schema`},
	{"minItems", `{"minItems":2}`, `[1,1]`, `[1]`, `must have at least 2 items`},
	{"maxItems", `{"maxItems":2}`, `[1,1]`, `[1,1,1]`, `must have at most 2 items`},
	{"uniqueItems", `{"uniqueItems":true}`, `[1,"1"]`, `[1,1.0]`, `does not satisfy "uniqueItems" of its schema`},
	{"contains", `{"contains":{"type":"string"}}`, `[1,"a"]`, `[1]`, `does not satisfy "contains" of its schema`},
	{"minProperties", `{"minProperties":1}`, `{"a":1}`, `{}`, `does not satisfy "minProperties" of its schema`},
	{"maxProperties", `{"maxProperties":1}`, `{"a":1}`, `{"a":1,"b":1}`, `does not satisfy "maxProperties" of its schema`},
	{"required", `{"required":["a","b"]}`, `{"a":1,"b":1}`, `{"b":1}`, `must have property "a"`},
	{"properties", `{"properties":{"a":{"type":"string"}}}`, `{"a":"x"}`, `{"a":1}`, `/a must be string, and is number`},
	{"patternProperties", `{"patternProperties":{"^I_":{"type":"number"}}}`, `{"a":"x"}`, `{"I_a":"x"}`, `/I_a must be number, and is string`},
	{"additionalProperties", `{"properties":{"a":{}},"additionalProperties":false}`, `{"a":1}`, `{"a":1,"d":1,"c":1}`, `must not have property "c"`},
	{"propertyNames", `{"propertyNames":{"maxLength":1}}`, `{"a":1}`, `{"ab":1}`, `does not satisfy "propertyNames" of its schema`},
	{"dependencies", `{"dependencies":{"a":["b"]}}`, `{"b":1}`, `{"a":1}`, `does not satisfy "dependencies" of its schema`},
	{"dependencies", `{"dependencies":{"a":{"required":["b"]}}}`, `{"b":1}`, `{"a":1}`, `must have property "b"`},
	{"allOf", `{"allOf":[{},{"maxLength":1}]}`, `"a"`, `"ab"`, `must have at most 1 characters`},
	{"anyOf", `{"anyOf":[{"type":"string"},{"type":"number"}]}`, `1`, `true`, `does not satisfy "anyOf" of its schema`},
	{"oneOf", `{"oneOf":[{"minimum":1},{"minimum":5}]}`, `2`, `6`, `does not satisfy "oneOf" of its schema`},
	{"not", `{"not":{"type":"string"}}`, `1`, `"a"`, `does not satisfy "not" of its schema`},
	{"if", `{"if":{"minimum":5},"then":false}`, `4`, `5`, `is a value that its schema never takes`},
	{"then", `{"if":{"minimum":5},"then":{"maximum":6}}`, `6`, `7`, `must have at most 6`},
	{"then", `{"if":true,"then":{"maximum":6}}`, `6`, `7`, `must have at most 6`},
	{"multipleOf", `{"multipleOf":1}`, `1`, `1.5`, `does not satisfy "multipleOf" of its schema`},
	{"minLength", `{"minLength":0,"maxLength":2147483647}`, `""`, `1e400`, `is a number that Port cannot keep`},
	{"properties", `{"properties":{"b":{"maximum":1},"a":{"maximum":1}}}`, `{"a":1}`, `{"b":2,"a":2}`, `/a must have at most 1`},
	{"items", `{"items":{"maximum":1}}`, `[1]`, `[1,1,2,1,1,1,1,1,1,1,2]`, `/2 must have at most 1`},
	{"items", `{"items":{"items":{"maximum":1}},"minItems":2}`, `[[1],[1]]`, `[[2]]`, `must have at least 2 items`},
	{"type", `{"allOf":[{"maxLength":1},{"pattern":"^b"},{"minLength":3}]}`, ``, `"aa"`, `must have at most 1 characters`},
	{"items", `{"allOf":[{"items":{"maximum":1}},{"minItems":2}]}`, `[1,1]`, `[2]`, `must have at least 2 items`},
	{"else", `{"if":{"minimum":5},"else":{"maximum":3}}`, `3`, `4`, `must have at most 3`},
}

// named are the keywords that a plan does not check, and names.
var named = []keywordCase{
	{keyword: "$ref", schema: `{"$ref":"#/definitions/a","definitions":{"a":{"type":"string"}}}`, bad: `1`},
	{keyword: "$ref", schema: `{"$ref":"file:///etc/passwd"}`, bad: `1`},
	{keyword: "$ref", schema: `{"$ref":"http://127.0.0.1:1/"}`, bad: `1`},
	{keyword: "$recursiveRef", schema: `{"$recursiveRef":"#"}`, bad: `1`},
	{keyword: "$recursiveAnchor", schema: `{"$recursiveAnchor":true}`, bad: `1`},
	{keyword: "$dynamicRef", schema: `{"$dynamicRef":"#"}`, bad: `1`},
	{keyword: "$dynamicAnchor", schema: `{"$dynamicAnchor":"a"}`, bad: `1`},
	{keyword: "prefixItems", schema: `{"prefixItems":[{"type":"string"}]}`, bad: `[1]`},
	{keyword: "minContains", schema: `{"contains":{"type":"string"},"minContains":2}`, bad: `["a"]`},
	{keyword: "maxContains", schema: `{"contains":{"type":"string"},"maxContains":1}`, bad: `["a","b"]`},
	{keyword: "unevaluatedItems", schema: `{"unevaluatedItems":false}`, bad: `[1]`},
	{keyword: "unevaluatedProperties", schema: `{"unevaluatedProperties":false}`, bad: `{"a":1}`},
	{keyword: "dependentRequired", schema: `{"dependentRequired":{"a":["b"]}}`, bad: `{"a":1}`},
	{keyword: "dependentSchemas", schema: `{"dependentSchemas":{"a":false}}`, bad: `{"a":1}`},
	{keyword: "divisibleBy", schema: `{"divisibleBy":5}`, bad: `16`},
	// Of those that are checked elsewhere.
	{keyword: "exclusiveMinimum", schema: `{"minimum":3,"exclusiveMinimum":true}`, bad: `3`},
	{keyword: "multipleOf", schema: `{"multipleOf":0.01}`, bad: `0.015`},
	{keyword: "multipleOf", schema: `{"multipleOf":0}`, bad: `1`},
	{keyword: "multipleOf", schema: `{"multipleOf":-5}`, bad: `1`},
	{keyword: "multipleOf", schema: `{"multipleOf":"5"}`, bad: `1`},
	{keyword: "maxLength", schema: `{"maxLength":2147483648}`, bad: `""`},
	{keyword: "items", schema: `{"not":{"items":5}}`, bad: `[1]`},
	{keyword: "not", schema: `{"not":{"items":5}}`, bad: `[1]`},
	{keyword: "not", schema: `{"not":{"properties":{"a":{"format":"uuid"},"b":{}}}}`, bad: `{"a":1}`},
	{keyword: "not", schema: `{"not":{"patternProperties":{"(?=a)":{}}}}`, bad: `{"a":1}`},
	{keyword: "patternProperties", schema: `{"not":{"patternProperties":{"(?=a)":{}}}}`, bad: `{"a":1}`},
	{keyword: "not", schema: `{"not":{"allOf":[]}}`, bad: `1`},
	{keyword: "pattern", schema: `{"pattern":"(((a{30}){30}){30}){30}"}`, bad: `"a"`},
	{keyword: "pattern", schema: `{"pattern":"^(?!a)"}`, bad: `"a"`},
	{keyword: "pattern", schema: `{"pattern":"` + strings.Repeat("a", 2001) + `"}`, bad: `"b"`},
	{keyword: "format", schema: `{"format":"uuid"}`, bad: `"b"`},
	{keyword: "type", schema: `{"type":"text"}`, bad: `1`},
	{keyword: "type", schema: `{"type":[]}`, bad: `1`},
	{keyword: "type", schema: `{"type":["string","string"]}`, bad: `1`},
	{keyword: "enum", schema: `{"enum":"a"}`, bad: `1`},
	{keyword: "enum", schema: `{"enum":[]}`, bad: `1`},
	{keyword: "minLength", schema: `{"minLength":-1}`, bad: `""`},
	{keyword: "minLength", schema: `{"minLength":1.5}`, bad: `""`},
	{keyword: "maxItems", schema: `{"maxItems":1e10}`, bad: `[]`},
	{keyword: "maximum", schema: `{"maximum":"3"}`, bad: `4`},
	{keyword: "maximum", schema: `{"maximum":1e999999999}`, bad: `4`},
	{keyword: "uniqueItems", schema: `{"uniqueItems":1}`, bad: `[1,1]`},
	{keyword: "required", schema: `{"required":true}`, bad: `{}`},
	{keyword: "required", schema: `{"required":["a","a"]}`, bad: `{}`},
	{keyword: "required", schema: `{"required":[1]}`, bad: `{}`},
	{keyword: "items", schema: `{"items":5}`, bad: `[1]`},
	{keyword: "items", schema: `{"items":[5]}`, bad: `[1]`},
	{keyword: "properties", schema: `{"properties":[]}`, bad: `{}`},
	{keyword: "properties", schema: `{"properties":{"a":1}}`, bad: `{"a":1}`},
	{keyword: "dependencies", schema: `{"dependencies":{"a":"b"}}`, bad: `{"a":1}`},
	{keyword: "patternProperties", schema: `{"patternProperties":{"(?=a)":false}}`, bad: `{"a":1}`},
	{keyword: "additionalProperties", schema: `{"patternProperties":{"^(?!b)":{}},"additionalProperties":false}`, bad: `{"a":1}`},
	{keyword: "allOf", schema: `{"allOf":[]}`, bad: `1`},
	{keyword: "anyOf", schema: `{"anyOf":{}}`, bad: `1`},
	// A keyword that refuses more when less of it is checked is not checked either.
	{keyword: "not", schema: `{"not":{"type":"string","pattern":"(?=a)"}}`, bad: `"b"`},
	{keyword: "oneOf", schema: `{"oneOf":[{"format":"uuid"},{"type":"string"}]}`, bad: `"b"`},
	{keyword: "if", schema: `{"if":{"format":"uuid"},"then":{"maxLength":0},"else":{"minLength":9}}`, bad: `"b"`},
	{keyword: "then", schema: `{"if":{"format":"uuid"},"then":{"maxLength":0}}`, bad: `"b"`},
	{keyword: "else", schema: `{"if":{"format":"uuid"},"else":{"maxLength":0}}`, bad: `"b"`},
	{keyword: "format", schema: `{"anyOf":[{"format":"uuid"}]}`, bad: `"b"`},
	{keyword: "", schema: `"string"`, bad: `1`},
	{keyword: "", schema: strings.Repeat(`{"items":`, 32) + `{}` + strings.Repeat(`}`, 32), bad: `1`},
}

// without are the keywords that refuse nothing.
var without = []keywordCase{
	{schema: `{}`}, {schema: `true`},
	{keyword: "format", schema: `{"format":"markdown"}`},
	{keyword: "contentEncoding", schema: `{"contentEncoding":"base64"}`},
	{keyword: "contentMediaType", schema: `{"contentMediaType":"application/json"}`},
	{keyword: "contentSchema", schema: `{"contentSchema":false}`},
	{keyword: "default", schema: `{"default":"x"}`},
	{keyword: "title", schema: `{"title":"T"}`},
	{keyword: "description", schema: `{"description":"D"}`},
	{keyword: "examples", schema: `{"examples":["x"]}`},
	{keyword: "deprecated", schema: `{"deprecated":true}`},
	{keyword: "readOnly", schema: `{"readOnly":true}`},
	{keyword: "writeOnly", schema: `{"writeOnly":true}`},
	{keyword: "definitions", schema: `{"definitions":{"a":false}}`},
	{keyword: "$defs", schema: `{"$defs":{"a":false}}`},
	{keyword: "$id", schema: `{"$id":"http://json-schema.org/draft-07/schema"}`},
	{keyword: "id", schema: `{"id":"a"}`},
	{keyword: "$schema", schema: `{"$schema":"file:///etc/passwd"}`},
	{keyword: "$comment", schema: `{"$comment":"c"}`},
	{keyword: "$anchor", schema: `{"$anchor":"a"}`},
	{keyword: "$vocabulary", schema: `{"$vocabulary":{}}`},
	{keyword: "icon", schema: `{"icon":"Link"}`},
	{keyword: "enumColors", schema: `{"enumColors":{"a":"red"}}`},
	{keyword: "spec", schema: `{"spec":"open-api","specAuthentication":{}}`},
	{keyword: "nullable", schema: `{"type":["string"],"nullable":true}`},
	{keyword: "items", schema: `{"items":[]}`},
	{keyword: "items", schema: strings.Repeat(`{"items":`, 31) + `{}` + strings.Repeat(`}`, 31)},
	{keyword: "pattern", schema: `{"pattern":"` + strings.Repeat("a?", 1000) + `"}`},
}

// A plan does not say "fine" of what it has not looked at: each keyword of JSON Schema
// refuses, or is named, or refuses nothing at all.
func TestKeywords(t *testing.T) {
	t.Parallel()
	for _, c := range checked {
		t.Run("checked/"+c.schema, func(t *testing.T) {
			t.Parallel()
			if c.good == "" {
				c.good = `null`
			}
			if why, unchecked := tried(t, c.schema, c.good); why != "" || unchecked != nil {
				t.Errorf("%s: got %q, and %q unchecked, want it taken", c.good, why, unchecked)
			}
			if why, _ := tried(t, c.schema, c.bad); !strings.Contains(why, `property "p" `+c.why) {
				t.Errorf("%s: got %q, want %q", c.bad, why, c.why)
			}
		})
	}
	for _, c := range named {
		t.Run("named/"+c.schema[:min(60, len(c.schema))], func(t *testing.T) {
			t.Parallel()
			if why, unchecked := tried(t, c.schema, c.bad); why != "" || !slices.Contains(unchecked, c.keyword) {
				t.Errorf("%s: got %q, and %q unchecked, want %q named", c.bad, why, unchecked, c.keyword)
			}
		})
	}
	for _, c := range without {
		t.Run("without/"+c.schema, func(t *testing.T) {
			t.Parallel()
			if why, unchecked := tried(t, c.schema, `"a"`); why != "" || unchecked != nil {
				t.Errorf("got %q, and %q unchecked, want nothing", why, unchecked)
			}
		})
	}
}

// The cases are of every keyword that a metaschema knows.
func TestKeywordsAreAll(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for _, c := range slices.Concat(checked, named, without) {
		covered[c.keyword] = true
	}
	metaschemas := []string{"http://json-schema.org/draft-04/schema", "http://json-schema.org/draft-06/schema", "http://json-schema.org/draft-07/schema"}
	for _, vocabulary := range []string{"core", "applicator", "validation", "meta-data", "content"} {
		metaschemas = append(metaschemas, "https://json-schema.org/draft/2019-09/meta/"+vocabulary, "https://json-schema.org/draft/2020-12/meta/"+vocabulary)
	}
	metaschemas = append(metaschemas, "https://json-schema.org/draft/2020-12/meta/unevaluated")
	for _, name := range metaschemas {
		meta, err := jsonschema.NewCompiler().Compile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(meta.Properties) < 2 {
			t.Errorf("%s: got %d keywords", name, len(meta.Properties))
		}
		for _, keyword := range slices.Sorted(maps.Keys(meta.Properties)) {
			if !covered[keyword] {
				t.Errorf("%s: no case for keyword %q", name, keyword)
			}
		}
	}
}

// What goes wrong with one keyword does not keep the others from being checked, and each
// is named once.
func TestUncheckedIsLittle(t *testing.T) {
	t.Parallel()
	why, _ := tried(t, `{"type":"string","pattern":"(?=a)","format":"uuid"}`, `1`)
	if !strings.Contains(why, "must be string") {
		t.Errorf("got %q, want a refusal by the type", why)
	}
	_, unchecked := tried(t, `{"type":"array","items":{"pattern":"(?=a)","format":"uuid"},"allOf":[{"contains":{"pattern":"(?=b)"}}]}`, `["a"]`)
	if diff := cmp.Diff(unchecked, []string{"format", "pattern"}); diff != "" {
		t.Errorf("unchecked: got (-), want (+):\n%s", diff)
	}
	// Null takes no check, as a value that is taken away; and null where it may be.
	for schema, value := range map[string]string{`{"type":"string","contains":{"$ref":"#"}}`: `null`, `{"items":{"type":"string","nullable":true}}`: `[null]`} {
		if why, unchecked := tried(t, schema, value); why != "" || unchecked != nil {
			t.Errorf("%s: got %q, and %q unchecked", schema, why, unchecked)
		}
	}
}

// Names that are nobody's keywords are named too, and do not fill a plan.
func TestManyUnknownKeywords(t *testing.T) {
	t.Parallel()
	var schema strings.Builder
	for i := range 50 {
		fmt.Fprintf(&schema, `"%03d%s":1,`, i, strings.Repeat("x", 100))
	}
	why, unchecked := tried(t, `{`+schema.String()+`"type":"string"}`, `"a"`)
	if why != "" || len(unchecked) != 20 || unchecked[0] != "000"+strings.Repeat("x", 37) {
		t.Errorf("got %q, and %q unchecked, want the beginnings of 20 names", why, unchecked)
	}
}

// A check is given up where the schema's weight times the value's is above a million, and
// not before: keywords and values weigh one each, texts more, and steps of patterns.
func TestWeight(t *testing.T) {
	t.Parallel()
	list := func(item string, n int) string { return `[` + strings.Repeat(item+`,`, n-1) + item + `]` }
	members := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"k%d":1`, i))
		}
		return `{` + strings.Join(all, ",") + `}`
	}
	names := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"k%d"`, i))
		}
		return `[` + strings.Join(all, ",") + `]`
	}
	thousand := `{"enum":` + list(`"b"`, 998) + `}`
	for _, tt := range []struct {
		name, schema, value string
		checked             bool
	}{
		{"as many items", `{"items":{"type":"string","minLength":1}}`, `[1,` + list(`"a"`, 249_998)[1:], true},
		{"one item more", `{"items":{"type":"string","minLength":1}}`, `[1,` + list(`"a"`, 249_999)[1:], false},
		{"as long a text", thousand, `"` + strings.Repeat("a", 999*64) + `"`, true},
		{"a longer text", thousand, `"` + strings.Repeat("a", 1000*64) + `"`, false},
		{"as many members", thousand, members(999), true},
		{"one member more", thousand, members(1000), false},
		{"as many in each other", thousand, `[` + members(998) + `]`, true},
		{"one more in each other", thousand, `[` + members(999) + `]`, false},
		{"an object for an enum", `{"enum":[` + members(997) + `]}`, members(999), true},
		{"a larger one", `{"enum":[` + members(998) + `]}`, members(999), false},
		{"steps of a pattern", `{"type":"string","pattern":"^a{1000}$"}`, list(`1`, 900), true},
		{"more steps", `{"type":"string","pattern":"^a{1000}$"}`, list(`1`, 1000), false},
		{"steps of a pattern of names", `{"type":"string","patternProperties":{"^a{1000}$":{}}}`, list(`1`, 900), true},
		{"more steps of names", `{"type":"string","patternProperties":{"^a{1000}$":{}}}`, list(`1`, 1000), false},
		{"names that call for names", `{"type":"string","dependencies":{"a":` + names(996) + `}}`, list(`1`, 998), true},
		{"more of them", `{"type":"string","dependencies":{"a":` + names(996) + `}}`, list(`1`, 1001), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if why, unchecked := tried(t, tt.schema, tt.value); (why != "") != tt.checked || slices.Equal(unchecked, []string{""}) == tt.checked {
				t.Errorf("got %.100q, and %q unchecked, want it checked: %t", why, unchecked, tt.checked)
			}
		})
	}
}

// A blueprint whose list of required properties is a rule of another kind is checked
// without it, which is said.
func TestUncheckedRequired(t *testing.T) {
	t.Parallel()
	blueprint, err := port.DecodeBlueprint([]byte(`{"identifier":"b","title":"B","schema":{"properties":{"p":{"type":"string"}},"required":{"or":["p"]}},"relations":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	_, client, _ := world(t)
	store := dryrun.New(client, map[string]port.Blueprint{"b": blueprint})
	store.Upsert(t.Context(), "b", entity(t, "b", "x", nil, nil), port.Flags{Merge: true})
	if diff := cmp.Diff(store.Unchecked(), []dryrun.Unchecked{{Blueprint: "b", Keyword: "required"}}); diff != "" {
		t.Errorf("got (-), want (+):\n%s", diff)
	}
}

// A schema made to be dear is given up, not worked off: nothing is loaded, nothing grows.
func TestHostileSchemas(t *testing.T) {
	t.Parallel()
	nested := `{"type":"string"}`
	for range 20 {
		nested = `{"allOf":[` + nested + `,{"$ref":"#"}]}`
	}
	long := `"` + strings.Repeat("a", 1<<20) + `"`
	many := `[` + strings.Repeat(`{"a":[1,2,3]},`, 20_000) + `1]`
	for _, c := range []struct{ name, schema, value, keyword string }{
		{"references into references", nested, `"a"`, "$ref"},
		{"a dear pattern over a long text", `{"pattern":"(a{0,30}){30}$"}`, long, ""},
		{"a long list of values over a long list", `{"items":{"enum":[` + strings.Repeat(`1,`, 10_000) + `1]}}`, many, ""},
		{"a deep schema", strings.Repeat(`{"not":`, 5_000) + `{}` + strings.Repeat(`}`, 5_000), `1`, ""},
		{"a number of a billion digits", `{"minimum":1e999999999,"items":{"enum":[1e999999999]}}`, `[1e999999999]`, "minimum"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if why, unchecked := tried(t, c.schema, c.value); why != "" || !slices.Contains(unchecked, c.keyword) {
				t.Errorf("got %q, and %q unchecked, want %q", why, unchecked, c.keyword)
			}
		})
	}
}
