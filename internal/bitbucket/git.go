package bitbucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/transport"
)

const (
	// classGit is that of all requests to the git host: the vendor counts git operations
	// apart from those of its API.
	//
	// Source: https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/, read 2026-11.
	classGit = "git"
	// gitIdle is how long the git host may send nothing, and gitWhole how long one answer may
	// take: a pack may be large, and the server makes it before its first byte.
	gitIdle  = time.Minute
	gitWhole = 5 * time.Minute
	// gitAttempts is how often a request goes out at most while its answers pass: less than
	// for the API, since each answer may take so long.
	gitAttempts = 3
	// gitPause bounds the wait that an answer of 503 asks for: where the host is down for
	// longer, the API reads what git would.
	gitPause = time.Minute
)

// Git sends requests to the host of the workspace's git repositories. It has credentials,
// allowances and refusals of its own. It is safe for concurrent use.
type Git struct {
	base      *url.URL
	workspace string
	kind      string
	http      *http.Client
	pool      *transport.Pool
	requests  transport.Budget
	told      *progress.Service
	bytes     atomic.Int64
}

// newGit returns nil when the run does not use git, or has no credential for it.
func newGit(c Config, slots transport.Slots) (*Git, error) {
	credentials := c.gitCredentials()
	if c.Git.BaseURL == "" || len(credentials) == 0 {
		return nil, nil
	}
	base, err := url.Parse(c.Git.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("base URL of the git host: %w", err)
	}
	g := &Git{base: base, workspace: c.Workspace, kind: c.CredentialKind}
	g.told = c.Progress.Source(GitName)
	chain := transport.Received(transport.Observed(c.Transport, g.told), &g.bytes)
	chain = transport.Log(chain, c.Log, &g.requests)
	chain = transport.Timely(chain, gitIdle, gitWhole)
	chain = transport.Header(chain, "User-Agent", c.UserAgent)
	// So that what is received is what is counted, and no more once it is unpacked.
	chain = transport.Header(chain, "Accept-Encoding", "identity")
	g.pool = transport.NewPool(chain, credentials, transport.Rates{Default: c.Git.Rate}, transport.Service{
		Name:  GitName,
		Class: func(*http.Request) string { return classGit },
		Scope: func(*http.Request) string { return "git" },
		Judge: judgeGit, Progress: g.told,
	}, slots, c.Log)
	g.http = &http.Client{Transport: g.pool, CheckRedirect: g.checkRedirect}
	return g, nil
}

// URL is the address of a repository. It is made of the configuration and the slug, never of
// a link in an answer: the credential goes there.
func (g *Git) URL(slug string) string {
	return g.base.Scheme + "://" + g.base.Host + strings.TrimRight(g.base.EscapedPath(), "/") + transport.Path(g.workspace, slug+".git")
}

// Requests is how many requests went out so far.
func (g *Git) Requests() int { return g.requests.Sent() }

// Bytes is how many bytes of bodies were received so far.
func (g *Git) Bytes() int64 { return g.bytes.Load() }

// Forecast says what so many requests cost.
func (g *Git) Forecast(requests int) transport.Forecast {
	return g.pool.Forecast(map[string]int{classGit: requests})
}

// Spent says what the requests so far cost.
func (g *Git) Spent() transport.Forecast { return g.pool.Spent() }

// Credentials describes how each credential fared.
func (g *Git) Credentials() []string { return g.pool.Credentials() }

// Refused returns the credentials that the git host refused while others went on, in order.
func (g *Git) Refused() []Refused { return refused(GitName, g.pool.Unfit()) }

// errPassing is an answer of a status that may pass.
var errPassing = errors.New("the status may pass")

// Do sends a request to the git host, with a credential, once the rate limit lets it. What a
// moment may change goes out up to gitAttempts times: no connection, and an answer of such a
// status. The answer is that of the last attempt, whatever its status; the error is for what
// has none. A body must have GetBody. Until the body of the answer is closed, the request
// holds one of the slots that all requests share: its reader must not wait for another one.
func (g *Git) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	switch {
	case !sameHost(g.base, req.URL):
		return nil, fmt.Errorf("%s %s: refused: %q is not the git host", req.Method, req.URL.EscapedPath(), req.URL.Host)
	case req.Body != nil && req.Body != http.NoBody && req.GetBody == nil:
		return nil, fmt.Errorf("%s %s: refused: its body cannot be sent again", req.Method, req.URL.EscapedPath())
	}
	if err := transport.CheckPath(req.URL); err != nil {
		return nil, err
	}
	var resp *http.Response
	err := transport.Retry(ctx, g.told, gitAttempts, func() error {
		out := req.Clone(ctx)
		if req.GetBody != nil {
			var err error
			if out.Body, err = req.GetBody(); err != nil {
				return err
			}
		}
		var err error
		if resp, err = g.http.Do(out); err != nil {
			return g.failed(req, err)
		}
		return g.passing(req, resp)
	})
	if errors.Is(err, errPassing) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// failed leaves the URL, and with it the query, out of the message.
func (g *Git) failed(req *http.Request, err error) error {
	if cause := context.Cause(req.Context()); cause != nil {
		return cause
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	err = &NoAnswer{req.Method, req.URL.EscapedPath(), err}
	if errors.Is(err, errRedirect) || transport.AsTokenError(err) != nil {
		return err
	}
	return transport.Interrupted(err)
}

// NoAnswer is a request to the git host without an answer of it.
type NoAnswer struct {
	Method, Path string
	Err          error
}

func (n *NoAnswer) Error() string { return fmt.Sprintf("%s %s: %v", n.Method, n.Path, n.Err) }

func (n *NoAnswer) Unwrap() error { return n.Err }

// Why says why, alike for all requests that fail in one way: without path, address and port.
func (n *NoAnswer) Why() string {
	var late *transport.LateError
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case transport.AsTokenError(n.Err) != nil:
		return n.Err.Error()
	case transport.AsProxyError(n.Err) != nil:
		return transport.AsProxyError(n.Err).Error()
	case transport.Untrusted(n.Err) != nil:
		return "its certificate is not trusted; name its authority in the input ca_file"
	case errors.As(n.Err, &late):
		return late.Error()
	case errors.As(n.Err, &dns):
		return "its name is not found"
	case errors.As(n.Err, &op):
		return op.Op + ": " + op.Err.Error()
	}
	return "the connection broke"
}

// Late returns why an answer of the git host did not come in time; empty for another error.
// Idle is true when nothing came for long, and false when all of it took too long.
func Late(err error) (why string, idle bool) {
	var late *transport.LateError
	if !errors.As(err, &late) {
		return "", false
	}
	return late.Error(), late.Idle
}

// passing returns an errPassing to try again after an answer of such a status, of which it
// keeps the beginning of the body, and frees the connection.
func (g *Git) passing(req *http.Request, resp *http.Response) error {
	if err := transport.FromProxy(resp); err != nil {
		resp.Body.Close()
		return &NoAnswer{req.Method, req.URL.EscapedPath(), err}
	}
	if !transport.Passing(resp.StatusCode) {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, transport.MaxError)) // a part of it is enough
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(text))
	after, _ := transport.RetryAfter(resp.Header)
	return &transport.Again{Err: errPassing, After: min(after, gitPause)}
}

// checkRedirect lets through what keeps method, body and host. After a 301, 302 or 303 the
// request would go out as a GET without its body.
//
// Source: https://pkg.go.dev/net/http#Client.Do, read 2026-11.
func (g *Git) checkRedirect(req *http.Request, via []*http.Request) error {
	status := req.Response.StatusCode
	switch {
	case !sameHost(g.base, req.URL):
		return &elsewhere{host: req.URL.Host}
	case status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect:
		return fmt.Errorf("%w: %d %s", errRedirect, status, http.StatusText(status))
	}
	return tooMany(via)
}

// StatusError is the error of an answer other than success, of which the beginning of the
// body is given. It is an *Error.
func (g *Git) StatusError(slug string, status int, body []byte) error {
	e := &Error{Method: "git", Path: transport.Path(g.workspace, slug+".git"), Status: status, Credential: g.kind}
	e.decode(body)
	e.Hidden = status == http.StatusNotFound || g.pool.Proven() && judgeGit(status, body).Standing == transport.Either
	return e
}
