package kind

import (
	"context"
	"iter"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/content"
	"port-bitbucket-exporter/internal/source"
	"port-bitbucket-exporter/internal/state"
)

// Options of a Workspace.
type Options struct {
	// MaxFile is the largest file that is read, in bytes; 0 is 1 MiB.
	MaxFile int64
	// KeepFiles keeps what is read of files until Close: it is worth it when more
	// than one resource reads files.
	KeepFiles bool
	// KeepLists keeps each list that a kind begins with: it is worth it when more than one
	// resource begins with the same. That of repositories is always kept.
	KeepLists bool
	// Ahead is how many files may be read before it is their turn, by all tasks at once.
	Ahead int
	// TempDir is the folder for the file in which listings and files are kept; ""
	// is the system's.
	TempDir string
	// GitMaxBytes is how much is received of one repository over git, in bytes; 0 is 64 MiB.
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
	// used, now or later. Zero is never.
	ListsSince time.Time
}

// Workspace is the workspace that a run reads, with what it has read already. It
// is for one extraction after the other; the tasks of one may run side by side.
type Workspace struct {
	client   *bitbucket.Client
	rest     source.REST
	memory   *source.Memory
	ahead    concurrent.Slots
	contents *content.Reader
	options  Options
	lists    map[bitbucket.RepositoryQuery]*list
	readings *readings
	plan     *plan          // nil before Plan, and where nothing is planned
	seconds  map[any]Second // second readings since the last Forget, by the key of the list
	own      map[any]any    // what the kinds remember, each by a key of its own type
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

// NewWorkspace returns a workspace of which nothing has been read. It is to be closed.
func NewWorkspace(c *bitbucket.Client, o Options) *Workspace {
	w := &Workspace{
		client: c, options: o, ahead: concurrent.NewSlots(o.Ahead), contents: content.NewReader(),
		lists: map[bitbucket.RepositoryQuery]*list{}, readings: newReadings(o.State),
		seconds: map[any]Second{}, own: map[any]any{},
	}
	w.rest = source.REST{Client: c, May: w.mayRead}
	w.memory = source.New(w.rest, source.Options{
		MaxFile: o.MaxFile, KeepFiles: o.KeepFiles, TempDir: o.TempDir, Git: gitHost(c, o.GitMaxBytes), OnlyGit: o.OnlyGit, State: o.State,
	})
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
	w.readings.end()
	return w.memory.Close()
}

// Readings returns what read the repositories' folders and files so far.
func (w *Workspace) Readings() source.Readings { return w.memory.Readings() }

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

func sourceOf(r bitbucket.Repository) Source { return Source{Key: r.Key(), Name: r.Slug, JSON: r.JSON} }

// Second is a second reading of the list that a kind begins with.
type Second struct {
	// Appeared are the sources that the first reading did not have, in the order of the list.
	Appeared []Source
	listed   map[string]bool
}

// Lists reports whether the second reading has a source.
func (s Second) Lists(key string) bool { return s.listed[key] }

func secondOf(all []Source, known map[string]bool) Second {
	s := Second{listed: map[string]bool{}}
	for _, source := range all {
		s.listed[source.Key] = true
		if !known[source.Key] {
			s.Appeared = append(s.Appeared, source)
		}
	}
	return s
}

// Forget drops second readings: the next call reads the list again.
func (w *Workspace) Forget() {
	clear(w.seconds)
}

// again reads a list that a kind begins with a second time; until Forget, further calls
// return the same reading. It holds what the first reading, by the keys of its sources,
// missed, since the list moved or a source was away for a while.
func (w *Workspace) again(list any, first map[string]bool, read iter.Seq2[Source, error]) (Second, error) {
	if s, ok := w.seconds[list]; ok {
		return s, nil
	}
	var all []Source
	for source, err := range read {
		if err != nil {
			return Second{}, err
		}
		all = append(all, source)
	}
	s := secondOf(all, first)
	w.seconds[list] = s
	return s, nil
}

// repositoriesAgain is again for a list of repositories.
func (w *Workspace) repositoriesAgain(ctx context.Context, q bitbucket.RepositoryQuery) (Second, error) {
	known := map[string]bool{}
	if first := w.lists[q]; first != nil {
		for _, r := range first.repositories {
			known[r.Key()] = true
		}
	}
	return w.again(q, known, func(yield func(Source, error) bool) {
		for r, err := range w.client.Repositories(ctx, q) {
			if !yield(sourceOf(r), err) {
				return
			}
		}
	})
}
