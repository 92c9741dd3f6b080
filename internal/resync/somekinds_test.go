package resync_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// only lets the next runs be of some kinds.
func (w *world) only(kinds ...string) {
	w.adjust = func(job *resync.Job) {
		only, err := job.Bound.Only(kinds)
		if err != nil {
			w.t.Fatal(err)
		}
		job.Bound = only
	}
}

// projectTeams gives entities of blueprint "repo" of each project, beside those of repositories.
const projectTeams = `
- kind: project
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: '"team-" + .key', title: .name, blueprint: '"repo"', relations: {project: .key}}}}`

// owners are the kinds that give entities of a blueprint.
var owners = map[string][]string{"project": {"project"}, "repo": {"project", "repository"}, "pull": {"pull-request"}}

// A run of some kinds reads nothing of the others and deletes none of their entities, whatever has
// changed, and a run of all kinds after it ends in the catalog of a new workspace.
func TestSomeKinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := drawState(rt)
		edits := rapid.SliceOfN(rapid.Custom(drawEdit), 0, 5).Draw(rt, "edits")
		kinds := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"project", "repository", "pull-request"}), 1, 2, rapid.ID).Draw(rt, "kinds")
		m := mapped("entityDeletionThreshold: 1", "createMissingRelatedEntities: "+rapid.SampledFrom([]string{"true", "false"}).Draw(rt, "create"),
			"deleteDependentEntities: "+rapid.SampledFrom([]string{"true", "false"}).Draw(rt, "cascade"), projects, projectTeams, repos, pulls)
		m = strings.ReplaceAll(m, "created: .created_on, ", "") // of the emulators' clock
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, s.build())
			w.unequal, w.violated = true, true // a project that is not there yet
			w.sync(m).ended(report.Success)
			for _, blueprint := range []string{"project", "repo", "pull"} {
				w.port.PutEntity(blueprint, porttest.Entity{Identifier: "stale", Title: "Stale", Datasource: ours})
			}
			for _, e := range edits {
				s.edit(e, w.bitbucket)
			}
			w.only(kinds...)
			checkKinds(w.sync(m), kinds)
			w.adjust = nil
			got := w.sync(m).ended(report.Success)
			fresh := newWorld(t, s.build()).sync(m)
			if diff := cmp.Diff(plain(fresh.after), plain(got.after)); diff != "" {
				t.Errorf("kinds %v, after a run of all kinds (- fresh, + got):\n%s", kinds, diff)
			}
			w.sync(m).is(want{"writes": 0})
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// checkKinds checks what a run of some kinds has asked for, written and deleted.
func checkKinds(r result, kinds []string) {
	r.t.Helper()
	ran := func(kind string) bool { return slices.Contains(kinds, kind) }
	for _, x := range r.requests {
		if pulls := strings.HasSuffix(x.Path, "/pullrequests"); pulls && !ran("pull-request") || strings.HasSuffix(x.Path, "/projects") && !ran("project") {
			r.t.Errorf("kinds %v: asked for %s", kinds, x.Path)
		}
	}
	for blueprint, kindsOf := range owners {
		all := !slices.ContainsFunc(kindsOf, func(kind string) bool { return !ran(kind) })
		if _, left := r.after[blueprint]["stale"]; left == all {
			r.t.Errorf("kinds %v: the stale entity of blueprint %s is there: %t\n%s", kinds, blueprint, left, r.story())
		}
		if all || slices.ContainsFunc(kindsOf, ran) {
			continue
		}
		for id, was := range r.before[blueprint] {
			if diff := cmp.Diff(was, r.after[blueprint][id]); diff != "" {
				r.t.Errorf("kinds %v: %s %s has changed (-, +):\n%s", kinds, blueprint, id, diff)
			}
		}
	}
	for blueprint := range r.before {
		if kindsOf := owners[blueprint]; slices.ContainsFunc(kindsOf, func(kind string) bool { return !ran(kind) }) {
			for id := range r.before[blueprint] {
				if _, left := r.after[blueprint][id]; !left {
					r.t.Errorf("kinds %v: %s %s is gone", kinds, blueprint, id)
				}
			}
		}
	}
	if got := slices.Sorted(maps.Keys(kindsOf(r))); !slices.Equal(got, slices.Sorted(slices.Values(kinds))) {
		r.t.Errorf("the report has the kinds %v, want %v", got, kinds)
	}
}

func kindsOf(r result) map[string]bool {
	found := map[string]bool{}
	for _, of := range r.report.Resources {
		found[of.Kind] = true
	}
	return found
}

// What does not run is not deleted along with what it relates to, though the mapping wants that.
func TestSomeKindsDoNotCascade(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := acme("api", "web", "old")
		b.AddPullRequest("old", bitbuckettest.PullRequest{ID: 1})
		w := newWorld(t, b)
		m := mapped("entityDeletionThreshold: 1", "deleteDependentEntities: true", strings.Replace(repos, ", relations: {project: .project.key}", "", 1), pulls)
		w.sync(m).ended(report.Success)
		b.RemoveRepository("old")
		w.only("repository")
		r := w.sync(m).ended(report.Success).has("pull", "old-1").has("repo", "api", "old", "web")
		r.problem("deleteDependentEntities is not applied in this run: what resources produce that do not run could be deleted along with a stale entity")
		w.adjust = nil
		w.sync(m).ended(report.Success).has("pull").has("repo", "api", "web")
	})
}
