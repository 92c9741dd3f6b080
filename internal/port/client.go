// Package port is a client of Port's API: the integration record, blueprints, and
// the entities of one integration's data source.
package port

import (
	"context"
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
}

// New returns a client; it makes no request.
func New(c Config) *Client {
	s := &session{clientID: c.ClientID, clientSecret: c.ClientSecret, onToken: c.OnToken, turn: make(chan struct{}, 1)}
	s.base, s.wait = c.BaseURL+"/v1", transport.Waiting("Port", c.Log)
	t := transport.Log(c.Transport, c.Log, &s.requests)
	t = transport.Deadline(t, attemptTimeout)
	s.transport = transport.Header(t, "User-Agent", c.userAgent())
	return &Client{
		Entities:   &Entities{session: s, prefix: c.datasourcePrefix(), suffix: c.datasourceSuffix()},
		Blueprints: &Blueprints{s},
		DataSource: &DataSource{session: s, base: c.BaseURL, identifier: c.Identifier, version: c.Version},
		session:    s, identifier: c.Identifier,
	}
}

// Login gets an access token, and returns when Port made it, by Port's clock and to the
// second before: what Port stores from then on is no older. Each call that needs a token
// logs in by itself; to do it first finds wrong credentials early.
func (c *Client) Login(ctx context.Context) (at time.Time, err error) { return c.session.start(ctx) }

// Requests is how many requests went out so far.
func (c *Client) Requests() int { return c.session.requests.Sent() }

// Identifier is the integration's.
func (c *Client) Identifier() string { return c.identifier }
