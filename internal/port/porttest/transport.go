package porttest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
)

// RoundTripper returns a transport that calls the server in the caller's own
// goroutine, without a socket, whatever host the request names. It ends early
// when the request's context ends.
func (s *Server) RoundTripper() http.RoundTripper { return inProcess{s} }

type inProcess struct{ server *Server }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
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
	w := &recorder{header: http.Header{}}
	aborted := w.serve(t.server, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if aborted && w.status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return w.response(r, aborted), nil
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	// stalled: the body stands still after what there is of it.
	stalled bool
}

// serve reports whether the handler gave up the connection.
func (w *recorder) serve(h http.Handler, r *http.Request) (aborted bool) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			aborted = true
		} else if p != nil {
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) { w.status = status }

func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }

func (w *recorder) FlushError() error { return nil }

func (w *recorder) response(r *http.Request, aborted bool) *http.Response {
	length := int64(w.body.Len())
	var body io.Reader = &w.body
	switch {
	case w.stalled:
		length, body = -1, io.MultiReader(&w.body, stalledReader{r.Context()})
	case aborted:
		length, body = -1, io.MultiReader(&w.body, brokenReader{})
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// stall never comes back to the handler. A recorder's body stands still where it is
// read.
func stall(w http.ResponseWriter, r *http.Request) {
	if rec, ok := w.(*recorder); ok {
		rec.stalled = true
	} else {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler)
}

type stalledReader struct{ ctx context.Context }

func (s stalledReader) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}
