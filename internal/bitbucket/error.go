package bitbucket

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/roundtrip"
)

// ErrNotFound is what an *Error with status 404 is.
var ErrNotFound = errors.New("not found")

// maxErrorBytes bounds what is read of an error's body.
const maxErrorBytes = 64 << 10

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
	Credential  string // the kind of credential that was used
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d %s", e.Method, e.Path, e.Status, statusText(e.Status))
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, " (%s)", e.Detail)
	}
	if e.Announcement != "" {
		fmt.Fprintf(&b, ", see %s", e.Announcement)
	}
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
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

// Is makes errors.Is(err, ErrNotFound) true for status 404.
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && e.Status == http.StatusNotFound
}

// Missing are the scopes that were required and not granted.
func (e *Error) Missing() []string {
	return slices.DeleteFunc(slices.Clone(e.Required), func(s string) bool { return slices.Contains(e.Granted, s) })
}

// Denied is true when asking for anything else of the same kind is in vain: the
// credential is wrong or lacks a scope, the caller's address is not on the
// allow-list, or the route is gone.
func (e *Error) Denied() bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusGone:
		return true
	case http.StatusForbidden:
		text := strings.ToLower(e.Message + " " + e.Detail)
		return len(e.Required) > 0 || strings.Contains(text, "scope") || strings.Contains(text, "whitelist") ||
			strings.Contains(text, "allowlist") || strings.Contains(text, "two-step")
	}
	return false
}

// Fix says what to do about it; empty when there is nothing to say.
func (e *Error) Fix() string {
	switch e.Status {
	case http.StatusUnauthorized:
		return "check the credential: it may be mistyped, expired, revoked, or an API token without scopes; " +
			"a workspace access token goes into bitbucket_workspace_token, an API token with scopes into bitbucket_user_scoped_token with bitbucket_user_email"
	case http.StatusForbidden:
		if missing := e.Missing(); len(missing) > 0 {
			return "create a credential with the scopes " + strings.Join(e.Required, ", ")
		}
		if e.Denied() {
			return "run from an address that the workspace's access controls allow, or have an admin add this one"
		}
		return "give the credential read access"
	case http.StatusGone:
		return "Bitbucket has removed this; read the announcement, and look for a newer version of this program"
	}
	return ""
}

// statusError reads the error's body, which need not be JSON.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#standardized-error-responses, read 2026-11.
func (c *Client) statusError(req *http.Request, resp *http.Response) error {
	e := &Error{Method: req.Method, Path: req.URL.EscapedPath(), Status: resp.StatusCode, Credential: c.kind}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBytes))
	e.decode(text)
	if retryable(resp.StatusCode) {
		after, _ := roundtrip.RetryAfter(resp.Header)
		return &roundtrip.Again{Err: e, After: after}
	}
	return e
}

func (e *Error) decode(text []byte) {
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
	if json.Unmarshal(text, &body) != nil {
		if len(text) < 200 && !strings.Contains(string(text), "<") {
			e.Message = strings.TrimSpace(string(text)) // 429 is plain text
		}
		return
	}
	e.Message = body.Error.Message
	e.Announcement = body.Data.AnnouncementURL
	if e.Announcement == "" {
		e.Announcement = body.Error.Data.AnnouncementURL
	}
	e.MissingPath = e.Status == http.StatusNotFound &&
		(body.Data.Path != "" || body.Error.Data.Path != "" || strings.HasPrefix(e.Message, "No such file or directory"))
	var scopes struct {
		Required, Granted []string
	}
	if json.Unmarshal(body.Error.Detail, &scopes) == nil {
		e.Required, e.Granted = scopes.Required, scopes.Granted
	} else {
		_ = json.Unmarshal(body.Error.Detail, &e.Detail) // neither form: no detail
	}
}

// retryable says whether the same GET may succeed a moment later.
func retryable(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusNotImplemented, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout, 555:
		return true
	}
	return false
}
