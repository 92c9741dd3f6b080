package bitbucket

import (
	"net/http/httptest"
	"testing"
)

func TestClassOfSource(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ path, want string }{
		{"/2.0/repositories/acme/web/src/0a1b/README.md", "source"},
		{"/2.0/repositories/acme/web/src/0a1b/", "source"},
		{"/2.0/repositories/acme/web/src", "source"},
		{"/2.0/repositories/%7B0b7c%7D/%7B1c2d%7D/src/0a1b/a%20b", "source"},
		{"/2.0/repositories/acme/web/src/0a1b/repositories/x/y/z", "source"},
		{"/2.0/repositories/acme/src/src/0a1b/", "source"},
		{"/2.0/repositories/acme/src", "repositories"},
		{"/2.0/repositories/acme/src/pullrequests", "repositories"},
		{"/2.0/repositories/acme/web/refs/branches/src", "repositories"},
		{"/2.0/repositories/acme/web/refs/branches/a%2Fsrc%2Fb", "repositories"},
		{"/2.0/repositories/acme/a%2Fsrc/refs/branches/x", "repositories"},
		{"/2.0/repositories/acme", "repositories"},
		{"/2.0/workspaces/src/projects", "workspaces"},
		{"/2.0/workspaces/acme/src/src", "workspaces"},
	} {
		req := httptest.NewRequest("GET", "https://bitbucket.test"+tt.path, nil)
		if got := classWithSource(req); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.path, got, tt.want)
		}
		if got := classOf(req); got == classSource {
			t.Errorf("%s without an allowance for source: got %q", tt.path, got)
		}
	}
}
