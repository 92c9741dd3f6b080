package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
)

// maxPullRequests is the longest page of pull requests. A longer one is refused
// with "Invalid pagelen", although the documentation says 100 for every route;
// seen in public clients.
const maxPullRequests = 50

// PullRequests yields the pull requests of a repository that the query selects,
// in the order of their numbers, with reviewers and participants, which a list
// leaves out unless asked.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-get
func (c *Client) PullRequests(ctx context.Context, slug, query string) iter.Seq2[Object, error] {
	return List(ctx, c, Endpoint[Object]{
		Name:    fmt.Sprintf("pull requests of repository %q", slug),
		Path:    path("repositories", c.workspace, slug, "pullrequests"),
		Route:   "pullrequests",
		Pagelen: maxPullRequests,
		Key: func(o Object) (string, error) {
			id, ok := o["id"].(json.Number)
			if !ok {
				return "", errors.New("it has no id that is a number")
			}
			return repositoryUUID(o) + id.String(), nil
		},
	}, url.Values{
		"q":      {query},
		"sort":   {"id"},
		"fields": {"+values.reviewers,+values.participants"},
	})
}

func repositoryUUID(pullRequest Object) string {
	destination, _ := pullRequest["destination"].(Object)
	repository, _ := destination["repository"].(Object)
	uuid, _ := repository["uuid"].(string)
	return uuid
}
