package kind

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var project = define(Kind{
	Name:    "project",
	Manual:  Manual{What: "the projects of the workspace", Requests: "1 for each 100 projects", Scope: "project", APIScope: "read:project:bitbucket"},
	Objects: shape.Kind{Object: shape.Of(projectShape), Identifier: `.key`},
	place:   itself,
}, extractProjects)

// listProjects yields the workspace's projects as they come: the route documents no order
// to ask for.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-workspaces-workspace-projects-get
func listProjects(ctx context.Context, c *bitbucket.Client) iter.Seq2[Object, error] {
	return bitbucket.List(ctx, c, bitbucket.Endpoint[Object]{
		Name:    fmt.Sprintf("projects of workspace %q", c.Workspace()),
		Path:    c.Path("workspaces", "projects"),
		Route:   "projects",
		Pagelen: 100,
		Key:     func(o Object) (string, error) { return sourceOfProject(o).Key, nil },
	}, nil)
}

type projectSelector struct{}

// projectsKey is the key of the list of projects.
type projectsKey struct{}

func (projectSelector) list() any                               { return projectsKey{} }
func (projectSelector) narrowed() bool                          { return false }
func (projectSelector) selective() bool                         { return false }
func (projectSelector) readsFiles() bool                        { return false }
func (projectSelector) cost() Cost                              { return Cost{Once: 1} }
func (projectSelector) problems(mapping.Selector) diag.Problems { return nil }
func (projectSelector) without(Source) string                   { return "" }

func (projectSelector) again(ctx context.Context, ws *Workspace) (Second, error) {
	return ws.again(projectsKey{}, ws.projectsRead().keys, func(yield func(Source, error) bool) {
		for object, err := range listProjects(ctx, ws.client) {
			source := sourceOfProject(object)
			if err == nil {
				var text []byte
				text, err = json.Marshal(object)
				source.Read = func() ([]byte, error) { return text, nil }
			}
			if !yield(source, err) {
				return
			}
		}
	})
}

// sourceOfProject identifies a project by its uuid, or else its key. It leaves Read empty.
func sourceOfProject(object Object) Source {
	uuid, _ := object["uuid"].(string)
	key, _ := object["key"].(string)
	return Source{Key: cmp.Or(uuid, key), Name: key}
}

func extractProjects(ctx context.Context, ws *Workspace, _ projectSelector) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		for object, err := range ws.projects(ctx) {
			source := sourceOfProject(object)
			task := Task{Source: source, Run: single(object, source)}
			switch {
			case isOdd(err):
				task, err = failing(unreadable(err)), nil
			case err == nil:
				ws.projectsRead().keys[source.Key] = true
			}
			if !yield(task, err) {
				return
			}
		}
	}
}

// projectsRead is what a run has read of the list of projects.
type projectsRead struct {
	keys map[string]bool // of the sources in the list
	list *projectList    // nil until it has been read, and where lists are not kept
}

func (w *Workspace) projectsRead() *projectsRead {
	if r, ok := w.own[projectsKey{}].(*projectsRead); ok {
		return r
	}
	r := &projectsRead{keys: map[string]bool{}}
	w.own[projectsKey{}] = r
	return r
}

// projectList is the list of projects, read to its end, or to its error.
type projectList struct {
	projects []listedProject
	err      error
}

// listedProject is a project, or why it cannot be used: a *bitbucket.Odd.
type listedProject struct {
	text json.RawMessage
	odd  error
}

// projects yields the list of projects. With Options.KeepLists it is read once a
// run, while it is first ranged over. After a *bitbucket.Odd others may follow.
func (w *Workspace) projects(ctx context.Context) iter.Seq2[Object, error] {
	known := w.projectsRead()
	switch {
	case !w.options.KeepLists:
		return listProjects(ctx, w.client)
	case known.list != nil:
		return known.list.all
	}
	return func(yield func(Object, error) bool) {
		read := &projectList{}
		for object, err := range listProjects(ctx, w.client) {
			var text json.RawMessage
			if err == nil {
				text, err = json.Marshal(object)
			}
			if err != nil && !isOdd(err) {
				if ctx.Err() == nil {
					read.err = err
					known.list = read
				}
				yield(nil, err)
				return
			}
			read.projects = append(read.projects, listedProject{text, err})
			if !yield(object, err) {
				return
			}
		}
		known.list = read
	}
}

func (l *projectList) all(yield func(Object, error) bool) {
	for _, p := range l.projects {
		if p.odd != nil {
			if !yield(nil, p.odd) {
				return
			}
			continue
		}
		object, err := bitbucket.Decode(p.text)
		if !yield(object, err) || err != nil {
			return
		}
	}
	if l.err != nil {
		yield(nil, l.err)
	}
}
