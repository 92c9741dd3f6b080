package gitwiretest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxBody is the longest request that git takes.
// Source: http.maxRequestBuffer in https://git-scm.com/docs/git-config, read 2026-11.
const maxBody = 10 << 20

// Server serves one repository under any path that ends as git's do. It is safe for concurrent use.
type Server struct {
	repository *Repository

	mu         sync.Mutex
	options    Options
	commands   []Command
	violations []string
}

// NewServer returns a server of a repository.
func NewServer(r *Repository, o Options) *Server { return &Server{repository: r, options: o} }

// Configure sets the options.
func (s *Server) Configure(o Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options = o
}

// Commands returns what clients asked, in order of arrival.
func (s *Server) Commands() []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Violations returns what clients did that a correct client never does, one line each: a wrong method, path,
// header or content type, no protocol version, a request that is too long or does not parse, an unknown
// capability or argument, one that was not advertised, one that comes twice. A want of an object that is not
// there is not among them.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	o := s.options
	s.mu.Unlock()
	a := Serve(s.repository, o, r)
	s.mu.Lock()
	if a.Command != nil {
		s.commands = append(s.commands, *a.Command)
	}
	if a.Violation != "" {
		s.violations = append(s.violations, r.Method+" "+r.URL.RequestURI()+": "+a.Violation)
	}
	s.mu.Unlock()
	a.Write(w, r)
}

// Answer is what a server says to one request.
type Answer struct {
	Status    int
	Header    http.Header
	Body      []byte
	Command   *Command // nil when there was none that could be read
	Violation string   // "" when a correct client may meet this answer

	abort int
	pause func(ctx context.Context, packet int) bool
}

func respond(status int, contentType string, body []byte) *Answer {
	return &Answer{Status: status, Header: http.Header{
		"Content-Type":  {contentType},
		"Cache-Control": {"no-cache, max-age=0, must-revalidate"},
	}, Body: body}
}

func refuse(status int, violation string) *Answer {
	a := respond(status, "text/plain", []byte(violation+"\n"))
	a.Violation = violation
	return a
}

// Serve answers a request for a repository. The answer is not written yet.
func Serve(repository *Repository, o Options, r *http.Request) *Answer {
	path := r.URL.Path
	switch {
	case o.WebPage:
		return respond(http.StatusOK, "text/html; charset=utf-8", []byte("<!DOCTYPE html>\n<title>Maintenance</title>\n"))
	case strings.HasSuffix(path, "/info/refs"):
		return advertise(repository, o, r)
	case strings.HasSuffix(path, "/git-upload-pack"):
		return upload(repository, o, r)
	}
	return refuse(http.StatusNotFound, "unknown path")
}

func advertise(repository *Repository, o Options, r *http.Request) *Answer {
	if r.Method != http.MethodGet {
		return refuse(http.StatusMethodNotAllowed, "method "+r.Method)
	}
	const service = "service=git-upload-pack"
	if r.URL.RawQuery != service {
		return refuse(http.StatusForbidden, "query "+strconv.Quote(r.URL.RawQuery)+", not "+service)
	}
	const kind = "application/x-git-upload-pack-advertisement"
	if accept := r.Header.Get("Accept"); accept != "" && accept != "*/*" && accept != kind {
		return refuse(http.StatusNotAcceptable, "Accept "+strconv.Quote(accept))
	}
	violation := checkVersion(r)
	a := respond(http.StatusOK, kind, repository.advertisement(o, violation == "" && !o.NoV2))
	a.Violation, a.Command = violation, &Command{Name: "capabilities"}
	return a
}

// checkVersion wants the header by which a client asks for version 2.
func checkVersion(r *http.Request) (violation string) {
	if v := r.Header.Values("Git-Protocol"); len(v) != 1 || v[0] != "version=2" {
		return fmt.Sprintf("Git-Protocol %q, not version=2", v)
	}
	return ""
}

func upload(repository *Repository, o Options, r *http.Request) *Answer {
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "method "+r.Method)
	}
	if r.URL.RawQuery != "" {
		return refuse(http.StatusNotFound, "query "+strconv.Quote(r.URL.RawQuery))
	}
	const sent, wanted = "application/x-git-upload-pack-request", "application/x-git-upload-pack-result"
	if got := r.Header.Get("Content-Type"); got != sent {
		return refuse(http.StatusUnsupportedMediaType, "Content-Type "+strconv.Quote(got)+", not "+sent)
	}
	if got := r.Header.Get("Accept"); got != wanted {
		return refuse(http.StatusNotAcceptable, "Accept "+strconv.Quote(got)+", not "+wanted)
	}
	a := respond(http.StatusOK, wanted, nil)
	if a.Violation = checkVersion(r); a.Violation != "" {
		return a
	}
	body, err := bodyOf(r)
	if err != nil {
		a.Violation = err.Error()
		return a
	}
	a.pause = o.Pause
	if string(body) == flushPacket || o.NoV2 || o.Empty {
		a.Command, _ = parseCommand(body) // git probes with a flush packet before it sends much
		return a
	}
	a.run(repository, o, body)
	return a
}

// bodyOf reads a request, which may be packed.
func bodyOf(r *http.Request) ([]byte, error) {
	in := io.Reader(r.Body)
	switch coding := r.Header.Get("Content-Encoding"); coding {
	case "":
	case "gzip":
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		in = unpacked
	default:
		return nil, errors.New("Content-Encoding " + strconv.Quote(coding))
	}
	body, err := io.ReadAll(io.LimitReader(in, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = errors.New("a request above 10 MiB")
	}
	return body, err
}

// run answers a command. What git does not understand it answers with 200 and no byte, as its process has ended
// by then. Source: tried with git 2.39.
func (a *Answer) run(repository *Repository, o Options, body []byte) {
	c, err := parseCommand(body)
	a.Command = c
	if err == nil && c.format() != o.format() {
		if o.SHA256 {
			return // whoever cannot know it has made no mistake
		}
		err = fmt.Errorf("object format %q", c.format())
	}
	if err == nil {
		switch c.Name {
		case "ls-refs":
			a.Body, err = repository.lsRefs(c)
		case "fetch":
			a.Body, err = repository.fetch(c, o)
			if o.Body != nil {
				a.Body = o.Body(a.Body)
			}
			a.abort = o.Abort
		default:
			err = fmt.Errorf("unknown command %q", c.Name)
		}
	}
	var ours errServer
	if errors.As(err, &ours) {
		var w writer
		w.packet("ERR %s", ours)
		a.Body = w.Bytes()
	} else if err != nil {
		a.Violation = err.Error()
	}
}

// Write writes the answer, packet by packet where there is a pause.
func (a *Answer) Write(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), a.Header)
	body, broken := a.Body, a.abort > 0 && a.abort < len(a.Body)
	if broken {
		body = body[:a.abort]
	}
	w.WriteHeader(a.Status)
	flush := func() { _ = http.NewResponseController(w).Flush() }
	for n := 0; a.pause != nil && len(body) > 0; n++ {
		if !a.pause(r.Context(), n) {
			return
		}
		next := packetEnd(body)
		if _, err := w.Write(body[:next]); err != nil {
			return
		}
		flush()
		body = body[next:]
	}
	_, _ = w.Write(body)
	if broken {
		flush()
		panic(http.ErrAbortHandler)
	}
}

// packetEnd is where the first packet of a body ends.
func packetEnd(body []byte) int {
	if n, err := strconv.ParseUint(string(bytes.TrimSpace(body[:min(4, len(body))])), 16, 16); err == nil && n >= 5 {
		return min(int(n), len(body))
	}
	return min(4, len(body))
}
