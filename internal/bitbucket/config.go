package bitbucket

import (
	"log/slog"
	"net/http"

	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/transport"
)

// What the services are called in messages.
const (
	Name    = "Bitbucket"
	GitName = "Bitbucket's git host"
)

// Config says which workspace to read, and how.
type Config struct {
	BaseURL   string // "https://api.bitbucket.org/2.0", without a trailing slash
	Workspace string // slug
	// Credentials are used side by side; CredentialKind names their kinds.
	Credentials    []transport.Credential
	CredentialKind string // for messages: "workspace token"
	Rate           transport.Rate
	// SourceRate is the allowance of requests for folders and files of a
	// repository. When N is 0 they spend Rate as other repository data does.
	SourceRate transport.Rate
	// MaxRequests is how many requests go out to the API at most, retries, redirects and
	// second credentials included; those to the git host do not count. 0 means no bound.
	MaxRequests int
	// Auto bounds the requests by what the allowances of the credentials give: no request
	// waits long for one, and none goes out by a credential that has answered 429.
	Auto bool
	// Spent is what the credentials have spent before, in order; see Client.Spending.
	Spent       [][]transport.Spending
	Git         GitConfig
	Concurrency int // requests under way at once, those to the git host included
	UserAgent   string
	Transport   http.RoundTripper
	Log         *slog.Logger
	// Progress records requests and waits; nil for none.
	Progress *progress.Record
}

// GitConfig says how git repositories are read. The zero value is: not at all.
type GitConfig struct {
	BaseURL string // "https://bitbucket.org", without a trailing slash
	Rate    transport.Rate
}

// gitCredentials are the credentials that the git host takes.
func (c Config) gitCredentials() []transport.Credential {
	var all []transport.Credential
	for _, given := range c.Credentials {
		if given.AuthorizeGit != nil || given.PresentGit != nil {
			all = append(all, transport.Credential{Name: given.Name, Group: given.Group, Authorize: given.AuthorizeGit, Tokens: given.Tokens, Present: given.PresentGit})
		}
	}
	return all
}
