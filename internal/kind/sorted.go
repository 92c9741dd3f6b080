package kind

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/spool"
)

// sorter reads lists that are asked for with the newest first. Where Bitbucket refuses the order of a
// route, it asks for that route's lists as they are, reads them whole, and sorts them. It is safe for
// concurrent use.
type sorter struct {
	client  *bitbucket.Client
	spool   *spool.Spool
	refused sync.Map // routes
}

// list yields the objects of a list that is asked for with a query.
func (s *sorter) list(ctx context.Context, a agedList, query url.Values) iter.Seq2[bitbucket.Listed, error] {
	asSorted := bitbucket.List(ctx, s.client, a.endpoint, query)
	if a.only.when == nil || !query.Has("sort") {
		return asSorted
	}
	return func(yield func(bitbucket.Listed, error) bool) {
		if _, refused := s.refused.Load(a.endpoint.Route); !refused {
			begun := false
			for l, err := range asSorted {
				if isRefused(err) && !begun {
					refused = true
					break
				}
				begun = true
				if !yield(l, err) {
					return
				}
			}
			if !refused {
				return
			}
		}
		s.sorted(ctx, a, query, yield)
	}
}

// isRefused reports whether an error is that of a query which a server does not take.
func isRefused(err error) bool {
	var e *bitbucket.Error
	return errors.As(err, &e) && e.Status == http.StatusBadRequest
}

// sorted yields a list that is asked for without an order, the newest first. An object without a time is
// after those that have one.
func (s *sorter) sorted(ctx context.Context, a agedList, query url.Values, yield func(bitbucket.Listed, error) bool) {
	type dated struct {
		at    time.Time
		whole bool
		text  spool.Blob
	}
	var all []dated
	query = maps.Clone(query)
	query.Del("sort")
	a.endpoint.When, a.endpoint.Until, a.endpoint.NoJSON, a.endpoint.InFront = nil, nil, false, false
	for l, err := range bitbucket.List(ctx, s.client, a.endpoint, query) {
		if err != nil {
			if !yield(l, err) || !isOdd(err) {
				return
			}
			continue
		}
		at, _ := a.only.when(l.Object)
		all = append(all, dated{at, l.Whole, s.spool.Put(l.JSON)})
	}
	s.refused.Store(a.endpoint.Route, true)
	slices.SortStableFunc(all, func(a, b dated) int { return b.at.Compare(a.at) })
	last := a.only.until()
	for _, one := range all {
		l := bitbucket.Listed{Whole: one.whole}
		var err error
		if l.JSON, err = s.spool.Read(one.text); err == nil {
			l.Object, err = bitbucket.Decode(l.JSON)
		}
		if !yield(l, err) || err != nil || last(l) {
			return
		}
	}
}
