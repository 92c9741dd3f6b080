package porttest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Role is what a client may do.
type Role string

// Since 2026-03-08 only a moderator or an admin may read an integration.
// Source: Port's API reference, "Get an integration", read 2026-11.
const (
	Admin     Role = "admin"
	Moderator Role = "moderator"
	Member    Role = "member"
)

const (
	tokenPath            = "/v1/auth/access_token"
	defaultTokenLifetime = 3 * time.Hour
	defaultRatePeriod    = time.Minute
)

type client struct {
	secret string
	role   Role
}

type token struct {
	role    Role
	expires time.Time
}

// AllowClient registers a credential. Its role is the first of roles, or Admin.
func (s *Server) AllowClient(id, secret string, roles ...Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := client{secret: secret, role: Admin}
	if len(roles) > 0 {
		c.role = roles[0]
	}
	s.clients[id] = c
}

// RevokeTokens makes every token given out so far worthless.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for text := range s.tokens {
		s.tokens[text] = token{}
	}
}

// accessToken is POST /v1/auth/access_token.
func (s *Server) accessToken(c *call) answer {
	id, _ := c.object()["clientId"].(string)
	secret, _ := c.object()["clientSecret"].(string)
	known, found := s.clients[id]
	if !found || known.secret != secret {
		return refuse(http.StatusUnauthorized, "invalid_credentials", "client id or client secret is wrong")
	}
	lifetime := s.options.TokenLifetime
	if lifetime == 0 {
		lifetime = defaultTokenLifetime
	}
	text := fmt.Sprintf("porttest.%d.%s", len(s.tokens)+1, known.role)
	s.tokens[text] = token{role: known.role, expires: time.Now().Add(lifetime)}
	return answer{status: http.StatusOK, body: map[string]any{
		"ok": true, "accessToken": text, "expiresIn": lifetime.Seconds(), "tokenType": "Bearer",
	}}
}

// authorize checks the token of every other route.
func (s *Server) authorize(r *http.Request) (Role, *answer) {
	text, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	known, found := s.tokens[text]
	var a answer
	switch {
	case !bearer || !found:
		a = violate(http.StatusUnauthorized, "unauthorized", "no token, or one that was never given out")
	case !time.Now().Before(known.expires):
		a = refuse(http.StatusUnauthorized, "unauthorized", "the token has expired or was revoked")
	default:
		return known.role, nil
	}
	return "", &a
}

// RateLimited counts the requests that were answered 429 because the window of
// Options.RateLimit was used up, or for Options.PublishedLimits.
func (s *Server) RateLimited() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limited
}

// rateWindow counts requests in windows of a fixed length.
type rateWindow struct {
	start time.Time
	used  int
}

// take counts one request and reports whether it is over the limit.
func (w *rateWindow) take(o Options, now time.Time) bool {
	if now.Sub(w.start) >= o.ratePeriod() {
		w.start, w.used = now, 0
	}
	w.used++
	return o.RateLimit > 0 && w.used > o.RateLimit
}

// describe sets the headers that Port puts on every answer.
// Source: Port's API reference, "Rate limits", read 2026-11.
func (w *rateWindow) describe(o Options, h http.Header) {
	limit := o.RateLimit
	if limit == 0 {
		limit = 1_000_000
	}
	set := func(name string, n int64) { h.Set("x-ratelimit-"+name, strconv.FormatInt(n, 10)) }
	set("period", int64(o.ratePeriod()/time.Second))
	set("limit", int64(limit))
	set("remaining", int64(max(0, limit-w.used)))
	// Rounded up: at the second it names, the window is over.
	set("reset", w.start.Add(o.ratePeriod()+time.Second-time.Nanosecond).Unix())
}

func (o Options) ratePeriod() time.Duration {
	if o.RatePeriod == 0 {
		return defaultRatePeriod
	}
	return o.RatePeriod
}
