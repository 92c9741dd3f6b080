package kind_test

import (
	"errors"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
)

func TestBindRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, kind, selector string
		want                 []string
	}{
		{"unknown kind", "repositry", "", []string{"mapping.yml:2:", `unknown kind "repositry"`, `did you mean "repository"?`, "project, repository, pull-request"}},
		{"nothing like it", "widget", "", []string{`unknown kind "widget"`, "use one of project, repository, pull-request"}},
		{"case", "Repository", "", []string{`unknown kind "Repository"`, `did you mean "repository"?`}},
		{"key of project", "project", "repoQuery: x", []string{"mapping.yml:3:", `unknown key "repoQuery"`}},
		{"key of repository", "repository", "repoQuerry: size>1", []string{`unknown key "repoQuerry"`, "repoQuery"}},
		{"snake case", "repository", "user_role: member", []string{`unknown key "user_role"`, "userRole"}},
		{"another kind's key", "repository", "pullRequestQuery: x", []string{`unknown key "pullRequestQuery"`}},
		{"key of pull-request", "pull-request", "pullRequestsQuery: id>1", []string{`unknown key "pullRequestsQuery"`, "pullRequestQuery"}},
		{"type", "repository", "repoQuery: [a]", []string{"expected a string"}},
		{"empty status", "pipeline", "status: ['']", []string{"status[0]", "the status is empty", "use one of PARSING"}},
		{"empty kind of restriction", "branch-restriction", "kinds: [push, '']", []string{"kinds[1]", "the kind of restriction is empty"}},
		{"empty type of report", "code-report", "reportTypes: ['']", []string{"reportTypes[0]", "is empty"}},
		{"empty permission", "repository-permission", "permissions: ['']", []string{"permissions[0]", "is empty"}},
		{"role", "repository", "userRole: membr", []string{`unknown role "membr"`, `did you mean "member"?`}},
		{"role of pull-request", "pull-request", "userRole: root", []string{`unknown role "root"`, "member, contributor, admin or owner"}},
		{"no list", "repository", "includedFiles: README.md", []string{"expected a list"}},
		{"path above", "repository", "includedFiles: [README.md, ../x]", []string{"includedFiles[1]", `"../x" is not the path of a file`}},
		{"directory", "repository", "includedFiles: [docs/]", []string{"includedFiles[0]", `"docs/" is not the path`}},
		{"empty path", "repository", "includedFiles: ['']", []string{`"" is not the path`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := kind.Bind(resource(t, tt.kind, tt.selector))
			var problems diag.Problems
			if !errors.As(err, &problems) || len(problems) != 1 {
				t.Fatalf("got %v, want one diag.Problem", err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %q, want it to have %q", err, part)
				}
			}
		})
	}
}

func TestBindTellsAllProblems(t *testing.T) {
	t.Parallel()
	_, err := kind.Bind(resource(t, "repository", "userRole: x, includedFiles: [., a//b]"))
	var problems diag.Problems
	if !errors.As(err, &problems) || len(problems) != 3 {
		t.Errorf("got %v, want three problems", err)
	}
}

func TestBindAccepts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind, selector string
		narrowed       bool
	}{
		{"project", "", false},
		{"project", "exportEnvVariables: []", false},
		{"repository", "", false},
		{"repository", "includedFiles: [README.md, /docs/a b.md]", false},
		{"repository", "userRole: owner", true},
		{"repository", "repoQuery: 'name ~ \"a\"'", true},
		{"repository", "repoQuery: ' '", false},
		{"repository", "repoQuery: null, userRole: null", false},
		{"pull-request", "pullRequestQuery: 'state=\"MERGED\"', includedFiles: [README.md]", false},
		{"pull-request", "userRole: member, repoQuery: size>1", true},
	} {
		bound, err := kind.Bind(resource(t, tt.kind, tt.selector))
		if err != nil || bound.Narrowed != tt.narrowed {
			t.Errorf("%s with {%s}: got narrowed %v, %v, want %v", tt.kind, tt.selector, bound.Narrowed, err, tt.narrowed)
		}
	}
}

func TestNothingIsAskedBeforeRanging(t *testing.T) {
	inBubble(t, bitbuckettest.New("acme"), func(w world) {
		for _, name := range []string{"project", "repository", "pull-request"} {
			bound, err := kind.Bind(resource(w.TB, name, ""))
			if err != nil {
				w.Fatal(err)
			}
			tasks := bound.Extract(w.Context(), w.ws)
			w.equal(name+": requests before", w.s.Requests(), map[string]int{"project": 0, "repository": 1, "pull-request": 2}[name])
			for range tasks {
				w.Error("got a task of an empty workspace")
			}
		}
		w.equal("requests: the repository list is read once", w.asked(), "/workspaces/acme/projects /repositories/acme")
	})
}

func TestProjects(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddProject(bitbuckettest.Project{Key: "PAY", Name: "Payments 💳"})
	s.AddProject(bitbuckettest.Project{Key: "OPS"})
	inBubble(t, s, func(w world) {
		objects := w.good("project", "")
		w.equal("keys", column(objects, "key"), "PAY OPS")
		w.equal("null description", objects[0]["description"], nil)
		w.equal("requests", w.asked(), "/workspaces/acme/projects")
	})
}

func TestProjectsWithoutAccess(t *testing.T) {
	s := bitbuckettest.New("acme")
	inBubble(t, s, func(w world) {
		s.AllowToken("good", bitbuckettest.Access{Scopes: []string{"repository"}})
		got := w.extract("project", "")
		w.equal("denied", kind.Denied(got.err), true)
		w.equal("requests", w.asked(), "/workspaces/acme/projects")
	})
}
