package kind_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/shape"
)

// unknown are the paths of a value that lead nowhere by what is said of the kind, each once.
func unknown(of *shape.Shape, path shape.Path, v any) (all []string) {
	if at, _ := of.DeadEnd(path); at >= 0 {
		return []string{path.String()}
	}
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			all = append(all, unknown(of, append(slices.Clone(path), shape.Step{Key: key}), inner)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, unknown(of, append(slices.Clone(path), shape.Step{Member: true}), inner)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// The fields of all objects that an extraction gives are known, however the service answers.
func TestFieldsOfObjects(t *testing.T) {
	for name, o := range map[string]bitbuckettest.Options{"newest": {}, "old": {Old: true}, "of a person": {Owner: bitbuckettest.FormerUser()}} {
		t.Run(name, func(t *testing.T) { fieldsOfObjects(t, o) })
	}
}

func fieldsOfObjects(t *testing.T, o bitbuckettest.Options) {
	s := bitbuckettest.New("acme")
	s.Configure(o)
	dana, amir := bitbuckettest.User{Name: "Dana Ruiz"}, bitbuckettest.User{Name: "Amir Haddad"}
	s.AddProject(bitbuckettest.Project{Key: "PAY", Name: "Payments"})
	s.AddRepository(bitbuckettest.Repository{Name: "api", ProjectKey: "PAY", Parent: "elsewhere/api", Files: map[string]string{"docs/README.md": "# Docs", "README.md": "# API"}})
	s.AddPullRequest("api", bitbuckettest.PullRequest{State: "MERGED", Author: &dana, Reviewers: []bitbuckettest.User{amir}})
	s.AddMember(bitbuckettest.Member{User: dana, Email: "dana@acme.example"})
	s.Permit(bitbuckettest.Permission{User: dana, Slug: "api", Permission: "write"})
	s.AddRunner(bitbuckettest.Runner{Name: "build-1"})
	s.AddRestriction("api", bitbuckettest.Restriction{Kind: "push", BranchType: "production", Users: []bitbuckettest.User{dana}, Groups: []string{"admins"}})
	s.AddReport("api", bitbuckettest.Report{ID: "coverage", Title: "Coverage", Type: "COVERAGE", Figures: []bitbuckettest.Figure{{Title: "Lines", Percent: 81}}})
	inBubble(t, s, func(w world) {
		for name, selector := range map[string]string{
			"user": "", "repository-permission": "", "runner": "", "branch-restriction": "", "code-report": "",
			"project": "", "repository": "includedFiles: [README.md]", "pull-request": `pullRequestQuery: 'state="MERGED"'`,
			"folder": "folders: [{path: docs}], includedFiles: [README.md]", "file": "files: {path: docs/README.md}, includedFiles: [README.md]",
		} {
			objects := w.good(name, selector)
			w.equal("objects of the kind "+name, len(objects), 1)
			w.equal("unknown fields of the kind "+name, unknown(kind.Objects(name).Object, nil, map[string]any(objects[0])), []string(nil))
		}
	})
}

// recorded are answers of the service, and the kind whose objects they hold.
var recorded = map[string]string{
	"repository.json": "repository", "pullrequests-page.json": "pull-request",
	"second-lot/projects-page-2020.json": "project", "second-lot/project-object-2025.json": "project",
	"second-lot/repository-object-2025.json": "repository", "second-lot/repositories-page-2017.json": "repository",
	"second-lot/pullrequest-object-2025.json": "pull-request", "second-lot/pullrequests-page-2020.json": "pull-request",
	"second-lot/pullrequests-mixed-2022.json": "pull-request", "second-lot/pullrequests-fork-2020.json": "pull-request",
	"second-lot/pullrequest-merged-2020.json": "pull-request", "second-lot/pullrequest-approved-2018.json": "pull-request",
	"second-lot/src-root-2018.json": "file", "second-lot/src-page-token-2020.json": "file",
}

// notInLists are what single pull requests have beside what a list gives.
var notInLists = []string{".rendered", ".merge_commit.author", ".merge_commit.date", ".merge_commit.message", ".merge_commit.summary"}

// The fields of recorded answers are known, when CONTRACT_RECORDED names the folder that
// holds them.
func TestFieldsOfRecordedObjects(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("CONTRACT_RECORDED")
	if folder == "" {
		t.Skip("CONTRACT_RECORDED is not set")
	}
	for file, name := range recorded {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		var answer map[string]any
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
		all, ok := answer["values"].([]any)
		if !ok {
			all = []any{answer}
		}
		var got []string
		for _, o := range all {
			entry := o.(map[string]any)
			switch {
			case name != "file":
			case entry["type"] == "commit_directory":
				got = append(got, unknown(kind.Objects("folder").Object, nil, map[string]any{"folder": entry})...)
				continue
			default:
				o = map[string]any{"metadata": entry}
			}
			got = append(got, unknown(kind.Objects(name).Object, nil, o)...)
		}
		got = slices.DeleteFunc(got, func(path string) bool {
			return !strings.HasPrefix(filepath.Base(file), "pullrequests") && slices.Contains(notInLists, path)
		})
		if len(got) > 0 || len(all) == 0 {
			t.Errorf("%s: %d objects, and not known are %q", file, len(all), got)
		}
	}
}
