package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/source"
)

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
	// Ahead is how many files may be read before it is their turn, by all tasks at once.
	Ahead int
	// TempDir is the folder for the file in which listings and files are kept; ""
	// is the system's.
	TempDir string
}

// Workspace is the workspace that a run reads, with what it has read already. It
// is for one extraction after the other; the tasks of one may run side by side.
type Workspace struct {
	client  *bitbucket.Client
	rest    source.REST
	memory  *source.Memory
	ahead   concurrent.Slots
	options Options
	lists   map[bitbucket.RepositoryQuery]*list
	// projectList is nil until it has been read.
	projectList *projectList
	projectKeys map[string]bool // of the sources in the list
	// Second readings since the last Forget.
	secondLists    map[bitbucket.RepositoryQuery]Second
	secondProjects *Second
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
	rest := source.REST{Client: c}
	return &Workspace{
		client: c, rest: rest, options: o, ahead: concurrent.NewSlots(o.Ahead),
		memory: source.New(rest, source.Options{MaxFile: o.MaxFile, KeepFiles: o.KeepFiles, TempDir: o.TempDir}),
		lists:  map[bitbucket.RepositoryQuery]*list{}, projectKeys: map[string]bool{}, secondLists: map[bitbucket.RepositoryQuery]Second{},
	}
}

// Close removes what was kept. Nothing may be extracted any more.
func (w *Workspace) Close() error { return w.memory.Close() }

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
