// Package insights sends a report of Code Insights to Bitbucket Cloud, which shows it on a commit
// and in the pull requests of that commit.
package insights

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

const (
	// attemptTimeout is the longest that one attempt may take, its body included.
	attemptTimeout = 10 * time.Second
	attempts       = 3
	// maxCall is how many annotations one request may hold.
	//
	// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/#api-repositories-workspace-repo-slug-commit-commit-reports-reportid-annotations-post,
	// read 2026-11.
	maxCall = 100
)

// Commit is a commit of a repository of Bitbucket Cloud.
type Commit struct {
	Workspace, Repository string // slugs
	Hash                  string
}

// Client sends reports. It is safe for concurrent use.
type Client struct {
	base      string
	transport http.RoundTripper
}

// New returns a client of the API at a base such as https://api.bitbucket.org/2.0. It sends each
// request by the transport, which adds the credential, tries it again where that may help, and
// follows no redirect.
func New(base, userAgent string, by http.RoundTripper) *Client {
	return &Client{base, transport.Header(transport.Deadline(by, attemptTimeout), "User-Agent", userAgent)}
}

// Document is a report with its annotations, as the API takes them: each value is encoded as JSON.
type Document struct {
	ID          string
	Report      any
	Annotations []any
}

// Send puts the report onto the commit, in place of an earlier one of the same ID. It takes no
// longer than the context lasts. The error is an *Error when the API has answered, and ErrNoProxy
// when the transport found none. Where single annotations were refused, the report and the others
// are there.
//
// The vendor does not say that a report that is replaced loses its annotations, so it is deleted
// first: https://github.com/reviewdog/reviewdog/pull/1344 does it for this reason, read 2026-11. A
// refusal of that does no harm, since an annotation of the same id replaces the earlier one.
func (c *Client) Send(ctx context.Context, on Commit, d Document) error {
	path := "/repositories" + transport.Path(on.Workspace, on.Repository, "commit", on.Hash, "reports", d.ID)
	var refused *Error
	if err := c.do(ctx, http.MethodDelete, path, nil); err != nil && !errors.As(err, &refused) {
		return err
	}
	if err := c.do(ctx, http.MethodPut, path, d.Report); err != nil {
		return err
	}
	var first error
	lost := 0
	for some := range slices.Chunk(d.Annotations, maxCall) {
		err := c.do(ctx, http.MethodPost, path+"/annotations", some)
		if err == nil {
			continue
		}
		if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
			return err
		}
		if lost += len(some); first == nil {
			first = err
		}
	}
	if first != nil {
		return fmt.Errorf("%d of %d annotations are not there: %w", lost, len(d.Annotations), first)
	}
	return nil
}

// do sends one request, with retries. A body of nil means none.
func (c *Client) do(ctx context.Context, method, path string, body any) error {
	var text []byte
	if body != nil {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(body); err != nil {
			return err
		}
		text = b.Bytes()
	}
	return transport.Retry(ctx, nil, attempts, func() error {
		req, err := transport.NewRequest(ctx, method, c.base+path, text)
		if err != nil {
			return err
		}
		if text != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := c.transport.RoundTrip(req)
		switch {
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, ErrNoProxy), errors.Is(err, transport.ErrBudget):
			return err
		case err != nil:
			return transport.Interrupted(fmt.Errorf("%s %s: %w", method, path, inTime(err)))
		}
		defer resp.Body.Close()
		if resp.StatusCode/100 == 2 {
			return nil
		}
		return inVain(ctx, transport.StatusError(method+" "+path, resp, func(text []byte) error {
			return newError(method, path, resp.StatusCode, text)
		}))
	})
}

// errLate means that the time of an attempt ran out.
var errLate = fmt.Errorf("no complete answer within %s", attemptTimeout)

// inTime says in words that the time of an attempt ran out.
func inTime(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errLate
	}
	return err
}

// inVain makes an error final that asks for a longer wait than the context lasts.
func inVain(ctx context.Context, err error) error {
	var again *transport.Again
	if end, bounded := ctx.Deadline(); bounded && errors.As(err, &again) && again.After >= time.Until(end) {
		return again.Err
	}
	return err
}

// Error is an answer of the API other than success.
type Error struct {
	Method, Path string
	Status       int
	Message      string   // the vendor's; it may be empty
	Required     []string // the scopes that an answer of 403 names
}

func (e *Error) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status)))
	if e.Message != "" {
		text += ": " + e.Message
	}
	if len(e.Required) > 0 {
		text += "; required scopes: " + strings.Join(e.Required, ", ")
	}
	return text
}

// maxMessage bounds what is kept of the vendor's text, in bytes.
const maxMessage = 500

// newError reads the body of an error, which has one of two forms: that of the whole API, and one
// of these routes.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#standardized-error-responses and
// https://github.com/mc1arke/sonarqube-community-branch-plugin/issues/209, read 2026-11.
func newError(method, path string, status int, text []byte) *Error {
	e := &Error{Method: method, Path: path, Status: status}
	var body struct {
		Message string `json:"message"`
		Error   struct {
			Message string          `json:"message"`
			Detail  json.RawMessage `json:"detail"`
		} `json:"error"`
	}
	if json.Unmarshal(text, &body) != nil {
		return e
	}
	e.Message = strings.Join(strings.Fields(body.Error.Message+" "+body.Message), " ")
	if len(e.Message) > maxMessage {
		e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "") + "..."
	}
	var scopes struct{ Required []string }
	if json.Unmarshal(body.Error.Detail, &scopes) == nil {
		e.Required = scopes.Required
	}
	return e
}
