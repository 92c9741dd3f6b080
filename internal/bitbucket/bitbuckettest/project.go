package bitbuckettest

import (
	"net/http"
	"slices"
	"time"
)

// Project is a project of the workspace.
type Project struct {
	Key         string
	Name        string // "" is Key
	Description string // "" is null
	Private     bool
	CreatedOn   time.Time // zero: the server's clock
	UpdatedOn   time.Time // zero: CreatedOn
}

// projects are those of a workspace.
type projects struct {
	ws  *workspace
	all []*project
}

type project struct {
	Project
	uuid string
}

func (ps *projects) routes() []*route {
	return []*route{
		// q and sort are not in its table; that they work was found by trial, 2026-11.
		{path: "/workspaces/{workspace}/projects", scope: "project", granular: "read:project:bitbucket",
			parameters: []string{"q", "sort", "page", "pagelen", "fields"}, maxPagelen: 100, handle: ps.list},
		{path: "/workspaces/{workspace}/projects/{project_key}", scope: "project", granular: "read:project:bitbucket",
			parameters: []string{"fields"}, handle: ps.get},
	}
}

func (ps *projects) examples(v view) map[string]object {
	ps.AddProject(Project{Key: "P", Description: "d"})
	return map[string]object{"project": ps.all[0].tree(v)}
}

func (ps *projects) find(key string) *project {
	i := slices.IndexFunc(ps.all, func(p *project) bool { return p.Key == key })
	if i < 0 {
		return nil
	}
	return ps.all[i]
}

func (ps *projects) must(key string) {
	if key != "" && ps.find(key) == nil {
		panic("bitbuckettest: no project " + key)
	}
}

// AddProject adds a project. Its key must be new.
func (ps *projects) AddProject(p Project) {
	ps.ws.change(func() {
		if ps.find(p.Key) != nil {
			panic("bitbuckettest: project " + p.Key + " is there already")
		}
		if p.Name == "" {
			p.Name = p.Key
		}
		ps.ws.stamp(&p.CreatedOn, nil)
		if p.UpdatedOn.IsZero() {
			p.UpdatedOn = p.CreatedOn
		}
		ps.all = append(ps.all, &project{p, uuidOf("project", ps.ws.slug, ps.ws.seed("project", p.Key))})
	})
}

// UpdateProject changes a project. UpdatedOn moves on, unless f sets it. The key stays.
func (ps *projects) UpdateProject(key string, f func(*Project)) {
	ps.ws.change(func() {
		ps.must(key)
		p := ps.find(key)
		before := p.UpdatedOn
		f(&p.Project)
		p.Key = key
		if p.UpdatedOn.Equal(before) {
			p.UpdatedOn = ps.ws.tick()
		}
	})
}

func (ps *projects) list(v view, q *request) *answer {
	items, refusal := v.selectItems(q, selection{
		kind: "project",
		source: func() []item {
			items := make([]item, len(ps.all))
			for i, p := range ps.all {
				items[i] = p
			}
			return items
		},
	})
	if refusal != nil {
		return refusal
	}
	return v.pageByNumber(q, items)
}

// get finds a project by its key: the words of the refusal are assumed.
func (ps *projects) get(v view, q *request) *answer {
	key := q.segments[3]
	p := ps.find(key)
	if p == nil {
		return refuse(http.StatusNotFound, "No project with identifier '"+key+"'.")
	}
	return v.respond(q, p.tree(v))
}

// projectLinks are those of a project in a repository. Its own answer has one more.
func (v view) projectLinks(key string) object {
	html := site + v.w.slug + "/workspace/projects/" + key
	return links(
		"self", v.base+"/workspaces/"+v.w.slug+"/projects/"+key,
		"html", html,
		"avatar", html+"/avatar/32",
	)
}

func (p *project) tree(v view) object {
	// The quotes in the address are as they come.
	repositories := v.base + "/repositories/" + v.w.slug + `?q=project.key="` + p.Key + `"`
	return v.without(object{
		{"type", "project", shown},
		{"owner", v.ownerTree(), shown},
		{"workspace", v.workspaceTree(), shown},
		{"key", p.Key, shown},
		{"uuid", p.uuid, shown},
		{"is_private", p.Private, shown},
		{"name", p.Name, shown},
		{"description", textOrNull(p.Description), shown},
		{"links", append(v.projectLinks(p.Key), links("repositories", repositories)...), shown},
		{"created_on", timestamp(p.CreatedOn), shown},
		{"updated_on", timestamp(p.UpdatedOn), shown},
		{"has_publicly_visible_repos", !p.Private, shown},
	}, "has_publicly_visible_repos")
}
