package refusal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/refusal"
)

// entry reads a mapping of one entry.
func entry(t *testing.T, text string) mapping.Entity {
	t.Helper()
	m, err := mapping.Parse("mapping.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m.Resources[0].Entities[0]
}

// short is a mapping whose entry stands on one line, in braces.
func short(entry string) string {
	return "resources:\n- kind: repository\n  selector: {query: 'true'}\n  port: {entity: {mappings: {identifier: .slug, blueprint: '\"repo\"', " + entry + "}}}\n"
}

// blueprint reads a blueprint as Port's API gives it.
func blueprint(t *testing.T, text string) func() (port.Blueprint, bool) {
	t.Helper()
	var b port.Blueprint
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return func() (port.Blueprint, bool) { return b, true }
}

// unread is the schema of a blueprint that could not be read.
func unread() (port.Blueprint, bool) { return port.Blueprint{}, false }

// refused is the refusal of entity repo/api. The fields are JSON, as they were sent.
func refused(t *testing.T, m, fields string, status int, code, message string) refusal.Refusal {
	t.Helper()
	var f catalog.Fields
	if err := json.Unmarshal([]byte(fields), &f); err != nil {
		t.Fatal(err)
	}
	return refusal.Refusal{
		Mapping: entry(t, m), Source: "https://example.com/api", Schema: unread,
		Entity: catalog.Entity{
			Ref:     catalog.Ref{Blueprint: "repo", Identifier: "api"},
			Body:    json.RawMessage(fields),
			Targets: catalog.Targets(f.Relations),
		},
		Outcome: port.Outcome{Err: &port.Error{Status: status, Code: code, Message: message, Trace: "trace-1"}},
	}
}

func holds(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%s: got %q, want %q in it", what, text, w)
		}
	}
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

const everyValue = `{"identifier":"api","title":"api","icon":"Git","team":"Payments",
	"properties":{"url":"https://example.com/api","size":7,"language":"go","tags":["a","b"]},"relations":{"project":"PAY","peers":[]}}`

// Port's words lead to the expression that gave the value, and to what mends it. Their
// wording is not documented: when in doubt the identifier stands for it.
func TestFieldAndPlace(t *testing.T) {
	t.Parallel()
	const identifier, title, icon, team, url, size, language, tags, project, peers = 7, 8, 9, 10, 13, 14, 15, 16, 18, 19
	for _, c := range []struct {
		status        int
		code, message string
		line          int
		want          []string // in the message and the fix
	}{
		{422, "blueprint_schema_mismatch", `/properties/url must match format "url"`, url, []string{`property "url": Port refused`}},
		{422, "invalid_request", `body/entities/0/properties/size must be number`, size, []string{`property "size": Port refused`}},
		{422, "invalid_request", `#/properties/properties/properties/tags/type must be array`, tags, nil},
		{422, "invalid_request", `properties.language is too long`, language, nil},
		{422, "invalid_request", `properties['language'] is too long`, language, nil},
		{422, "invalid_request", `7 is not of type 'string' on instance['properties']['language']`, language, nil},
		{422, "invalid_request", `a property must be short, and property language is not`, language, nil},
		{422, "invalid_request", `Expected string, received number: relation peers`, peers, nil},
		{422, "invalid_request", `Property 'language' is too long`, language, nil},
		{422, "invalid_request", "The property `url` of entity `api` is not a url", url, nil},
		{422, "invalid_request", `"language" is not allowed to be empty`, language, nil},
		{422, "relation_many_violation", `relation "project" cannot contain more than one entity`, project, []string{`relation "project": Port refused`}},
		{422, "invalid_request", `data/relations/peers/0 must be string`, peers, nil},
		{422, "invalid_request", `property "peers" must be string`, peers, []string{`relation "peers": Port refused`}},
		{422, "invalid_request", `body/entities/0/title must be string`, title, []string{"title: Port refused"}},
		{422, "invalid_request", `icon "Git" is not known`, icon, []string{"icon: Port refused"}},
		{422, "invalid_request", `team "Payments" does not exist`, team, []string{"team: Port refused"}},
		{422, "team_inheritance_enabled", `The blueprint's entities inherit their team`, team, []string{"remove team from the mapping"}},
		{422, "inherited_ownership_enabled", `no`, team, []string{"remove team from the mapping"}},
		{422, "invalid_request", `identifier must match pattern "^[a-z]+$"`, identifier, []string{"identifier: Port refused"}},
		{404, "not_found", `Entity with identifier "PAY" and blueprint "project" was not found`, project, []string{`relation "project": Port refused`}},
		// In doubt.
		{422, "invalid_request", `the entity does not match the schema`, identifier, []string{`Port refused`, `look at blueprint "repo"`}},
		{422, "invalid_request", `"url" or "language" is wrong`, identifier, []string{`Port refused`}},
		{422, "invalid_request", ``, identifier, []string{`Port refused`, "invalid_request"}},
		// What the mapping does not have.
		{422, "invalid_request", `body/entities/0/properties must have required property 'owner'`, identifier, []string{`map property "owner" too, or make it optional in blueprint "repo"`}},
		{422, "required_relation", `relation "parent" is required`, identifier, []string{`map relation "parent" too`}},
		// Who may not, and where no integration may.
		{403, "missing_permissions", `You do not have permissions`, identifier, []string{`give Port's credential a role that may write entities of blueprint "repo"`}},
		{403, "protected_entity", `the entity is protected`, identifier, []string{`integrations may not create entities of blueprint "repo", which Port protects`}},
		{422, "invalid_request", `blueprint "repo" is a system blueprint`, identifier, []string{`which Port protects`}},
		{404, "not_found", `relation "project": cannot be created in the protected blueprint "_user"`, project, []string{"create them in Port, or give null"}},
		{413, "bad_request", `Request body is too large`, identifier, []string{"shorten the longest property"}},
	} {
		t.Run(c.code+" "+c.message, func(t *testing.T) {
			t.Parallel()
			got := refusal.Explain(refused(t, everyField, everyValue, c.status, c.code, c.message))
			if got.At.Line != c.line || got.At.Column == 0 {
				t.Errorf("place: got %v, want line %d", got.At, c.line)
			}
			if got.Fix == "" {
				t.Error("no fix")
			}
			holds(t, "message and fix", got.Message+"\n"+got.Fix, c.want...)
			holds(t, "example", got.Example, "repo/api from https://example.com/api (x-trace-id trace-1)")
		})
	}
}

// What the blueprint says decides about the fix.
func TestFixesOfABlueprint(t *testing.T) {
	t.Parallel()
	const strict = `{"schema":{"properties":{
		"url":{"type":"string","format":"url"},"created":{"type":"string","format":"date-time"},"size":{"type":"number"},"private":{"type":"boolean"},"protected":{"type":"boolean"},
		"tags":{"type":"array"},"raw":{"type":"object"},"language":{"type":"string","enum":["rust","zig"]},"sign":{"type":"string","enum":["<","R&D"]},"letter":{"type":"string","enum":["a","b","c","d","e","f","g","h","i"]},
		"code":{"type":"string","maxLength":3,"pattern":"^[a-z]+$"},"plain":{"type":"string"}}},
		"mirrorProperties":{"projectName":{}},"calculationProperties":{"age":{}},"aggregationProperties":{"total":{}},
		"relations":{"project":{"target":"project","many":false},"peers":{"target":"repo","many":true}}}`
	text := `"` + strings.Repeat("x", 60) + `"`
	for _, c := range []struct{ field, value, message, want string }{
		{"urll: .name", `"x"`, "is not known", `did you mean "url"? Otherwise add property "urll" to blueprint "repo" in Port, or remove it from the mapping`},
		{"stars: .size", `7`, "is not known", `add property "stars" to blueprint "repo" in Port, or remove it from the mapping`},
		{"age: .size", `7`, "is not known", `Port works out property "age" of blueprint "repo" itself`},
		{"total: .size", `7`, "is not known", `Port works out property "total" of blueprint "repo" itself`},
		{"projectName: .name", `"x"`, "is not known", `Port works out property "projectName" of blueprint "repo" itself`},
		{"code: .size", `7`, "must be string", `blueprint "repo" wants type string here, and this gives number: write (.size | tostring)`},
		{"code: '[.slug]'", `["api"]`, "must be string", `write ([.slug] | join(", "))`},
		{"size: .slug", `"api"`, "must be number", `wants type number here, and this gives string: write (.slug | tonumber? // null)`},
		{"private: .slug", `"api"`, "must be boolean", `write (.slug == "true")`},
		{"private: .size", `7`, "must be boolean", `and this gives number: give another value, or null`},
		{"protected: .slug", `"api"`, "must be boolean", `write (.slug == "true")`},
		{"tags: .slug", `"api"`, "must be array", `write [.slug]`},
		{"tags: ." + strings.Repeat("x", 60), `"api"`, "must be array", `write […]`},
		{"raw: .slug", `"api"`, "must be object", `write (.slug | fromjson? // null)`},
		{"url: .slug", `"api"`, `must match format "url"`, `wants format url here: give a whole address, such as https://example.com/x, or null`},
		{"created: .slug", `"api"`, `must match format "date-time"`, `a time with a zone, such as 2026-11-22T10:00:00Z`},
		{"language: .language", `"go"`, "must be one of the allowed values", `map it to one of them: "rust", "zig"`},
		{"sign: .language", `"go"`, "must be one of the allowed values", `map it to one of them: "<", "R&D"`},
		{"letter: .language", `"go"`, "must be one of the allowed values", `"g", "h", …`},
		{"code: .slug", text, "must not be more than 3 characters", `the property has limits in Port: maxLength 3, pattern "^[a-z]+$"`},
		{"plain: .slug", `"api"`, "is wrong", `look at property "plain" of blueprint "repo" in Port; correct the expression`},
		{"plain: .slug", `null`, "is required", `requires it: give a default, such as (.slug // "…")`},
	} {
		t.Run(c.field, func(t *testing.T) {
			t.Parallel()
			name, _, _ := strings.Cut(c.field, ":")
			r := refused(t, short("properties: {"+c.field+"}"), `{"properties":{"`+name+`":`+c.value+`}}`, 422, "invalid_request", `property "`+name+`" `+c.message)
			r.Schema = blueprint(t, strict)
			holds(t, "fix", refusal.Explain(r).Fix, c.want)
		})
	}
	for _, c := range []struct{ field, value, message, want string }{
		{"projct: .project.key", `"PAY"`, "is not known", `did you mean "project"? Otherwise add relation "projct"`},
		{"peers: .slug", `"api"`, "must be an array", `relation "peers" of blueprint "repo" is one to many: give an array, such as [.slug]`},
		{"project: '[.slug]'", `["api"]`, "must be a string", `relation "project" of blueprint "repo" is to one entity: give one identifier, such as ([.slug] | first)`},
		{"project: .slug", `"api"`, "is wrong", `look at relation "project" of blueprint "repo" in Port`},
		{"project: .slug", `null`, "is required", `requires it: give a default, such as (.slug // "…")`},
		{"project: .slug", `{"combinator":"and","rules":[]}`, "found two", `let the search query find no more than relation "project" of blueprint "repo" takes`},
	} {
		t.Run(c.field, func(t *testing.T) {
			t.Parallel()
			name, _, _ := strings.Cut(c.field, ":")
			r := refused(t, short("relations: {"+c.field+"}"), `{"relations":{"`+name+`":`+c.value+`}}`, 422, "invalid_request", `relation "`+name+`" `+c.message)
			r.Schema = blueprint(t, strict)
			holds(t, "fix", refusal.Explain(r).Fix, c.want)
		})
	}
}

// When the blueprint could not be read, Port's words decide.
func TestFixesWithoutTheBlueprint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ message, want string }{
		{`property "size" is not a property of blueprint "repo"`, `add property "size" to blueprint "repo" in Port`},
		{`must NOT have additional properties: "size"`, `add property "size" to blueprint "repo" in Port`},
		{`property "size" must be number`, `wants type number here, and this gives string`},
		{`property "size" must be an integer`, `wants type integer here, and this gives string: write (.slug | tonumber? // null)`},
		{`property "size" is odd`, `look at property "size" of blueprint "repo"`},
	} {
		r := refused(t, short("properties: {size: .slug}"), `{"properties":{"size":"api"}}`, 422, "invalid_request", c.message)
		holds(t, c.message, refusal.Explain(r).Fix, c.want)
	}
}

// A validator may say that there is an unknown property, and not which.
func TestUnnamedProperty(t *testing.T) {
	t.Parallel()
	r := refused(t, short("properties: {size: .size, sise: .size}"), `{"properties":{"size":7,"sise":7}}`, 422, "", "must NOT have additional properties")
	r.Schema = blueprint(t, `{"schema":{"properties":{"size":{"type":"number"}}}}`)
	got := refusal.Explain(r)
	holds(t, "message and fix", got.Message+got.Fix, `property "sise": Port refused`, `did you mean "size"?`)
	r.Schema = unread
	if got := refusal.Explain(r); !strings.HasPrefix(got.Message, "Port refused") {
		t.Errorf("without the blueprint: got %q, want no property named", got.Message)
	}
}

// The blueprint may cost a request.
func TestSchemaIsReadOnlyWhenItHelps(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]int{
		"no": 0, "title must be string": 0, `property "size" must be number`: 1, "must NOT have additional properties": 1,
	} {
		r := refused(t, everyField, everyValue, 422, "", message)
		reads := 0
		r.Schema = func() (port.Blueprint, bool) { reads++; return unread() }
		refusal.Explain(r)
		if reads != want {
			t.Errorf("%s: the blueprint was read %d times, want %d", message, reads, want)
		}
	}
}

// Of the related entities that are not there, the one that Port names is the cause.
func TestAbsentEntities(t *testing.T) {
	t.Parallel()
	absent := func(relation, blueprint, identifier string, produced bool) refusal.Absent {
		return refusal.Absent{Relation: relation, Ref: catalog.Ref{Blueprint: blueprint, Identifier: identifier}, Produced: produced}
	}
	project, peer := absent("project", "project", "PAY", false), absent("peers", "repo", "web", true)
	r := refused(t, everyField, everyValue, 404, "not_found", "a related entity was not found")
	r.Absent = []refusal.Absent{project, peer}
	got := refusal.Explain(r)
	holds(t, "the first", got.Message+got.Example+got.Fix, `relation "project": Port refused`, "it relates to project/PAY, which is not there", "set createMissingRelatedEntities: true")

	r.Outcome.Err = &port.Error{Status: 404, Message: `entity "web" was not found`}
	got = refusal.Explain(r)
	holds(t, "the named one", got.Message+got.Example, `relation "peers": Port refused`, "it relates to repo/web, which was not stored either")

	r.Cycle = []catalog.Ref{r.Entity.Ref, peer.Ref, r.Entity.Ref}
	got = refusal.Explain(r)
	holds(t, "a cycle", got.Message+got.Fix, "since none of a cycle of relations can be created before the others: repo/api → repo/web → repo/api", "leave the relation out of one of them")

	r.Outcome.Err = &port.Error{Status: 422, Message: `property "size" must be string`}
	if got = refusal.Explain(r); !strings.HasPrefix(got.Message, `property "size": Port refused`) || strings.Contains(got.Example, "relates") {
		t.Errorf("another refusal: got %+v, want nothing of relations", got)
	}

	r = refused(t, everyField, everyValue, 404, "not_found", "a related entity was not found")
	r.Absent = []refusal.Absent{absent("project", "_user", "a@example.com", false)}
	holds(t, "one of Port's own", refusal.Explain(r).Fix, "integrations may not create entities of Port's own blueprints, such as _user and _team")
}

// An identifier that is a search query must find one entity.
func TestSearchQueries(t *testing.T) {
	t.Parallel()
	m := strings.Replace(short("title: .name"), "identifier: .slug", `identifier: {combinator: '"and"', rules: [{property: '"owner"', operator: '"="', value: .slug}]}`, 1)
	for message, want := range map[string]string{"not found": "not_found", "the query found 2 entities": "", "no": "no place"} {
		r := refused(t, m, `{}`, 422, "", message)
		r.Entity.Ref.Identifier = ""
		r.Outcome.Err = &port.Error{Status: 422, Code: want, Message: message}
		got := refusal.Explain(r)
		holds(t, message, got.Fix, "the search query of an identifier must find exactly one entity")
		holds(t, message, got.Example, "repo by a search query from https://example.com/api")
		if named := strings.HasPrefix(got.Message, "identifier: "); named != (message != "no") {
			t.Errorf("%s: got %q", message, got.Message)
		}
	}
}

// A plan answers as Port would.
func TestPlanned(t *testing.T) {
	t.Parallel()
	r := refused(t, everyField, everyValue, 422, "", "no")
	r.Planned = true
	holds(t, "message", refusal.Explain(r).Message, `Port would refuse the entity of blueprint "repo": 422`)
}

// A request may fail as a whole, or for one entity that Port cannot take.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, blueprint string
		err             error
		alone           bool
		line            int
		want            []string
	}{
		{"a blueprint of Port's own", "_user", &port.Error{Status: 403, Code: "missing_permissions"}, false, 7, []string{`integrations may not create entities of blueprint "_user"`}},
		{"a protected one", "repo", &port.Error{Status: 422, Code: "protected_resource", Message: "no"}, false, 7, []string{`integrations may not create entities of blueprint "repo"`}},
		{"a role that is missing", "repo", &port.Error{Status: 403}, false, 7, []string{"give Port's credential a role that may write"}},
		{"a wrong token", "repo", &port.Error{Status: 401}, false, 7, []string{"give Port's credential a role that may write"}},
		{"no such blueprint", "repo", &port.Error{Status: 404}, false, 11, []string{`Port did not take a request of blueprint "repo": 404 Not Found`, `create blueprint "repo" in Port`}},
		{"no answer", "repo", errText("connection reset for api"), false, 7, []string{"connection reset for …", "run again"}},
		{"a fault", "repo", &port.Error{Status: 500, Message: `"api" failed`}, false, 7, []string{`500 Internal Server Error: "…" failed`, "give the x-trace-id"}},
		{"poison", "repo", &port.Error{Status: 500}, true, 7, []string{`Port fails at an entity of blueprint "repo", and took the others`, "what is special about the entity"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := refused(t, everyField, everyValue, 0, "", "")
			r.Entity.Ref.Blueprint = c.blueprint
			r.Outcome = port.Outcome{Err: c.err, RequestFailed: true, Alone: c.alone}
			got := refusal.Explain(r)
			holds(t, "message and fix", got.Message+"\n"+got.Fix, c.want...)
			if got.At.Line != c.line {
				t.Errorf("place: got %v, want line %d", got.At, c.line)
			}
		})
	}
}

type errText string

func (e errText) Error() string { return string(e) }
