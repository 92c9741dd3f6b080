package bitbucket

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"
)

// after returns the address of the next page: after the last value, or the link.
func (l *lister[T]) after(p *page, r *reading[T]) (string, error) {
	link, err := l.next(p.Next, r)
	switch {
	case err != nil:
		return "", err
	case l.keyed(r):
		return l.behind(r), nil
	case l.endpoint.Sorted.Number != nil:
		l.plain = true
	case l.endpoint.Counted:
		return numbered(l, r)
	}
	return link, nil
}

// numbered is the address of the page after those that were read.
func numbered[T any](l *lister[T], r *reading[T]) (string, error) {
	if r.count == r.before {
		return "", fmt.Errorf("%w: page %d has nothing that the pages before it do not have", errNextPage, l.pages)
	}
	r.before = r.count
	q := maps.Clone(l.query)
	if q == nil {
		q = url.Values{}
	}
	q.Set("page", strconv.Itoa(l.pages+1))
	return l.address(q, true), nil
}

// next returns the link as it is, when it leads to the same host and was not followed before. One
// without a host is relative to the list, and this machine is the same host by any name.
func (l *lister[T]) next(link string, r *reading[T]) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("%w: its link is not a URL", errNextPage)
	}
	base := l.client.base
	switch list, err := url.Parse(l.first()); {
	case err == nil && !u.IsAbs():
		u = list.ResolveReference(u)
		link = u.String()
	case u.Scheme == base.Scheme && u.Port() == base.Port() && loopback(u.Hostname()) && loopback(base.Hostname()):
		u.Host = base.Host
		link = u.String()
	}
	if !sameHost(base, u) {
		return "", fmt.Errorf("%w: its link leads to %s://%s, and the credential may go to %s://%s alone", errNextPage,
			u.Scheme, u.Host, base.Scheme, base.Host)
	}
	if r.visited[sorted(link)] {
		return "", fmt.Errorf("%w: its link was followed before", errNextPage)
	}
	return link, nil
}

// sorted returns an address with its parameters in order, so that equal addresses compare equal.
func sorted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.RawQuery = u.Query().Encode()
	return u.String()
}
