package openapicheck_test

import (
	"net/url"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/openapicheck"
)

// good are exchanges that agree with the documents; the tests below break one thing in one of them.
var good = map[string]struct {
	port          bool
	request, body string
	status        int
	answer        string
}{
	"projects": {request: "GET /workspaces/acme/projects?pagelen=100", status: 200,
		answer: `{"size":1,"page":1,"pagelen":100,"values":[{"type":"project","key":"PAY","uuid":"{1}","name":"Pay","description":null,"is_private":true,"created_on":"2026-01-02T03:04:05.123456+00:00","links":{"self":{"href":"https://api.bitbucket.org/2.0/workspaces/acme/projects/PAY"}}}]}`},
	"repositories": {request: "GET /repositories/acme?role=member&sort=created_on&pagelen=100&fields=%2Bvalues.mainbranch.target.hash", status: 200,
		answer: `{"pagelen":100,"next":"https://api.bitbucket.org/2.0/repositories/acme?page=2","values":[{"type":"repository","slug":"api","name":"API","size":12,"parent":null,"scm":"git","mainbranch":{"type":"branch","name":"main","target":{"hash":"0123456789ab"}},"links":{"clone":[{"name":"ssh","href":"git@bitbucket.org:acme/api.git"}]}}]}`},
	"repository": {request: "GET /repositories/acme/api", status: 200,
		answer: `{"type":"repository","slug":"api","name":"API","uuid":"{1}"}`},
	"pull requests": {request: "GET /repositories/acme/api/pullrequests?state=OPEN&state=MERGED&sort=id&pagelen=50", status: 200,
		answer: `{"values":[{"type":"pullrequest","id":7,"title":"T","state":"OPEN","author":null,"closed_by":null,"merge_commit":null,"comment_count":0,"source":{"branch":{"name":"b"},"commit":{"type":"commit","hash":"0123456789ab"},"repository":null},"participants":[{"type":"participant","role":"REVIEWER","approved":false,"state":null,"participated_on":null}]}]}`},
	"pull request": {request: "GET /repositories/acme/api/pullrequests/7", status: 404,
		answer: `{"type":"error","error":{"message":"not there"}}`},
	"exists":     {request: "GET /repositories/acme/api?fields=uuid", status: 200, answer: `{"uuid":"{1}"}`},
	"entry":      {request: "GET /repositories/acme/api/src/0123456/README.md?format=meta", status: 200, answer: `{"type":"commit_file","path":"README.md","attributes":[]}`},
	"directory":  {request: "GET /repositories/acme/api/src/0123456/?max_depth=2", status: 200, answer: `{"pagelen":10,"values":[{"type":"commit_directory","path":"docs"}]}`},
	"no scope":   {request: "GET /repositories/acme", status: 403, answer: `{"type":"error","error":{"message":"no","detail":{"required":["repository"],"granted":[]}}}`},
	"no project": {request: "GET /workspaces/acme/projects", status: 404, answer: `{"type":"error","error":{"message":"No workspace"}}`},

	"login": {port: true, request: "POST /v1/auth/access_token", body: `{"clientId":"a","clientSecret":"b"}`, status: 200,
		answer: `{"ok":true,"accessToken":"t","expiresIn":10800,"tokenType":"Bearer"}`},
	"bulk": {port: true, request: "POST /v1/blueprints/svc/entities/bulk?upsert=true&merge=true&create_missing_related_entities=true",
		body:   `{"entities":[{"identifier":"a","title":"A","team":["t"],"properties":{"p":null},"relations":{"r":null,"many":["x"]}},{"identifier":{"combinator":"and","rules":[{"property":"p","operator":"=","value":"x"}]}}]}`,
		status: 207, answer: `{"ok":true,"entities":[{"identifier":"a","index":0,"created":true}],"errors":[{"identifier":"unknown","index":1,"statusCode":404,"error":"not_found","message":"none"}]}`},
	"search": {port: true, request: "POST /v1/blueprints/svc/entities/search",
		body:   `{"limit":1000,"query":{"combinator":"and","rules":[{"property":"$datasource","operator":"contains","value":"x"}]}}`,
		status: 200, answer: `{"ok":true,"entities":[{"identifier":"a","blueprint":"svc","title":null,"properties":{},"relations":{"r":null},"updatedAt":"2026-01-02T03:04:05.000Z"}],"next":"n"}`},
	"delete": {port: true, request: "POST /v1/blueprints/svc/bulk/entities/delete?delete_dependents=false", body: `{"entities":["a"]}`, status: 200,
		answer: `{"ok":true,"deletedEntities":["a"]}`},
	"owned": {port: true, request: "POST /v1/blueprints/entities/datasource-entities", status: 200,
		body:   `{"datasource_prefix":"p/","datasource_suffix":"/s","limit":5000,"before":"2026-01-02T03:04:05.000Z"}`,
		answer: `{"ok":true,"entities":[{"identifier":"a","blueprint":"svc"}]}`},
	"blueprint": {port: true, request: "POST /v1/blueprints", status: 409,
		body:   `{"identifier":"svc","title":"S","schema":{"properties":{"url":{"type":"string","format":"url"}}},"relations":{"up":{"target":"svc","required":false,"many":true}}}`,
		answer: `{"ok":false,"error":"exists"}`},
	"integration": {port: true, request: "GET /v1/integration/mine", status: 200,
		answer: `{"ok":true,"integration":{"installationId":"mine","installationType":"OnPrem","config":{"resources":[]}}}`},
	"create": {port: true, request: "POST /v1/integration", status: 201,
		body:   `{"installationId":"mine","installationAppType":"bitbucket-cloud","version":"1.2.3","changelogDestination":{},"config":{"resources":[]},"createPortResourcesOrigin":"Default"}`,
		answer: `{"ok":true,"integration":{"installationId":"mine"}}`},
	"state": {port: true, request: "PATCH /v1/integration/mine/resync-state", status: 200,
		body:   `{"status":"running","lastResyncStart":"2026-01-02T03:04:05Z","lastResyncEnd":null,"nextResync":null,"intervalInMinuets":null}`,
		answer: `{"ok":true,"integration":{"installationId":"mine"}}`},
	"metrics": {port: true, request: "POST /ingest/metrics/mine/syncMetrics", body: `{"syncKindsMetrics":[` + syncMetrics + `]}`, status: 200, answer: `{"ok":true}`},
	"logs": {port: true, request: "POST /ingest/logs/mine", status: 200, answer: `{"ok":true}`,
		body: `{"logs":[{"message":"m","level":"INFO","timestamp":"2026-01-02T03:04:05.000000Z","extra":{}}]}`},
	"examples": {port: true, request: "POST /v1/integration/mine/kinds/repository/examples", body: `{"examples":[{}]}`, status: 200, answer: `{"ok":true}`},
	"syncs": {port: true, request: "GET /v1/integration/internal/syncsMetadata", status: 200,
		answer: `{"ok":true,"count":1,"data":[{"eventId":"e","syncState":"completed","createdAt":"2026-01-02T03:04:05.000Z","updatedAt":"2026-01-02T03:04:05.000Z"}]}`},
	"remove": {port: true, request: "DELETE /v1/blueprints/svc", status: 200, answer: `{"ok":true}`},
}

func goodExchange(t *testing.T, c *openapicheck.Checker, name string) (openapicheck.Exchange, func(openapicheck.Exchange) error) {
	t.Helper()
	g, ok := good[name]
	if !ok {
		t.Fatalf("no good exchange %q", name)
	}
	e := exchange(t, g.request, g.body, g.status, g.answer)
	if g.port {
		return e, c.Port
	}
	return e, c.Bitbucket
}

func TestGood(t *testing.T) {
	t.Parallel()
	c := load(t)
	for name := range good {
		e, check := goodExchange(t, c, name)
		if err := check(e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// change edits an exchange.
type change func(*openapicheck.Exchange)

func target(text string) change {
	return func(e *openapicheck.Exchange) { e.URL, _ = url.Parse(text) }
}

func method(name string) change { return func(e *openapicheck.Exchange) { e.Method = name } }

func status(code int) change { return func(e *openapicheck.Exchange) { e.Status = code } }

func replace(text *[]byte, old, new string) {
	after := strings.Replace(string(*text), old, new, 1)
	if after == string(*text) {
		panic("nothing to replace: " + old)
	}
	*text = []byte(after)
}

// asks and answers replace a part of a body.
func asks(old, new string) change {
	return func(e *openapicheck.Exchange) { replace(&e.RequestBody, old, new) }
}

func answers(old, new string) change {
	return func(e *openapicheck.Exchange) { replace(&e.ResponseBody, old, new) }
}

func many(n int, what string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(what+",", n), ",") + "]"
}

// mutations break one good exchange each.
var mutations = []struct {
	name, of string
	change   change
	says     string
}{
	{"unknown query", "projects", target("/workspaces/acme/projects?role=x"), `"role" is unknown`},
	{"unknown query of a single object", "repository", target("/repositories/acme/api?pagelen=10"), `"pagelen" is unknown`},
	{"page too long", "projects", target("/workspaces/acme/projects?pagelen=101"), "at most 100"},
	{"page of pull requests too long", "pull requests", target("/repositories/acme/api/pullrequests?pagelen=51"), "at most 50"},
	{"pagelen is no number", "projects", target("/workspaces/acme/projects?pagelen=all"), "pagelen"},
	{"repeated query", "projects", target("/workspaces/acme/projects?pagelen=10&pagelen=20"), "more than once"},
	{"unknown role", "repositories", target("/repositories/acme?role=reader"), "role"},
	{"unknown state", "pull requests", target("/repositories/acme/api/pullrequests?state=OPEN&state=open"), "state"},
	{"number of a pull request", "pull request", target("/repositories/acme/api/pullrequests/x"), "pull_request_id"},
	{"removed route", "repositories", target("/repositories"), "no such route"},
	{"two slashes", "repositories", target("/repositories//acme"), "no such route"},
	{"method", "repository", method("DELETE"), "no such method"},
	{"body of a read", "repository", func(e *openapicheck.Exchange) { e.RequestBody = []byte("{}") }, "takes no body"},
	{"undocumented status", "repository", status(202), "does not document"},
	{"wrong type in a page", "projects", answers(`"size":1`, `"size":"1"`), "/size"},
	{"page without values", "projects", answers(`"values"`, `"items"`), "items"},
	{"page that is empty", "projects", func(e *openapicheck.Exchange) { e.ResponseBody = []byte(`{"size":0}`) }, "/values"},
	{"key beyond the page", "projects", answers(`"page":1`, `"pages":1`), "pages"},
	{"null where none is sent", "projects", answers(`"key":"PAY"`, `"key":null`), "/values/0/key"},
	{"object without a type", "projects", answers(`"type":"project",`, ``), "/values/0/type"},
	{"time", "projects", answers(`2026-01-02T03:04:05.123456+00:00`, `2026-01-02 03:04`), "/values/0/created_on"},
	{"link", "projects", answers(`https://api.bitbucket.org/2.0/workspaces`, `/workspaces`), "/values/0/links/self/href"},
	{"key beyond the links", "projects", answers(`"self"`, `"clone"`), "clone"},
	{"next is no address", "repositories", answers(`https://api.bitbucket.org/2.0/repositories/acme?page=2`, `2`), "/next"},
	{"hash", "repositories", answers(`0123456789ab`, `HEAD`), "/values/0/mainbranch/target/hash"},
	{"more than was asked for", "repositories", answers(`{"hash"`, `{"message":"m","hash"`), "/values/0/mainbranch/target/type"},
	{"scm", "repositories", answers(`"scm":"git"`, `"scm":"hg"`), "/values/0/scm"},
	{"state of a pull request", "pull requests", answers(`"OPEN"`, `"open"`), "/values/0/state"},
	{"id of a pull request", "pull requests", answers(`"id":7`, `"id":7.5`), "/values/0/id"},
	{"negative count", "pull requests", answers(`"comment_count":0`, `"comment_count":-1`), "/values/0/comment_count"},
	{"null title", "pull requests", answers(`"title":"T"`, `"title":null`), "/values/0/title"},
	{"null branch", "pull requests", answers(`{"name":"b"}`, `null`), "/values/0/source/branch"},
	{"state of a participant", "pull requests", answers(`"state":null`, `"state":"maybe"`), "participants/0/state"},
	{"wrong type in a partial answer", "exists", answers(`"{1}"`, `1`), "/uuid"},
	{"attributes", "entry", answers(`[]`, `["big"]`), "/attributes"},
	{"root without the slash", "directory", target("/repositories/acme/api/src/0123456"), "no such route"},
	{"depth", "directory", target("/repositories/acme/api/src/0123456/?max_depth=all"), "max_depth"},
	{"directory is no page", "directory", answers(`"values"`, `"value"`), "value"},
	{"error without a message", "no project", answers(`"message"`, `"detail"`), "message"},
	{"detail of missing scopes", "no scope", answers(`"granted"`, `"given"`), "/error/detail"},
	{"answer is HTML", "no project", func(e *openapicheck.Exchange) { e.ResponseHeader.Set("Content-Type", "text/html") }, "text/html"},
	{"answer breaks off", "no project", answers(`"}}`, ``), "no JSON"},

	{"key beyond the credentials", "login", asks(`"clientId"`, `"grant":"x","clientId"`), "grant"},
	{"no secret", "login", asks(`,"clientSecret":"b"`, ``), "clientSecret"},
	{"no body", "login", func(e *openapicheck.Exchange) { e.RequestBody = nil }, "a body is required"},
	{"type of the body", "login", func(e *openapicheck.Exchange) { e.RequestHeader.Del("Content-Type") }, "not application/json"},
	{"token answer", "login", answers(`10800`, `"3h"`), "/expiresIn"},
	{"ok is false", "login", answers(`"ok":true`, `"ok":false`), "/ok"},
	{"missing upsert", "bulk", target("/v1/blueprints/svc/entities/bulk?merge=true"), `"upsert" is required`},
	{"upsert is no boolean", "bulk", target("/v1/blueprints/svc/entities/bulk?upsert=1"), "upsert"},
	{"unknown query of Port", "bulk", target("/v1/blueprints/svc/entities/bulk?upsert=true&dry_run=true"), `"dry_run" is unknown`},
	{"no entities", "bulk", func(e *openapicheck.Exchange) { e.RequestBody = []byte(`{"entities":[]}`) }, "/entities"},
	{"21 entities", "bulk", func(e *openapicheck.Exchange) {
		e.RequestBody = []byte(`{"entities":` + many(21, `{"identifier":"a"}`) + `}`)
	}, "/entities"},
	{"body over 1 MiB", "bulk", asks(`"title":"A"`, `"title":"`+strings.Repeat("A", 1<<20)+`"`), "bytes"},
	{"space in an identifier", "bulk", asks(`"identifier":"a"`, `"identifier":"a b"`), "/entities/0/identifier"},
	{"identifier is two dots", "bulk", asks(`"identifier":"a"`, `"identifier":".."`), "/entities/0/identifier"},
	{"identifier too long", "bulk", asks(`"identifier":"a"`, `"identifier":"`+strings.Repeat("a", 1001)+`"`), "/entities/0/identifier"},
	{"identifier is a number", "bulk", asks(`"identifier":"a"`, `"identifier":1`), "/entities/0/identifier"},
	{"null title of an entity", "bulk", asks(`"title":"A"`, `"title":null`), "/entities/0/title"},
	{"team", "bulk", asks(`["t"]`, `[1]`), "/entities/0/team"},
	{"properties", "bulk", asks(`{"p":null}`, `null`), "/entities/0/properties"},
	{"relation to a bad identifier", "bulk", asks(`["x"]`, `["x","."]`), "/entities/0/relations/many"},
	{"operator of a query", "bulk", asks(`"="`, `"!="`), "/entities/1/identifier"},
	{"outcome without index", "bulk", answers(`"index":0,`, ``), "/entities/0/index"},
	{"outcome without errors", "bulk", answers(`"errors"`, `"failed"`), "failed"},
	{"search limit", "search", asks(`1000`, `1001`), "/limit"},
	{"search operator", "search", asks(`"contains"`, `"like"`), "/query/rules/0"},
	{"key beyond an entity", "search", answers(`"blueprint"`, `"kind"`), "kind"},
	{"null properties", "search", answers(`"properties":{}`, `"properties":null`), "/entities/0/properties"},
	{"101 entities to delete", "delete", func(e *openapicheck.Exchange) { e.RequestBody = []byte(`{"entities":` + many(101, `"a"`) + `}`) }, "/entities"},
	{"dependents not said", "delete", target("/v1/blueprints/svc/bulk/entities/delete"), "delete_dependents"},
	{"key beyond the data source", "owned", asks(`"limit"`, `"page"`), "page"},
	{"time of the data source", "owned", asks(`2026-01-02T03:04:05.000Z`, `yesterday`), "/before"},
	{"owned without blueprint", "owned", answers(`,"blueprint":"svc"`, ``), "/entities/0/blueprint"},
	{"blueprint identifier", "blueprint", asks(`"identifier":"svc"`, `"identifier":"a=b"`), "/identifier"},
	{"property key", "blueprint", asks(`"url":{`, `"the url":{`), "the url"},
	{"property type", "blueprint", asks(`"type":"string"`, `"type":"text"`), "/schema/properties/url/type"},
	{"relation without many", "blueprint", asks(`,"many":true`, ``), "/relations/up/many"},
	{"Port's error without code", "blueprint", answers(`"error"`, `"code"`), "/error"},
	{"unknown query of an integration", "integration", target("/v1/integration/mine?by=x"), `"by" is unknown`},
	{"integration without its id", "integration", answers(`"installationId"`, `"id"`), "/integration/installationId"},
	{"slash in an installation", "create", asks(`"installationId":"mine"`, `"installationId":"a/b"`), "/installationId"},
	{"changelog destination", "create", asks(`"changelogDestination":{}`, `"changelogDestination":{"type":"MAIL"}`), "/changelogDestination"},
	{"origin", "create", asks(`"Default"`, `"Mine"`), "/createPortResourcesOrigin"},
	{"resource without selector", "create", asks(`"resources":[]`, `"resources":[{"kind":"k","port":{"entity":{"mappings":[]}}}]`), "/config/resources/0/selector"},
	{"misspelling put right", "state", asks(`intervalInMinuets`, `intervalInMinutes`), "intervalInMinutes"},
	{"state without its time", "state", asks(`"2026-01-02T03:04:05Z"`, `null`), "anyOf"},
	{"key beyond the metrics", "metrics", asks(`"kind":`, `"resource":1,"kind":`), "resource"},
	{"type of count", "metrics", asks(`raw_extracted`, `extracted`), "extracted"},
	{"log level", "logs", asks(`INFO`, `info`), "/logs/0/level"},
	{"log time", "logs", asks(`.000000Z`, `Z`), "/logs/0/timestamp"},
	{"six examples", "examples", func(e *openapicheck.Exchange) { e.RequestBody = []byte(`{"examples":` + many(6, `{}`) + `}`) }, "/examples"},
	{"key beyond the syncs", "syncs", answers(`"eventId"`, `"event"`), "event"},
	{"sync without its times", "syncs", answers(`,"updatedAt":"2026-01-02T03:04:05.000Z"`, ``), "/data/0/updatedAt"},
	{"method of Port", "remove", method("PUT"), "no such method"},
	{"Port's route", "remove", target("/v1/blueprint/svc"), "no such route"},
}

func TestMutations(t *testing.T) {
	t.Parallel()
	c := load(t)
	for _, tt := range mutations {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, check := goodExchange(t, c, tt.of)
			tt.change(&e)
			wantError(t, check(e), tt.says)
		})
	}
}

// TestErrorsNameRouteAndPlace pins what a reader sees, and that values stay out of it.
func TestErrorsNameRouteAndPlace(t *testing.T) {
	t.Parallel()
	c := load(t)
	e, check := goodExchange(t, c, "bulk")
	target("/v1/blueprints/svc/entities/bulk")(&e)
	asks(`"title":"A"`, `"title":["secret"]`)(&e)
	answers(`"index":0`, `"index":"0"`)(&e)
	err := check(e)
	const route = "Port POST /v1/blueprints/{blueprint_identifier}/entities/bulk: "
	want := route + "query: \"upsert\" is required\n" +
		route + "request: /entities/0/title: value must be a string\n" +
		route + "answer 207: /entities/0/index: value must be a number"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestRefusals are answers that any route may give, in other forms than JSON too.
func TestRefusals(t *testing.T) {
	t.Parallel()
	c := load(t)
	e, check := goodExchange(t, c, "repository")
	e.ResponseHeader.Set("Content-Type", "text/plain")
	e.ResponseBody = []byte("Rate limit for this resource has been exceeded")
	for _, code := range []int{429, 500, 503, 555} {
		e.Status = code
		if err := check(e); err != nil {
			t.Errorf("%d: %v", code, err)
		}
	}
	for _, code := range []int{403, 404} {
		e.Status = code
		if err := check(e); err != nil {
			t.Errorf("%d: %v", code, err)
		}
	}
	e.Status = 401
	wantError(t, check(e), "text/plain")
	e.ResponseHeader.Set("Content-Type", "text/html; charset=utf-8")
	e.ResponseBody = nil
	if err := check(e); err != nil {
		t.Errorf("401: %v", err)
	}
}
