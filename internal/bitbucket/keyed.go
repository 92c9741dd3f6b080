package bitbucket

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"port-bitbucket-exporter/internal/transport"
)

// Sorted describes a list that the query sorts by a number which a value never changes, and
// that a query can narrow to the values after one of them. Each page then begins after
// the last value of the page before: values that come and go do not shift others from page
// to page, and a value that is there all the time is always found.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#filtering, read 2026-11.
type Sorted[T any] struct {
	// Number is what the list is sorted by, ascending; false when a value has no number.
	Number func(T) (int64, bool)
	// Behind returns a copy of a query that selects only values of a higher number.
	Behind func(q url.Values, number int64) url.Values
}

// errUnkeyed means that the server does not keep to the order, or refuses the query: the
// list is then read again by following the links of its pages.
var errUnkeyed = errors.New("the list does not keep to its key")

// keys is how far a reading by keys has come.
type keys struct {
	last   int64
	any    bool // a value was read: last is its number
	broken bool // a value was out of order
	odd    bool // a value has no number
	behind bool // the page at hand begins after a value
}

// lost reports whether it is not known after which value the next page begins.
func (k *keys) lost() bool { return k.broken || k.odd }

// keyed reports whether the next page can begin after the last value.
func (l *lister[T]) keyed(r *reading[T]) bool {
	return l.endpoint.Sorted.Number != nil && !l.plain && r.keyed.any && !r.keyed.lost()
}

// sort checks that a value keeps to the order of the list, and remembers its number.
func (l *lister[T]) sort(r *reading[T], v T, err error) {
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

// behind returns the address of the page that begins behind the last value.
func (l *lister[T]) behind(r *reading[T]) string {
	r.keyed.behind = true
	r.largest, r.base = 0, r.count
	return l.address(l.endpoint.Sorted.Behind(l.query, r.keyed.last), true)
}

// unkeyed reports whether the list cannot be read by its key: the server refuses the query
// of a page that begins after a value, or fails at it each time, or has nothing there
// though the page before names a next one, or an odd value there has no key. It may be wrong
// of an answer with nothing in it, when the last value went meanwhile: that costs a reading
// by links.
func (l *lister[T]) unkeyed(r *reading[T], p *page, err error) bool {
	_, worked := l.client.keyed.Load(l.endpoint.Route)
	var e *Error
	switch {
	case !r.keyed.behind:
		return false
	case err == nil:
		return r.keyed.lost() || len(*p.Values) == 0
	case errors.As(err, &e):
		return e.Status == http.StatusBadRequest && !tooLong(err) || !worked && transport.Passing(e.Status)
	}
	return false
}

// unkey makes the list be read by its links, and others of its route too when the server
// does not take the query, or does not keep the order. An odd value and an empty page say
// nothing of other lists.
func (l *lister[T]) unkey(r *reading[T], err error) error {
	l.plain = true
	if err != nil || r.keyed.broken {
		l.client.unkeyed.Store(l.endpoint.Route, true)
	}
	return errUnkeyed
}

// whole returns an ErrIncomplete when the pages do not hold as many values as their sizes
// say: all pages together or, where each begins after a value, the last page alone. A fixed
// list may hold more: it has not grown, and what the size of a listing of several levels
// counts is not documented.
func (r *reading[T]) whole(last *page, fixed bool) error {
	count := r.count - r.base
	switch {
	case r.largest > count:
		return fmt.Errorf("%w: its pages hold %d, its size was %d", ErrIncomplete, count, r.largest)
	case last.Size != nil && !fixed && int(*last.Size) < count:
		return fmt.Errorf("%w: its pages hold %d, its size is %d", ErrIncomplete, count, *last.Size)
	}
	return nil
}

// proves reports whether a reading that has come to its end is known to have missed nothing that
// was there all the time, as its sizes agree.
func proves[T any](l *lister[T], r *reading[T]) bool {
	e := &l.endpoint
	return l.pages == 1 || e.Fixed || e.Once || e.Grows || e.InFront && !r.unsized && !r.shorter && !r.order.broken || e.Sorted.Number != nil && !l.plain
}

// enough is for a list that ends before its last page. It returns an ErrIncomplete where values of a
// list InFront moved between the pages that were read, so that some may have been missed.
//
// Between two pages, values may go, come in front, or move there. Those of the page before that went
// pull the ones behind it over to it, and they are missed, unless as many or more came in front: then
// a value comes twice, or the page begins where it would have. Where more went than came, the size
// is smaller than it was.
func enough[T any](l *lister[T], p *page, r *reading[T]) error {
	l.proven = proves(l, r)
	switch {
	case l.pages == 1 || !l.endpoint.InFront || !l.proven:
		return nil
	case r.got > r.count:
		return fmt.Errorf("%w: values moved between its pages", ErrIncomplete)
	case int(*p.Size) < r.largest:
		return fmt.Errorf("%w: its size was %d, and is %d", ErrIncomplete, r.largest, *p.Size)
	}
	return nil
}
