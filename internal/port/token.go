package port

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

// tokenMargin is how long before its end a token is not used any more.
const tokenMargin = time.Minute

// unknownLife is how long a token is used when the answer does not say how long
// it lasts. Port refuses it when that was too long, and it is renewed.
const unknownLife = time.Hour

type token struct {
	text, kind string
	end        time.Time
	made       time.Time // by Port's clock, to the second before
}

func (t token) header() string { return t.kind + " " + t.text }

// Login gets an access token, and returns when Port made it, by Port's clock and to the
// second before: what Port stores from then on is no older. Each call that needs a token
// logs in by itself; to do it first finds wrong credentials early.
func (c *Client) Login(ctx context.Context) (at time.Time, err error) {
	var t token
	err = c.retry(ctx, callLogin.route(), transport.Attempts, maxLimitWait, func() (err error) {
		t, err = c.login(ctx)
		return err
	})
	return t.made, err
}

// callLogin is sent with the credential as its body.
//
// API: https://docs.port.io/api-reference/create-an-access-token
var callLogin = call{method: http.MethodPost, path: "/auth/access_token"}

// login gets a token when there is none that lasts, in one attempt.
func (c *Client) login(ctx context.Context) (token, error) {
	if t, ok := c.current(); ok {
		return t, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return token{}, context.Cause(ctx)
	}
	if t, ok := c.current(); ok { // another call has logged in meanwhile
		return t, nil
	}
	body, err := json.Marshal(map[string]string{"clientId": c.config.ClientID, "clientSecret": c.config.ClientSecret})
	if err != nil {
		return token{}, err
	}
	var answer struct {
		AccessToken string  `json:"accessToken"`
		ExpiresIn   float64 `json:"expiresIn"`
		TokenType   string  `json:"tokenType"`
	}
	header, err := c.attempt(ctx, callLogin, body, "", &answer)
	if err != nil {
		return token{}, fmt.Errorf("log in to Port: %w", err)
	}
	if answer.AccessToken == "" {
		return token{}, traced(errors.New("log in to Port: the answer holds no token"), header.Get(traceHeader))
	}
	if answer.TokenType == "" {
		answer.TokenType = "Bearer"
	}
	if c.config.OnToken != nil {
		c.config.OnToken(answer.AccessToken)
	}
	life := time.Duration(answer.ExpiresIn * float64(time.Second))
	if life <= 0 {
		life = unknownLife
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token{
		text: answer.AccessToken,
		kind: answer.TokenType,
		end:  time.Now().Add(life - min(tokenMargin, life/2)),
		made: portTime(header),
	}
	return c.token, nil
}

// current is the token, when there is one that lasts.
func (c *Client) current() (token, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token, c.token.text != "" && time.Now().Before(c.token.end)
}

// forget drops a token that Port refused, unless it has been renewed meanwhile.
func (c *Client) forget(t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == t {
		c.token = token{}
	}
}

// portTime is the time of an answer by the server's clock, to the second before.
func portTime(h http.Header) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return time.Now().Truncate(time.Second)
}
