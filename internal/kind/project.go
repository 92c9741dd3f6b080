package kind

import (
	"cmp"
	"context"
	"errors"

	"port-bitbucket-exporter/internal/shape"
)

var project = define(Kind{
	Name: "project",
	Manual: Manual{
		What: "the projects of the workspace", Requests: "1 for each 100 projects",
		Scope: "project", APIScope: "read:project:bitbucket",
	},
	Objects: shape.Kind{Object: shape.Of(projectShape), Identifier: `.key`},
	place:   itself,
}, extractOf[projectSelector](projects))

var projectShape = "type uuid key name description is_private? " + ownerShape + " " + workspaceShape + " " +
	linksTo("self html avatar repositories") + " created_on updated_on has_publicly_visible_repos?"

// projects come in no order that the route documents.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-workspaces-workspace-projects-get
var projects = &workspaceList{
	objects: "projects", path: []string{"projects"},
	source: func(o Object) (Source, error) {
		uuid, _ := o["uuid"].(string)
		key, _ := o["key"].(string)
		if uuid == "" && key == "" {
			return Source{}, errors.New("it has no uuid and no key")
		}
		return Source{Key: cmp.Or(uuid, key), Name: key}, nil
	},
}

type projectSelector struct{ ofWorkspace }

func (projectSelector) list() any { return projects }

func (projectSelector) again(ctx context.Context, ws *Workspace) (Second, error) {
	return listAgain(ctx, ws, projects)
}
