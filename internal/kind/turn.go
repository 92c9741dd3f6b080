package kind

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// agedTask yields the objects of a list, after a *Remembered where they come from memory.
func agedTask(ws *Workspace, a aged, l *listed, without func(Source) string, show *showTurn) Run {
	return func(ctx context.Context) iter.Seq2[Found, error] {
		return func(yield func(Found, error) bool) {
			defer show.end()
			if a.endpoint.FirstWhole = show.whole(ctx); ctx.Err() != nil {
				yield(Found{}, context.Cause(ctx))
				return
			}
			t := &agedTurn{ws: ws, aged: a, source: l.source(), home: home{listed: l, examples: ws.options.Examples}, show: show, yield: yield}
			if a.activity {
				t.feed = newFeed(ctx, ws, a.repository)
				defer t.feed.stop()
			}
			objects := ws.aged(ctx, a.agedList)
			if a.through != nil {
				objects = a.through(ctx, ws, objects)
			}
			for found, err := range objects {
				var remembered *Remembered
				var none *None
				switch {
				case isOdd(err):
					err = unreadable(err)
				case errors.As(err, &remembered) || errors.As(err, &none):
				case err != nil:
					if t.flush(ctx) {
						yield(Found{}, leftOutBy(without(t.source), ws.rest.OrGone(ctx, a.repository.Slug, err)))
					}
					return
				case a.only.wants(found.Object):
					if !t.found(ctx, found) {
						return
					}
					continue
				default:
					continue
				}
				if !t.flush(ctx) || !yield(Found{}, err) {
					return
				}
			}
			t.flush(ctx)
		}
	}
}

// agedTurn is one run of the task of a list.
type agedTurn struct {
	ws     *Workspace
	aged   aged
	source Source
	home   home
	show   *showTurn
	yield  func(Found, error) bool
	feed   *feed   // nil where it is not wanted
	batch  []Found // that wait for their extras
}

// maxBatch is how many objects wait for their extras.
const maxBatch = 50

// found takes an object. It reports whether more are wanted.
func (t *agedTurn) found(ctx context.Context, f Found) bool {
	if t.aged.complete != nil {
		t.aged.complete(f.Object)
	}
	t.show.took(f)
	if f.Address = address(f.Object, t.source); t.aged.name != nil {
		f.Address = t.aged.name(f.Object)
	}
	if t.aged.within || t.home.shows(f) {
		if err := t.home.into(f.Object); err != nil {
			t.yield(Found{}, err)
			return false
		}
	}
	if len(t.aged.extras) == 0 && t.feed == nil {
		return t.yield(f, nil)
	}
	t.batch = append(t.batch, f)
	return len(t.batch) < maxBatch || t.flush(ctx)
}

// flush yields the objects that wait for their extras. It reports whether more are wanted.
func (t *agedTurn) flush(ctx context.Context) bool {
	batch := t.batch
	t.batch = nil
	enrich := func(all []Found) (more bool) {
		return enricher{t.ws}.enrichAll(ctx, t.aged.repository, all, t.aged.extras, t.yield)
	}
	if t.feed == nil {
		return enrich(batch)
	}
	for i, f := range batch {
		created, _ := timeAt(f.Object, "created_on") // without one all of the feed is read
		activity, err := t.feed.of(fmt.Sprint(f.Object["id"]), created)
		if err != nil { // what happened to the further ones is not known
			if enrich(batch[:i]) {
				t.yield(Found{}, t.ws.rest.OrGone(ctx, t.aged.repository.Slug, err))
			}
			return false
		}
		f.Object[activityKey] = activity
	}
	return enrich(batch)
}
