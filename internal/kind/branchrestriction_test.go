package kind_test

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

func restricted(slugs ...string) *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	for _, slug := range slugs {
		s.AddRepository(bitbuckettest.Repository{Name: slug, Files: map[string]string{"a": "b"}})
		for _, one := range []string{"push", "force", "require_approvals_to_merge"} {
			s.AddRestriction(slug, bitbuckettest.Restriction{Kind: one, Pattern: "main"})
		}
	}
	return s
}

func TestChoiceOfRestrictions(t *testing.T) {
	for _, tt := range []struct{ selector, want string }{
		{"", "push force require_approvals_to_merge push force require_approvals_to_merge"},
		{"kinds: [push]", "push push"},
		{"kinds: [require_approvals_to_merge, force]", "force require_approvals_to_merge force require_approvals_to_merge"},
		{"kinds: [enforce_merge_checks]", ""},
		{"kinds: [push], repoQuery: 'name=\"api\"'", "push"},
	} {
		t.Run(tt.selector, func(t *testing.T) {
			inBubble(t, restricted("api", "web"), func(w world) {
				w.equal("kinds", column(w.good("branch-restriction", tt.selector), "kind"), tt.want)
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// An admin of some repositories reads those: the others are errors of their own, and say how to leave
// them out.
func TestRestrictionsForNoAdmin(t *testing.T) {
	s := restricted("api", "web")
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/api/branch-restrictions", Times: -1, Status: 403, Body: `{"error":{"message":"You do not have admin access to this repository."}}`})
	inBubble(t, s, func(w world) {
		got := w.extract("branch-restriction", "")
		if len(got.objects) != 3 || len(got.failed) != 1 || kind.Denied(got.failed[0]) || !strings.Contains(kind.Fix(got.failed[0]), `name != "api"`) {
			t.Errorf("got %d objects and %v, want three, and the way to leave out one repository", len(got.objects), got.failed)
		}
	})
}

func TestRestrictionSelectorProblems(t *testing.T) {
	t.Parallel()
	for selector, want := range map[string]string{
		"kinds: [pusch]":                     `did you mean "push"?`,
		"kinds: [push, require_aprovals]":    `kinds[1]: unknown kind of restriction "require_aprovals"`,
		"kinds: push":                        "expected a list",
		"userRole: boss":                     `unknown role "boss"`,
		"patterns: [main]":                   `unknown key "patterns"`,
		"kinds: [push], repoQuery: 'name ='": "Bitbucket does not take the filter",
	} {
		if _, err := kind.Bind(resource(t, "branch-restriction", selector)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", selector, err, want)
		}
	}
}
