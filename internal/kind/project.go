package kind

import (
	"context"
	"iter"

	"port-bitbucket-exporter/internal/mapping"
)

type projectSelector struct{}

func (projectSelector) narrowed() bool                             { return false }
func (projectSelector) readsFiles() bool                           { return false }
func (projectSelector) problems(mapping.Selector) mapping.Problems { return nil }

var project = define("project", extractProjects)

func extractProjects(ctx context.Context, ws *Workspace, _ projectSelector) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		for object, err := range ws.client.Projects(ctx) {
			if !yield(single(object), err) {
				return
			}
		}
	}
}
