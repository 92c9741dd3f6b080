package bitbuckettest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const sortedRepositories = "/repositories/acme?sort=created_on"

// follow answers as a client that follows redirects sees it.
func follow(t *testing.T, s *Server, target string) got {
	t.Helper()
	g := call(t, s, target)
	for range 3 {
		if g.status/100 == 3 {
			g = call(t, s, g.header.Get("Location"))
		}
	}
	return g
}

func TestRename(t *testing.T) {
	t.Parallel()
	s := small(t)
	uuid, hash := s.UUID("checkout-api"), s.Head("checkout-api")
	s.RenameRepository("checkout-api", "Cash Desk")
	equal(t, "list", call(t, s, sortedRepositories).column("slug"), "cash-desk r-d-bot empty orphan")
	g := call(t, s, "/repositories/acme/checkout-api/pullrequests?sort=id&pagelen=1")
	equal(t, "status", g.status, http.StatusMovedPermanently)
	equal(t, "location", g.header.Get("Location"), base+"/repositories/acme/cash-desk/pullrequests?sort=id&pagelen=1")
	g = follow(t, s, "/repositories/acme/checkout-api")
	equal(t, "uuid", g.at("uuid"), any(uuid))
	equal(t, "name", g.at("name"), any("Cash Desk"))
	equal(t, "file", follow(t, s, "/repositories/acme/checkout-api/src/"+hash+"/docs/a%20b.txt").body, "x")
	equal(t, "by uuid", call(t, s, "/repositories/acme/"+url.PathEscape(uuid)).at("slug"), any("cash-desk"))

	s.RenameRepository("cash-desk", "Till")
	equal(t, "the first slug leads to the last", call(t, s, "/repositories/acme/checkout-api").header.Get("Location"), base+"/repositories/acme/till")
	s.RenameRepository("till", "Checkout API")
	equal(t, "back again", call(t, s, "/repositories/acme/checkout-api").at("uuid"), any(uuid))
	equal(t, "between", follow(t, s, "/repositories/acme/till").at("uuid"), any(uuid))

	s.RenameRepository("orphan", "Adopted")
	s.AddRepository(Repository{Name: "orphan"})
	equal(t, "a slug that another has", call(t, s, "/repositories/acme/orphan").at("slug"), any("orphan"))
	if s.UUID("orphan") == s.UUID("adopted") {
		t.Error("two repositories have one uuid")
	}
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	for _, redirect := range []bool{false, true} {
		s := small(t)
		s.TransferRepository("orphan", "globex", redirect)
		equal(t, "list", call(t, s, sortedRepositories).column("slug"), "checkout-api r-d-bot empty")
		g := call(t, s, "/repositories/acme/orphan/refs/branches")
		if redirect {
			equal(t, "location", g.header.Get("Location"), base+"/repositories/globex/orphan/refs/branches")
			g = follow(t, s, "/repositories/acme/orphan/refs/branches")
		}
		equal(t, "status", g.status, http.StatusNotFound)
		equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
		equal(t, "another of that workspace", call(t, s, "/repositories/globex/other").status, http.StatusNotFound)
		equal(t, "is asked by mistake", len(s.Violations()), 1)
	}
}

func TestVisibility(t *testing.T) {
	t.Parallel()
	s := small(t)
	uuid, hash := url.PathEscape(s.UUID("checkout-api")), s.Head("checkout-api")
	for _, tt := range []struct {
		visibility Visibility
		listed     bool
		status     int
	}{
		{NoPermission, false, 404}, {ListedMissing, true, 404}, {ListedForbidden, true, 403}, {Visible, true, 200},
	} {
		s.SetVisibility("checkout-api", tt.visibility)
		g := call(t, s, sortedRepositories)
		equal(t, "listed", strings.Contains(g.column("slug"), "checkout-api"), tt.listed)
		equal(t, "size", g.at("size"), any(map[bool]float64{true: 4, false: 3}[tt.listed]))
		equal(t, "asked for by name", call(t, s, sortedRepositories+"&q=slug%3D%22checkout-api%22").column("slug") != "", tt.listed)
		for _, route := range []string{"", "/pullrequests", "/pullrequests/1", "/refs/branches", "/refs/branches/main", "/src/" + hash + "/", "/src/" + hash + "/README.md"} {
			equal(t, route, call(t, s, "/repositories/acme/checkout-api"+route).status, tt.status)
			equal(t, route+" by uuid", call(t, s, "/repositories/acme/"+uuid+route).status, tt.status)
		}
	}
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
}

func TestRemoveFolder(t *testing.T) {
	t.Parallel()
	s := small(t)
	before := s.Head("checkout-api")
	after := s.RemoveFolder("checkout-api", "docs")
	equal(t, "head", s.Head("checkout-api"), after)
	equal(t, "left", call(t, s, "/repositories/acme/checkout-api/src/"+after+"/?max_depth=5").column("path"), "README.md")
	equal(t, "old commit", call(t, s, "/repositories/acme/checkout-api/src/"+before+"/docs/?max_depth=5").column("path"), "docs/deep docs/a b.txt docs/deep/c.json")
}

func TestProjects(t *testing.T) {
	t.Parallel()
	s := small(t)
	first := call(t, s, "/workspaces/acme/projects/PAY").at("uuid")
	for _, tt := range []struct{ query, want string }{
		{"", "PAY OPS"},
		{"?sort=key", "OPS PAY"},
		{"?sort=-created_on", "OPS PAY"},
		{"?q=" + url.QueryEscape(`key="PAY"`), "PAY"},
		{"?q=" + url.QueryEscape(`name ~ "o" OR uuid = "`+first.(string)+`"`), "PAY OPS"},
		{"?q=" + url.QueryEscape(`created_on > "2124-01-01"`), ""},
		{"?sort=key&pagelen=1&page=2", "PAY"},
	} {
		equal(t, tt.query, call(t, s, "/workspaces/acme/projects"+tt.query).column("key"), tt.want)
	}
	equal(t, "one", call(t, s, "/workspaces/acme/projects/PAY?fields=name").at("name"), any("Payments"))
	s.RemoveProject("PAY")
	equal(t, "gone", call(t, s, "/workspaces/acme/projects/PAY").status, http.StatusNotFound)
	s.AddProject(Project{Key: "PAY"})
	if call(t, s, "/workspaces/acme/projects/PAY").at("uuid") == first {
		t.Error("a new project of an old key has the old uuid")
	}
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
}

// Keys by which a client pages without numbers, or asks for what it knows.
func TestQueryByKeys(t *testing.T) {
	t.Parallel()
	s := small(t)
	bot, orphan := s.UUID("r-d-bot"), s.UUID("orphan")
	created := call(t, s, "/repositories/acme/empty").at("created_on").(string)
	for _, tt := range []struct{ list, field, q, want string }{
		{"/repositories/acme", "slug", `uuid = "` + bot + `"`, "r-d-bot"},
		{"/repositories/acme", "slug", `uuid = "` + bot + `" OR uuid = "` + orphan + `"`, "r-d-bot orphan"},
		{"/repositories/acme", "slug", `uuid != "` + bot + `"`, "checkout-api empty orphan"},
		{"/repositories/acme", "slug", `slug = "empty"`, "empty"},
		{"/repositories/acme", "slug", `created_on >= ` + created, "empty orphan"},
		{"/repositories/acme", "slug", `created_on > "` + created + `"`, "orphan"},
		{"/repositories/acme", "slug", `created_on > ` + created + ` OR (created_on = ` + created + ` AND uuid > "{")`, "empty orphan"},
		{"/repositories/acme/checkout-api/pullrequests", "id", `state="OPEN" AND id > 1`, "2"},
		{"/repositories/acme/checkout-api/pullrequests", "id", `id = 1 OR id = 3`, "1"},
		{"/repositories/acme/checkout-api/pullrequests", "id", `(id = 1 OR id = 3) AND state != "DECLINED"`, "1 3"},
		{"/repositories/acme/checkout-api/pullrequests", "id", `destination.repository.uuid = "` + bot + `"`, ""},
	} {
		sort := "&sort=created_on"
		if tt.field == "id" {
			sort = "&sort=id"
		}
		equal(t, tt.q, call(t, s, tt.list+"?q="+url.QueryEscape(tt.q)+sort).column(tt.field), tt.want)
	}
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
}
