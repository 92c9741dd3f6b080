package resync_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/face"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const exampleMappings = "../../examples/mappings/"

// example is a mapping that users copy, and a workspace to run it against. What it
// makes of that lies in testdata/examples.
type example struct {
	name       string
	blueprints []string // beside the default ones
	workspace  func(b *bitbuckettest.Server)
	bound      []string // the warnings before the run, a part of each
	told       []string // those of the run, and its errors
}

var examples = []example{
	{"documented-older-default", nil, company, []string{"file:// in a mapping is deprecated"}, nil},
	{"documented-projects-repositories-pull-requests", nil, company, []string{"file:// in a mapping is deprecated", `have no field "main_branch"`}, nil},
	{"documented-package-json", []string{blueprint("manifest", `"project_name":{"type":"string"},"project_version":{"type":"string"},"license":{"type":"string"}`)},
		packages, nil, []string{"different objects give the same identifier"}},
	{"documented-dependencies", []string{blueprint("package", `"package":{"type":"string"},"version":{"type":"string"}`)}, packages, nil, nil},
	{"documented-multi-document", []string{blueprint("manifestResource", `"kind":{"type":"string"},"namespace":{"type":"string"},"path":{"type":"string"}`)},
		manifests, nil, []string{"objects without an array are skipped (once: acme/cluster/none/manifests.yaml)"}},
	{"documented-monorepo", nil, monorepos, []string{"file:// in a mapping is deprecated"}, nil},
	{"documented-monorepo-folders", nil, monorepo, []string{"file:// in a mapping is deprecated"}, []string{"different objects give the same identifier"}},
	{"documented-files-of-a-repository", []string{strings.Trim(strings.TrimSpace(readFile(exampleMappings+"documented-files-of-a-repository.json")), "[]")}, monorepo, []string{`"repo" is taken for "repos"`}, nil},
	{"documented-user-role", nil, company, nil, nil},
	{"documented-repo-query", nil, company, nil, nil},
	{"documented-pull-request-query", nil, company, nil, nil},
	{"gitops-one-entity", []string{gitOps("myBlueprint"), gitOps("code_module")}, oneEntityEach, nil, nil},
	{"gitops-list", []string{gitOps("myFirstBlueprint"), gitOps("mySecondBlueprint")}, entityLists, nil, nil},
}

func blueprint(name, properties string) string {
	return `{"identifier":"` + name + `","title":"` + name + `","schema":{"properties":{` + properties + `},"required":[]},"relations":{}}`
}

func gitOps(name string) string {
	return strings.TrimSuffix(blueprint(name, `"property_a":{"type":"string"},"property_b":{"type":"number"}`), `{}}`) + `{
		"relation_a":{"title":"A","target":"` + name + `","many":false,"required":false},
		"relation_b":{"title":"B","target":"` + name + `","many":true,"required":false}}}`
}

func readFile(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// company has projects, repositories and pull requests.
func company(b *bitbuckettest.Server) {
	day := func(text string) time.Time {
		d, err := time.Parse(time.DateOnly, text)
		if err != nil {
			panic(err)
		}
		return d
	}
	b.AddProject(bitbuckettest.Project{Key: "ENG", Name: "Engineering", Description: "What we build", Private: true})
	b.AddRepository(bitbuckettest.Repository{Name: "payments", ProjectKey: "ENG", Language: "python", Files: map[string]string{"README.md": "# Payments\n"}})
	b.AddRepository(bitbuckettest.Repository{Name: "web", ProjectKey: "ENG", Language: "go", Roles: []string{"member"}})
	dana, amir := bitbuckettest.User{Name: "Dana Ruiz"}, bitbuckettest.User{Name: "Amir Haddad"}
	for _, p := range []bitbuckettest.PullRequest{
		{Title: "Retry", Author: &dana, Reviewers: []bitbuckettest.User{amir}, CreatedOn: day("2025-11-02"), UpdatedOn: day("2025-11-03")},
		{Title: "Merged lately", Author: &amir, State: "MERGED", CreatedOn: day("2025-12-01"), UpdatedOn: day("2025-12-20")},
		{Title: "Merged long ago", Author: &amir, State: "MERGED", CreatedOn: day("2025-11-01"), UpdatedOn: day("2025-12-01")},
		{Title: "Declined", Author: &amir, State: "DECLINED", CreatedOn: day("2025-12-01"), UpdatedOn: day("2025-12-20")},
	} {
		b.AddPullRequest("payments", p)
	}
}

// packages has a package.json in the roots of three repositories.
func packages(b *bitbuckettest.Server) {
	b.AddRepository(bitbuckettest.Repository{Name: "MyRepo", Files: map[string]string{
		"package.json": `{"name": "shop", "version": "1.2.0", "license": "MIT",
			"dependencies": {"left-pad": "1.3.0", "@types/node": "^20.1.0"}}`,
		"web/package.json": `{"name": "below the root"}`,
		"my-package.json":  `{"name": "another name"}`,
	}})
	b.AddRepository(bitbuckettest.Repository{Name: "MyOtherRepo", Files: map[string]string{
		"package.json": `{"name": "cart", "version": "0.9.1"}`}})
	b.AddRepository(bitbuckettest.Repository{Name: "another", Files: map[string]string{"package.json": `{"name": "not named"}`}})
}

func manifests(b *bitbuckettest.Server) {
	b.AddRepository(bitbuckettest.Repository{Name: "cluster", Files: map[string]string{
		"prod/manifests.yaml": "kind: Deployment\nmetadata: {name: checkout, namespace: prod}\n---\n" +
			"kind: Service\nmetadata: {name: checkout, namespace: prod}\n",
		"staging/manifests.yaml": "kind: Namespace\nmetadata: {name: staging}\n",
		"none/manifests.yaml":    "---\n",
	}})
}

// monorepos have services below apps, of which one has no README.md, and a file beside them.
func monorepos(b *bitbuckettest.Server) {
	b.AddRepository(bitbuckettest.Repository{Name: "backend-service", Files: map[string]string{
		"apps/cart/README.md": "# Cart\n", "apps/cart/src/main.go": "package main\n", "apps/search/main.go": "package main\n", "apps/Makefile": "all:\n", "README.md": "# Backend\n"}})
	b.AddRepository(bitbuckettest.Repository{Name: "frontend-service", MainBranch: "trunk", Files: map[string]string{"apps/shop/README.md": "# Shop\n"}})
	b.AddRepository(bitbuckettest.Repository{Name: "other", Files: map[string]string{"apps/none/README.md": "# Not named\n"}})
}

// monorepo has integrations on two branches.
func monorepo(b *bitbuckettest.Server) {
	b.AddRepository(bitbuckettest.Repository{Name: "port-repo-3", Files: map[string]string{
		"integrations/aws/README.md": "# AWS, before\n", "integrations/old/main.go": "package old\n", "docs/README.md": "# Docs\n"}})
	b.AddBranch("port-repo-3", "new")
	b.RemoveFile("port-repo-3", "integrations/old/main.go")
	for path, text := range map[string]string{
		"integrations/aws/README.md":                   "# AWS\n",
		"integrations/aws/src/main.go":                 "package main\n",
		"integrations/bitbucket-cloud/README.md":       "# Bitbucket\n",
		"integrations/bitbucket-cloud/port.yaml":       "title: Bitbucket\n",
		"integrations/bitbucket-cloud/other/port.yaml": "title: below the folder\n",
	} {
		b.SetFile("port-repo-3", path, []byte(text))
	}
	b.AddRepository(bitbuckettest.Repository{Name: "port-repo-4", Files: map[string]string{"integrations/bitbucket-cloud/README.md": "# Not named\n"}})
}

// oneEntityEach has the documented files with one entity, and one that has all that
// the mapping names.
func oneEntityEach(b *bitbuckettest.Server) {
	b.AddRepository(bitbuckettest.Repository{Name: "shop", Files: map[string]string{
		"port.yml": `identifier: myEntity
title: My Entity
blueprint: myBlueprint
properties:
  myStringProp: myValue
  myNumberProp: 5
  myUrlProp: https://example.com
relations:
  mySingleRelation: myTargetEntity
  myManyRelation:
    - myTargetEntity1
    - myTargetEntity2
`,
		"services/cart/port.yml": `identifier: cart
title: Cart
blueprint: myBlueprint
properties: {property_a: text, property_b: 5}
relations: {relation_a: myEntity, relation_b: [myEntity, payments]}
`,
		"modules/module1/port.yml": `blueprint: code_module
title: Module 1
identifier: module_1_entity
properties:
  readme: file://./README.md
  module1Requirements: file://../module1/requirements.txt
  property_a: file://./README.md
  property_b: file://../module1/lines.json
`,
		"modules/module1/README.md":        "# Module 1\n",
		"modules/module1/requirements.txt": "requests==2.32\n",
		"modules/module1/lines.json":       "120",
	}})
}

// entityLists has the documented file with two entities, and one more.
func entityLists(b *bitbuckettest.Server) {
	b.AddRepository(bitbuckettest.Repository{Name: "shop", Files: map[string]string{"port.yml": `- identifier: myEntity1
  title: My Entity1
  blueprint: myFirstBlueprint
  properties:
    myStringProp: myValue
    myNumberProp: 5
    myUrlProp: https://example.com
  relations:
    mySingleRelation: myTargetEntity
    myManyRelation:
      - myTargetEntity1
      - myTargetEntity2
- identifier: myEntity
  title: My Entity2
  blueprint: mySecondBlueprint
  properties:
    myStringProp: myValue
    myNumberProp: 5
    myUrlProp: https://example.com
`}})
	b.AddRepository(bitbuckettest.Repository{Name: "cart", Files: map[string]string{"deep/down/port.yml": `- identifier: cart
  title: Cart
  blueprint: mySecondBlueprint
  properties: {property_a: text, property_b: 2.5}
  relations: {relation_a: myEntity}
`}})
}

// goldenEntity is what a golden file says of an entity.
type goldenEntity struct {
	Title      string         `json:"title,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
	Relations  map[string]any `json:"relations,omitempty"`
}

func TestExampleMappings(t *testing.T) {
	t.Parallel()
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, bitbuckettest.New("acme"))
				for _, text := range append(porttest.DefaultBlueprints(), e.blueprints...) {
					w.port.AddBlueprint(text)
				}
				e.workspace(w.bitbucket)
				text := readFile(exampleMappings + e.name + ".yml")
				checkParts(t, "warnings of the mapping", textsOf(w.job(text).Bound.Warnings), e.bound)
				planned, changes, err := w.rehearse(text)
				r := w.sync(text).ended(report.Success)
				w.foreseen(planned, changes, err, r)
				checkParts(t, "what the run tells", loud(r), e.told)
				checkGolden(t, filepath.Join("testdata", "examples", e.name+".golden.json"), golden(r.after))
				r = w.sync(text).ended(report.Success).is(want{"writes": 0, "deleted": 0, "kept": 0})
				checkGolden(t, filepath.Join("testdata", "examples", e.name+".golden.json"), golden(r.after))
			})
		})
	}
}

// TestExampleMappingsAreAllRun finds documented mappings without a golden file.
func TestExampleMappingsAreAllRun(t *testing.T) {
	t.Parallel()
	var got, want []string
	for _, prefix := range []string{"documented-", "gitops-"} {
		files, err := filepath.Glob(exampleMappings + prefix + "*.yml")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			want = append(want, strings.TrimSuffix(filepath.Base(file), ".yml"))
		}
	}
	for _, e := range examples {
		got = append(got, e.name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("examples that are run (-want +got):\n%s", d)
	}
}

// loud are the warnings and errors of a run.
func loud(r result) []string {
	var all []string
	for _, p := range r.report.Problems() {
		if p.Severity != diag.Notice {
			all = append(all, face.Line(p))
		}
	}
	return all
}

// checkParts wants one line for each part, in any order.
func checkParts(t *testing.T, what string, lines, parts []string) {
	t.Helper()
	ok := len(lines) == len(parts)
	for _, part := range parts {
		ok = ok && slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, part) })
	}
	if !ok {
		t.Errorf("%s: got\n%s\nwant %q", what, strings.Join(lines, "\n"), parts)
	}
}

func golden(all catalog) []byte {
	out := map[string]map[string]goldenEntity{}
	for blueprint, entities := range all {
		for id, e := range entities {
			if out[blueprint] == nil {
				out[blueprint] = map[string]goldenEntity{}
			}
			out[blueprint][id] = goldenEntity{e.Title, e.Properties, e.Relations}
		}
	}
	var text bytes.Buffer
	d := json.NewEncoder(&text)
	d.SetEscapeHTML(false)
	d.SetIndent("", "  ")
	if err := d.Encode(out); err != nil {
		panic(err)
	}
	return text.Bytes()
}

func checkGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(readFile(name), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// Documented mappings take .metadata.commit.repository.name into the identifiers of files,
// and .folder.name for titles of folders, with repositories as a list of texts.
func TestDocumentedNames(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := bitbuckettest.New("acme")
		for _, name := range []string{"shop", "cart", "other"} {
			b.AddRepository(bitbuckettest.Repository{Name: name, Files: map[string]string{"apps/web/package.json": "{}"}})
		}
		w := newWorld(t, b)
		m := mapped(`
- kind: file
  selector: {query: 'true', files: {path: apps/web, filenames: [package.json], repos: [shop, cart]}}
  port: {entity: {mappings: {identifier: '.metadata.commit.repository.name + "/" + .metadata.path', title: .metadata.commit.repository.full_name, blueprint: '"project"'}}}`, `
- kind: folder
  selector: {query: 'true', folders: [{path: apps/*, repos: [shop, cart]}]}
  port: {entity: {mappings: {identifier: '.repo.slug + "/" + .folder.path', title: .folder.name, blueprint: '"service"'}}}`)
		checkParts(t, "warnings of the mapping", textsOf(w.job(m).Bound.Warnings), nil)
		r := w.sync(m).ended(report.Success).is(want{"created": 4})
		r.has("project", "cart/apps/web/package.json", "shop/apps/web/package.json").has("service", "cart/apps/web", "shop/apps/web")
		for id, want := range map[string]string{"cart/apps/web/package.json": "acme/cart", "cart/apps/web": "web"} {
			if got := r.after["project"][id].Title + r.after["service"][id].Title; got != want {
				t.Errorf("title of %s: got %q, want %q", id, got, want)
			}
		}
		misspelt := strings.Replace(m, "repository.name", "repository.slug", 1)
		checkParts(t, "warnings of a wrong name", textsOf(w.job(misspelt).Bound.Warnings), []string{`.metadata.commit.repository has no field "slug"`})
	})
}

func textsOf(problems diag.Problems) (all []string) {
	for _, p := range problems {
		all = append(all, p.Error())
	}
	return all
}
