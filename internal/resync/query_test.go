package resync_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

// A search query of an identifier names what Port holds, with every operator that Port
// documents for it. It creates nothing.
func TestQueryIdentifiers(t *testing.T) {
	t.Parallel()
	rule := func(property, operator, value string) string {
		return `{property: '"` + property + `"', operator: '"` + operator + `"', value: '` + value + `'}`
	}
	all := func(rules ...string) string {
		return `{combinator: '"and"', rules: [` + strings.Join(rules, ", ") + `]}`
	}
	for _, c := range []struct {
		name, query string
		found       string // "" when it is refused
		told        string
	}{
		{"text", all(rule("owner", "=", ".slug")), "one", ""},
		{"number", all(rule("size", "=", "7")), "one", ""},
		{"null", all(rule("owner", "=", "null")), "none", ""},
		{"in", all(rule("owner", "in", `[.slug, "x"]`)), "one", ""},
		{"containsAny", all(rule("tags", "containsAny", `["blue", "green"]`)), "one", ""},
		{"contains", all(rule("tags", "contains", `"blue"`)), "one", ""},
		{"contains a part", all(rule("owner", "contains", `.slug[0:2]`)), "one", ""},
		{"identifier", all(rule("$identifier", "=", `"two"`)), "two", ""},
		{"title", all(rule("$title", "=", `"Two"`)), "two", ""},
		{"both", all(rule("owner", "contains", `"o"`), rule("size", "=", "8")), "two", ""},
		{"either, within both", all(`{combinator: '"or"', rules: [`+rule("owner", "=", ".slug")+", "+rule("size", "=", "9")+`]}`, rule("size", "=", "7")), "one", ""},
		{"no match", all(rule("owner", "=", `"nobody"`)), "", "matches no entity"},
		{"two matches", all(rule("owner", "contains", `"o"`)), "", "matches 2 entities"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("api"))
				w.port.AddBlueprint(`{"identifier":"service","title":"Service","schema":{"properties":{"owner":{"type":"string"},"size":{"type":"number"},"tags":{"type":"array"}},"required":[]},"relations":{}}`)
				w.port.PutEntity("service", porttest.Entity{Identifier: "one", Title: "One", Datasource: ours, Properties: map[string]any{"owner": "api-o", "size": 7, "tags": []any{"blue"}}})
				w.port.PutEntity("service", porttest.Entity{Identifier: "two", Title: "Two", Datasource: ours, Properties: map[string]any{"owner": "o", "size": 8, "tags": []any{"red"}}})
				w.port.PutEntity("service", porttest.Entity{Identifier: "none", Title: "None", Datasource: ours})
				if c.found == "one" && !strings.Contains(c.name, "part") {
					e := w.port.Catalog()["service"]["one"]
					e.Properties["owner"] = "api"
					w.port.PutEntity("service", e)
				}
				r := w.sync(mapped("entityDeletionThreshold: 1", entity("repository", `{identifier: `+c.query+`, blueprint: '"service"', title: '"found"'}`)))
				if c.found == "" {
					// Which one it stands for is not known: none is stale.
					r.ended(report.Partial).is(want{"rejected": 1, "deleted": 0}).has("service", "none", "one", "two")
					r.problem("error: mapping.yml:5:", "identifier: Port refused", c.told, "service by a search query from https://bitbucket.org/acme/api", "must find exactly one entity", "x-trace-id")
					return
				}
				// What it found was produced; the others are stale.
				r.ended(report.Success).is(want{"updated": 1, "deleted": 2}).has("service", c.found)
				if got := r.after["service"][c.found].Title; got != "found" {
					t.Errorf("title: got %q, want found", got)
				}
				w.sync(mapped("entityDeletionThreshold: 1", entity("repository", `{identifier: {combinator: '"and"', rules: [`+rule("$title", "=", `"found"`)+`]}, blueprint: '"service"', title: '"found"'}`))).
					ended(report.Success).is(want{"updated": 1, "deleted": 0}).has("service", c.found)
			})
		})
	}
}

// What a search query of an identifier names may be produced by a later resource.
func TestQueryIdentifierBeforeWhatItNames(t *testing.T) {
	for _, flags := range []string{"createMissingRelatedEntities: true", noStubs} {
		t.Run(flags, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("api", "web"))
				m := mapped(flags, entity("repository", `{identifier: {combinator: '"and"', rules: [{property: '"$title"', operator: '"="', value: .name}]}, blueprint: '"repo"', properties: {language: '"found"'}}`),
					entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"'}`))
				r := w.sync(m).ended(report.Success).is(want{"created": 2, "merged": 2, "rejected": 0})
				if got := r.after["repo"]["api"].Properties["language"]; got != "found" {
					t.Errorf("language: got %v, want found", got)
				}
			})
		})
	}
}

// The later one wins, also when it makes what the search query looks for.
func TestQueryIdentifierBeforeWhatWinsOverIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api"))
		m := mapped(noStubs, entity("repository", `{identifier: {combinator: '"and"', rules: [{property: '"$identifier"', operator: '"="', value: .slug}]}, blueprint: '"repo"', title: '"one"'}`),
			entity("repository", `{identifier: .slug, title: '"two"', blueprint: '"repo"'}`))
		w.sync(m).ended(report.Partial).is(want{"created": 1, "rejected": 1})
		for range 2 {
			if r := w.sync(m).ended(report.Success); r.after["repo"]["api"].Title != "two" {
				t.Errorf("title: got %q, want two", r.after["repo"]["api"].Title)
			}
		}
	})
}

// Several objects may look for one entity: never in one request, nor in two at once.
func TestOneSearchQueryOfSeveral(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(5))
		w.port.PutEntity("service", porttest.Entity{Identifier: "shop", Properties: map[string]any{"owner": "x"}, Datasource: "someone"})
		m := mapped(entity("repository", `{identifier: {combinator: '"and"', rules: [{property: '"owner"', operator: '"="', value: '"x"'}]}, blueprint: '"service"', title: .slug}`))
		r := w.sync(m).ended(report.Success).is(want{"updated": 1, "merged": 4, "rejected": 0})
		if got := r.after["service"]["shop"].Title; got != "r04" {
			t.Errorf("title: got %q, want that of the last one", got)
		}
	})
}

// Relations by a search query: to one and to many, by all operators that Port
// documents for them.
func TestQueryRelations(t *testing.T) {
	t.Parallel()
	rule := func(property, operator, value string) string {
		return `{combinator: '"and"', rules: [{property: '"` + property + `"', operator: '"` + operator + `"', value: '` + value + `'}]}`
	}
	for _, c := range []struct {
		name, field string
		want        any // of the relation; nil for none
		told        string
	}{
		{"one", "project: " + rule("name", "=", `"Payments"`), "PAY", ""},
		{"one of none", "project: " + rule("name", "=", `"Nobody"`), nil, ""},
		{"one of two", "project: " + rule("name", "contains", `"a"`), nil, "the search query matches 2 entities"},
		{"in", "project: " + rule("name", "in", `["Payments"]`), "PAY", ""},
		{"containsAny", "project: " + rule("name", "containsAny", `["Payments"]`), "PAY", ""},
		{"many", "peers: " + rule("language", "=", `"go"`), []any{"core", "lib"}, ""},
		{"many of one", "peers: " + rule("$identifier", "=", `"lib"`), []any{"lib"}, ""},
		{"many of none", "peers: " + rule("$identifier", "=", `"nobody"`), nil, ""},
		{"nested", "peers: {combinator: '\"or\"', rules: [" + rule("$identifier", "=", `"lib"`) + ", " + rule("$title", "=", `"Core"`) + "]}", []any{"core", "lib"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("api"))
				for id, name := range map[string]string{"PAY": "Payments", "OPS": "Operations", "X": "x"} {
					w.port.PutEntity("project", porttest.Entity{Identifier: id, Datasource: "someone", Properties: map[string]any{"name": name}})
				}
				for id, title := range map[string]string{"lib": "Lib", "core": "Core"} {
					w.port.PutEntity("repo", porttest.Entity{Identifier: id, Title: title, Datasource: "someone", Properties: map[string]any{"language": "go"}})
				}
				r := w.sync(mapped(noStubs, entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', relations: {`+c.field+`}}`)))
				if c.told != "" {
					r.is(want{"rejected": 1}).problem("error: mapping.yml:5:", c.told, `let the search query find no more`)
					return
				}
				r.ended(report.Success).is(want{"created": 1})
				name, _, _ := strings.Cut(c.field, ":")
				got := r.after["repo"]["api"].Relations[name]
				if list, ok := got.([]any); ok {
					slices.SortFunc(list, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
					if len(list) == 0 {
						got = nil
					}
				}
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("relation: got %v, want %v", got, c.want)
				}
			})
		})
	}
}

// A relation by a search query finds what a later resource of the mapping produces.
func TestQueryRelationBeforeWhatItFinds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "web"))
		m := mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', relations: {project: {combinator: '"and"', rules: [{property: '"$identifier"', operator: '"="', value: '.project.key // ""'}]}}}`), projects)
		r := w.sync(m).ended(report.Success)
		if got := r.after["repo"]["api"].Relations["project"]; got != "PAY" {
			t.Errorf("project: got %v, want PAY", got)
		}
		if first := r.report.Resources[0].Kind; first != "repository" {
			t.Errorf("the report begins with %s, want the mapping's order", first)
		}
	})
}

// A team is a name, a list of names, or found by a search query.
func TestTeams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, team string
		want       []string
	}{
		{"a name", `'"Payments"'`, []string{"Payments"}},
		{"a list", `'["Payments", "Core"]'`, []string{"Payments", "Core"}},
		{"a query", `{combinator: '"and"', rules: [{property: '"slug"', operator: '"="', value: .slug}]}`, []string{"Payments"}},
		{"a query of many", `{combinator: '"or"', rules: [{property: '"slug"', operator: '"in"', value: '[.slug, "core"]'}]}`, []string{"Core", "Payments"}},
		{"a query of none", `{combinator: '"and"', rules: [{property: '"slug"', operator: '"="', value: '"nobody"'}]}`, nil},
		{"null", `'null'`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("api"))
				w.port.AddBlueprint(`{"identifier":"_team","title":"Team","schema":{"properties":{"slug":{"type":"string"}},"required":[]},"relations":{}}`)
				for id, slug := range map[string]string{"Payments": "api", "Core": "core", "Other": "other"} {
					w.port.PutEntity("_team", porttest.Entity{Identifier: id, Title: id, Properties: map[string]any{"slug": slug}})
				}
				r := w.sync(mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', team: `+c.team+`}`))).ended(report.Success).is(want{"created": 1})
				got := r.after["repo"]["api"].Team
				slices.Sort(got)
				slices.Sort(c.want)
				if !slices.Equal(got, c.want) {
					t.Errorf("team: got %q, want %q", got, c.want)
				}
			})
		})
	}
}
