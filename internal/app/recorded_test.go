package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// recordings are recorded answers of the real service, in the folder that CONTRACT_RECORDED names.
type recordings struct {
	t      *testing.T
	folder string
}

func recorded(t *testing.T) recordings {
	t.Helper()
	folder := os.Getenv("CONTRACT_RECORDED")
	if folder == "" {
		t.Skip("CONTRACT_RECORDED is not set")
	}
	return recordings{t, folder}
}

// values are those of pages, and of files that hold one value.
func (r recordings) values(files ...string) []map[string]any {
	r.t.Helper()
	var all []map[string]any
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(r.folder, file))
		if err != nil {
			r.t.Fatal(err)
		}
		var page struct{ Values []map[string]any }
		var one map[string]any
		if err := json.Unmarshal(text, &page); err != nil {
			r.t.Fatal(err)
		}
		if len(page.Values) == 0 {
			if err := json.Unmarshal(text, &one); err != nil {
				r.t.Fatal(err)
			}
			page.Values = []map[string]any{one}
		}
		all = append(all, page.Values...)
	}
	return all
}

func (r recordings) text(file string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.folder, file))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// serve answers a path with a text of JSON, whatever is there.
func (w *world) serve(path, body string) {
	w.bitbucket.Fault(bitbuckettest.Fault{Path: path, Status: 200, Body: body, Times: -1})
}

func (w *world) servePage(path string, values []map[string]any) {
	w.t.Helper()
	text, err := json.Marshal(map[string]any{"values": values, "size": len(values)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.serve(path, string(text))
}

// recordedPulls are the recorded pull requests, by the repository that they are served for.
var recordedPulls = map[string][]string{
	"test-repos":         {"pullrequests-page.json"},
	"survival-games":     {"second-lot/pullrequest-object-2025.json"},
	"pipeline-demo-test": {"second-lot/pullrequests-mixed-2022.json", "second-lot/pullrequest-approved-2018.json"},
	"emptyrepo":          {"second-lot/pullrequests-fork-2020.json"},
}

// Recorded answers go through the default mapping: each value is one entity in Port, with what it tells.
func TestRecordedWithTheDefaultMapping(t *testing.T) {
	t.Parallel()
	r := recorded(t)
	for _, file := range []string{"pullrequests-page-2020", "pullrequest-merged-2020"} { // one, before and after
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			r := recordings{t, r.folder}
			all := maps.Clone(recordedPulls)
			all["emptyrepo"] = append(slices.Clone(all["emptyrepo"]), "second-lot/"+file+".json")
			r.withDefaultMapping(all)
		})
	}
}

func (r recordings) withDefaultMapping(pullRequests map[string][]string) {
	t := r.t
	t.Helper()
	w := newWorld(t, bitbuckettest.New("acme"))
	w.addBlueprints()
	projects := r.values("second-lot/projects-page-2020.json", "second-lot/project-object-2025.json")
	repositories := r.values("repository.json", "second-lot/repository-object-2025.json", "second-lot/repositories-page-2017.json")
	w.servePage("/workspaces/acme/projects", projects)
	w.servePage("/repositories/acme", repositories)
	w.serve("/repositories/acme/*/refs/branches/*", r.text("second-lot/branch-draft-2026.json"))
	w.serve("/repositories/acme/*/src/**", "# read me")
	want := catalogOf(projects, repositories)
	for slug, files := range pullRequests {
		pulls := r.values(files...)
		for _, p := range pulls {
			for _, asked := range []string{"reviewers", "participants"} { // these were not asked for with `fields`
				if p[asked] == nil {
					p[asked] = []map[string]any{}
				}
			}
		}
		w.servePage("/repositories/acme/"+slug+"/pullrequests", pulls)
		maps.Copy(want["bitbucketPullRequest"], pullsOf(pulls))
	}

	run := w.run(nil)
	got := map[string]map[string]string{}
	for blueprint, entities := range w.port.Catalog() {
		got[blueprint] = map[string]string{}
		for id, e := range entities {
			if e.Title != "" { // else a relation has made it
				got[blueprint][id] = e.Title
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("titles by identifier (-want +got):\n%s\n%s%s", diff, run.stdout, run.stderr)
	}
	for _, p := range run.report["problems"].([]any) {
		problem := p.(map[string]any)
		if problem["severity"] != "notice" && !strings.Contains(fmt.Sprint(problem["example"]), "Survival Games") {
			t.Errorf("got a problem beside the name with a blank: %v", problem)
		}
	}
}

// catalogOf is what the default mapping makes of projects and repositories: titles by blueprint and identifier.
func catalogOf(projects, repositories []map[string]any) map[string]map[string]string {
	all := map[string]map[string]string{"bitbucketProject": {}, "bitbucketRepository": {}, "bitbucketPullRequest": {}}
	plain := strings.NewReplacer("{", "", "}", "")
	for _, p := range projects {
		all["bitbucketProject"][plain.Replace(p["uuid"].(string))] = p["name"].(string)
	}
	for _, r := range repositories {
		if name := r["name"].(string); !strings.Contains(name, " ") {
			all["bitbucketRepository"][name] = name
		}
	}
	return all
}

func pullsOf(pulls []map[string]any) map[string]string {
	all := map[string]string{}
	for _, p := range pulls {
		of := p["destination"].(map[string]any)["repository"].(map[string]any)["name"].(string)
		if !strings.Contains(of, " ") {
			all[of+fmt.Sprint(p["id"])] = p["title"].(string)
		}
	}
	return all
}

// Recorded listings, and the head of a main branch that comes with the list, give folders and files.
func TestRecordedSource(t *testing.T) {
	t.Parallel()
	r := recorded(t)
	w := newWorld(t, bitbuckettest.New("acme"))
	w.addBlueprints()
	repositories := append(r.values("second-lot/repositories-page-2017.json")[:1], r.values("repository.json")...)
	target := r.values("second-lot/mainbranch-target-2017.json")[0]["mainbranch"].(map[string]any)["target"].(map[string]any)
	for _, repository := range repositories { // only the hash is asked for
		repository["mainbranch"].(map[string]any)["target"] = map[string]any{"hash": target["hash"]}
	}
	hash := target["hash"].(string)
	src := "/repositories/acme/pipeline-demo-test/src/" + hash + "/"
	other := "/repositories/acme/test-repos/src/" + hash + "/"
	folder := other + "packages/activity/"
	w.servePage("/repositories/acme", repositories)
	w.serve(src, r.text("second-lot/src-root-2018.json"))
	w.servePage(other, []map[string]any{{"path": "packages", "type": "commit_directory"}})
	w.serve(folder, strings.Replace(r.text("second-lot/src-page-token-2020.json"),
		"https://api.bitbucket.org/2.0/repositories/atlassian/atlaskit/src/master/packages/activity?", w.env["BITBUCKET_HOST_URL"]+folder+"?", 1))
	w.bitbucket.Fault(bitbuckettest.Fault{Path: folder, Query: "page=8xhd", Status: 200, Times: -1,
		Body: `{"pagelen":10,"page":2,"values":[{"path":"packages/activity/zoo","type":"commit_directory"}]}`})
	w.bitbucket.Fault(bitbuckettest.Fault{Path: src + "README.rdoc", Status: 200, Body: "= pg", Times: -1})

	run := w.run(map[string]string{"MAPPING": `resources:
  - kind: folder
    selector:
      query: "true"
      folders:
        - path: "*"
        - path: "packages/activity/*"
    port: {entity: {mappings: {identifier: '"folder/" + .folder.path', title: .folder.path, blueprint: '"bitbucketProject"'}}}
  - kind: file
    selector:
      query: "true"
      files: {path: "README.rdoc"}
    port: {entity: {mappings: {identifier: '"file/" + .file.path', title: .file.content, blueprint: '"bitbucketProject"'}}}
`})
	run.check(t, 0, "success")
	got := map[string]string{}
	for id, e := range w.port.Catalog()["bitbucketProject"] {
		got[id] = e.Title
	}
	want := map[string]string{"file/README.rdoc": "= pg"}
	for _, name := range []string{"certs", "ext", "lib", "misc", "sample", "spec", "packages", "packages/activity/build", "packages/activity/dist",
		"packages/activity/docs", "packages/activity/src", "packages/activity/test", "packages/activity/zoo"} {
		want["folder/"+name] = name
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("titles by identifier (-want +got):\n%s\n%s%s", diff, run.stdout, run.stderr)
	}
	for _, x := range w.bitbucket.Journal() {
		if strings.Contains(x.Path, "/refs/branches") {
			t.Errorf("got a request for %s, want the commit of the list to be used", x.Path)
		}
	}
}
