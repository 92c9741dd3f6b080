package faultmatrix_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// ofOtherScenes are the routes of Bitbucket on which faults fall in the other scenes.
var ofOtherScenes = []string{
	"/repositories/{workspace}", "/workspaces/{workspace}/projects", "/repositories/{workspace}/{repo_slug}/pullrequests",
	"/repositories/{workspace}/{repo_slug}/src/{commit}/{path}", "/repositories/{workspace}/{repo_slug}/refs/branches/{name}",
}

// optionalRoutes answer 404 where a repository does not have such objects.
var optionalRoutes = map[string]bool{
	"/repositories/{workspace}/{repo_slug}/pipelines/":    true,
	"/repositories/{workspace}/{repo_slug}/deployments/":  true,
	"/repositories/{workspace}/{repo_slug}/environments/": true,
}

// furtherKinds runs the examples of all kinds that have one of their own, over a workspace that has
// changed since the last run. Faults fall on the routes that no other scene has.
func furtherKinds(t *testing.T) *scene {
	s := &scene{
		name: "kinds", workspace: func() *bitbuckettest.Server {
			b := furnished()
			b.RemoveRepository("legacy")
			b.AddPipeline("gateway", bitbuckettest.Pipeline{State: "IN_PROGRESS"})
			return b
		},
		part: func(_ int, u use) bool { return u.service == ofBitbucket && !slices.Contains(ofOtherScenes, u.path) },
	}
	mapping, blueprints := examplesOfKinds(t)
	s.env = map[string]string{"MAPPING": mapping, "SEND_RAW_DATA_EXAMPLES": "false"}
	s.organization.blueprints = append(porttest.DefaultBlueprints(), `{"identifier":"_user","title":"User","schema":{"properties":{},"required":[]},"relations":{}}`)
	s.organization.blueprints = append(s.organization.blueprints, blueprints...)
	s.fill(t, furnished, func(*world) {})
	return s
}

// sharedLists has two resources of each kind whose list a repository may not have. Nothing has changed since the last run. Faults
// fall on such lists alone: what one resource heard of a list, the other ones know.
func sharedLists(t *testing.T) *scene {
	workspace := func() *bitbuckettest.Server {
		b := furnished()
		for _, slug := range []string{"checkout", "gateway", "ledger", "sandbox", "legacy"} {
			for i := range 4 { // more than a page
				name := fmt.Sprint("Preview ", i)
				b.AddEnvironment(slug, bitbuckettest.Environment{Name: name})
				b.AddDeployment(slug, bitbuckettest.Deployment{Environment: name, StartedOn: day(20)})
				b.AddPipeline(slug, bitbuckettest.Pipeline{CreatedOn: day(20)})
			}
		}
		return b
	}
	s := &scene{name: "shared lists", workspace: workspace, part: func(_ int, u use) bool { return optionalRoutes[u.path] }}
	text := "resources:\n"
	titles := map[string]string{"deployment": ".environment.name", "pipeline": ".build_number | tostring", "environment": ".name"}
	for i, kind := range []string{"environment", "pipeline", "deployment", "environment", "pipeline", "deployment"} {
		blueprint := fmt.Sprintf("%s%d", kind, i/3)
		s.organization.blueprints = append(s.organization.blueprints, `{"identifier": "`+blueprint+`", "title": "x", "schema": {"properties": {"of": {"type": "string"}}, "required": []}, "relations": {}}`)
		text += "  - {kind: " + kind + `, selector: {query: "true"}, port: {entity: {mappings: {identifier: '.__repository.slug + "/" + (.uuid | gsub("[{}]"; ""))', ` +
			"title: '" + titles[kind] + `', blueprint: '"` + blueprint + `"'}}}}` + "\n"
	}
	s.env = map[string]string{"MAPPING": text, "SEND_RAW_DATA_EXAMPLES": "false"}
	s.fill(t, workspace, func(*world) {})
	return s
}

// furnished is a small workspace with something of each kind.
func furnished() *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	for _, name := range []string{"checkout", "gateway", "ledger", "sandbox", "legacy"} {
		files := services("api")
		files[".claude/skills/release/SKILL.md"] = "---\nname: release-notes\n---\n# Steps\n"
		b.AddRepository(bitbuckettest.Repository{Name: name, Files: files})
	}
	b.SetFile("checkout", "README.md", []byte("deployed later"))
	b.Furnish()
	for _, slug := range []string{"checkout", "gateway"} {
		id := b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "A change", CreatedOn: day(1), UpdatedOn: day(2)})
		b.SetExtras(slug, id, bitbuckettest.Extras{Statuses: []bitbuckettest.Status{{Key: "build", State: "SUCCESSFUL"}}, Tasks: []string{"tests"}, Files: []int{3}})
	}
	b.SwitchPipelinesOn("ledger") // a fault of an answer that says no more than 404 is none
	return b
}

// examplesOfKinds are the resources of all examples as one mapping, with the repositories that they
// relate to before them, and all of their blueprints.
func examplesOfKinds(t *testing.T) (mapping string, blueprints []string) {
	mapping = `resources:
  - kind: repository
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: .name
          title: .name + ([.__defaultReviewers, .__branchingModel, .__headStatuses] | tostring)
          blueprint: '"bitbucketRepository"'
  - kind: pull-request
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: .destination.repository.name + "/" + (.id | tostring)
          title: .title + ([.__statuses, .__diffstat, .__tasks, .__activity] | tostring)
          blueprint: '"bitbucketPullRequest"'
`
	known := map[string]string{}
	files, err := filepath.Glob("../../examples/kinds/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples of kinds: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) == ".yml" {
			_, resources, ok := strings.Cut(string(text), "resources:\n")
			if !ok {
				t.Fatalf("%s has no resources", name)
			}
			if filepath.Base(name) == "user.yml" { // what searches is written in every run
				resources, _, _ = strings.Cut(resources, "          relations:\n")
			}
			mapping += resources
			continue
		}
		var all []json.RawMessage
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, one := range all {
			var b struct{ Identifier string }
			if err := json.Unmarshal(one, &b); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if other, ok := known[b.Identifier]; !ok {
				blueprints = append(blueprints, string(one))
			} else if other != string(one) {
				t.Errorf("%s: the blueprint %q is another one than in an example before", name, b.Identifier)
			}
			known[b.Identifier] = string(one)
		}
	}
	return mapping, blueprints
}
