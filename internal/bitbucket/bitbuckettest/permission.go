package bitbuckettest

import "net/http"

// Permission is the highest one that a user has for a repository: read, write or admin.
type Permission struct {
	User       User
	Slug       string // of the repository
	Permission string
}

// permissions are those of all repositories, in one list of the workspace.
type permissions struct {
	rack[*permission]
	repositories *repositories
}

type permission struct {
	Permission
	repo *repository
}

func newPermissions(rs *repositories) *permissions {
	return &permissions{rack[*permission]{ws: rs.ws}, rs}
}

// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-workspaces-workspace-permissions-repositories-get,
// read 2026-11.
func (ps *permissions) routes() []*route {
	return []*route{{path: "/workspaces/{workspace}/permissions/repositories", scope: "account", granular: "read:repository:bitbucket",
		parameters: []string{"q", "sort", "page", "pagelen", "fields"}, maxPagelen: 100, handle: ps.list}}
}

func (ps *permissions) examples(v view) map[string]object {
	ps.Permit(Permission{User{Name: "Example"}, "example", "read"})
	return map[string]object{"permission": ps.all[0].tree(v)}
}

// Permit gives a user a permission for a repository, in place of another one.
func (ps *permissions) Permit(p Permission) {
	ps.Forbid(p.User.Name, p.Slug)
	ps.ws.change(func() { ps.all = append(ps.all, &permission{p, ps.repositories.must(p.Slug)}) })
}

// Forbid takes the permission of the user of a name away.
func (ps *permissions) Forbid(name, slug string) {
	ps.remove(func(p *permission) bool { return p.User.Name == name && p.Slug == slug })
}

// sample permits three users for each repository.
func (ps *permissions) sample(slugs []string) {
	for i, slug := range slugs {
		for n, what := range []string{"admin", "write", "read"} {
			ps.Permit(Permission{sampleUsers[(i+5*n)%len(sampleUsers)], slug, what})
		}
	}
}

// list is for admins of the workspace. A repository that is gone has no permissions.
func (ps *permissions) list(v view, q *request) *answer {
	if q.cred.NotAdmin {
		return refuse(http.StatusForbidden, "This API is only accessible by an admin of the workspace.")
	}
	all, refusal := v.selectItems(q, selection{
		kind: "permission", source: func() []item { return items(ps.all, false) },
		keep: func(it item) bool {
			r := it.(*permission).repo
			return ps.repositories.bySlug[r.Slug] == r && r.visibility == Visible
		},
	})
	if refusal != nil {
		return refusal
	}
	return v.pageByNumber(q, all)
}

func (p *permission) tree(v view) object {
	return object{
		{"type", "repository_permission", shown},
		{"permission", p.Permission.Permission, shown},
		{"user", v.user(p.User), shown},
		{"repository", v.rendered(p.repo).stub, shown},
	}
}
