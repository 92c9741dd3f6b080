// Package memtransport calls an http.Handler without a socket. A socket is not durably
// blocking, so inside a testing/synctest bubble this is the way to an emulator.
package memtransport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// RoundTripper calls the handler in the caller's own goroutine, whatever host the
// request names. A context that ends is the error of the call, also while the answer or
// its body is late. http.ErrAbortHandler is a broken connection: io.ErrUnexpectedEOF,
// from the body when there was a status.
func RoundTripper(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ handler http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := &recorder{header: http.Header{}}
	whole := w.serve(t.handler, received(r))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return w.response(r, whole), nil
}

// received is the request as a server has it.
func received(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if _, given := in.Header["User-Agent"]; !given {
		in.Header.Set("User-Agent", "Go-http-client/1.1") // as net/http's transport does
	}
	return in
}

// Stall never comes back to the handler, and the body stands still after what there is
// of it, until the client goes away.
func Stall(w http.ResponseWriter, r *http.Request) {
	if rec, ok := w.(*recorder); ok {
		rec.stalled = true
	} else {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler)
}

type recorder struct {
	header  http.Header
	status  int // 0 while there is none
	body    bytes.Buffer
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
	return w.body.Write(p)
}

func (w *recorder) FlushError() error { return nil }

// serve reports whether the handler came to its end.
func (w *recorder) serve(h http.Handler, r *http.Request) (whole bool) {
	defer func() {
		p := recover()
		if err, ok := p.(error); p != nil && (!ok || !errors.Is(err, http.ErrAbortHandler)) {
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	return true
}

func (w *recorder) response(r *http.Request, whole bool) *http.Response {
	length := int64(w.body.Len())
	var body io.Reader = &w.body
	switch {
	case w.stalled:
		length, body = -1, io.MultiReader(&w.body, stalled{r.Context()})
	case !whole:
		length, body = -1, io.MultiReader(&w.body, broken{})
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}
