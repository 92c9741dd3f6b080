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
// resource class, 60,000 to the git host, no rate headers, never expires.
type Access struct {
	// Name stands for the credential in the journal. The default is "token1", "token2", ... for access
	// tokens and the user for Basic.
	Name string
	// Scopes that are granted; nil grants all that reading needs. Access tokens use the classic names
	// (repository), API tokens the long ones (read:repository:bitbucket).
	Scopes []string
	// Hidden are the slugs of repositories that the credential may not see: they are not listed, and not found.
	Hidden []string
	// Limit is the number of calls per Window and resource class; 0 means the default, below 0 means no limit.
	Limit  int
	Window time.Duration
	// GitLimit is the number of requests to the git host per Window; 0 means the default, below 0 means no limit.
	GitLimit int
	// Headers sends X-RateLimit-* with the answers under /repositories. Access tokens only.
	Headers bool
	// Forgiving leaves refused calls out of the count.
	Forgiving bool
	// NotAdmin is true for a user who is not an admin of the workspace and its repositories: addresses of members are
	// null, and permissions and branch restrictions answer 403.
	NotAdmin bool
	// RetryAfter is sent with each 429 when positive. The real service sends none.
	RetryAfter time.Duration
	// Expires is the moment from which the credential is refused; zero means never.
	Expires time.Time
}

type credential struct {
	Access
	basic    bool
	revoked  bool
	shutOut  bool
	ledger   *ledger
	consumer *consumer       // that was given this access token; nil for any other
	host     string          // that has given it
	refused  map[string]bool // requests, since it is good no more
}

type access struct {
	mu     sync.Mutex
	tokens map[string]*credential    // by secret
	basics map[[2]string]*credential // by user and secret
	users  map[string]*ledger        // Basic: all secrets of one user share one allowance

	consumers map[string]*consumer // by id
}

// AllowToken accepts an access token as Bearer. Each has an allowance of its own. Naming a token again
// replaces its access and keeps what it has used.
func (a *access) AllowToken(token string, opts ...Access) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tokens == nil {
		a.tokens = make(map[string]*credential)
	}
	c := &credential{ledger: newLedger()}
	c.Name = "token" + strconv.Itoa(len(a.tokens)+1)
	if old := a.tokens[token]; old != nil {
		c.ledger, c.Name = old.ledger, old.Name
	}
	c.take(opts)
	a.tokens[token] = c
}

// AllowBasic accepts a user API token (the user is the e-mail address) or an app password (the user is the
// username) as Basic. All secrets of one user share one allowance.
func (a *access) AllowBasic(user, secret string, opts ...Access) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.basics == nil {
		a.basics = make(map[[2]string]*credential)
		a.users = make(map[string]*ledger)
	}
	if a.users[user] == nil {
		a.users[user] = newLedger()
	}
	c := &credential{basic: true, ledger: a.users[user]}
	c.Name = user
	c.take(opts)
	a.basics[[2]string{user, secret}] = c
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

// Revoke refuses a token, a Basic secret, or the secret of a consumer from now on. The tokens of a consumer stay.
func (a *access) Revoke(secret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.consumers {
		c.revoked = c.revoked || c.secret == secret
	}
	if c := a.tokens[secret]; c != nil {
		c.revoked = true
	}
	for _, c := range a.basic(secret) {
		c.revoked = true
	}
}

func (a *access) basic(secret string) []*credential {
	var all []*credential
	for k, c := range a.basics {
		if k[1] == secret {
			all = append(all, c)
		}
	}
	return all
}

// ShutOut refuses an API token or an app password from now on, as after too many attempts with a wrong one.
// Source: a recorded answer of 2020.
func (a *access) ShutOut(secret string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.basic(secret) {
		c.shutOut = true
	}
}

// invalidToken is the vendor's one text for a wrong token, an expired one and one of the wrong kind.
// Source: https://github.com/snyk/user-docs/pull/864, read 2026-11.
const invalidToken = "Token is invalid, expired, or not supported for this endpoint."

// tokenOver is its text for an access token of a consumer whose life is over.
// Source: https://github.com/swoodford/migrate_bitbucket_server_to_bitbucket_cloud/issues/1, read 2026-11.
const tokenOver = "Access token expired. Use your refresh token to obtain a new access token."

// admit checks the credential of a request, then counts the call. The answer is nil when the request may go on.
func (a *access) admit(r *http.Request, class string) (*credential, *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, refusal := a.recognise(r, class)
	if refusal != nil {
		return nil, refusal
	}
	now := time.Now()
	if c.revoked || (!c.Expires.IsZero() && !now.Before(c.Expires)) {
		return c, c.over(r, class)
	}
	if c.shutOut {
		return c, respond(http.StatusForbidden, "text/plain", []byte(tooManyAttempts))
	}
	if !c.ledger.take(class, now, c.Forgiving) {
		return c, tooMany(c.RetryAfter)
	}
	return c, nil
}

// over refuses a credential that is good no more. A caller asks for another access token before it sends the
// request again.
func (c *credential) over(r *http.Request, class string) *answer {
	refusal := unauthorized(invalidToken)
	switch {
	case class == classGit:
		refusal = gitRefusal(http.StatusUnauthorized, hiddenRepository)
	case c.consumer != nil && !c.revoked:
		refusal = unauthorized(tokenOver)
	}
	address := r.Method + " " + r.URL.RequestURI()
	if c.refused[address] && c.consumer != nil && class != classGit {
		refusal.noted("sent again with an access token that was refused")
	}
	if c.refused == nil {
		c.refused = make(map[string]bool)
	}
	c.refused[address] = true
	return refusal
}

// recognise finds the credential of a request, or refuses it.
func (a *access) recognise(r *http.Request, class string) (*credential, *answer) {
	header := r.Header.Get("Authorization")
	find := func() (*credential, string) { return a.find(r, header) }
	refusal := unauthorized(invalidToken)
	switch {
	case class == classGit:
		find = func() (*credential, string) { return a.findGit(r) }
		refusal = gitRefusal(http.StatusUnauthorized, hiddenRepository)
	case strings.HasPrefix(header, "Basic "):
		refusal = wrongBasic()
	case header == "":
		refusal = unauthorized("Authentication is required to access this resource.")
	}
	if header == "" {
		return nil, refusal.noted("no credential")
	}
	c, why := find()
	if c == nil {
		return nil, refusal.noted(why)
	}
	return c, nil
}

// rateHeaders adds what the credential's owner is told of its allowance.
func (a *access) rateHeaders(c *credential, class string, to *answer) {
	if c == nil || !c.Headers || c.basic || class != classRepositories {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c.ledger.rateHeaders(to)
}

func (a *access) find(r *http.Request, header string) (c *credential, why string) {
	if token, ok := strings.CutPrefix(header, "Bearer "); ok {
		if c := a.tokens[token]; c != nil {
			if why := c.strayed(r.Host); why != "" {
				return nil, why
			}
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
		if a.consumers[user] != nil {
			return nil, "the secret of a consumer sent to the API"
		}
		return nil, "unknown user or secret"
	}
	return nil, "Authorization is neither Bearer nor Basic"
}

// wrongBasic says nothing of why. Source: a recorded answer.
func wrongBasic() *answer {
	a := respond(http.StatusUnauthorized, "text/html; charset=utf-8", nil)
	a.header.Set("WWW-Authenticate", basicRealm)
	return a
}

const (
	basicRealm      = `Basic realm="Bitbucket.org HTTP"`
	tooManyAttempts = "Too many invalid password attempts. Log in at https://id.atlassian.com/ to restore access."
)

func unauthorized(message string) *answer {
	a := refuse(http.StatusUnauthorized, message)
	a.header.Set("WWW-Authenticate", basicRealm)
	return a
}

// permit compares a route's scope, of access tokens and of API tokens, with those granted. The refusal's detail is an object.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/, read 2026-11; the shape of the
// refusal is as users report it.
func (c *credential) permit(classic, granular string) *answer {
	need := c.missing(classic, granular)
	if need == "" {
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

// sees reports whether a credential may see a repository.
func (c *credential) sees(r *repository) bool { return !slices.Contains(c.Hidden, r.Slug) }

// missing is the scope that a credential needs and does not have; "" when it has it.
func (c *credential) missing(classic, granular string) string {
	need := classic
	if c.basic {
		need = granular
	}
	if need == "" || c.Scopes == nil || slices.ContainsFunc(c.Scopes, func(have string) bool { return implies(have, need) }) {
		return ""
	}
	return need
}

// implies reports whether a granted scope covers a needed one. Of the classic scopes, project and
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
