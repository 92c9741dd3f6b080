package app

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/transport"
)

// kindOf names the kind of the credentials in messages.
func kindOf(all []input.Credential) string {
	if len(all) == 0 {
		return ""
	}
	return all[0].Kind.String()
}

// credentialsOf makes the credentials of the inputs, in order. Each access token that one is
// given is hidden by mask before its first use.
func credentialsOf(c input.Config, through http.RoundTripper, log *slog.Logger, mask func(secrets ...string)) ([]transport.Credential, error) {
	var all []transport.Credential
	for i, given := range c.Credentials {
		credential := transport.Credential{Name: given.Kind.String(), Authorize: authorize(given), AuthorizeGit: authorizeGit(given)}
		if len(c.Credentials) > 1 {
			credential.Name = fmt.Sprintf("%s %d of %d", given.Kind, i+1, len(c.Credentials))
		}
		if given.Kind == input.OAuthConsumer {
			tokens, err := bitbucket.Consumer{
				ID: given.Username, Secret: given.Secret.Reveal(), BaseURL: c.BitbucketHostURL,
				OnToken:   func(token string) { mask(token, basic(given.GitUser(), token)) },
				UserAgent: program + "/" + Version, Transport: through, Log: log,
			}.Tokens()
			if err != nil {
				return nil, err
			}
			credential = transport.Credential{Name: credential.Name, Tokens: tokens, Present: bearer, PresentGit: func(req *http.Request, token string) {
				req.SetBasicAuth(given.GitUser(), token)
			}}
		}
		all = append(all, credential)
	}
	return all, nil
}

// basic is the text of a Basic header.
func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

func bearer(req *http.Request, token string) { req.Header.Set("Authorization", "Bearer "+token) }

// authorize sets the header of one credential.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#authentication, read 2026-11.
func authorize(c input.Credential) func(*http.Request) {
	secret := c.Secret.Reveal()
	if c.Kind == input.WorkspaceToken {
		return func(req *http.Request) { bearer(req, secret) }
	}
	return func(req *http.Request) { req.SetBasicAuth(c.Username, secret) }
}

// authorizeGit sets the header for the git host; it is nil for a credential that is of no use
// there.
func authorizeGit(c input.Credential) func(*http.Request) {
	user, secret := c.GitUser(), c.Secret.Reveal()
	if user == "" {
		return nil
	}
	return func(req *http.Request) { req.SetBasicAuth(user, secret) }
}
