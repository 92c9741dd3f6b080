package bitbucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/reach"
)

// Endpoint is a route that lists values in pages.
type Endpoint[T any] struct {
	// Name says in messages what is listed: `repositories of workspace "acme"`.
	Name string
	// Path is below the base, each segment escaped.
	Path string
	// Route is the same for all endpoints that share a page length.
	Route string
	// Pagelen is the longest page that the route gives.
	Pagelen int
	// Key returns what identifies a value in the list; an empty key is never a
	// duplicate. The error says why the value cannot be used.
	Key func(T) (string, error)
	// Sorted lets pages begin after a value; the zero value follows links.
	Sorted Sorted[T]
	// Fixed is true for a list that has the same values in the same order whenever it is
	// read, each once: keys are then not remembered, which saves memory.
	Fixed bool
	// Grows is true for a list that values join, and that none leaves: none can be missed.
	Grows bool
	// InFront is true for a list that values join in front of all others, or move there, never among
	// them: its sizes, and values that come twice, show whether any was missed.
	InFront bool
	// Once is true for a list that is read once, however many pages it has: the caller takes
	// nothing for gone because the list lacks it.
	Once bool
	// Final are statuses that are not tried again, though others of their kind are.
	Final []int
	// Files is true for a route that also answers with files: one of them is not tried again.
	Files bool
	// Reads are the parts of an Object, and of that of a Listed, that are made of its JSON; nil is
	// all of it.
	Reads *reach.Paths
	// NoJSON leaves the JSON of a Listed out.
	NoJSON bool
	// Fields asks for parts of the values, as the parameter of that name and in place of the
	// query's own, which asks for whole values. Where Bitbucket does not give those parts, whole
	// values are read.
	Fields string
	// FirstWhole is true where the first page is to hold whole values all the same; so do the pages
	// that its links lead to.
	FirstWhole bool
	// Spare is true where the query's parameter fields asks for no more than is nice to have: where
	// Bitbucket refuses the query, it is sent without.
	Spare bool
	// Counted is true for a route whose links lose parameters: its pages are asked for by their
	// numbers, each as the first was.
	Counted bool
	// When is when a value of a list came about that has the newest first, so that a caller may
	// leave it where the values are too old; nil for a list in another order. A page on which they
	// are not in that order, and all that come after it, are Unordered where T is Listed.
	When func(T) (time.Time, bool)
	// Until begins a reading of a list with When. It returns what reports, of each value in turn,
	// whether the ones behind it are not wanted: the list ends there. Nil is for all of them.
	Until func() func(T) bool
	// Asked is called before each request for a page, retries left out; nil is not called.
	Asked func()
}

// ErrIncomplete is a list whose pages did not add up to the size it named, twice.
var ErrIncomplete = errors.New("the list is incomplete")

var errNextPage = errors.New("next page refused")

// List yields every value of the list, page by page, each once. A value that cannot be
// used is an *Odd in its place, and others follow. Any other error comes last.
//
// When the pages hold another number of values than the size that the last one
// names, or fewer than an earlier one named, as happens when the list changes while
// it is read, the list is read once more; after a second difference the error is
// ErrIncomplete. Fewer than an earlier one: where one value goes and the next page
// begins one later, the count and the last size agree, and one value was missed.
//
// A page that is too heavy for the server is asked for in shorter ones. A Sorted list is
// read by its key; where that cannot be, List follows links, and reads a list of several
// pages twice, to find values that moved: sizes that agree do not show that none did, since
// one may go while another one comes. Each of the two may be read once more. A list that is
// Fixed, Grows, is joined InFront, or is read Once, is read once.
func List[T any](ctx context.Context, c *Client, e Endpoint[T], q url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		l := newLister(c, e, q)
		l.yield = yield
		l.buffer = c.pageBuffers.take()
		defer c.pageBuffers.put(l.buffer)
		err := l.readWhole(ctx)
		if err == nil && !l.proven {
			err = l.readWhole(ctx)
		}
		if err == nil && l.restarted {
			c.pagelens.heavy(e.Route, e.Path, l.length)
		}
		if err != nil && !errors.Is(err, errStop) {
			var zero T
			yield(zero, l.named(err))
		}
	}
}

// errEnough means that no value behind the last one is wanted.
var errEnough = errors.New("enough")

// errStop means that the caller wants no more values.
var errStop = errors.New("stop")

// lister is a list over all its readings.
type lister[T any] struct {
	client   *Client
	endpoint Endpoint[T]
	query    url.Values
	yield    func(T, error) bool
	buffer   *pageBuffer     // of the page at hand
	length   int             // of the pages that are asked for
	yielded  map[string]bool // keys
	// plain is true for a Sorted list whose values, or whose server, do not keep to the
	// key: its links are followed.
	plain bool
	pages int // of the last reading
	// proven is true where the last reading is known to have missed nothing.
	proven bool
	// restarted is true once the list was begun again for shorter pages.
	restarted bool
	whole     bool // Fields are not used: they are not given
	// Of a fixed list: how many values were passed on, and a digest of their keys.
	passed int
	digest uint64
	seed   maphash.Seed
}

func newLister[T any](c *Client, e Endpoint[T], q url.Values) *lister[T] {
	l := &lister[T]{client: c, endpoint: e, query: q, length: c.pagelens.known(e.Route, e.Path, e.Pagelen), yielded: map[string]bool{}, seed: maphash.MakeSeed()}
	_, l.plain = c.unkeyed.Load(e.Route)
	l.whole = e.Fields == "" || c.Parts.isRefused(e.Route)
	return l
}

func (l *lister[T]) named(err error) error { return fmt.Errorf("list %s: %w", l.endpoint.Name, err) }

// reading is one reading of a list, from its beginning.
type reading[T any] struct {
	visited map[string]bool           // links
	seen    map[string]bool           // keys
	alike   map[[sha256.Size]byte]int // values without a key, by the digest of their text
	got     int                       // values of all pages
	count   int                       // those that no earlier page had
	known   int                       // of these, those with a key
	largest int                       // size that a page named
	unsized bool                      // a page named none
	perPage bool                      // sizes are those of pages: one was no larger, and more followed
	shorter bool                      // its pages have become shorter: values may come twice
	until   func(T) bool              // nil where all is wanted
	base    int                       // count before the page that began after a value; 0 for none
	before  int                       // count before the page at hand, of a counted list
	keyed   keys
	digest  maphash.Hash // of the keys of a fixed list
	order   order
}

func (l *lister[T]) begin() *reading[T] {
	r := &reading[T]{visited: map[string]bool{}, seen: map[string]bool{}, alike: map[[sha256.Size]byte]int{}}
	r.digest.SetSeed(l.seed)
	if l.endpoint.Until != nil {
		r.until = l.endpoint.Until()
	}
	return r
}

// readWhole reads the list, from its beginning when it has to be read otherwise, and once more, or
// some times more, when its pages do not add up. Pages grow shorter down to minPagelen, and the way of
// reading changes once: then it ends.
func (l *lister[T]) readWhole(ctx context.Context) error {
	again := 1
	if l.endpoint.InFront {
		again = 3 // what moves is found in front: each reading is likely to show more
	}
	for {
		err := l.read(ctx)
		switch {
		case errors.Is(err, ErrIncomplete) && again > 0:
			again--
			l.whole = true // in case that shows more
		case !errors.Is(err, errShorter) && !errors.Is(err, errUnkeyed):
			return err
		}
	}
}

// read goes through all pages once.
func (l *lister[T]) read(ctx context.Context) error {
	r := l.begin()
	defer func() {
		if r.got > l.passed {
			l.passed, l.digest = r.got, r.digest.Sum64()
		}
	}()
	l.pages = 0
	p, err := l.page(ctx, r, l.first())
	for {
		if l.unkeyed(r, p, err) {
			return l.unkey(r, err)
		}
		if err != nil {
			return err
		}
		l.pages++
		if r.perPage = r.perPage || p.Size != nil && p.Next != "" && int(*p.Size) <= len(*p.Values); r.perPage {
			p.Size = nil
		}
		if p.Size != nil {
			r.largest = max(r.largest, int(*p.Size))
		} else {
			r.unsized = true
		}
		if err = l.values(p, r); errors.Is(err, errEnough) {
			return enough(l, p, r)
		}
		if err != nil {
			return err
		}
		if l.unkeyed(r, p, nil) {
			return l.unkey(r, nil)
		}
		if r.keyed.behind {
			l.client.keyed.Store(l.endpoint.Route, true)
		}
		if p.Next == "" {
			l.proven = proves(l, r)
			return r.whole(p, l.endpoint.Fixed)
		}
		var link string
		if link, err = l.after(p, r); err != nil {
			return err
		}
		p, err = l.page(ctx, r, link)
	}
}

// first is the address of the first page.
func (l *lister[T]) first() string { return l.address(l.query, !l.endpoint.FirstWhole) }

// address is that of a page, of parts of values where those are wanted and given.
func (l *lister[T]) address(q url.Values, parts bool) string {
	q = maps.Clone(q)
	if q == nil {
		q = url.Values{}
	}
	q.Set("pagelen", strconv.Itoa(l.length))
	if parts && !l.whole {
		q.Set("fields", l.endpoint.Fields)
	}
	return l.client.url(l.endpoint.Path, q)
}

// request sends the request for a page, with so many attempts at most; 0 for the usual number.
// One that is loose may lack its values.
func (l *lister[T]) request(ctx context.Context, r *reading[T], address string, attempts int, loose bool) (*page, error) {
	r.visited[sorted(address)] = true
	if l.endpoint.Asked != nil {
		l.endpoint.Asked()
	}
	p := &page{}
	var into any = p
	if loose {
		into = (*loosePage)(p)
	}
	return p, l.client.json(ctx, question{address: address, final: l.endpoint.Final, attempts: attempts, files: l.endpoint.Files, buffer: l.buffer}, into)
}

// values yields the values of a page that were not yielded before, and counts those
// that no earlier page of this reading had.
func (l *lister[T]) values(p *page, r *reading[T]) error {
	ahead := lookAhead(l, p, r)
	for i, raw := range *p.Values {
		r.got++
		var d decoded[T]
		if ahead != nil {
			d = ahead[i]
		} else {
			d.value, d.key, d.err = l.value(raw)
		}
		v, key, err := d.value, d.key, d.err
		if listed, ok := any(&v).(*Listed); ok {
			listed.Unordered = r.order.broken
		}
		if err != nil {
			err = l.named(odd(r.count+1, raw, err))
		}
		if l.sort(r, v, err); r.keyed.behind && r.keyed.lost() {
			return nil // read starts the list again, by its links
		}
		if key != "" {
			if !r.seen[key] {
				r.known++
			}
		} else {
			digest := sha256.Sum256(raw)
			r.alike[digest]++
			key = fmt.Sprintf("\x00%d %s", r.alike[digest], digest[:]) // unique in this reading, and the same in another reading
		}
		fresh, differs := l.fresh(r, key)
		if differs {
			return fmt.Errorf("%w: read again, it was another", ErrIncomplete)
		}
		last := err == nil && r.until != nil && r.until(v)
		if fresh && !l.yield(v, err) {
			return errStop
		}
		if last {
			return errEnough
		}
	}
	return nil
}

// value decodes a value, and returns its key; empty when it has none.
func (l *lister[T]) value(raw json.RawMessage) (v T, key string, err error) {
	if string(raw) == "null" {
		return v, "", errNull
	}
	if err = l.decode(raw, &v); err == nil {
		key, err = l.endpoint.Key(v)
	}
	if err != nil {
		var none T
		return none, "", err
	}
	return v, key, nil
}

// decode makes of a text, which is JSON, what matters of its value.
func (l *lister[T]) decode(raw json.RawMessage, into *T) error {
	if l.buffer == nil || raw[0] != '{' {
		return decode(raw, into)
	}
	switch into := any(into).(type) {
	case *Object:
		*into = object(l.buffer.decoder, raw, l.reads())
	case *Listed:
		into.Object = object(l.buffer.decoder, raw, l.reads())
		into.Whole = l.reads() == nil
		if !l.endpoint.NoJSON {
			into.JSON = bytes.Clone(raw)
		}
	default:
		return decode(raw, into)
	}
	return nil
}

// reads are the parts that are made of the values of the page at hand.
func (l *lister[T]) reads() *reach.Paths {
	if l.endpoint.FirstWhole && l.pages == 1 {
		return nil
	}
	return l.endpoint.Reads
}

// fresh counts a value, and reports whether it is to be passed on. A fixed list differs
// when it does not begin with what was passed on before.
func (l *lister[T]) fresh(r *reading[T], key string) (fresh, differs bool) {
	if l.endpoint.Fixed {
		r.count++
		_, _ = r.digest.WriteString(key) // which has no errors
		_ = r.digest.WriteByte(0)
		return r.got > l.passed, r.got == l.passed && r.digest.Sum64() != l.digest
	}
	if r.seen[key] {
		return false, false
	}
	r.count++
	r.seen[key] = true
	fresh = !l.yielded[key]
	l.yielded[key] = true
	return fresh, false
}

// tooLong reports whether the server refused the page length.
//
// Source: the limit differs by route and is not documented for pull requests; seen in public clients.
func tooLong(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusBadRequest && strings.Contains(strings.ToLower(e.Message), "pagelen")
}
