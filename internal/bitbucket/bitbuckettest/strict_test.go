package bitbuckettest

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func basic(user, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const bearer = "Bearer good"
	tests := []struct {
		name, method, target, authorization string
		status                              int
		message                             string // a part of it
		violation                           string // a part of it; "" when none is noted
	}{
		{"no credential", "GET", "/repositories/acme", "", 401, "Authentication", "no credential"},
		{"unknown token", "GET", "/repositories/acme", "Bearer nope", 401, "Token is invalid", "unknown access token"},
		{"API token as Bearer", "GET", "/repositories/acme", "Bearer user-secret", 401, "Token is invalid", "sent as Bearer"},
		{"another scheme", "GET", "/repositories/acme", "Token good", 401, "Token is invalid", "neither"},
		{"expired", "GET", "/repositories/acme", "Bearer expired", 401, "Token is invalid", ""},
		{"missing scope", "GET", "/repositories/acme/empty/pullrequests", "Bearer narrow", 403, "lack one or more", "missing scope pullrequest"},
		{"missing long scope", "GET", "/repositories/acme", basic("narrow", "s"), 403, "lack one or more", "read:repository:bitbucket"},
		{"POST", "POST", "/repositories/acme/new", bearer, 405, "not allowed", "method POST"},
		{"DELETE", "DELETE", "/repositories/acme/empty", bearer, 405, "not allowed", "method DELETE"},
		{"unknown path", "GET", "/repositories/acme/empty/no-such-route", bearer, 404, "Resource not found", "unknown path"},
		{"outside the prefix", "GET", "http://bitbucket.test/1.0/repositories/acme", bearer, 404, "Resource not found", "unknown path"},
		{"all repositories", "GET", "/repositories", bearer, 410, "CHANGE-2770", "removed route"},
		{"all workspaces", "GET", "/workspaces", bearer, 410, "CHANGE-2770", "removed route"},
		{"all permissions", "GET", "/user/permissions/workspaces", bearer, 410, "CHANGE-2770", "removed route"},
		{"code search", "GET", "/workspaces/acme/search/code?search_query=x", bearer, 410, "deprecated", "removed route"},
		{"unknown parameter", "GET", "/repositories/acme?limit=5", bearer, 400, "limit", "Unknown parameter"},
		{"state on projects", "GET", "/workspaces/acme/projects?state=OPEN", bearer, 400, "state", "Unknown parameter"},
		{"q of another kind on projects", "GET", "/workspaces/acme/projects?q=slug%3D%22a%22", bearer, 400, "no field", "bad q"},
		{"sort on projects", "GET", "/workspaces/acme/projects?sort=slug", bearer, 400, "Invalid sort", "bad sort"},
		{"q on a project", "GET", "/workspaces/acme/projects/PAY?q=key%3D%22PAY%22", bearer, 400, "q", "Unknown parameter"},
		{"project", "GET", "/workspaces/acme/projects/NONE", bearer, 404, "NONE", ""},
		{"project without its scope", "GET", "/workspaces/acme/projects/PAY", "Bearer repositories", 403, "lack one or more", "missing scope project"},
		{"repeated parameter", "GET", "/repositories/acme?page=1&page=2", bearer, 400, "page", "Repeated"},
		{"broken escape", "GET", "/repositories/acme?q=%zz", bearer, 400, "query string", "query string"},
		{"pagelen over 100", "GET", "/repositories/acme?pagelen=101", bearer, 400, "Invalid pagelen", "Invalid pagelen"},
		{"pagelen over 50", "GET", "/repositories/acme/empty/pullrequests?pagelen=51", bearer, 400, "Invalid pagelen", "Invalid pagelen"},
		{"pagelen 0", "GET", "/repositories/acme?pagelen=0", bearer, 400, "Invalid pagelen", "Invalid pagelen"},
		{"pagelen no number", "GET", "/repositories/acme?pagelen=ten", bearer, 400, "Invalid pagelen", "Invalid pagelen"},
		{"page 0", "GET", "/repositories/acme?page=0", bearer, 400, "Invalid page", "bad page"},
		{"role", "GET", "/repositories/acme?role=boss", bearer, 400, "Invalid role", "bad role"},
		{"state", "GET", "/repositories/acme/empty/pullrequests?state=ALL", bearer, 400, "Invalid state", "bad state"},
		{"sort", "GET", "/repositories/acme?sort=stars", bearer, 400, "Invalid sort", "bad sort"},
		{"plus not escaped", "GET", "/repositories/acme?fields=+values.mainbranch.target.hash", bearer, 400, "%2B", "%2B"},
		{"workspace", "GET", "/repositories/acmee", bearer, 404, "No workspace", "unknown workspace"},
		{"repository", "GET", "/repositories/acme/x", bearer, 404, "Repository acme/x not found", ""},
		{"branch", "GET", "/repositories/acme/checkout-api/refs/branches/x", bearer, 404, "not found", ""},
		{"source of an empty repository", "GET", "/repositories/acme/empty/src/main/README.md", bearer, 404, "Commit not found", "empty repository"},
		{"source root of an empty repository", "GET", "/repositories/acme/empty/src", bearer, 404, "Commit not found", "empty repository"},
		{"unknown commit", "GET", "/repositories/acme/checkout-api/src/1234567/README.md", bearer, 404, "Changeset not found.", "unknown commit"},
		{"branch with a slash", "GET", "/repositories/acme/r-d-bot/src/release/1.x/a", bearer, 404, "Changeset not found.", "unknown commit"},
		{"branch with an escaped slash", "GET", "/repositories/acme/r-d-bot/src/release%2F1.x/a", bearer, 404, "Changeset not found.", "slash"},
		{"root without the slash", "GET", "/repositories/acme/checkout-api/src/main", bearer, 404, "Resource not found", "trailing slash"},
		{"missing file", "GET", "/repositories/acme/checkout-api/src/main/CODEOWNERS", bearer, 404, "No such file or directory: CODEOWNERS", ""},
		{"file as a directory", "GET", "/repositories/acme/checkout-api/src/main/README.md/", bearer, 404, "No such file", ""},
		{"max_depth", "GET", "/repositories/acme/checkout-api/src/main/?max_depth=0", bearer, 400, "max_depth", "max_depth"},
		{"format", "GET", "/repositories/acme/checkout-api/src/main/README.md?format=raw", bearer, 400, "format", "format"},
		{"page token", "GET", "/repositories/acme/checkout-api/src/main/?page=2", bearer, 400, "Invalid page", "bad page"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := small(t)
			s.AllowBasic("dana@example.com", "user-secret")
			s.AllowBasic("narrow", "s", Access{Scopes: []string{"read:project:bitbucket"}})
			s.AllowToken("narrow", Access{Scopes: []string{"project"}})
			s.AllowToken("repositories", Access{Scopes: []string{"repository"}})
			s.AllowToken("expired", Access{Expires: time.Now()})
			g := send(t, s, tt.method, tt.target, tt.authorization)
			equal(t, "status", g.status, tt.status)
			equal(t, "type", g.at("type"), any("error"))
			if !strings.Contains(g.message(), tt.message) {
				t.Errorf("message: got %q, want %q in it", g.message(), tt.message)
			}
			noted := strings.Join(s.Violations(), "\n")
			if (noted == "") != (tt.violation == "") || !strings.Contains(noted, tt.violation) {
				t.Errorf("violations: got %q, want %q in it", noted, tt.violation)
			}
			equal(t, "journal", s.Journal()[0].Status, tt.status)
		})
	}
}

func TestRefusalDetails(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.AllowToken("narrow", Access{Scopes: []string{"project"}})

	g := send(t, s, "GET", "/repositories/acme/empty/pullrequests", "Bearer narrow")
	equal(t, "required", g.at("error", "detail", "required", 0), any("pullrequest"))
	equal(t, "granted", g.at("error", "detail", "granted", 0), any("project"))

	g = call(t, s, "/workspaces")
	want := any("https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770")
	equal(t, "announcement", g.at("error", "data", "announcement_url"), want)
	equal(t, "announcement at the top", g.at("data", "announcement_url"), want)

	g = call(t, s, "/repositories/acme/checkout-api/src/main/no/such%20file")
	equal(t, "body", g.body, `{"type":"error","error":{"message":"No such file or directory: no/such file"}}`)

	g = call(t, s, "/no/route")
	detail, _ := g.at("error", "detail").(string)
	equal(t, "no route", strings.HasPrefix(detail, "There is no API hosted at this URL.\n\nFor information"), true)
}

func TestScopes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		have, need string
		want       bool
	}{
		{"repository", "repository", true},
		{"project", "repository", true},
		{"pullrequest", "repository", true},
		{"pullrequest:write", "pullrequest", true},
		{"project:admin", "project", true},
		{"repository", "pullrequest", false},
		{"repository:admin", "project", false},
		{"read:project:bitbucket", "read:repository:bitbucket", false},
		{"read:repository:bitbucket", "read:repository:bitbucket", true},
	}
	for _, tt := range tests {
		equal(t, tt.have+" for "+tt.need, implies(tt.have, tt.need), tt.want)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.AllowBasic("dana@example.com", "user-secret")
	equal(t, "Basic", send(t, s, "GET", "/workspaces/acme", basic("dana@example.com", "user-secret")).status, 200)
	equal(t, "Bearer", call(t, s, "/workspaces/acme").status, 200)
	equal(t, "another case of the workspace", call(t, s, "/workspaces/ACME").at("slug"), any("acme"))
	s.Revoke("good")
	s.Revoke("user-secret")
	equal(t, "revoked token", call(t, s, "/workspaces/acme").status, 401)
	equal(t, "revoked secret", send(t, s, "GET", "/workspaces/acme", basic("dana@example.com", "user-secret")).status, 401)
	equal(t, "violations", len(s.Violations()), 0)

	var names []string
	for _, x := range s.Journal() {
		names = append(names, x.Credential)
	}
	equal(t, "names", strings.Join(names, " "), "dana@example.com good good good dana@example.com")
}

// A wrong secret of Basic has no words, and one that was tried too often has no JSON.
func TestBasicRefused(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.AllowBasic("dana@example.com", "user-secret")
	for _, wrong := range []string{basic("dana@example.com", "wrong"), basic("x-token-auth", "good")} {
		g := send(t, s, "GET", "/workspaces/acme", wrong)
		equal(t, "status", g.status, 401)
		equal(t, "type", g.header.Get("Content-Type"), "text/html; charset=utf-8")
		equal(t, "challenge", g.header.Get("WWW-Authenticate"), `Basic realm="Bitbucket.org HTTP"`)
		equal(t, "body", g.body, "")
	}
	equal(t, "violations", strings.Count(strings.Join(s.Violations(), "\n"), "unknown user or secret"), 2)

	s.ShutOut("user-secret")
	g := send(t, s, "GET", "/workspaces/acme", basic("dana@example.com", "user-secret"))
	equal(t, "status", g.status, 403)
	equal(t, "type", g.header.Get("Content-Type"), "text/plain")
	equal(t, "body", g.body, "Too many invalid password attempts. Log in at https://id.atlassian.com/ to restore access.")
	equal(t, "Bearer", call(t, s, "/workspaces/acme").status, 200)
}

func TestRateWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := small(t)
		s.AllowToken("good", Access{Limit: 3, Window: time.Hour, Headers: true, Forgiving: true})
		s.AllowToken("other", Access{Limit: 3})
		for i := range 3 {
			g := call(t, s, "/repositories/acme")
			equal(t, "within the limit", g.status, 200)
			equal(t, "limit", g.header.Get("X-RateLimit-Limit"), "3")
			equal(t, "resource", g.header.Get("X-RateLimit-Resource"), "api")
			equal(t, "near", g.header.Get("X-RateLimit-NearLimit"), []string{"false", "false", "true"}[i])
			time.Sleep(10 * time.Minute)
		}
		equal(t, "usage, whatever the allowance", call(t, s, "/workspaces/acme").header.Get("X-Usage-Throttled"), "True")
		g := call(t, s, "/repositories/acme")
		equal(t, "over", g.status, 429)
		equal(t, "type", g.header.Get("Content-Type"), "text/plain")
		equal(t, "body", g.body, "Rate limit for this resource has been exceeded")
		equal(t, "wait", g.header.Get("Retry-After"), "")
		equal(t, "other class", call(t, s, "/workspaces/acme").status, 200)
		equal(t, "no header there", call(t, s, "/workspaces/acme").header.Get("X-RateLimit-Limit"), "")
		other := send(t, s, "GET", "/repositories/acme", "Bearer other")
		equal(t, "other token", other.status, 200)
		equal(t, "no header unless asked", other.header.Get("X-RateLimit-Limit"), "")
		time.Sleep(30 * time.Minute)
		equal(t, "first call has left the window", call(t, s, "/repositories/acme").status, 200)
		equal(t, "but not the second", call(t, s, "/repositories/acme").status, 429)
		equal(t, "violations", len(s.Violations()), 0)
	})
}

func TestRateCountsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := small(t)
		s.AllowToken("good", Access{Limit: 1, Window: time.Minute, RetryAfter: 1500 * time.Millisecond})
		equal(t, "first", call(t, s, "/workspaces/acme").status, 200)
		time.Sleep(30 * time.Second)
		g := call(t, s, "/workspaces/acme")
		equal(t, "second", g.status, 429)
		equal(t, "wait", g.header.Get("Retry-After"), "2")
		time.Sleep(30 * time.Second)
		equal(t, "the refused call counts", call(t, s, "/workspaces/acme").status, 429)
		time.Sleep(time.Minute)
		equal(t, "after a quiet window", call(t, s, "/workspaces/acme").status, 200)
	})
}

func TestSecretsOfOneUserShare(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.AllowBasic("dana", "one", Access{Limit: 2})
	s.AllowBasic("dana", "two", Access{Headers: true})
	equal(t, "one", send(t, s, "GET", "/repositories/acme", basic("dana", "one")).status, 200)
	g := send(t, s, "GET", "/repositories/acme", basic("dana", "two"))
	equal(t, "two", g.status, 200)
	equal(t, "no headers for users", g.header.Get("X-RateLimit-Limit"), "")
	equal(t, "used up", send(t, s, "GET", "/repositories/acme", basic("dana", "one")).status, http.StatusTooManyRequests)
}
