package kind

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/mapping"
)

// Workspace is the workspace that a run reads, with what it has read already. It
// is for one extraction after the other; the tasks of one may run side by side.
type Workspace struct {
	client *bitbucket.Client
	lists  map[bitbucket.RepositoryQuery]*list
}

// list is a list of repositories that was read to its end, or to its error.
type list struct {
	repositories []bitbucket.Repository
	err          error
}

// NewWorkspace has read nothing yet.
func NewWorkspace(c *bitbucket.Client) *Workspace {
	return &Workspace{client: c, lists: map[bitbucket.RepositoryQuery]*list{}}
}

// repositories yields a list of repositories. It is read once a run, while it is
// first ranged over.
func (w *Workspace) repositories(ctx context.Context, q bitbucket.RepositoryQuery) iter.Seq2[bitbucket.Repository, error] {
	return func(yield func(bitbucket.Repository, error) bool) {
		if known, ok := w.lists[q]; ok {
			for _, r := range known.repositories {
				if !yield(r, nil) {
					return
				}
			}
			if known.err != nil {
				yield(bitbucket.Repository{}, known.err)
			}
			return
		}
		read := &list{}
		for r, err := range w.client.Repositories(ctx, q) {
			if err != nil {
				if ctx.Err() == nil {
					read.err = err
					w.lists[q] = read
				}
				yield(r, err)
				return
			}
			read.repositories = append(read.repositories, r)
			if !yield(r, nil) {
				return
			}
		}
		w.lists[q] = read
	}
}

// gone asks again for a repository that answered an error: a *Gone when it is not
// there any more, else the error.
func (w *Workspace) gone(ctx context.Context, slug string, err error) error {
	var e *bitbucket.Error
	if !errors.As(err, &e) || e.Denied() || e.Status != 404 && e.Status != 403 {
		return err
	}
	if there, existsErr := w.client.Exists(ctx, slug); existsErr == nil && !there {
		return &Gone{slug}
	}
	return err
}

// repositoryQuery is of the keys that every kind that walks repositories understands.
func repositoryQuery(userRole, repoQuery string) bitbucket.RepositoryQuery {
	return bitbucket.RepositoryQuery{Role: userRole, Query: strings.TrimSpace(repoQuery)}
}

// roles of the caller in a repository.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-get, read 2026-11.
var roles = []string{"member", "contributor", "admin", "owner"}

func checkRole(s mapping.Selector, role string) mapping.Problems {
	if role == "" {
		return nil
	}
	for _, r := range roles {
		if r == role {
			return nil
		}
	}
	fix := "use member, contributor, admin or owner"
	if near, ok := mapping.Nearest(role, roles); ok {
		fix = fmt.Sprintf("did you mean %q? The roles are member, contributor, admin and owner", near)
	}
	return mapping.Problems{s.Problem(mapping.Error, "userRole", fmt.Sprintf("unknown role %q", role), fix)}
}
