package bitbuckettest

import (
	"cmp"
	"net/http"
	"strconv"
)

// Restriction is what a repository does not let everybody do with some of its branches.
type Restriction struct {
	Kind string // such as push, or require_approvals_to_merge
	// Pattern of the branches; BranchType, such as production, is in its place where it is set.
	Pattern, BranchType string
	Value               int      // of a kind that has one; 0 is null
	Users               []User   // who may all the same
	Groups              []string // slugs
}

// restrictions are those of the repositories.
type restrictions struct{ shelf[*restriction] }

type restriction struct {
	Restriction
	repo *repository
	id   int
}

func newRestrictions(rs *repositories) *restrictions {
	return &restrictions{newShelf[*restriction](rs)}
}

// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-branch-restrictions/#api-repositories-workspace-repo-slug-branch-restrictions-get,
// read 2026-11.
func (rs *restrictions) routes() []*route {
	return []*route{{path: "/repositories/{workspace}/{repo_slug}/branch-restrictions", scope: "repository:admin", granular: "admin:repository:bitbucket",
		parameters: []string{"kind", "pattern", "page", "pagelen", "fields"}, maxPagelen: 100, handle: rs.list}}
}

func (rs *restrictions) examples(v view) map[string]object {
	rs.AddRestriction("example", Restriction{Kind: "push", Pattern: "main", Users: []User{{Name: "Example"}}, Groups: []string{"admins"}})
	return map[string]object{"restriction": rs.by[rs.repositories.all[0]][0].tree(v)}
}

// AddRestriction adds a restriction, and returns its id, which no other one of the workspace has.
func (rs *restrictions) AddRestriction(slug string, one Restriction) (id int) {
	rs.add(slug, func(r *repository, before int) *restriction {
		id = int(numberOf("restriction", r.seed, strconv.Itoa(before)) % 100_000_000)
		return &restriction{one, r, id}
	})
	return id
}

// RemoveRestriction removes a restriction.
func (rs *restrictions) RemoveRestriction(slug string, id int) {
	rs.remove(slug, func(r *restriction) bool { return r.id == id })
}

// sample protects the main branch of each second repository, and asks for approvals in each third one.
func (rs *restrictions) sample(slugs []string) {
	for i, slug := range slugs {
		if i%2 == 0 {
			rs.AddRestriction(slug, Restriction{Kind: "push", BranchType: "production", Users: []User{sampleUsers[i%len(sampleUsers)]}, Groups: []string{"release-managers"}})
			rs.AddRestriction(slug, Restriction{Kind: "force", Pattern: "*"})
		}
		if i%3 == 0 {
			rs.AddRestriction(slug, Restriction{Kind: "require_approvals_to_merge", Pattern: "main", Value: 1 + i%2})
		}
	}
}

// list is for admins of the repository.
func (rs *restrictions) list(v view, q *request) *answer {
	r, refusal := rs.repositories.of(q)
	switch {
	case refusal != nil:
		return refusal
	case q.cred.NotAdmin:
		return refuse(http.StatusForbidden, "You do not have admin access to this repository.")
	}
	var some []*restriction
	for _, one := range rs.by[r] {
		if cmp.Or(q.query.Get("kind"), one.Kind) == one.Kind && cmp.Or(q.query.Get("pattern"), one.Pattern) == one.Pattern {
			some = append(some, one)
		}
	}
	return v.pageByNumber(q, items(some, false))
}

func (r *restriction) tree(v view) object {
	users, groups := make(list, len(r.Users)), make(list, len(r.Groups))
	for i, u := range r.Users {
		users[i] = v.user(u)
	}
	for i, slug := range r.Groups {
		groups[i] = object{
			{"type", "group", shown}, {"name", slug, shown}, {"slug", slug, shown}, {"full_slug", v.w.slug + ":" + slug, shown},
			{"owner", v.ownerTree(), shown}, {"workspace", v.workspaceTree(), shown},
			{"links", links("self", v.base+"/groups/"+v.w.slug+"/"+slug, "html", site+v.w.slug+"/workspace/settings/groups/"+slug), shown},
		}
	}
	var value any
	if r.Value > 0 {
		value = r.Value
	}
	o := object{
		{"type", "branchrestriction", shown},
		{"id", r.id, shown},
		{"kind", r.Kind, shown},
		{"pattern", r.Pattern, shown},
		{"branch_match_kind", "glob", shown},
		{"value", value, shown},
		{"users", users, shown},
		{"groups", groups, shown},
		{"links", links("self", v.base+"/repositories/"+v.w.slug+"/"+r.repo.Slug+"/branch-restrictions/"+strconv.Itoa(r.id)), shown},
	}
	if r.BranchType != "" {
		o[3].value, o[4].value = "", "branching_model"
		o = append(o, member{"branch_type", r.BranchType, shown})
	}
	return o
}
