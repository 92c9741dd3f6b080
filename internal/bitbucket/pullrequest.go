package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
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
		Sorted: Sorted[Object]{
			Number: func(o Object) (int64, bool) {
				id, _ := o["id"].(json.Number)
				n, err := id.Int64()
				return n, err == nil
			},
			Behind: func(q url.Values, number int64) url.Values {
				q = maps.Clone(q)
				q.Set("q", fmt.Sprintf("(%s) AND id > %d", query, number))
				return q
			},
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
