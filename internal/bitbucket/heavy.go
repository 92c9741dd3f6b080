package bitbucket

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"port-bitbucket-exporter/internal/transport"
)

// minPagelen is the page length that the server takes when none is asked for, and the
// shortest that it documents.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination, read 2026-11.
const minPagelen = 10

// restartAttempts is how many attempts each page has after the list was begun again.
const restartAttempts = 2

// errShorter asks for the list to be read again from its beginning, in shorter pages.
var errShorter = errors.New("the list is to be read in shorter pages")

// page asks for a page. When the server refuses the length of the first page, page halves
// it. When all attempts fail as they do for a page that is too heavy, it asks for shorter
// pages, with one attempt for each length. When the shortest fails too, the service is
// down: the next list of the route then fails without trying shorter pages. The length that
// the server took is kept, as pagelens says.
func (l *lister[T]) page(ctx context.Context, r *reading[T], address string) (*page, error) {
	first, route := r.got == 0 && len(r.visited) == 0, l.endpoint.Route
	attempts := 0
	if l.restarted { // an earlier page has had all attempts already
		attempts = restartAttempts
	}
	p, err := l.ask(ctx, r, address, attempts)
	for first && tooLong(err) && l.length > minPagelen {
		l.length = max(l.length/2, minPagelen)
		l.client.pagelens.refused(route, l.length)
		p, err = l.ask(ctx, r, l.first(), 0)
	}
	if first && l.endpoint.Spare && refusedQuery(err) {
		if bare, bareErr := l.ask(ctx, r, withFields(l.first(), ""), 0); bareErr == nil {
			p, err = bare, nil
		}
	}
	if err == nil {
		l.client.down.Delete(route)
	}
	if _, down := l.client.down.Load(route); down || !l.heavy(err) || l.unkeyed(r, p, err) {
		return p, err
	}
	for l.heavy(err) && l.length > minPagelen {
		link, ok := l.shorter(address, r, first)
		if !ok {
			return nil, errShorter
		}
		p, err = l.ask(ctx, r, link, 1)
	}
	switch {
	case err == nil:
		l.client.pagelens.heavy(route, l.endpoint.Path, l.length)
	case l.heavy(err):
		l.client.down.Store(route, true)
	}
	return p, err
}

// refusedQuery reports whether the server refused what a query says, and not how long pages are to be.
func refusedQuery(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusBadRequest && !tooLong(err)
}

// heavy reports whether a shorter page may avoid the error: the server, or a balancer
// before it, ran out of time or failed over this one.
func (l *lister[T]) heavy(err error) bool {
	var e *Error
	if errors.As(err, &e) {
		return transport.Passing(e.Status) && !slices.Contains(l.endpoint.Final, e.Status)
	}
	return errors.Is(err, errLate)
}

// shorter makes the pages shorter, and returns the address of the page that begins where
// the page at the address begins, or a little before: values that were read already are
// known by their keys. ok is false when the list must be read again from its beginning,
// since its pages have names instead of numbers. Where the page begins follows from how many
// different values were read, not from the number in the link: a server may give fewer
// values than it is asked for.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination, read 2026-11.
func (l *lister[T]) shorter(address string, r *reading[T], first bool) (link string, ok bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	q, err := url.ParseQuery(u.RawQuery)
	if r.keyed.behind { // the page begins after a value, whatever its length
		l.length = max(l.length/2, minPagelen)
		q.Set("pagelen", strconv.Itoa(l.length))
		u.RawQuery = q.Encode()
		return u.String(), err == nil
	}
	if _, notNumber := strconv.Atoi(q.Get("page")); !first && (err != nil || notNumber != nil || l.endpoint.Fixed) {
		l.restarted = true
		l.length = max(l.length/4, minPagelen) // reading again costs all pages that were read so far
		return "", false
	}
	l.length = shorterFrom(r.known, l.length)
	q.Set("pagelen", strconv.Itoa(l.length))
	if !first {
		r.shorter = true
		q.Set("page", strconv.Itoa(r.known/l.length+1))
	}
	u.RawQuery = q.Encode()
	return u.String(), true
}

// shorterFrom returns the longest page length, at most half of length, that divides the
// number of values got so far, so that a page begins after them; half of length when none does.
func shorterFrom(got, length int) int {
	half := max(length/2, minPagelen)
	for n := half; n >= minPagelen; n-- {
		if got%n == 0 {
			return n
		}
	}
	return half
}

// pagelens are the page lengths that the server took. One that it refuses is refused to all
// lists of the route. One that is too heavy may be so for one list alone: it is the route's
// once a second list needs shorter pages too.
type pagelens struct {
	mu     sync.Mutex
	routes map[string]int
	lists  map[string]map[string]int // of the heavy ones, by route and path
}

// known is with which length a list begins, which takes at most that of its endpoint.
func (k *pagelens) known(route, path string, most int) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range []int{k.routes[route], k.lists[route][path]} {
		if n > 0 {
			most = min(most, n)
		}
	}
	return most
}

// refused keeps what is asked for where the server refused a longer page.
func (k *pagelens) refused(route string, length int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keep(route, length)
}

// heavy keeps the length that a list needed, and for the route the longer one of the two
// shortest that its lists needed.
func (k *pagelens) heavy(route, path string, length int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lists == nil {
		k.lists = map[string]map[string]int{}
	}
	if k.lists[route] == nil {
		k.lists[route] = map[string]int{}
	}
	k.lists[route][path] = length
	if needed := slices.Sorted(maps.Values(k.lists[route])); len(needed) > 1 {
		k.keep(route, needed[1])
	}
}

// keep never makes the pages of a route longer. It is called with mu held.
func (k *pagelens) keep(route string, length int) {
	if k.routes == nil {
		k.routes = map[string]int{}
	}
	if known := k.routes[route]; known == 0 || length < known {
		k.routes[route] = length
	}
}

// A list can be asked for parts of its values, by Endpoint.Fields. What Bitbucket makes of the
// parameter is documented, and yet a proxy on the way, or a change at Bitbucket, may refuse it or
// leave out too much, or take a short parameter and no long one. So the first such answers to each
// query for the same parts of a route are looked at: where one is refused, or lacks what each page
// has, it is asked for once more as a whole, and so is all of the route from then on.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#partial-response, read 2026-11.

// Parts is what a run knows of routes whose lists are asked for parts of their values. It is safe
// for concurrent use.
type Parts struct {
	refused sync.Map // routes whose parts are not given where whole values are
	known   sync.Map // asked: those whose parts are given, or whole values fail alike
}

// asked is what lists of a route are asked for.
type asked struct{ route, query, fields string }

// Refused returns the names of the routes that did not give parts of values where they gave
// whole ones, so that those were read; in order.
func (p *Parts) Refused() (routes []string) {
	p.refused.Range(func(route, _ any) bool {
		routes = append(routes, route.(string))
		return true
	})
	slices.Sort(routes)
	return routes
}

func (p *Parts) isRefused(route string) bool {
	_, is := p.refused.Load(route)
	return is
}

// ask sends the request for a page, with so many attempts at most; 0 for the usual number. A page
// of parts of values that is not given is asked for as one of whole values.
func (l *lister[T]) ask(ctx context.Context, r *reading[T], address string, attempts int) (*page, error) {
	parts, asked := &l.client.Parts, asked{l.endpoint.Route, l.query.Get("q"), l.endpoint.Fields}
	_, known := parts.known.Load(asked)
	switch {
	case !l.inParts(address):
		return l.request(ctx, r, address, attempts, false)
	case parts.isRefused(asked.route):
		l.whole = true
		return l.request(ctx, r, withFields(address, l.query.Get("fields")), attempts, false)
	case known:
		return l.request(ctx, r, address, attempts, false)
	}
	p, err := l.request(ctx, r, address, attempts, true)
	if !l.lacking(p, err) {
		if err == nil {
			parts.known.Store(asked, true)
		}
		return p, err
	}
	p, err = l.request(ctx, r, withFields(address, l.query.Get("fields")), attempts, false)
	switch {
	case l.lacking(p, err):
		parts.known.Store(asked, true)
	case err == nil:
		parts.refused.Store(asked.route, true)
		l.whole = true
	}
	return p, err
}

// inParts reports whether an address asks for parts of values.
func (l *lister[T]) inParts(address string) bool {
	u, err := url.Parse(address)
	return err == nil && l.endpoint.Fields != "" && u.Query().Get("fields") == l.endpoint.Fields
}

// withFields returns the address with another parameter fields; without one for "".
func withFields(address, fields string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	if q.Del("fields"); fields != "" {
		q.Set("fields", fields)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// lacking reports whether a page may be refused, or lack something, for the parts that it was
// asked for.
func (l *lister[T]) lacking(p *page, err error) bool {
	var e *Error
	if errors.As(err, &e) {
		return e.Status == http.StatusRequestURITooLong || e.Status == http.StatusBadRequest && !tooLong(err)
	}
	if err != nil {
		return false
	}
	if p.Values == nil || p.Size == nil {
		return true
	}
	for _, raw := range *p.Values {
		if _, _, err := l.value(raw); err == nil {
			return false
		}
	}
	return len(*p.Values) > 0
}
