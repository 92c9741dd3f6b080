package bitbuckettest

import (
	"path"
	"strconv"
	"testing"
)

func TestSample(t *testing.T) {
	t.Parallel()
	s := Sample()
	s.AllowToken("good")
	equal(t, "projects", call(t, s, "/workspaces/acme/projects").at("size"), any(6.0))
	equal(t, "repositories", call(t, s, "/repositories/acme?pagelen=1").at("size"), any(120.0))

	open, closed, withReadme, deletedForks, deletedAuthors, services := 0, 0, 0, 0, 0, 0
	for _, slug := range s.Slugs() {
		r := s.bySlug[slug]
		n := 0
		for _, p := range s.pullRequests.of(r).all {
			if p.State == "OPEN" {
				n++
			} else {
				closed++
			}
			if p.DeletedFork {
				deletedForks++
			}
			if p.Author == nil {
				deletedAuthors++
			}
		}
		open += n
		if slug != "checkout-api" && n > 6 {
			t.Errorf("%s has %d open pull requests", slug, n)
		}
		c := r.head()
		if c == nil {
			continue
		}
		if c.files["README.md"] != "" {
			withReadme++
		}
		for name := range c.files {
			if path.Base(name) == "port.yml" {
				services++
			}
		}
	}
	equal(t, "files port.yml", services, 5)
	equal(t, "open pull requests", open, sampleOpen)
	equal(t, "of checkout-api", call(t, s, "/repositories/acme/checkout-api/pullrequests?pagelen=50").at("size"), any(64.0))
	equal(t, "deleted forks", deletedForks, 1)
	if closed < 50 || deletedAuthors < 3 || withReadme < 90 || withReadme > 115 {
		t.Errorf("closed %d, deleted authors %d, README.md in %d", closed, deletedAuthors, withReadme)
	}
	empty := call(t, s, "/repositories/acme/sandbox")
	equal(t, "main branch of the empty repository", empty.at("mainbranch"), nil)
	equal(t, "project of legacy-billing", call(t, s, "/repositories/acme/legacy-billing").at("project"), nil)
	equal(t, "head", s.Head("checkout-api"), Sample().Head("checkout-api"))
}

// BenchmarkPages turns every page of 1,000 repositories and of 5 pull requests in each.
func BenchmarkPages(b *testing.B) {
	s := New("acme")
	s.AllowToken("good", Access{Limit: -1})
	for i := range 1000 {
		slug := "r" + strconv.Itoa(i)
		s.AddRepository(Repository{Name: slug, Files: map[string]string{"README.md": slug}})
		for range 5 {
			s.AddPullRequest(slug, PullRequest{Title: slug, Author: &User{Name: "a"}, Reviewers: []User{{Name: "b"}}})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for p := 1; p <= 10; p++ {
			benchCall(b, s, "/repositories/acme?pagelen=100&sort=created_on&fields=%2Bvalues.mainbranch.target.hash&page="+strconv.Itoa(p))
		}
		for i := range 1000 {
			benchCall(b, s, "/repositories/acme/r"+strconv.Itoa(i)+"/pullrequests?pagelen=50&sort=id&q=state%3D%22OPEN%22&fields=%2Bvalues.reviewers,%2Bvalues.participants")
		}
	}
}
