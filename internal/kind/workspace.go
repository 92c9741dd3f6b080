package kind

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
)

// defaultMaxFile is the largest file that is read when nothing else is said: Port
// takes no larger body.
//
// Source: https://docs.port.io/api-reference/create-multiple-entities, read 2026-11.
const defaultMaxFile = 1 << 20

// Options of a Workspace.
type Options struct {
	// MaxFile is the largest file that is read, in bytes; 0 is 1 MiB.
	MaxFile int64
	// KeepFiles keeps what is read of files until Close: it is worth it when more
	// than one resource reads files.
	KeepFiles bool
	// KeepProjects keeps the list of projects: it is worth it when more than one
	// resource maps them.
	KeepProjects bool
	// TempDir is the folder for the file in which listings and files are kept; ""
	// is the system's.
	TempDir string
}

// Workspace is the workspace that a run reads, with what it has read already. It
// is for one extraction after the other; the tasks of one may run side by side.
type Workspace struct {
	client  *bitbucket.Client
	options Options
	lists   map[bitbucket.RepositoryQuery]*list
	// projectList is nil until it has been read.
	projectList *projectList
	projectKeys map[string]bool // of the sources in the list
	// Second readings since the last Forget.
	secondLists    map[bitbucket.RepositoryQuery]Second
	secondProjects *Second
	spool          *spool
	seed           maphash.Seed
	packers        sync.Pool // of *flate.Writer
	depths         depths

	mu    sync.Mutex // guards what follows
	trees map[treeKey]*tree
	heads map[headKey]head
}

// list is a list of repositories that was read to its end, or to its error.
type list struct {
	repositories []listed
	err          error
}

// listed is a repository, or why it cannot be used: a *bitbucket.Odd.
type listed struct {
	bitbucket.Repository
	odd error
}

// NewWorkspace has read nothing yet. It is to be closed.
func NewWorkspace(c *bitbucket.Client, o Options) *Workspace {
	o.MaxFile = cmp.Or(o.MaxFile, defaultMaxFile)
	return &Workspace{
		client: c, options: o, spool: &spool{folder: o.TempDir}, seed: maphash.MakeSeed(),
		lists: map[bitbucket.RepositoryQuery]*list{}, projectKeys: map[string]bool{}, secondLists: map[bitbucket.RepositoryQuery]Second{}, trees: map[treeKey]*tree{}, heads: map[headKey]head{},
	}
}

// Close removes what was kept. Nothing may be extracted any more.
func (w *Workspace) Close() error { return w.spool.close() }

// repositories yields a list of repositories. It is read once a run, while it is
// first ranged over. After a *bitbucket.Odd others may follow.
func (w *Workspace) repositories(ctx context.Context, q bitbucket.RepositoryQuery) iter.Seq2[bitbucket.Repository, error] {
	return func(yield func(bitbucket.Repository, error) bool) {
		if known, ok := w.lists[q]; ok {
			for _, r := range known.repositories {
				if !yield(r.Repository, r.odd) {
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
			if err != nil && !isOdd(err) {
				if ctx.Err() == nil {
					read.err = err
					w.lists[q] = read
				}
				yield(r, err)
				return
			}
			read.repositories = append(read.repositories, listed{r, err})
			if !yield(r, err) {
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
		return &Gone{Slug: slug}
	}
	return err
}

// roles of the caller in a repository.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/#api-repositories-workspace-get, read 2026-11.
var roles = []string{"member", "contributor", "admin", "owner"}

// role is a role of the caller in a repository, or empty.
type role string

// Values are the roles that Bitbucket knows.
func (role) Values() []string { return roles }

// walked are the keys of every selector whose kind walks repositories.
type walked struct {
	UserRole  role   `yaml:"userRole" help:"Takes the repositories in which the caller has this role."`
	RepoQuery string `yaml:"repoQuery" help:"Takes the repositories that this filter in Bitbucket's query language selects."`
}

func (w walked) query() bitbucket.RepositoryQuery {
	return bitbucket.RepositoryQuery{Role: string(w.UserRole), Query: strings.TrimSpace(w.RepoQuery)}
}

func (w walked) again(ctx context.Context, ws *Workspace) (Second, error) {
	return ws.repositoriesAgain(ctx, w.query())
}

// without returns the repoQuery that leaves out a repository, quoted for YAML.
func (w walked) without(s Source) string {
	var repository struct{ Name string }
	_ = json.Unmarshal(s.JSON, &repository) // it was read before
	text := fmt.Sprintf("name != %q", repository.Name)
	if query := w.query().Query; query != "" {
		text = "(" + query + ") AND " + text
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

func (w walked) selective() bool { return false }

func (w walked) narrowed() bool { return w.query() != bitbucket.RepositoryQuery{} }

func (w walked) problems(s mapping.Selector) diag.Problems {
	role := string(w.UserRole)
	if role == "" || slices.Contains(roles, role) {
		return nil
	}
	fix := "use member, contributor, admin or owner"
	if near, ok := nearest.Name(role, roles); ok {
		fix = fmt.Sprintf("did you mean %q? The roles are member, contributor, admin and owner", near)
	}
	return diag.Problems{s.Problem(mapping.RuleSelectorValue, diag.Error, "userRole", fmt.Sprintf("unknown role %q", role), fix)}
}

// unlessThere is for the missing branch of a repository: a *Gone when the
// repository is not there either.
func (w *Workspace) unlessThere(ctx context.Context, slug string) error {
	there, err := w.client.Exists(ctx, slug)
	if err == nil && !there {
		err = &Gone{Slug: slug}
	}
	return err
}
