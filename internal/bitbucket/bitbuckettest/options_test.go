package bitbuckettest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func TestOwner(t *testing.T) {
	t.Parallel()
	s := small(t)
	equal(t, "owner of a team's", call(t, s, "/workspaces/acme/projects/PAY").at("owner", "type"), any("team"))
	s.Configure(Options{Owner: &User{Name: "Dana Ruiz", Nickname: "dana"}})
	uuid := call(t, s, "/workspaces/acme").at("uuid")
	for _, target := range []string{"/workspaces/acme/projects/PAY", "/repositories/acme/checkout-api"} {
		g := call(t, s, target)
		equal(t, "keys", strings.Join(g.keys("owner"), " "), "account_id display_name links nickname type uuid")
		equal(t, "type", g.at("owner", "type"), any("user"))
		equal(t, "nickname", g.at("owner", "nickname"), any("dana"))
		equal(t, "uuid", g.at("owner", "uuid"), uuid)
	}
}

func TestOldAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct{ target, keys string }{
		{"/workspaces/acme/projects/PAY", "has_publicly_visible_repos"},
		{"/repositories/acme/checkout-api", "enforced_signed_commits override_settings parent workspace"},
		{"/repositories/acme/checkout-api/pullrequests/1", "draft"},
		{"/repositories/acme/checkout-api/refs/branches/main", "default_merge_strategy merge_strategies"},
		{"/repositories/acme/checkout-api/src/main/README.md?format=meta", "escaped_path mimetype"},
	}
	s := small(t)
	for _, tt := range tests {
		s.Configure(Options{})
		now := call(t, s, tt.target).keys()
		s.Configure(Options{Old: true})
		old := call(t, s, tt.target).keys()
		var gone []string
		for _, k := range now {
			if !strings.Contains(" "+strings.Join(old, " ")+" ", " "+k+" ") {
				gone = append(gone, k)
			}
		}
		equal(t, tt.target, strings.Join(gone, " "), tt.keys)
		equal(t, "left", len(old), len(now)-len(gone))
	}
}

func TestForks(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.AddRepository(Repository{Name: "Fork", Parent: "checkout-api", Files: map[string]string{"a": "b"}, NamedBranch: true})
	s.AddRepository(Repository{Name: "Foreign", Parent: "elsewhere/tool"})
	g := call(t, s, "/repositories/acme/fork")
	equal(t, "keys", strings.Join(g.keys("parent"), " "), "full_name links name type uuid")
	equal(t, "parent", fmt.Sprint(g.at("parent", "full_name"), g.at("parent", "name"), g.at("parent", "uuid")), "acme/checkout-apiCheckout API"+s.UUID("checkout-api"))
	equal(t, "size", g.at("size"), any(0.0))
	equal(t, "main branch", g.at("mainbranch", "type"), any("named_branch"))
	equal(t, "content", call(t, s, "/repositories/acme/fork/src/main/a").body, "b")
	equal(t, "from elsewhere", call(t, s, "/repositories/acme/foreign").at("parent", "full_name"), any("elsewhere/tool"))
	s.RemoveRepository("checkout-api")
	equal(t, "gone", call(t, s, "/repositories/acme/fork").at("parent"), nil)
}

// The links in bodies begin otherwise than the one to the next page.
func TestBodyLinks(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.Configure(Options{BodyLinks: "https://bitbucket.org/!api/2.0/"})
	g := call(t, s, "/repositories/acme?pagelen=1&sort=slug")
	equal(t, "link", g.at("values", 0, "links", "self", "href"), any("https://bitbucket.org/!api/2.0/repositories/acme/checkout-api"))
	next, _ := g.at("next").(string)
	equal(t, "next", strings.HasPrefix(next, base+"/repositories/acme?"), true)
	equal(t, "redirect", strings.HasPrefix(call(t, s, "/repositories/acme/checkout-api/src").header.Get("Location"), base), true)
}

// The name of a page depends on its number alone, and the size stands there when it is asked for.
func TestSourcePages(t *testing.T) {
	t.Parallel()
	s := small(t)
	for i := range 6 {
		s.SetFile("orphan", strconv.Itoa(i), []byte("x"))
	}
	for _, sized := range []bool{false, true} {
		s.Configure(Options{SizedSource: sized})
		var names []string
		for next, ok := "/repositories/acme/orphan/src/main/?pagelen=2", true; ok; {
			g := call(t, s, next)
			equal(t, "size", g.at("size") != nil, sized)
			if next, ok = g.at("next").(string); ok {
				names = append(names, next[strings.Index(next, "page=")+5:])
			}
		}
		if len(names) != 3 || !strings.HasPrefix(names[0], "8xhd") || !strings.HasPrefix(names[1], "dbtR") || names[2] == "4" {
			t.Errorf("got pages %q", names)
		}
	}
	equal(t, "folders first, without a history", strings.Join(call(t, s, "/repositories/acme/checkout-api/src/main/").keys("values", 0, "links"), " "), "meta self")
	equal(t, "files with it", strings.Join(call(t, s, "/repositories/acme/checkout-api/src/main/").keys("values", 1, "links"), " "), "history meta self")
}

// Dates of commits have no part of a second, and a branch by itself tells more than in a list.
func TestBranchAlone(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.AddBranch("checkout-api", "feature/draft")
	g := call(t, s, "/repositories/acme/checkout-api/refs/branches/feature%2Fdraft")
	equal(t, "strategies", g.at("sync_strategies", 1), any("rebase"))
	equal(t, "link", g.at("links", "pullrequest_create", "href"), any("https://bitbucket.org/acme/checkout-api/pull-requests/new?source=feature/draft&t=1"))
	date, _ := g.at("target", "date").(string)
	equal(t, "date", strings.Contains(date, "."), false)
	equal(t, "zone", strings.HasSuffix(date, "+00:00"), true)
	equal(t, "main", call(t, s, "/repositories/acme/checkout-api/refs/branches/main").at("sync_strategies"), nil)
	equal(t, "list", call(t, s, "/repositories/acme/checkout-api/refs/branches").at("values", 0, "sync_strategies"), nil)
}

func TestPullRequestsOfDeletedThings(t *testing.T) {
	t.Parallel()
	s := small(t)
	dana := User{Name: "Dana Ruiz"}
	id := s.AddPullRequest("checkout-api", PullRequest{Author: FormerUser(), DeletedBranches: true, Fork: "dana/checkout", Participants: []Participant{
		{User: dana}, {User: dana, State: "approved"}, {User: dana, NoState: true}}})
	g := call(t, s, "/repositories/acme/checkout-api/pullrequests/"+strconv.Itoa(id))
	equal(t, "author", g.at("author", "display_name"), any("Former user"))
	equal(t, "nickname", g.at("author", "nickname"), any("Former user"))
	equal(t, "source", strings.Join(g.keys("source"), " "), "branch commit repository")
	equal(t, "source commit", g.at("source", "commit"), nil)
	equal(t, "destination commit", g.at("destination", "commit"), nil)
	equal(t, "fork", g.at("source", "repository", "full_name"), any("dana/checkout"))
	equal(t, "state null", strings.Join(g.keys("participants", 0), " "), "approved participated_on role state type user")
	equal(t, "state", g.at("participants", 1, "state"), any("approved"))
	equal(t, "state missing", strings.Join(g.keys("participants", 2), " "), "approved participated_on role type user")
	g = call(t, s, "/repositories/acme/checkout-api/pullrequests/99")
	equal(t, "missing", strconv.Itoa(g.status)+" "+g.header.Get("Content-Type")+" "+g.body, "404 text/plain Not Found")
	s.Configure(Options{Old: true})
	old := call(t, s, "/repositories/acme/checkout-api/pullrequests/"+strconv.Itoa(id))
	equal(t, "participant of old", strings.Join(old.keys("participants", 1), " "), "approved participated_on role type user")
	equal(t, "links of old", old.at("links", "request-changes"), nil)
	equal(t, "branch of old", strings.Join(old.keys("source", "branch"), " "), "name")
}

// Accounts have ids of two forms.
func TestAccountIDs(t *testing.T) {
	t.Parallel()
	forms := map[bool]int{}
	for _, u := range sampleUsers {
		forms[strings.Contains(accountID(u), ":")]++
	}
	if forms[true] < 2 || forms[false] < 2 {
		t.Errorf("got %v, want both forms", forms)
	}
}

func TestProjectLinks(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.AddProject(Project{Key: "small_letters"})
	g := call(t, s, "/workspaces/acme/projects/small_letters")
	equal(t, "repositories", g.at("links", "repositories", "href"), any(base+`/repositories/acme?q=project.key="small_letters"`))
	equal(t, "of a repository's", call(t, s, "/repositories/acme/checkout-api").at("project", "links", "repositories"), nil)
}
