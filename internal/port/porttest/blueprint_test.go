package porttest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/port/porttest"
)

func TestDefaultBlueprints(t *testing.T) {
	t.Parallel()
	r := start(t)
	got := r.call("GET", "/v1/blueprints", "").want(200)
	equal(t, "blueprints", got.column("blueprints", "identifier"), "bitbucketProject bitbucketPullRequest bitbucketRepository")
	b := r.call("GET", "/v1/blueprints/bitbucketProject", "").want(200).body["blueprint"].(map[string]any)
	for _, key := range []string{"createdAt", "createdBy", "updatedAt", "updatedBy", "aggregationProperties"} {
		if b[key] == nil {
			t.Errorf("got no %s, want what every stored blueprint has", key)
		}
	}
	stored, found := r.Blueprint("bitbucketPullRequest")
	if text, err := json.Marshal(stored); err != nil || !found || !strings.Contains(string(text), "lead_time_days") {
		t.Errorf("got %s (%v), want the pull request blueprint", text, err)
	}
	if _, found := r.Blueprint("nope"); found {
		t.Error("got a blueprint that is not there")
	}
	equal(t, "documents", len(porttest.DefaultBlueprints()), 3)
}

func TestBlueprintLife(t *testing.T) {
	t.Parallel()
	r := start(t)
	bare := `{"identifier":"svc","title":"Service","schema":{"properties":{"p":{"type":"string"}}}}`
	r.call("POST", "/v1/blueprints", bare).want(201)
	r.call("POST", "/v1/blueprints?create_catalog_page=false", bare).says(409, "exists")
	r.call("PATCH", "/v1/blueprints/svc", `{"relations":{"up":{"target":"svc","required":false,"many":false}}}`).want(200)
	got := r.call("PATCH", "/v1/blueprints/svc", `{"title":"S"}`).want(200).body["blueprint"].(map[string]any)
	equal(t, "title", got["title"], any("S"))
	equal(t, "relations", len(got["relations"].(map[string]any)), 1)
	r.put("svc", upsert, `{"identifier":"a","relations":{"up":"b"}}`).want(200)
	r.call("DELETE", "/v1/blueprints/svc", "").says(409, "has entities")
	r.call("DELETE", "/v1/blueprints/svc/entities/b"+alone, "").says(403, "svc/a")
	// A relation that the blueprint has no longer makes no dependant.
	r.call("PUT", "/v1/blueprints/svc", bare).want(200)
	r.call("POST", "/v1/blueprints/svc/bulk/entities/delete"+alone, `{"entities":["b"]}`).want(200)
	r.call("POST", "/v1/blueprints/svc/bulk/entities/delete"+alone, `{"entities":["a"]}`).want(200)
	r.call("DELETE", "/v1/blueprints/svc", "").want(200)
	r.call("DELETE", "/v1/blueprints/bitbucketProject", "").says(409, "bitbucketRepository")
	for _, method := range []string{"GET", "DELETE"} {
		r.call(method, "/v1/blueprints/svc", "").says(404, "svc")
	}
	r.call("PATCH", "/v1/blueprints/svc", `{}`).says(404, "svc")
	r.call("PUT", "/v1/blueprints/svc", bare).says(404, "svc")
	r.wantViolations(0)
}

func TestBlueprintRefused(t *testing.T) {
	t.Parallel()
	r := start(t)
	tests := []struct{ name, body, says string }{
		{"no identifier", `{"title":"T","schema":{"properties":{}}}`, "identifier"},
		{"no title", `{"identifier":"x","schema":{"properties":{}}}`, "title"},
		{"no schema", `{"identifier":"x","title":"T"}`, "schema"},
		{"equals sign", `{"identifier":"x=y","title":"T","schema":{"properties":{}}}`, "pattern"},
		{"long title", `{"identifier":"x","title":"` + strings.Repeat("t", 101) + `","schema":{"properties":{}}}`, "more than 100"},
		{"long description", `{"identifier":"x","title":"T","description":"` + strings.Repeat("t", 201) + `","schema":{"properties":{}}}`, "more than 200"},
		{"property type", `{"identifier":"x","title":"T","schema":{"properties":{"p":{"type":"text"}}}}`, "allowed values"},
		{"property format", `{"identifier":"x","title":"T","schema":{"properties":{"p":{"type":"string","format":"date"}}}}`, "allowed values"},
		{"property name", `{"identifier":"x","title":"T","schema":{"properties":{"p q":{"type":"string"}}}}`, "pattern"},
		{"schema key", `{"identifier":"x","title":"T","schema":{"properties":{},"type":"object"}}`, "additional"},
		{"relation without many", `{"identifier":"x","title":"T","schema":{"properties":{}},"relations":{"r":{"target":"bitbucketProject","required":false}}}`, "many"},
		{"relation target", `{"identifier":"x","title":"T","schema":{"properties":{}},"relations":{"r":{"target":"nope","required":false,"many":false}}}`, "nope"},
		{"relation to itself", `{"identifier":"x","title":"T","schema":{"properties":{}},"relations":{"r":{"target":"x","required":false,"many":false}}}`, "does not exist"},
		{"mirror of nothing", `{"identifier":"x","title":"T","schema":{"properties":{}},"relations":{"r":{"target":"bitbucketProject","required":false,"many":false}},"mirrorProperties":{"m":{"path":"r.nothing"}}}`, `"nothing" is not a property`},
		{"mirror along nothing", `{"identifier":"x","title":"T","schema":{"properties":{}},"relations":{"r":{"target":"bitbucketProject","required":false,"many":false}},"mirrorProperties":{"m":{"path":"r.up.url"}}}`, `"up" is not a relation`},
		{"required property", `{"identifier":"x","title":"T","schema":{"properties":{},"required":["p"]}}`, `"p"`},
		{"mirror path", `{"identifier":"x","title":"T","schema":{"properties":{}},"mirrorProperties":{"m":{"path":"r.$title"}}}`, "not a relation"},
		{"calculation without type", `{"identifier":"x","title":"T","schema":{"properties":{}},"calculationProperties":{"c":{"calculation":".a"}}}`, "type"},
		{"defined twice", `{"identifier":"x","title":"T","schema":{"properties":{"c":{"type":"string"}}},"calculationProperties":{"c":{"calculation":".a","type":"string"}}}`, "twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.t = t
			r.call("POST", "/v1/blueprints", tt.body).says(422, tt.says)
		})
	}
	r.t = t
	r.call("PATCH", "/v1/blueprints/bitbucketProject", `{"identifier":"renamed"}`).says(422, "renamed")
	if _, found := r.Blueprint("x"); found {
		t.Error("got a refused blueprint")
	}
}

func TestAddBlueprintPanics(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{`, `{"identifier":"x"}`, `{"identifier":"x","title":"T","schema":{"properties":{}},"relations":{"r":{"target":"nope","required":false,"many":false}}}`} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("AddBlueprint(%s): got no panic", text)
				}
			}()
			porttest.New().AddBlueprint(text)
		}()
	}
}
