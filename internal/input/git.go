package input

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// SourceReader is how folders and files are read.
type SourceReader string

// The values of source_reader.
const (
	ReaderAuto SourceReader = "auto" // over git where that is known to work, else over REST
	ReaderGit  SourceReader = "git"  // over git alone: a repository that it cannot read fails
	ReaderREST SourceReader = "rest"
)

// GitUser is the user name under which the git host takes the credential; empty when it
// takes none of the kind. An e-mail address is never one.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/oauth-2/,
// https://support.atlassian.com/bitbucket-cloud/docs/using-workspace-access-tokens/
// and https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/, read 2026-11.
func (c Credential) GitUser() string {
	switch c.Kind {
	case WorkspaceToken, OAuthConsumer: // its access token
		return "x-token-auth"
	case APIToken:
		return "x-bitbucket-api-token-auth"
	}
	return ""
}

// encoded are the texts of the credential's Basic headers, for REST and, where it is used,
// for git.
func (c Credential) encoded(git bool) []string {
	users := []string{c.Username}
	if git && c.Kind != OAuthConsumer { // its secret does not go there
		users = append(users, c.GitUser())
	}
	var all []string
	for _, user := range users {
		if user != "" {
			all = append(all, base64.StdEncoding.EncodeToString([]byte(user+":"+c.Secret.Reveal())))
		}
	}
	return all
}

// ownAPI is the host of Bitbucket's own API.
const ownAPI = "api.bitbucket.org"

// UsesGit reports whether folders and files are read over git, and if not, why, as a
// sentence without a full stop. Where it was not asked for, git is used only with a kind of
// credential that is known to work there, and never sends one to Bitbucket's own git host in
// a run against another API.
func (c Config) UsesGit() (uses bool, why string) {
	switch c.SourceReader {
	case ReaderGit:
		return true, ""
	case ReaderREST:
		return false, "source_reader rest reads over REST"
	}
	const rest = "source_reader auto reads over REST: "
	if kind, none := c.notForGit(); none {
		return false, rest + "the git host takes no " + kind
	}
	if host, err := url.Parse(c.BitbucketHostURL); !c.gitHostGiven && (err != nil || host.Host != ownAPI) {
		return false, rest + "bitbucket_host_url is not Bitbucket's own, and git_host_url is not given"
	}
	if strings.HasPrefix(c.Workspace, "{") {
		return false, rest + "bitbucket_workspace is a UUID, and the addresses of git have the slug"
	}
	return true, ""
}

// notForGit returns the kind of the credentials when the git host takes none of them.
func (c Config) notForGit() (kind string, none bool) {
	for _, credential := range c.Credentials {
		if credential.GitUser() != "" {
			return "", false
		}
		kind = credential.Kind.String()
	}
	return kind, kind != ""
}

// checkGit wants a credential for git where it was asked for.
func checkGit(reader value, c Config) {
	if kind, none := c.notForGit(); none && c.SourceReader == ReaderGit {
		reader.problem("set bitbucket_workspace_token, or bitbucket_client_id and bitbucket_client_secret (an OAuth consumer), "+
			"or bitbucket_user_email and bitbucket_user_scoped_token (an API token with scopes), "+
			"and remove bitbucket_app_password; or set source_reader to auto",
			"the git host takes no %s", kind)
	}
}
