package bitbuckettest

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.UpdateRepository("orphan", func(r *Repository) {
		r.CreatedOn = time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	})
	const all = "checkout-api r-d-bot empty orphan"
	tests := []struct{ q, want string }{
		{`name = "Checkout API"`, "checkout-api"},
		{`name="checkout api"`, ""},
		{`name ~ "checkout"`, "checkout-api"},
		{`name !~ "checkout"`, "r-d-bot empty orphan"},
		{`name != "empty"`, "checkout-api r-d-bot orphan"},
		{`name ~ "R&D 🤖"`, "r-d-bot"},
		{`size > 100`, "r-d-bot"},
		{`size >= 100 AND size < 200`, "checkout-api"},
		{`size <= 0`, "empty orphan"},
		{`size = 100.0`, "checkout-api"},
		{`size > -1`, all},
		{`is_private = true`, "checkout-api"},
		{`is_private != true`, "r-d-bot empty orphan"},
		{`project.key="OPS"`, "r-d-bot empty"},
		{`project = null`, "orphan"},
		{`project.key = null`, "orphan"},
		{`project != null`, "checkout-api r-d-bot empty"},
		{`project.key != "OPS"`, "checkout-api orphan"},
		{`mainbranch.name = "main"`, "checkout-api orphan"},
		{`mainbranch = null`, "empty"},
		{`slug IN ("empty", "orphan")`, "empty orphan"},
		{`name in ("empty")`, "empty"},
		{`project.key="OPS" AND size > 0 OR slug="orphan"`, "r-d-bot orphan"},
		{`project.key="OPS" AND (size > 0 OR slug="orphan")`, "r-d-bot"},
		{`((((slug="empty"))))`, "empty"},
		{`created_on > 2026-01-01`, "orphan"},
		{`created_on >= "2026-03-01"`, "orphan"},
		{`created_on = 2026-03-01T00:00:00+00:00`, "orphan"},
		{`created_on > 2026-03-01T01:00:00+02:00`, "orphan"},
		{`created_on > 2026-03-01T00:00:00.000001Z`, ""},
		{`created_on < "2026-02-28T23:59:59.999Z" and size = 0`, "empty"},
		{`name ~ "\"" OR name = "a\\b"`, ""},
		{`language = "go" or language = "python"`, "checkout-api r-d-bot"},
		{`parent = null`, all},
		{`parent.full_name = "acme/x"`, ""},
	}
	for _, tt := range tests {
		g := call(t, s, "/repositories/acme?sort=created_on&q="+url.QueryEscape(tt.q))
		equal(t, tt.q, g.status, 200)
		equal(t, tt.q, g.column("slug"), tt.want)
	}
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
}

func TestBadQuery(t *testing.T) {
	t.Parallel()
	s := small(t)
	queries := []string{
		``, `name`, `name =`, `= "a"`, `name = "a`, `name = a`, `name "a"`, `name = "a" AND`, `(name = "a"`,
		`name = "a")`, `name = "a" name = "b"`, `nome = "a"`, `project.kay = "a"`, `values.name = "a"`, `name == "a"`,
		`name IN "a"`, `name IN ("a"`, `name IN ()`, `size = 1.2.3`, `created_on > yesterday`, `created_on > "soon"`,
		`name = 2026-01-01`, `name ! "a"`, `name = 'a'`, `NOT name = "a"`, `name = "a" ; x`,
		strings.Repeat("(", 200) + `name="a"` + strings.Repeat(")", 200),
	}
	for _, q := range queries {
		equal(t, q, call(t, s, "/repositories/acme?q="+url.QueryEscape(q)).status, 400)
	}
	unquoted := []string{`state=OPEN`, `state != OPEN`, `title ~ x`, `state IN (OPEN, "MERGED")`, `state='OPEN'`, `state=OPEN OR state="MERGED"`}
	for _, q := range unquoted {
		equal(t, q, call(t, s, "/repositories/acme/checkout-api/pullrequests?q="+url.QueryEscape(q)).status, 400)
	}
	equal(t, "violations", len(s.Violations()), len(queries)+len(unquoted))
}

func FuzzQuery(f *testing.F) {
	for _, q := range []string{`name = "a"`, `(size > 1 OR slug IN ("a","b")) AND created_on < 2026-01-01T00:00:00Z`, `name ~ "\"`} {
		f.Add(q)
	}
	known := newSchema()["repository"]
	f.Fuzz(func(t *testing.T, q string) {
		if c, err := parseQuery(q, known); err == nil {
			c.holds(known.example)
		}
	})
}

func TestFields(t *testing.T) {
	t.Parallel()
	s := small(t)
	const repo = "/repositories/acme/checkout-api"
	const repos = "/repositories/acme?sort=created_on&pagelen=1"
	const prs = repo + "/pullrequests?sort=id&pagelen=1"
	tests := []struct {
		target, fields string
		path           []any
		want           string // keys
	}{
		{repo, "slug", nil, "slug"},
		{repo, "slug,links.self", []any{}, "links slug"},
		{repo, "slug,links.self.href", []any{"links"}, "self"},
		{repo, "links.*.href", []any{"links", "self"}, "href"},
		{repo, "-links,-owner,-workspace,-project", nil, "created_on description enforced_signed_commits fork_policy full_name has_issues has_wiki is_private language mainbranch name override_settings parent scm size slug type updated_on uuid website"},
		{repo, "-*,+slug", nil, "slug"},
		{repo, "mainbranch.target.hash", []any{"mainbranch"}, "target"},
		{repo, "+mainbranch.target.hash", []any{"mainbranch"}, "name target type"},
		{repo, "*", []any{"mainbranch"}, "name type"},
		{repo, "nothing", nil, ""},
		{repos, "size", nil, "size"},
		{repos, "values.slug", nil, "values"},
		{repos, "values.slug,next", nil, "next values"},
		{repos, "values.slug,next", []any{"values", 0}, "slug"},
		{repos, "values.*", []any{"values", 0, "mainbranch"}, "name type"},
		{repos, "+values.mainbranch.target.hash", nil, "next page pagelen size values"},
		{repos, "+values.mainbranch.target.hash", []any{"values", 0, "mainbranch"}, "name target type"},
		{repos, "+values.mainbranch.target.hash", []any{"values", 0, "mainbranch", "target"}, "hash"},
		{repos, "+values.mainbranch.target.hash,+values.mainbranch.target.date", []any{"values", 0, "mainbranch", "target"}, "date hash"},
		{repos, "-values.links,-values.owner.links", []any{"values", 0, "owner"}, "display_name type username uuid"},
		{repos, "-values.*.links", []any{"values", 0, "project"}, "key name type uuid"},
		{prs, "+values.reviewers,+values.participants", []any{"values", 0, "reviewers", 0}, "account_id display_name links nickname type uuid"},
		{prs, "+values.reviewers,+values.participants", []any{"values", 0, "participants", 0}, "approved participated_on role state type user"},
		{prs, "+values.reviewers.uuid", []any{"values", 0, "reviewers", 0}, "uuid"},
		{prs, "values.id,values.reviewers.uuid", nil, "values"}, // and so there is no next page
		{prs, "values.id,values.reviewers.uuid,next,size", nil, "next size values"},
		{prs, "values.id,values.reviewers.uuid,next,size", []any{"values", 0}, "id reviewers"},
		{prs, "values.id,values.reviewers.uuid,next,size", []any{"values", 0, "reviewers", 0}, "uuid"},
		{prs, "values.author,values.nothing,values.author.nothing", []any{"values", 0, "author"}, "account_id display_name links nickname type uuid"},
		{prs, "values.author.links.html.href", []any{"values", 0, "author", "links"}, "html"},
		{prs, "+values.destination.repository.slug", []any{"values", 0, "destination", "repository"}, "full_name links name slug type uuid"},
		{prs, "+values.destination.repository.project.key", []any{"values", 0, "destination", "repository", "project"}, "key"},
	}
	for _, tt := range tests {
		sep := "?"
		if strings.Contains(tt.target, "?") {
			sep = "&"
		}
		g := call(t, s, tt.target+sep+"fields="+url.QueryEscape(tt.fields))
		equal(t, tt.fields, strings.Join(g.keys(tt.path...), " "), tt.want)
	}
	g := call(t, s, "/repositories/acme?sort=created_on&fields=%2Bvalues.mainbranch.target.hash")
	equal(t, "hash", g.at("values", 0, "mainbranch", "target", "hash"), any(s.Head("checkout-api")))
	equal(t, "still null", g.at("values", 2, "mainbranch"), nil)
	equal(t, "NoTarget", strings.Join(g.keys("values", 3, "mainbranch"), " "), "name type")
	equal(t, "null stays", strings.Join(call(t, s, "/repositories/acme/orphan?fields=project.key").keys(), " "), "project")
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
	for _, bad := range []string{"", "a..b", ",", "+", "a,%20b"} {
		equal(t, bad, call(t, s, repo+"?fields="+bad).status, 400)
	}
}
