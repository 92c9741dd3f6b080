package bitbucket

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"

	"port-bitbucket-exporter/internal/transport"
)

// Repository is one of the workspace's, with the fields that we need ourselves.
type Repository struct {
	Slug       string
	Name       string
	UUID       string
	MainBranch string // empty in an empty repository, and when the list did not say
	NoMain     bool   // the list says that it has no main branch
	Hash       string // head of the main branch; empty when the list did not say
	UpdatedOn  string // as the list has it; it moves with each push, and not with a pull request
	Project    string // the key of its project; empty when it has none, and when the list did not say
	NoProject  bool   // the list says that it has none
	JSON       json.RawMessage
}

// Key identifies the repository, also after it has been renamed: its uuid, or its slug
// where the list names no uuid.
func (r Repository) Key() string { return cmp.Or(r.UUID, r.Slug) }

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
		Path:    transport.Path("repositories", c.workspace),
		Route:   "repositories",
		Pagelen: 100,
		Spare:   true,
		Once:    true, // it is read again before anything is deleted
		Key: func(r Repository) (string, error) {
			if r.Slug == "" {
				return "", errors.New("it has no slug")
			}
			return r.Key(), nil
		},
	}, q)
}

type mainBranch struct {
	Name   string
	Target struct{ Hash string }
}

// UnmarshalJSON keeps the JSON whole, besides the fields that it reads.
func (r *Repository) UnmarshalJSON(text []byte) error {
	var fields struct {
		Slug, Name, UUID string
		FullName         json.RawMessage `json:"full_name"`
		UpdatedOn        json.RawMessage `json:"updated_on"` // any JSON: it is only compared
		Project          json.RawMessage
		MainBranch       *mainBranch
	}
	fields.MainBranch = new(mainBranch) // one that is not said is left so, and null takes it away
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	*r = Repository{Slug: fields.Slug, Name: fields.Name, UUID: fields.UUID, UpdatedOn: strings.Trim(string(fields.UpdatedOn), `"`), JSON: bytes.Clone(text)}
	// A slug is not in the documented schema of a repository, and a full_name is.
	if name := ""; r.Slug == "" && json.Unmarshal(fields.FullName, &name) == nil {
		r.Slug = name[strings.LastIndexByte(name, '/')+1:]
	}
	var project struct{ Key string }
	if json.Unmarshal(fields.Project, &project) == nil {
		r.Project, r.NoProject = project.Key, string(fields.Project) == "null"
	}
	if r.NoMain = fields.MainBranch == nil; !r.NoMain {
		r.MainBranch, r.Hash = fields.MainBranch.Name, fields.MainBranch.Target.Hash
	}
	return nil
}

// Exists asks whether a repository is there. The error is not ErrNotFound.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-repo-slug-get
func (c *Client) Exists(ctx context.Context, slug string) (bool, error) {
	var answer struct{ UUID string }
	err := c.json(ctx, question{address: c.url(transport.Path("repositories", c.workspace, slug), url.Values{"fields": {"uuid"}})}, &answer)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// HasCommit asks whether a repository that is there has a commit. The error is not ErrNotFound.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commits/#api-repositories-workspace-repo-slug-commit-commit-get
func (c *Client) HasCommit(ctx context.Context, slug, hash string) (bool, error) {
	var answer struct{ Hash string }
	err := c.json(ctx, question{address: c.url(transport.Path("repositories", c.workspace, slug, "commit", hash), url.Values{"fields": {"hash"}})}, &answer)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Object reads one object at a path that Path made, which names its type, as all of Bitbucket's do;
// name is what messages call it.
func (c *Client) Object(ctx context.Context, name, path string) (Object, error) {
	var text json.RawMessage
	if err := c.json(ctx, question{address: c.url(path, nil)}, &text); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	o, err := Decode(text)
	if err != nil {
		return nil, &broken{fmt.Errorf("read %s: the answer is not the JSON of an object: %w", name, err)}
	}
	if kind, _ := o["type"].(string); kind == "" {
		return nil, &broken{fmt.Errorf("read %s: the answer names no type", name)}
	}
	return o, nil
}

// Head is the hash of a branch's last commit. The error is ErrNotFound when there
// is no such branch.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-name-get
func (c *Client) Head(ctx context.Context, slug, branch string) (string, error) {
	var answer struct {
		Target *struct{ Hash string }
	}
	address := c.url(transport.Path("repositories", c.workspace, slug, "refs", "branches", branch), url.Values{"fields": {"target.hash"}})
	if err := c.json(ctx, question{address: address}, &answer); err != nil {
		return "", fmt.Errorf("read branch %q of repository %q: %w", branch, slug, err)
	}
	if answer.Target == nil || answer.Target.Hash == "" {
		return "", &broken{fmt.Errorf("read branch %q of repository %q: the answer names no commit", branch, slug)}
	}
	return answer.Target.Hash, nil
}
