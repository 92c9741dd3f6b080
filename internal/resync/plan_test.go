package resync_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	values "port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/dryrun"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// rehearse does what a sync does up to the write, and checks that nothing is written.
func (w *world) rehearse(text string) (*report.Report, []values.Change, error) {
	w.t.Helper()
	w.port.Age(time.Hour)
	w.port.ResetJournal()
	before := w.port.Catalog()
	job := w.job(text)
	store := dryrun.New(job.Port, nil)
	job.Store = store
	rep := &report.Report{Started: time.Now(), Planned: true}
	err := resync.Run(context.Background(), job, rep)
	if writes := w.port.Writes(); len(writes) > 0 {
		w.t.Errorf("a plan wrote: %s %s", writes[0].Method, writes[0].Path)
	}
	if diff := cmp.Diff(w.port.Catalog(), before); diff != "" {
		w.t.Errorf("a plan changed the catalog:\n%s", diff)
	}
	return rep, store.Changes(), err
}

// foreseen compares a plan with the sync that followed.
func (w *world) foreseen(planned *report.Report, changes []values.Change, planErr error, r result) {
	w.t.Helper()
	if fmt.Sprint(planErr) != fmt.Sprint(r.err) || planned.Status() != r.report.Status() {
		w.t.Errorf("planned %s (%v), done %s (%v)", planned.Status(), planErr, r.report.Status(), r.err)
	}
	counts := func(rep *report.Report) (all []report.Resource) {
		for _, res := range rep.Resources {
			one := *res
			one.Duration = 0
			all = append(all, one)
		}
		return all
	}
	if diff := cmp.Diff(counts(planned), counts(r.report)); diff != "" {
		w.t.Errorf("resources: planned (-), done (+):\n%s", diff)
	}
	if diff := cmp.Diff(blueprintsOf(planned), blueprintsOf(r.report)); diff != "" {
		w.t.Errorf("blueprints: planned (-), done (+):\n%s", diff)
	}
	w.checkChanges(changes, r)
}

func blueprintsOf(rep *report.Report) map[string]report.Blueprint {
	all := map[string]report.Blueprint{}
	for _, b := range rep.Blueprints {
		all[b.Identifier] = *b
	}
	return all
}

// checkChanges compares planned changes with those of the catalog, both ways.
func (w *world) checkChanges(changes []values.Change, r result) {
	w.t.Helper()
	planned := map[values.Ref]values.Change{}
	for _, c := range changes {
		planned[c.Ref] = c
	}
	refs := map[values.Ref]bool{}
	for _, all := range []catalog{r.before, r.after} {
		for blueprint, entities := range all {
			for id := range entities {
				refs[values.Ref{Blueprint: blueprint, Identifier: id}] = true
			}
		}
	}
	for _, c := range changes {
		refs[c.Ref] = true
	}
	for ref := range refs {
		was, before := r.before[ref.Blueprint][ref.Identifier]
		is, after := r.after[ref.Blueprint][ref.Identifier]
		c, told := planned[ref]
		switch {
		case c.Action == values.Refuse:
			if before != after || before && len(differences(ref, was, is)) > 0 {
				w.t.Errorf("%s: planned a refusal (%s), but it changed", ref, c.Why)
			}
		case before && !after:
			if c.Action != values.Delete {
				w.t.Errorf("%s: deleted, but planned %q", ref, c.Action)
			}
		case !before && after:
			if c.Action != values.Create {
				w.t.Errorf("%s: created, but planned %q", ref, c.Action)
			}
			compareFields(w.t, ref, c, differences(ref, porttest.Entity{}, is))
		case before && after:
			if told && c.Action != values.Update {
				w.t.Errorf("%s: changed or not, but planned %q", ref, c.Action)
			}
			compareFields(w.t, ref, c, differences(ref, was, is))
		case told:
			w.t.Errorf("%s: planned %q, but it is not there", ref, c.Action)
		}
	}
}

func compareFields(t *testing.T, ref values.Ref, c values.Change, want []string) {
	t.Helper()
	var got []string
	for _, f := range c.Fields {
		got = append(got, f.Name)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("%s: fields planned (-), changed (+):\n%s", ref, diff)
	}
}

// differences names the fields in which two entities differ, sorted.
func differences(ref values.Ref, a, b porttest.Entity) []string {
	var names []string
	title := func(e porttest.Entity) any {
		if e.Title == "" || e.Title == ref.Identifier {
			return nil
		}
		return e.Title
	}
	list := func(all []string) any {
		var out []any
		for _, s := range all {
			out = append(out, s)
		}
		if out == nil {
			return nil
		}
		return out
	}
	add := func(name string, x, y any, as values.Form) {
		if !values.Same(x, y, as) {
			names = append(names, name)
		}
	}
	add("title", title(a), title(b), values.Plain)
	add("icon", a.Icon, b.Icon, values.Plain)
	add("team", list(a.Team), list(b.Team), values.Set)
	keys := map[string]bool{}
	for _, m := range []map[string]any{a.Properties, b.Properties} {
		for k := range m {
			keys[k] = true
		}
	}
	for k := range keys {
		add(`property "`+k+`"`, a.Properties[k], b.Properties[k], values.Plain)
	}
	keys = map[string]bool{}
	for _, m := range []map[string]any{a.Relations, b.Relations} {
		for k := range m {
			keys[k] = true
		}
	}
	for k := range keys {
		add(`relation "`+k+`"`, a.Relations[k], b.Relations[k], values.Set)
	}
	slices.Sort(names)
	return names
}

// Resources beside the ordinary ones, of which Port refuses something, or which
// depend on what it holds.
var odd = []string{
	entity("repository", `{identifier: .slug, blueprint: '"service"', properties: {owner: '.project.key'}, relations: {repo: .slug}}`),
	entity("repository", `{identifier: '"one"', blueprint: '"service"', properties: {owner: .slug}}`),
	entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {description: .language}}`),
	entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {size: .slug}}`),
	entity("repository", `{identifier: .slug, blueprint: '"repo"', properties: {nope: .slug}}`),
	entity("repository", `{identifier: .slug, blueprint: '"repo"', relations: {peers: '["keep", .slug]', project: '"GONE"'}}`),
	entity("repository", `{identifier: .slug, blueprint: '"nowhere"'}`),
	entity("repository", `{identifier: {combinator: '"and"', rules: [{property: '"language"', operator: '"="', value: .language}]}, blueprint: '"repo"', properties: {description: '"found"'}}`),
	entity("repository", `{identifier: .slug, blueprint: '"service"', team: '"core"', relations: {repo: {combinator: '"and"', rules: [{property: '"$identifier"', operator: '"="', value: .slug}]}}}`),
	entity("repository", `{identifier: .slug, blueprint: '"service"', title: 'if .language == "go" then "S" else null end', icon: 'if .language == "go" then "Git" else null end', team: 'if .language == "go" then ["a"] else null end'}`),
	entity("repository", `{identifier: .slug, blueprint: '"service"', title: .language, icon: 'null', team: '"core"'}`),
	entity("repository", `{identifier: .slug, blueprint: '"owned"', title: .language, properties: {owner: .language}, relations: {repo: .slug}}`),
	entity("repository", `{identifier: .slug, blueprint: '"owned"', properties: {level: '9007199254740993', since: '"2026-11-22T10:00:00+02:00"', tier: 'if .language == "go" then null else "gold" end'}}`),
	entity("repository", `{identifier: .slug, blueprint: '"service"', team: {combinator: '"and"', rules: [{property: '"$identifier"', operator: '"="', value: '"blue"'}]}}`),
	entity("pull-request", `{identifier: .id|tostring, blueprint: '"pull"', properties: {status: '"DRAFT"'}}`),
	entity("repository", `{identifier: '.slug + " "', blueprint: '"repo"'}`),
	entity("repository", `{identifier: 'if .slug == "r1" then error("no") else .slug end', blueprint: '"service"'}`),
}

// A plan followed by a sync on the same workspace does exactly what was planned.
func TestPlanIsWhatASyncDoes(t *testing.T) {
	t.Parallel()
	ordinary := []string{projects, repos, pulls}
	drawMapping := func(rt *rapid.T, name string) string {
		parts := []string{
			"entityDeletionThreshold: " + rapid.SampledFrom([]string{"1", "0.2"}).Draw(rt, name+" threshold"),
			fmt.Sprintf("enableMergeEntity: %t", rapid.Bool().Draw(rt, name+" merge")),
			fmt.Sprintf("createMissingRelatedEntities: %t", rapid.Bool().Draw(rt, name+" create")),
			fmt.Sprintf("deleteDependentEntities: %t", rapid.Bool().Draw(rt, name+" dependants")),
		}
		for i := range ordinary {
			if rapid.IntRange(0, 4).Draw(rt, fmt.Sprint(name, " ordinary ", i)) > 0 {
				parts = append(parts, ordinary[i])
			}
		}
		for range rapid.IntRange(0, 3).Draw(rt, name+" odd ones") {
			parts = append(parts, rapid.SampledFrom(odd).Draw(rt, name+" odd"))
		}
		if len(parts) == 4 {
			parts = append(parts, repos)
		}
		m := mapped(parts...)
		return strings.ReplaceAll(m, "created: .created_on, ", "")
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := drawState(rt)
		first, second := drawMapping(rt, "first"), drawMapping(rt, "second")
		edits := rapid.SliceOfN(rapid.Custom(drawEdit), 0, 5).Draw(rt, "edits")
		foreign := rapid.SliceOfN(rapid.IntRange(0, 6), 0, 3).Draw(rt, "foreign")
		seed := rapid.Uint64().Draw(rt, "delays")
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, s.build())
			w.unequal = true
			w.delays = rand.New(rand.NewPCG(seed, 0))
			w.port.AddBlueprint(owned)
			w.port.AddBlueprint(`{"identifier":"_team","title":"Team","schema":{"properties":{},"required":[]},"relations":{}}`)
			w.port.PutEntity("_team", porttest.Entity{Identifier: "blue"})
			w.sync(first)
			for _, e := range edits {
				s.edit(e, w.bitbucket)
			}
			for _, f := range foreign {
				w.meddle(f)
			}
			planned, changes, err := w.rehearse(second)
			w.foreseen(planned, changes, err, w.sync(second))
		})
		if t.Failed() {
			rt.Fatalf("first mapping:\n%s\nsecond mapping:\n%s", first, second)
		}
	})
}

// meddle is what others do to the catalog.
func (w *world) meddle(what int) {
	put := func(blueprint, id string, properties, relations map[string]any) {
		w.port.PutEntity(blueprint, porttest.Entity{Identifier: id, Datasource: "somebody", Properties: properties, Relations: relations})
	}
	switch what {
	case 0:
		put("repo", "r0", map[string]any{"language": "cobol"}, nil)
	case 1:
		put("service", "foreign", nil, map[string]any{"repo": "r1"})
	case 2:
		put("repo", "foreign", nil, map[string]any{"peers": []any{"r0", "r1"}})
	case 3:
		put("project", "GONE", nil, nil)
	case 4:
		w.port.PutEntity("repo", porttest.Entity{Identifier: "stale", Datasource: "port-ocean/bitbucket-cloud/1/test/exporter", Relations: map[string]any{"peers": []any{"r1"}}})
	case 5:
		w.port.PutEntity("pull", porttest.Entity{Identifier: "stale", Datasource: "port-ocean/bitbucket-cloud/1/test/exporter", Relations: map[string]any{"repo": "stale"}})
	case 6:
		w.port.PutEntity("service", porttest.Entity{Identifier: "r0", Title: "By hand", Icon: "Hand", Team: []string{"hand"}, Datasource: ours})
	}
}

// What a plan tells of one entity, by example.
func TestPlanChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, acme("PAY/api", "PAY/web"))
		w.sync(mapped(projects, repos))
		w.bitbucket.RemoveRepository("web")
		m := mapped("entityDeletionThreshold: 1", projects, strings.Replace(repos, "language: .language, size: .size", "language: '\"Go\"', size: '\"big\"'", 1)+
			entity("repository", `{identifier: .slug, blueprint: '"service"', title: '"The API"', properties: {owner: .project.key}, relations: {repo: .slug}}`))
		_, changes, err := w.rehearse(m)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range changes {
			line := fmt.Sprintf("%s %s %s", c.Action, c.Ref, c.Why)
			for _, f := range c.Fields {
				line += fmt.Sprintf("; %s: %v -> %v", f.Name, f.From, f.To)
			}
			got = append(got, line)
		}
		want := []string{
			`refuse repo/api property "size" must be number, and is string`,
			`delete repo/web `,
			`create service/api ; property "owner": <nil> -> PAY; relation "repo": <nil> -> api; title: <nil> -> The API`,
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("changes: got (-), want (+):\n%s", diff)
		}
	})
}
