package kind

import (
	"context"
	"encoding/json"
	"iter"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

type projectSelector struct{}

func (projectSelector) narrowed() bool                          { return false }
func (projectSelector) selective() bool                         { return false }
func (projectSelector) readsFiles() bool                        { return false }
func (projectSelector) cost() Cost                              { return Cost{Once: 1} }
func (projectSelector) problems(mapping.Selector) diag.Problems { return nil }

func (projectSelector) again(ctx context.Context, ws *Workspace) (Second, error) {
	return ws.projectsAgain(ctx)
}

func (projectSelector) without(Source) string { return "" }

// projectObjects are the fields of projects.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-projects/, and
// answers of the API, read 2026-11.
var projectObjects = shape.Kind{
	Object: shape.Of(`type uuid key name description is_private? owner* workspace* ` + linksShape + ` created_on updated_on has_publicly_visible_repos?`),

	Identifier: `.key`,
}

var project = define("project", itself, projectObjects, extractProjects)

func extractProjects(ctx context.Context, ws *Workspace, _ projectSelector) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		for object, err := range ws.projects(ctx) {
			source := sourceOfProject(object)
			task := Task{source, single(object)}
			switch {
			case isOdd(err):
				task, err = failing(unreadable(err)), nil
			case err == nil:
				ws.projectKeys[source.Key] = true
			}
			if !yield(task, err) {
				return
			}
		}
	}
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

// projects yields the list of projects. With Options.KeepProjects it is read once a
// run, while it is first ranged over. After a *bitbucket.Odd others may follow.
func (w *Workspace) projects(ctx context.Context) iter.Seq2[Object, error] {
	switch {
	case !w.options.KeepProjects:
		return w.client.Projects(ctx)
	case w.projectList != nil:
		return w.projectList.all
	}
	return func(yield func(Object, error) bool) {
		read := &projectList{}
		for object, err := range w.client.Projects(ctx) {
			var text json.RawMessage
			if err == nil {
				text, err = json.Marshal(object)
			}
			if err != nil && !isOdd(err) {
				if ctx.Err() == nil {
					read.err = err
					w.projectList = read
				}
				yield(nil, err)
				return
			}
			read.projects = append(read.projects, listedProject{text, err})
			if !yield(object, err) {
				return
			}
		}
		w.projectList = read
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
