package porttest_test

import (
	"fmt"
	"testing"

	"port-bitbucket-exporter/internal/port/porttest"
)

const (
	deletes        = "/v1/blueprints/thing/bulk/entities/delete"
	alone, cascade = "?delete_dependents=false", "?delete_dependents=true"
)

// related is a <- b <- strict/s, and c apart.
func related(t *testing.T) *raw {
	r := startThings(t)
	r.put("thing", upsert, `{"identifier":"a"}`, `{"identifier":"b","relations":{"many":["a"]}}`, `{"identifier":"c"}`).want(200)
	r.PutEntity("strict", porttest.Entity{Identifier: "s", Datasource: "UI", Relations: map[string]any{"to": "b"}})
	return r
}

func (r *raw) wantLeft(want string) {
	r.t.Helper()
	got := ""
	for _, blueprint := range []string{"thing", "strict"} {
		for _, e := range r.Entities(blueprint) {
			got += e.Identifier
		}
	}
	equal(r.t, "left", got, want)
}

func TestDeleteRefusedForDependants(t *testing.T) {
	t.Parallel()
	r := related(t)
	r.call("POST", deletes+alone, `{"entities":["c","a"]}`).says(422, "thing/b")
	r.call("POST", deletes+alone, `{"entities":["a","b"]}`).says(422, "strict/s")
	r.call("DELETE", "/v1/blueprints/thing/entities/b"+alone, "").says(403, "strict/s")
	r.wantLeft("abcs")
	r.wantViolations(0)
}

func TestDeleteNamesSomeDependants(t *testing.T) {
	t.Parallel()
	r := related(t)
	for i := range 10 {
		r.PutEntity("strict", porttest.Entity{Identifier: fmt.Sprint("x", i), Relations: map[string]any{"to": "c"}})
	}
	r.call("POST", deletes+alone, `{"entities":["c"]}`).says(422, "and 5 more")
}

func TestDelete(t *testing.T) {
	t.Parallel()
	r := related(t)
	got := r.call("POST", deletes+alone, `{"entities":["c","unknown","c"]}`).want(200)
	equal(t, "deleted", got.list("deletedEntities"), []any{"c"})
	r.wantLeft("abs")
	r.call("DELETE", "/v1/blueprints/strict/entities/s"+alone, "").want(200)
	r.call("DELETE", "/v1/blueprints/strict/entities/s"+alone, "").says(404, `"s"`)
	got = r.call("POST", deletes+alone, `{"entities":["a","b"]}`).want(200)
	equal(t, "dependant in the same call", got.list("deletedEntities"), []any{"a", "b"})
	r.wantLeft("")
}

func TestDeleteCascades(t *testing.T) {
	t.Parallel()
	r := related(t)
	got := r.call("POST", deletes+cascade, `{"entities":["a"]}`).want(200)
	equal(t, "deleted", got.list("deletedEntities"), []any{"a"})
	r.wantLeft("c")
}

func TestRelationGivenUpIsNoDependant(t *testing.T) {
	t.Parallel()
	r := related(t)
	r.put("thing", upsert, `{"identifier":"b","relations":{"many":[]}}`).want(200)
	r.call("POST", deletes+alone, `{"entities":["a"]}`).want(200)
	r.wantLeft("bcs")
}

func TestEscapedIdentifier(t *testing.T) {
	t.Parallel()
	r := startThings(t)
	r.put("thing", upsert, `{"identifier":"x/y+z:é"}`).want(200)
	r.call("GET", "/v1/blueprints/thing/entities/x%2Fy+z:%C3%A9", "").want(200)
	r.call("GET", "/v1/blueprints/thing/entities/x/y+z:%C3%A9", "").says(404, "Route")
	r.call("DELETE", "/v1/blueprints/thing/entities/x%2Fy+z:%C3%A9"+alone, "").want(200)
	r.wantLeft("")
}
