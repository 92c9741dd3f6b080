package port

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"port-bitbucket-exporter/internal/transport"
)

var (
	errPagingLoop = errors.New("the next page is one that was read before")
	errStop       = errors.New("the caller stopped")
)

// pages posts the body until an answer names no next page. Entities are read one by one as
// they arrive, since a page of them may be very large; a page that is cut off is asked for
// again, and yields again what it has yielded.
func pages[T any](ctx context.Context, s *session, path string, body map[string]any, read func(*transport.JSON) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		seen := map[string]bool{}
		for {
			next := ""
			page := func(j *transport.JSON) (err error) {
				next, err = readPage(j, func() error {
					e, err := read(j)
					if err == nil && !yield(e, nil) {
						err = errStop
					}
					return err
				})
				return err
			}
			trace := ""
			answered := func(h http.Header) { trace = h.Get(traceHeader) }
			err := s.do(ctx, call{method: http.MethodPost, path: path, body: body, answered: answered}, reader(page))
			if errors.Is(err, errStop) {
				return
			}
			if err == nil && seen[next] {
				err = traced(errPagingLoop, trace)
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if next == "" {
				return
			}
			seen[next] = true
			body["from"] = next
		}
	}
}

// readPage reads {"entities": […], "next": "…"}, and whatever else is in it.
func readPage(j *transport.JSON, each func() error) (next string, err error) {
	found := false
	err = j.Object(func(key string) error {
		switch key {
		case "entities":
			found = true
			return j.Array(each)
		case "next":
			return j.Text(key, &next)
		}
		return j.Skip()
	})
	if err == nil && !found {
		err = errors.New("no \"entities\"")
	}
	return next, err
}
