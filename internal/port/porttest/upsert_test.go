package porttest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/port/porttest"
)

// thing has one property for each check.
const thing = `{"identifier":"thing","title":"Thing","schema":{"properties":{
  "s":{"type":"string","minLength":2,"maxLength":3,"pattern":"^a"},
  "n":{"type":"number","minimum":1,"maximum":5},
  "m":{"type":"number"},
  "b":{"type":"boolean"},
  "o":{"type":"object"},
  "a":{"type":"array","maxItems":2,"items":{"type":"string","format":"url"}},
  "e":{"type":"string","enum":["x","y"]},
  "url":{"type":"string","format":"url"},
  "email":{"type":"string","format":"email"},
  "at":{"type":"string","format":"date-time"},
  "v4":{"type":"string","format":"ipv4"},
  "v6":{"type":"string","format":"ipv6"},
  "user":{"type":"string","format":"user"}}},
 "mirrorProperties":{"upTitle":{"path":"one.$title"}},
 "calculationProperties":{"sum":{"calculation":".x","type":"number"},"text":{"calculation":".x","type":"string"}},
 "relations":{"one":{"target":"thing","required":false,"many":false},
              "many":{"target":"thing","required":false,"many":true},
              "owner":{"target":"_user","required":false,"many":false}}}`

const strict = `{"identifier":"strict","title":"Strict","schema":{"properties":{"p":{"type":"string"}},"required":["p"]},
 "relations":{"to":{"target":"thing","required":true,"many":false}}}`

func startThings(t *testing.T) *raw {
	r := start(t)
	r.AddBlueprint(`{"identifier":"_user","title":"User","schema":{"properties":{}}}`)
	r.AddBlueprint(`{"identifier":"_team","title":"Team","schema":{"properties":{}}}`)
	r.AddBlueprint(thing)
	r.AddBlueprint(strict)
	return r
}

func (r *raw) put(blueprint, query string, entities ...string) *got {
	r.t.Helper()
	return r.call("POST", "/v1/blueprints/"+blueprint+"/entities/bulk"+query, `{"entities":[`+strings.Join(entities, ",")+`]}`)
}

func TestEntityRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, blueprint, entity string
		status                  int
		says                    string
	}{
		{"unknown property", "thing", `{"identifier":"bad","properties":{"zz":1}}`, 422, `"zz"`},
		{"calculation property", "thing", `{"identifier":"bad","properties":{"sum":1}}`, 422, `"sum"`},
		{"beyond doubles", "thing", `{"identifier":"bad","properties":{"m":1e400}}`, 422, "must be number"},
		{"string", "thing", `{"identifier":"bad","properties":{"s":1}}`, 422, "must be string"},
		{"number", "thing", `{"identifier":"bad","properties":{"n":"1"}}`, 422, "must be number"},
		{"boolean", "thing", `{"identifier":"bad","properties":{"b":"true"}}`, 422, "must be boolean"},
		{"object", "thing", `{"identifier":"bad","properties":{"o":[]}}`, 422, "must be object"},
		{"array", "thing", `{"identifier":"bad","properties":{"a":{}}}`, 422, "must be array"},
		{"array item", "thing", `{"identifier":"bad","properties":{"a":["https://a.b","c"]}}`, 422, "format"},
		{"array length", "thing", `{"identifier":"bad","properties":{"a":["a:b","a:b","a:b"]}}`, 422, "more than 2"},
		{"enum", "thing", `{"identifier":"bad","properties":{"e":"z"}}`, 422, "allowed values"},
		{"pattern", "thing", `{"identifier":"bad","properties":{"s":"bb"}}`, 422, "pattern"},
		{"too short", "thing", `{"identifier":"bad","properties":{"s":"a"}}`, 422, "less than 2"},
		{"too long", "thing", `{"identifier":"bad","properties":{"s":"aéé!"}}`, 422, "more than 3"},
		{"too small", "thing", `{"identifier":"bad","properties":{"n":0.5}}`, 422, "less than 1"},
		{"too big", "thing", `{"identifier":"bad","properties":{"n":6}}`, 422, "more than 5"},
		{"url without scheme", "thing", `{"identifier":"bad","properties":{"url":"example.org/a"}}`, 422, "url"},
		{"email", "thing", `{"identifier":"bad","properties":{"email":"Ann"}}`, 422, "email"},
		{"date-time", "thing", `{"identifier":"bad","properties":{"at":"2026-11-22"}}`, 422, "date-time"},
		{"ipv4", "thing", `{"identifier":"bad","properties":{"v4":"::1"}}`, 422, "ipv4"},
		{"ipv6", "thing", `{"identifier":"bad","properties":{"v6":"1.2.3.4"}}`, 422, "ipv6"},
		{"unknown relation", "thing", `{"identifier":"bad","relations":{"two":"a"}}`, 422, `"two"`},
		{"single relation, list", "thing", `{"identifier":"bad","relations":{"one":["a"]}}`, 422, "must be a string"},
		{"many relation, string", "thing", `{"identifier":"bad","relations":{"many":"a"}}`, 422, "must be an array"},
		{"protected blueprint", "thing", `{"identifier":"bad","relations":{"owner":"ann@example.org"}}`, 404, "protected"},
		{"required property", "strict", `{"identifier":"bad","relations":{"to":"a"}}`, 422, `"p" is required`},
		{"required property null", "strict", `{"identifier":"bad","properties":{"p":null},"relations":{"to":"a"}}`, 422, `"p" is required`},
		{"required relation", "strict", `{"identifier":"bad","properties":{"p":"x"}}`, 422, `"to" is required`},
		{"no identifier", "thing", `{"title":"x"}`, 422, "must have an identifier"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := startThings(t)
			r.t = t
			good := `{"identifier":"good","properties":{"p":"x"},"relations":{"to":"a"}}`
			if tt.blueprint == "thing" {
				good = `{"identifier":"good","title":"G","icon":"I","team":"T","properties":{"s":"aa","n":1,"e":"y","user":"Any One","at":"2026-11-22T10:00:00+02:00"}}`
			}
			got := r.put(tt.blueprint, upsert, tt.entity, good).want(207)
			equal(t, "ok", got.body["ok"], any(false))
			equal(t, "written", got.column("entities", "index"), "1")
			equal(t, "refused", got.column("errors", "index"), "0")
			equal(t, "status", got.column("errors", "statusCode"), fmt.Sprint(tt.status))
			if message := got.column("errors", "message"); !strings.Contains(message, tt.says) {
				t.Errorf("message: got %q, want a part %q", message, tt.says)
			}
			if list := r.Entities(tt.blueprint); len(list) == 0 || list[len(list)-1].Identifier != "good" {
				t.Errorf("got entities %v, want the good one", list)
			}
			r.call("POST", "/v1/blueprints/"+tt.blueprint+"/entities"+upsert, tt.entity).says(tt.status, tt.says)
			r.wantViolations(0)
		})
	}
}

func TestUnknownBlueprint(t *testing.T) {
	t.Parallel()
	r := start(t)
	entity := `{"identifier":"a"}`
	r.put("nope", upsert, entity).says(404, "nope")
	r.call("POST", "/v1/blueprints/nope/entities"+upsert, entity).says(404, "nope")
	r.call("GET", "/v1/blueprints/nope/entities", "").says(404, "nope")
	r.call("GET", "/v1/blueprints/nope/entities-count", "").says(404, "nope")
	r.call("POST", "/v1/blueprints/nope/entities/search", `{}`).says(404, "nope")
	r.call("POST", "/v1/blueprints/nope/bulk/entities/delete?delete_dependents=true", `{"entities":["a"]}`).says(404, "nope")
	r.wantViolations(0)
}

func TestCreateAndUpdate(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	got := r.put("thing", "?upsert=true", `{"identifier":"a","title":"A","blueprint":"thing"}`, `{"identifier":"b"}`).want(200)
	equal(t, "created", got.column("entities", "created"), "true true")
	equal(t, "errors", len(got.list("errors")), 0)
	got = r.put("thing", "?upsert=true", `{"identifier":"b"}`).want(200)
	equal(t, "created", got.column("entities", "created"), "false")
	got = r.put("thing", "?upsert=false", `{"identifier":"b"}`, `{"identifier":"c"}`).want(207)
	equal(t, "status", got.column("errors", "statusCode"), "409")
	equal(t, "identifier", got.column("errors", "identifier"), "b")
	r.call("POST", "/v1/blueprints/thing/entities?upsert=false", `{"identifier":"a"}`).says(409, "exists")

	entities := r.Entities("thing")
	equal(t, "entities", len(entities), 3)
	equal(t, "datasource", entities[0].Datasource, agent)
	if at := entities[0].UpdatedAt; time.Since(at) > time.Hour || at.Nanosecond()%1e6 != 0 {
		t.Errorf("got UpdatedAt %v, want now, in milliseconds", at)
	}
	r.agent = "someone else"
	r.put("thing", upsert, `{"identifier":"a"}`).want(200)
	equal(t, "datasource", r.Catalog()["thing"]["a"].Datasource, "someone else")
}

func TestMerge(t *testing.T) {
	t.Parallel()
	first := `{"identifier":"x","title":"X","icon":"I","team":["t1","t2"],"properties":{"s":"aa","n":1,"o":{"k":1,"l":2}},"relations":{"one":"x","many":["x"]}}`
	second := `{"identifier":"x","properties":{"n":null,"o":{"k":3}},"relations":{"one":null}}`
	tests := []struct {
		name, query string
		want        string
	}{
		{"merged", "?upsert=true&merge=true", `{"title":"X","icon":"I","team":["t1","t2"],"properties":{"o":{"k":3},"s":"aa"},"relations":{"many":["x"]}}`},
		{"replaced", "?upsert=true&merge=false", `{"title":"","icon":"","team":null,"properties":{"o":{"k":3}},"relations":{}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := startThings(t)
			r.t = t
			r.put("thing", "?upsert=true", first).want(200)
			r.put("thing", tt.query, second).want(200)
			e := r.Catalog()["thing"]["x"]
			got, err := json.Marshal(struct {
				Title      string         `json:"title"`
				Icon       string         `json:"icon"`
				Team       []string       `json:"team"`
				Properties map[string]any `json:"properties"`
				Relations  map[string]any `json:"relations"`
			}{e.Title, e.Icon, e.Team, e.Properties, e.Relations})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "entity", string(got), tt.want)
		})
	}
}

// The schema of an entity has no null for these, and any text.
func TestTitleIconAndTeam(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	r.put("thing", upsert, `{"identifier":"a","title":"T","icon":"I","team":["t"]}`).want(200)
	for _, key := range []string{"title", "icon", "team"} {
		r.put("thing", upsert, `{"identifier":"a","`+key+`":null}`).says(422, key)
	}
	e := r.Catalog()["thing"]["a"]
	equal(t, "kept", fmt.Sprint(e.Title, e.Icon, e.Team), "TI[t]")
	r.put("thing", upsert, `{"identifier":"a","title":"","icon":"","team":[]}`).want(200)
	e = r.Catalog()["thing"]["a"]
	equal(t, "emptied", fmt.Sprint(e.Title, e.Icon, e.Team), "[]")
	r.wantViolations(3)
}

// Numbers are kept as JavaScript has them.
func TestNumbersAreDoubles(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	r.put("thing", upsert, `{"identifier":"a","properties":{"m":9007199254740993,"o":{"k":[12345678901234567890,1e2,-0,1.0,1e400]}}}`).want(200)
	equal(t, "numbers", fmt.Sprint(r.Catalog()["thing"]["a"].Properties), "map[m:9007199254740992 o:map[k:[12345678901234567000 100 0 1 <nil>]]]")
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	r.AddBlueprint(`{"identifier":"kept","title":"Kept","schema":{"properties":{"a":{"type":"string","default":"x"},"b":{"type":"number"}},"required":["a"]},"relations":{}}`)
	property := func() string { return fmt.Sprint(r.Catalog()["kept"]["e"].Properties) }
	r.put("kept", upsert, `{"identifier":"e"}`).want(200)
	equal(t, "new", property(), "map[a:x]")
	r.put("kept", upsert, `{"identifier":"e","properties":{"a":"y"}}`, `{"identifier":"f","properties":{"a":null}}`).want(207)
	equal(t, "given", property(), "map[a:y]")
	r.put("kept", upsert, `{"identifier":"e","properties":{"b":1}}`).want(200)
	equal(t, "merged", property(), "map[a:y b:1]")
	r.put("kept", "?upsert=true&merge=false", `{"identifier":"e"}`).want(200)
	equal(t, "replaced", property(), "map[a:x]")
	bad := `{"identifier":"bad","title":"Bad","schema":{"properties":{"a":{"type":"string","default":1}}}}`
	r.call("POST", "/v1/blueprints", bad).says(422, "default")
}

func TestInheritedTeam(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	r.AddBlueprint(`{"identifier":"part","title":"Part","ownership":{"type":"Inherited","path":"of.one"},"schema":{"properties":{}},"relations":{"of":{"target":"thing","required":false,"many":false}}}`)
	r.put("thing", upsert, `{"identifier":"top","team":"blue"}`, `{"identifier":"mid","relations":{"one":"top"}}`).want(200)
	r.put("part", upsert, `{"identifier":"p","team":["own"],"relations":{"of":"mid"}}`, `{"identifier":"alone"}`).want(200)
	got := r.call("POST", "/v1/blueprints/part/entities/search", `{"query":{"combinator":"and","rules":[{"property":"$team","operator":"contains","value":"blue"}]}}`).want(200)
	equal(t, "team", got.column("entities", "team"), "[blue]")
	equal(t, "identifier", got.column("entities", "identifier"), "p")
	bad := `{"identifier":"bad","title":"Bad","ownership":{"type":"Inherited","path":"nope"},"schema":{"properties":{}}}`
	r.call("POST", "/v1/blueprints", bad).says(422, "nope")
}

func TestDuplicateInOneRequest(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	got := r.put("thing", upsert, `{"identifier":"a","title":"first"}`, `{"identifier":"a","title":"second"}`).want(207)
	equal(t, "status", got.column("errors", "statusCode"), "409")
	equal(t, "index", got.column("errors", "index"), "1")
	equal(t, "title", r.Catalog()["thing"]["a"].Title, "first")
	r.wantViolations(1)
}

func TestMissingRelated(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	entity := `{"identifier":"a","relations":{"one":"stub","many":["a","stub","other"]}}`
	got := r.put("thing", "?upsert=true&merge=true", entity).want(207)
	equal(t, "status", got.column("errors", "statusCode"), "404")
	equal(t, "code", got.column("errors", "error"), "not_found")
	r.call("POST", "/v1/blueprints/thing/entities?upsert=true", entity).says(404, "stub")
	equal(t, "entities", len(r.Entities("thing")), 0)

	r.put("thing", upsert+"&validation_only=true", entity).want(200)
	r.call("POST", "/v1/blueprints/thing/entities"+upsert+"&validation_only=true", entity).want(201)
	equal(t, "entities", len(r.Entities("thing")), 0)

	r.put("thing", upsert, entity).want(200)
	equal(t, "entities", len(r.Entities("thing")), 3)
	equal(t, "stub's datasource", r.Catalog()["thing"]["stub"].Datasource, agent)
	equal(t, "stub's title", r.Catalog()["thing"]["stub"].Title, "")
	r.put("thing", "?upsert=true", `{"identifier":"b","relations":{"one":"a"}}`).want(200)
}

func TestIdentifierQuery(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	r.put("thing", upsert, `{"identifier":"a","properties":{"s":"aa","e":"x"}}`, `{"identifier":"b","properties":{"s":"ab","e":"x"}}`).want(200)
	query := func(property, operator, value string) string {
		return fmt.Sprintf(`{"identifier":{"combinator":"and","rules":[{"property":%q,"operator":%q,"value":%s}]},"title":"found"}`, property, operator, value)
	}
	got := r.put("thing", upsert, query("s", "=", `"ab"`), query("e", "=", `"x"`), query("s", "in", `["zz"]`)).want(207)
	equal(t, "written", got.column("entities", "identifier"), "b")
	equal(t, "created", got.column("entities", "created"), "false")
	equal(t, "identifiers", got.column("errors", "identifier"), "unknown unknown")
	equal(t, "statuses", got.column("errors", "statusCode"), "422 404")
	equal(t, "title", r.Catalog()["thing"]["b"].Title, "found")
	equal(t, "entities", len(r.Entities("thing")), 2)
}

func TestRelationQuery(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	r.put("thing", upsert, `{"identifier":"a","properties":{"e":"x"}}`, `{"identifier":"b","properties":{"e":"x"}}`).want(200)
	query := func(operator, value string) string {
		return fmt.Sprintf(`{"combinator":"or","rules":[{"property":"e","operator":%q,"value":%s},{"combinator":"and","rules":[{"property":"$identifier","operator":"=","value":"none"}]}]}`, operator, value)
	}
	r.put("thing", upsert, `{"identifier":"many","relations":{"many":`+query("=", `"x"`)+`}}`).want(200)
	equal(t, "many", fmt.Sprint(r.Catalog()["thing"]["many"].Relations["many"]), "[a b]")
	got := r.put("thing", upsert, `{"identifier":"one","relations":{"one":`+query("contains", `"x"`)+`}}`).want(207)
	if message := got.column("errors", "message"); !strings.Contains(message, "matches 2") {
		t.Errorf("got message %q, want one that says how many match", message)
	}
	r.put("thing", upsert, `{"identifier":"none","relations":{"one":`+query("=", `"y"`)+`,"many":`+query("in", `["y"]`)+`}}`).want(200)
	equal(t, "none", fmt.Sprint(r.Catalog()["thing"]["none"].Relations), "map[many:[]]")

	var seeds []string
	for i := range 101 {
		r.PutEntity("thing", porttest.Entity{Identifier: fmt.Sprint("e", i), Properties: map[string]any{"e": "y"}})
		seeds = append(seeds, fmt.Sprint("e", i))
	}
	equal(t, "seeds", len(seeds), 101)
	got = r.put("thing", upsert, `{"identifier":"toomany","relations":{"many":`+query("=", `"y"`)+`}}`).want(207)
	equal(t, "status", got.column("errors", "statusCode"), "422")
	r.PutEntity("_team", porttest.Entity{Identifier: "blue"})
	r.put("thing", upsert, `{"identifier":"teamed","team":{"combinator":"and","rules":[{"property":"$identifier","operator":"=","value":"blue"}]}}`).want(200)
	equal(t, "team", fmt.Sprint(r.Catalog()["thing"]["teamed"].Team), "[blue]")
}

func TestLooseProperties(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	r.Configure(porttest.Options{LooseProperties: true})
	r.put("thing", upsert, `{"identifier":"a","properties":{"zz":1}}`).want(200)
	equal(t, "property", fmt.Sprint(r.Catalog()["thing"]["a"].Properties["zz"]), "1")
}
