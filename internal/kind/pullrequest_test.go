package kind_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

func withPullRequests() *bitbuckettest.Server {
	s := workspace()
	dana, amir := bitbuckettest.User{Name: "Dana Ruiz"}, bitbuckettest.User{Name: "Amir Haddad"}
	s.AddPullRequest("checkout-api", bitbuckettest.PullRequest{Author: &dana, Reviewers: []bitbuckettest.User{amir}})
	s.AddPullRequest("checkout-api", bitbuckettest.PullRequest{DeletedFork: true}) // and a deleted author
	s.AddPullRequest("checkout-api", bitbuckettest.PullRequest{State: "MERGED", Author: &amir})
	s.AddPullRequest("orphan", bitbuckettest.PullRequest{Author: &amir})
	return s
}

func TestPullRequests(t *testing.T) {
	s := withPullRequests()
	inBubble(t, s, func(w world) {
		objects := w.good("pull-request", "")
		w.equal("ids", column(objects, "id"), "1 2 1")
		w.equal("states", column(objects, "state"), "OPEN OPEN OPEN")
		w.equal("deleted author", objects[1]["author"], nil)
		w.equal("deleted fork", objects[1]["source"].(kind.Object)["repository"], nil)
		w.equal("requests: one for each repository, also an empty one", w.asked(),
			"/repositories/acme checkout-api/pullrequests empty/pullrequests orphan/pullrequests lazy/pullrequests")
		w.equal("merged", column(w.good("pull-request", `pullRequestQuery: 'state="MERGED"'`), "id"), "3")
		w.equal("blank query: open ones", column(w.good("pull-request", `pullRequestQuery: ' '`), "id"), "1 2 1")
		w.equal("of one repository", column(w.good("pull-request", `repoQuery: 'name="orphan"'`), "id"), "1")
		if got := s.Violations(); len(got) > 0 {
			w.Errorf("violations: got %q, want none", got)
		}
	})
}

// A list has closed_on when it is asked for, and then of those that are closed.
func TestPullRequestsSayWhenTheyWereClosed(t *testing.T) {
	s := withPullRequests()
	closed := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.UpdatePullRequest("checkout-api", 3, func(p *bitbuckettest.PullRequest) { p.ClosedOn = closed })
	inBubble(t, s, func(w world) {
		objects := w.good("pull-request", `pullRequestQuery: 'state="MERGED" OR state="OPEN"'`)
		var got []any
		for _, o := range objects {
			got = append(got, o["closed_on"])
		}
		w.equal("closed_on", got, []any{nil, nil, "2026-05-04T03:02:01.000000+00:00", nil})
	})
}

// The documented default mapping reads .reviewers[].user.display_name.
func TestReviewersCarryTheUser(t *testing.T) {
	s := withPullRequests()
	inBubble(t, s, func(w world) {
		pull := w.good("pull-request", "")[0]
		reviewer := pull["reviewers"].([]any)[0].(kind.Object)
		user := reviewer["user"].(kind.Object)
		w.equal("name", user["display_name"], any("Amir Haddad"))
		w.equal("name of the reviewer", reviewer["display_name"], any("Amir Haddad"))
		_, nested := user["user"]
		w.equal("a user in the user", nested, false)
		participant := pull["participants"].([]any)[0].(kind.Object)
		w.equal("participant", participant["user"].(kind.Object)["display_name"], any("Amir Haddad"))

		user["links"].(kind.Object)["html"].(kind.Object)["href"] = "written into"
		if got := reviewer["links"].(kind.Object)["html"].(kind.Object)["href"]; got == "written into" {
			w.Error("the user shares its links with the reviewer")
		}
	})
}

func TestPullRequestsThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		name     string
		status   int
		selector string
		hint     string
	}{
		{"403", 403, "", `repoQuery to 'name != "Checkout API"'`},
		{"404", 404, "", `repoQuery to 'name != "Checkout API"'`},
		{"404 with a query", 404, `repoQuery: "name ~ \"o\" OR name ~ \"e\""`, `repoQuery to '(name ~ "o" OR name ~ "e") AND name != "Checkout API"'`},
		{"500", 500, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := withPullRequests()
			s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/checkout-api/pullrequests", Status: tt.status, Times: -1})
			inBubble(t, s, func(w world) {
				got := w.extract("pull-request", tt.selector)
				w.equal("error of the list", got.err, nil)
				w.equal("the others go on", column(got.objects, "id"), "1")
				if len(got.failed) != 1 {
					w.Fatalf("got %v, want one error", got.failed)
				}
				err := got.failed[0]
				w.equal("gone or unreadable", isGone(err) || isUnreadable(err), false)
				text, fix := err.Error(), kind.Fix(err)
				if !strings.Contains(text, `pull requests of repository "checkout-api"`) || !strings.Contains(fix, tt.hint) {
					w.Errorf("got %q and the fix %q, want the repository's name and the fix %q", text, fix, tt.hint)
				}
				w.equal("advice in the message", strings.Contains(text, "repoQuery"), false)
				w.equal("advice in the fix", strings.Contains(fix, "repoQuery"), tt.hint != "")
				var e *bitbucket.Error
				w.equal("status is kept", errors.As(err, &e) && e.Status == tt.status, true)
			})
		})
	}
}

// The hint is YAML that can be pasted, and a query that the service takes.
func TestHintWithQuotes(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: `Dana's "best"`})
	s.AddRepository(bitbuckettest.Repository{Name: "other"})
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/dana-s-best/pullrequests", Status: 403, Times: -1})
	inBubble(t, s, func(w world) {
		got := w.extract("pull-request", "")
		if len(got.failed) != 1 {
			w.Fatalf("got %v, want one error", got.failed)
		}
		_, hint, _ := strings.Cut(kind.Fix(got.failed[0]), "repoQuery to ")
		w.equal("left", column(w.good("repository", "repoQuery: "+hint), "slug"), "other")
	})
}

func TestPullRequestsOfARepositoryThatVanishes(t *testing.T) {
	s := withPullRequests()
	for range 60 {
		s.AddPullRequest("checkout-api", bitbuckettest.PullRequest{})
	}
	s.OnRequest(func(n int, _ *http.Request) {
		if n == 3 { // its second page
			s.RemoveRepository("checkout-api")
		}
	})
	inBubble(t, s, func(w world) {
		got := w.extract("pull-request", "")
		if len(got.failed) != 1 || !isGone(got.failed[0]) {
			w.Fatalf("got %v, want one *Gone", got.failed)
		}
		w.equal("error", got.failed[0].Error(), `repository "checkout-api" disappeared during the run`)
		w.equal("objects", len(got.objects), 50+1)
	})
}

func TestPullRequestsWithoutScope(t *testing.T) {
	s := withPullRequests()
	inBubble(t, s, func(w world) {
		s.AllowToken("good", bitbuckettest.Access{Scopes: []string{"repository"}})
		err := w.extract("pull-request", `repoQuery: 'name="orphan"'`).failed[0]
		w.equal("denied", kind.Denied(err), true)
		if text := err.Error(); !strings.Contains(text, "missing scopes: pullrequest") || strings.Contains(text, "repoQuery") {
			w.Errorf("got %q, want the scope and no repoQuery", text)
		}
		w.equal("requests: the repository is not asked for", w.asked(), "/repositories/acme orphan/pullrequests")
	})
}
