package bitbuckettest

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// TokenRoute is the route that gives access tokens to OAuth consumers, as Exchange.Route has it. It is outside
// the prefix of REST, on the host of the website; Prefix does not move it.
// Source: https://developer.atlassian.com/cloud/bitbucket/oauth-2/, read 2026-11.
const TokenRoute = "/site/oauth2/access_token"

// The hosts of the real service: the API's is not that of TokenRoute.
const (
	websiteHost = "bitbucket.org"
	apiHost     = "api.bitbucket.org"
)

// defaultLife is how long an access token of a consumer is good. Clients report 7,200 seconds.
const defaultLife = 2 * time.Hour

// Consumer says what an OAuth consumer may do.
type Consumer struct {
	// Access is that of its access tokens, which share one allowance. Expires is set for each of them. The default
	// Name is the id.
	Access
	// Life is how long each access token is good, in whole seconds; 0 is two hours.
	Life time.Duration
	// Public makes it a consumer that may not have tokens of its own, and NoCallback one that lacks what the service
	// wants of each. Source: https://github.com/jenkinsci/bitbucket-build-status-notifier-plugin/pull/47 and
	// https://github.com/composer/composer/pull/5335, read 2026-11.
	Public, NoCallback bool
}

type consumer struct {
	Consumer
	id, secret string
	revoked    bool
	tokens     int // that were given
	ledger     *ledger
}

// AllowConsumer accepts an OAuth consumer with the grant client_credentials. Naming one again replaces what it
// may do; its tokens, and what they have used, stay.
func (a *access) AllowConsumer(id, secret string, opts ...Consumer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &consumer{id: id, ledger: newLedger()}
	if old := a.consumers[id]; old != nil {
		c = old
	}
	c.secret, c.revoked = secret, false
	for _, o := range opts {
		c.Consumer = o
		c.ledger.set(o.Access)
	}
	c.Name = cmp.Or(c.Name, id)
	if a.consumers == nil {
		a.consumers = make(map[string]*consumer)
	}
	a.consumers[id] = c
}

// RevokeConsumerTokens refuses from now on each access token that a consumer was given so far.
func (a *access) RevokeConsumerTokens(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.tokens {
		if c.consumer != nil && c.consumer.id == id {
			c.revoked = true
		}
	}
}

// ConsumerTokens are the access tokens that consumers were given so far.
func (a *access) ConsumerTokens() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for text, c := range a.tokens {
		if c.consumer != nil {
			all = append(all, text)
		}
	}
	return all
}

// tokenError is a refusal in the form of RFC 6749, section 5.2, which is not that of REST. The status is 400 also
// for a wrong secret. Source: https://github.com/harness/harness/issues/1650, read 2026-11.
func tokenError(code, description string) *answer {
	return respondJSON(http.StatusBadRequest, object{{"error_description", description, shown}, {"error", code, shown}})
}

// consumerOf finds the consumer of a request for a token, or refuses it.
func (a *access) consumerOf(r *http.Request) (*consumer, *answer) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		return nil, tokenError("unauthorized_client", "Requests must be authenticated using OAuth client credentials").noted("no Basic credential of a consumer")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c, wrong := a.consumers[id], tokenError("unauthorized_client", "Invalid OAuth client credentials")
	switch {
	case c == nil || c.secret != secret:
		return nil, wrong.noted("unknown consumer or secret")
	case c.revoked:
		return c, wrong
	}
	return c, nil
}

// token answers a request for an access token whose consumer is known. What makes a form of it more than the one
// parameter, and what puts it into the query, is refused here: a secret might come to lie in a log.
func (a *access) token(r *http.Request, c *consumer) *answer {
	bad := func(code, description string) *answer { return tokenError(code, description).noted(description) }
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "Method \""+r.Method+"\" not allowed.").noted("method " + r.Method)
	}
	if r.Host == apiHost {
		return respond(http.StatusNotFound, "text/html", []byte("<html>Not found</html>")).noted("a token is asked for at the host of the API")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return bad("invalid_request", "The body is no form")
	}
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	switch {
	case err != nil:
		return bad("invalid_request", "The form does not parse")
	case r.URL.RawQuery != "":
		return bad("invalid_request", "Parameters in the query")
	case form.Get("grant_type") != "client_credentials":
		return bad("unsupported_grant_type", fmt.Sprintf("Unsupported grant type: %s", form.Get("grant_type")))
	case len(form) != 1 || len(form["grant_type"]) != 1:
		return bad("invalid_request", "More parameters than grant_type")
	case c.Public:
		return tokenError("invalid_grant", `Cannot use client_credentials with a consumer marked as "public". Calls for auto generated consumers should use urn:bitbucket:oauth2:jwt instead.`)
	case c.NoCallback:
		return tokenError("invalid_request", "No callback uri defined for the OAuth client.")
	}
	return a.grant(r.Host, c)
}

// grant makes one more access token of a consumer.
func (a *access) grant(host string, c *consumer) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	c.tokens++
	digest := sha256.Sum256(fmt.Appendf(nil, "token %d of %s", c.tokens, c.id))
	text := base64.URLEncoding.EncodeToString(digest[:])
	life := cmp.Or(c.Life, defaultLife)
	given := &credential{Access: c.Access, ledger: c.ledger, consumer: c, host: host}
	given.Expires = time.Now().Add(life)
	if a.tokens == nil {
		a.tokens = make(map[string]*credential)
	}
	a.tokens[text] = given
	scopes := c.Scopes
	if scopes == nil {
		scopes = []string{"project", "repository", "pullrequest"}
	}
	return respondJSON(http.StatusOK, object{
		{"scopes", strings.Join(scopes, " "), shown},
		{"access_token", text, shown},
		{"expires_in", int(life / time.Second), shown},
		{"token_type", "bearer", shown},
		{"state", "client_credentials", shown},
	})
}

// strayed says why a token of a consumer is refused at a host; empty where it may be used. One of another service
// is none of this one.
func (c *credential) strayed(host string) string {
	if c.consumer == nil || host == c.host || c.host == websiteHost && host == apiHost {
		return ""
	}
	return "an access token of " + c.host + " sent to " + host
}
