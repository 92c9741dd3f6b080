package kind

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/filter"
	"port-bitbucket-exporter/internal/reach"
)

// agedList is a list of a repository that nothing shows to be unchanged, such as that of its pull
// requests: what is known of it is as old as its last reading.
type agedList struct {
	kind       string
	repository bitbucket.Repository
	// endpoint and query are those of the list. What they ask for is a part of the key
	// under which the list is remembered.
	endpoint bitbucket.Endpoint[bitbucket.Listed]
	query    url.Values
	// only are the objects of the list that are wanted.
	only choice
	// place returns the path of the endpoint where a request has to find it first; nil where it is known.
	place func(ctx context.Context) (string, error)
	// optional is true for a list that answers 404 where a repository does not have such objects.
	optional bool
	// moves is true for a list that does not change while its repository does not move.
	moves bool
	// also is true for a list that is read along with another one, and that no plan has.
	also bool
	// shared is true for a list that more than one resource of a run may read.
	shared bool
}

// aged is such a list, and what a mapping sees of its objects.
type aged struct {
	agedList
	// complete adds to an object what Bitbucket leaves out; nil for nothing.
	complete func(Object)
	// name is what an object is called in messages; nil for what it says itself.
	name func(Object) string
	// extras are fields of the objects that cost requests of their own.
	extras []extra
	// activity is true where pull requests get what happened to them.
	activity bool
	// within is true where objects get their repository, as __repository.
	within bool
	// through changes the objects of the list as they come, before only chooses among them: it may
	// ask for more, and hold them back until all are there. Nil leaves them as they are.
	through func(context.Context, *Workspace, iter.Seq2[Found, error]) iter.Seq2[Found, error]
	// none is true where the repository cannot have such objects.
	none bool
}

func (a agedList) key() []string {
	key := listKey(a.repository, a.kind, a.query)
	if a.only.name != "" {
		key = append(key, a.only.name)
	}
	return key
}

// asksFor are the parts of objects that Bitbucket is asked for; nil for all.
func (a agedList) asksFor() *reach.Paths {
	if a.endpoint.Fields == "" {
		return nil
	}
	return a.endpoint.Reads
}

// id is the key as one text.
func (a agedList) id() string { return strings.Join(a.key(), "\x00") }

// find completes the endpoint of a list whose path is not known yet.
func (a *agedList) find(ctx context.Context) (err error) {
	if a.place != nil {
		a.endpoint.Path, err = a.place(ctx)
	}
	return err
}

// ager is a selector whose kind reads one such list of each repository.
type ager interface {
	taking(*Workspace) *taking
	without(Source) string
	aged(*bitbucket.Client, bitbucket.Repository, parts) aged
}

// extractAged extracts the objects of one list of each repository.
func extractAged[S ager](ctx context.Context, ws *Workspace, s S) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		parts := parts{moment: ws.moment}
		if p, ok := any(s).(parter); ok {
			parts = p.parts(ws)
		}
		var show *shown
		if parts.reads != nil {
			show = ws.showing(parts.kind)
		}
		take := s.taking(ws)
		for l, err := range take.repositories(ctx) {
			a := s.aged(ws.client, l.Repository, parts)
			task := Task{Source: l.source(), aged: &a.agedList}
			switch {
			case isOdd(err):
				task, err = failing(err), nil
			case err == nil && a.none:
				task = Task{Source: l.source(), Run: onlyErrors(ws.noCommits(l.Repository))}
			case err == nil:
				turn := show.turn()
				task.Ready, task.Run = turn.ready(), agedTask(ws, a, l, s.without, turn)
			}
			if !yield(task, err) || err != nil {
				return
			}
		}
		if task, ok := take.missing(); ok {
			yield(task, nil)
		}
	}
}

// leftOutBy adds to the fix of an error how to leave out a repository of which a list
// cannot be read while it is there itself.
func leftOutBy(repoQuery string, err error) error {
	var e *bitbucket.Error
	if !errors.As(err, &e) || e.Status != http.StatusForbidden && e.Status != http.StatusNotFound || e.Denied() {
		return err
	}
	return &advised{err, Fix(err) + "; to leave this repository out, set the selector's repoQuery to " + repoQuery}
}

// origin is where the objects of a list come from.
type origin int

const (
	asked     origin = iota // Bitbucket is asked
	thisRun                 // this run has asked before
	unmoved                 // an earlier run read it, and the repository has not changed since
	cutOff                  // a run read it that was cut off since
	leftToAge               // an earlier run read it, and no request is to be spent on it
	unasked                 // no request is to be spent on it, and it is not known
)

// origin decides where the objects of a list come from, and returns what is known of it.
func (w *Workspace) origin(a agedList) (origin, record) {
	known, ok := recordOf(w.options.State, a.key(), a.repository, a.endpoint.Reads)
	known.begun, known.mayBegun = w.readings.overtaken(a.id(), known.ReadAt)
	at, read := w.readings.of(a.id())
	switch {
	case ok && read && at.Equal(known.ReadAt):
		return thisRun, known
	case ok && a.moves && known.unchanged(a.repository):
		return unmoved, known
	case ok && w.resumes(a, known):
		return cutOff, known
	case w.plan == nil || w.plan.granted[a.id()]:
		return asked, known
	case w.usable(known):
		return leftToAge, known
	case a.also:
		return asked, known
	}
	return unasked, known
}

// resumes reports whether a list need not be asked for, since a run read it that was cut off
// since, a short while ago. MaxAge holds for it, too, where it holds. A later run without a bound
// that was killed has not begun it: it would have resumed it as well.
func (w *Workspace) resumes(a agedList, known record) bool {
	if _, bounded := w.client.Left(); bounded && !w.usable(known) {
		return false
	}
	return !w.barred(known) && known.ReadAt.After(w.options.LastFinished) && known.age() < w.options.ResumeAge && !known.moved(a.repository)
}

// barred reports whether a list of an earlier run may not be used, since a newer one may be lost.
func (w *Workspace) barred(known record) bool {
	return w.options.NoLists || known.begun || known.ReadAt.Before(w.options.ListsSince)
}

// usable reports whether what is remembered of a list may be used when it cannot be asked for.
func (w *Workspace) usable(known record) bool {
	return !w.barred(known) && !known.mayBegun && !known.ReadAt.IsZero() && known.age() < w.options.MaxAge
}

// aged yields the objects of a list, from where origin says, or from memory where the bound on
// requests was reached before the first one. A *Remembered comes first where they come from
// memory, and others may follow a *bitbucket.Odd.
func (w *Workspace) aged(ctx context.Context, a agedList) iter.Seq2[Found, error] {
	if known := w.shared.of(a); known != nil {
		return known
	}
	return func(yield func(Found, error) bool) {
		from, known := w.origin(a)
		if from == thisRun || from == unmoved || from == cutOff || from == leftToAge {
			if missing := w.recall(ctx, a, known, from == cutOff || from == leftToAge, yield); !missing {
				return
			}
		}
		begun, err := false, fmt.Errorf("list %s: %w", a.endpoint.Name, bitbucket.ErrBudget)
		if from != leftToAge && from != unasked {
			if err = a.find(ctx); err == nil {
				begun, err = w.ask(ctx, a, yield)
			}
		}
		if errors.Is(err, bitbucket.ErrBudget) && !begun && from == asked && w.usable(known) {
			if missing := w.recall(ctx, a, known, true, yield); !missing {
				return
			}
		}
		if err != nil {
			yield(Found{}, err)
		}
	}
}

// recall yields a list from memory. The list is missing, and nothing was yielded, where memory does
// not have all of it any more.
func (w *Workspace) recall(ctx context.Context, a agedList, known record, tell bool, yield func(Found, error) bool) (missing bool) {
	begun, n := false, 0
	for object, err := range known.objects(ctx, w.options.State) {
		if errors.Is(err, errForgotten) && !begun {
			return true
		}
		if !begun && tell && !yield(Found{}, &Remembered{ReadAt: known.ReadAt}) {
			return false
		}
		begun = true
		n++
		if !yield(Found{Object: object, Partial: known.Reads != nil && n > known.Whole}, err) || err != nil {
			return false
		}
	}
	if !begun && tell && !yield(Found{}, &Remembered{ReadAt: known.ReadAt}) {
		return false
	}
	if known.None {
		yield(Found{}, w.none(a))
	}
	return false
}

// ask yields a list as Bitbucket gives it, and remembers it when it comes to its end and has
// nothing odd. It reports whether anything was yielded. The error, which is not yielded, is why
// the list did not come to its end.
func (w *Workspace) ask(ctx context.Context, a agedList, yield func(Found, error) bool) (begun bool, err error) {
	r := newAsking(w, a)
	for l, err := range w.sorter.list(ctx, r.list, atMoment(a.query, w.moment)) {
		if err != nil && a.optional && !r.begun {
			if err = w.orNone(ctx, a.repository, err); err == nil {
				r.begun = true
				none := w.none(r.list)
				r.keep.isNone()
				if r.share.isNone(none); !yield(Found{}, none) {
					return true, nil
				}
				break
			}
		}
		if err != nil && !isOdd(err) {
			r.fail(ctx, err)
			return r.begun, err
		}
		r.take(l, err)
		if !yield(Found{Object: l.Object, Partial: !l.Whole}, err) {
			return true, nil
		}
	}
	r.end(ctx)
	return r.begun, nil
}

// asking is one reading of a list from Bitbucket, and what is kept of it.
type asking struct {
	ws       *Workspace
	list     agedList
	keep     *keeper     // nil where nothing is remembered of it
	share    *sharedList // nil where no other resource reads it
	requests int
	begun    bool // the first answer has come
}

func newAsking(w *Workspace, a agedList) *asking {
	r := &asking{ws: w, list: a, keep: newKeeper(w.options.State, a.repository, a.asksFor())}
	r.share = w.shared.keeper(a, r.keep != nil)
	r.list.endpoint.Asked, r.list.endpoint.NoJSON = func() { r.requests++ }, r.keep == nil && r.share == nil
	return r
}

// take keeps an object. A list with something odd in it is not kept.
func (r *asking) take(l bitbucket.Listed, odd error) {
	if odd != nil {
		r.keep, r.share = nil, nil
	} else {
		r.keep.add(l)
		r.share.add(l)
	}
	if !r.begun {
		r.ws.readings.begin(r.list.id())
	}
	r.begun = true
}

// fail notes what a list costs at least that did not come to its end.
func (r *asking) fail(ctx context.Context, err error) {
	if !errors.Is(err, bitbucket.ErrBudget) {
		r.failed(ctx, 1)
	} else if r.begun {
		r.failed(ctx, r.requests)
	}
}

func (r *asking) failed(ctx context.Context, requests int) {
	if r.ws.plan != nil && ctx.Err() == nil {
		r.ws.keepTurn(requests, failedKey(r.list))
	}
}

// end keeps a list that came to its end.
func (r *asking) end(ctx context.Context) {
	r.share.end()
	if r.keep == nil {
		r.failed(ctx, r.requests)
		return
	}
	r.keep.record.Requests = r.requests
	r.keep.end(r.list.key())
	r.ws.readings.keep(r.list.id(), r.keep.record.ReadAt)
}

// atMoment returns a query with the times in full that its filter counts from a moment.
func atMoment(q url.Values, moment time.Time) url.Values {
	if q.Has("q") {
		q = maps.Clone(q)
		q.Set("q", filter.At(q.Get("q"), moment))
	}
	return q
}
