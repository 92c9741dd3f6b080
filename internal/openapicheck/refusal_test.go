package openapicheck_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/openapicheck"
	"port-bitbucket-exporter/internal/port/porttest"
)

// unserved are the documented routes that the emulator does not have.
var unserved = []string{"patch /v1/blueprints/{blueprint_identifier}/entities/{entity_identifier}"}

// TestPortEmulatorRefuses makes, for each route of Port's document with our additions, requests that fit it and
// requests that it refuses. The emulator must refuse the shape of the latter, and of none of the former.
func TestPortEmulatorRefuses(t *testing.T) {
	t.Parallel()
	checker := load(t)
	text, err := os.ReadFile(filepath.Join(os.Getenv(openapicheck.Variable), "port-openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapicheck.PortDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	schemas := doc["components"].(object)["schemas"].(object)
	paths := doc["paths"].(object)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, method := range slices.Sorted(maps.Keys(paths[path].(object))) {
			t.Run(method+" "+path, func(t *testing.T) {
				t.Parallel()
				p := newProber(t, checker, strings.ToUpper(method), variable.ReplaceAllString(path, "a"))
				if slices.Contains(unserved, method+" "+path) {
					p.notServed()
					return
				}
				p.route(paths[path].(object)[method].(object), sampler{t: t, schemas: schemas, sampled: map[string]bool{}})
			})
		}
	}
}

var variable = regexp.MustCompile(`\{[^}]*\}`)

// prober sends requests of one route to an emulator of its own.
type prober struct {
	t                  *testing.T
	checker            *openapicheck.Checker
	emulator           http.RoundTripper
	method, path       string
	token              string
	fitting, unfitting int
}

func newProber(t *testing.T, checker *openapicheck.Checker, method, path string) *prober {
	t.Helper()
	s := porttest.New()
	s.Configure(porttest.Options{NoJournalBodies: true})
	s.AllowClient("a", "a")
	p := &prober{t: t, checker: checker, emulator: s.RoundTripper(), method: method, path: path}
	login := p.send("POST", "/v1/auth/access_token", `{"clientId":"a","clientSecret":"a"}`)
	p.token = "Bearer " + login.token
	return p
}

func (p *prober) notServed() {
	p.t.Helper()
	if got := p.send(p.method, p.path, `{}`); got.status != http.StatusNotFound || !strings.HasPrefix(got.message, "Route ") {
		p.t.Errorf("got %d %q, want that there is no such route", got.status, got.message)
	}
}

func (p *prober) route(operation object, s sampler) {
	p.t.Helper()
	required, queries := queriesOf(operation)
	body, bodies := "", []string{`{}`}
	if requestBody, ok := operation["requestBody"].(object); ok {
		schema := requestBody["content"].(object)["application/json"].(object)["schema"].(object)
		var values, changed []any
		for _, v := range s.samples(schema) {
			values = append(values, v.value)
			changed = append(changed, mutants(v.value, v.path)...)
		}
		body = p.fittingBody(required, texts(p.t, values))
		bodies = append(texts(p.t, slices.Concat(values, changed)), "")
	}
	for _, b := range bodies {
		p.probe(required, b)
	}
	for _, q := range queries {
		p.probe(q, body)
	}
	if p.fitting == 0 || p.unfitting == 0 {
		p.t.Errorf("got %d requests that fit and %d that do not, want some of both", p.fitting, p.unfitting)
	}
}

// queriesOf has the required parameters alone, and queries with one parameter more, less or other.
func queriesOf(operation object) (required url.Values, all []url.Values) {
	required = url.Values{}
	parameters, _ := operation["parameters"].([]any)
	parameters = slices.DeleteFunc(slices.Clone(parameters), func(p any) bool { return p.(object)["in"] != "query" })
	for _, p := range parameters {
		if p.(object)["required"] == true {
			required.Set(p.(object)["name"].(string), "true") // those that there are, are flags
		}
	}
	with := func(name string, values ...string) {
		q := maps.Clone(required)
		q[name] = values
		all = append(all, q)
	}
	for _, p := range parameters {
		name := p.(object)["name"].(string)
		for _, text := range []string{"", "true", "yes", "0", "-1", "300", "301", "all", "up", "INFO", "info", "installationId", "2026-01-02T03:04:05Z"} {
			with(name, text)
			with(name, text, text)
			with(name, "INFO", text)
		}
		without := maps.Clone(required)
		delete(without, name)
		all = append(all, without)
	}
	with("unknown", "true")
	return required, append(all, required)
}

// fittingBody is the first that the document takes.
func (p *prober) fittingBody(query url.Values, bodies []string) string {
	p.t.Helper()
	for _, b := range bodies {
		if p.judge(query, b) == nil {
			return b
		}
	}
	p.t.Fatal("no sample fits the document")
	return ""
}

// judge is what the document says of a request.
func (p *prober) judge(query url.Values, body string) error {
	p.t.Helper()
	return p.checker.Port(exchange(p.t, p.method+" "+p.path+"?"+query.Encode(), body, 0, ""))
}

// probe sends one request. The emulator must judge its shape as the document does.
func (p *prober) probe(query url.Values, body string) {
	p.t.Helper()
	want := p.judge(query, body)
	if want == nil {
		p.fitting++
	} else {
		p.unfitting++
	}
	got := p.send(p.method, p.path+"?"+query.Encode(), body)
	refused := got.status == http.StatusUnprocessableEntity && (strings.HasPrefix(got.message, "body") || strings.HasPrefix(got.message, "querystring"))
	if strings.HasPrefix(got.message, "Route ") || refused != (want != nil) && !strings.Contains(got.message, "was not given out") {
		p.t.Errorf("?%s %.300s: got %d %q, want %v", query.Encode(), body, got.status, got.message, want)
	}
}

// answered is what the emulator says.
type answered struct {
	status         int
	message, token string
}

func (p *prober) send(method, target, body string) answered {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://port.test"+target, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", p.token)
	res, err := p.emulator.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	var said struct {
		Message     string `json:"message"`
		AccessToken string `json:"accessToken"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		p.t.Fatalf("%s %s: %v", method, target, err)
	}
	return answered{res.StatusCode, said.Message, said.AccessToken}
}
