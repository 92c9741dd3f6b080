package porttest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/port/porttest"
)

// seeded has three entities of ours and one of somebody else's.
func seeded(t *testing.T) *raw {
	r := startThings(t)
	r.put("thing", upsert,
		`{"identifier":"a","title":"Alpha","properties":{"s":"aa","n":1,"a":["https://x.y","https://z.y"]}}`,
		`{"identifier":"b","title":"Beta","team":"t","properties":{"s":"ab","n":2,"at":"2026-11-22T10:00:00+02:00"},"relations":{"one":"a","many":["a","b"]}}`,
		`{"identifier":"c","properties":{"b":true}}`).want(200)
	r.PutEntity("thing", porttest.Entity{Identifier: "d", Datasource: "UI", UpdatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	return r
}

func TestSearchRules(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	tests := []struct{ rule, want string }{
		{`{"property":"s","operator":"=","value":"aa"}`, "a"},
		{`{"property":"s","operator":"!=","value":"aa"}`, "b c d"},
		{`{"property":"n","operator":"=","value":2.0}`, "b"},
		{`{"property":"n","operator":"=","value":1e-999999999}`, ""},
		{`{"property":"n","operator":"=","value":1e999999999}`, ""},
		{`{"property":"s","operator":"=","value":null}`, "c d"},
		{`{"property":"s","operator":"contains","value":"b"}`, "b"},
		{`{"property":"a","operator":"contains","value":"https://x.y"}`, "a"},
		{`{"property":"s","operator":"doesNotContains","value":"b"}`, "a c d"},
		{`{"property":"$title","operator":"beginsWith","value":"Al"}`, "a"},
		{`{"property":"$title","operator":"endsWith","value":"ta"}`, "b"},
		{`{"property":"$identifier","operator":"in","value":["a","d","zz"]}`, "a d"},
		{`{"property":"$identifier","operator":"notIn","value":["a"]}`, "b c d"},
		{`{"property":"a","operator":"containsAny","value":["https://z.y","q"]}`, "a"},
		{`{"property":"$title","operator":"isEmpty"}`, "c d"},
		{`{"property":"$title","operator":"isNotEmpty"}`, "a b"},
		{`{"property":"$team","operator":"isNotEmpty"}`, "b"},
		{`{"property":"n","operator":">","value":1}`, "b"},
		{`{"property":"$updatedAt","operator":"<","value":"2026-01-01T02:00:00+01:00"}`, "d"},
		{`{"property":"$datasource","operator":"contains","value":"port-ocean/bitbucket-cloud/"}`, "a b c"},
		{`{"property":"$datasource","operator":"=","value":"UI"}`, "d"},
		{`{"property":"$blueprint","operator":"=","value":"thing"}`, "a b c d"},
		{`{"relation":"many","operator":"contains","value":"b"}`, "b"},
		{`{"property":"upTitle","operator":"=","value":"Alpha"}`, "b"},
		{`{"combinator":"or","rules":[{"property":"$identifier","operator":"=","value":"a"},{"property":"b","operator":"=","value":true}]}`, "a c"},
	}
	for _, tt := range tests {
		query := `{"combinator":"and","rules":[` + tt.rule + `]}`
		got := r.call("POST", "/v1/blueprints/thing/entities/search", `{"query":`+query+`}`).want(200)
		equal(t, tt.rule, got.column("entities", "identifier"), tt.want)
		if strings.Contains(tt.rule, `"relation"`) { // the schema of this route has no such rule
			r.call("POST", "/v1/entities/search", query).says(422, "rules/0")
			continue
		}
		got = r.call("POST", "/v1/entities/search", query).want(200)
		equal(t, tt.rule, got.column("entities", "identifier"), tt.want)
		equal(t, tt.rule, len(got.list("matchingBlueprints")), min(1, len(tt.want)))
	}
	r.call("POST", "/v1/entities/search", `{"combinator":"and","rules":[{"operator":"relatedTo","blueprint":"thing","value":"a"}]}`).says(422, "no rule")
	r.wantViolations(2)
}

func TestAnswersAreNoEcho(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	got := r.call("GET", "/v1/blueprints/thing/entities/b", "").want(200)
	entity := got.body["entity"].(map[string]any)
	for key, want := range map[string]string{
		"identifier": `"b"`, "title": `"Beta"`, "icon": `null`, "team": `["t"]`, "blueprint": `"thing"`, "createdBy": `"porttest"`, "updatedBy": `"porttest"`,
		"relations":  `{"many":["b","a"],"one":"a","owner":null}`,
		"properties": `{"a":null,"at":"2026-11-22T08:00:00.000Z","b":null,"e":null,"email":null,"m":null,"n":2,"o":null,"s":"ab","sum":null,"text":"calculated for b","upTitle":"Alpha","url":null,"user":null,"v4":null,"v6":null}`,
	} {
		text, err := json.Marshal(entity[key])
		if err != nil {
			t.Fatal(err)
		}
		equal(t, key, string(text), want)
	}
	equal(t, "keys", len(entity), 11)
	got = r.call("GET", "/v1/blueprints/thing/entities/d", "").want(200)
	entity = got.body["entity"].(map[string]any)
	equal(t, "title", entity["title"], any(nil))
	equal(t, "team", entity["team"], any([]any{}))
	equal(t, "updatedAt", entity["updatedAt"], any("2026-01-01T00:00:00.000Z"))

	r.Configure(porttest.Options{DocumentedAnswers: true})
	entity = r.call("GET", "/v1/blueprints/thing/entities/d", "").want(200).body["entity"].(map[string]any)
	equal(t, "documented keys", len(entity), 4)
	r.call("GET", "/v1/blueprints/thing/entities/zz", "").says(404, "zz")
}

func TestSelection(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	tests := []struct{ name, query, want string }{
		{"include", "?include=identifier&include=blueprint", `{"blueprint":"thing","identifier":"b"}`},
		{"include one property", "?include=$identifier&include=properties.s&include=relations.one", `{"identifier":"b","properties":{"s":"ab"},"relations":{"one":"a"}}`},
		{"exclude", "?include=title&include=relations&exclude=relations.owner", `{"relations":{"many":["b","a"],"one":"a"},"title":"Beta"}`},
	}
	for _, tt := range tests {
		got := r.call("GET", "/v1/blueprints/thing/entities/b"+tt.query, "").want(200)
		text, err := json.Marshal(got.body["entity"])
		if err != nil {
			t.Fatal(err)
		}
		equal(t, tt.name, string(text), tt.want)
	}
	got := r.call("GET", "/v1/blueprints/thing/entities?exclude_calculated_properties=true&include=properties", "").want(200)
	if text := fmt.Sprint(got.list("entities")); strings.Contains(text, "sum") || strings.Contains(text, "upTitle") || !strings.Contains(text, "url") {
		t.Errorf("got %s, want no calculated properties", text)
	}
	equal(t, "count", r.call("GET", "/v1/blueprints/thing/entities-count", "").want(200).body["count"], any(4.0))
}

// walk reads all pages and returns the identifiers of each.
func (r *raw) walk(path, body string) (pages []string) {
	r.t.Helper()
	from := ""
	for {
		next := strings.TrimSuffix(body, "}") + from + "}"
		got := r.call("POST", path, next).want(200)
		pages = append(pages, got.column("entities", "identifier"))
		if _, more := got.body["next"]; !more {
			return pages
		}
		from = fmt.Sprintf(`,"from":%q`, got.text("next"))
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	path := "/v1/blueprints/thing/entities/search"
	equal(t, "pages", r.walk(path, `{"limit":3}`), []string{"a b c", "d"})
	equal(t, "full last page", r.walk(path, `{"limit":2}`), []string{"a b", "c d"})
	equal(t, "filtered", r.walk(path, `{"limit":1,"query":{"combinator":"and","rules":[{"property":"s","operator":"isNotEmpty"}]}}`), []string{"a", "b"})

	next := r.call("POST", path, `{"limit":1}`).want(200).text("next")
	r.call("POST", path, fmt.Sprintf(`{"include":["title"],"from":%q}`, next)).says(422, "from")
	r.call("POST", path, `{"from":"invented"}`).says(422, "from")
	r.wantViolations(2)
	// What is deleted or changed between two pages moves nothing else.
	r.call("DELETE", "/v1/blueprints/thing/entities/a?delete_dependents=false", "").want(403)
	r.call("DELETE", "/v1/blueprints/thing/entities/c?delete_dependents=false", "").want(200)
	r.put("thing", upsert, `{"identifier":"a","title":"again"}`).want(200)
	got := r.call("POST", path, fmt.Sprintf(`{"from":%q}`, next)).want(200)
	equal(t, "rest", got.column("entities", "identifier"), "b d")
}

func TestDatasourceEntities(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	path := "/v1/blueprints/entities/datasource-entities"
	ours := `"datasource_prefix":"port-ocean/bitbucket-cloud/","datasource_suffix":"/my-integration/exporter"`
	r.PutEntity("strict", porttest.Entity{Identifier: "old", Datasource: "port-ocean/bitbucket-cloud/0.1/my-integration/exporter", UpdatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	r.PutEntity("strict", porttest.Entity{Identifier: "other", Datasource: "port-ocean/bitbucket-cloud/0.1/another-integration/exporter"})
	equal(t, "pages", r.walk(path, `{`+ours+`,"limit":3}`), []string{"a b c", "old"})
	equal(t, "before, exclusive", r.walk(path, `{`+ours+`,"before":"2026-01-01T00:00:00.000Z"}`), []string{""})
	got := r.call("POST", path, `{`+ours+`,"before":"2026-01-01T00:00:00.001Z"}`).want(200)
	equal(t, "before", got.column("entities", "blueprint"), "strict")
	r.Age(time.Hour)
	got = r.call("POST", path, fmt.Sprintf(`{%s,"before":%q}`, ours, time.Now().UTC().Format(time.RFC3339))).want(200)
	equal(t, "aged", got.column("entities", "identifier"), "a b c old")
}
