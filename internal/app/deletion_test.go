package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/port/porttest"
)

// One entity is stale. What becomes of it, and what is told, is ruled by the inputs.
func TestDeletionInputs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		env           map[string]string
		deleted, kept int
		told          string
		asked         bool // what Port holds of ours
	}{
		{"default", nil, 1, 0, "", true},
		{"apply, with room", map[string]string{"DELETION": "apply", "MAX_DELETIONS": "1"}, 1, 0, "", true},
		{"report", map[string]string{"DELETION": "report"}, 0, 1, `the input deletion is "report"`, true},
		{"no room", map[string]string{"MAX_DELETIONS": "0"}, 0, 1, "more than the input max_deletions of 0 allows", true},
		{"never", map[string]string{"DELETION": "never"}, 0, 0, `the input deletion is "never"`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.addStale()
			w.write("mapping.yml", repositories)
			w.env["MAPPING_FILE"] = "mapping.yml"
			r := w.run(c.env)
			r.check(t, 0, "success")
			if deleted, kept := r.number(t, "entities_deleted"), r.number(t, "entities_stale_kept"); deleted != c.deleted || kept != c.kept {
				t.Errorf("got %d deleted and %d kept, want %d and %d", deleted, kept, c.deleted, c.kept)
			}
			if w.holds("bitbucketRepository", "stale") != (c.deleted == 0) {
				t.Errorf("the stale entity is there: %v", c.deleted != 0)
			}
			if problems := fmt.Sprint(r.report["problems"]); !strings.Contains(problems, c.told) {
				t.Errorf("%q is not among the problems: %s", c.told, problems)
			}
			asked := slices.ContainsFunc(w.port.Journal(), func(e porttest.Exchange) bool { return strings.HasSuffix(e.Path, "/datasource-entities") })
			if asked != c.asked {
				t.Errorf("Port was asked what is ours: got %v, want %v", asked, c.asked)
			}
			w.checkClean()
		})
	}
}

// What a resource leaves behind that was removed from the mapping is told once, with the kind
// that gave it where Port shows the mapping before.
func TestRemovedResourceIsTold(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.run(map[string]string{"MAPPING": repositories + `  - kind: project
    selector: {query: "true"}
    port: {entity: {mappings: {identifier: .key, title: .name, blueprint: '"bitbucketProject"'}}}
`}).check(t, 0, "success")
	w.port.Age(time.Hour)
	const told = `1 entity of blueprint "bitbucketProject", which kind "project" gave by the mapping that Port shows, is no longer mapped: to be deleted`
	plan := w.planned(map[string]string{"MAPPING": repositories})
	plan.contains(t, told, "\n- bitbucketProject/PAY\n")
	r := w.run(map[string]string{"MAPPING": repositories})
	r.check(t, 0, "success")
	r.contains(t, told)
	if w.holds("bitbucketProject", "PAY") {
		t.Error("the project is still there")
	}
	w.port.Age(time.Hour)
	if r := w.run(map[string]string{"MAPPING": repositories}); strings.Contains(r.stdout, "no longer mapped") {
		t.Errorf("told again:\n%s", r.stdout)
	}
	w.checkClean()
}
