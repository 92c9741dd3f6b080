package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/glob"
)

// GitHost is where the workspace's git repositories are read.
type GitHost struct {
	// URL returns the address of a repository, without a trailing slash.
	URL func(slug string) string
	// Do authorizes and sends a request.
	Do func(*http.Request) (*http.Response, error)
	// StatusError returns the error for an answer other than success.
	StatusError func(slug string, status int, body []byte) error
	// MaxBytes is how much is received of one repository, in bytes; 0 means 64 MiB.
	MaxBytes int64
}

// Git reads repositories over git. Its errors are *Fallback, but for the end of a context.
//
// It gives what REST gives, but for names that it leaves out, the MIME type of a file, and
// what only the text of a file shows: one is binary when its text has a NUL, and of Git LFS
// when its text is a pointer, whatever the settings of the repository make of it.
type Git struct {
	host    GitHost
	rest    REST
	only    bool // REST reads neither folders nor files
	maxFile int64
	tempDir string
	able    capabilities
	given   atomic.Bool // a text that was asked for by its ID
	refused atomic.Bool // such a text, and none was given before: none will be

	mu      sync.Mutex // guards what follows
	remotes map[string]*gitwire.Remote
}

var _ Source = (*Git)(nil)

// everything is the depth of a listing that has no bound.
const everything = 1 << 30

// maxWants is how many files are asked for in one request: about half a MiB of its body.
const maxWants = 10_000

func newGit(rest REST, o Options) *Git {
	g := &Git{host: *o.Git, rest: rest, only: o.OnlyGit, maxFile: max(o.MaxFile+1, maxPointer), tempDir: o.TempDir, remotes: map[string]*gitwire.Remote{}}
	g.host.MaxBytes = cmp.Or(g.host.MaxBytes, 64<<20)
	return g
}

// remote is that of a repository, for the whole run: it counts what is received.
func (g *Git) remote(r bitbucket.Repository) *gitwire.Remote {
	g.mu.Lock()
	defer g.mu.Unlock()
	remote := g.remotes[r.Key()]
	if remote == nil {
		remote = &gitwire.Remote{
			URL: g.host.URL(r.Slug), Do: g.host.Do, TempDir: g.tempDir,
			Limits: gitwire.Limits{MaxBytes: g.host.MaxBytes, MaxFile: g.maxFile},
		}
		g.remotes[r.Key()] = remote
	}
	return remote
}

// Heads asks for all branches in one request. A main branch that is not there may be that of
// a repository without commits: REST knows.
func (g *Git) Heads(ctx context.Context, r bitbucket.Repository, branches []string) (map[string]Head, error) {
	names := make([]string, len(branches))
	for i, b := range branches {
		names[i] = "refs/heads/" + b
	}
	_, err := g.able.of(ctx, g.remote(r)) // so that many repositories at once do not ask a host that refuses
	var refs map[string]string
	if err == nil {
		refs, err = g.remote(r).Refs(ctx, names)
	}
	if err != nil {
		return nil, g.fallback(ctx, r, err)
	}
	heads := map[string]Head{}
	for i, b := range branches {
		hash, ok := refs[names[i]]
		switch {
		case ok:
			heads[b] = Head{Hash: hash}
		case b == r.MainBranch:
			main, err := g.rest.Heads(ctx, r, []string{b})
			if err != nil {
				return nil, err
			}
			heads[b] = main[b]
		default:
			heads[b] = Head{Err: fmt.Errorf("branch %q of repository %q: %w", b, r.Slug, bitbucket.ErrNotFound)}
		}
	}
	return heads, nil
}

// Wider widens all but the root's own entries to the whole tree where the server leaves out
// the texts of files: then all folders come in one small answer. Elsewhere each answer may
// hold all files of the commit, so that one for all folders is better than several.
func (g *Git) Wider(ctx context.Context, r bitbucket.Repository, w Want) (glob.Need, error) {
	able, err := g.able.of(ctx, g.remote(r))
	switch {
	case err != nil:
		return w.Need, g.fallback(ctx, r, err)
	case w.Several, g.bare(able, w) && w.Need != glob.Need{Depth: 1}:
		return glob.Need{Depth: everything}, nil
	case w.Depth >= glob.MaxDepth:
		return glob.Need{Folder: w.Folder, Depth: everything}, nil
	}
	return w.Need, nil
}

// bare reports whether a listing is to come without the texts of files: where it can, unless
// files are wanted that the server does not give by themselves.
func (g *Git) bare(able gitwire.Capabilities, w Want) bool {
	return able.Filter && !(g.refused.Load() && w.Keep != nil)
}

// List yields nothing before all of it is read and proven.
func (g *Git) List(ctx context.Context, at Revision, n Want) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		s, err := g.snapshot(ctx, at, n)
		if err != nil {
			yield(Entry{}, g.fallback(ctx, at.Repository, err))
			return
		}
		defer s.Close()
		if left, example := s.LeftOut(); left > 0 {
			err := error(&leftOut{left, example})
			if !g.only {
				yield(Entry{}, g.fallback(ctx, at.Repository, err))
				return
			}
			if !yield(Entry{}, &bitbucket.Odd{Name: fmt.Sprintf("folder %q of repository %q", "/"+n.Folder, at.Repository.Slug), Err: err}) {
				return
			}
		}
		for found, err := range s.Entries() {
			if err != nil {
				yield(Entry{}, g.fallback(ctx, at.Repository, err))
				return
			}
			if below(n.Need, found.Path) && !yield(entryOf(found), nil) {
				return
			}
		}
	}
}

// snapshot reads folders of a commit; what comes broken is asked for twice.
func (g *Git) snapshot(ctx context.Context, at Revision, n Want) (*gitwire.Snapshot, error) {
	remote := g.remote(at.Repository)
	able, err := g.able.of(ctx, remote)
	if err != nil {
		return nil, err
	}
	head, err := gitwire.ParseHash(at.Hash)
	switch {
	case errors.Is(err, gitwire.ErrObjectFormat):
		return nil, err
	case err != nil:
		return nil, errNoHash
	}
	w := gitwire.Want{Head: head, Filter: g.bare(able, n), Enter: func(folder string) bool { return entered(n.Need, folder) }}
	if !w.Filter && n.Keep != nil {
		w.Blob, w.Keep = n.Text, func(path string, _ gitwire.Mode) bool { return n.Keep(path) }
	}
	return twice(ctx, func() (*gitwire.Snapshot, error) { return remote.Snapshot(ctx, w) })
}

// entered reports whether what lies in a folder is needed, or leads to it.
func entered(n glob.Need, folder string) bool {
	return glob.Within(folder, n.Folder) || glob.Within(n.Folder, folder) && glob.Level(folder)-glob.Level(n.Folder) < n.Depth
}

// below reports whether a need is for a path.
func below(n glob.Need, path string) bool {
	return path != n.Folder && glob.Within(n.Folder, path) && glob.Level(path)-glob.Level(n.Folder) <= n.Depth
}

// entryOf returns an entry of which the size, and what only the text of a file shows, is not
// known yet.
func entryOf(e gitwire.Entry) Entry {
	entry := Entry{Entry: bitbucket.Entry{Type: File, Path: e.Path}, ID: e.Hash, mode: e.Mode}
	switch e.Mode {
	case gitwire.Folder:
		entry.Type = Folder
	case gitwire.Executable:
		entry.Attributes = []string{Executable}
	case gitwire.Link:
		entry.Attributes = []string{Link}
	case gitwire.Submodule:
		entry.Attributes = []string{Submodule}
	}
	return entry
}

// Texts hands on the texts of files, by their IDs, in any order: the size, and of a file that
// is larger than Options.MaxFile the beginning, by at least one byte more. The text is not to
// be kept.
func (g *Git) Texts(ctx context.Context, r bitbucket.Repository, ids []gitwire.Hash, got func(id gitwire.Hash, size int64, text []byte) error) error {
	if len(ids) > 0 && g.refused.Load() {
		return g.fallback(ctx, r, errNoTexts)
	}
	for wanted := range slices.Chunk(ids, maxWants) {
		left := wanted
		missing, err := twice(ctx, func() ([]gitwire.Hash, error) {
			had := map[gitwire.Hash]bool{}
			missing, err := g.remote(r).Blobs(ctx, left, func(id gitwire.Hash, size int64, text []byte) error {
				had[id] = true
				g.given.Store(true)
				return got(id, size, text)
			})
			left = slices.DeleteFunc(slices.Clone(left), func(id gitwire.Hash) bool { return had[id] })
			return missing, err
		})
		if err == nil && len(missing) > 0 {
			err = gitwire.ErrNoObject
		}
		if errors.Is(err, gitwire.ErrNoObject) && !g.given.Load() {
			g.refused.Store(true)
			err = errNoTexts
		}
		if err != nil {
			return g.fallback(ctx, r, err)
		}
	}
	return nil
}

// errNoDepth says that the server gives commits with all of their history only.
var errNoDepth = errors.New("the git host gives no single commits")

// errNoHash says that the list of repositories names a head that git cannot have.
var errNoHash = errors.New("its head has no hash of git's")

// errNoTexts says that the server gives no file by itself.
var errNoTexts = errors.New("the git host gives no single files")

// twice asks again after an answer that is broken or ends too early, unless it took long.
func twice[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	answer, err := ask()
	if late, _ := bitbucket.Late(err); ctx.Err() == nil && late == "" && (errors.Is(err, gitwire.ErrCut) || errors.Is(err, gitwire.ErrBroken)) {
		return ask()
	}
	return answer, err
}

// capabilities are those of the host, asked for once.
type capabilities struct {
	mu    sync.Mutex // guards what follows; it is held over no request
	known *gitwire.Capabilities
	none  error         // why the host is not asked any more; nil while it may answer
	asked chan struct{} // closed at the end of the question under way; nil without one
	// refusals are those in a row of which each may cost an attempt of a login, or minutes.
	refusals int
}

// of returns the capabilities. A failure is not kept, since another repository may answer,
// unless the host gave no answer at all, or refused maxRefusals questions in a row by its
// status: then each question would cost too much.
func (c *capabilities) of(ctx context.Context, remote *gitwire.Remote) (gitwire.Capabilities, error) {
	for {
		c.mu.Lock()
		known, none, asked := c.known, c.none, c.asked
		if known == nil && none == nil && asked == nil {
			c.asked = make(chan struct{})
		}
		c.mu.Unlock()
		switch {
		case known != nil:
			return *known, nil
		case none != nil:
			return gitwire.Capabilities{}, none
		case asked == nil:
			return c.ask(ctx, remote)
		}
		select {
		case <-asked:
		case <-ctx.Done():
			return gitwire.Capabilities{}, context.Cause(ctx)
		}
	}
}

// ended reports whether the host is not asked any more.
func (c *capabilities) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.none != nil
}

// unanswered reports whether the host gave no answer, of whatever repository. A redirect is
// that of one.
func unanswered(err error) bool {
	var none *bitbucket.NoAnswer
	return errors.As(err, &none) && !bitbucket.Redirected(err)
}

// costly reports whether an answer may count against the login of the credential, or came
// after several tries and waits.
func costly(err error) bool {
	var status *gitwire.StatusError
	return errors.As(err, &status) &&
		(status.Status == http.StatusUnauthorized || status.Status == http.StatusTooManyRequests || status.Status >= http.StatusInternalServerError)
}

func (c *capabilities) ask(ctx context.Context, remote *gitwire.Remote) (gitwire.Capabilities, error) {
	able, err := remote.Capabilities(ctx)
	switch {
	case err != nil:
	case !able.SHA1: // another repository may have them
		err = gitwire.ErrObjectFormat
	case !able.Shallow:
		err = errNoDepth
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.known = &able
	} else if ctx.Err() == nil {
		if costly(err) {
			c.refusals++
		}
		if unanswered(err) || c.refusals >= maxRefusals {
			c.none = err
		}
	}
	close(c.asked)
	c.asked = nil
	return able, err
}
