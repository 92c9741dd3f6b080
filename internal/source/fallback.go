package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/gitwire"
)

// Fallback is a repository that git does not read: the API reads it instead, for the rest of
// the run, unless Options.OnlyGit is set.
type Fallback struct {
	Repository string // its slug
	Reason     string
	Fix        string // what lets git read it; empty when nothing special does
	err        error
	refused    bool // by the host: other repositories may fare alike
	hopeless   bool // they will
}

func (f *Fallback) Error() string {
	if f.err == nil {
		return fmt.Sprintf("read repository %q over git: %s", f.Repository, f.Reason)
	}
	return fmt.Sprintf("read repository %q over git: %v", f.Repository, f.err)
}

func (f *Fallback) Unwrap() error { return f.err }

// leftOut is a listing with names that are not handed on.
type leftOut struct {
	n       int
	example string
}

func (l *leftOut) Error() string {
	return fmt.Sprintf("%d names are not read over git, %q is the first", l.n, l.example)
}

// fallback is the error of what git could not read. The end of a context stays what it is.
func (g *Git) fallback(ctx context.Context, r bitbucket.Repository, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f := &Fallback{Repository: r.Slug, err: err}
	var status *gitwire.StatusError
	var limit *gitwire.LimitError
	var server *gitwire.ServerError
	var names *leftOut
	var disk *fs.PathError
	var none *bitbucket.NoAnswer
	late, idle := bitbucket.Late(err)
	switch {
	case errors.As(err, &status):
		f.err = g.host.StatusError(r.Slug, status.Status, []byte(status.Body))
		if gone := (*Gone)(nil); g.only && errors.As(g.rest.OrGone(ctx, r.Slug, f.err), &gone) {
			return gone
		}
		f.Reason, f.Fix = fmt.Sprintf("git host: %d %s", status.Status, http.StatusText(status.Status)), bitbucket.Fix(f.err)
		hidden := (*bitbucket.Error)(nil)
		f.refused = status.Status != http.StatusGone && !(errors.As(f.err, &hidden) && hidden.Hidden)
	case errors.As(err, &limit):
		if f.Reason = limit.Error(); limit.What == gitwire.Received {
			f.Reason, f.Fix = "over git_max_bytes", "raise the input git_max_bytes"
		}
	case errors.As(err, &disk):
		f.Reason, f.Fix = "the folder of temporary files fails", "give it room"
	case errors.As(err, &names):
		f.Reason = "names that git's reader leaves out"
	case errors.Is(err, gitwire.ErrObjectFormat):
		f.Reason = "its objects have SHA-256 names"
	case errors.Is(err, errNoTexts), errors.Is(err, errNoHash):
		f.Reason = err.Error()
	case errors.Is(err, gitwire.ErrNoObject):
		f.Reason = "the git host does not give a wanted object"
	case errors.As(err, &server):
		f.Reason = "the server's git reports an error"
	case late != "":
		f.Reason, f.refused = "the git host gave no answer: "+late, idle
	case errors.Is(err, gitwire.ErrCut):
		f.Reason = "cut off twice"
	case errors.Is(err, gitwire.ErrBroken):
		f.Reason = "broken answers, twice"
	case errors.Is(err, errNoDepth):
		f.Reason, f.hopeless = errNoDepth.Error(), true
	case errors.Is(err, gitwire.ErrNoV2):
		f.Reason, f.hopeless = "the git host does not speak version 2 of git's protocol", true
	case errors.Is(err, gitwire.ErrNotUnderstood):
		f.Reason, f.refused = "the git host did not understand the request", true
	case bitbucket.Redirected(err):
		f.Reason, f.refused = "the git host leads elsewhere", true
	case errors.As(err, &none):
		f.Reason, f.refused = "the git host gave no answer: "+none.Why(), true
	default:
		f.Reason, f.refused = "the git host gave no answer", true
	}
	f.hopeless = f.hopeless || g.able.ended()
	return f
}

// maxRefusals is after how many refusals in a row nothing is read over git any more. Those of
// repositories that were asked for at once count as one: a moment's outage is no more than that.
const maxRefusals = 3

// counts reports whether a refusal counts whatever else was asked for at the same time: it may
// be one of a login, or cost minutes.
func (f *Fallback) counts() bool {
	_, idle := bitbucket.Late(f.err)
	return idle || bitbucket.Denied(f.err)
}

// readers decides what reads each repository. It is safe for concurrent use.
type readers struct {
	rest    REST
	git     *Git // nil when nothing is read over git
	onlyGit bool

	mu       sync.Mutex // guards what follows
	fallen   map[string]*Fallback
	over     map[string]bool // repositories of which git read something
	known    map[string]bool // repositories of which something came from the store
	refusals int             // in a row
	counted  int             // refusals in all
	begun    map[string]int  // by repository: counted when git was last asked for it
	stopped  *Fallback       // after which nothing is read over git any more; nil while it is
}

// gitFor returns what reads a repository over git; nil when REST reads it.
func (rs *readers) gitFor(r bitbucket.Repository) *Git {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if !rs.byGit(r) {
		return nil
	}
	rs.begun[r.Key()] = rs.counted
	return rs.git
}

// byGit reports whether git reads a repository. The mutex is held.
func (rs *readers) byGit(r bitbucket.Repository) bool {
	return rs.git != nil && (rs.onlyGit || rs.stopped == nil && rs.fallen[r.Key()] == nil)
}

// overGit reports whether git reads a repository.
func (rs *readers) overGit(r bitbucket.Repository) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.byGit(r)
}

// gave notes that git gave a file of a repository.
func (rs *readers) gave(r bitbucket.Repository) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.over[r.Key()] = true
}

// knew notes that something of a repository's commit came from the store.
func (rs *readers) knew(r bitbucket.Repository) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.known[r.Key()] = true
}

// of returns the reader of a repository.
func (rs *readers) of(r bitbucket.Repository) Source {
	if g := rs.gitFor(r); g != nil {
		return g
	}
	return rs.rest
}

// read notes that git read something of a repository.
func (rs *readers) read(r bitbucket.Repository) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.over[r.Key()] = true
	rs.refusals = 0
}

// falls reports whether an error is git's, and REST reads the repository from now on.
func (rs *readers) falls(r bitbucket.Repository, err error) bool {
	var f *Fallback
	if !errors.As(err, &f) || rs.onlyGit {
		return false
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.fallen[r.Key()] != nil {
		return true
	}
	rs.fallen[r.Key()] = f
	if f.refused && (f.counts() || rs.begun[r.Key()] == rs.counted) {
		rs.refusals++
		rs.counted++
	}
	if rs.stopped == nil && (f.hopeless || rs.refusals >= maxRefusals) {
		rs.stopped = f
	}
	return true
}

// Readings is what read the repositories of a run.
type Readings struct {
	Git       int        // repositories of which git read something
	Known     int        // repositories of which something of a commit came from Options.State
	Fallbacks []Fallback // by their slugs
	// Stopped is why nothing was read over git any more, from a moment on; empty when it
	// was.
	Stopped string
	// StoppedFix is what to do about it; empty when nothing special is known.
	StoppedFix string
}

func (rs *readers) readings() Readings {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	out := Readings{Git: len(rs.over), Known: len(rs.known)}
	if rs.stopped != nil {
		out.Stopped, out.StoppedFix = rs.stopped.Reason, rs.stopped.Fix
	}
	for _, f := range slices.SortedFunc(maps.Values(rs.fallen), func(a, b *Fallback) int {
		return cmp.Or(strings.Compare(a.Repository, b.Repository), strings.Compare(a.Reason, b.Reason))
	}) {
		out.Fallbacks = append(out.Fallbacks, *f)
	}
	return out
}
