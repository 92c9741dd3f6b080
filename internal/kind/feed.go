package kind

import (
	"context"
	"fmt"
	"iter"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/spool"
)

// activityKey is where a pull request has what happened to it, the newest first.
const activityKey = "__activity"

const (
	// maxFeedPage is the longest page of the feed.
	maxFeedPage = 50
	// maxFeed bounds how many entries are read of one repository: what is older is not known.
	maxFeed = 50_000
)

// feed is what happened to all pull requests of a repository, the newest first: one list, in the
// place of one for each pull request. It is read down to the oldest of those that are wanted.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-activity-get;
// that it has the newest first, and pages of 50, is what public clients saw, read 2026-11.
type feed struct {
	slug  string
	spool *spool.Spool
	next  func() (bitbucket.Listed, error, bool)
	stop  func()
	by    map[string][]spool.Blob // by the number of the pull request
	count int
	last  time.Time // of the oldest entry
	ended bool
	err   error
}

// newFeed returns the feed of a repository. No request is made before it is asked for something.
func newFeed(ctx context.Context, w *Workspace, r bitbucket.Repository) *feed {
	f := &feed{slug: r.Slug, spool: w.memory.Spool(), by: map[string][]spool.Blob{}}
	f.next, f.stop = iter.Pull2(bitbucket.List(ctx, w.client, bitbucket.Endpoint[bitbucket.Listed]{
		Name:    fmt.Sprintf("activity of the pull requests of repository %q", r.Slug),
		Path:    w.client.Path("repositories", r.Slug, "pullrequests", "activity"),
		Route:   "pullrequest-activity",
		Pagelen: maxFeedPage,
		Once:    true,
		Key:     byText,
	}, nil))
	return f
}

// of returns what happened to a pull request that came about at a time.
func (f *feed) of(id string, created time.Time) ([]any, error) {
	if err := f.downTo(created); err != nil {
		return nil, err
	}
	all := []any{}
	for _, blob := range f.by[id] {
		text, err := f.spool.Read(blob)
		if err != nil {
			return nil, err
		}
		entry, err := bitbucket.Decode(text)
		if err != nil {
			return nil, err
		}
		all = append(all, entry)
	}
	return all, nil
}

// downTo reads on until entries are older than a time.
func (f *feed) downTo(oldest time.Time) error {
	for f.err == nil && !f.ended && (f.last.IsZero() || !f.last.Before(oldest)) {
		entry, err, more := f.next()
		switch {
		case !more:
			f.ended = true
		case err != nil: // also one entry that cannot be read: what it is of is not known
			f.err = err
		case f.count == maxFeed:
			f.err = fmt.Errorf("repository %q has more than %d activities of pull requests since the oldest one that is read", f.slug, maxFeed)
		default:
			f.add(entry)
		}
	}
	return f.err
}

// add keeps an entry out of memory: most are of pull requests that are not wanted.
func (f *feed) add(entry bitbucket.Listed) {
	f.count++
	if at, ok := happened(entry.Object); ok {
		f.last = at
	}
	of, _ := entry.Object["pull_request"].(Object)
	id := fmt.Sprint(of["id"])
	f.by[id] = append(f.by[id], f.spool.Put(entry.JSON))
}

// happened is when an entry came about, or last changed.
func happened(entry Object) (latest time.Time, ok bool) {
	for _, what := range []string{"update", "approval", "changes_requested", "comment"} {
		of, _ := entry[what].(Object)
		for _, key := range []string{"date", "created_on", "updated_on"} {
			if at, is := timeAt(of, key); is && at.After(latest) {
				latest, ok = at, true
			}
		}
	}
	return latest, ok
}
