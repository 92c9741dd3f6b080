package kind_test

import (
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// branched has a repository with branches beside main, and an empty one.
func branched(names ...string) *bitbuckettest.Server {
	s := built(0)
	for _, name := range names {
		s.AddBranch("api", name)
	}
	s.AddRepository(bitbuckettest.Repository{Name: "empty"})
	return s
}

func TestChoiceOfBranches(t *testing.T) {
	t.Parallel()
	const both = "/repositories/acme api/refs/branches empty/refs/branches"
	for _, tt := range []struct{ selector, want, asked string }{
		{"", "feature/a feature/b/c main v\"1", both},
		{"includeMergeQueue: true", "bitbucket-merge-queue-1 feature/a feature/b/c main v\"1", both},
		{"branches: ['feature/*', main]", "feature/a main", both},
		{"branches: ['feature/**']", "feature/a feature/b/c", both},
		{"defaultBranchOnly: true", "main", "/repositories/acme api/refs/branches"},
		{"defaultBranchOnly: true, branches: ['feature/*']", "", "/repositories/acme api/refs/branches"},
	} {
		t.Run(tt.selector, func(t *testing.T) {
			inBubble(t, branched("feature/a", "feature/b/c", "bitbucket-merge-queue-1", `v"1`), func(w world) {
				w.equal("names", column(w.good("branch", tt.selector), "name"), tt.want)
				w.equal("asked", w.asked(), tt.asked)
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// The main branch alone is asked for, also where a quote is in its name: not all pages of all of them.
func TestMainBranchIsAskedFor(t *testing.T) {
	for _, name := range []string{"main", `it's "main"`, "release/1.x"} {
		t.Run(name, func(t *testing.T) {
			s := bitbuckettest.New("acme")
			s.AddRepository(bitbuckettest.Repository{Name: "api", MainBranch: name, Files: map[string]string{"a": "b"}})
			for i := range 150 {
				s.AddBranch("api", "feature/"+string(rune('a'+i/26))+string(rune('a'+i%26)))
			}
			inBubble(t, s, func(w world) {
				w.equal("names", column(w.good("branch", "defaultBranchOnly: true"), "name"), name)
				w.equal("asked", w.asked(), "/repositories/acme api/refs/branches")
			})
		})
	}
}

// Branches of a repository that has not moved come from memory, as they are; a push, a new branch and
// one that is gone move it.
func TestBranchesOfARepositoryThatHasNotMoved(t *testing.T) {
	inBubbleWith(t, func() *bitbuckettest.Server { return branched("feature/a") }, func(w world) {
		s, m := w.s, w.memory()
		for _, step := range []struct {
			name   string
			change func()
			want   string
			asked  string
		}{
			{"nothing is known", func() {}, "feature/a main", "/repositories/acme api/refs/branches empty/refs/branches"},
			{"nothing has moved", func() {}, "feature/a main", "/repositories/acme"},
			{"a pull request", func() { s.AddPullRequest("api", bitbuckettest.PullRequest{}) }, "feature/a main", "/repositories/acme"},
			{"a new branch", func() { s.AddBranch("api", "feature/b") }, "feature/a feature/b main", "/repositories/acme api/refs/branches"},
			{"a branch that is gone", func() { s.RemoveBranch("api", "feature/a") }, "feature/b main", "/repositories/acme api/refs/branches"},
			{"a push", func() { s.SetFile("api", "a", []byte("c")) }, "feature/b main", "/repositories/acme api/refs/branches"},
			{"another name", func() { s.RenameRepository("api", "apis") }, "feature/b main", "/repositories/acme apis/refs/branches"},
			{"nothing more", func() {}, "feature/b main", "/repositories/acme"},
		} {
			step.change()
			got := m.runOf("branch", kind.Options{NoLists: true}, "")
			if got.err != nil || len(got.failed) > 0 {
				t.Fatalf("%s: got %v and %v", step.name, got.err, got.failed)
			}
			w.equal(step.name, column(got.objects, "name"), step.want)
			w.equal(step.name+": asked", w.asked(), step.asked)
		}
	})
}

// A bound on requests is not spent on branches that have not moved.
func TestBranchesCostNothingOfABound(t *testing.T) {
	inBubbleWith(t, func() *bitbuckettest.Server { return branched("feature/a") }, func(w world) {
		m := w.memory()
		m.runOf("branch", kind.Options{}, "")
		w.asked()
		m.s.AddBranch("api", "feature/b")
		planned, got := m.bounded(3, kind.Options{}, [2]string{"branch", ""})
		w.equal("names", column(got[0].objects, "name"), "feature/a feature/b main")
		w.equal("failed", len(got[0].failed), 0)
		w.equal("planned", planned, kind.Planned{Candidates: 1, Granted: 1, Requests: 1})
	})
}
