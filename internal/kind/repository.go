package kind

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/mapping"
)

type repositorySelector struct {
	UserRole      string   `yaml:"userRole"`
	RepoQuery     string   `yaml:"repoQuery"`
	IncludedFiles []string `yaml:"includedFiles"`
}

func (s repositorySelector) query() bitbucket.RepositoryQuery {
	return repositoryQuery(s.UserRole, s.RepoQuery)
}

func (s repositorySelector) narrowed() bool { return s.query() != bitbucket.RepositoryQuery{} }

func (s repositorySelector) problems(raw mapping.Selector) mapping.Problems {
	problems := checkRole(raw, s.UserRole)
	for i, name := range s.IncludedFiles {
		if !validPath(name) {
			problems = append(problems, raw.Problem(mapping.Error, fmt.Sprintf("includedFiles[%d]", i),
				fmt.Sprintf("%q is no path of a file", name), "give the path from the repository's root, such as docs/README.md, without . and .."))
		}
	}
	return problems
}

func validPath(name string) bool {
	name = strings.TrimPrefix(name, "/")
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

var repository = define("repository", extractRepositories)

func extractRepositories(ctx context.Context, ws *Workspace, s repositorySelector) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		for r, err := range ws.repositories(ctx, s.query()) {
			if !yield(repositoryTask(ws, r, s.IncludedFiles), err) {
				return
			}
		}
	}
}

func repositoryTask(ws *Workspace, r bitbucket.Repository, files []string) Task {
	return func(ctx context.Context) iter.Seq2[Found, error] {
		return func(yield func(Found, error) bool) {
			object, err := bitbucket.Decode(r.JSON)
			if err == nil && len(files) > 0 {
				object["__includedFiles"], err = includedFiles(ctx, ws, r, files)
			}
			var gone *Gone
			if err != nil && !errors.As(err, &gone) && ctx.Err() == nil {
				err = &Unreadable{Object: r.Slug, Err: err}
			}
			yield(Found{Object: object}, err)
		}
	}
}

// maxIncludedFile bounds what is read of one included file, in bytes: an entity
// with more cannot be sent to Port anyway.
const maxIncludedFile = 1<<20 + 1

// includedFiles reads the files at the head of the main branch. A file that is
// not there is null; one that cannot be read is an error, since a null would
// overwrite what Port holds.
func includedFiles(ctx context.Context, ws *Workspace, r bitbucket.Repository, names []string) (Object, error) {
	files := Object{}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for _, name := range names {
		files[name] = nil
	}
	if r.MainBranch == "" {
		return files, nil
	}
	hash, err := r.Hash, error(nil)
	if hash == "" {
		hash, err = ws.client.Head(ctx, r.Slug, r.MainBranch)
		if errors.Is(err, bitbucket.ErrNotFound) {
			return files, ws.unlessThere(ctx, r.Slug, err)
		}
		if err != nil {
			return nil, ws.gone(ctx, r.Slug, err)
		}
	}
	for _, name := range names {
		text, err := ws.client.File(ctx, r.Slug, hash, name, maxIncludedFile)
		switch {
		case errors.Is(err, bitbucket.ErrNoFile):
		case err != nil:
			return nil, ws.gone(ctx, r.Slug, err)
		default:
			files[name] = strings.ToValidUTF8(string(text), "\uFFFD")
		}
	}
	return files, nil
}

// unlessThere is for the missing branch of a repository: without commits it is
// no error, when the repository itself is there.
func (w *Workspace) unlessThere(ctx context.Context, slug string, err error) error {
	there, existsErr := w.client.Exists(ctx, slug)
	switch {
	case existsErr != nil:
		return err
	case !there:
		return &Gone{slug}
	}
	return nil
}
