package resync_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/transport"
)

// reworded lets Port refuse what it refuses in other words.
func reworded(base http.RoundTripper, reword func(index int, entity map[string]any) string) http.RoundTripper {
	return transport.Func(func(req *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(req.URL.Path, "/entities/bulk") {
			return base.RoundTrip(req)
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		resp, err := base.RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusMultiStatus {
			return resp, err
		}
		var sent struct{ Entities []map[string]any }
		var answer map[string]any
		if err := json.Unmarshal(body, &sent); err != nil {
			return nil, err
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return nil, err
		}
		for _, e := range answer["errors"].([]any) {
			refused := e.(map[string]any)
			index := int(refused["index"].(float64))
			refused["message"] = reword(index, sent.Entities[index])
		}
		text, err := json.Marshal(answer)
		resp.Body = io.NopCloser(bytes.NewReader(text))
		return resp, err
	})
}

// everyField has each key of an entity on a line of its own.
const everyField = `resources:
- kind: repository
  selector: {query: 'true'}
  port:
    entity:
      mappings:
        identifier: .slug
        title: .name
        icon: '"Git"'
        team: '"Payments"'
        blueprint: '"repo"'
        properties:
          url: .links.html.href
          size: .size
          language: .language
          tags: '["a", "b"]'
        relations:
          project: .project.key
          peers: '[]'
`

// refusing answers every upsert with one refusal of its first entity.
func refusing(status int, code, message string) porttest.Fault {
	body, err := json.Marshal(map[string]any{"ok": false, "entities": []any{}, "errors": []any{
		map[string]any{"identifier": "api", "index": 0, "statusCode": status, "error": code, "message": message},
	}})
	if err != nil {
		panic(err)
	}
	return porttest.Fault{Path: "/v1/blueprints/*/entities/bulk", Times: -1, Status: http.StatusMultiStatus, Body: string(body)}
}

// Port's words lead to the place of the expression that gave the value; in doubt the
// identifier stands for it. Package refusal tests all the words.
func TestRefusalsNameTheExpression(t *testing.T) {
	t.Parallel()
	const identifier, size, project = 7, 14, 18
	for _, c := range []struct {
		status        int
		code, message string
		line          int
		told          []string // of the message and the fix
	}{
		{422, "invalid_request", `body/entities/0/properties/size must be number`, size, []string{`resource 1 (repository): property "size": Port refused`}},
		{404, "not_found", `Entity with identifier "PAY" and blueprint "project" was not found`, project, []string{`relation "project": Port refused`}},
		{422, "invalid_request", `the entity does not match the schema`, identifier, []string{`(repository): Port refused`, `look at blueprint "repo"`}},
	} {
		t.Run(c.code+" "+c.message, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("PAY/api"))
				w.unequal = true
				w.port.Fault(refusing(c.status, c.code, c.message))
				r := w.sync(everyField).ended(report.Partial).is(want{"rejected": 1})
				p := r.problem(append([]string{"error: mapping.yml", "x-trace-id trace-", "repo/api from https://"}, c.told...)...)
				if p.At.Line != c.line || p.At.Column == 0 {
					t.Errorf("place: got line %d, column %d, want line %d\n%s", p.At.Line, p.At.Column, c.line, r.story())
				}
			})
		})
	}
}

// What the blueprint says decides about the fix. It is read once, when something
// is refused.
func TestRefusalsTellWhatTheBlueprintWants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ field, told string }{
		{`properties: {sise: .name}`, `did you mean "size"? Otherwise add property "sise" to blueprint "repo" in Port, or remove it from the mapping`},
		{`properties: {language: .size}`, `wants type string here, and this gives number: write (.size | tostring)`},
		{`relations: {project: '[.slug]'}`, `relation "project" of blueprint "repo" is to one entity: give one identifier, such as ([.slug] | first)`},
	} {
		t.Run(c.field, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, numbered(3))
				r := w.sync(mapped(entity("repository", `{identifier: .slug, blueprint: '"repo"', `+c.field+`}`))).ended(report.Partial).is(want{"rejected": 3})
				if p := r.problem("error: mapping.yml:4:", c.told, "3 times", "repo/r00"); p.At.Column == 35 {
					t.Errorf("got the place of the identifier, want that of the field:\n%s", r.story())
				}
				read := 0
				for _, x := range w.port.Journal() {
					if x.Method == http.MethodGet && x.Path == "/v1/blueprints/repo" {
						read++
					}
				}
				if read > 1 {
					t.Errorf("the blueprint was read %d times, want once", read)
				}
			})
		})
	}
}

// A blueprint that cannot be read leaves what Port's words say.
func TestRefusalsWithoutTheBlueprint(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(2))
		w.port.Fault(porttest.Fault{Method: http.MethodGet, Path: "/v1/blueprints/repo", Times: -1, Status: 403})
		r := w.sync(mapped(entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {stars: .size}}`))).is(want{"rejected": 2})
		r.problem("error", `add property "stars" to blueprint "repo" in Port`)
		r = w.sync(mapped(entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {size: .slug}}`))).is(want{"rejected": 2})
		r.problem("error", `wants type number here, and this gives string`)
	})
}

// Where nobody may write, and where there is no blueprint.
func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, blueprint string
		fault           porttest.Fault
		told            []string
	}{
		{"a blueprint of Port's own", "_user", porttest.Fault{Status: 403, Body: `{"ok":false,"error":"missing_permissions"}`}, []string{`integrations may not create entities of blueprint "_user"`}},
		{"a protected one", "repo", porttest.Fault{Status: 422, Body: `{"ok":false,"error":"protected_resource","message":"no"}`}, []string{`integrations may not create entities of blueprint "repo"`}},
		{"a role that is missing", "repo", porttest.Fault{Status: 403, Body: `{"ok":false,"error":"missing_permissions"}`}, []string{"give Port's credential a role"}},
		{"no such blueprint", "nope", porttest.Fault{Path: "/none"}, []string{`mapping.yml:8:20: resource 1 (repository): Port did not take a request`, `create blueprint "nope" in Port`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("PAY/api", "web"))
				if c.fault.Path == "" {
					c.fault.Path, c.fault.Times = "/v1/blueprints/"+c.blueprint+"/entities/bulk", -1
				}
				w.port.Fault(c.fault)
				m := "resources:\n- kind: repository\n  selector: {query: 'true'}\n  port:\n    entity:\n      mappings:\n        identifier: .slug\n        blueprint: '\"" + c.blueprint + "\"'\n"
				w.sync(m + strings.TrimPrefix(projects, "\n") + "\n").is(want{"rejected": 2}).problem(append(c.told, "error", "2 times", "x-trace-id")...)
			})
		})
	}
}

// Users and teams are Port's own: no flag creates them.
func TestMissingUser(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api"))
		w.port.AddBlueprint(`{"identifier":"_user","title":"User","schema":{"properties":{},"required":[]},"relations":{}}`)
		w.port.AddBlueprint(strings.Replace(blueprints[3], `"relations":{`, `"relations":{"lead":{"title":"L","target":"_user","many":false,"required":false},`, 1))
		m := entity("repository", `{identifier: .slug, title: .name, blueprint: '"service"', relations: {lead: '"a@example.com"'}}`)
		for _, flag := range []string{"createMissingRelatedEntities: true", noStubs} {
			w.sync(mapped(flag, m)).ended(report.Partial).is(want{"rejected": 1, "writes": 1}).
				problem("error: mapping.yml:5:", `relation "lead"`, "integrations may not create entities of Port's own blueprints, such as _user and _team")
		}
	})
}

// A validator may say that there is an unknown property, and not which.
func TestUnknownPropertyThatPortDoesNotName(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(2))
		w.reword = func(int, map[string]any) string {
			return "body/entities/0/properties must NOT have additional properties"
		}
		r := w.sync(mapped(entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {size: .size, sise: .size}}`))).is(want{"rejected": 2})
		r.problem("error", `property "sise": Port refused`, `did you mean "size"?`, "2 times")
	})
}

// One line for one cause, whatever of the entity Port's words repeat: its
// identifier, its place in the batch, its value. The first words stay as an example.
func TestOneLineForOneCause(t *testing.T) {
	skipShort(t)
	t.Parallel()
	long := strings.Repeat("a long text, ", 100)
	for name, reword := range map[string]func(int, map[string]any) string{
		"quoted": func(i int, e map[string]any) string {
			return fmt.Sprintf(`entities/%d: property "size" of entity "%s": "%s" must be number`, i, e["identifier"], e["properties"].(map[string]any)["size"])
		},
		"plain": func(i int, e map[string]any) string {
			return fmt.Sprintf(`entity %s: property "size" is %s, index %d`, e["identifier"], e["properties"].(map[string]any)["size"], i)
		},
		"cut": func(_ int, e map[string]any) string {
			return fmt.Sprintf(`property "size": %.60s... is no number`, e["properties"].(map[string]any)["size"])
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := bitbuckettest.New("acme")
				for i := range 400 {
					b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("r%03d", i), Description: fmt.Sprintf("%d of %s", i, long)})
				}
				w := newWorld(t, b)
				w.reword = reword
				r := w.sync(mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {size: .description}}`)))
				r.ended(report.Partial).is(want{"rejected": 400})
				p := r.problem("error", "400 times", `property "size": Port refused`, "repo/r000")
				if strings.Contains(p.Text(), "a long text") || strings.Contains(p.Text(), "r0") {
					t.Errorf("the message repeats a value: %s", p.Message)
				}
				if !strings.Contains(p.Example, "0 of a long text") || len(p.Example) > 1000 {
					t.Errorf("example: got %q, want the first words of Port", p.Example)
				}
				if n := len(r.report.Problems()); n != 1 {
					t.Errorf("got %d problems, want one\n%s", n, r.story())
				}
			})
		})
	}
}

// A value that happens to be a word of the message does not spoil it.
func TestValuesThatAreWords(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := bitbuckettest.New("acme")
		for _, name := range []string{"number", "size", "repo", "must", "property"} {
			b.AddRepository(bitbuckettest.Repository{Name: name})
		}
		w := newWorld(t, b)
		r := w.sync(mapped(entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {size: .slug}}`))).is(want{"rejected": 5})
		r.problem("error", `Port refused the entity of blueprint "repo": 422 Unprocessable Entity: property "size" must be number (5 times`)
	})
}
