// Package port is a client of Port's API: the integration record, blueprints, and
// the entities of one integration's data source.
package port

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

const (
	attemptTimeout = time.Minute
	// maxJSON bounds an answer that is read as a whole.
	maxJSON = 64 << 20
	// maxLimitWait bounds how long one request waits for Port's rate limit in all.
	maxLimitWait = 15 * time.Minute
	// firstLimitPause is the wait after a 429 that names none, doubling.
	firstLimitPause = 2 * time.Second
	// briefAttempts and briefTime bound a call without which a run is the same.
	briefAttempts = 2
	briefTime     = 10 * time.Second
)

// IntegrationType is the incumbent's, so that its installations are taken over.
const IntegrationType = "bitbucket-cloud"

// Config says which integration of which organization to work for.
type Config struct {
	BaseURL      string // "https://api.port.io", without /v1
	ClientID     string
	ClientSecret string
	Identifier   string // of the integration
	Version      string // ours
	Transport    http.RoundTripper
	Log          *slog.Logger
	// OnToken is told every access token before its first use.
	OnToken func(token string)
}

// Client speaks for one integration. It is safe for concurrent use.
type Client struct {
	config    Config
	transport http.RoundTripper
	wait      transport.Wait
	requests  atomic.Int64
	pace      pace
	// lasting are the routes on which a request was refused for as long as one waits,
	// until one gets through.
	lasting sync.Map
	// down are the blueprints of which Port was seen to fail at whatever was written,
	// until it takes something.
	down sync.Map

	turn chan struct{} // holds a value while a login is under way

	mu    sync.Mutex // guards what follows
	token token
}

// New returns a client; it makes no request.
func New(c Config) *Client {
	client := &Client{config: c, wait: transport.Waiting("Port", c.Log), turn: make(chan struct{}, 1)}
	t := transport.Log(c.Transport, c.Log, &client.requests)
	t = transport.Deadline(t, attemptTimeout)
	// Port copies the User-Agent into $datasource of what is written: it says who
	// owns an entity. Source: Ocean's client (port_ocean/clients/port), read 2026-11.
	agent := fmt.Sprintf("port-ocean/%s/%s/%s/exporter", IntegrationType, c.Version, c.Identifier)
	client.transport = transport.Header(t, "User-Agent", agent)
	return client
}

// Requests is how many requests went out so far.
func (c *Client) Requests() int { return int(c.requests.Load()) }

// Identifier is the integration's.
func (c *Client) Identifier() string { return c.config.Identifier }

func (c *Client) datasourcePrefix() string { return "port-ocean/" + IntegrationType + "/" }

func (c *Client) datasourceSuffix() string { return "/" + c.config.Identifier + "/exporter" }

// call is one request: its body is built once, and sent anew with each attempt.
type call struct {
	method string
	path   string // below /v1, escaped
	query  url.Values
	body   any // JSON when it is []byte, or what is made JSON of; nil for none
	// address is what stands before the path, when that is not below /v1.
	address string
	header  http.Header // beside those of every call
	// once is true for what is not safe to repeat.
	once bool
	// brief is true for what a run does not depend on: two attempts, and ten seconds
	// in all.
	brief bool
	// attempts is how often it goes out at most; 0 is transport.Attempts.
	attempts int
	// answered is told the headers of a good answer; nil for nobody.
	answered func(http.Header)
}

// where names a call in messages.
func (k call) where() string {
	if k.address != "" {
		return k.method + " " + k.address + k.path
	}
	return k.method + " /v1" + k.path
}

// path joins segments, each one escaped.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// do sends the call with a valid token, and decodes a good answer into the value,
// when there is one. A token that Port does not know any more is renewed once.
func (c *Client) do(ctx context.Context, k call, into any) error {
	body, err := encode(k.body)
	if err != nil {
		return fmt.Errorf("%s: %w", k.where(), err)
	}
	attempts, maxWait := cmp.Or(k.attempts, transport.Attempts), maxLimitWait
	if k.brief {
		attempts, maxWait = briefAttempts, briefTime
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, briefTime, fmt.Errorf("%s: no answer within %s", k.where(), briefTime))
		defer stop()
	}
	renewed := false
	return c.retry(ctx, k.route(), attempts, maxWait, func() error {
		for {
			token, err := c.login(ctx)
			if err != nil {
				return err
			}
			header, err := c.attempt(ctx, k, body, token.header(), into)
			if err == nil && k.answered != nil {
				k.answered(header)
			}
			var again *transport.Again
			if k.once && errors.As(err, &again) {
				return again.Err
			}
			var e *Error
			if renewed || !errors.As(err, &e) || e.Status != http.StatusUnauthorized {
				return err
			}
			renewed = true
			c.forget(token)
		}
	})
}

// encode makes a request's body.
func encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []byte:
		return v, nil
	}
	return json.Marshal(v)
}

// retry repeats what failed for a passing reason, and waits out rate limits, so long
// in all: but not when another call of the route has waited in vain.
func (c *Client) retry(ctx context.Context, route string, attempts int, maxWait time.Duration, attempt func() error) error {
	var waited time.Duration
	pause := firstLimitPause
	return transport.Retry(ctx, attempts, func() error {
		for {
			err := attempt()
			var limit *limited
			if !errors.As(err, &limit) {
				if err == nil {
					c.lasting.Delete(route)
				}
				return err
			}
			if _, vain := c.lasting.Load(route); vain {
				return limit.err
			}
			wait := limit.after
			if wait == 0 {
				wait, pause = pause, 2*pause
			}
			if waited += wait; waited > maxWait {
				if maxWait == maxLimitWait {
					c.lasting.Store(route, true)
				}
				return limit.err
			}
			if err := c.wait(ctx, wait, transport.Refused); err != nil {
				return err
			}
		}
	})
}

// attempt sends one request, and returns the headers of a good answer. The error
// is an *Error when Port answered, within a *transport.Again or a *limited where
// the same request may succeed later.
func (c *Client) attempt(ctx context.Context, k call, body []byte, authorization string, into any) (http.Header, error) {
	where := k.where()
	address := cmp.Or(k.address, c.config.BaseURL+"/v1") + k.path
	if len(k.query) > 0 {
		address += "?" + k.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, k.method, address, bytes.NewReader(body))
	if err == nil {
		err = transport.CheckPath(req.URL)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	maps.Copy(req.Header, k.header)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if err := c.pace.wait(ctx, k.route(), c.wait); err != nil {
		return nil, err
	}
	whole := ctx
	if k.brief {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, briefTime/briefAttempts)
		defer stop()
		req = req.WithContext(ctx)
	}
	resp, err := c.transport.RoundTrip(req) // no redirects: the token and the entities go to one host alone
	if err != nil {
		return nil, c.again(whole, where, err)
	}
	defer resp.Body.Close()
	c.pace.learn(k.route(), resp)
	if resp.StatusCode/100 != 2 {
		return nil, statusError(where, resp)
	}
	// A body that is read to its end leaves the connection for the next request.
	defer io.CopyN(io.Discard, resp.Body, maxErrorBytes)
	if into == nil {
		return resp.Header, nil
	}
	err = decode(resp.Body, into)
	switch {
	case errors.Is(err, errStop):
		return nil, err
	case err != nil:
		return nil, c.again(whole, where, traced(fmt.Errorf("the answer is not the whole JSON that is due: %w", err), resp.Header.Get(traceHeader)))
	}
	return resp.Header, nil
}

// checker is an answer that knows what it must hold.
type checker interface{ check() error }

// reader reads an answer piece by piece.
type reader func(*json.Decoder) error

func decode(body io.Reader, into any) error {
	if read, ok := into.(reader); ok {
		d := json.NewDecoder(body)
		d.UseNumber()
		return read(d)
	}
	reflect.ValueOf(into).Elem().SetZero() // of what an earlier attempt left
	d := json.NewDecoder(io.LimitReader(body, maxJSON))
	d.UseNumber()
	err := plain(d.Decode(into))
	if c, ok := into.(checker); ok && err == nil {
		return c.check()
	}
	return err
}

// plain says in words of JSON that a value is of another type.
func plain(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return err
	case wrong.Field == "":
		return fmt.Errorf("it is of the JSON type %s", wrong.Value)
	}
	return fmt.Errorf("%q is of the JSON type %s", wrong.Field, wrong.Value)
}

func (c *Client) again(ctx context.Context, where string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = traced(errors.New("no complete answer in time"), Trace(err))
	}
	err = fmt.Errorf("%s: %w", where, err)
	if untrusted := transport.Untrusted(err); untrusted != nil {
		return untrusted
	}
	if p := transport.AsProxyError(err); p != nil && p.Lasting() {
		return err
	}
	return &transport.Again{Err: err}
}
