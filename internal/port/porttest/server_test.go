package porttest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/port/porttest"
)

const (
	bulk   = "/v1/blueprints/bitbucketRepository/entities/bulk"
	upsert = "?upsert=true&merge=true&create_missing_related_entities=true"
)

func TestToken(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.token = ""
	r.call("POST", "/v1/auth/access_token", `{"clientId":"id","clientSecret":"wrong"}`).says(401, "wrong")
	if got := r.call("POST", "/v1/auth/access_token", `{"clientId":"no","clientSecret":"secret"}`).want(401).text("error"); got != "invalid_credentials" {
		t.Errorf("error code: got %q, want invalid_credentials", got)
	}
	r.wantViolations(0)
	r.call("POST", "/v1/auth/access_token", `{"clientId":"id","clientSecret":"secret","grant":"x"}`).says(422, "grant")
	r.call("POST", "/v1/auth/access_token", `{"clientId":"id"}`).says(422, "clientSecret")
	r.call("POST", "/v1/auth/access_token", `{"clientId":"id","clientSecret":7}`).says(422, "string")
	r.call("GET", "/v1/blueprints", "").says(401, "no token")
	r.token = "Bearer invented"
	r.call("GET", "/v1/blueprints", "").says(401, "no token")
	r.wantViolations(5)

	got := r.call("POST", "/v1/auth/access_token", `{"clientId":"id","clientSecret":"secret"}`).want(200)
	equal(t, "expiresIn", got.body["expiresIn"], any(10800.0))
	equal(t, "tokenType", got.text("tokenType"), "Bearer")
	r.token = got.text("accessToken") // no scheme
	r.call("GET", "/v1/blueprints", "").says(401, "no token")
	r.token = "Bearer " + got.text("accessToken")
	r.call("GET", "/v1/blueprints", "").want(200)
	r.RevokeTokens()
	r.call("GET", "/v1/blueprints", "").says(401, "revoked")
	r.login("id", "secret")
	r.call("GET", "/v1/blueprints", "").want(200)
	r.wantViolations(6)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, path := range []string{"/v1/blueprints", "/v1/nothing"} {
		h := r.call("GET", path, "").header
		for _, name := range []string{"x-trace-id", "x-ratelimit-period", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} {
			if h.Get(name) == "" {
				t.Errorf("GET %s: got no header %s", path, name)
			}
		}
		if at, err := http.ParseTime(h.Get("Date")); err != nil || time.Since(at) > time.Hour {
			t.Errorf("GET %s: got Date %q (%v), want about now", path, h.Get("Date"), err)
		}
	}
}

// What belongs to a resync says so.
func TestResyncOfAWrite(t *testing.T) {
	t.Parallel()
	r := start(t)
	const one = `{"entities":[{"identifier":"a"}]}`
	const resync = "&ocean_info_event_type=resync&ocean_info_resync_id=r"
	r.call("POST", bulk+upsert+resync, one).want(200)
	r.call("POST", bulk+upsert+"&ocean_info_event_type=start", one).want(200)
	r.call("POST", "/v1/blueprints/bitbucketRepository/bulk/entities/delete?delete_dependents=false"+resync, `{"entities":["b"]}`).want(200)
	r.call("DELETE", "/v1/blueprints/bitbucketRepository/entities/a?delete_dependents=false"+resync, "").want(200)
	r.wantViolations(0)
	r.call("POST", bulk+upsert+"&ocean_info_resync_id=r", one).want(200)
	r.call("POST", bulk+upsert+"&ocean_info_event_type=start&ocean_info_resync_id=r", one).want(200)
	r.wantViolations(2)
}

func TestStrictness(t *testing.T) {
	t.Parallel()
	one := `{"entities":[{"identifier":"a"}]}`
	tests := []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"unknown path", "GET", "/v1/entity", "", 404, "not found"},
		{"wrong method", "PUT", bulk + upsert, one, 404, "not found"},
		{"trailing slash", "GET", "/v1/blueprints/", "", 404, "not found"},
		{"unknown parameter", "POST", bulk + "?upsert=true&force=true", one, 422, "force"},
		{"upsert missing", "POST", bulk + "?merge=true", one, 422, "upsert"},
		{"flag not boolean", "POST", bulk + "?upsert=yes", one, 422, "boolean"},
		{"flag twice", "POST", bulk + "?upsert=true&upsert=true", one, 422, "once"},
		{"delete_dependents missing", "POST", "/v1/blueprints/bitbucketRepository/bulk/entities/delete", `{"entities":["a"]}`, 422, "delete_dependents"},
		{"unknown event", "POST", bulk + upsert + "&ocean_info_event_type=sync", one, 422, "ocean_info_event_type"},
		{"empty resync", "POST", "/v1/blueprints/bitbucketRepository/entities" + upsert + "&ocean_info_event_type=resync&ocean_info_resync_id=", `{"identifier":"a"}`, 422, "ocean_info_resync_id"},
		{"resync of a search", "POST", "/v1/blueprints/bitbucketRepository/entities/search?ocean_info_event_type=resync", `{}`, 422, "ocean_info_event_type"},
		{"delete_dependents missing, single", "DELETE", "/v1/blueprints/bitbucketRepository/entities/a", "", 422, "delete_dependents"},
		{"body of a read", "GET", "/v1/blueprints", `{}`, 422, "body must be empty"},
		{"no body", "POST", bulk + upsert, "", 422, "body must be object"},
		{"not JSON", "POST", bulk + upsert, `{"entities":`, 422, "not JSON"},
		{"two values", "POST", bulk + upsert, one + one, 422, "not JSON"},
		{"array", "POST", bulk + upsert, `[]`, 422, "body must be object"},
		{"no entities", "POST", bulk + upsert, `{"entities":[]}`, 422, "less than 1"},
		{"21 entities", "POST", bulk + upsert, `{"entities":[` + strings.Repeat(`{"identifier":"a"},`, 20) + `{"identifier":"a"}]}`, 422, "more than 20"},
		{"additional key", "POST", bulk + upsert, `{"entities":[{"identifier":"a"}],"merge":true}`, 422, "merge"},
		{"space in one identifier", "POST", bulk + upsert, `{"entities":[{"identifier":"fine"},{"identifier":"not fine"}]}`, 422, "entities/1/identifier"},
		{"dots", "POST", bulk + upsert, `{"entities":[{"identifier":".."}]}`, 422, "identifier"},
		{"empty identifier", "POST", bulk + upsert, `{"entities":[{"identifier":""}]}`, 422, "identifier"},
		{"numeric identifier", "POST", bulk + upsert, `{"entities":[{"identifier":7}]}`, 422, "identifier"},
		{"long identifier", "POST", bulk + upsert, `{"entities":[{"identifier":"` + strings.Repeat("a", 1001) + `"}]}`, 422, "identifier"},
		{"title null", "POST", bulk + upsert, `{"entities":[{"identifier":"a","title":null}]}`, 422, "title"},
		{"title number", "POST", bulk + upsert, `{"entities":[{"identifier":"a","title":1}]}`, 422, "title"},
		{"icon null", "POST", bulk + upsert, `{"entities":[{"identifier":"a","icon":null}]}`, 422, "icon"},
		{"team null", "POST", bulk + upsert, `{"entities":[{"identifier":"a","team":null}]}`, 422, "team"},
		{"properties array", "POST", bulk + upsert, `{"entities":[{"identifier":"a","properties":[]}]}`, 422, "properties"},
		{"relation number", "POST", bulk + upsert, `{"entities":[{"identifier":"a","relations":{"project":1}}]}`, 422, "relations/project"},
		{"relation with space", "POST", bulk + upsert, `{"entities":[{"identifier":"a","relations":{"project":"a b"}}]}`, 422, "relations/project"},
		{"relation list with space", "POST", bulk + upsert, `{"entities":[{"identifier":"a","relations":{"project":["a b"]}}]}`, 422, "relations/project"},
		{"query with an unknown operator", "POST", bulk + upsert, `{"entities":[{"identifier":{"combinator":"and","rules":[{"property":"url","operator":"beginsWith","value":"a"}]}}]}`, 422, "identifier"},
		{"101 deletes", "POST", "/v1/blueprints/bitbucketRepository/bulk/entities/delete?delete_dependents=false", `{"entities":["a"` + strings.Repeat(`,"a"`, 100) + `]}`, 422, "more than 100"},
		{"no deletes", "POST", "/v1/blueprints/bitbucketRepository/bulk/entities/delete?delete_dependents=false", `{"entities":[]}`, 422, "less than 1"},
		{"search limit", "POST", "/v1/blueprints/bitbucketRepository/entities/search", `{"limit":1001}`, 422, "limit"},
		{"search key", "POST", "/v1/blueprints/bitbucketRepository/entities/search", `{"rules":[]}`, 422, "rules"},
		{"search operator", "POST", "/v1/entities/search", `{"combinator":"and","rules":[{"property":"url","operator":"like","value":"a"}]}`, 422, "rules"},
		{"search combinator", "POST", "/v1/entities/search", `{"rules":[]}`, 422, "combinator"},
		{"datasource suffix missing", "POST", "/v1/blueprints/entities/datasource-entities", `{"datasource_prefix":"a"}`, 422, "datasource_suffix"},
		{"datasource time", "POST", "/v1/blueprints/entities/datasource-entities", `{"datasource_prefix":"a","datasource_suffix":"b","before":"today"}`, 422, "before"},
		{"datasource key", "POST", "/v1/blueprints/entities/datasource-entities", `{"datasource_prefix":"a","datasource_suffix":"b","after":"x"}`, 422, "after"},
		{"body too big", "POST", bulk + upsert, `{"entities":[{"identifier":"a","properties":{"readme":"` + strings.Repeat("x", 1<<20) + `"}}]}`, 413, "1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			r.t = t
			r.call(tt.method, tt.path, tt.body).says(tt.status, tt.says)
			r.wantViolations(1)
			if n := len(r.Catalog()); n != 0 {
				t.Errorf("got entities in %d blueprints, want none", n)
			}
		})
	}
}

func TestContentType(t *testing.T) {
	t.Parallel()
	r := start(t)
	req, err := http.NewRequestWithContext(t.Context(), "POST", r.base+bulk+upsert, strings.NewReader(`{"entities":[{"identifier":"a"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", r.token)
	r.send(req).says(415, "application/json")
	r.wantViolations(1)
}

func TestBodyOfExactlyTheLimit(t *testing.T) {
	t.Parallel()
	r := start(t)
	head, tail := `{"entities":[{"identifier":"a","properties":{"readme":"`, `"}}]}`
	body := head + strings.Repeat("x", 1<<20-len(head)-len(tail)) + tail
	r.call("POST", bulk+upsert, body).want(200)
	r.wantViolations(0)
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.Configure(porttest.Options{RateLimit: 3, RatePeriod: time.Hour})
	for range 2 { // the login was the first
		r.call("GET", "/v1/blueprints", "").want(200)
	}
	got := r.call("GET", "/v1/blueprints", "")
	got.says(429, "too many")
	equal(t, "remaining", got.header.Get("x-ratelimit-remaining"), "0")
	equal(t, "period", got.header.Get("x-ratelimit-period"), "3600")
	equal(t, "requests over the limit", r.RateLimited(), 1)
	r.Fault(porttest.Fault{Status: 429})
	r.call("GET", "/v1/blueprints", "")
	equal(t, "with a 429 that was planned", r.RateLimited(), 1)
	r.wantViolations(0)
}

func TestJournalKeepsNoSecret(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.login("id", "secret")
	r.call("POST", bulk+upsert, `{"entities":[{"identifier":"a"}]}`).want(200)
	r.call("POST", bulk+upsert+"&validation_only=true", `{"entities":[{"identifier":"b"}]}`).want(200)
	r.call("POST", "/v1/entities/search", `{"combinator":"and","rules":[]}`).want(200)
	r.call("GET", "/v1/nothing?a=b", "").want(404)
	journal := r.Journal()
	equal(t, "requests", r.Requests(), 5)
	for _, x := range journal {
		whole := string(x.RequestBody) + string(x.ResponseBody) + strings.Join(x.RequestHeader["Authorization"], "")
		if strings.Contains(whole, `"secret"`) || strings.Contains(whole, "porttest.1") {
			t.Errorf("%s %s: got a secret in %s", x.Method, x.Path, whole)
		}
	}
	equal(t, "scheme", journal[1].RequestHeader.Get("Authorization"), "Bearer")
	equal(t, "route", journal[1].Route, "/v1/blueprints/{blueprint_identifier}/entities/bulk")
	equal(t, "query", journal[4].Query.Get("a"), "b")
	equal(t, "status", journal[4].Status, 404)
	equal(t, "writes", len(r.Writes()), 1)
	equal(t, "written", string(r.Writes()[0].RequestBody), `{"entities":[{"identifier":"a"}]}`)
	r.ResetJournal()
	equal(t, "requests after a reset", r.Requests(), 0)
	r.Configure(porttest.Options{NoJournalBodies: true})
	r.call("GET", "/v1/blueprints", "").want(200)
	equal(t, "body", len(r.Journal()[0].ResponseBody), 0)
}

func TestNoUndocumentedRoutes(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.Configure(porttest.Options{NoUndocumentedRoutes: true})
	r.call("POST", "/v1/blueprints/entities/datasource-entities", `{"datasource_prefix":"a","datasource_suffix":"b"}`).says(404, "not found")
	r.call("POST", "/v1/integration", `{"installationId":"a","installationAppType":"b"}`).says(404, "not found")
	r.PutIntegration("i", nil)
	r.call("PATCH", "/v1/integration/i/resync-state", `{}`).says(404, "not found")
	r.call("POST", "/v1/integration/i/kinds/repository/examples", `{"examples":[{}]}`).says(404, "not found")
	r.call("POST", logsPath, `{"logs":[`+line("m", "INFO", "10:00:00.000000", "e")+`]}`).says(404, "not found")
	r.call("POST", metricsPath, `{"syncKindsMetrics":[`+metrics("e", "a-0", "a", 0, "pending", "")+`]}`).says(404, "not found")
	r.call("PUT", put("e", "a-0"), `{"syncKindMetrics":`+metrics("e", "a-0", "a", 0, "pending", "")+`}`).says(404, "not found")
	r.call("POST", "/ingest/metrics/i/heartbeat", `{"eventId":"e"}`).says(404, "not found")
	r.call("GET", "/v1/integration/i/logs", "").want(200)
	// Without the route of that name, it is an integration that is not there.
	r.call("GET", "/v1/integration/provision-enabled", "").says(404, "provision-enabled")
}
