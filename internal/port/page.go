package port

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"port-bitbucket-exporter/internal/transport"
)

var (
	errPagingLoop = errors.New("the next page is one that was read before")
	errStop       = errors.New("nobody wants more")
)

// pages posts the body until an answer names no next page. Entities are decoded
// one by one as they arrive, since a page of them may be very large; a page that
// is cut off is asked for again, and yields again what it has yielded.
func pages[T any](ctx context.Context, s *session, path string, body map[string]any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		seen := map[string]bool{}
		for {
			next := ""
			read := func(d *json.Decoder) (err error) {
				next, err = readPage(d, func(e T) error {
					if !yield(e, nil) {
						return errStop
					}
					return nil
				})
				return err
			}
			trace := ""
			answered := func(h http.Header) { trace = h.Get(traceHeader) }
			err := s.do(ctx, call{method: http.MethodPost, path: path, body: body, answered: answered}, reader(read))
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
func readPage[T any](d *json.Decoder, each func(T) error) (next string, err error) {
	found := false
	err = object(d, func(key string) error {
		switch key {
		case "entities":
			found = true
			return array(d, each)
		case "next":
			var text *string
			err := d.Decode(&text)
			if text != nil {
				next = *text
			}
			return err
		}
		var other json.RawMessage
		return d.Decode(&other)
	})
	if err == nil && !found {
		err = errors.New("no \"entities\"")
	}
	return next, err
}

// object calls each with every key; it reads the value.
func object(d *json.Decoder, each func(key string) error) error {
	if err := delim(d, '{'); err != nil {
		return err
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if err := each(key); err != nil {
			return err
		}
	}
	return delim(d, '}')
}

func array[T any](d *json.Decoder, each func(T) error) error {
	if err := delim(d, '['); err != nil {
		return err
	}
	for d.More() {
		var e T
		if err := transport.Decode(d, &e); err != nil {
			return err
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return delim(d, ']')
}

func delim(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if token == nil {
		token = "null"
	}
	if err == nil && token != want {
		err = fmt.Errorf("%q is due, not %v", want, token)
	}
	return err
}
