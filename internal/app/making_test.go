package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/port/porttest"
)

// documents returns the blueprints of a file by identifier, as Port keeps them.
func documents(t *testing.T, text string) map[string]map[string]any {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for _, doc := range list {
		all[doc["identifier"].(string)] = kept(doc)
	}
	return all
}

// kept is a blueprint without what Port adds.
func kept(doc map[string]any) map[string]any {
	doc = maps.Clone(doc)
	for _, key := range []string{"createdAt", "createdBy", "updatedAt", "updatedBy"} {
		delete(doc, key)
	}
	for _, key := range []string{"relations", "mirrorProperties", "calculationProperties", "aggregationProperties"} {
		if v, ok := doc[key].(map[string]any); !ok || len(v) == 0 {
			delete(doc, key)
		}
	}
	return doc
}

// stands compares the blueprints of a file with those in Port.
func (w *world) stands(text string) {
	w.t.Helper()
	for id, want := range documents(w.t, text) {
		got, _ := w.port.Blueprint(id)
		text, err := json.Marshal(got)
		var doc map[string]any
		if err = errors.Join(err, json.Unmarshal(text, &doc)); err != nil {
			w.t.Fatal(err)
		}
		if diff := cmp.Diff(kept(doc), want); diff != "" {
			w.t.Errorf("blueprint %s (-got +want):\n%s", id, diff)
		}
	}
}

// blueprintWrites are the requests that changed blueprints.
func (w *world) blueprintWrites() (all []string) {
	for _, x := range w.port.Writes() {
		if x.Route == "/v1/blueprints" || x.Route == "/v1/blueprints/{identifier}" {
			var body struct{ Identifier string }
			_ = json.Unmarshal(x.RequestBody, &body) // a deletion has none
			all = append(all, fmt.Sprint(x.Method, " ", strings.TrimPrefix(strings.TrimPrefix(x.Path, "/v1/blueprints"), "/")+body.Identifier))
		}
	}
	return all
}

// A plan names the blueprints that a sync makes, and counts what it would write to them; a
// sync makes them in the order of their relations, and the next one finds them.
func TestBlueprintsOfAFile(t *testing.T) {
	t.Parallel()
	w := bpWorld(t, offeredBlueprints, serviceMapping("size"))
	r := w.planned(nil)
	r.check(t, 0, "success")
	r.contains(t, "a sync would create 3 blueprints of blueprints.json: service, team, domain")
	if n := r.number(t, "entities_created"); n != 3 {
		t.Errorf("a plan creates %d entities, want 3", n)
	}
	w.run(nil).check(t, 0, "success")
	w.stands(offeredBlueprints)
	want := []string{"POST team", "POST domain", "POST service", "PATCH team", "PATCH domain", "PATCH service"}
	if diff := cmp.Diff(w.blueprintWrites(), want); diff != "" {
		t.Errorf("writes (-got +want):\n%s", diff)
	}
	if !w.holds("service", "checkout") {
		t.Error("no entity was written")
	}
	w.port.ResetJournal()
	w.run(nil).check(t, 0, "success")
	r = w.planned(nil)
	if strings.Contains(r.stdout, "would create") || len(w.blueprintWrites()) > 0 {
		t.Errorf("what is there is made again: %v\n%s", w.blueprintWrites(), r.stdout)
	}
	w.checkClean()
}

// What Port has is left as it is, however the file has it.
func TestBlueprintsThatAreThere(t *testing.T) {
	t.Parallel()
	w := bpWorld(t, offeredBlueprints, serviceMapping("other"))
	const mine = `{"identifier":"service","title":"Another","schema":{"properties":{"other":{"type":"number"}}}}`
	w.port.AddBlueprint(mine)
	w.run(nil).check(t, 0, "success")
	w.stands("[" + mine + "]")
	// What the domain counts is there: it is whole at once.
	if diff := cmp.Diff(w.blueprintWrites(), []string{"POST team", "POST domain", "PATCH team"}); diff != "" {
		t.Errorf("writes (-got +want):\n%s", diff)
	}
}

// Which blueprints are there is asked for one by one where the list cannot be read.
func TestBlueprintsWithoutAList(t *testing.T) {
	t.Parallel()
	w := bpWorld(t, offeredBlueprints, serviceMapping("size"))
	w.offContract()
	w.port.Fault(porttest.Fault{Method: http.MethodGet, Path: "/v1/blueprints", Times: -1, Status: http.StatusForbidden})
	w.run(nil).check(t, 0, "success")
	w.stands(offeredBlueprints)
}

// When one cannot be read, nothing is made: it may be there.
func TestBlueprintsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := bpWorld(t, offeredBlueprints, serviceMapping("size"))
	w.offContract()
	w.port.Fault(porttest.Fault{Method: http.MethodGet, Path: "/v1/blueprints/team", Times: -1, Status: http.StatusForbidden})
	r := w.run(nil)
	r.check(t, 1, "failed")
	r.contains(t, `read blueprint "team"`)
	if n := w.bitbucket.Requests(); n > 0 || len(w.port.Writes()) > 0 {
		t.Errorf("got %d requests to Bitbucket and %d writes, want none", n, len(w.port.Writes()))
	}
}

// So it is with one that the file relates to.
func TestBlueprintsOfOthersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := bpWorld(t, `[{"identifier": "service", "title": "Service", "schema": {"properties": {"size": {"type": "number"}}},
		"relations": {"owner": {"title": "Owner", "target": "person", "many": false, "required": false}}}]`, serviceMapping("size"))
	w.offContract()
	w.port.AddBlueprint(`{"identifier": "person", "title": "Person", "schema": {"properties": {}}}`)
	w.port.Fault(porttest.Fault{Method: http.MethodGet, Path: "/v1/blueprints", Times: -1, Status: http.StatusForbidden})
	w.port.Fault(porttest.Fault{Method: http.MethodGet, Path: "/v1/blueprints/person", Times: -1, Status: http.StatusForbidden})
	r := w.run(nil)
	r.check(t, 1, "failed")
	r.contains(t, `read blueprint "person"`)
	if n := w.bitbucket.Requests(); n > 0 || len(w.port.Writes()) > 0 {
		t.Errorf("got %d requests to Bitbucket and %d writes, want none", n, len(w.port.Writes()))
	}
}

// Whichever step fails, nothing of the blueprints is left, and Bitbucket is not asked.
func TestBlueprintsAreTakenBack(t *testing.T) {
	t.Parallel()
	const blueprints, one = "/v1/blueprints", "/v1/blueprints/*"
	var tests []porttest.Fault
	for nth := range 3 {
		for _, f := range []porttest.Fault{{Status: 422}, {Status: 502, Apply: true}, {DropConnection: true, Apply: true}} {
			f.Nth = nth + 1
			f.Method, f.Path = http.MethodPost, blueprints
			tests = append(tests, f)
			f.Method, f.Path = http.MethodPatch, one
			tests = append(tests, f)
		}
	}
	for _, fault := range tests {
		t.Run(fmt.Sprint(fault.Method, fault.Nth, " ", fault.Status), func(t *testing.T) {
			t.Parallel()
			w := bpWorld(t, offeredBlueprints, serviceMapping("size"))
			w.offContract()
			fired := w.port.Fault(fault)
			r := w.run(nil)
			if fired() != 1 {
				t.Fatalf("the fault happened %d times, want once", fired())
			}
			r.check(t, 1, "failed")
			for id := range documents(t, offeredBlueprints) {
				if _, left := w.port.Blueprint(id); left {
					t.Errorf("blueprint %q is left\n%s", id, r.stdout)
				}
			}
			if n := w.bitbucket.Requests(); n > 0 {
				t.Errorf("got %d requests to Bitbucket, want none", n)
			}
			if fault.Status == 422 {
				r.contains(t, "create the blueprints of blueprints.json: ", "correct the blueprint in blueprints.json:")
			}
		})
	}
}

// They are taken back too when the run cannot go on after they are made.
func TestBlueprintsBeforeAnIntegrationThatIsThere(t *testing.T) {
	t.Parallel()
	w := bpWorld(t, strings.ReplaceAll(offeredBlueprints, `"target": "domain"`, `"target": "bitbucketRepository"`), "")
	w.offContract()
	w.port.PutIntegration(identifier, map[string]any{"config": stored("service")})
	w.port.Fault(porttest.Fault{Method: http.MethodGet, Path: "/v1/integration/*", Status: http.StatusNotFound, Body: `{"ok":false,"error":"not_found"}`})
	r := w.run(nil)
	r.check(t, 1, "failed")
	r.contains(t, "was not there when it was read")
	for _, id := range append(defaultBlueprints, "service", "team", "domain") {
		if _, left := w.port.Blueprint(id); left {
			t.Errorf("blueprint %q is left", id)
		}
	}
	if made := w.blueprintWrites(); !slices.Contains(made, "POST service") || !slices.Contains(made, "POST bitbucketProject") {
		t.Errorf("they were not made: %v", made)
	}
}

// A run that is killed while it makes the blueprints is finished by the next.
func TestBlueprintsOfAFileAfterAKilledRun(t *testing.T) {
	t.Parallel()
	for step := range 6 {
		t.Run(fmt.Sprintf("killed before step %d", step+1), func(t *testing.T) {
			t.Parallel()
			w := bpWorld(t, offeredBlueprints, serviceMapping("size"))
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
			w.planned(nil).check(t, 0, "success")
			w.run(nil).check(t, 0, "success")
			w.stands(offeredBlueprints)
		})
	}
}

// One that somebody else makes at the same moment is left to them.
func TestBlueprintThatAnotherMakes(t *testing.T) {
	t.Parallel()
	w := bpWorld(t, offeredBlueprints, serviceMapping("size"))
	w.offContract()
	theirs := `{"identifier":"domain","title":"Theirs","schema":{"properties":{}}}`
	w.port.Fault(porttest.Fault{Method: http.MethodPost, Path: "/v1/blueprints", Status: http.StatusConflict, Match: func(_ *http.Request, body []byte) bool {
		if !strings.Contains(string(body), `"Domain`) {
			return false
		}
		w.port.AddBlueprint(theirs)
		return true
	}})
	w.run(nil).check(t, 0, "success")
	w.stands("[" + theirs + "]")
	if slices.Contains(w.blueprintWrites(), "PATCH domain") {
		t.Error("the blueprint of another is changed")
	}
}

// What the blueprints or the mapping lack is told before anything is written or read.
func TestBlueprintsThatDoNotFit(t *testing.T) {
	t.Parallel()
	const bare = `{"identifier": "service", "title": "Service", "schema": {"properties": {"size": {"type": "number"}}}`
	for _, tt := range []struct {
		name, blueprints, mapping string
		env                       map[string]string
		want                      []string
	}{
		{"a target that nobody has", "[\n  " + bare + `,
   "relations": {"team": {"target": "taem", "required": false, "many": false}}},
  {"identifier": "team", "title": "Team", "schema": {"properties": {}}}]`, serviceMapping("size"), nil,
			[]string{`blueprints.json:3:37: blueprint "service": relations.team.target: neither Port nor the file has a blueprint "taem"`, `fix: did you mean "team"? Else add it to the file, or remove what leads to it`}},
		{"a property that it lacks", "[" + bare + "}]", serviceMapping("siez"), nil,
			[]string{`mapping (input):11:30: resource 1 (repository): property "siez": blueprint "service" has no such property`, `fix: did you mean "size"? Else add it to the blueprint, in blueprints.json:1:2, or correct the name here`}},
		{"a blueprint that nobody has", `[{"identifier": "services", "title": "S", "schema": {"properties": {}}}]`, serviceMapping("size"), nil,
			[]string{`Port has no blueprint "service"`, `fix: did you mean "services"? Else add it to blueprints.json, or create it in Port's builder`}},
		{"it is not to be made", "[" + bare + "}]", serviceMapping("size"), map[string]string{"INITIALIZE_PORT_RESOURCES": "false"},
			[]string{`Port has no blueprint "service"`, "fix: set initialize_port_resources to true: then it is created of blueprints.json", "initialize_port_resources is false: no blueprint is created"}},
		{"no JSON", "[" + bare + "},]", serviceMapping("size"), nil, []string{"blueprints.json:1:103: is not JSON: a comma follows the last"}},
		{"all of it", `[{"identifier": 7}]`, strings.Replace(repositories, "kind: repository", "kind: nothing", 1), nil,
			[]string{"the mapping is wrong:", `unknown kind "nothing"`, "the blueprints are wrong:", "blueprint 1: identifier: must be a text, and is a number", `"schema" is missing`}},
		{"no file", "", serviceMapping("size"), map[string]string{"BLUEPRINTS_FILE": "none.json"}, []string{"none.json: the blueprints cannot be read: ", "give a path from the working directory"}},
	} {
		for _, mode := range []string{"sync", "plan"} {
			t.Run(tt.name+", "+mode, func(t *testing.T) {
				t.Parallel()
				w := bpWorld(t, tt.blueprints, tt.mapping)
				env := map[string]string{"MODE": mode}
				maps.Copy(env, tt.env)
				r := w.run(env)
				r.check(t, 2, "failed")
				r.contains(t, tt.want...)
				if n := w.bitbucket.Requests(); n > 0 {
					t.Errorf("got %d requests to Bitbucket, want none", n)
				}
				for _, x := range w.port.Writes() {
					t.Errorf("a write: %s %s", x.Method, x.Path)
				}
				w.checkClean()
			})
		}
	}
}

// The default blueprints are made before those of the file, which may relate to them; where
// the file has one of them, all are taken from the file.
func TestBlueprintsBesideTheDefaultOnes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../examples/blueprints.json")
	if err != nil {
		t.Fatal(err)
	}
	related := `[{"identifier":"service","title":"Service","schema":{"properties":{}},"relations":{"repository":{"target":"bitbucketRepository","required":false,"many":false}}}]`
	for name, file := range map[string]string{"related": related, "the same": string(text)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := bpWorld(t, file, "")
			r := w.planned(nil)
			r.check(t, 0, "success")
			r.contains(t, "a sync would create ")
			w.run(nil).check(t, 0, "success")
			w.stands(file)
			w.stands(string(text))
			w.checkClean()
		})
	}
}

// Where the file has one of the default blueprints, the others are not made without it.
func TestBlueprintsInThePlaceOfDefaultOnes(t *testing.T) {
	t.Parallel()
	w := bpWorld(t, `[{"identifier": "bitbucketRepository", "title": "Mine", "schema": {"properties": {}}}]`, "")
	r := w.run(nil)
	r.check(t, 2, "failed")
	r.contains(t, `Port has no blueprint "bitbucketProject"`, "fix: add it to blueprints.json, or create it in Port's builder", "its JSON is in examples/blueprints.json")
	if n := w.bitbucket.Requests(); n > 0 || len(w.port.Writes()) > 0 {
		t.Errorf("got %d requests to Bitbucket and %d writes, want none", n, len(w.port.Writes()))
	}
}
