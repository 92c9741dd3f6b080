package openapicheck_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/openapicheck"
	"port-bitbucket-exporter/internal/port/porttest"
)

// walker sends raw requests to an emulator, through a transport that checks each exchange.
type walker struct {
	t             *testing.T
	checker       *openapicheck.Checker
	transport     http.RoundTripper
	base          string
	authorization string

	mu     sync.Mutex
	errors []string
}

func walk(t *testing.T, base string, emulator http.RoundTripper, api openapicheck.API) *walker {
	t.Helper()
	w := &walker{t: t, checker: load(t), base: base}
	w.transport = w.checker.RoundTripper(emulator, func(err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.errors = append(w.errors, err.Error())
	}, api)
	return w
}

// send wants a status, and agreement. It returns the answer's body.
func (w *walker) send(request, body string, status int) map[string]any {
	w.t.Helper()
	method, target, _ := strings.Cut(request, " ")
	if strings.HasPrefix(target, "/") {
		target = w.base + target
	}
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, target, content)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("User-Agent", "port-ocean/bitbucket-cloud/1.2.3/mine/exporter")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if w.authorization != "" {
		req.Header.Set("Authorization", w.authorization)
	}
	res, err := w.transport.RoundTrip(req)
	if err != nil {
		w.t.Fatalf("%s: %v", request, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatalf("%s: %v", request, err)
	}
	if res.StatusCode != status {
		w.t.Errorf("%s: got status %d (%.200s), want %d", request, res.StatusCode, text, status)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.errors {
		w.t.Errorf("%s: %s", request, e)
	}
	w.errors = nil
	var parsed map[string]any
	_ = json.Unmarshal(text, &parsed) // a file is no object
	return parsed
}

func (w *walker) get(target string, status int) map[string]any {
	w.t.Helper()
	return w.send("GET "+target, "", status)
}

// pages follows next, and counts the values.
func (w *walker) pages(target string) (values int) {
	w.t.Helper()
	for target != "" {
		page := w.get(target, 200)
		list, _ := page["values"].([]any)
		values += len(list)
		target, _ = page["next"].(string)
	}
	return values
}

func (w *walker) wantChecked(atLeast int) {
	w.t.Helper()
	if got := w.checker.Checked(); got < atLeast {
		w.t.Errorf("got %d exchanges checked, want %d or more", got, atLeast)
	}
}

const bitbucketBase = "https://bitbucket.test/2.0"

func TestBitbucketEmulator(t *testing.T) {
	t.Parallel()
	s := bitbuckettest.Sample()
	w := walk(t, bitbucketBase, s.RoundTripper(), openapicheck.Bitbucket("/2.0"))
	s.AllowToken("good", bitbuckettest.Access{Limit: -1, Headers: true})
	s.AddBranch("checkout-api", "feature/BB-1")
	w.get("/workspaces/acme", 401)
	w.authorization = "Bearer good"

	const repository = "/repositories/acme/checkout-api"
	w.get("/workspaces/acme", 200)
	w.get("/workspaces/acme?fields=slug,uuid,name", 200)
	w.get("/workspaces/nobody", 404)
	w.get("/workspaces/acme/projects", 200)
	w.get("/workspaces/acme/projects?sort=key&q="+url.QueryEscape(`name ~ "pay"`), 200)
	w.get("/workspaces/nobody/projects", 404)
	w.get("/workspaces/acme/projects/PAY", 200)
	w.get("/workspaces/acme/projects/PAY?fields=uuid", 200)
	w.get("/workspaces/acme/projects/NONE", 404)
	w.get("/workspaces/acme/search/code?search_query=x", 410)
	w.get("/repositories/acme?role=admin&q="+url.QueryEscape(`project.key="PAY"`)+"&sort=-name", 200)
	w.get("/repositories/acme?pagelen=1&fields=size", 200)
	w.get("/repositories/acme?fields=-values.links", 200)
	w.get("/repositories/acme?q=nonsense", 400)
	w.get("/repositories/nobody", 404)
	w.get(repository, 200)
	w.get(repository+"?fields=uuid", 200)
	w.get("/repositories/acme/sandbox", 200)
	w.get("/repositories/acme/legacy-billing", 200)
	w.get("/repositories/acme/none", 404)
	w.get(repository+"/pullrequests/1", 200)
	w.get(repository+"/pullrequests/1?fields=%2Breviewers", 200)
	w.get(repository+"/pullrequests/9999", 404)
	w.get("/repositories/acme/none/pullrequests", 404)
	w.get(repository+"/pullrequests?q="+url.QueryEscape(`state="MERGED"`)+"&sort=-id", 200)
	w.get(repository+"/refs/branches?sort=name", 200)
	w.get(repository+"/refs/branches/feature%2FBB-1", 200)
	w.get(repository+"/refs/branches/feature/BB-1?fields=target.hash", 200)
	w.get(repository+"/refs/branches/none", 404)
	w.source(repository, s.Head("checkout-api"))

	w.pages("/workspaces/acme/projects?pagelen=4")
	if got := w.pages("/repositories/acme?pagelen=50&sort=created_on&fields=%2Bvalues.mainbranch.target.hash"); got != 120 {
		t.Errorf("got %d repositories, want 120", got)
	}
	for _, slug := range s.Slugs() {
		w.pages("/repositories/acme/" + slug + "/pullrequests?pagelen=50&sort=id&fields=%2Bvalues.reviewers,%2Bvalues.participants" +
			"&state=OPEN&state=MERGED&state=DECLINED&state=SUPERSEDED")
	}
	w.moves(s)
	w.refusals(s)
	w.wantChecked(150)
}

// moves are the answers of a repository that is under another name, or that may not be read.
func (w *walker) moves(s *bitbuckettest.Server) {
	w.t.Helper()
	head := s.Head("ledger-api")
	s.RenameRepository("ledger-api", "Book API")
	s.SetVisibility("refunds-api", bitbuckettest.ListedForbidden)
	for _, route := range []string{"", "/pullrequests", "/pullrequests/1", "/refs/branches", "/refs/branches/main", "/src", "/src/" + head + "/"} {
		w.get("/repositories/acme/ledger-api"+route, 301)
		w.get("/repositories/acme/refunds-api"+route, 403)
	}
}

func (w *walker) source(repository, head string) {
	w.t.Helper()
	w.get(repository+"/src", 302)
	w.get(repository+"/src/"+head+"/", 200)
	w.pages(repository + "/src/" + head + "/?max_depth=3&pagelen=2")
	w.get(repository+"/src/"+head+"/service", 200)
	w.get(repository+"/src/"+head+"/service/?fields=values.path", 200)
	w.get(repository+"/src/"+head+"/README.md", 200)
	w.get(repository+"/src/"+head+"/README.md?format=meta", 200)
	w.get(repository+"/src/"+head+"/service?format=meta", 200)
	w.get(repository+"/src/"+head+"/none.md", 404)
	w.get(repository+"/src/0000000/README.md", 404)
	w.get("/repositories/acme/sandbox/src", 404)
	w.get("/repositories/acme/sandbox/src/main/", 404)
}

// refusals are those that depend on the credential.
func (w *walker) refusals(s *bitbuckettest.Server) {
	w.t.Helper()
	s.AllowToken("narrow", bitbuckettest.Access{Scopes: []string{"project"}})
	w.authorization = "Bearer narrow"
	w.get("/repositories/acme/checkout-api/pullrequests", 403)
	s.AllowToken("spent", bitbuckettest.Access{Limit: 1, RetryAfter: time.Second})
	w.authorization = "Bearer spent"
	w.get("/repositories/acme/checkout-api", 200)
	w.get("/repositories/acme/checkout-api", 429)
	s.Revoke("spent")
	w.get("/repositories/acme/checkout-api", 401)
}

const portBase = "https://port.test"

func TestPortEmulator(t *testing.T) {
	t.Parallel()
	for _, documented := range []bool{true, false} {
		name := map[bool]string{true: "documented answers", false: "as Port answers"}[documented]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := porttest.New()
			s.Configure(porttest.Options{DocumentedAnswers: documented})
			s.AllowClient("id", "secret")
			w := walk(t, portBase, s.RoundTripper(), openapicheck.Port(""))
			w.get("/v1/blueprints", 401)
			w.send("POST /v1/auth/access_token", `{"clientId":"id","clientSecret":"wrong"}`, 401)
			token := w.send("POST /v1/auth/access_token", `{"clientId":"id","clientSecret":"secret"}`, 200)
			w.authorization, _ = token["accessToken"].(string)
			w.authorization = "Bearer " + w.authorization
			w.blueprints()
			w.integrations(s)
			w.dataSource(s)
			w.entities()
			w.searches()
			w.deletes()
			w.wantChecked(86)
		})
	}
}

func (w *walker) blueprints() {
	w.t.Helper()
	for _, b := range porttest.DefaultBlueprints() {
		w.send("POST /v1/blueprints?create_catalog_page=false", b, 201)
	}
	const (
		relations = `"relations":{"up":{"target":"svc","required":false,"many":false},"all":{"target":"svc","required":false,"many":true}}`
		svc       = `{"identifier":"svc","title":"Service","schema":{"properties":{"at":{"type":"string","format":"date-time"},"n":{"type":"number"}},"required":[]},` + relations + `}`
	)
	alone := strings.Replace(svc, relations, `"relations":{}`, 1)
	w.send("POST /v1/blueprints", alone, 201) // it is not there yet for a relation to itself
	w.send("POST /v1/blueprints", alone, 409)
	w.send("PATCH /v1/blueprints/svc", `{`+relations+`}`, 200)
	w.send("POST /v1/blueprints", strings.ReplaceAll(strings.Replace(svc, `"svc"`, `"other"`, 1), `"target":"svc"`, `"target":"nothing"`), 422)
	w.send("PATCH /v1/blueprints/svc", `{"title":"S","mirrorProperties":{"upTitle":{"path":"up.$title"}},`+
		`"calculationProperties":{"double":{"title":"D","calculation":".properties.n * 2","type":"number"}}}`, 200)
	w.send("PATCH /v1/blueprints/none", `{"title":"S"}`, 404)
	w.get("/v1/blueprints", 200)
	w.get("/v1/blueprints/svc", 200)
	w.get("/v1/blueprints/none", 404)
	w.get("/v1/organization", 200)
}

func (w *walker) integrations(s *porttest.Server) {
	w.t.Helper()
	const create = `{"installationId":"mine","installationAppType":"bitbucket-cloud","version":"1.2.3","changelogDestination":{},` +
		`"config":{"resources":[]},"actionsProcessingEnabled":false,"incrementalSyncEnabled":false,"createPortResourcesOrigin":"Default"}`
	const config = `{"config":{"resources":[{"kind":"repository","selector":{"query":"true"},"port":{"entity":{"mappings":` +
		`{"identifier":".slug","blueprint":"\"svc\"","properties":{},"relations":{}}}}}]}}`
	w.get("/v1/integration/mine", 404)
	w.send("POST /v1/integration", create, 201)
	w.send("POST /v1/integration", create, 409)
	w.get("/v1/integration/mine?oceanCoreVersion=0.48.12&isPolling=false", 200)
	w.get("/v1/integration?actionsProcessingEnabled=false", 200)
	w.send("PATCH /v1/integration/mine", `{"title":null,"version":"1.2.4"}`, 200)
	w.send("PATCH /v1/integration/mine/config", config, 200)
	w.send("PATCH /v1/integration/none/config", config, 404)
	w.get("/v1/integration/mine", 200)
	w.send("DELETE /v1/integration/mine", "", 200)
	w.send("DELETE /v1/integration/mine", "", 404)
	s.PutIntegration("new", map[string]any{"config": nil, "installationType": "Saas"})
	w.get("/v1/integration/new", 200)
	s.AllowClient("member", "secret", porttest.Member)
	admin := w.authorization
	token := w.send("POST /v1/auth/access_token", `{"clientId":"member","clientSecret":"secret"}`, 200)
	text, _ := token["accessToken"].(string)
	w.authorization = "Bearer " + text
	w.get("/v1/integration/new", 403)
	w.authorization = admin
}

const (
	svcEntities = "/v1/blueprints/svc/entities"
	upsert      = "?upsert=true&merge=true&create_missing_related_entities=true"
)

func (w *walker) entities() {
	w.t.Helper()
	w.send("POST "+svcEntities+"/bulk"+upsert, `{"entities":[{"identifier":"a","title":"A","icon":"Git","team":["t"],`+
		`"properties":{"at":"2026-01-02T03:04:05+02:00","n":1},"relations":{"up":"b","all":["c","b"]}},{"identifier":"x/y"}]}`, 200)
	w.send("POST "+svcEntities+"/bulk"+upsert, `{"entities":[{"identifier":"a","properties":{"n":"one"}},{"identifier":"b","relations":{"up":null}},`+
		`{"identifier":{"combinator":"and","rules":[{"property":"$title","operator":"=","value":"nobody"}]}},`+
		`{"identifier":"c","relations":{"up":{"combinator":"and","rules":[{"property":"$title","operator":"=","value":"A"}]}}}]}`, 207)
	w.send("POST /v1/blueprints/none/entities/bulk"+upsert, `{"entities":[{"identifier":"a"}]}`, 404)
	w.send("POST "+svcEntities+upsert, `{"identifier":"d","relations":{"up":"a"}}`, 201)
	w.send("POST "+svcEntities+upsert+"&validation_only=true", `{"identifier":"e"}`, 201)
	w.send("POST "+svcEntities+"?upsert=false", `{"identifier":"d"}`, 409)
	w.send("POST "+svcEntities+"?upsert=true", `{"identifier":"d","relations":{"up":"nowhere"}}`, 404)
	w.send("POST "+svcEntities+upsert, `{"identifier":"d","properties":{"n":"one"}}`, 422)
	w.get(svcEntities, 200)
	w.get(svcEntities+"?exclude_calculated_properties=true&include=identifier&include=properties", 200)
	w.get("/v1/blueprints/none/entities", 404)
	w.get(svcEntities+"/x%2Fy", 200)
	w.get(svcEntities+"/a?exclude=relations", 200)
	w.get(svcEntities+"/none", 404)
	w.get(svcEntities+"-count", 200)
	w.get("/v1/blueprints/none/entities-count", 404)
}

func (w *walker) searches() {
	w.t.Helper()
	const rules = `{"combinator":"and","rules":[{"property":"$datasource","operator":"contains","value":"port-ocean/"},` +
		`{"combinator":"or","rules":[{"property":"$identifier","operator":"in","value":["a","b"]},{"property":"$title","operator":"=","value":"A"}]}]}`
	page := w.send("POST "+svcEntities+"/search", `{"limit":1,"query":`+rules+`,"include":["identifier","title"]}`, 200)
	if page["next"] == nil {
		w.t.Error("got no next page, want one")
	}
	w.send("POST "+svcEntities+"/search", `{}`, 200)
	w.send("POST "+svcEntities+"/search", `{"exclude":["relations"]}`, 200)
	w.send("POST /v1/blueprints/none/entities/search", `{}`, 404)
	w.send("POST /v1/entities/search?exclude_calculated_properties=true&include=identifier&include=blueprint", rules, 200)
	w.send("POST /v1/entities/search", rules, 200)
	const owned = "POST /v1/blueprints/entities/datasource-entities"
	const ours = `{"datasource_prefix":"port-ocean/bitbucket-cloud/","datasource_suffix":"/mine/exporter"`
	page = w.send(owned, ours+`,"limit":2,"before":"2100-01-02T03:04:05.000Z"}`, 200)
	next, err := json.Marshal(page["next"])
	if err != nil || page["next"] == nil {
		w.t.Fatalf("got %v, want a next page", page)
	}
	w.send(owned, ours+`,"limit":2,"before":"2100-01-02T03:04:05.000Z","from":`+string(next)+`}`, 200)
	w.send(owned, ours+`}`, 200)
}

func (w *walker) deletes() {
	w.t.Helper()
	const bulk = "POST /v1/blueprints/svc/bulk/entities/delete?delete_dependents="
	w.send("DELETE /v1/blueprints/svc", "", 409)
	w.send(bulk+"false", `{"entities":["a"]}`, 422)
	w.send("DELETE "+svcEntities+"/a?delete_dependents=false", "", 403)
	w.send("DELETE "+svcEntities+"/x%2Fy?delete_dependents=false", "", 200)
	w.send("DELETE "+svcEntities+"/x%2Fy?delete_dependents=false", "", 404)
	w.send("POST /v1/blueprints/none/bulk/entities/delete?delete_dependents=true", `{"entities":["a"]}`, 404)
	w.send(bulk+"true", `{"entities":["a","b","c","d","gone"]}`, 200)
	w.send("DELETE /v1/blueprints/svc", "", 200)
	w.send("DELETE /v1/blueprints/svc", "", 404)
}
