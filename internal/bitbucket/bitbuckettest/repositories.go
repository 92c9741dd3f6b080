package bitbuckettest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// repositories are those of a workspace.
type repositories struct {
	ws       *workspace
	projects *projects
	all      []*repository
	bySlug   map[string]*repository
	// moved leads from slugs that repositories had to their full names now.
	moved       map[string]string
	transferred map[string]bool // full names in other workspaces that a redirect leads to
}

func newRepositories(w *workspace, ps *projects) *repositories {
	return &repositories{ws: w, projects: ps, bySlug: map[string]*repository{}, moved: map[string]string{}, transferred: map[string]bool{}}
}

func (rs *repositories) routes() []*route {
	return []*route{
		{path: "/repositories/{workspace}", scope: "repository", granular: "read:repository:bitbucket",
			parameters: []string{"role", "q", "sort", "page", "pagelen", "fields"}, maxPagelen: 100, handle: rs.list},
		{path: "/repositories/{workspace}/{repo_slug}", scope: "repository", granular: "read:repository:bitbucket",
			parameters: []string{"fields"}, handle: rs.get},
	}
}

func (rs *repositories) examples(v view) map[string]object {
	rs.AddRepository(Repository{Name: "example", ProjectKey: "P", Files: map[string]string{"a/b": "c"}})
	r := rs.all[0]
	o := append(object(nil), r.tree(v)...)
	for i, m := range o {
		if m.key == "parent" {
			o[i].value = v.repositoryStub(r)
		}
	}
	return map[string]object{"repository": o}
}

func (rs *repositories) must(slug string) *repository {
	r := rs.bySlug[slug]
	if r == nil {
		panic("bitbuckettest: no repository " + slug)
	}
	return r
}

// place puts a repository under a slug: what it redirected to is forgotten.
func (rs *repositories) place(slug string, r *repository) {
	rs.bySlug[slug] = r
	delete(rs.moved, slug)
}

// AddRepository adds a repository. Its slug must be new and its project must be there.
func (rs *repositories) AddRepository(r Repository) {
	rs.ws.change(func() {
		if r.Slug == "" {
			r.Slug = Slug(r.Name)
		}
		if r.Name == "" {
			r.Name = r.Slug
		}
		if rs.bySlug[r.Slug] != nil || r.Slug == "" {
			panic(fmt.Sprintf("bitbuckettest: slug %q is empty or there already", r.Slug))
		}
		rs.projects.must(r.ProjectKey)
		if r.MainBranch == "" && len(r.Files) > 0 {
			r.MainBranch = "main"
		}
		rs.ws.stamp(&r.CreatedOn, &r.UpdatedOn)
		seed := rs.ws.seed("repository", r.Slug)
		in := &repository{Repository: r, repositories: rs, uuid: uuidOf("repository", rs.ws.slug, seed), seed: seed}
		if r.MainBranch != "" {
			in.commit("Initial commit", r.CreatedOn, maps.Clone(r.Files))
		}
		in.Files = nil
		rs.all = append(rs.all, in)
		rs.place(r.Slug, in)
	})
}

// UpdateRepository changes a repository: f sees its fields but Files. A new slug renames it without a
// redirect, see RenameRepository; its uuid stays. UpdatedOn moves on, unless f sets it.
func (rs *repositories) UpdateRepository(slug string, f func(*Repository)) {
	rs.ws.change(func() { rs.update(slug, f) })
}

func (rs *repositories) update(slug string, f func(*Repository)) {
	r := rs.must(slug)
	before := r.UpdatedOn
	f(&r.Repository)
	rs.projects.must(r.ProjectKey)
	if r.UpdatedOn.Equal(before) {
		r.UpdatedOn = rs.ws.tick()
	}
	r.Files = nil
	r.renameMain(r.MainBranch)
	delete(rs.bySlug, slug)
	if rs.bySlug[r.Slug] != nil || r.Slug == "" {
		panic(fmt.Sprintf("bitbuckettest: slug %q is empty or there already", r.Slug))
	}
	rs.place(r.Slug, r)
}

// RemoveRepository removes a repository with all that is in it.
func (rs *repositories) RemoveRepository(slug string) {
	rs.ws.change(func() { rs.remove(slug) })
}

func (rs *repositories) remove(slug string) {
	r := rs.must(slug)
	delete(rs.bySlug, slug)
	rs.all = slices.DeleteFunc(rs.all, func(o *repository) bool { return o == r })
}

// RemoveProject removes a project; its repositories are left without one.
func (rs *repositories) RemoveProject(key string) {
	rs.ws.change(func() {
		rs.projects.all = slices.DeleteFunc(rs.projects.all, func(p *project) bool { return p.Key == key })
		for _, r := range rs.all {
			if r.ProjectKey == key {
				r.ProjectKey = ""
			}
		}
	})
}

// SetVisibility changes what callers see of a repository. Its content and dates stay as they are.
func (rs *repositories) SetVisibility(slug string, v Visibility) {
	rs.ws.change(func() { rs.must(slug).visibility = v })
}

// RenameRepository gives a repository another name, and the slug that derives from it; its uuid stays. Until
// another repository takes it, the old slug answers 301 with the new address, and so do slugs before that.
// UpdateRepository renames without: both are seen.
// Source: https://github.com/zarplata/concourse-git-bitbucket-pr-resource/pull/39, read 2026-11: a 3xx for a
// repository that was moved; that it is a 301, and keeps the query, is assumed.
func (rs *repositories) RenameRepository(slug, name string) {
	rs.ws.change(func() {
		rs.update(slug, func(r *Repository) { r.Name, r.Slug = name, Slug(name) })
		if slug != Slug(name) {
			rs.movedTo(slug, rs.ws.slug+"/"+Slug(name))
		}
	})
}

// TransferRepository moves a repository to another workspace, which the credentials cannot see: it leaves the
// lists and its routes answer 404. With a redirect they answer 301 with an address in that workspace, which
// answers 404.
// Source: https://support.atlassian.com/bitbucket-cloud/docs/transfer-repository-ownership/, read 2026-11: all
// access groups are lost. The answers are assumed.
func (rs *repositories) TransferRepository(slug, workspace string, redirect bool) {
	if workspace == rs.ws.slug {
		panic("bitbuckettest: workspace " + workspace + " is the server's own")
	}
	rs.ws.change(func() {
		rs.remove(slug)
		if redirect {
			rs.transferred[workspace+"/"+slug] = true
			rs.movedTo(slug, workspace+"/"+slug)
		}
	})
}

// movedTo makes a slug, and all that led to it, lead to a full name.
func (rs *repositories) movedTo(slug, fullName string) {
	for from, to := range rs.moved {
		if to == rs.ws.slug+"/"+slug {
			rs.moved[from] = fullName
		}
	}
	rs.moved[slug] = fullName
}

// UUID returns the uuid of a repository, with braces.
func (rs *repositories) UUID(slug string) string {
	rs.ws.mu.RLock()
	defer rs.ws.mu.RUnlock()
	return rs.must(slug).uuid
}

// Slugs returns the slugs of all repositories in the order in which they were added.
func (rs *repositories) Slugs() []string {
	rs.ws.mu.RLock()
	defer rs.ws.mu.RUnlock()
	slugs := make([]string, len(rs.all))
	for i, r := range rs.all {
		slugs[i] = r.Slug
	}
	return slugs
}

// list has the newest change first by default, so that a caller who forgets to sort meets the
// moving list that the real service may give it.
func (rs *repositories) list(v view, q *request) *answer {
	role := q.query.Get("role")
	if q.query.Has("role") && !slices.Contains([]string{"member", "contributor", "admin", "owner"}, role) {
		return refuse(http.StatusBadRequest, "Invalid role").noted("bad role")
	}
	items, refusal := v.selectItems(q, selection{
		kind:  "repository",
		scope: role + "/" + strings.Join(q.cred.Hidden, "/"),
		source: func() []item {
			return newestFirst(rs.all, func(r *repository) time.Time { return r.UpdatedOn })
		},
		keep: func(it item) bool {
			r := it.(*repository)
			return r.visibility != NoPermission && q.cred.sees(r) && (role == "" || r.Roles == nil || slices.Contains(r.Roles, role))
		},
	})
	if refusal != nil {
		return refusal
	}
	return v.pageByNumber(q, items)
}

func (rs *repositories) get(v view, q *request) *answer {
	r, refusal := rs.of(q)
	if refusal != nil {
		return refusal
	}
	return v.respond(q, r.tree(v))
}

// of finds the repository of the path by slug or uuid, for a route of its own.
func (rs *repositories) of(q *request) (*repository, *answer) {
	slug := q.segments[2]
	r := rs.bySlug[slug]
	if r == nil && strings.HasPrefix(slug, "{") {
		if i := slices.IndexFunc(rs.all, func(r *repository) bool { return r.uuid == slug }); i >= 0 {
			r = rs.all[i]
		}
	}
	switch {
	case r == nil && rs.moved[slug] != "":
		return nil, movedAnswer(q, rs.moved[slug])
	case r == nil:
		return nil, repositoryNotFound(rs.ws.slug + "/" + slug)
	case !q.cred.sees(r):
		return nil, repositoryNotFound(rs.ws.slug + "/" + slug)
	case r.visibility == ListedForbidden:
		return nil, refuse(http.StatusForbidden, fmt.Sprintf("Access to repository %s/%s is denied", rs.ws.slug, slug))
	case r.visibility != Visible:
		return nil, repositoryNotFound(rs.ws.slug + "/" + slug)
	}
	return r, nil
}

func repositoryNotFound(fullName string) *answer {
	return refuse(http.StatusNotFound, "Repository "+fullName+" not found")
}

// movedAnswer is a redirect to the same route of another repository.
func movedAnswer(q *request, fullName string) *answer {
	rest := strings.SplitN(strings.TrimPrefix(q.path, "/"), "/", 4)
	location := q.base + "/repositories/" + fullName
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
