package app_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/port/porttest"
)

// severalKinds has a resource of each of three kinds.
var severalKinds = `resources:
  - kind: project
    selector: {query: "true"}
    port: {entity: {mappings: {identifier: .key, title: .name, blueprint: '"bitbucketProject"'}}}
` + strings.TrimPrefix(repositories, "resources:\n") + strings.TrimPrefix(pullRequests, "resources:\n")

// Of the mapping only the resources of some kinds run, and everything that tells of the run says so.
func TestKinds(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.github()
	w.addStale()
	w.port.PutEntity("bitbucketProject", porttest.Entity{Identifier: "stale", Datasource: datasource})
	w.port.Age(time.Minute)
	env := map[string]string{"MAPPING": severalKinds, "KINDS": " repository,\nrepository", "SUMMARY_FILE": "summary-file.md"}
	const told = "only of kind repository, by the input kinds: 2 resources of the mapping did not run, and nothing of it is read or deleted"
	plan := w.planned(env)
	plan.contains(t, told, "\n- bitbucketRepository/stale\n")
	if strings.Contains(plan.stdout, "bitbucketProject/stale") {
		t.Errorf("the plan deletes what did not run:\n%s", plan.stdout)
	}
	w.write("outputs", "")
	r, paths := w.asked(env)
	r.check(t, 0, "success")
	r.contains(t, told)
	if want := []string{"", ""}; !slices.Equal(paths, want) { // once more before the deletion
		t.Errorf("asked for %q, want the list of repositories twice", paths)
	}
	if w.holds("bitbucketRepository", "stale") || !w.holds("bitbucketProject", "stale") || !w.holds("bitbucketRepository", "ledger") {
		t.Errorf("the catalog is not what it should be: %v", w.port.Catalog())
	}
	if got := w.outputs()["kinds"]; got != "repository" {
		t.Errorf("the output kinds is %q", got)
	}
	if summary := w.read("summary-file.md"); !strings.Contains(summary, "This run is "+told) {
		t.Errorf("the summary does not say that it is of some kinds:\n%s", summary)
	}
	page := w.port.DataSource(identifier)
	rows := slices.Sorted(maps.Keys(page.Syncs[0].Kinds))
	if want := []string{"__reconciliation__", "__resync__", "__runtime__", "repository-1"}; !slices.Equal(rows, want) {
		t.Errorf("got rows %q, want %q", rows, want)
	}
	if row := page.Syncs[0].Kinds["repository-1"]; row.State != "completed" || row.Counts["load"]["loaded"] != 3 {
		t.Errorf("the row of the kind: %+v", row)
	}
	if config, _ := page.Config.(map[string]any); len(config) > 0 {
		t.Errorf("the page shows a mapping of which a part did not run: %v", config)
	}

	w.write("outputs", "")
	r = w.run(map[string]string{"MAPPING": severalKinds})
	r.check(t, 0, "success")
	if w.holds("bitbucketProject", "stale") || strings.Contains(r.stdout, "input kinds") || w.outputs()["kinds"] != "" {
		t.Errorf("a run of all kinds: %v\n%s", w.port.Catalog(), r.stdout)
	}
	if config, _ := w.port.DataSource(identifier).Config.(map[string]any); len(config) == 0 {
		t.Error("the page shows no mapping after a run of all kinds")
	}
	all := w.run(map[string]string{"MAPPING": severalKinds, "KINDS": "[pull-request, project, repository]"})
	all.check(t, 0, "success")
	if strings.Contains(all.stdout, "did not run") {
		t.Errorf("a run of all kinds by name:\n%s", all.stdout)
	}
	w.checkClean()
}

// A kind that does not exist, or that no resource has, is told before anything is read or written.
func TestKindsAreChecked(t *testing.T) {
	t.Parallel()
	var config map[string]any
	if err := yaml.Unmarshal([]byte(severalKinds), &config); err != nil {
		t.Fatal(err)
	}
	for kinds, want := range map[string][]string{
		"repositry":         {`input kinds: unknown kind "repositry"`, `did you mean "repository"? The kinds of the mapping are project, repository, pull-request`},
		"project, Projects": {`input kinds: unknown kind "Projects"`, `did you mean "project"?`},
		"merge-request":     {`input kinds: unknown kind "merge-request"`, "the mapping"},
		"folder,x":          {`input kinds: no resource of the mapping has the kind "folder"`, "give kinds that it has: project, repository, pull-request", `unknown kind "x"`},
	} {
		for _, stored := range []bool{false, true} {
			w := smallWorld(t)
			env := map[string]string{"MAPPING": severalKinds, "KINDS": kinds}
			if stored {
				w.port.PutIntegration(identifier, map[string]any{"config": config})
				delete(env, "MAPPING")
			}
			r := w.run(env)
			r.contains(t, want...)
			if r.status != 2 || w.bitbucket.Requests() > 0 || len(w.port.Writes()) > 0 {
				t.Errorf("kinds %s: exit status %d, %d requests to Bitbucket, %d writes\n%s", kinds, r.status, w.bitbucket.Requests(), len(w.port.Writes()), r.stdout)
			}
		}
	}
}

// Where entities are replaced, what does not run may lose what it gave: that is told.
func TestKindsThatReplace(t *testing.T) {
	t.Parallel()
	const told = `resources that do not run give entities of blueprint "bitbucketRepository" too`
	shared := strings.Replace(severalKinds, `"bitbucketProject"`, `"bitbucketRepository"`, 1)
	for head, want := range map[string]bool{"": false, "enableMergeEntity: false\n": true} {
		r := smallWorld(t).run(map[string]string{"MAPPING": head + shared, "KINDS": "repository"})
		r.check(t, 0, "success")
		if got := strings.Contains(r.stdout+r.stderr, told); got != want {
			t.Errorf("%q: told %t, want %t\n%s%s", head, got, want, r.stdout, r.stderr)
		}
	}
}

// What a run of some kinds leaves in the memory proves nothing to the next one of all kinds: it asks
// for all lists, and deletes what went meanwhile.
func TestKindsWithMemory(t *testing.T) {
	t.Parallel()
	for _, kinds := range []string{"pull-request", "project", "repository,project"} {
		t.Run(kinds, func(t *testing.T) {
			t.Parallel()
			w := remembering(t)
			synctest.Test(t, func(t *testing.T) {
				w.env["MAPPING"] = severalKinds
				w.run(nil).check(t, 0, "success")
				time.Sleep(time.Minute)
				w.run(map[string]string{"KINDS": kinds}).check(t, 0, "success")
				w.bitbucket.RemovePullRequest("ledger", 1)
				time.Sleep(time.Minute)
				r, paths := w.asked(nil)
				r.check(t, 0, "success")
				if !slices.Contains(paths, "/checkout/pullrequests") || w.holds("bitbucketPullRequest", "acme/ledger-1") {
					t.Errorf("asked for %q, and Port holds %v", paths, w.port.Catalog()["bitbucketPullRequest"])
				}
				fresh := virtual(t, w.bitbucket)
				fresh.env["MAPPING"] = severalKinds
				fresh.run(nil).check(t, 0, "success")
				if diff := cmp.Diff(slices.Sorted(maps.Keys(fresh.port.Catalog()["bitbucketPullRequest"])), slices.Sorted(maps.Keys(w.port.Catalog()["bitbucketPullRequest"]))); diff != "" {
					t.Errorf("a new catalog (-), and this one (+):\n%s", diff)
				}
				w.checkClean()
			})
		})
	}
}

// A run of some kinds that is cut off is gone on with by one of all kinds, and one that is not ends
// what a cut-off run of all kinds has left.
func TestKindsAndACutOffRun(t *testing.T) {
	t.Parallel()
	w := remembering(t)
	synctest.Test(t, func(t *testing.T) {
		w.env["MAPPING"] = severalKinds
		w.cutOff()
		w.run(map[string]string{"KINDS": "project"}).check(t, 0, "success")
		_, paths := w.asked(nil)
		if !slices.Contains(paths, "/checkout/pullrequests") {
			t.Errorf("asked for %q, want all lists of pull requests", paths)
		}
		time.Sleep(time.Minute)
		w.env["KINDS"] = "pull-request"
		w.cutOff()
		delete(w.env, "KINDS")
		_, paths = w.asked(nil)
		if slices.Contains(paths, "/checkout/pullrequests") || !slices.Contains(paths, "/ledger/pullrequests") {
			t.Errorf("asked for %q, want the lists that the run of some kinds lacks", paths)
		}
	})
}
