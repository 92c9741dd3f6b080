package bitbuckettest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Visibility is what a caller may see of a repository.
type Visibility int

const (
	Visible Visibility = iota
	// NoPermission leaves the repository out of every list and answers 404 on each route of its own.
	// Source: https://github.com/badges/shields/pull/8520, read 2026-11: 404 and no longer 403 for a private
	// repository that the caller may not see.
	NoPermission
	// ListedMissing keeps the repository in the lists and answers 404 on each route of its own.
	ListedMissing
	// ListedForbidden keeps the repository in the lists and answers 403 on each route of its own. That a list
	// and the routes disagree, as while a repository is suspended or moved, is assumed.
	ListedForbidden
)

// SetVisibility changes what callers see of a repository. Its content and dates stay as they are.
func (s *Server) SetVisibility(slug string, v Visibility) {
	s.change(func() { s.mustRepository(slug).visibility = v })
}

// RenameRepository gives a repository another name, and the slug that derives from it; its uuid stays. Until
// another repository takes it, the old slug answers 301 with the new address, and so do slugs before that.
// UpdateRepository renames without: both are seen.
// Source: https://github.com/zarplata/concourse-git-bitbucket-pr-resource/pull/39, read 2026-11: a 3xx for a
// repository that was moved; that it is a 301, and keeps the query, is assumed.
func (s *Server) RenameRepository(slug, name string) {
	s.change(func() {
		s.update(slug, func(r *Repository) { r.Name, r.Slug = name, Slug(name) })
		if slug != Slug(name) {
			s.movedTo(slug, s.workspace+"/"+Slug(name))
		}
	})
}

// TransferRepository moves a repository to another workspace, which the credentials cannot see: it leaves the
// lists and its routes answer 404. With a redirect they answer 301 with an address in that workspace, which
// answers 404.
// Source: https://support.atlassian.com/bitbucket-cloud/docs/transfer-repository-ownership/, read 2026-11: all
// access groups are lost. The answers are assumed.
func (s *Server) TransferRepository(slug, workspace string, redirect bool) {
	if workspace == s.workspace {
		panic("bitbuckettest: workspace " + workspace + " is the server's own")
	}
	s.change(func() {
		s.remove(slug)
		if redirect {
			s.transferred[workspace+"/"+slug] = true
			s.movedTo(slug, workspace+"/"+slug)
		}
	})
}

// movedTo makes a slug, and all that led to it, lead to a full name.
func (s *Server) movedTo(slug, fullName string) {
	for from, to := range s.moved {
		if to == s.workspace+"/"+slug {
			s.moved[from] = fullName
		}
	}
	s.moved[slug] = fullName
}

// RemoveFolder commits the removal of all files below a folder from the main branch and returns the hash of
// the commit.
func (s *Server) RemoveFolder(slug, path string) (hash string) {
	s.change(func() {
		r := s.mustRepository(slug)
		head := r.head()
		if head == nil || !head.hasDirectory(path) || path == "" {
			panic("bitbuckettest: " + slug + " has no folder " + path)
		}
		files := maps.Clone(head.files)
		maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasPrefix(name, path+"/") })
		r.UpdatedOn = s.tick()
		hash = r.commit("Remove "+path, r.UpdatedOn, files).hash
	})
	return hash
}

// RemoveBranch removes a branch that is not the main one. Its commits stay.
func (s *Server) RemoveBranch(slug, name string) {
	s.change(func() {
		r := s.mustRepository(slug)
		if r.branch(name) == nil || name == r.MainBranch {
			panic("bitbuckettest: " + slug + " has no branch " + name + " besides the main one")
		}
		r.branches = slices.DeleteFunc(r.branches, func(b *branch) bool { return b.name == name })
	})
}

// repository finds the repository of the path by slug or uuid, for a route of its own.
func (v view) repository(q *request) (*repository, *answer) {
	slug := q.segments[2]
	r := v.s.bySlug[slug]
	if r == nil && strings.HasPrefix(slug, "{") {
		if i := slices.IndexFunc(v.s.repos, func(r *repository) bool { return r.uuid == slug }); i >= 0 {
			r = v.s.repos[i]
		}
	}
	switch {
	case r == nil && v.s.moved[slug] != "":
		return nil, v.movedAnswer(q, v.s.moved[slug])
	case r == nil:
		return nil, repositoryNotFound(v.s.workspace + "/" + slug)
	case r.visibility == ListedForbidden:
		return nil, refuse(http.StatusForbidden, fmt.Sprintf("Access to repository %s/%s is denied", v.s.workspace, slug))
	case r.visibility != Visible:
		return nil, repositoryNotFound(v.s.workspace + "/" + slug)
	}
	return r, nil
}

func repositoryNotFound(fullName string) *answer {
	return refuse(http.StatusNotFound, "Repository "+fullName+" not found")
}

// movedAnswer is a redirect to the same route of another repository.
func (v view) movedAnswer(q *request, fullName string) *answer {
	rest := strings.SplitN(strings.TrimPrefix(q.path, "/"), "/", 4)
	location := v.base + "/repositories/" + fullName
	if len(rest) > 3 {
		location += "/" + rest[3]
	}
	if q.URL.RawQuery != "" {
		location += "?" + q.URL.RawQuery
	}
	a := respond(http.StatusMovedPermanently, "text/html", nil)
	a.header.Set("Location", location)
	return a
}
