// Package bitbucket is a client of the Bitbucket Cloud REST API 2.0, for reading
// a whole workspace with few requests.
package bitbucket

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/transport"
)

// Object is a JSON value from Bitbucket, whole, with numbers as json.Number.
type Object = map[string]any

// attemptTimeout is the longest that one attempt may take, its body included.
const attemptTimeout = time.Minute

// Client reads one workspace. It is safe for concurrent use.
type Client struct {
	Parts Parts // of the routes that are asked for parts of values
	// Transport sends requests of other packages to the same service: by the client's
	// credentials, within their allowances, and counted with its own.
	Transport http.RoundTripper

	base      *url.URL
	workspace string
	kind      string
	http      *http.Client
	pool      *transport.Pool
	git       *Git // nil without
	requests  *transport.Budget
	told      *progress.Service
	auto      bool
	// sourcesApart is true when requests for folders and files have an allowance of
	// their own.
	sourcesApart bool
	answered     atomic.Bool // with JSON as it is due, at least once
	pageBuffers  pageBuffers
	pagelens     pagelens
	keyed        sync.Map // route name → true where the server was seen to keep to it
	unkeyed      sync.Map // route name → true where the server does not keep to the key of a Sorted list
	down         sync.Map // route name → true while even its shortest page fails, or a file is waited for in vain
}

// New returns a client; it makes no request.
func New(c Config) (*Client, error) {
	base, err := url.Parse(c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("base URL of Bitbucket: %w", err)
	}
	client := &Client{base: base, workspace: c.Workspace, kind: c.CredentialKind, requests: transport.NewBudget(c.MaxRequests)}
	client.told = c.Progress.Source(Name)
	chain := transport.Log(transport.Observed(c.Transport, client.told), c.Log, client.requests)
	chain = transport.Deadline(chain, attemptTimeout)
	chain = transport.Header(chain, "User-Agent", c.UserAgent)
	rates, class := transport.Rates{Default: c.Rate}, classOf
	if c.SourceRate.N > 0 {
		client.sourcesApart = true
		rates.Classes, class = map[string]transport.Rate{classSource: c.SourceRate}, classWithSource
	}
	slots := transport.NewSlots(c.Concurrency)
	client.pool = transport.NewPool(chain, c.Credentials, rates, transport.Service{Class: class, Scope: scopeOf, Judge: judge, Leads: leads, Auto: c.Auto, Budget: client.requests, Progress: client.told}, slots, c.Log)
	client.auto = c.Auto
	client.pool.Begin(c.Spent)
	client.Transport = client.pool
	client.http = &http.Client{Transport: client.pool, CheckRedirect: checkRedirect(client.base)}
	client.git, err = newGit(c, slots)
	return client, err
}

// Git is the host of the workspace's git repositories; nil when it is not used.
func (c *Client) Git() *Git { return c.git }

// Requests is how many requests went out so far.
func (c *Client) Requests() int { return c.requests.Sent() }

// Left is how many more requests may go out; false without a bound. With Config.Auto it is
// what the allowances give soon, at the moment: those for folders and files do not count where
// they have an allowance of their own.
func (c *Client) Left() (n int, bounded bool) {
	if c.auto {
		return c.pool.Left(classRepositories), true
	}
	return c.requests.Left()
}

// Spending is what the credentials have spent of their allowances, in order, for the client of
// a later run to begin with.
func (c *Client) Spending() [][]transport.Spending { return c.pool.Spending() }

// Forecast is what requests cost at the client's allowances.
type Forecast = transport.Forecast

// Forecast says what so many requests cost, some of them for folders and files.
func (c *Client) Forecast(requests, sources int) Forecast {
	classes := map[string]int{classRepositories: requests}
	if c.sourcesApart {
		classes[classSource] = sources
	} else {
		classes[classRepositories] += sources
	}
	return c.pool.Forecast(classes)
}

// Spent says what the requests so far cost.
func (c *Client) Spent() Forecast { return c.pool.Spent() }

// Credentials describes, for each credential, how it fared.
func (c *Client) Credentials() []string { return c.pool.Credentials() }

// Workspace is the slug of the workspace that the client reads.
func (c *Client) Workspace() string { return c.workspace }

// classSource is that of requests for folders and files when they have an
// allowance of their own. The vendor's page counts all of /2.0/repositories as
// repository data, and raw files apart: what these requests are it does not say.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/, read 2026-11.
const classSource = "source"

// classWithSource is classOf, with classSource told apart.
func classWithSource(req *http.Request) string {
	_, rest, _ := strings.Cut(req.URL.EscapedPath(), "/repositories/")
	if segments := strings.SplitN(rest, "/", 4); len(segments) > 2 && segments[2] == "src" {
		return classSource
	}
	return classOf(req)
}

// classRepositories is that of all requests for what repositories hold.
const classRepositories = "repositories"

// classOf names the group of routes whose refusals belong together.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/, read 2026-11.
func classOf(req *http.Request) string {
	if strings.Contains(req.URL.Path, "/repositories/") {
		return classRepositories
	}
	return "workspaces"
}

// Path returns the path of a route below the workspace in a collection, such as
// "repositories", for an Endpoint. Each segment is escaped.
func (c *Client) Path(collection string, segments ...string) string {
	return transport.Path(append([]string{collection, c.workspace}, segments...)...)
}

// checkRedirect lets no redirect lead to another host than that of the base.
func checkRedirect(base *url.URL) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		if !sameHost(base, req.URL) {
			return &elsewhere{req.URL.Host, media(req)}
		}
		return tooMany(via)
	}
}

// url is the address of a path below the base.
func (c *Client) url(path string, q url.Values) string {
	address := c.base.Scheme + "://" + c.base.Host + c.base.EscapedPath() + path
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	return address
}

// question is one GET.
type question struct {
	address string
	accept  string // JSON when it is empty
	// final are statuses that are not tried again.
	final []int
	// attempts is how often it goes out at most; 0 is transport.Attempts.
	attempts int
	// files is true when the answer may be a file: what is neither JSON nor a web page is
	// not tried again then.
	files bool
	// buffer is what the answer, a page, is read with; nil for any other answer.
	buffer *pageBuffer
}

// do sends a GET, with retries, and hands each good answer to read. What read
// returns as an *transport.Again, as for a cut body, is tried again. The error is ErrBudget
// when no request is left for it.
func (c *Client) do(ctx context.Context, q question, read func(*http.Response) error) error {
	return c.requests.Retry(ctx, c.told, cmp.Or(q.attempts, transport.Attempts), func() error {
		req, err := transport.NewRequest(ctx, http.MethodGet, q.address, nil)
		if err != nil {
			return err
		}
		if q.accept != "" {
			req.Header.Set("Accept", q.accept)
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return transportError(ctx, req, err, c.answered.Load())
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return c.statusError(req, resp, slices.Contains(q.final, resp.StatusCode))
		}
		return read(resp)
	})
}

// transportError leaves the URL, and with it the query, out of the message. The API may have answered before.
func transportError(ctx context.Context, req *http.Request, err error, answered bool) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	if transport.AsTokenError(err) != nil { // it was asked for often enough
		return err
	}
	if errors.Is(err, errRedirect) {
		err = fmt.Errorf("%s %s: %w", req.Method, req.URL.EscapedPath(), err)
		if !answered {
			return &notAPI{err}
		}
		return err
	}
	err = fmt.Errorf("%s %s: %w", req.Method, req.URL.EscapedPath(), inTime(err))
	if errors.Is(err, ErrBudget) {
		return err
	}
	err = transport.Interrupted(err)
	if again, ok := err.(*transport.Again); ok {
		again.Err = &broken{again.Err}
	}
	return err
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

// readBody reads the body of an answer, at most so much of it. What is cut off, or takes
// too long, is tried again.
func readBody(ctx context.Context, resp *http.Response, limit int64) ([]byte, error) {
	var text bytes.Buffer
	err := readInto(ctx, &text, resp, limit)
	return text.Bytes(), err
}

// readInto is readBody into the room of a buffer. What that holds is gone.
func readInto(ctx context.Context, into *bytes.Buffer, resp *http.Response, limit int64) error {
	into.Reset()
	if n := min(resp.ContentLength, limit); n > 0 && n <= maxPageBuffer { // what it says may be wrong
		into.Grow(int(n) + bytes.MinRead)
	}
	_, err := into.ReadFrom(io.LimitReader(resp.Body, limit))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		err = inTime(err)
	default:
		err = fmt.Errorf("the answer was cut off: %w", err)
	}
	return again("GET %s: %w", resp.Request.URL.EscapedPath(), err)
}

// json decodes an answer; what is not whole JSON of that shape is tried again.
func (c *Client) json(ctx context.Context, q question, into any) error {
	return c.do(ctx, q, func(resp *http.Response) error {
		where := "GET " + resp.Request.URL.EscapedPath()
		if kind := mediaType(resp.Header); q.files && kind != "" && kind != "application/json" && kind != "text/html" {
			return &broken{fmt.Errorf("%s: the answer is not the JSON that was expected, but %s", where, kind)}
		}
		buffer := &bytes.Buffer{}
		if q.buffer != nil {
			buffer = &q.buffer.text
		}
		err := readInto(ctx, buffer, resp, transport.MaxJSON+1)
		text := buffer.Bytes()
		switch {
		case err != nil:
			return err
		case len(text) > transport.MaxJSON:
			return fmt.Errorf("%s: the answer is larger than %d MiB", where, transport.MaxJSON>>20)
		}
		if p, isPage := into.(*page); isPage && q.buffer != nil && q.buffer.read(p) == nil {
			c.answered.Store(true)
			return nil
		}
		if err := decode(text, into); err != nil {
			if bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) && !c.answered.Load() {
				err = &notAPI{err}
			}
			return again("%s: the answer is not the JSON that was expected (%s, %d bytes): %w", where, resp.Header.Get("Content-Type"), len(text), err)
		}
		c.answered.Store(true)
		return nil
	})
}

// mediaType is that of a body, without parameters; empty when the header names none.
func mediaType(h http.Header) string {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// decode reads one JSON value and nothing after it. Numbers in objects stay exact. Nothing
// of an earlier attempt stays.
func decode(text []byte, into any) error {
	if l, ok := into.(*Listed); ok {
		l.JSON = text
		return decode(text, &l.Object)
	}
	// Lists are long: what has no numbers to keep exact is read in place, without the copy
	// that a Decoder makes. The Decoder words what is wrong.
	if _, numbers := into.(*Object); !numbers {
		reflect.ValueOf(into).Elem().SetZero()
		if json.Unmarshal(text, into) == nil {
			return transport.Check(into)
		}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	err := transport.Decode(d, into)
	var wrong *transport.TypeError
	if errors.As(err, &wrong) {
		wrong.Field = strings.ToLower(wrong.Field) // a name in Go otherwise
	}
	if err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON")
	}
	return nil
}
