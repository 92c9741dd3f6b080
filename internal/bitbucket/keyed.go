package bitbucket

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"port-bitbucket-exporter/internal/roundtrip"
)

// Sorted is for a list that is asked for in the order of a number that its values keep,
// and can be narrowed to what stands behind one of them. Then each page begins behind
// the last value of the one before it: values that come and go shift no others from
// page to page, and what is there all the time is always found.
type Sorted[T any] struct {
	// Number is what the list is sorted by, ascending; false when a value has none.
	Number func(T) (int64, bool)
	// Behind narrows a query to values of a higher number.
	Behind func(q url.Values, number int64) url.Values
}

// errUnkeyed is a server that does not keep to the order, or does not take the query:
// then the pages are followed by their links.
var errUnkeyed = errors.New("the list does not keep to its key")

// keys is how far a reading by keys has come.
type keys struct {
	last   int64
	any    bool // last is one
	broken bool // a value was out of order
	odd    bool // a value has no number
	behind bool // the page at hand begins behind a value
}

// lost reports whether it is not known behind which value the next page begins.
func (k *keys) lost() bool { return k.broken || k.odd }

// keyed reports whether the next page can begin behind the last value.
func (l *lister[T]) keyed(r *reading) bool {
	return l.endpoint.Sorted.Number != nil && !l.plain && r.keyed.any && !r.keyed.lost()
}

// sort holds a value to the order of the list.
func (l *lister[T]) sort(r *reading, v T, err error) {
	if l.endpoint.Sorted.Number == nil || l.plain {
		return
	}
	var n int64
	ok := err == nil
	if ok {
		n, ok = l.endpoint.Sorted.Number(v)
	}
	switch {
	case !ok:
		r.keyed.odd = true
	case r.keyed.any && n <= r.keyed.last:
		r.keyed.broken = true
	default:
		r.keyed.last, r.keyed.any = n, true
	}
}

// behind is the address of the page that begins behind the last value.
func (l *lister[T]) behind(r *reading) string {
	r.keyed.behind = true
	r.largest, r.base = 0, r.count
	return l.address(l.endpoint.Sorted.Behind(l.query, r.keyed.last))
}

// unkeyed reports whether the list cannot be read by its key: the server refuses the query
// of a page that begins behind a value, or fails at it each time, or has nothing there
// though the page before names a next one, or an odd value there has no key. It may be wrong
// of an answer with nothing in it, when the last value went meanwhile: that costs a reading
// by links.
func (l *lister[T]) unkeyed(r *reading, p *page, err error) bool {
	_, worked := l.client.keyed.Load(l.endpoint.Route)
	var e *Error
	switch {
	case !r.keyed.behind:
		return false
	case err == nil:
		return r.keyed.lost() || len(*p.Values) == 0
	case errors.As(err, &e):
		return e.Status == http.StatusBadRequest && !tooLong(err) || !worked && roundtrip.Passing(e.Status)
	}
	return false
}

// unkey lets the list be read by its links, and others of its route too when it was for a
// query that the server does not take, or an order that it does not keep. An odd value
// and an empty page tell nothing of other lists.
func (l *lister[T]) unkey(r *reading, err error) error {
	l.plain = true
	if err != nil || r.keyed.broken {
		l.client.unkeyed.Store(l.endpoint.Route, true)
	}
	return errUnkeyed
}

// whole is nil when the pages hold what their sizes say: all of them together, or where
// each begins behind a value the last one by itself.
func (r *reading) whole(last *page) error {
	count := r.count - r.base
	switch {
	case r.largest > count:
		return fmt.Errorf("%w: its pages hold %d, its size was %d", ErrIncomplete, count, r.largest)
	case last.Size != nil && int(*last.Size) < count:
		return fmt.Errorf("%w: its pages hold %d, its size is %d", ErrIncomplete, count, *last.Size)
	}
	return nil
}
