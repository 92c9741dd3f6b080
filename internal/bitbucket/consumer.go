package bitbucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

// Consumer is an OAuth consumer with a secret. Its access tokens come from the grant
// client_credentials, and stand for the owner of the consumer.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/oauth-2/, read 2026-11.
type Consumer struct {
	ID, Secret string
	BaseURL    string // of the API, as Config has it
	// OnToken is called with each access token before its first use.
	OnToken   func(token string)
	UserAgent string
	Transport http.RoundTripper
	Log       *slog.Logger
}

const (
	// tokenPath is below the host, whatever the path of the API is.
	tokenPath = "/site/oauth2/access_token"
	// tokenTimeout is the longest that asking for a token may take, once.
	tokenTimeout = 30 * time.Second
	// maxLife bounds what is believed of the life of a token: far more than any run takes.
	maxLife = 365 * 24 * time.Hour
)

// tokenURL is where access tokens for an API are asked for: at the website of Bitbucket's own,
// else at the API's host.
func tokenURL(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("base URL of Bitbucket: %w", err)
	}
	host := u.Host
	if strings.EqualFold(u.Hostname(), "api.bitbucket.org") && (u.Port() == "" || u.Port() == "443") {
		host = "bitbucket.org"
	}
	return &url.URL{Scheme: u.Scheme, Host: host, Path: tokenPath}, nil
}

// Tokens returns the consumer's access tokens; it makes no request. The secret goes to one
// address alone: no redirect is followed.
func (c Consumer) Tokens() (*transport.Tokens, error) {
	address, err := tokenURL(c.BaseURL)
	if err != nil {
		return nil, err
	}
	chain := transport.Log(c.Transport, c.Log, &transport.Budget{})
	chain = transport.Deadline(chain, tokenTimeout)
	chain = transport.Header(chain, "User-Agent", c.UserAgent)
	return transport.NewTokens(func(ctx context.Context) (transport.Token, error) {
		return c.ask(ctx, chain, address)
	}), nil
}

// ask asks once.
func (c Consumer) ask(ctx context.Context, chain http.RoundTripper, address *url.URL) (transport.Token, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	req, err := transport.NewRequest(ctx, http.MethodPost, address.String(), []byte(form.Encode()))
	if err != nil {
		return transport.Token{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(c.ID, c.Secret)
	resp, err := chain.RoundTrip(req)
	if err != nil {
		return transport.Token{}, interrupted(ctx, address.Host, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return transport.Token{}, tokenRefusal(address.Host, resp)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, transport.MaxError))
	if err != nil {
		return transport.Token{}, interrupted(ctx, address.Host, err)
	}
	token, err := readToken(text)
	if err != nil {
		return transport.Token{}, noToken(&ConsumerError{Host: address.Host, Err: err}, false, 0)
	}
	if c.OnToken != nil {
		c.OnToken(token.Text)
	}
	return token, nil
}

func noToken(e *ConsumerError, lasting bool, after time.Duration) *transport.TokenError {
	return &transport.TokenError{Err: e, Status: e.Status, Lasting: lasting, After: after}
}

// interrupted is the error of a request without a whole answer.
func interrupted(ctx context.Context, host string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no complete answer within %s", tokenTimeout)
	}
	err = transport.Interrupted(err)
	var again *transport.Again
	passing := errors.As(err, &again)
	if passing {
		err = again.Err
	}
	return noToken(&ConsumerError{Host: host, Err: err}, !passing, 0)
}

// tokenRefusal is the error of an answer other than success.
func tokenRefusal(host string, resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, transport.MaxError)) // a part of it is enough
	e := &ConsumerError{Host: host, Status: resp.StatusCode, Err: transport.FromProxy(resp)}
	e.decode(text)
	after, _ := transport.RetryAfter(resp.Header)
	passing := transport.Passing(e.Status) || e.Status == http.StatusTooManyRequests
	return noToken(e, !passing, after)
}

// readToken reads the answer of the grant. Its life may be a number of seconds or the text of
// one; where it is neither, or below one second's fraction, it is not known.
//
// Source: RFC 6749, section 5.1.
func readToken(text []byte) (transport.Token, error) {
	var answer struct {
		AccessToken string          `json:"access_token"`
		TokenType   string          `json:"token_type"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return transport.Token{}, errors.New("the answer is not the JSON of an access token")
	}
	switch {
	case answer.AccessToken == "":
		return transport.Token{}, errors.New("the answer holds no access token")
	case strings.ContainsFunc(answer.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }):
		return transport.Token{}, errors.New("the answer holds an access token that no header may hold")
	case answer.TokenType != "" && !strings.EqualFold(answer.TokenType, "bearer"):
		return transport.Token{}, fmt.Errorf("the answer holds a token of the type %q, and bearer was expected", oneLine(answer.TokenType))
	}
	token := transport.Token{Text: answer.AccessToken}
	seconds, err := strconv.ParseFloat(string(bytes.Trim(answer.ExpiresIn, `"`)), 64)
	if err == nil && seconds > 0 {
		token.Life = time.Duration(min(seconds, maxLife.Seconds()) * float64(time.Second))
	}
	return token, nil
}

// ConsumerError is why an OAuth consumer has no access token.
type ConsumerError struct {
	Host              string
	Status            int    // 0 when there was no answer, or one that cannot be used
	Code, Description string // the vendor's
	Err               error  // nil when Status says it
}

func (e *ConsumerError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ask for an access token of the OAuth consumer: POST %s at %s", tokenPath, e.Host)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %s", strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, statusText(e.Status))))
	}
	if e.Description != "" {
		fmt.Fprintf(&b, ": %s", e.Description)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *ConsumerError) Unwrap() error { return e.Err }

// decode reads the body of a refusal: that of RFC 6749, section 5.2, or any that the API has.
func (e *ConsumerError) decode(text []byte) {
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(text, &body) == nil && body.Error != "" {
		e.Code, e.Description = oneLine(body.Error), oneLine(body.Description)
		return
	}
	other := &Error{Status: e.Status}
	other.decode(text)
	e.Description = other.Message
}

// Fix says what to do about it.
//
// Source of what a consumer needs: https://github.com/jonhadfield/soba/issues/50, read 2026-11.
func (e *ConsumerError) Fix() string {
	const where = " in the settings of the OAuth consumer (in Bitbucket: workspace settings > OAuth consumers)"
	said := strings.ToLower(e.Code + " " + e.Description)
	switch {
	case strings.Contains(said, "callback"):
		return "write any address as the callback URL" + where + ": Bitbucket wants one, and it is not used"
	case strings.Contains(said, "public"), strings.Contains(said, "invalid_grant"), strings.Contains(said, "unsupported_grant"):
		return `tick "This is a private consumer"` + where
	case e.Status == http.StatusTooManyRequests:
		return "something else asks for many access tokens of this consumer: give it a consumer of its own, or run again later"
	case e.Status == 0, transport.Passing(e.Status):
		return itStays
	case e.Status == http.StatusNotFound, e.Status == http.StatusGone, e.Status == http.StatusMethodNotAllowed, e.Status/100 == 3:
		return "check bitbucket_host_url: access tokens are asked for at https://bitbucket.org for Bitbucket's own API, and at the host of bitbucket_host_url for another one; no redirect is followed with the secret"
	}
	return "check bitbucket_client_id and bitbucket_client_secret: they are the key and the secret" + where + "; a consumer that was deleted, or whose secret was renewed, is refused"
}
