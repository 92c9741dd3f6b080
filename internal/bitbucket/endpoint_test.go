package bitbucket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"

	"port-bitbucket-exporter/internal/bitbucket"
)

// The endpoints of these tests are two that Bitbucket has: one that follows links, and one
// that is read by its key, with short pages.

func listProjects(ctx context.Context, c *bitbucket.Client) iter.Seq2[bitbucket.Object, error] {
	return bitbucket.List(ctx, c, bitbucket.Endpoint[bitbucket.Object]{
		Name: fmt.Sprintf("projects of workspace %q", c.Workspace()), Path: c.Path("workspaces", "projects"), Route: "projects", Pagelen: 100,
		Key: func(o bitbucket.Object) (string, error) {
			uuid, _ := o["uuid"].(string)
			return uuid, nil
		},
	}, nil)
}

func listPullRequests(ctx context.Context, c *bitbucket.Client, slug, query string) iter.Seq2[bitbucket.Object, error] {
	e, q := pullRequests(c, slug, query)
	return bitbucket.List(ctx, c, e, q)
}

func pullRequests(c *bitbucket.Client, slug, query string) (bitbucket.Endpoint[bitbucket.Object], url.Values) {
	return bitbucket.Endpoint[bitbucket.Object]{
		Name: fmt.Sprintf("pull requests of repository %q", slug), Path: c.Path("repositories", slug, "pullrequests"), Route: "pullrequests", Pagelen: 50,
		Key: func(o bitbucket.Object) (string, error) {
			id, ok := o["id"].(json.Number)
			if !ok {
				return "", errors.New("it has no id that is a number")
			}
			destination, _ := o["destination"].(bitbucket.Object)
			repository, _ := destination["repository"].(bitbucket.Object)
			return fmt.Sprint(repository["uuid"], id), nil
		},
		Sorted: bitbucket.Sorted[bitbucket.Object]{
			Number: func(o bitbucket.Object) (int64, bool) {
				id, _ := o["id"].(json.Number)
				n, err := id.Int64()
				return n, err == nil
			},
			Behind: func(q url.Values, number int64) url.Values {
				return url.Values{"q": {fmt.Sprintf("(%s) AND id > %d", query, number)}, "sort": q["sort"], "fields": q["fields"]}
			},
		},
	}, url.Values{"q": {query}, "sort": {"id"}, "fields": {"+values.reviewers,+values.participants"}}
}
