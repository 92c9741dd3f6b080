package app

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/transport"
)

// kindOf names the kinds of the credentials in messages.
func kindOf(all []input.Credential) string {
	var names []string
	for _, c := range all {
		names = append(names, c.Kind.String())
	}
	return strings.Join(slices.Compact(names), " or ") // they are in the order of their kinds
}

// nameOf tells a credential apart from the others of its kind.
func nameOf(all []input.Credential, i int) string {
	n, of := 0, 0
	for j, c := range all {
		if c.Kind != all[i].Kind {
			continue
		}
		if of++; j <= i {
			n++
		}
	}
	if of == 1 {
		return all[i].Kind.String()
	}
	return fmt.Sprintf("%s %d of %d", all[i].Kind, n, of)
}

// credentialsOf makes the credentials of the inputs, in order. Those of one kind see the same:
// they are a group. Each access token that one is given is hidden by mask before its first use.
func credentialsOf(c input.Config, through http.RoundTripper, log *slog.Logger, mask func(secrets ...string)) ([]transport.Credential, error) {
	var all []transport.Credential
	for i, given := range c.Credentials {
		credential := transport.Credential{Name: nameOf(c.Credentials, i), Group: int(given.Kind)}
		if given.Kind != input.OAuthConsumer {
			credential.Authorize, credential.AuthorizeGit = authorize(given), authorizeGit(given)
			all = append(all, credential)
			continue
		}
		var err error
		credential.Tokens, err = bitbucket.Consumer{
			ID: given.Username, Secret: given.Secret.Reveal(), BaseURL: c.BitbucketHostURL,
			OnToken:   func(token string) { mask(token, basic(given.GitUser(), token)) },
			UserAgent: program + "/" + Version(), Transport: through, Log: log,
		}.Tokens()
		if err != nil {
			return nil, err
		}
		credential.Present = bearer
		credential.PresentGit = func(req *http.Request, token string) { req.SetBasicAuth(given.GitUser(), token) }
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
