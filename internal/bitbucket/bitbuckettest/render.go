package bitbuckettest

import (
	"net/url"
	"strings"
	"time"
)

// The shapes are those of real answers: the same keys, links and nulls. Members that a list leaves out
// unless `fields` asks for them are hidden.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/, read 2026-11, and recorded answers.

const site = "https://bitbucket.org/"

// timestamp is UTC with microseconds, as in 2026-11-20T08:15:30.123456+00:00.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

func timestampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return timestamp(t)
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func link(href string) object { return object{{"href", href, shown}} }

// links makes the links that differ by their last part only: name, then href, in turn.
func links(nameHref ...string) object {
	o := make(object, 0, len(nameHref)/2)
	for i := 0; i < len(nameHref); i += 2 {
		o = append(o, member{nameHref[i], link(nameHref[i+1]), shown})
	}
	return o
}

func (v view) workspaceTree() object {
	slug := v.s.workspace
	return object{
		{"type", "workspace", shown},
		{"uuid", uuidOf("workspace", slug), shown},
		{"name", title(slug), shown},
		{"slug", slug, shown},
		{"links", links(
			"avatar", site+"workspaces/"+slug+"/avatar/",
			"html", site+slug+"/",
			"self", v.base+"/workspaces/"+slug,
		), shown},
	}
}

func title(slug string) string {
	if slug == "" {
		return ""
	}
	return strings.ToUpper(slug[:1]) + slug[1:]
}

func (v view) ownerTree() object {
	slug := v.s.workspace
	return object{
		{"type", "team", shown},
		{"username", slug, shown},
		{"display_name", title(slug), shown},
		{"uuid", uuidOf("workspace", slug), shown},
		{"links", links(
			"self", v.base+"/workspaces/"+slug,
			"html", site+slug+"/",
			"avatar", site+"account/"+slug+"/avatar/",
		), shown},
	}
}

func (v view) projectLinks(key string) object {
	html := site + v.s.workspace + "/workspace/projects/" + key
	return links(
		"self", v.base+"/workspaces/"+v.s.workspace+"/projects/"+key,
		"html", html,
		"avatar", html+"/avatar/32",
	)
}

func (p *project) tree(v view) object {
	return object{
		{"type", "project", shown},
		{"owner", v.ownerTree(), shown},
		{"workspace", v.workspaceTree(), shown},
		{"key", p.Key, shown},
		{"uuid", p.uuid, shown},
		{"is_private", p.Private, shown},
		{"name", p.Name, shown},
		{"description", textOrNull(p.Description), shown},
		{"links", v.projectLinks(p.Key), shown},
		{"created_on", timestamp(p.CreatedOn), shown},
		{"updated_on", timestamp(p.UpdatedOn), shown},
		{"has_publicly_visible_repos", !p.Private, shown},
	}
}

type userKey struct{ base, name, nickname string }

func (v view) user(u User) object {
	key := userKey{v.base, u.Name, u.Nickname}
	if o, ok := v.s.users.Load(key); ok {
		return o.(object)
	}
	nickname := u.Nickname
	if nickname == "" {
		nickname = Slug(u.Name)
	}
	uuid := uuidOf("user", u.Name)
	escaped := url.PathEscape(uuid)
	account := uuidOf("account", u.Name)
	o := object{
		{"display_name", u.Name, shown},
		{"links", links(
			"self", v.base+"/users/"+escaped,
			"avatar", site+"account/"+escaped+"/avatar/",
			"html", site+escaped+"/",
		), shown},
		{"type", "user", shown},
		{"uuid", uuid, shown},
		{"account_id", "557058:" + account[1:len(account)-1], shown},
		{"nickname", nickname, shown},
	}
	v.s.users.Store(key, o)
	return o
}

// renderedRepository is kept until the content changes or another base is asked for.
type renderedRepository struct {
	gen        uint64
	base       string
	full, stub object
}

func (r *repository) tree(v view) object { return v.rendered(r).full }

func (v view) rendered(r *repository) *renderedRepository {
	if c := r.cache.Load(); c != nil && c.gen == v.s.gen && c.base == v.base {
		return c
	}
	c := &renderedRepository{gen: v.s.gen, base: v.base, full: v.repositoryTree(r)}
	c.stub = v.repositoryStub(r)
	for _, m := range c.full {
		if _, ok := c.stub.lookup(m.key); !ok {
			c.stub = append(c.stub, member{m.key, m.value, hidden})
		}
	}
	r.cache.Store(c)
	return c
}

// repositoryStub is how other objects embed a repository.
func (v view) repositoryStub(r *repository) object {
	full := v.s.workspace + "/" + r.Slug
	return object{
		{"type", "repository", shown},
		{"full_name", full, shown},
		{"links", links(
			"self", v.base+"/repositories/"+full,
			"html", site+full,
			"avatar", site+full+"/avatar/32/",
		), shown},
		{"name", r.Name, shown},
		{"uuid", r.uuid, shown},
	}
}

func (v view) repositoryTree(r *repository) object {
	full := v.s.workspace + "/" + r.Slug
	var inProject any
	if p := v.s.project(r.ProjectKey); p != nil {
		inProject = object{
			{"type", "project", shown},
			{"key", p.Key, shown},
			{"uuid", p.uuid, shown},
			{"name", p.Name, shown},
			{"links", v.projectLinks(p.Key), shown},
		}
	}
	return object{
		{"type", "repository", shown},
		{"full_name", full, shown},
		{"links", v.repositoryLinks(full), shown},
		{"name", r.Name, shown},
		{"slug", r.Slug, shown},
		{"description", r.Description, shown},
		{"scm", "git", shown},
		{"website", nil, shown},
		{"owner", v.ownerTree(), shown},
		{"workspace", v.workspaceTree(), shown},
		{"is_private", r.Private, shown},
		{"project", inProject, shown},
		{"fork_policy", "no_public_forks", shown},
		{"created_on", timestamp(r.CreatedOn), shown},
		{"updated_on", timestamp(r.UpdatedOn), shown},
		{"size", r.Size, shown},
		{"language", r.Language, shown},
		{"uuid", r.uuid, shown},
		{"mainbranch", v.mainBranch(r), shown},
		{"override_settings", object{{"default_merge_strategy", false, shown}, {"branching_model", false, shown}}, shown},
		{"parent", nil, shown},
		{"enforced_signed_commits", nil, shown},
		{"has_issues", false, shown},
		{"has_wiki", false, shown},
	}
}

func (v view) repositoryLinks(full string) object {
	self := v.base + "/repositories/" + full
	o := links(
		"self", self,
		"html", site+full,
		"avatar", site+full+"/avatar/32/",
		"pullrequests", self+"/pullrequests",
		"commits", self+"/commits",
		"forks", self+"/forks",
		"watchers", self+"/watchers",
		"branches", self+"/refs/branches",
		"tags", self+"/refs/tags",
		"downloads", self+"/downloads",
		"source", self+"/src",
		"hooks", self+"/hooks",
	)
	return append(o, member{"clone", list{
		object{{"name", "https", shown}, {"href", site + full + ".git", shown}},
		object{{"name", "ssh", shown}, {"href", "git@bitbucket.org:" + full + ".git", shown}},
	}, shown})
}

// mainBranch carries its target only for those who ask: public clients do so in the repository list with
// +values.mainbranch.target.hash, the documentation does not say it.
func (v view) mainBranch(r *repository) any {
	if r.MainBranch == "" {
		return nil
	}
	o := object{{"type", "branch", shown}, {"name", r.MainBranch, shown}}
	if head := r.head(); head != nil && !r.NoTarget {
		o = append(o, member{"target", v.commitTree(r, head), hidden})
	}
	return o
}

func (v view) commitLinks(r *repository, hash string) object {
	full := v.s.workspace + "/" + r.Slug
	return links(
		"self", v.base+"/repositories/"+full+"/commit/"+hash,
		"html", site+full+"/commits/"+hash,
	)
}

func (v view) fullCommitLinks(r *repository, hash string) object {
	repo := v.base + "/repositories/" + v.s.workspace + "/" + r.Slug
	self := repo + "/commit/" + hash
	return append(v.commitLinks(r, hash), links(
		"comments", self+"/comments",
		"patch", repo+"/patch/"+hash,
		"diff", repo+"/diff/"+hash,
		"approve", self+"/approve",
		"statuses", self+"/statuses",
	)...)
}

func (v view) commitTree(r *repository, c *commit) object {
	parents := list{}
	if c.parent != "" {
		parents = append(parents, v.commitStub(r, c.parent))
	}
	return object{
		{"type", "commit", shown},
		{"hash", c.hash, shown},
		{"date", timestamp(c.date), shown},
		{"author", object{{"type", "author", shown}, {"raw", "Build Bot <bot@example.com>", shown}}, shown},
		{"message", c.message, shown},
		{"links", v.fullCommitLinks(r, c.hash), shown},
		{"parents", parents, shown},
		{"repository", v.repositoryStub(r), shown},
	}
}

func (v view) commitStub(r *repository, hash string) object {
	return object{
		{"hash", hash, shown},
		{"links", v.commitLinks(r, hash), shown},
		{"type", "commit", shown},
	}
}

func (b *branch) tree(v view) object {
	full := v.s.workspace + "/" + b.repo.Slug
	self := v.base + "/repositories/" + full
	return object{
		{"name", b.name, shown},
		{"links", links(
			"commits", self+"/commits/"+b.name,
			"self", self+"/refs/branches/"+b.name,
			"html", site+full+"/branch/"+b.name,
		), shown},
		{"default_merge_strategy", "merge_commit", shown},
		{"merge_strategies", list{"merge_commit", "squash", "fast_forward"}, shown},
		{"type", "branch", shown},
		{"target", v.commitTree(b.repo, b.head), shown},
	}
}
