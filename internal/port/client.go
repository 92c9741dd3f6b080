// Package port is a client of Port's API: the integration record, blueprints, and
// the entities of one integration's data source.
package port

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

// Client speaks for one integration. It is safe for concurrent use. Its parts share one
// session, with its token and its rate limits.
type Client struct {
	Entities   *Entities
	Blueprints *Blueprints
	DataSource *DataSource

	session    *session
	identifier string
	resync     string
}

// New returns a client; it makes no request.
func New(c Config) *Client {
	s := &session{clientID: c.ClientID, clientSecret: c.ClientSecret, onToken: c.OnToken, turn: make(chan struct{}, 1)}
	s.told = c.Progress.Service("Port")
	s.base, s.wait = c.BaseURL+"/v1", transport.Waiting("Port", s.told)
	t := transport.Log(transport.Observed(c.Transport, s.told), c.Log, &s.requests)
	t = transport.Deadline(t, attemptTimeout)
	s.transport = transport.Header(t, "User-Agent", c.userAgent())
	resync := newResync()
	return &Client{
		Entities:   &Entities{session: s, prefix: c.datasourcePrefix(), suffix: c.datasourceSuffix(), resync: resync},
		Blueprints: &Blueprints{s},
		DataSource: &DataSource{session: s, base: c.BaseURL, identifier: c.Identifier, version: c.Version},
		session:    s, identifier: c.Identifier, resync: resync,
	}
}

// Login gets an access token, and returns when Port made it: what Port stores from then on is no
// older. It is by Port's clock, to the second before; or by ours, which is finer, where both may show
// the same second or Port's answer has no date. Each call that needs a token
// logs in by itself; to do it first finds wrong credentials early.
func (c *Client) Login(ctx context.Context) (at time.Time, err error) { return c.session.start(ctx) }

// Requests is how many requests went out so far.
func (c *Client) Requests() int { return c.session.requests.Sent() }

// Identifier is the integration's.
func (c *Client) Identifier() string { return c.identifier }

// Resync is the random UUID that names the resync of this client: in its writes of entities, in
// the sync status and in the log.
func (c *Client) Resync() string { return c.resync }

func newResync() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// The values of Entities.takesResync.
const (
	unknown int32 = iota
	takes
	refuses
)

// write sends a write of entities with the resync that it belongs to: Port groups its audit log by
// it. Nothing else depends on that, and older documents of Port's API have no such parameters: where
// a first write is refused for them, as a whole and so without an effect, it is sent without them,
// and so are all that follow.
//
// Source: "ocean_info_resync_id" in the document of Port's API of 2026-05, and Ocean's client
// (port_ocean/clients/port/utils.py), read 2026-11.
func (e *Entities) write(ctx context.Context, k call, into any) error {
	known := e.takesResync.Load()
	if known == refuses {
		return e.session.do(ctx, k, into)
	}
	with := k
	with.query = maps.Clone(k.query)
	with.query.Set("ocean_info_event_type", "resync")
	with.query.Set("ocean_info_resync_id", e.resync)
	err := e.session.do(ctx, with, into)
	if err == nil {
		e.takesResync.CompareAndSwap(unknown, takes)
	}
	if known != unknown || !ofParameters(err) {
		return err
	}
	without := e.session.do(ctx, k, into)
	if without == nil || statusOf(without)/100 == 4 && !ofParameters(without) {
		e.takesResync.CompareAndSwap(unknown, refuses)
	}
	return without
}

// ofParameters reports whether Port may have refused a request for its parameters: it speaks of
// them.
func ofParameters(err error) bool {
	var e *Error
	if !errors.As(err, &e) || e.Status != http.StatusBadRequest && e.Status != http.StatusUnprocessableEntity {
		return false
	}
	text := strings.ToLower(e.Code + " " + e.Message)
	return strings.Contains(text, "ocean_info") || strings.Contains(text, "query") || strings.Contains(text, "parameter")
}
