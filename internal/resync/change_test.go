package resync_test

import (
	"fmt"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

// settled runs once more on an unchanged workspace and catalog: what
// was planned and what is done is nothing.
func (w *world) settled(text string) result {
	w.t.Helper()
	rep, changes, err := w.rehearse(text)
	if c := rep.Total(); len(changes) > 0 || err != nil || c.Created+c.Updated > 0 {
		w.t.Errorf("planned once more: got %v (%v), want nothing", changes, err)
	}
	return w.sync(text).ended(report.Success).is(want{"writes": 0, "created": 0, "updated": 0, "deleted": 0})
}

// done rehearses a run, does it, compares the two, and checks that the next one writes
// nothing.
func (w *world) done(text string) result {
	w.t.Helper()
	planned, changes, err := w.rehearse(text)
	r := w.sync(text).ended(report.Success)
	w.foreseen(planned, changes, err, r)
	w.settled(text)
	return r
}

const without = "enableMergeEntity: false"

// onMerge is a test of both ways to write an entity.
func onMerge(t *testing.T, f func(t *testing.T, flag string)) {
	t.Parallel()
	for _, flag := range []string{"enableMergeEntity: true", without} {
		t.Run(flag, func(t *testing.T) {
			bubble(t, func(t *testing.T) { f(t, flag) })
		})
	}
}

// What a mapping names and gives null leaves Port.
func TestLostTitleIconAndTeam(t *testing.T) {
	onMerge(t, func(t *testing.T, flag string) {
		w := newWorld(t, acme("api"))
		m := mapped(flag, entity("repository", `{identifier: .slug, blueprint: '"repo"',
    title: 'if .language == "go" then "The API" else null end', icon: 'if .language == "go" then "Git" else null end', team: 'if .language == "go" then ["a", "b"] else null end'}`))
		e := w.done(m).is(want{"created": 1}).after["repo"]["api"]
		if e.Title != "The API" || e.Icon != "Git" || len(e.Team) != 2 {
			t.Errorf("got %+v", e)
		}
		w.bitbucket.UpdateRepository("api", func(r *bitbuckettest.Repository) { r.Language = "rust" })
		e = w.done(m).is(want{"updated": 1}).after["repo"]["api"]
		if e.Title != "api" || e.Icon != "" || len(e.Team) != 0 {
			t.Errorf("got title %q, icon %q, team %q; want the identifier, none and none", e.Title, e.Icon, e.Team)
		}
		w.bitbucket.UpdateRepository("api", func(r *bitbuckettest.Repository) { r.Language = "go" })
		w.done(m).is(want{"updated": 1})
	})
}

// What a mapping does not name is left as Port holds it.
func TestTitleIconAndTeamThatAreNotMapped(t *testing.T) {
	t.Parallel()
	t.Run("merged", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, acme("api"))
			w.port.PutEntity("repo", porttest.Entity{Identifier: "api", Title: "By hand", Icon: "Git", Team: []string{"a"}, Datasource: ours})
			m := mapped(entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {language: .language}}`))
			e := w.done(m).is(want{"updated": 1}).after["repo"]["api"]
			if e.Title != "By hand" || e.Icon != "Git" || len(e.Team) != 1 {
				t.Errorf("got %+v, want what was put there by hand", e)
			}
		})
	})
	t.Run("icon, without merge", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, acme("api"))
			w.port.PutEntity("repo", porttest.Entity{Identifier: "api", Title: "api", Icon: "Git", Datasource: ours})
			w.settled(mapped(without, entity("repository", `{identifier: .slug, title: .slug, blueprint: '"repo"'}`)))
		})
	})
}

func TestChangedIcon(t *testing.T) {
	onMerge(t, func(t *testing.T, flag string) {
		w := newWorld(t, acme("api"))
		m := mapped(flag, entity("repository", `{identifier: .slug, title: .slug, icon: .language, blueprint: '"repo"'}`))
		w.done(m).is(want{"created": 1})
		w.bitbucket.UpdateRepository("api", func(r *bitbuckettest.Repository) { r.Language = "Python" })
		if got := w.done(m).is(want{"updated": 1}).after["repo"]["api"].Icon; got != "Python" {
			t.Errorf("icon: got %q, want Python", got)
		}
	})
}

// A text is an instant only where the blueprint says so; numbers are as precise as Port
// keeps them.
func TestValuesThatChange(t *testing.T) {
	t.Parallel()
	const typed = `{"identifier":"typed","title":"Typed","schema":{"properties":{"at":{"type":"string","format":"date-time"},"timer":{"type":"string","format":"timer"},
		"text":{"type":"string"},"n":{"type":"number"},"o":{"type":"object"},"a":{"type":"array"}},"required":[]},"relations":{}}`
	for _, c := range []struct {
		name, property, from, to string
		updated                  int
	}{
		{"zone of a date-time", "at", `"2026-11-22T10:00:00+02:00"`, `"2026-11-22T08:00:00Z"`, 0},
		{"another date-time", "at", `"2026-11-22T10:00:00+02:00"`, `"2026-11-22T10:00:00Z"`, 1},
		{"zone of a timer", "timer", `"2026-11-22T10:00:00+02:00"`, `"2026-11-22T08:00:00Z"`, 0},
		{"zone of a text", "text", `"2026-11-22T10:00:00+02:00"`, `"2026-11-22T08:00:00Z"`, 1},
		{"zone within an object", "o", `{at: "2026-11-22T10:00:00+02:00"}`, `{at: "2026-11-22T08:00:00Z"}`, 1},
		{"zone within an array", "a", `["2026-11-22T10:00:00+02:00"]`, `["2026-11-22T08:00:00Z"]`, 1},
		{"notation of a number", "n", `1`, `1.0`, 0},
		{"a whole number that is rounded", "n", `9007199254740993`, `9007199254740992`, 0},
		{"another whole number", "n", `9007199254740993`, `9007199254740995`, 1},
		{"a fraction beyond doubles", "n", `0.1`, `0.1000000000000000055511151231257827`, 0},
		{"a small change", "n", `0.1`, `0.10000000000000002`, 1},
		{"rounded within an object", "o", `{n: 12345678901234567890}`, `{n: 12345678901234567891}`, 0},
		{"beyond doubles within an array", "a", `[1e400]`, `[null]`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			onMerge(t, func(t *testing.T, flag string) {
				w := newWorld(t, bitbuckettest.New("acme"))
				w.port.AddBlueprint(typed)
				m := mapped(flag, entity("repository", `{identifier: .slug, title: .slug, blueprint: '"typed"', properties: {`+c.property+`: '`+c.to+`'}}`))
				w.bitbucket.AddRepository(bitbuckettest.Repository{Name: "api"})
				w.done(strings.Replace(m, c.to, c.from, 1)).is(want{"created": 1})
				w.done(m).is(want{"updated": c.updated, "unchanged": 1 - c.updated})
			})
		})
	}
}

// A blueprint that cannot be read is taken to have texts alone.
func TestValuesOfABlueprintThatCannotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api"))
		m := mapped(entity("repository", `{identifier: .slug, title: .slug, blueprint: '"repo"', properties: {created: '"2026-11-22T10:00:00+02:00"', size: '7'}}`))
		w.done(m).is(want{"created": 1})
		w.port.Fault(porttest.Fault{Method: "GET", Path: "/v1/blueprints/repo", Status: 403, Times: -1})
		w.sync(m).ended(report.Success).is(want{"updated": 1}).
			problem("warning", `blueprint "repo" could not be read`, "date and time", "403")
		w.port.ClearFaults()
		w.settled(m)
	})
}

// owned is a blueprint whose entities have more in Port than was sent.
const owned = `{"identifier":"owned","title":"Owned","ownership":{"type":"Inherited","path":"repo"},"schema":{"properties":{
	"tier":{"type":"string","default":"bronze"},"level":{"type":"number","default":1.0},"since":{"type":"string","format":"date-time","default":"2026-01-01T00:00:00+01:00"},"owner":{"type":"string"}},"required":["tier"]},
	"mirrorProperties":{"language":{"path":"repo.language"}},"calculationProperties":{"text":{"calculation":".x","type":"string"}},
	"relations":{"repo":{"title":"Repository","target":"repo","many":false,"required":false}}}`

// What Port adds to an entity that replaces another is no change.
func TestWhatPortAdds(t *testing.T) {
	onMerge(t, func(t *testing.T, flag string) {
		w := newWorld(t, acme("api", "web"))
		w.port.AddBlueprint(owned)
		m := func(more string) string {
			return mapped(flag, entity("repository", `{identifier: .slug, title: .slug, team: '"Core"', blueprint: '"repo"', properties: {language: .language}}`),
				entity("repository", `{identifier: .slug, title: .slug, blueprint: '"owned"', properties: {owner: .language`+more+`}, relations: {repo: .slug}}`))
		}
		r := w.done(m("")).is(want{"created": 4})
		if got := r.after["owned"]["api"].Properties; got["tier"] != "bronze" || fmt.Sprint(got["level"]) != "1" {
			t.Errorf("got %v, want the defaults", got)
		}
		w.bitbucket.UpdateRepository("api", func(r *bitbuckettest.Repository) { r.Language = "rust" })
		w.done(m("")).is(want{"updated": 2, "unchanged": 2})
		// A value that differs from the default, and its end.
		w.done(m(`, level: '2'`)).is(want{"updated": 2, "unchanged": 2})
		back := 0
		if flag == without {
			back = 2
		}
		w.done(m("")).is(want{"updated": back, "unchanged": 4 - back})
	})
}

// An entity that another data source wrote last becomes ours, which is reported; taken by
// turns it is written, and reported, in every run.
func TestEntityOfAnotherDataSource(t *testing.T) {
	onMerge(t, func(t *testing.T, flag string) {
		w := newWorld(t, acme("api", "web", "cli"))
		m := mapped(flag, entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {language: .language}}`))
		w.done(m).is(want{"created": 3})
		for range 2 {
			for _, slug := range []string{"api", "web"} {
				e := w.port.Catalog()["repo"][slug]
				e.Datasource = "port-ocean/gitlab/1/other/exporter"
				w.port.PutEntity("repo", e)
			}
			r := w.sync(m).ended(report.Success).is(want{"updated": 2, "unchanged": 1})
			p := r.problem("notice", `another integration, tool or person was the last to write an entity of blueprint "repo": this run takes it over`, "repo/api", "another integration", "mapping.yml:5:")
			if p.Count != 2 {
				t.Errorf("count: got %d, want 2", p.Count)
			}
			if again := w.settled(m).story(); strings.Contains(again, "takes it over") {
				t.Errorf("told once more:\n%s", again)
			}
		}
	})
}

// Entities that were made for relations to them are not taken over from another one.
func TestStubsAreNotAdopted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api"))
		w.unequal = true
		if r := w.sync(mapped(repos, projects)).ended(report.Success); strings.Contains(r.story(), "takes it over") {
			t.Errorf("told of a stub:\n%s", r.story())
		}
	})
}

// What a search query of a later entry finds may be what waits: the later one wins.
func TestQueryAfterWhatItNames(t *testing.T) {
	t.Parallel()
	byName := `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {description: '"named"'}}`
	byQuery := `{identifier: {combinator: '"and"', rules: [{property: '"$title"', operator: '"="', value: .name}]}, blueprint: '"repo"', properties: {description: '"found"'}}`
	for name, m := range map[string]string{
		"two resources": mapped(entity("repository", byName), entity("repository", byQuery)),
		"one resource":  mapped(entity("repository", "["+byName+", "+byQuery+"]")),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("api", "web"))
				w.sync(m).ended(report.Success).is(want{"created": 2})
				for range 3 {
					r := w.sync(m).ended(report.Success).is(want{"updated": 2})
					for id, e := range r.after["repo"] {
						if e.Properties["description"] != "found" {
							t.Errorf("%s: got %v, want what the later entry gives", id, e.Properties)
						}
					}
				}
			})
		})
	}
}

// Entities with a search query are written in every run, which is told with their number.
func TestSearchQueriesAreTold(t *testing.T) {
	t.Parallel()
	query := func(property, value string) string {
		return `{combinator: '"and"', rules: [{property: '"` + property + `"', operator: '"="', value: ` + value + `}]}`
	}
	for _, c := range []struct {
		name, mappings string
		updated        int
	}{
		{"identifier", `{identifier: ` + query("$title", ".name") + `, blueprint: '"repo"', properties: {language: '"found"'}}`, 2},
		{"relation", `{identifier: .slug, title: .name, blueprint: '"service"', relations: {repo: ` + query("$title", ".name") + `}}`, 2},
		{"team", `{identifier: .slug, title: .name, blueprint: '"service"', team: ` + query("$identifier", `'"Core"'`) + `}`, 2},
		{"none", `{identifier: .slug, title: .name, blueprint: '"service"', relations: {repo: .slug}}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("api", "web"))
				w.port.AddBlueprint(`{"identifier":"_team","title":"Team","schema":{"properties":{},"required":[]},"relations":{}}`)
				w.port.PutEntity("_team", porttest.Entity{Identifier: "Core"})
				m := mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {private: .is_private}}`), entity("repository", c.mappings))
				w.sync(m).ended(report.Success)
				planned, changes, err := w.rehearse(m)
				r := w.sync(m).ended(report.Success).is(want{"updated": c.updated})
				w.foreseen(planned, changes, err, r)
				if c.updated == 0 {
					if strings.Contains(r.story(), "search query") {
						t.Errorf("told of a search query:\n%s", r.story())
					}
					return
				}
				p := r.problem("notice", "resource 2 (repository)", "search query", "written in every run", "/api from")
				if p.Count != 2 {
					t.Errorf("count: got %d, want 2", p.Count)
				}
			})
		})
	}
}

// A null is no omission, which the schema's default would fill.
func TestNullOfWhatHasADefault(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api"))
		w.port.AddBlueprint(`{"identifier":"typed","title":"Typed","schema":{"properties":{"tier":{"type":"string","default":"bronze"}},"required":[]},"relations":{}}`)
		r := w.done(mapped(without, entity("repository", `{identifier: .slug, title: .slug, blueprint: '"typed"', properties: {tier: 'null'}}`))).is(want{"created": 1})
		if got := r.after["typed"]["api"].Properties; len(got) > 0 {
			t.Errorf("got %v, want none", got)
		}
		r = w.done(mapped(without, entity("repository", `{identifier: .slug, title: .slug, blueprint: '"typed"'}`))).is(want{"updated": 1})
		if got := r.after["typed"]["api"].Properties["tier"]; got != "bronze" {
			t.Errorf("got %v, want the default", got)
		}
	})
}
