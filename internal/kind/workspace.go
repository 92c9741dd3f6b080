package kind

import (
	"sync"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/content"
	"port-bitbucket-exporter/internal/reach"
	"port-bitbucket-exporter/internal/source"
	"port-bitbucket-exporter/internal/state"
)

// Options of a Workspace.
type Options struct {
	// MaxFile is the largest file that is read, in bytes; 0 means 1 MiB.
	MaxFile int64
	// KeepFiles keeps what is read of files until Close: it is worth it when more
	// than one resource reads files.
	KeepFiles bool
	// Parts are what matters of the values of lists, by the key of each: Bitbucket is asked for no
	// more of them. A list that is not among them is read as a whole.
	Parts map[any]*reach.Paths
	// Examples is how many whole objects of each kind are wanted, where there are so many.
	Examples int
	// KeepLists keeps each list that a kind begins with: it is worth it when more than one
	// resource begins with the same. That of repositories is always kept.
	KeepLists bool
	// Ahead is how many files may be read before it is their turn, by all tasks at once.
	Ahead int
	// TempDir is the folder for the file in which listings and files are kept; ""
	// is the system's.
	TempDir string
	// GitMaxBytes is how much is received of one repository over git, in bytes; 0 means 64 MiB.
	GitMaxBytes int64
	// OnlyGit makes it an error of a repository that git cannot read it; else REST reads it.
	OnlyGit bool
	// State is what earlier runs have read; nil for nothing.
	State *state.Store
	// LastFinished is when the last run ended that was not cut off; zero for never. A list that
	// was read since, less than ResumeAge ago, is not asked for again.
	LastFinished time.Time
	ResumeAge    time.Duration
	// MaxAge is how old a list may be that comes from memory where the client's bound on
	// requests leaves none for it.
	MaxAge time.Duration
	// NoLists is true when lists of earlier runs are not to be used: State may be older
	// than it seems.
	NoLists bool
	// ListsSince is when a run found that out the last time: no list that was read before is
	// used, now or later. Zero means never.
	ListsSince time.Time
}

// Workspace is the workspace that a run reads, with what it has read already. Extractions may
// run side by side, unless they are of one Bound.Class, and so may the tasks of each.
type Workspace struct {
	client *bitbucket.Client
	// moment is the time before which filters count days and hours. It is one for all readings, so
	// that they give the same, and no part of the key of a list, so that later runs know it.
	moment   time.Time
	rest     source.REST
	memory   *source.Memory
	ahead    concurrent.Slots
	contents *content.Reader
	options  Options
	lists    *lists
	own      *ownLists
	shared   *sharedLists
	sorter   *sorter
	readings *readings
	plan     *plan          // nil before Plan, and where nothing is planned
	seconds  map[any]Second // second readings since the last Forget, by the key of the list
	examples sync.Map       // kind → *examples
	keys     projectKeys
}

// NewWorkspace returns a workspace of which nothing has been read. It must be closed.
func NewWorkspace(c *bitbucket.Client, o Options) *Workspace {
	w := &Workspace{
		client: c, moment: time.Now().UTC().Truncate(time.Second), options: o, ahead: concurrent.NewSlots(o.Ahead), contents: content.NewReader(),
		readings: newReadings(o.State),
		seconds:  map[any]Second{},
	}
	w.rest = source.REST{Client: c, May: w.mayRead}
	w.memory = source.New(w.rest, source.Options{
		MaxFile: o.MaxFile, KeepFiles: o.KeepFiles, TempDir: o.TempDir, Git: gitHost(c, o.GitMaxBytes), OnlyGit: o.OnlyGit, State: o.State,
	})
	w.own = &ownLists{client: c, spool: w.memory.Spool()}
	w.lists = &lists{client: c, moment: w.moment, spool: w.memory.Spool(), all: map[bitbucket.RepositoryQuery]*list{}}
	w.sorter = &sorter{client: c, spool: w.memory.Spool()}
	w.shared = &sharedLists{spool: w.memory.Spool()}
	return w
}

// gitHost is where repositories are read over git; nil where the client has no such host.
func gitHost(c *bitbucket.Client, maxBytes int64) *source.GitHost {
	g := c.Git()
	if g == nil {
		return nil
	}
	return &source.GitHost{URL: g.URL, Do: g.Do, StatusError: g.StatusError, MaxBytes: maxBytes}
}

// Close removes what was kept. Nothing may be extracted any more.
func (w *Workspace) Close() error {
	w.lists.close()
	w.readings.end()
	return w.memory.Close()
}

// Readings returns what read the repositories' folders and files so far.
func (w *Workspace) Readings() source.Readings { return w.memory.Readings() }
