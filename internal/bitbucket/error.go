package bitbucket

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/transport"
)

// ErrNotFound is matched by an *Error with status 404.
var ErrNotFound = errors.New("not found")

// ErrNoFile is what an *Error is that says which path of a commit is missing, and
// what a path is that leads to a directory.
var ErrNoFile = errors.New("no such file")

// ErrElsewhere is the answer for a file that Git LFS keeps: it leads to another host,
// and is not followed, since the credential must not go there.
var ErrElsewhere = errors.New("kept on another host, such as Git LFS")

// ErrBudget is the error of a request that was not sent, or not sent again, since
// Config.MaxRequests leaves none. What was asked for is not known to be there or not.
var ErrBudget = transport.ErrBudget

// Error is an answer of Bitbucket other than success.
type Error struct {
	Method, Path string
	Status       int
	Message      string // the vendor's
	Detail       string // the vendor's; empty when it was an object
	Announcement string // link of a removal (status 410)
	// Required and Granted are the scopes that an answer of 403 names.
	Required, Granted []string
	// MissingPath is true for a 404 that says which path of the repository is missing:
	// the repository and the commit are there.
	MissingPath bool
	// Missed is that path, where the answer names it.
	Missed string
	// NoAPI is true for a 404 of something other than Bitbucket's API, as long as the API has
	// never answered: it does not mean that what was asked for is missing.
	NoAPI bool
	// Hidden is true for an answer of the git host about one repository: it is not there, or
	// not for this credential, which others are for.
	Hidden     bool
	Credential string // the kind of credential that was used
}

func (e *Error) Error() string { return e.Method + " " + e.Path + ": " + e.Answer() }

// Answer returns the error without the request: what other requests may have met too.
func (e *Error) Answer() string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, statusText(e.Status))))
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, " (%s)", e.Detail)
	}
	if e.Announcement != "" {
		fmt.Fprintf(&b, ", see %s", e.Announcement)
	}
	if e.Credential != "" && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
		fmt.Fprintf(&b, "; used was: %s", e.Credential)
	}
	if missing := e.Missing(); len(missing) > 0 {
		fmt.Fprintf(&b, "; missing scopes: %s", strings.Join(missing, ", "))
	}
	return b.String()
}

func statusText(status int) string {
	if status == 555 {
		return "Timeout" // Bitbucket's own, for a listing that is too deep
	}
	return http.StatusText(status)
}

// Is makes errors.Is(err, ErrNotFound) true for a status 404 of the API, and errors.Is(err,
// ErrNoFile) for a missing path. The git host, when it does not find a repository, does not say
// that a part of it is missing.
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && e.Status == http.StatusNotFound && !e.NoAPI && !e.Hidden || target == ErrNoFile && e.MissingPath
}

// Missing are the scopes that were required and not granted.
func (e *Error) Missing() []string {
	return slices.DeleteFunc(slices.Clone(e.Required), func(s string) bool { return slices.Contains(e.Granted, s) })
}

// Denied is true when asking for anything else of the same kind is in vain: the
// credential is wrong or lacks a scope, the caller's address is not on the
// allow-list, the route is gone, or the rate limit let nothing through for as
// long as requests are patient. A name in the message, such as that of a
// repository "scope-whitelist", does not make it so.
//
// Source: https://confluence.atlassian.com/bbkb/error-403-when-performing-git-operations-1155479141.html, read 2026-11.
func (e *Error) Denied() bool {
	if e.Hidden {
		return false
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusTooManyRequests:
		return true
	case http.StatusGone:
		return e.Announcement != "" // else it may be one repository that is gone
	case http.StatusForbidden:
		text := e.text()
		return e.lacksScope() || e.barred() || allowList.MatchString(text) || strings.Contains(text, "two-step authentication")
	}
	return false
}

// text is what the vendor says, in small letters.
func (e *Error) text() string { return strings.ToLower(e.Message + " " + e.Detail) }

// Denied reports whether asking for anything else of the same kind is in vain, as
// Error.Denied does, also where a proxy lets nothing pass, or the credential has no access token.
func Denied(err error) bool {
	var e *Error
	p, t := transport.AsProxyError(err), transport.AsTokenError(err)
	return errors.As(err, &e) && e.Denied() || p != nil && p.Lasting() || t != nil && t.Lasting
}

// allowList matches a lower-case sentence about addresses that are let in.
var allowList = regexp.MustCompile(`(^|\s)(whitelist|allow[- ]?list)(ed|ing)?\s(.*\s)?ip\b|(^|\s)ip\s.*\s(whitelist|allow[- ]?list)`)

// Fix says what to do about it; empty when there is nothing to say.
func (e *Error) Fix() string {
	if e.Hidden {
		return accessFix
	}
	switch e.Status {
	case http.StatusUnauthorized:
		if e.barred() {
			return barredFix
		}
		return "check the credential: it may be mistyped, expired, revoked, or an API token without scopes; " +
			"a workspace access token goes into bitbucket_workspace_token, the key and the secret of an OAuth consumer into bitbucket_client_id and bitbucket_client_secret, an API token with scopes into bitbucket_user_scoped_token with bitbucket_user_email"
	case http.StatusForbidden:
		switch {
		case e.barred():
			return barredFix
		case e.lacksScope():
			return scopesFix(e.Required)
		}
		if e.Denied() {
			return "run from an address that the workspace's access controls allow, or have an admin add this one"
		}
		return "give the credential read access"
	case http.StatusTooManyRequests:
		return "something else uses up the allowance of this credential: use another one, or several workspace tokens"
	case http.StatusGone:
		return "Bitbucket has removed this; read the announcement, and look for a newer version of this program"
	case http.StatusNotFound:
		if e.NoAPI {
			return hostFix
		}
		return accessFix
	}
	if transport.Passing(e.Status) {
		return itStays
	}
	return ""
}

const accessFix = "give the credential read access to it, if it is there"

// itStays is the fix for faults that may pass by themselves.
const itStays = "run again; if it stays so, look at https://bitbucket.status.atlassian.com, and at proxies on the way"

// broken is an answer that did not arrive, or cannot be read.
type broken struct{ err error }

func (b *broken) Error() string { return b.err.Error() }

func (b *broken) Unwrap() error { return b.err }

// again makes a broken answer an error that is tried again.
func again(format string, args ...any) error {
	return &transport.Again{Err: &broken{fmt.Errorf(format, args...)}}
}

// notAPI is an answer from something other than Bitbucket's API, as long as the API has
// never answered.
type notAPI struct{ err error }

func (s *notAPI) Error() string { return s.err.Error() }

func (s *notAPI) Unwrap() error { return s.err }

const (
	hostFix  = "check bitbucket_host_url: nothing of Bitbucket's API answers there; the usual address is https://api.bitbucket.org/2.0"
	proxyFix = "a proxy on the way asks for a login"
)

// Fix says what to do about an error; empty when there is nothing to say.
func Fix(err error) string {
	var known interface{ Fix() string } // *Error, *ConsumerError, *transport.ProxyError
	var s *notAPI
	var o *Odd
	var b *broken
	switch {
	case errors.Is(err, ErrBudget):
		return "run again: what this run left out is asked for first; or raise max_requests or, where it is auto, give more credentials"
	case errors.As(err, &known):
		return known.Fix()
	case transport.Unreached(err):
		return transport.UnreachedFix("bitbucket_host_url")
	case errors.As(err, &s) && errors.Is(err, errRedirect):
		return hostFix + "; or " + proxyFix
	case errors.As(err, &s):
		return hostFix + "; if it is right, " + itStays
	case errors.Is(err, errRedirect):
		return "check bitbucket_host_url, and whether " + proxyFix
	case errors.As(err, &o):
		return "run again; if it stays so, look at it in Bitbucket, and ask Bitbucket's support: its API gives it otherwise than it documents"
	case errors.As(err, &b), errors.Is(err, errNextPage), errors.Is(err, ErrIncomplete):
		return itStays
	}
	return ""
}

// statusError reads the error's body, which need not be JSON. A final one is not
// tried again.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#standardized-error-responses, read 2026-11.
func (c *Client) statusError(req *http.Request, resp *http.Response, final bool) error {
	err := transport.StatusError(req.Method+" "+req.URL.EscapedPath(), resp, func(text []byte) error {
		e := &Error{Method: req.Method, Path: req.URL.EscapedPath(), Status: resp.StatusCode, Credential: c.kind}
		known := e.decode(text)
		e.NoAPI = e.Status == http.StatusNotFound && !c.answered.Load() && (!known || strings.Contains(e.text(), noAPIText))
		return e
	})
	var again *transport.Again
	if final && errors.As(err, &again) {
		return again.Err
	}
	return err
}

// noAPIText is a part, in small letters, of what Bitbucket's host answers to an address outside
// of its API.
//
// Source: "There is no API hosted at this URL.", a recorded answer of 404.
const noAPIText = "no api hosted"

// decode reads the body of an error, and reports whether it has the vendor's form.
func (e *Error) decode(text []byte) bool {
	type data struct {
		AnnouncementURL string `json:"announcement_url"`
		Path            string `json:"path"`
	}
	var body struct {
		Error struct {
			Message string          `json:"message"`
			Detail  json.RawMessage `json:"detail"`
			Data    data            `json:"data"`
		} `json:"error"`
		Data data `json:"data"`
	}
	var shape *json.UnmarshalTypeError // of one field: the others are read
	if err := json.Unmarshal(text, &body); err != nil && !errors.As(err, &shape) || body.Error.Message == "" {
		if len(text) < 200 && !strings.Contains(string(text), "<") {
			e.Message = oneLine(string(text)) // 429 is plain text
		}
		return false
	}
	e.Message = oneLine(body.Error.Message)
	e.Announcement = oneLine(cmp.Or(body.Data.AnnouncementURL, body.Error.Data.AnnouncementURL))
	named, said := strings.CutPrefix(e.Message, "No such file or directory")
	if e.MissingPath = e.Status == http.StatusNotFound && (body.Data.Path != "" || body.Error.Data.Path != "" || said); e.MissingPath {
		e.Missed = oneLine(cmp.Or(body.Data.Path, body.Error.Data.Path, strings.TrimPrefix(named, ":")))
	}
	var scopes struct {
		Required, Granted []string
	}
	if json.Unmarshal(body.Error.Detail, &scopes) == nil {
		e.Required, e.Granted = scopes.Required, scopes.Granted
	} else {
		_ = json.Unmarshal(body.Error.Detail, &e.Detail) // neither form: no detail
		e.Detail = oneLine(e.Detail)
	}
	return true
}

// maxMessage bounds what is kept of one of the vendor's texts, in bytes.
const maxMessage = 1000

func oneLine(text string) string {
	return clip.Bytes(strings.Join(strings.Fields(text), " "), maxMessage, "...")
}
