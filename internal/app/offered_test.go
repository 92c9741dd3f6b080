package app_test

import (
	"strings"
	"testing"
)

// offeredBlueprints come in no good order: service relates to team, team to itself and, in a
// circle, to domain, and domain counts services.
const offeredBlueprints = `[
  {"identifier": "service", "title": "Service", "icon": "Microservice",
   "schema": {"properties": {"tier": {"type": "number", "default": 3}, "size": {"type": "number"}}, "required": []},
   "relations": {"team": {"target": "team", "required": false, "many": false}},
   "mirrorProperties": {"domain": {"path": "team.domain.$title"}},
   "calculationProperties": {"double": {"calculation": ".properties.tier * 2", "type": "number"}}},
  {"identifier": "team", "title": "Team", "schema": {"properties": {}},
   "relations": {"domain": {"target": "domain", "required": false, "many": false}, "parent": {"target": "team", "required": false, "many": false}},
   "createdAt": "2026-01-01T00:00:00.000Z", "createdBy": "somebody"},
  {"identifier": "domain", "title": "Domain", "schema": {"properties": {}},
   "relations": {"home": {"target": "team", "required": false, "many": false}},
   "aggregationProperties": {"services": {"title": "Services", "target": "service", "calculationSpec": {"func": "count", "calculationBy": "entities"}}}}
]`

// serviceMapping maps repositories to the blueprint service, each with a property.
func serviceMapping(property string) string {
	return strings.NewReplacer("bitbucketRepository", "service").Replace(repositories) + "          properties: {" + property + ": .size}\n"
}

// bpWorld is one with a file of blueprints and a mapping.
func bpWorld(t *testing.T, blueprints, mapping string) *world {
	t.Helper()
	w := newWorld(t, smallBitbucket())
	w.write("blueprints.json", blueprints)
	w.env["BLUEPRINTS_FILE"], w.env["MAPPING"] = "blueprints.json", mapping
	return w
}

// The blueprints are checked without a network, along with the mapping, and each problem is
// told on its line: as text, as an annotation and for code scanning.
func TestValidateBlueprints(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, blueprints, mapping string
		exit                      int
		want                      []string
	}{
		{"all is well", offeredBlueprints, serviceMapping("size"), 0, []string{"success: no problem in mapping.yml and blueprints.json"}},
		{"one that Port may have", strings.ReplaceAll(offeredBlueprints, `"target": "domain"`, `"target": "area"`), serviceMapping("size"), 0,
			[]string{`blueprints.json:8:39: blueprint "team": relations.domain.target: blueprint "area" is not in the file`, "success: 1 note in "}},
		{"no JSON", "[\n  {\"identifier\": service}]", serviceMapping("size"), 2, []string{"blueprints.json:2:18: is not JSON: ", "failed: 1 error in mapping.yml and blueprints.json"}},
		{"twice", `[{"identifier": "a", "title": "A", "schema": {"properties": {}}}, {"identifier": "a", "title": "A", "schema": {"properties": {}}}]`, serviceMapping("size"), 2,
			[]string{`blueprints.json:1:82: blueprint "a": identifier: is that of the blueprint in line 1 too`}},
		{"what the blueprint lacks", offeredBlueprints, serviceMapping("siez"), 2, []string{`mapping.yml:11:30: resource 1 (repository): property "siez": blueprint "service" has no such property`, `did you mean "size"?`}},
		{"what Port works out", offeredBlueprints, serviceMapping("double"), 2, []string{`property "double": Port works it out itself`}},
		{"a relation that the blueprint lacks", offeredBlueprints, serviceMapping("size") + "          relations: {owner: .owner.uuid}\n", 2, []string{`relation "owner": blueprint "service" has no such relation`}},
		{"both", "[{}]", strings.Replace(repositories, "kind: repository", "kind: nothing", 1), 2, []string{`"title" is missing`, `unknown kind "nothing"`}},
		{"of a blueprint that is not in the file", `[{"identifier": "a", "title": "A", "schema": {"properties": {}}}]`, serviceMapping("siez"), 0, []string{"success: no problem"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, smallBitbucket())
			w.write("blueprints.json", tt.blueprints)
			w.write("mapping.yml", tt.mapping)
			r := w.run(map[string]string{"MODE": "validate", "MAPPING_FILE": "mapping.yml", "BLUEPRINTS_FILE": "blueprints.json", "SARIF_FILE": "out.sarif"})
			r.check(t, tt.exit, map[int]string{0: "success", 2: "failed"}[tt.exit])
			r.contains(t, tt.want...)
			if sarif := w.read("out.sarif"); strings.Contains(r.stdout, "\nblueprints.json:") != strings.Contains(sarif, `"uri": "blueprints.json"`) {
				t.Errorf("the log and SARIF do not tell the same of the file:\n%s\n%s", r.stdout, sarif)
			}
			w.checkRequests(0, 0)
		})
	}
}

// On GitHub a problem of the blueprints stands on their line.
func TestAnnotationsOfBlueprints(t *testing.T) {
	t.Parallel()
	w := bpWorld(t, `[{"identifier": "a", "title": "A", "schema": {}}]`, repositories)
	w.github()
	r := w.run(map[string]string{"MODE": "validate"})
	r.check(t, 2, "failed")
	r.contains(t, "::error", "file=blueprints.json", "line=1")
}
