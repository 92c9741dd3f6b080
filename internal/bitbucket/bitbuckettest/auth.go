package bitbuckettest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Access says what a credential may do. The zero value: every read scope, 1,000 calls an hour per
// resource class, no rate headers, never expires.
type Access struct {
	// Name stands for the credential in the journal. The default is "token1", "token2", ... for access
	// tokens and the user for Basic.
	Name string
	// Scopes that are granted; nil grants all that reading needs. Access tokens use the classic names
	// (repository), API tokens the long ones (read:repository:bitbucket).
	Scopes []string
	// Limit is the number of calls per Window and resource class; 0 is the default, below 0 is no limit.
	Limit  int
	Window time.Duration
	// Headers sends X-RateLimit-* with the answers under /repositories. Access tokens only.
	Headers bool
	// Forgiving leaves refused calls out of the count.
	Forgiving bool
	// RetryAfter is sent with each 429 when positive. The real service sends none.
	RetryAfter time.Duration
	// Expires is the moment from which the credential is refused; zero is never.
	Expires time.Time
}

type credential struct {
	Access
	basic   bool
	revoked bool
	ledger  *ledger
}

type access struct {
	mu     sync.Mutex
	tokens map[string]*credential    // by secret
	basics map[[2]string]*credential // by user and secret
	users  map[string]*ledger        // Basic: all secrets of one user share one allowance
}

// AllowToken accepts an access token as Bearer. Each has an allowance of its own. Naming a token again
// replaces its access and keeps what it has used.
func (s *Server) AllowToken(token string, opts ...Access) {
	s.access.mu.Lock()
	defer s.access.mu.Unlock()
	if s.access.tokens == nil {
		s.access.tokens = make(map[string]*credential)
	}
	c := &credential{ledger: newLedger()}
	c.Name = "token" + strconv.Itoa(len(s.access.tokens)+1)
	if old := s.access.tokens[token]; old != nil {
		c.ledger, c.Name = old.ledger, old.Name
	}
	c.take(opts)
	s.access.tokens[token] = c
}

// AllowBasic accepts a user API token (the user is the e-mail address) or an app password (the user is the
// username) as Basic. All secrets of one user share one allowance.
func (s *Server) AllowBasic(user, secret string, opts ...Access) {
	s.access.mu.Lock()
	defer s.access.mu.Unlock()
	if s.access.basics == nil {
		s.access.basics = make(map[[2]string]*credential)
		s.access.users = make(map[string]*ledger)
	}
	if s.access.users[user] == nil {
		s.access.users[user] = newLedger()
	}
	c := &credential{basic: true, ledger: s.access.users[user]}
	c.Name = user
	c.take(opts)
	s.access.basics[[2]string{user, secret}] = c
}

func (c *credential) take(opts []Access) {
	name := c.Name
	for _, o := range opts {
		c.Access = o
		c.ledger.set(o)
	}
	if c.Name == "" {
		c.Name = name
	}
}

// Revoke refuses a token or a Basic secret from now on.
func (s *Server) Revoke(secret string) {
	s.access.mu.Lock()
	defer s.access.mu.Unlock()
	if c := s.access.tokens[secret]; c != nil {
		c.revoked = true
	}
	for k, c := range s.access.basics {
		if k[1] == secret {
			c.revoked = true
		}
	}
}

// invalidToken is the vendor's one text for a wrong token, an expired one and one of the wrong kind.
// Source: https://github.com/snyk/user-docs/pull/864, read 2026-11.
const invalidToken = "Token is invalid, expired, or not supported for this endpoint."

// admit checks the credential, then counts the call. The answer is nil when the request may go on.
func (s *Server) admit(q *request) *answer {
	s.access.mu.Lock()
	defer s.access.mu.Unlock()
	header := q.Header.Get("Authorization")
	if header == "" {
		return unauthorized("Authentication is required to access this resource.").noted("no credential")
	}
	c, why := s.access.find(q.Request, header)
	if c == nil {
		return unauthorized(invalidToken).noted(why)
	}
	q.cred = c
	now := time.Now()
	if c.revoked || (!c.Expires.IsZero() && !now.Before(c.Expires)) {
		return unauthorized(invalidToken)
	}
	if !c.ledger.take(q.class(), now, c.Forgiving) {
		return tooMany(c.RetryAfter)
	}
	return nil
}

func (a *access) find(r *http.Request, header string) (c *credential, why string) {
	if token, ok := strings.CutPrefix(header, "Bearer "); ok {
		if c := a.tokens[token]; c != nil {
			return c, ""
		}
		for k := range a.basics {
			if k[1] == token {
				return nil, "an API token or app password sent as Bearer"
			}
		}
		return nil, "unknown access token"
	}
	if user, secret, ok := r.BasicAuth(); ok {
		if c := a.basics[[2]string{user, secret}]; c != nil {
			return c, ""
		}
		return nil, "unknown user or secret"
	}
	return nil, "Authorization is neither Bearer nor Basic"
}

func unauthorized(message string) *answer {
	a := refuse(http.StatusUnauthorized, message)
	a.header.Set("WWW-Authenticate", `Basic realm="Bitbucket.org HTTP"`)
	return a
}

// permit compares the route's scope with those granted. The refusal's detail is an object.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/, read 2026-11; the shape of the
// refusal is as users report it.
func (c *credential) permit(rt *routeSpec) *answer {
	need := rt.scope
	if c.basic {
		need = rt.granular
	}
	if need == "" || c.Scopes == nil || slices.ContainsFunc(c.Scopes, func(have string) bool { return implies(have, need) }) {
		return nil
	}
	granted := make(list, len(c.Scopes))
	for i, sc := range c.Scopes {
		granted[i] = sc
	}
	return respondJSON(http.StatusForbidden, object{
		{"type", "error", shown},
		{"error", object{
			{"message", "Your credentials lack one or more required privilege scopes.", shown},
			{"detail", object{{"required", list{need}, shown}, {"granted", granted, shown}}, shown},
		}, shown},
	}).noted("missing scope " + need)
}

// implies tells whether a granted scope covers a needed one. Of the classic scopes, project and
// pullrequest bring repository along, and a write or admin scope brings its read scope. The long names of
// API tokens imply nothing.
func implies(have, need string) bool {
	if have == need {
		return true
	}
	if strings.HasSuffix(have, ":bitbucket") {
		return false
	}
	base, _, _ := strings.Cut(have, ":")
	return base == need || (need == "repository" && (base == "project" || base == "pullrequest"))
}
