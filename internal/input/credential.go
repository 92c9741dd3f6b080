package input

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// CredentialKind is a kind of Bitbucket credential.
type CredentialKind int

// The kinds, in the order in which they are preferred.
const (
	WorkspaceToken CredentialKind = iota // Bearer
	OAuthConsumer                        // Bearer with access tokens, which it is asked for with its id and secret
	AppPassword                          // Basic with a username; removed by Bitbucket on 2026-07-28
	APIToken                             // Basic with an e-mail address
)

func (k CredentialKind) String() string {
	switch k {
	case WorkspaceToken:
		return "workspace token"
	case OAuthConsumer:
		return "OAuth consumer"
	case AppPassword:
		return "app password"
	case APIToken:
		return "API token"
	default:
		return "unknown kind of credential"
	}
}

// Credential is one credential for Bitbucket.
type Credential struct {
	Kind CredentialKind
	// Username is the user part of Basic authentication: a username for an app
	// password, an e-mail address for an API token, the id of an OAuth consumer where that
	// asks for an access token, empty for a workspace token.
	Username string
	Secret   Secret
}

// secret reads an input that is sent in a header. Its problems do not show the text.
func secret(v value) Secret {
	if strings.ContainsFunc(v.text, unprintable) {
		v.problem("copy it again, as one line without spaces",
			"it holds a space, a line break or a character that cannot be seen")
	}
	return NewSecret(v.text)
}

func unprintable(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

// credentialIDs are the inputs that credentials are made of.
var credentialIDs = []string{
	"bitbucket_workspace_token",
	"bitbucket_client_id", "bitbucket_client_secret",
	"bitbucket_username", "bitbucket_app_password",
	"bitbucket_user_email", "bitbucket_user_scoped_token",
}

// credentials reads all of them, and returns those that are used, of the first kind that is given
// unless all are wanted, and the rest. The order is Ocean's: workspace tokens, username and app password, e-mail
// address and scoped token (port-labs/ocean, integrations/bitbucket-cloud,
// commit 607bead, read 2026-11), with the OAuth consumer, which Ocean does not have, after
// workspace tokens.
func credentials(env Environment, all values, useAll bool, rep *report) (chosen, unused []Credential) {
	tokens := workspaceTokens(all["bitbucket_workspace_token"])
	consumer := pair(OAuthConsumer, all["bitbucket_client_id"], all["bitbucket_client_secret"])
	appPassword := pair(AppPassword, all["bitbucket_username"], all["bitbucket_app_password"])
	apiToken := pair(APIToken, all["bitbucket_user_email"], all["bitbucket_user_scoped_token"])

	if len(appPassword) > 0 {
		rep.warn("bitbucket_app_password is set (from %s): Bitbucket removed app passwords on 2026-07-28; "+
			"remove it and use bitbucket_user_email and bitbucket_user_scoped_token instead", all["bitbucket_app_password"].from)
	}
	for _, kind := range [][]Credential{tokens, consumer, appPassword, apiToken} {
		switch {
		case len(kind) == 0:
		case len(chosen) == 0 || useAll:
			chosen = append(chosen, kind...)
		default:
			unused = append(unused, kind...)
			both := "; to use both, set credentials to all"
			if kind[0].Kind == AppPassword {
				both = ""
			}
			rep.warn("the %s is not used, because another credential is given too: the %s%s", kind[0].Kind, chosen[0].Kind, both)
		}
	}
	if len(chosen) == 0 && !slices.ContainsFunc(credentialIDs, rep.hasProblem) {
		token := inputOf("bitbucket_workspace_token")
		rep.problem(location("bitbucket_workspace_token", ""),
			fmt.Sprintf("for a workspace access token %s; for an API token with scopes %s and %s in its place; for an OAuth consumer %s and %s%s",
				env.write(token, ""), env.called("bitbucket_user_email"), env.called("bitbucket_user_scoped_token"),
				env.called("bitbucket_client_id"), env.called("bitbucket_client_secret"), env.noSecret(token)),
			"no credential for Bitbucket is set")
	}
	return chosen, unused
}

// workspaceTokens reads a list separated by commas, without empty items and
// repetitions.
func workspaceTokens(v value) []Credential {
	var tokens []Credential
	var bad bool
	for item := range strings.SplitSeq(v.text, ",") {
		secret := NewSecret(strings.TrimSpace(item))
		if secret.IsZero() || slices.ContainsFunc(tokens, func(c Credential) bool { return c.Secret.Equal(secret) }) {
			continue
		}
		bad = bad || strings.ContainsFunc(secret.Reveal(), unprintable)
		tokens = append(tokens, Credential{Kind: WorkspaceToken, Secret: secret})
	}
	switch {
	case bad:
		v.problem("copy it again, as one line without spaces; separate several tokens by commas",
			"a token holds a space, a line break or a character that cannot be seen")
	case len(tokens) == 0 && v.ok():
		v.problem("write one token, or several separated by commas", "it holds commas and no token")
	}
	return tokens
}

// pair reads the two halves of a Basic credential. It returns a lone secret too, with a
// problem reported, so that it is scrubbed.
func pair(kind CredentialKind, user, password value) []Credential {
	hidden := secret(password)
	switch {
	case user.text == "" && hidden.IsZero():
		return nil
	case user.text == "":
		password.lacks(user)
	case hidden.IsZero():
		user.lacks(password)
		return nil
	case strings.Contains(user.text, ":") || strings.ContainsFunc(user.text, unprintable):
		user.problem("write the name alone; the password or token has an input of its own, "+password.id,
			"it holds a colon, a space or a line break")
	}
	return []Credential{{Kind: kind, Username: user.text, Secret: hidden}}
}
