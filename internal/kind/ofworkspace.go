package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/spool"
)

// workspaceList is a list of the workspace, each object of which is a source of its own. Its
// address is the key of the list.
type workspaceList struct {
	objects string   // what they are called in messages: "projects"
	path    []string // below the workspace's
	query   url.Values
	// source identifies an object; it leaves Read empty. The error says why the object cannot be used.
	source func(Object) (Source, error)
	// admins is true where Bitbucket gives the list to admins of the workspace alone.
	admins bool
}

// ask yields the list as Bitbucket gives it, with the JSON of each object where that is wanted.
func (l *workspaceList) ask(ctx context.Context, c *bitbucket.Client, withJSON bool) iter.Seq2[bitbucket.Listed, error] {
	return bitbucket.List(ctx, c, bitbucket.Endpoint[bitbucket.Listed]{
		Name:    fmt.Sprintf("%s of workspace %q", l.objects, c.Workspace()),
		Path:    c.Path("workspaces", l.path...),
		Route:   strings.Join(l.path, "/"),
		Pagelen: 100,
		NoJSON:  !withJSON,
		Once:    true, // it is read again before anything is deleted
		Key: func(o bitbucket.Listed) (string, error) {
			s, err := l.source(o.Object)
			return s.Key, err
		},
	}, l.query)
}

// ofWorkspace is embedded in the selector of a kind that reads one list of the workspace, with
// extractOf as its extraction. The selector adds list and again.
type ofWorkspace struct{}

func (ofWorkspace) narrowed() bool                          { return false }
func (ofWorkspace) narrowing() string                       { return "" }
func (ofWorkspace) selective() bool                         { return false }
func (ofWorkspace) readsFiles() bool                        { return false }
func (ofWorkspace) cost() Cost                              { return Cost{Once: 1} }
func (ofWorkspace) problems(mapping.Selector) diag.Problems { return nil }
func (ofWorkspace) without(Source) string                   { return "" }
func (ofWorkspace) sieve() sieve                            { return sieve{} }

// sieve says which objects of one reading of a list are wanted. The zero value is all of them.
// What it leaves out is not there for the mapping: it is not a gap.
type sieve struct {
	takes func(Object) bool // nil takes all
	// end is called after the last object. It returns what there is to warn of; nil for nothing.
	end func() *Warning
}

// extractOf extracts the objects of a list of the workspace.
func extractOf[S interface{ sieve() sieve }](l *workspaceList) func(context.Context, *Workspace, S) iter.Seq2[Task, error] {
	return func(ctx context.Context, ws *Workspace, s S) iter.Seq2[Task, error] {
		return func(yield func(Task, error) bool) {
			sieve := s.sieve()
			keys := ws.own.read(l).keys
			for object, err := range ws.own.of(ctx, l, ws.options.KeepLists) {
				var task Task
				switch {
				case isOdd(err):
					task, err = failing(unreadable(err)), nil
				case err == nil:
					task.Source, _ = l.source(object) // which has no error here
					keys[task.Source.Key] = true
					task.Run = onlyErrors[error]()
					if sieve.takes == nil || sieve.takes(object) {
						task.Run = single(object, task.Source)
					}
				}
				if !yield(task, l.advised(err)) || err != nil {
					return
				}
			}
			if sieve.end == nil {
				return
			}
			if w := sieve.end(); w != nil {
				yield(Task{Run: onlyErrors(w), Warns: true}, nil)
			}
		}
	}
}

// ownLists are the lists of the workspace of one run. Those of several kinds may be read side by
// side; resources of one list are extracted one after the other.
type ownLists struct {
	client *bitbucket.Client
	spool  *spool.Spool
	all    sync.Map     // *workspaceList → *listRead
	held   atomic.Int64 // bytes of objects that are kept in memory
}

// maxHeld bounds the objects that are kept in memory, in bytes: most workspaces have no more
// projects and people. Further ones go into the spool.
const maxHeld = 1 << 20

// keep keeps the JSON of an object.
func (o *ownLists) keep(text json.RawMessage, odd error) keptObject {
	if o.held.Add(int64(len(text))) <= maxHeld {
		return keptObject{held: text, odd: odd}
	}
	return keptObject{text: o.spool.Put(text), odd: odd}
}

// advised adds to the error of a list what to do about it.
func (l *workspaceList) advised(err error) error {
	var e *bitbucket.Error
	if !l.admins || !errors.As(err, &e) || e.Status != http.StatusForbidden || e.Denied() {
		return err
	}
	return &advised{err, "use a workspace access token with the scope for it, or a credential of an admin of the workspace"}
}

// listRead is what a run has read of a list of the workspace.
type listRead struct {
	keys map[string]bool // of the sources in the list
	list *keptList       // nil until it has been read, and where lists are not kept
}

// read returns what the run has read of a list.
func (o *ownLists) read(l *workspaceList) *listRead {
	read, _ := o.all.LoadOrStore(l, &listRead{keys: map[string]bool{}})
	return read.(*listRead)
}

// keptList is a list of the workspace, read to its end, or to its error.
type keptList struct {
	objects []keptObject
	err     error
}

// keptObject is an object, or why it cannot be used: a *bitbucket.Odd.
type keptObject struct {
	held json.RawMessage // nil where it is in the spool
	text spool.Blob
	odd  error
}

// of yields a list. One that is kept is read once a run, while it is first ranged over. After a
// *bitbucket.Odd others may follow.
func (o *ownLists) of(ctx context.Context, l *workspaceList, keep bool) iter.Seq2[Object, error] {
	known := o.read(l)
	if known.list != nil {
		return o.again(known.list)
	}
	return func(yield func(Object, error) bool) {
		read := &keptList{}
		for listed, err := range l.ask(ctx, o.client, keep) {
			if err != nil && !isOdd(err) {
				if keep && ctx.Err() == nil {
					read.err = err
					known.list = read
				}
				yield(nil, err)
				return
			}
			if keep {
				read.objects = append(read.objects, o.keep(listed.JSON, err))
			}
			if !yield(listed.Object, err) {
				return
			}
		}
		if keep {
			known.list = read
		}
	}
}

// again yields a list that was kept.
func (o *ownLists) again(l *keptList) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for _, kept := range l.objects {
			object, err := Object(nil), kept.odd
			if err == nil {
				object, err = o.object(kept)
			}
			if !yield(object, err) || err != nil && !isOdd(err) {
				return
			}
		}
		if l.err != nil {
			yield(nil, l.err)
		}
	}
}

// object returns an object that was kept.
func (o *ownLists) object(kept keptObject) (Object, error) {
	if kept.held != nil {
		return bitbucket.Decode(kept.held)
	}
	read, err := o.spool.Read(kept.text)
	if err != nil {
		return nil, &advised{fmt.Errorf("read a list of the workspace again: %w", err), spoolFix}
	}
	return bitbucket.Decode(read)
}

// listAgain reads a list of the workspace a second time.
func listAgain(ctx context.Context, w *Workspace, l *workspaceList) (Second, error) {
	return w.again(l, w.own.read(l).keys, func(yield func(Source, error) bool) {
		for listed, err := range l.ask(ctx, w.client, true) {
			var source Source
			if err == nil {
				source, err = l.source(listed.Object)
				source.Read = func() ([]byte, error) { return listed.JSON, nil }
			}
			if !yield(source, err) {
				return
			}
		}
	})
}
