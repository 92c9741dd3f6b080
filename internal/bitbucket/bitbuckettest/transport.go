package bitbuckettest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// RoundTripper returns a transport that calls the server in process, without a socket: a socket is not
// durably blocking, so inside a testing/synctest bubble this is the way in. Whatever host the request
// names, this server answers. A cancelled context ends the call with the context's error, also while a
// fault delays the answer or its body; a dropped connection is an io.ErrUnexpectedEOF.
func (s *Server) RoundTripper() http.RoundTripper { return transport{s} }

type transport struct{ s *Server }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in := r.Clone(ctx)
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	in.RequestURI = in.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &recorder{header: make(http.Header)}
	whole := w.serve(t.s, in)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	var body io.Reader = bytes.NewReader(w.body)
	length := int64(len(w.body))
	switch {
	case w.stalled:
		body, length = io.MultiReader(body, stalled{ctx}), -1
	case !whole:
		body, length = io.MultiReader(body, broken{}), -1
	}
	return &http.Response{
		Status:        strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.header,
		Body:          io.NopCloser(body),
		ContentLength: length,
		Request:       r,
	}, nil
}

type recorder struct {
	header  http.Header
	status  int
	body    []byte
	stalled bool
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, p...)
	return len(p), nil
}

// serve reports whether the handler came to its end; http.ErrAbortHandler is a broken connection.
func (w *recorder) serve(h http.Handler, r *http.Request) (whole bool) {
	defer func() {
		p := recover()
		if err, ok := p.(error); p != nil && (!ok || !errors.Is(err, http.ErrAbortHandler)) {
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return true
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// stall never comes back to the handler. A recorder's body stands still where it is read.
func stall(w http.ResponseWriter, r *http.Request) {
	if rec, ok := w.(*recorder); ok {
		rec.stalled = true
	} else {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler)
}

type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}
