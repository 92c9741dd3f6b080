package kind

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
)

// choice says which objects of a list are wanted, where the list does not know. The zero choice
// is all of them. What it leaves out is not there for the mapping: it is not a gap.
type choice struct {
	// name distinguishes this choice from others: lists are remembered under it.
	name string
	// takes reports whether an object is wanted; nil takes all.
	takes func(Object) bool
	// when is when an object came about, or last changed, as the list is sorted: the newest first.
	// Nil of a list in another order.
	when func(Object) (time.Time, bool)
	// since is when the oldest of them did; zero for all.
	since time.Time
	// most is how many of the newest are wanted; 0 for all.
	most int
}

// among takes the objects whose text at a key is one of some values; all where there are none.
func among[T ~string](key string, values []T) choice {
	if len(values) == 0 {
		return choice{}
	}
	return choice{name: fmt.Sprintf("%q", values), takes: func(o Object) bool {
		text, ok := o[key].(string)
		return ok && slices.Contains(values, T(text))
	}}
}

// wants reports whether an object is wanted, as far as it says itself. One without a time is.
func (c choice) wants(o Object) bool { return !c.old(o) && (c.takes == nil || c.takes(o)) }

func (c choice) old(o Object) bool {
	if c.when == nil || c.since.IsZero() {
		return false
	}
	at, ok := c.when(o)
	return ok && at.Before(c.since)
}

// until is an Endpoint's Until. A list that has turned out to be in another order is read to its end.
func (c choice) until() func(bitbucket.Listed) bool {
	taken := 0
	return func(l bitbucket.Listed) bool {
		if c.wants(l.Object) {
			taken++
		}
		return !l.Unordered && (c.old(l.Object) || c.most > 0 && taken >= c.most)
	}
}

// order lets an endpoint know that its list has the newest first, and where what is wanted ends.
func (c choice) order(e *bitbucket.Endpoint[bitbucket.Listed]) {
	e.When = func(l bitbucket.Listed) (time.Time, bool) { return c.when(l.Object) }
	e.Until = c.until
}

// timeAt returns the time at a path of an object; not ok where there is none.
func timeAt(o Object, path ...string) (at time.Time, ok bool) {
	for _, key := range path[:len(path)-1] {
		o, _ = o[key].(Object)
	}
	text, _ := o[path[len(path)-1]].(string)
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// daysBefore is so many days before a moment; zero for none.
func daysBefore(moment time.Time, days int) time.Time {
	if days <= 0 {
		return time.Time{}
	}
	return moment.AddDate(0, 0, -min(days, maxDays))
}

// orNone is nil for the error of a list that a repository does not have, such as that of pipelines
// where those are off. The repository was listed in this run; where the answer says that it is not
// there itself, it is asked for once more.
//
// Source: answers seen by public clients, read 2026-11.
func (w *Workspace) orNone(ctx context.Context, r bitbucket.Repository, err error) error {
	var e *bitbucket.Error
	if !errors.Is(err, bitbucket.ErrNotFound) || !errors.As(err, &e) || e.Status != http.StatusNotFound {
		return err
	}
	if !strings.Contains(strings.ToLower(e.Message), "repository") {
		return nil
	}
	if there, askErr := w.client.Exists(ctx, r.Slug); askErr != nil || there {
		return askErr
	}
	return &Gone{Slug: r.Slug}
}

// none is what a repository has of a list that it does not have.
func (w *Workspace) none(a agedList) *None {
	return &None{"answered 404, as one that has none", func(ctx context.Context) error { return w.stillNone(ctx, a) }}
}

// noCommits is what a repository has of its commits that is listed without a main branch. One of which
// the second reading of the list says so as well has none; any other is asked for its branches.
//
// Source: recorded answers, in which a repository without commits has null there.
func (w *Workspace) noCommits(r bitbucket.Repository) *None {
	return &None{"is listed without a main branch, as one without commits", func(ctx context.Context) error {
		for _, s := range w.seconds {
			if r.NoMain && s.noMain[r.Key()] {
				return nil
			}
		}
		branches, err := w.client.Branches(ctx, r.Slug)
		if err == nil && len(branches) > 0 {
			return errors.New("it has branches")
		}
		return w.orNone(ctx, r, err)
	}}
}

// stillNone asks once more for a list that a repository does not have.
func (w *Workspace) stillNone(ctx context.Context, a agedList) error {
	if err := a.find(ctx); err != nil {
		return err
	}
	for _, err := range bitbucket.List(ctx, w.client, a.endpoint, a.query) {
		if err == nil || isOdd(err) {
			return errors.New("it has some")
		}
		return w.orNone(ctx, a.repository, err)
	}
	return nil
}

// home is the repository of the objects of a task, as Bitbucket lists it.
type home struct {
	listed   *listed
	object   Object
	examples int // how many more whole objects may be shown
}

// shows reports whether an object may be shown, as an example of all that a mapping can read.
func (h *home) shows(f Found) bool {
	h.examples--
	return !f.Partial && h.examples >= 0
}

// withinKey is where an object has its repository.
const withinKey = "__repository"

// into puts a copy of the repository into an object.
func (h *home) into(o Object) error {
	if h.object == nil {
		var err error
		if h.object, err = h.listed.object(); err != nil {
			return err
		}
	}
	o[withinKey] = clone(h.object)
	return nil
}

// inRepository is the place of objects that have their repository at __repository.
var inRepository = place{put: func(object, source Object) Object {
	object[withinKey] = source
	return object
}, paths: [][]string{{withinKey}}}
