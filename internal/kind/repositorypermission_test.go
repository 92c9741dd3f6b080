package kind_test

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

func permitted() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	for _, name := range []string{"api", "web"} {
		s.AddRepository(bitbuckettest.Repository{Name: name, Files: map[string]string{"a": "b"}})
		for who, what := range map[string]string{"Dana": "admin", "Amir": "read"} {
			s.Permit(bitbuckettest.Permission{User: bitbuckettest.User{Name: who}, Slug: name, Permission: what})
		}
	}
	s.Permit(bitbuckettest.Permission{User: bitbuckettest.User{Name: "Mei"}, Slug: "web", Permission: "write"})
	return s
}

func TestChoiceOfPermissions(t *testing.T) {
	for _, tt := range []struct {
		selector string
		want     map[string]int
	}{
		{"", map[string]int{"admin": 2, "read": 2, "write": 1}},
		{"permissions: [admin]", map[string]int{"admin": 2}},
		{"permissions: [write, read]", map[string]int{"read": 2, "write": 1}},
	} {
		t.Run(tt.selector, func(t *testing.T) {
			inBubble(t, permitted(), func(w world) {
				got := map[string]int{}
				for _, o := range w.good("repository-permission", tt.selector) {
					got[o["permission"].(string)]++
				}
				w.equal("permissions", got, tt.want)
				w.equal("asked", w.asked(), "/workspaces/acme/permissions/repositories")
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// The permissions of one user in two repositories, and of two users in one, are objects of their own,
// also where two resources share the list.
func TestPermissionsAreReadOnce(t *testing.T) {
	inBubble(t, permitted(), func(w world) {
		w.ws = w.workspace(kind.Options{KeepLists: true, TempDir: t.TempDir()})
		w.equal("all", len(w.good("repository-permission", "")), 5)
		w.equal("some", len(w.good("repository-permission", "permissions: [read]")), 2)
		w.equal("asked", w.asked(), "/workspaces/acme/permissions/repositories")
	})
}

func TestPermissionsForNoAdmin(t *testing.T) {
	inBubble(t, permitted(), func(w world) {
		w.s.AllowToken("good", bitbuckettest.Access{Limit: -1, NotAdmin: true})
		got := w.extract("repository-permission", "")
		if got.err == nil || !strings.Contains(got.err.Error(), "403 Forbidden: This API is only accessible by an admin") || kind.Denied(got.err) {
			t.Errorf("got %v, want the words of Bitbucket", got.err)
		}
		w.equal("fix", kind.Fix(got.err), "use a workspace access token with the scope for it, or a credential of an admin of the workspace")
	})
}

func TestPermissionSelectorProblems(t *testing.T) {
	t.Parallel()
	for selector, want := range map[string]string{
		"permissions: [admn]":        `did you mean "admin"?`,
		"permissions: [read, owner]": `permissions[1]: unknown permission "owner"`,
		"permission: [read]":         `unknown key "permission"`,
	} {
		if _, err := kind.Bind(resource(t, "repository-permission", selector)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", selector, err, want)
		}
	}
}

// A pair that lacks one of its two is told, and the others are read.
func TestPermissionOfNobody(t *testing.T) {
	s := permitted()
	s.Fault(bitbuckettest.Fault{Path: "/workspaces/acme/permissions/repositories",
		Body: `{"values":[{"permission":"read","user":null,"repository":{"uuid":"{1}"}},{"permission":"read","user":{"uuid":"{1}"},"repository":null},
			{"permission":"write","user":{"account_id":"1"},"repository":{"full_name":"acme/api"}}],"size":3}`})
	inBubble(t, s, func(w world) {
		got := w.extract("repository-permission", "")
		if column(got.objects, "permission") != "write" || len(got.failed) != 2 || !isUnreadable(got.failed[0]) {
			t.Errorf("got %v and %v", got.objects, got.failed)
		}
	})
}
