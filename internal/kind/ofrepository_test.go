package kind_test

import (
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// ofWorkspace are the kinds whose objects have no __repository.
var ofWorkspace = map[string]bool{"project": true, "user": true, "repository-permission": true, "runner": true}

// What each kind costs in a workspace of 120 repositories: their list has two pages.
func TestRequestsOfKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind, selector string
		objects        int
		requests       int
	}{
		{"pull-request", "", 300, 2 + 121},
		{"pull-request", "states: [OPEN, MERGED, DECLINED, SUPERSEDED], maxResults: 1", 109, 2 + 120},
		{"pull-request", "projects: [PAY]", 100, 1 + 21},
		{"pull-request", "repos: [checkout-*], excludeProjects: [INT]", 68, 2 + 5},
		{"pipeline", "projects: [PAY]", 27, 1 + 20},
		{"pipeline", "", 177, 2 + 120},
		{"deployment", "", 118, 2 + 120 + 59},
		{"user", "", 13, 1},
		{"user", "emailDomains: [acme.example]", 10, 1},
		{"repository-permission", "", 360, 4},
		{"repository-permission", "permissions: [admin]", 120, 4},
		{"branch-restriction", "", 160, 2 + 120},
		{"branch-restriction", "kinds: [push]", 60, 2 + 120},
		{"code-report", "", 99, 2 + 119},
		{"code-report", "reportTypes: [COVERAGE]", 40, 2 + 119},
		{"runner", "", 3, 1},
		{"environment", "", 177, 2 + 120},
		{"branch", "", 119, 2 + 120},
		{"branch", "defaultBranchOnly: true", 119, 2 + 119},
		{"tag", "", 100, 2 + 120},
	} {
		t.Run(tt.kind+" "+tt.selector, func(t *testing.T) {
			inBubbleWith(t, bitbuckettest.Sample, func(w world) {
				objects := w.good(tt.kind, tt.selector)
				if got := len(w.s.Journal()); len(objects) != tt.objects || got != tt.requests {
					w.Errorf("got %d objects by %d requests, want %d by %d", len(objects), got, tt.objects, tt.requests)
				}
				for _, o := range objects {
					if repository, _ := o["__repository"].(map[string]any); !ofWorkspace[tt.kind] && repository["slug"] == nil {
						w.Fatalf("got %v, want its repository", o)
					}
				}
				if v := w.s.Violations(); len(v) > 0 {
					w.Errorf("the server notes %v", v)
				}
			})
		})
	}
}
