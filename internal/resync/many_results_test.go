package resync_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
)

// Of any number of results for one entity, what remains of them all is compared.
func TestManyResultsForOneEntity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		entries []string // beside the blueprint, and the identifier .slug
	}{
		{"three of one key", []string{`title: '"one"'`, `title: '"two"'`, `title: '"three"'`}},
		{"back and forth", []string{`title: '"one"'`, `title: '"two"'`, `title: '"one"'`}},
		{"keys that overlap", []string{`title: '"one"', properties: {language: '"a"', description: '"a"'}`, `properties: {language: '"b"', readme: '"b"'}`,
			`title: '"three"', properties: {readme: '"c"'}`, `properties: {description: '"d"'}`}},
		{"null in between", []string{`title: '"one"', properties: {language: '"a"'}`, `title: 'null', properties: {language: 'null'}`, `team: '"x"', icon: '"Git"'`, `team: 'null', properties: {private: 'true'}`}},
		{"some do not come", []string{`title: '"one"'`, `title: 'if .slug == "api" then "two" else null end'`,
			`identifier: 'if .slug == "web" then .slug else null end', title: '"three"'`, `identifier: 'if .slug == "cli" then .slug else null end', properties: {language: '"b"'}`}},
		{"five", []string{`title: '"1"', properties: {size: '1'}`, `title: '"2"', properties: {size: '2'}`, `title: '"3"', properties: {size: '3'}`, `title: '"4"', properties: {size: '4'}`, `title: '"5"'`}},
	} {
		var entries []string
		for _, e := range c.entries {
			if !strings.Contains(e, "identifier:") {
				e = "identifier: .slug, " + e
			}
			entries = append(entries, `{blueprint: '"repo"', `+e+`}`)
		}
		shapes := map[string]func() string{
			"in as many resources": func() string {
				var all []string
				for _, e := range entries {
					all = append(all, entity("repository", e))
				}
				return strings.Join(all, "")
			},
			"in one resource": func() string { return entity("repository", "["+strings.Join(entries, ", ")+"]") },
		}
		for name, resources := range shapes {
			t.Run(c.name+", "+name, func(t *testing.T) {
				onMerge(t, func(t *testing.T, flag string) {
					w := newWorld(t, acme("api", "web", "cli"))
					m := mapped(flag, resources())
					first := w.done(m).is(want{"created": 3})
					w.bitbucket.AddRepository(bitbuckettest.Repository{Name: "new"})
					second := w.done(m).is(want{"created": 1, "unchanged": 3})
					if got, want := plain(second.before)["repo"], plain(first.after)["repo"]; fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("got %v, want %v", got, want)
					}
					// A change by hand is put right.
					e := w.port.Catalog()["repo"]["web"]
					e.Title = "changed"
					w.port.PutEntity("repo", e)
					w.done(m).is(want{"updated": 1, "unchanged": 3})
				})
			})
		}
	}
}

// More entities may be written over by a later resource than there is room for: those
// are written, and the report says so.
func TestManyResultsBeyondWhatWaits(t *testing.T) {
	skipShort(t)
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(100))
		m := func(size int) string {
			return mapped(entity("repository", fmt.Sprintf(`{identifier: .slug, title: .slug, blueprint: '"repo"', properties: {readme: '"x" * %d'}}`, size)),
				entity("repository", `{identifier: .slug, title: '"new " + .slug', blueprint: '"repo"', properties: {language: .language}}`))
		}
		w.sync(m(10_000)).ended(report.Success)
		w.settled(m(10_000))
		w.sync(m(100_000)).ended(report.Success).is(want{"updated": 100})
		r := w.sync(m(100_000)).ended(report.Success)
		p := r.problem("notice", "resource 1 (repository)", "than there is room for", "repo/r00")
		if p.Count != r.counts.Updated || p.Count == 0 || p.Count > 50 {
			t.Errorf("told of %d, want those that were written, %d", p.Count, r.counts.Updated)
		}
		for id, e := range r.after["repo"] {
			if e.Title != "new "+id {
				t.Errorf("title of %s: got %q, want that of the later resource", id, e.Title)
			}
		}
	})
}

// Resources that write over each other, of which Port refuses none.
var overlapping = []string{
	entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {language: .language}}`),
	entity("repository", `{identifier: .slug, title: .language, blueprint: '"repo"', properties: {description: .language}, relations: {peers: '["keep", .slug]'}}`),
	entity("repository", `{identifier: .slug, title: 'if .language == "go" then null else "other" end', icon: .language, blueprint: '"repo"', team: 'if .language == "go" then ["a"] else null end'}`),
	entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {language: 'null', size: '9007199254740993', created: '"2026-11-22T10:00:00+02:00"', readme: '"2026-11-22T10:00:00+02:00"'}}`),
	entity("repository", `{identifier: '"keep"', title: .slug, blueprint: '"repo"', properties: {language: .slug}}`),
	entity("pull-request", `{identifier: '.destination.repository.full_name|split("/")[1]', title: .title, blueprint: '"repo"', team: '"b"', properties: {description: .title}}`),
	entity("repository", `{identifier: .slug, title: .name, blueprint: 'if .language == "go" then "repo" else "owned" end', team: '"c"'}`),
	entity("repository", `{identifier: .slug, title: .slug, blueprint: '"owned"', properties: {owner: .language, level: 'if .language == "go" then 1 else null end'}, relations: {repo: .slug}}`),
	entity("repository", `[{identifier: .slug, blueprint: '"owned"', icon: '"Git"', properties: {owner: '"x"'}}, {identifier: .slug, blueprint: '"owned"', icon: 'null', properties: {tier: '"gold"'}}, {identifier: .slug, blueprint: '"owned"', properties: {tier: '"silver"'}}]`),
}

// Whatever resources give to whatever entities, and whatever changes: the next run
// over the same workspace writes nothing.
func TestAnyMappingSettles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := drawState(rt)
		merge := rapid.Bool().Draw(rt, "merge")
		parts := []string{"entityDeletionThreshold: 1", fmt.Sprintf("enableMergeEntity: %t", merge),
			fmt.Sprintf("createMissingRelatedEntities: %t", rapid.Bool().Draw(rt, "create"))}
		for range rapid.IntRange(1, 5).Draw(rt, "resources") {
			parts = append(parts, rapid.SampledFrom(overlapping).Draw(rt, "resource"))
		}
		m := mapped(parts...)
		edits := rapid.SliceOfN(rapid.Custom(drawEdit), 0, 5).Draw(rt, "edits")
		foreign := rapid.SliceOfN(rapid.SampledFrom([]int{0, 4, 6}), 0, 3).Draw(rt, "foreign")
		seed := rapid.Uint64().Draw(rt, "delays")
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, s.build())
			w.unequal = true
			w.delays = rand.New(rand.NewPCG(seed, 0))
			w.port.AddBlueprint(owned)
			w.sync(m)
			for _, e := range edits {
				s.edit(e, w.bitbucket)
			}
			for _, f := range foreign {
				w.meddle(f)
			}
			last := w.sync(m)
			if last.counts.Rejected > 0 {
				return
			}
			w.settled(m)
			if t.Failed() {
				t.Logf("mapping:\n%s", m)
			}
			if merge || len(foreign) > 0 || last.kept > 0 { // what no resource gives is left, or stale and told
				return
			}
			fresh := newWorld(t, s.build())
			fresh.unequal = true
			fresh.port.AddBlueprint(owned)
			if diff := cmp.Diff(untitled(plain(fresh.sync(m).after)), untitled(plain(last.after))); diff != "" {
				t.Errorf("- as in a new catalog, + got:\n%s", diff)
			}
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// untitled takes from what is only there for a relation a title that is its identifier:
// one that was produced before, and is not any more, stays with that.
func untitled(entities map[string]map[string]any) map[string]map[string]any {
	for _, of := range entities {
		for id, e := range of {
			if cmp.Equal(e, []any{id, map[string]any{}, map[string]any{}}) {
				of[id] = []any{"", map[string]any{}, map[string]any{}}
			}
		}
	}
	return entities
}

// What is not produced any more, holds nothing but its identifier, and is related to, is
// as if it had been made for the relation: it stays, and is not stale.
func TestNeededThatHoldsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := bitbuckettest.New("acme")
		for _, name := range []string{"keep", "api"} {
			b.AddRepository(bitbuckettest.Repository{Name: name, Language: "go"})
		}
		w := newWorld(t, b)
		w.port.AddBlueprint(owned)
		m := mapped("entityDeletionThreshold: 1", "createMissingRelatedEntities: true",
			entity("repository", `{identifier: .slug, title: .name, blueprint: 'if .language == "go" then "repo" else "owned" end'}`),
			entity("repository", `{identifier: .slug, title: .slug, blueprint: '"owned"', relations: {repo: .slug}}`))
		w.sync(m).has("repo", "keep", "api")
		b.UpdateRepository("api", func(r *bitbuckettest.Repository) { r.Language = "c" })
		w.unequal = true
		w.sync(m).ended(report.Success).is(want{"deleted": 0, "kept": 0}).has("repo", "keep", "api")
		w.settled(m)
	})
}

// What Port refuses is no part of what remains.
func TestRefusedResultAmongMany(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("api"))
		m := mapped(entity("repository", `{identifier: .slug, title: '"one"', blueprint: '"repo"'}`),
			entity("repository", `{identifier: .slug, title: '"two"', blueprint: '"repo"', properties: {size: .slug}}`),
			entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {language: .language}}`))
		w.sync(m).ended(report.Partial).is(want{"created": 1, "rejected": 1})
		for range 2 {
			r := w.sync(m).ended(report.Partial).is(want{"rejected": 1, "updated": 0})
			if got := r.after["repo"]["api"].Title; got != "one" {
				t.Errorf("title: got %q, want one", got)
			}
		}
	})
}
