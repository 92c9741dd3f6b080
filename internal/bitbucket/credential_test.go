package bitbucket_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

// withTokens runs a test in virtual time with a client of the tokens t1, t2, ...; each may do
// what its Access says.
func withTokens(t *testing.T, s *bitbuckettest.Server, all []bitbuckettest.Access, test func(t *testing.T, c *bitbucket.Client)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var credentials []transport.Credential
		for i, access := range all {
			token := fmt.Sprintf("t%d", i+1)
			access.Name, access.Limit = token, -1
			s.AllowToken(token, access)
			credentials = append(credentials, transport.Credential{
				Name:      fmt.Sprintf("token %d of %d", i+1, len(all)),
				Authorize: func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
			})
		}
		c, err := bitbucket.New(bitbucket.Config{
			BaseURL: inProcess, Workspace: "acme", Credentials: credentials, CredentialKind: "workspace access token",
			Rate: transport.Rate{N: 10_000, Window: time.Hour}, Concurrency: 4, UserAgent: "exporter/1",
			Transport: s.RoundTripper(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, c)
	})
}

func bears(token string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token }
}

// refusedWith counts the answers of a status by credential.
func refusedWith(s *bitbuckettest.Server, status int) string {
	counts := map[string]int{}
	for _, x := range s.Journal() {
		if x.Status == status {
			counts[x.Credential]++
		}
	}
	return fmt.Sprint(counts)
}

// One of two tokens lacks the scope of pull requests: it is asked with once for them, is
// used for the rest, and is reported with what it lacks.
func TestTokenWithoutAScope(t *testing.T) {
	for _, weak := range []int{0, 1} {
		t.Run(fmt.Sprint(weak), func(t *testing.T) {
			s := withRepositories(6)
			for i := range 6 {
				s.AddPullRequest(fmt.Sprintf("repo-%d", i+1), bitbuckettest.PullRequest{})
			}
			tokens := make([]bitbuckettest.Access, 2)
			tokens[weak].Scopes = []string{"repository", "project"}
			withTokens(t, s, tokens, func(t *testing.T, c *bitbucket.Client) {
				for i := range 6 {
					got, err := collect(listPullRequests(t.Context(), c, fmt.Sprintf("repo-%d", i+1), `state="OPEN"`))
					equal(t, "error", err, nil)
					equal(t, "ids", column(got, "id"), "1")
				}
				for range 6 {
					_, err := slugs(c)
					equal(t, "error of the repositories", err, nil)
				}
				name := fmt.Sprintf("t%d", weak+1)
				equal(t, "refused", refusedWith(s, 403), "map["+name+":1]")
				repositories := 0
				for _, x := range s.Journal() {
					if x.Path == "/2.0/repositories/acme" && x.Credential == name {
						repositories++
					}
				}
				if repositories == 0 {
					t.Errorf("%s was not used for repositories", name)
				}
				equal(t, "told", c.Refused(), []bitbucket.Refused{{
					What: fmt.Sprintf("Bitbucket refused a credential for pull requests (403), and the others were used for them: token %d of 2; missing scopes: pullrequest", weak+1),
					Fix:  "replace it by one that has the scopes pullrequest too",
				}})
				if all := c.Credentials(); !strings.Contains(all[weak], "refused for pull requests (403)") || strings.Contains(all[1-weak], "refused") {
					t.Errorf("credentials: got %q", all)
				}
			})
		})
	}
}

// A token that lacks the scope of pipelines is used for the other routes of a repository, and asked
// with once for them.
func TestTokenWithoutTheScopeOfPipelines(t *testing.T) {
	s := withRepositories(4)
	tokens := make([]bitbuckettest.Access, 2)
	tokens[0].Scopes = []string{"repository"}
	withTokens(t, s, tokens, func(t *testing.T, c *bitbucket.Client) {
		for i := range 4 {
			slug := fmt.Sprintf("repo-%d", i+1)
			e := bitbucket.Endpoint[bitbucket.Object]{
				Name: "pipelines", Path: c.Path("repositories", slug, "pipelines", ""), Route: "pipelines", Pagelen: 100,
				Key: func(bitbucket.Object) (string, error) { return "", nil },
			}
			_, err := collect(bitbucket.List(t.Context(), c, e, nil))
			equal(t, "error", err, nil)
			there, err := c.Exists(t.Context(), slug)
			equal(t, "there", []any{there, err}, []any{true, nil})
		}
		equal(t, "refused", refusedWith(s, 403), "map[t1:1]")
		if !slices.ContainsFunc(s.Journal(), func(x bitbuckettest.Exchange) bool { return x.Credential == "t1" && x.Status == 200 }) {
			t.Error("t1 was not used for anything else")
		}
		equal(t, "told", c.Refused()[0].What, "Bitbucket refused a credential for pipelines (403), and the others were used for them: token 1 of 2; missing scopes: pipeline")
	})
}

// A refusal for a scope that names none is one too.
func TestTokenWithoutAScopeInWords(t *testing.T) {
	s := withRepositories(1)
	s.Fault(bitbuckettest.Fault{Status: 403, Times: -1, Match: bears("t1"), Body: `{"error":{"message":"Your credentials lack one or more required privilege scopes."}}`})
	withTokens(t, s, make([]bitbuckettest.Access, 2), func(t *testing.T, c *bitbucket.Client) {
		for range 3 {
			_, err := slugs(c)
			equal(t, "error", err, nil)
		}
		equal(t, "refused", refusedWith(s, 403), "map[t1:1]")
		got := c.Refused()
		if len(got) != 1 || !strings.Contains(got[0].What, "for repositories (403)") || !strings.Contains(got[0].What, "token 1 of 2; Your credentials lack") {
			t.Errorf("got %q", got)
		}
	})
}

// When every token lacks the scope, the refusal is the answer, and each was asked with once.
func TestAllTokensWithoutAScope(t *testing.T) {
	s := withRepositories(1)
	tokens := []bitbuckettest.Access{{Scopes: []string{"repository"}}, {Scopes: []string{"repository", "project"}}}
	withTokens(t, s, tokens, func(t *testing.T, c *bitbucket.Client) {
		_, err := collect(listPullRequests(t.Context(), c, "repo-1", `state="OPEN"`))
		wantError(t, err, "403 Forbidden: Your credentials lack one or more required privilege scopes.", "missing scopes: pullrequest")
		equal(t, "denied", bitbucket.Denied(err), true)
		equal(t, "refused", refusedWith(s, 403), "map[t1:1 t2:1]")
		equal(t, "told: the error tells it", c.Refused(), []bitbucket.Refused(nil))
		_, err = collect(listPullRequests(t.Context(), c, "repo-1", `state="OPEN"`))
		wantError(t, err, "missing scopes: pullrequest")
		equal(t, "requests", s.Requests(), 3)
		_, err = slugs(c)
		equal(t, "repositories", err, nil)
	})
}

// A plain 403 is about a repository, and says nothing of the token.
func TestForbiddenRepositoryLeavesTheTokens(t *testing.T) {
	s := withRepositories(2)
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/repo-1/**", Status: 403, Times: -1, Body: `{"type":"error","error":{"message":"Forbidden"}}`})
	withTokens(t, s, make([]bitbuckettest.Access, 2), func(t *testing.T, c *bitbucket.Client) {
		_, err := collect(listPullRequests(t.Context(), c, "repo-1", `state="OPEN"`))
		wantError(t, err, "403 Forbidden: Forbidden")
		equal(t, "requests", s.Requests(), 1)
		equal(t, "told", c.Refused(), []bitbucket.Refused(nil))
	})
}

const tooManyAttempts = "Too many invalid password attempts. Log in at https://id.atlassian.com/ to restore access."

// The account behind one of two credentials is shut out: it is asked with once, and the
// others go on.
func TestOneAccountIsShutOut(t *testing.T) {
	s := withRepositories(3)
	s.Fault(bitbuckettest.Fault{Status: 403, Times: -1, Match: bears("t1"), Body: tooManyAttempts})
	withTokens(t, s, make([]bitbuckettest.Access, 2), func(t *testing.T, c *bitbucket.Client) {
		for i := range 3 {
			_, err := collect(listPullRequests(t.Context(), c, fmt.Sprintf("repo-%d", i+1), `state="OPEN"`))
			equal(t, "error", err, nil)
		}
		equal(t, "refused", refusedWith(s, 403), "map[t1:1]")
		got := c.Refused()
		if len(got) != 1 || !strings.Contains(got[0].What, "shut out a credential (403)") || !strings.Contains(got[0].What, "token 1 of 2; "+tooManyAttempts) ||
			!strings.Contains(got[0].Fix, "https://id.atlassian.com") {
			t.Errorf("got %q", got)
		}
		if all := c.Credentials(); !strings.Contains(all[0], "refused (403)") {
			t.Errorf("credentials: got %q", all)
		}
	})
}

// The only account is shut out: nothing more is asked, and everything has the vendor's words.
func TestTheOnlyAccountIsShutOut(t *testing.T) {
	s := withRepositories(3)
	s.Fault(bitbuckettest.Fault{Status: 403, Times: -1, Body: tooManyAttempts})
	withTokens(t, s, make([]bitbuckettest.Access, 1), func(t *testing.T, c *bitbucket.Client) {
		for i := range 3 {
			_, err := collect(listPullRequests(t.Context(), c, fmt.Sprintf("repo-%d", i+1), `state="OPEN"`))
			wantError(t, err, "403 Forbidden: "+tooManyAttempts)
			equal(t, "denied", bitbucket.Denied(err), true)
		}
		_, err := collect(listProjects(t.Context(), c))
		wantError(t, err, "/2.0/workspaces/acme/projects: 403 Forbidden: "+tooManyAttempts)
		equal(t, "requests", s.Requests(), 1)
	})
}

// Requests that are under way, or wait, when the account is shut out end with it.
func TestShutOutWhileOthersWait(t *testing.T) {
	s := withRepositories(1)
	s.Fault(bitbuckettest.Fault{Status: 429, Body: "Rate limit for this resource has been exceeded"})
	withTokens(t, s, make([]bitbuckettest.Access, 1), func(t *testing.T, c *bitbucket.Client) {
		start := time.Now()
		failed := make(chan error)
		go func() { _, err := c.Exists(t.Context(), "repo-1"); failed <- err }()
		synctest.Wait() // it waits for the end of a freeze
		s.Fault(bitbuckettest.Fault{Status: 403, Times: -1, Body: tooManyAttempts})
		_, err := collect(listProjects(t.Context(), c))
		wantError(t, err, tooManyAttempts)
		wantError(t, <-failed, tooManyAttempts)
		equal(t, "took", time.Since(start), time.Duration(0))
		equal(t, "requests", s.Requests(), 2)
	})
}
