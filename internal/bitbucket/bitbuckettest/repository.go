package bitbuckettest

import (
	"strings"
	"sync/atomic"
	"time"

	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// Repository is a repository of the workspace.
type Repository struct {
	Name        string
	Slug        string // "" derives it from Name: lower case, each run of other characters is one "-"
	ProjectKey  string // "" is a null project; another one must have been added
	Private     bool
	Language    string
	Size        int // bytes
	Description string
	// MainBranch "" with no Files is an empty repository: its main branch is null. With Files it is "main".
	MainBranch string
	CreatedOn  time.Time // zero: the server's clock
	UpdatedOn  time.Time // zero: the server's clock
	// NoTarget leaves the target out of the main branch even when `fields` asks for it.
	NoTarget bool
	// NamedBranch gives the main branch the type that it had in the time of Mercurial.
	NamedBranch bool
	// Parent makes it a fork: the slug of another repository, or the full name of one in another workspace.
	Parent string
	// Roles the caller has here; nil means all of member, contributor, admin, owner.
	Roles []string
	// Files of the first commit, by path. Later changes go through SetFile.
	Files map[string]string
}

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

type repository struct {
	Repository
	repositories *repositories
	uuid         string
	seed         string // what the hashes of pull requests derive from: the slug it began with
	commits      []*commit
	branches     []*branch
	visibility   Visibility
	// attributes by path, in all commits
	attributes map[string][]string
	cache      atomic.Pointer[renderedRepository]
	git        gitRepository
	gitOptions *gitwiretest.Options // nil: those of the server
}

type branch struct {
	name string
	head *commit
}

type commit struct {
	repo    *repository
	parent  *commit // nil: it is the first
	message string
	date    time.Time
	files   map[string]string // never written to
	id      atomic.Pointer[string]
}

func (r *repository) branch(name string) *branch {
	for _, b := range r.branches {
		if b.name == name {
			return b
		}
	}
	return nil
}

func (r *repository) head() *commit {
	if b := r.branch(r.MainBranch); b != nil && r.MainBranch != "" {
		return b.head
	}
	return nil
}

// commit puts a new commit on the main branch.
func (r *repository) commit(message string, date time.Time, files map[string]string) *commit {
	c := &commit{repo: r, message: message, date: date, files: files, parent: r.head()}
	r.commits = append(r.commits, c)
	if b := r.branch(r.MainBranch); b != nil {
		b.head = c
	} else {
		r.branches = append(r.branches, &branch{r.MainBranch, c})
	}
	return c
}

// renameMain makes the main branch the one of that name: another that is there, or the old one renamed.
func (r *repository) renameMain(name string) {
	if name == "" || r.branch(name) != nil {
		return
	}
	if len(r.branches) == 0 {
		r.commit("Initial commit", r.UpdatedOn, nil)
		return
	}
	r.branches[0] = &branch{name, r.branches[0].head}
}

// renderedRepository is kept until the content changes or another base is asked for.
type renderedRepository struct {
	gen        uint64
	base       string
	full, stub object
}

func (r *repository) tree(v view) object { return v.rendered(r).full }

func (v view) rendered(r *repository) *renderedRepository {
	if c := r.cache.Load(); c != nil && c.gen == v.w.gen && c.base == v.base {
		return c
	}
	c := &renderedRepository{gen: v.w.gen, base: v.base, full: v.repositoryTree(r)}
	c.stub = v.repositoryStub(r)
	for _, m := range c.full {
		if _, ok := c.stub.lookup(m.key); !ok {
			c.stub = append(c.stub, member{m.key, m.value, hidden})
		}
	}
	r.cache.Store(c)
	return c
}

// parent is the repository that another one is a fork of, or null.
func (v view) parent(r *repository) any {
	if r.Parent == "" {
		return nil
	}
	workspace, slug, elsewhere := strings.Cut(r.Parent, "/")
	if elsewhere {
		return v.stubOf(workspace+"/"+slug, slug, uuidOf("repository", workspace, slug))
	}
	if p := r.repositories.bySlug[r.Parent]; p != nil {
		return v.repositoryStub(p)
	}
	return nil // it is gone
}

// repositoryStub is how other objects embed a repository.
func (v view) repositoryStub(r *repository) object {
	return v.stubOf(v.w.slug+"/"+r.Slug, r.Name, r.uuid)
}

func (v view) stubOf(full, name, uuid string) object {
	return object{
		{"type", "repository", shown},
		{"full_name", full, shown},
		{"links", links(
			"self", v.base+"/repositories/"+full,
			"html", site+full,
			"avatar", site+full+"/avatar/32/",
		), shown},
		{"name", name, shown},
		{"uuid", uuid, shown},
	}
}

func (v view) repositoryTree(r *repository) object {
	full := v.w.slug + "/" + r.Slug
	var inProject any
	if p := r.repositories.projects.find(r.ProjectKey); p != nil {
		inProject = object{
			{"type", "project", shown},
			{"key", p.Key, shown},
			{"uuid", p.uuid, shown},
			{"name", p.Name, shown},
			{"links", v.projectLinks(p.Key), shown},
		}
	}
	return v.without(object{
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
		{"parent", v.parent(r), shown},
		{"enforced_signed_commits", nil, shown},
		{"has_issues", false, shown},
		{"has_wiki", false, shown},
	}, "workspace", "override_settings", "parent", "enforced_signed_commits")
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
	if r.NamedBranch {
		o[0].value = "named_branch"
	}
	if head := r.head(); head != nil && !r.NoTarget {
		o = append(o, member{"target", v.commitTree(r, head), hidden})
	}
	return o
}

func (v view) commitLinks(r *repository, hash string) object {
	full := v.w.slug + "/" + r.Slug
	return links(
		"self", v.base+"/repositories/"+full+"/commit/"+hash,
		"html", site+full+"/commits/"+hash,
	)
}

func (v view) fullCommitLinks(r *repository, hash string) object {
	repo := v.base + "/repositories/" + v.w.slug + "/" + r.Slug
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
	if c.parent != nil {
		parents = append(parents, v.commitStub(r, c.parent.hash()))
	}
	return object{
		{"type", "commit", shown},
		{"hash", c.hash(), shown},
		{"date", c.date.UTC().Format("2006-01-02T15:04:05-07:00"), shown}, // without a part of a second
		{"author", object{{"type", "author", shown}, {"raw", "Build Bot <bot@example.com>", shown}}, shown},
		{"message", c.message, shown},
		{"links", v.fullCommitLinks(r, c.hash()), shown},
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
