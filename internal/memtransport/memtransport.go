// Package memtransport calls an http.Handler without a socket. A socket is not durably
// blocking, so inside a testing/synctest bubble this is the way to an emulator.
package memtransport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// RoundTripper calls the handler, whatever host the request names. An answer comes when
// the handler is at its end, or flushes for the first time; what it writes from then on
// waits for the reader. A context that ends is the error of the call, also while the
// answer or its body is late. http.ErrAbortHandler is a broken connection:
// io.ErrUnexpectedEOF, from the body when there was a status. The context of the handler's
// request ends when the body is closed, and with the handler.
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
	handled, cancel := context.WithCancel(ctx)
	w := &recorder{header: http.Header{}, ready: make(chan struct{}), cancel: cancel}
	in := received(r.WithContext(handled))
	go w.serve(t.handler, in)
	<-w.ready
	if w.panicked != nil {
		panic(w.panicked)
	}
	if err := ctx.Err(); err != nil {
		w.leave(err)
		return nil, err
	}
	if w.status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return w.response(r), nil
}

// received is the request as a server has it.
func received(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	if r.URL.Opaque != "" { // as a proxy is asked
		if asked, err := url.ParseRequestURI(in.RequestURI); err == nil {
			in.URL = asked
		}
	}
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
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

type recorder struct {
	header http.Header
	status int          // 0 while there is none
	body   bytes.Buffer // up to the first flush, or all
	ready  chan struct{}
	cancel context.CancelFunc

	// Before ready is closed:
	whole    bool // the handler came to its end
	panicked any  // what it panicked with, but for http.ErrAbortHandler
	sent     http.Header
	rest     *io.PipeReader // what is written after the first flush
	out      *io.PipeWriter
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.out != nil {
		return w.out.Write(p)
	}
	return w.body.Write(p)
}

func (w *recorder) FlushError() error {
	if w.out == nil {
		w.WriteHeader(http.StatusOK)
		w.sent = w.header.Clone()
		w.rest, w.out = io.Pipe()
		close(w.ready)
	}
	return nil
}

// serve calls the handler. A panic before there is an answer goes to the caller.
func (w *recorder) serve(h http.Handler, r *http.Request) {
	defer w.cancel()
	whole := false
	defer func() {
		p := recover()
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			p = nil
		}
		switch {
		case w.out == nil:
			w.whole, w.panicked, w.sent = whole, p, w.header
			close(w.ready)
		case p != nil:
			panic(p)
		case whole:
			_ = w.out.Close()
		default:
			_ = w.out.CloseWithError(io.ErrUnexpectedEOF)
		}
	}()
	h.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	whole = true
}

// leave ends what the handler still does.
func (w *recorder) leave(err error) {
	if w.out != nil {
		_ = w.out.CloseWithError(err)
	}
	w.cancel()
}

func (w *recorder) response(r *http.Request) *http.Response {
	length := int64(w.body.Len())
	b := &body{Reader: &w.body, ctx: r.Context(), leave: w.leave}
	switch {
	case w.out != nil:
		length, b.Reader = -1, io.MultiReader(&w.body, w.rest)
		b.stop = context.AfterFunc(r.Context(), func() { w.leave(r.Context().Err()) })
	case !w.whole:
		length, b.Reader = -1, io.MultiReader(&w.body, broken{})
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: b, ContentLength: length, Request: r,
	}
}

type body struct {
	io.Reader
	ctx   context.Context
	leave func(error)
	stop  func() bool
}

// Read prefers the error of the context, which ends the handler too.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && err != io.EOF && b.ctx.Err() != nil {
		err = b.ctx.Err()
	}
	return n, err
}

func (b *body) Close() error {
	if b.stop != nil {
		b.stop()
	}
	b.leave(io.ErrClosedPipe)
	return nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
