package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/port/porttest"
)

// defaultBlueprints are in the order in which they are made; the second and third have
// relations, the third also mirrors.
var defaultBlueprints = []string{"bitbucketProject", "bitbucketRepository", "bitbucketPullRequest"}

// The integration is made, with the mapping that runs, when there is none and
// initialize_port_resources allows it.
func TestIntegrationIsCreated(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		env         map[string]string
		integration map[string]any
		want        string // title expression of its mapping; empty when there is to be none
	}{
		{"given mapping", map[string]string{"MAPPING": titled("given")}, nil, `"given"`},
		{"default mapping", nil, nil, ".name"},
		{"not wanted", map[string]string{"MAPPING": titled("given"), "INITIALIZE_PORT_RESOURCES": "false"}, nil, ""},
		{"there already", map[string]string{"MAPPING": titled("given")}, map[string]any{"config": stored("integration")}, `"integration"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			if tt.integration != nil {
				w.port.PutIntegration(identifier, tt.integration)
			}
			w.run(tt.env).check(t, 0, "success")
			integration, ok := w.port.Integration(identifier)
			if ok != (tt.want != "") {
				t.Fatalf("got an integration: %v, want %v", ok, tt.want != "")
			}
			if ok && titleOf(t, integration) != tt.want {
				t.Errorf("the integration's mapping has title %s, want %s", titleOf(t, integration), tt.want)
			}
			w.checkClean()
		})
	}
}

// titleOf is the title expression of the first resource.
func titleOf(t *testing.T, integration map[string]any) string {
	t.Helper()
	config, _ := integration["config"].(map[string]any)
	resources, _ := config["resources"].([]any)
	if len(resources) == 0 {
		t.Fatalf("the integration has no mapping: %v", integration)
	}
	v := resources[0]
	for _, key := range []string{"port", "entity", "mappings", "title"} {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	title, _ := v.(string)
	return title
}

// An integration that Port does not take is a warning: the run does not need it.
func TestIntegrationIsRefused(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.offContract()
	w.port.Fault(porttest.Fault{Method: http.MethodPost, Path: "/v1/integration", Status: http.StatusForbidden, Body: `{"ok":false}`})
	r := w.run(map[string]string{"MAPPING": repositories})
	r.check(t, 0, "success")
	r.contains(t, "WARNING the integration will not show on Port's Data sources page")
}

// The default blueprints are made for the default mapping alone, and when none of the
// three is there.
func TestDefaultBlueprints(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		env         map[string]string
		there       bool // one of them
		integration map[string]any
		want        bool
	}{
		{"default mapping", nil, false, nil, true},
		{"not wanted", map[string]string{"INITIALIZE_PORT_RESOURCES": "false"}, false, nil, false},
		{"given mapping", map[string]string{"MAPPING": repositories}, false, nil, false},
		{"stored mapping", nil, false, map[string]any{"config": stored("x")}, false},
		{"one is there", nil, true, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, smallBitbucket())
			if tt.there {
				w.port.AddBlueprint(porttest.DefaultBlueprints()[0])
			}
			if tt.integration != nil {
				w.port.PutIntegration(identifier, tt.integration)
			}
			r := w.run(tt.env)
			_, got := w.port.Blueprint("bitbucketPullRequest")
			if got != tt.want {
				t.Errorf("got default blueprints: %v, want %v\n%s%s", got, tt.want, r.stdout, r.stderr)
			}
			if !tt.want {
				return
			}
			r.check(t, 0, "success")
			checkBuilding(t, w.port.CatalogWrites())
			w.checkClean()
		})
	}
}

// checkBuilding expects bare blueprints first, what names others later, in any order, and then
// what is calculated of that.
func checkBuilding(t *testing.T, writes []porttest.Exchange) {
	t.Helper()
	var bare, related []string
	for _, x := range writes {
		switch {
		case x.Method == http.MethodPost && x.Path == "/v1/blueprints":
			for _, key := range []string{`"relations"`, `"mirrorProperties"`, `"calculationProperties"`, `"aggregationProperties"`} {
				if strings.Contains(string(x.RequestBody), key) {
					t.Errorf("a blueprint is created with %s", key)
				}
			}
			if len(related) > 0 {
				t.Error("a blueprint is created after a relation was")
			}
			bare = append(bare, x.Path)
		case x.Method == http.MethodPatch:
			related = append(related, strings.TrimPrefix(x.Path, "/v1/blueprints/"))
		}
	}
	if len(bare) != len(defaultBlueprints) {
		t.Errorf("got %d blueprints created, want %d", len(bare), len(defaultBlueprints))
	}
	slices.Sort(related[:min(2, len(related))])
	slices.Reverse(related[:min(2, len(related))])
	if diff := cmp.Diff(related, append(slices.Clone(defaultBlueprints[1:]), "bitbucketPullRequest")); diff != "" {
		t.Errorf("blueprints related (-got +want):\n%s", diff)
	}
}

// Whichever step fails, and however, nothing of the default blueprints is left, the run
// fails, and Bitbucket is not asked.
func TestRollback(t *testing.T) {
	t.Parallel()
	const blueprints, one = "/v1/blueprints", "/v1/blueprints/*"
	tests := []struct {
		name  string
		fault porttest.Fault
	}{
		{"first creation refused", porttest.Fault{Method: http.MethodPost, Path: blueprints, Status: 422}},
		{"second creation refused", porttest.Fault{Method: http.MethodPost, Path: blueprints, Nth: 2, Status: 422}},
		{"third creation refused", porttest.Fault{Method: http.MethodPost, Path: blueprints, Nth: 3, Status: 422}},
		{"creation done, answer lost", porttest.Fault{Method: http.MethodPost, Path: blueprints, Nth: 2, DropConnection: true, Apply: true}},
		{"creation done, answer 408", porttest.Fault{Method: http.MethodPost, Path: blueprints, Nth: 1, Status: 408, Apply: true}},
		{"creation done, answer 499", porttest.Fault{Method: http.MethodPost, Path: blueprints, Nth: 1, Status: 499, Apply: true}},
		{"creation done, answer 502", porttest.Fault{Method: http.MethodPost, Path: blueprints, Nth: 3, Status: 502, Apply: true}},
		{"first relation refused", porttest.Fault{Method: http.MethodPatch, Path: one, Status: 422}},
		{"second relation refused", porttest.Fault{Method: http.MethodPatch, Path: one, Nth: 2, Status: 422}},
		{"calculation refused", porttest.Fault{Method: http.MethodPatch, Path: one, Nth: 3, Status: 422}},
		{"relation done, answer lost", porttest.Fault{Method: http.MethodPatch, Path: one, Nth: 2, DropConnection: true, Apply: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, smallBitbucket())
			w.offContract()
			fired := w.port.Fault(tt.fault)
			r := w.run(nil)
			if fired() != 1 {
				t.Fatalf("the fault happened %d times, want once", fired())
			}
			r.check(t, 1, "failed")
			r.contains(t, "create the default blueprints: ")
			for _, id := range defaultBlueprints {
				if _, left := w.port.Blueprint(id); left {
					t.Errorf("blueprint %q is left", id)
				}
			}
			if n := w.bitbucket.Requests(); n > 0 {
				t.Errorf("got %d requests to Bitbucket, want none", n)
			}
			if _, ok := w.port.Integration(identifier); ok {
				t.Error("an integration was created")
			}
		})
	}
}

// A run that is killed while it makes the default blueprints is finished by the next.
func TestBlueprintsOfAKilledRun(t *testing.T) {
	t.Parallel()
	whole := newWorld(t, smallBitbucket())
	whole.run(nil).check(t, 0, "success")
	for step := range 6 { // three creations, three completions
		t.Run(fmt.Sprintf("killed before step %d", step+1), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, smallBitbucket())
			w.offContract()
			var steps atomic.Int64
			match := func(r *http.Request, _ []byte) bool {
				return r.Method == http.MethodDelete || steps.Add(1) > int64(step)
			}
			for _, path := range []string{"/v1/blueprints", "/v1/blueprints/*"} {
				for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodDelete} {
					w.port.Fault(porttest.Fault{Method: method, Path: path, Times: -1, Status: http.StatusForbidden, Match: match})
				}
			}
			w.run(nil).check(t, 1, "failed")
			w.port.ClearFaults()
			w.run(nil).check(t, 0, "success")
			for _, id := range defaultBlueprints {
				got, _ := w.port.Blueprint(id)
				want, _ := whole.port.Blueprint(id)
				for _, b := range []any{got, want} {
					if b, ok := b.(map[string]any); ok {
						delete(b, "createdAt")
						delete(b, "updatedAt")
					}
				}
				if diff := cmp.Diff(got, want); diff != "" {
					t.Errorf("blueprint %s (-got +want):\n%s", id, diff)
				}
			}
		})
	}
}

// A signal while the blueprints are made: what was made is rolled back all the same.
func TestRollbackAfterSignal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := virtualWithoutBlueprints(t, smallBitbucket())
		hangs := w.port.Fault(porttest.Fault{Method: http.MethodPost, Path: "/v1/blueprints", Delay: time.Hour, Match: func(_ *http.Request, body []byte) bool {
			return strings.Contains(string(body), `"bitbucketProject"`)
		}})
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		signal := time.AfterFunc(time.Second, func() {
			if _, made := w.port.Blueprint("bitbucketRepository"); made {
				stop()
			}
		})
		defer signal.Stop()
		r := w.runContext(ctx, nil)
		r.check(t, 1, "failed")
		r.contains(t, "stopped by a signal")
		if hangs() != 1 {
			t.Error("no creation was under way")
		}
		for _, id := range defaultBlueprints {
			if _, left := w.port.Blueprint(id); left {
				t.Errorf("blueprint %q is left", id)
			}
		}
	})
}

// Port says once that there is no integration: the default mapping must not run in the
// place of the one that is stored, for what that has made would be stale.
func TestIntegrationIsThereAfterAll(t *testing.T) {
	t.Parallel()
	for name, times := range map[string]int{"once": 1, "always": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, smallBitbucket())
			w.offContract()
			w.port.AddBlueprint(`{"identifier":"service","title":"Service","schema":{"properties":{},"required":[]}}`)
			w.port.PutEntity("service", porttest.Entity{Identifier: "stale", Datasource: datasource})
			w.port.Age(time.Minute)
			w.port.PutIntegration(identifier, map[string]any{"config": stored("service")})
			w.port.Fault(porttest.Fault{Method: http.MethodGet, Path: "/v1/integration/*", Times: times, Status: http.StatusNotFound, Body: `{"ok":false,"error":"not_found"}`})
			r := w.run(nil)
			r.check(t, 1, "failed")
			r.contains(t, `ERROR integration "`+identifier+`" was not there when it was read, and is when it is to be made`)
			if n := w.bitbucket.Requests(); n > 0 {
				t.Errorf("got %d requests to Bitbucket, want none", n)
			}
			if _, made := w.port.Blueprint("bitbucketProject"); made || !w.holds("service", "stale") {
				t.Error("the blueprints or the entities are not as they were")
			}
		})
	}
}

// The default mapping stands in for one that is not known, where Port holds what another
// may have made: it deletes nothing, and is not shown as the integration's own.
func TestDefaultMappingOverAnother(t *testing.T) {
	t.Parallel()
	const guard = "the built-in default mapping ran instead of one that is not known"
	for _, tt := range []struct {
		name   string
		env    map[string]string
		record map[string]any // nil for none
	}{
		{"no record", map[string]string{"INITIALIZE_PORT_RESOURCES": "false"}, nil},
		{"a record that is made now", nil, nil},
		{"an empty configuration", nil, map[string]any{"config": map[string]any{}}},
		{"no configuration", nil, map[string]any{"config": nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.addStale()
			if tt.record != nil {
				w.port.PutIntegration(identifier, tt.record)
			}
			for run := range 2 { // the first one must not make it known
				r := w.run(tt.env)
				r.check(t, 0, "success")
				r.contains(t, guard)
				if !w.holds("bitbucketRepository", "stale") {
					t.Fatalf("run %d: an entity of another mapping is deleted", run)
				}
				w.port.Age(time.Minute)
			}
			if config := w.port.DataSource(identifier).Config; tt.env == nil && len(resourcesOf(config)) > 0 {
				t.Errorf("the page shows the stand-in: %v", config)
			}
			r := w.run(map[string]string{"MAPPING": string(defaultMapping(t)), "INITIALIZE_PORT_RESOURCES": "false"})
			r.check(t, 0, "success")
			if w.holds("bitbucketRepository", "stale") {
				t.Errorf("a mapping that is given does not delete what is stale\n%s", r.stdout)
			}
		})
	}
}

func resourcesOf(config any) []any {
	m, _ := config.(map[string]any)
	all, _ := m["resources"].([]any)
	return all
}

func defaultMapping(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../examples/default-mapping.yml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A default mapping that made all that Port holds stands in for itself: it becomes the
// integration's own, as after a first run that was killed before it was.
func TestDefaultMappingStandsInForItself(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.run(map[string]string{"PUBLISH_MAPPING": "never"}).check(t, 0, "success")
	if config := w.port.DataSource(identifier).Config; len(resourcesOf(config)) > 0 {
		t.Fatalf("the first run shows its mapping: %v", config)
	}
	w.port.Age(time.Minute)
	w.run(nil).check(t, 0, "success")
	if config := w.port.DataSource(identifier).Config; len(resourcesOf(config)) == 0 {
		t.Error("the page shows no mapping")
	}
}

// Another's blueprint of the same name, made at the same moment, is not rolled back.
func TestRollbackLeavesOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, smallBitbucket())
	w.offContract()
	taken := func(_ *http.Request, body []byte) bool { // several are made side by side, in any order
		var blueprint struct{ Identifier string }
		return json.Unmarshal(body, &blueprint) == nil && blueprint.Identifier == "bitbucketRepository"
	}
	w.port.Fault(porttest.Fault{Method: http.MethodPost, Path: "/v1/blueprints", Match: taken, Status: http.StatusConflict, Body: `{"ok":false,"error":"identifier_taken"}`})
	w.run(nil).check(t, 1, "failed")
	deleted := slices.ContainsFunc(w.port.Journal(), func(x porttest.Exchange) bool {
		return x.Method == http.MethodDelete && x.Path == "/v1/blueprints/bitbucketRepository"
	})
	if deleted {
		t.Error("a blueprint that this run did not create was deleted")
	}
}

// What cannot be rolled back is told.
func TestRollbackFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, smallBitbucket())
	w.offContract()
	w.port.Fault(porttest.Fault{Method: http.MethodPatch, Path: "/v1/blueprints/*", Status: http.StatusUnprocessableEntity})
	w.port.Fault(porttest.Fault{Method: http.MethodDelete, Path: "/v1/blueprints/*", Status: http.StatusForbidden})
	r := w.run(nil)
	r.check(t, 1, "failed")
	r.contains(t, `not rolled back: delete blueprint "bitbucketPullRequest"`)
}

// A selector with a mistake, which finds nothing, does not become known by running: it
// deletes nothing in the next run either.
func TestMistakeIsNotPublished(t *testing.T) {
	t.Parallel()
	files := func(name string) string {
		return `
entityDeletionThreshold: 1
resources:
  - kind: file
    selector: {query: 'true', files: [{path: "` + name + `"}]}
    port: {entity: {mappings: {identifier: .repo.slug, title: .repo.slug, blueprint: '"bitbucketRepository"'}}}`
	}
	for _, publish := range []string{"always", "if-empty"} {
		t.Run(publish, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			env := func(name string) map[string]string {
				return map[string]string{"MAPPING": files(name), "PUBLISH_MAPPING": publish}
			}
			w.run(env("README.md")).check(t, 0, "success")
			for range 3 {
				w.port.Age(time.Minute)
				r := w.run(env("REDAME.md"))
				r.check(t, 0, "success")
				r.contains(t, "finds nothing, and earlier runs are not known to have had its selector")
			}
			if !w.holds("bitbucketRepository", "ledger") {
				t.Error("a mistake has deleted the entities")
			}
			w.port.Age(time.Minute)
			w.run(env("README.md")).check(t, 0, "success")
			w.bitbucket.RemoveFile("ledger", "README.md")
			w.port.Age(time.Minute)
			w.run(env("README.md")).check(t, 0, "success")
			if w.holds("bitbucketRepository", "ledger") {
				t.Error("the entity of a file that is gone stays")
			}
		})
	}
}

// Where Port has no list of what an integration owns, its blueprints are asked for that.
func TestDefaultMappingWithoutTheList(t *testing.T) {
	t.Parallel()
	for _, holds := range []bool{false, true} {
		t.Run(fmt.Sprint("holds something: ", holds), func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.offContract() // the list is not documented, and neither is that it is gone
			if holds {
				w.addStale()
			}
			w.port.Fault(porttest.Fault{Path: "/v1/blueprints/entities/datasource-entities", Status: http.StatusNotFound, Times: -1})
			r := w.run(nil)
			r.check(t, 0, "success")
			if shown := len(resourcesOf(w.port.DataSource(identifier).Config)) > 0; shown == holds {
				t.Errorf("the page shows the default mapping: %t, want %t\n%s%s", shown, !holds, r.stdout, r.stderr)
			}
			if holds && !w.holds("bitbucketRepository", "stale") {
				t.Error("an entity of another mapping is deleted")
			}
		})
	}
}
