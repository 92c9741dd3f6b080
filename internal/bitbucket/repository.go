package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"port-bitbucket-exporter/internal/roundtrip"
)

// Repository is one of the workspace's, with the fields that we need ourselves.
type Repository struct {
	Slug       string
	Name       string
	UUID       string
	MainBranch string // empty in an empty repository
	Hash       string // head of the main branch; empty when the list did not tell
	JSON       json.RawMessage
}

// RepositoryQuery narrows a list of repositories; the zero value lists all.
type RepositoryQuery struct {
	Role  string // member, contributor, admin, owner
	Query string // in Bitbucket's query language
}

// Repositories yields the workspace's repositories in the order of their creation.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-get
func (c *Client) Repositories(ctx context.Context, query RepositoryQuery) iter.Seq2[Repository, error] {
	q := url.Values{
		"sort":   {"created_on"},                     // stable while paging
		"fields": {"+values.mainbranch.target.hash"}, // learned from Bitbucket's own front end
	}
	if query.Role != "" {
		q.Set("role", query.Role)
	}
	if query.Query != "" {
		q.Set("q", query.Query)
	}
	return List(ctx, c, Endpoint[Repository]{
		Name:    fmt.Sprintf("repositories of workspace %q", c.workspace),
		Path:    path("repositories", c.workspace),
		Route:   "repositories",
		Pagelen: 100,
		Decode:  decodeRepository,
	}, q)
}

func decodeRepository(raw json.RawMessage) (Repository, string, error) {
	var r struct {
		Slug, Name, UUID string
		MainBranch       *struct {
			Name   string
			Target *struct{ Hash string }
		}
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return Repository{}, "", err
	}
	if r.Slug == "" {
		return Repository{}, "", fmt.Errorf("repository %q has no slug", r.Name)
	}
	repo := Repository{Slug: r.Slug, Name: r.Name, UUID: r.UUID, JSON: raw}
	if r.MainBranch != nil {
		repo.MainBranch = r.MainBranch.Name
		if r.MainBranch.Target != nil {
			repo.Hash = r.MainBranch.Target.Hash
		}
	}
	return repo, r.UUID, nil
}

// Exists asks whether a repository is there. The error is not ErrNotFound.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-repo-slug-get
func (c *Client) Exists(ctx context.Context, slug string) (bool, error) {
	var answer struct{ UUID string }
	err := c.json(ctx, c.url(path("repositories", c.workspace, slug), url.Values{"fields": {"uuid"}}), &answer)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Head is the hash of a branch's last commit. The error is ErrNotFound when the
// branch has none.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-name-get
func (c *Client) Head(ctx context.Context, slug, branch string) (string, error) {
	var answer struct {
		Target *struct{ Hash string }
	}
	address := c.url(path("repositories", c.workspace, slug, "refs", "branches", branch), url.Values{"fields": {"target.hash"}})
	if err := c.json(ctx, address, &answer); err != nil {
		return "", fmt.Errorf("read branch %q of repository %q: %w", branch, slug, err)
	}
	if answer.Target == nil || answer.Target.Hash == "" {
		return "", fmt.Errorf("read branch %q of repository %q: %w", branch, slug, ErrNotFound)
	}
	return answer.Target.Hash, nil
}

// File reads a file at a commit, at most limit bytes of it. The error is an
// *Error with MissingPath when the commit has no such file.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get
func (c *Client) File(ctx context.Context, slug, commit, name string, limit int64) ([]byte, error) {
	segments := append([]string{"repositories", c.workspace, slug, "src", commit}, strings.Split(strings.TrimPrefix(name, "/"), "/")...)
	var text []byte
	err := c.do(ctx, c.url(path(segments...), nil), "*/*", func(resp *http.Response) error {
		var err error
		text, err = io.ReadAll(io.LimitReader(resp.Body, limit))
		switch {
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return &roundtrip.Again{Err: fmt.Errorf("GET %s: the answer was cut off: %w", resp.Request.URL.EscapedPath(), err)}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read file %q of repository %q: %w", name, slug, err)
	}
	return text, nil
}
