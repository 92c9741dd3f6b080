package bitbucket

import (
	"cmp"
	"context"
	"fmt"
	"iter"
)

// Projects yields the workspace's projects as they come: the route documents no
// order to ask for.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-workspaces/#api-workspaces-workspace-projects-get
func (c *Client) Projects(ctx context.Context) iter.Seq2[Object, error] {
	return List(ctx, c, Endpoint[Object]{
		Name:    fmt.Sprintf("projects of workspace %q", c.workspace),
		Path:    path("workspaces", c.workspace, "projects"),
		Route:   "projects",
		Pagelen: 100,
		Key: func(o Object) (string, error) {
			uuid, _ := o["uuid"].(string)
			key, _ := o["key"].(string)
			return cmp.Or(uuid, key), nil
		},
	}, nil)
}
