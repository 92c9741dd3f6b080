package openapicheck

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// API is one of the two documents, and where its base lies on a server.
type API struct {
	check func(*Checker, Exchange) error
	base  string
	// undocumented reports whether the vendor's document leaves out a path, still escaped and with the base; nil
	// leaves out none.
	undocumented func(path string) bool
}

// Bitbucket is Bitbucket Cloud served under a path, as "/2.0". The git host may be the same server: its routes
// are those of git's smart HTTP, and no part of the document.
func Bitbucket(base string) API {
	return API{(*Checker).Bitbucket, strings.TrimRight(base, "/"), func(path string) bool { return gitRoute.MatchString(path) || laterRoute.MatchString(path) }}
}

// laterRoute matches the routes of kinds that the extract of the vendor's document leaves out: they are checked by
// the emulator alone.
var laterRoute = regexp.MustCompile(`/repositories/[^/]+/[^/]+/(pipelines/|deployments/|environments/|branch-restrictions|refs/tags|commits?|commit/.*|effective-[a-z-]+|pullrequests/activity|pullrequests/[^/]+/(statuses|tasks|diffstat))$|` +
	`/workspaces/[^/]+/(permissions/repositories|pipelines-config/runners)$`)

// gitRoute matches the two paths of a repository on the git host.
// Source: https://git-scm.com/docs/http-protocol, read 2026-11.
var gitRoute = regexp.MustCompile(`^/[^/]+/[^/]+\.git/(info/refs|git-upload-pack)$`)

// Port is Port served under a path, which is "" for its own hosts: "/v1" belongs to the documented routes.
func Port(base string) API { return API{check: (*Checker).Port, base: strings.TrimRight(base, "/")} }

// RoundTripper returns a transport that checks every exchange that passes through it, and changes none. Bodies
// are kept in memory. onError gets each disagreement, on the goroutine of the request. A request without an
// answer, or whose answer breaks off, is checked by itself. What the vendor's document leaves out passes
// untouched.
func (c *Checker) RoundTripper(base http.RoundTripper, onError func(error), which API) http.RoundTripper {
	return &transport{checker: c, base: base, onError: onError, api: which}
}

type transport struct {
	checker *Checker
	base    http.RoundTripper
	onError func(error)
	api     API
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.api.undocumented != nil && t.api.undocumented(req.URL.EscapedPath()) {
		return t.base.RoundTrip(req)
	}
	e := Exchange{Method: req.Method, RequestHeader: req.Header.Clone()}
	if req.Body != nil && req.Body != http.NoBody {
		text, err := io.ReadAll(req.Body)
		if err = errors.Join(err, req.Body.Close()); err != nil {
			return nil, err
		}
		e.RequestBody = text
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(text))
	}
	res, err := t.base.RoundTrip(req)
	if err == nil && t.buffer(res, &e) != nil {
		e.Status = 0
	}
	t.check(req.URL, e)
	return res, err
}

// buffer reads the answer's body and puts it back, with its error.
func (t *transport) buffer(res *http.Response, e *Exchange) error {
	text, err := io.ReadAll(res.Body)
	if closeErr := res.Body.Close(); err == nil {
		err = closeErr
	}
	e.Status, e.ResponseHeader, e.ResponseBody = res.StatusCode, res.Header.Clone(), text
	body := io.Reader(bytes.NewReader(text))
	if err != nil {
		body = io.MultiReader(body, failing{err})
	}
	res.Body = io.NopCloser(body)
	return err
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (t *transport) check(u *url.URL, e Exchange) {
	path, ok := strings.CutPrefix(u.EscapedPath(), t.api.base)
	below, err := url.ParseRequestURI(path)
	if !ok || err != nil {
		t.checker.checked.Add(1)
		t.onError(fmt.Errorf("%s %s: outside the base %q", e.Method, u.EscapedPath(), t.api.base))
		return
	}
	below.RawQuery = u.RawQuery
	e.URL = below
	if err := t.api.check(t.checker, e); err != nil {
		t.onError(err)
	}
}
