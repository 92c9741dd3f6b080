package bitbuckettest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestPaging(t *testing.T) {
	t.Parallel()
	s := New("acme")
	s.AllowToken("good")
	for i := range 25 {
		s.AddRepository(Repository{Name: "r" + strconv.Itoa(i)})
	}
	g := call(t, s, "/repositories/acme?sort=created_on")
	equal(t, "default length", g.at("pagelen"), any(10.0))
	equal(t, "size", g.at("size"), any(25.0))
	equal(t, "page", g.at("page"), any(1.0))
	equal(t, "previous", g.at("previous"), nil)
	equal(t, "values", g.column("slug"), "r0 r1 r2 r3 r4 r5 r6 r7 r8 r9")

	all, pages := "", 0
	next := base + "/repositories/acme?sort=-created_on&pagelen=10&fields=%2Bvalues.mainbranch.target.hash&q=size+%3D+0"
	for ; next != ""; pages++ {
		g := call(t, s, next)
		equal(t, "status", g.status, 200)
		all += g.column("slug") + " "
		if next, _ = g.at("next").(string); next != "" {
			u, err := url.Parse(next)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "fields in next", u.Query().Get("fields"), "+values.mainbranch.target.hash")
			equal(t, "q in next", u.Query().Get("q"), "size = 0")
			equal(t, "page in next", u.Query().Get("page"), strconv.Itoa(pages+2))
		}
	}
	equal(t, "pages", pages, 3)
	if !strings.HasPrefix(all, "r24 r23 ") || len(strings.Fields(all)) != 25 {
		t.Errorf("all pages: %s", all)
	}
	g = call(t, s, "/repositories/acme?page=9")
	equal(t, "beyond the end", len(g.at("values").([]any)), 0)
	equal(t, "next there", g.at("next"), nil)
	equal(t, "last but one has previous", call(t, s, "/repositories/acme?page=2").at("previous"), any(base+"/repositories/acme?page=1"))
	s.OmitSize(true)
	equal(t, "size left out", call(t, s, "/repositories/acme").at("size"), nil)
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
}

func TestDefaultOrderIsNewestFirst(t *testing.T) {
	t.Parallel()
	s := small(t)
	equal(t, "repositories", call(t, s, "/repositories/acme").column("slug"), "orphan empty r-d-bot checkout-api")
	s.UpdateRepository("r-d-bot", func(r *Repository) { r.Description = "new" })
	equal(t, "after a change", call(t, s, "/repositories/acme").column("slug"), "r-d-bot orphan empty checkout-api")
	equal(t, "sorted", call(t, s, "/repositories/acme?sort=created_on").column("slug"), "checkout-api r-d-bot empty orphan")
	equal(t, "by size", call(t, s, "/repositories/acme?sort=-size").column("slug"), "r-d-bot checkout-api orphan empty")
	equal(t, "nested, null first", call(t, s, "/repositories/acme?sort=project.key").column("slug"), "orphan r-d-bot empty checkout-api")
	prs := "/repositories/acme/checkout-api/pullrequests"
	equal(t, "pull requests", call(t, s, prs).column("id"), "2 1")
	equal(t, "by id", call(t, s, prs+"?sort=id").column("id"), "1 2")
}

func TestRolesAndStates(t *testing.T) {
	t.Parallel()
	s := small(t)
	equal(t, "member", call(t, s, "/repositories/acme?role=member&sort=created_on").column("slug"), "checkout-api r-d-bot empty orphan")
	equal(t, "admin", call(t, s, "/repositories/acme?role=admin&sort=created_on").column("slug"), "checkout-api r-d-bot empty")
	prs := "/repositories/acme/checkout-api/pullrequests?sort=id"
	tests := []struct{ query, want string }{
		{"", "1 2"},
		{"&state=MERGED", "3"},
		{"&state=MERGED&state=DECLINED&state=SUPERSEDED", "3 4"},
		{"&q=" + url.QueryEscape(`state="MERGED" OR state="OPEN"`), "1 2 3"},
		{"&q=" + url.QueryEscape(`title ~ "o"`), ""},
		{"&q=" + url.QueryEscape(`title ~ "ADD"`), "1"},
		{"&state=DECLINED&q=" + url.QueryEscape(`title = "No"`), "4"},
		{"&q=" + url.QueryEscape(`author = null`), "2"},
		{"&q=" + url.QueryEscape(`reviewers.display_name = "Amir Haddad"`), "1"},
	}
	for _, tt := range tests {
		equal(t, tt.query, call(t, s, prs+tt.query).column("id"), tt.want)
	}
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
}

func TestShapes(t *testing.T) {
	t.Parallel()
	s := small(t)
	list := call(t, s, "/repositories/acme?sort=created_on")
	equal(t, "null main branch", list.at("values", 2, "mainbranch"), nil)
	equal(t, "null project", list.at("values", 3, "project"), nil)
	equal(t, "project", list.at("values", 0, "project", "key"), any("PAY"))
	equal(t, "main branch", strings.Join(list.keys("values", 0, "mainbranch"), " "), "name type")
	equal(t, "name", list.at("values", 1, "name"), any("R&D 🤖 Bot"))
	equal(t, "slug", list.at("values", 1, "slug"), any("r-d-bot"))
	equal(t, "self", list.at("values", 0, "links", "self", "href"), any(base+"/repositories/acme/checkout-api"))

	uuid := list.at("values", 0, "uuid").(string)
	equal(t, "uuid", uuid, s.UUID("checkout-api"))
	equal(t, "by uuid", call(t, s, "/repositories/acme/"+url.PathEscape(uuid)).at("slug"), any("checkout-api"))
	equal(t, "full name", call(t, s, "/repositories/acme/r-d-bot").at("full_name"), any("acme/r-d-bot"))

	prs := call(t, s, "/repositories/acme/checkout-api/pullrequests?sort=id")
	equal(t, "author", prs.at("values", 0, "author", "display_name"), any("Dana Ruiz"))
	equal(t, "deleted author", prs.at("values", 1, "author"), nil)
	equal(t, "deleted fork", prs.at("values", 1, "source", "repository"), nil)
	equal(t, "title", prs.at("values", 1, "title"), any("Say \"hi\"\n<b>"))
	equal(t, "short hash", len(prs.at("values", 0, "source", "commit", "hash").(string)), 12)
	equal(t, "reviewers in the list", prs.at("values", 0, "reviewers"), nil)
	one := call(t, s, "/repositories/acme/checkout-api/pullrequests/1")
	equal(t, "reviewers in one", one.at("reviewers", 0, "display_name"), any("Amir Haddad"))
	equal(t, "participant", one.at("participants", 0, "role"), any("REVIEWER"))
	merged := call(t, s, "/repositories/acme/checkout-api/pullrequests/3")
	equal(t, "merge commit", merged.at("merge_commit", "type"), any("commit"))
	equal(t, "closed by", merged.at("closed_by", "display_name"), any("Amir Haddad"))
	equal(t, "closed on", merged.at("closed_on"), merged.at("updated_on"))
	equal(t, "an open one is not closed", slices.Contains(one.keys(), "closed_on"), false)
	equal(t, "rendered", strings.Join(merged.keys("rendered"), " "), "description title")
	equal(t, "all states", call(t, s, "/repositories/acme/checkout-api/pullrequests?state=all").at("size"), any(4.0))
	closed := "/repositories/acme/checkout-api/pullrequests?state=MERGED&fields=%2Bvalues.rendered"
	equal(t, "in a list", slices.ContainsFunc(call(t, s, closed).keys("values", 0), func(k string) bool { return k == "closed_on" || k == "rendered" }), false)
	equal(t, "asked for", call(t, s, closed+",%2Bvalues.closed_on").at("values", 0, "closed_on"), merged.at("closed_on"))
	s.UpdatePullRequest("checkout-api", 3, func(p *PullRequest) { p.Title = "A word more" })
	later := call(t, s, "/repositories/acme/checkout-api/pullrequests/3")
	equal(t, "closed before the last change", later.at("closed_on"), merged.at("closed_on"))
	equal(t, "the last change", later.at("updated_on") != merged.at("updated_on"), true)

	projects := call(t, s, "/workspaces/acme/projects")
	equal(t, "projects", projects.column("key"), "PAY OPS")
	equal(t, "description", projects.at("values", 1, "description"), nil)
	equal(t, "workspace", call(t, s, "/workspaces/acme").at("slug"), any("acme"))
	created := list.at("values", 0, "created_on").(string)
	if _, err := time.Parse("2006-01-02T15:04:05.000000+00:00", created); err != nil {
		t.Error(err)
	}
}

func TestBranches(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.AddBranch("r-d-bot", "feature/a")
	repo := "/repositories/acme/r-d-bot/refs/branches"
	equal(t, "list", call(t, s, repo).column("name"), "feature/a release/1.x")
	equal(t, "q", call(t, s, repo+"?q="+url.QueryEscape(`name="release/1.x"`)+"&fields=values.target.hash").at("values", 0, "target", "hash"), any(s.Head("r-d-bot")))
	equal(t, "plain slash", call(t, s, repo+"/release/1.x").at("target", "hash"), any(s.Head("r-d-bot")))
	equal(t, "escaped slash", call(t, s, repo+"/release%2F1.x").at("name"), any("release/1.x"))
	equal(t, "none", call(t, s, "/repositories/acme/empty/refs/branches").at("size"), any(0.0))
	s.RemoveBranch("r-d-bot", "feature/a")
	equal(t, "removed", call(t, s, repo+"/feature/a").status, http.StatusNotFound)
	equal(t, "left", call(t, s, repo).column("name"), "release/1.x")
}

func TestContentChanges(t *testing.T) {
	t.Parallel()
	s := small(t)
	uuid := s.UUID("orphan")
	s.UpdateRepository("orphan", func(r *Repository) { r.Name, r.Slug, r.ProjectKey = "Adopted", "adopted", "PAY" })
	equal(t, "old slug", call(t, s, "/repositories/acme/orphan").status, http.StatusNotFound)
	equal(t, "uuid stays", call(t, s, "/repositories/acme/adopted").at("uuid"), any(uuid))
	s.UpdateProject("PAY", func(p *Project) { p.Name = "Money" })
	equal(t, "project's name", call(t, s, "/repositories/acme/adopted").at("project", "name"), any("Money"))
	s.RemoveProject("PAY")
	equal(t, "project gone", call(t, s, "/repositories/acme/adopted").at("project"), nil)
	s.RemoveRepository("adopted")
	equal(t, "removed", call(t, s, "/repositories/acme").at("size"), any(3.0))

	prs := "/repositories/acme/checkout-api/pullrequests"
	s.UpdatePullRequest("checkout-api", 1, func(p *PullRequest) { p.Title = "Again" })
	equal(t, "moved to the front", call(t, s, prs).column("id"), "1 2")
	s.RemovePullRequest("checkout-api", 2)
	equal(t, "removed", call(t, s, prs).column("id"), "1")
	equal(t, "next id", s.AddPullRequest("checkout-api", PullRequest{}), 5)

	before := s.Head("empty")
	hash := s.SetFile("empty", "README.md", []byte("hi"))
	equal(t, "head before", before, "")
	equal(t, "head", s.Head("empty"), hash)
	equal(t, "main branch", call(t, s, "/repositories/acme/empty").at("mainbranch", "name"), any("main"))
	second := s.RemoveFile("empty", "README.md")
	equal(t, "old commit", call(t, s, "/repositories/acme/empty/src/"+hash+"/README.md").body, "hi")
	equal(t, "new commit", call(t, s, "/repositories/acme/empty/src/"+second+"/README.md").status, http.StatusNotFound)
}

func TestOnRequest(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.OnRequest(func(n int, r *http.Request) {
		if n == 2 {
			s.RemoveRepository("checkout-api")
		}
	})
	equal(t, "first page", call(t, s, "/repositories/acme?sort=created_on&pagelen=1").column("slug"), "checkout-api")
	g := call(t, s, "/repositories/acme?sort=created_on&pagelen=1&page=2")
	equal(t, "second page has drifted", g.column("slug"), "empty")
	equal(t, "size", g.at("size"), any(3.0))
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.Prefix("/odd/base/")
	equal(t, "old prefix", call(t, s, "/workspaces/acme").status, http.StatusNotFound)
	g := call(t, s, "https://elsewhere:8443/odd/base/repositories/acme?pagelen=1")
	equal(t, "next", g.at("next"), any("https://elsewhere:8443/odd/base/repositories/acme?page=2&pagelen=1"))
}
