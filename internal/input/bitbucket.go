package input

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// secret reads an input that is sent in a header. The text is in no problem.
func (p *parser) secret(id string) Secret {
	text := p.text(id)
	if strings.ContainsFunc(text, unprintable) {
		p.problem(p.where(id), "copy it again, as one line without spaces",
			"it holds a space, a line break or a character that cannot be seen")
	}
	return NewSecret(text)
}

func unprintable(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

// credentialIDs are the inputs that credentials are made of.
var credentialIDs = []string{
	"bitbucket_workspace_token",
	"bitbucket_username", "bitbucket_app_password",
	"bitbucket_user_email", "bitbucket_user_scoped_token",
}

// credentials answers those of the first kind that was given, and the rest.
// The order is Ocean's: workspace tokens, username and app password, e-mail
// address and scoped token (port-labs/ocean, integrations/bitbucket-cloud,
// commit 607bead, read 2026-11).
func (p *parser) credentials() (chosen, unused []Credential) {
	tokens := p.workspaceTokens()
	appPassword := p.pair(AppPassword, "bitbucket_username", "bitbucket_app_password")
	apiToken := p.pair(APIToken, "bitbucket_user_email", "bitbucket_user_scoped_token")

	if len(appPassword) > 0 {
		p.warn("bitbucket_app_password is set (from %s): Bitbucket removed app passwords on 2026-07-28; "+
			"remove it and use bitbucket_user_email and bitbucket_user_scoped_token instead", p.values["bitbucket_app_password"].from)
	}
	for _, kind := range [][]Credential{tokens, appPassword, apiToken} {
		switch {
		case len(kind) == 0:
		case len(chosen) == 0:
			chosen = kind
		default:
			unused = append(unused, kind...)
			p.warn("the %s is not used, because another credential is given too: the %s", kind[0].Kind, chosen[0].Kind)
		}
	}
	if len(chosen) == 0 && !slices.ContainsFunc(credentialIDs, p.hasProblem) {
		p.problem("input bitbucket_workspace_token",
			"set bitbucket_workspace_token (one or several workspace access tokens), "+
				"or bitbucket_user_email and bitbucket_user_scoped_token (an API token with scopes); "+
				"bitbucket_username and bitbucket_app_password are read too, but Bitbucket removed app passwords on 2026-07-28",
			"no credential for Bitbucket is set")
	}
	return chosen, unused
}

// workspaceTokens reads a list separated by commas, without empty items and
// repetitions.
func (p *parser) workspaceTokens() []Credential {
	const id = "bitbucket_workspace_token"
	var tokens []Credential
	var bad bool
	for item := range strings.SplitSeq(p.text(id), ",") {
		secret := NewSecret(strings.TrimSpace(item))
		if secret.IsZero() || slices.ContainsFunc(tokens, func(c Credential) bool { return c.Secret.Equal(secret) }) {
			continue
		}
		bad = bad || strings.ContainsFunc(secret.Reveal(), unprintable)
		tokens = append(tokens, Credential{Kind: WorkspaceToken, Secret: secret})
	}
	switch {
	case bad:
		p.problem(p.where(id), "copy it again, as one line without spaces; separate several tokens by commas",
			"a token holds a space, a line break or a character that cannot be seen")
	case len(tokens) == 0 && p.values[id].ok():
		p.problem(p.where(id), "write one token, or several separated by commas", "it holds commas and no token")
	}
	return tokens
}

// pair reads the two halves of a Basic credential. A lone secret is returned
// too, with a problem reported, so that it is scrubbed.
func (p *parser) pair(kind CredentialKind, userID, secretID string) []Credential {
	user, secret := p.text(userID), p.secret(secretID)
	switch {
	case user == "" && secret.IsZero():
		return nil
	case user == "":
		p.missingHalf(secretID, userID)
	case secret.IsZero():
		p.missingHalf(userID, secretID)
		return nil
	case strings.Contains(user, ":") || strings.ContainsFunc(user, unprintable):
		p.problem(p.where(userID), "write the name alone; the password or token has an input of its own, "+secretID,
			"it holds a colon, a space or a line break")
	}
	return []Credential{{Kind: kind, Username: user, Secret: secret}}
}

func (p *parser) missingHalf(set, missing string) {
	if p.hasProblem(missing) {
		return
	}
	p.problem(p.where(set), "set "+missing+" too, or remove "+set, "it is set without %s", missing)
}

// address reads a base URL. The text is in no problem: it may hold a password.
func (p *parser) address(id string) string {
	var example string
	for _, in := range Table {
		if in.ID == id {
			example = in.Default
		}
	}
	fix := "write an address such as " + example
	u, err := url.Parse(p.text(id))
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		p.problem(p.where(id), fix, "it is not an address that begins with https:// and a host")
	case u.User != nil:
		p.problem(p.where(id), fix+"; credentials have inputs of their own", "it holds a username or password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(p.text(id), "#"):
		p.problem(p.where(id), fix, "it has a part after \"?\" or \"#\"")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		p.problem(p.where(id), "write https:// instead of http://",
			"plain http would send credentials unencrypted to %s; it is allowed to this machine only", u.Hostname())
	default:
		u.Host = strings.ToLower(u.Host)
		return strings.TrimRight(u.String(), "/")
	}
	return ""
}

// loopback says whether a request to the host stays on this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// trimPortBase drops the version that other tools of Port want in the address.
func trimPortBase(address string) string {
	return strings.TrimRight(strings.TrimSuffix(address, "/v1"), "/")
}

// workspacePattern takes a workspace's slug or its UUID in curly braces, as the
// API does. Source: the workspace parameter in Bitbucket's API description, read 2026-11.
var workspacePattern = regexp.MustCompile(`^(?:[a-z0-9_.-]+|\{[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\})$`)

func validWorkspace(text string) bool {
	return workspacePattern.MatchString(text) && strings.Trim(text, ".") != ""
}

func (p *parser) workspace() string {
	const id = "bitbucket_workspace"
	text := strings.ToLower(p.text(id))
	if !p.values[id].ok() || validWorkspace(text) {
		return text
	}
	if slug, ok := workspaceOfAddress(text); ok {
		p.problem(p.where(id), "write "+slug, "it is an address, not the slug of a workspace")
		return ""
	}
	p.problem(p.where(id), `write the part of the workspace's address after bitbucket.org/, such as "acme"`,
		"it is not the slug of a workspace: letters, digits, \"-\", \"_\" and \".\"")
	return ""
}

// workspaceOfAddress finds the slug in an address of Bitbucket's website or API.
func workspaceOfAddress(text string) (string, bool) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() != "bitbucket.org" && !strings.HasSuffix(u.Hostname(), ".bitbucket.org") {
		return "", false
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		switch segment {
		case "", "2.0", "workspaces", "workspace", "repositories":
			continue
		}
		return segment, validWorkspace(segment)
	}
	return "", false
}
