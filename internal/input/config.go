package input

import (
	"encoding/base64"
	"log/slog"
	"time"
)

// Config is what the inputs ask for, checked. It is safe to print: secrets show
// as "***".
type Config struct {
	// Mode is what to do. In Validate only the inputs of the table that say so are
	// checked: the other fields may hold anything.
	Mode Mode

	PortClientID     Secret
	PortClientSecret Secret
	// PortBaseURL has no trailing slash and no /v1.
	PortBaseURL string

	// Workspace is a slug in lower case, or a UUID in braces.
	Workspace string
	// Credentials are the credentials to use, all of one kind: the first kind
	// given of workspace tokens, app password, API token. At least one.
	Credentials []Credential
	// BitbucketHostURL has no trailing slash.
	BitbucketHostURL string
	RateLimit        RateLimit
	// SourceRate is the allowance of requests for files and folders; nil when they
	// spend RateLimit like the others.
	SourceRate *RateLimit

	IntegrationIdentifier   string
	InitializePortResources bool

	// Mapping is the mapping's text and MappingFile the path of a file that
	// holds it. At most one is not empty.
	Mapping     string
	MappingFile string
	// PublishMapping says whether one of the two is shown on Port's page.
	PublishMapping PublishMapping
	// JQEnvAllow are the environment variables that jq may read.
	JQEnvAllow []string

	// Authorities are certificates in PEM, at least one, to trust beside the system's;
	// empty when there are none.
	Authorities []byte

	// Concurrency is the bound of requests to Bitbucket in flight, 1 to 100.
	Concurrency int
	// MaxFileSize is the size in bytes above which a file is skipped, 1 to 64 MiB.
	MaxFileSize int64
	// TimeLimit is zero when there is none.
	TimeLimit time.Duration
	Deletion  Deletion
	// MaxDeletions is nil when the number of deletions is not bounded.
	MaxDeletions *int
	// ConfirmRenames lets entities go that seem to live on under other identifiers.
	ConfirmRenames bool
	FailOn         FailOn
	// DetailedExit lets a plan with changes end with a status of its own.
	DetailedExit bool
	// SARIFFile is empty when no such file is asked for.
	SARIFFile string
	// ReportFile is empty when no report file is asked for.
	ReportFile string
	// SummaryFile is empty when no summary file is asked for.
	SummaryFile string
	// SyncStatus, ShipLogs and SendExamples say what Port's page shows of the run.
	SyncStatus   bool
	ShipLogs     bool
	SendExamples bool
	LogLevel     slog.Level

	// unused are the credentials that were given and not chosen: they are
	// scrubbed like the others.
	unused []Credential
}

// Secrets returns every secret that was given and what is derived from it: each
// token of a list, and the base64 text of a Basic header. Without repetitions.
func (c Config) Secrets() []string {
	var secrets []string
	seen := map[string]bool{"": true}
	add := func(texts ...string) {
		for _, text := range texts {
			if !seen[text] {
				seen[text] = true
				secrets = append(secrets, text)
			}
		}
	}
	add(c.PortClientID.Reveal(), c.PortClientSecret.Reveal())
	for _, list := range [][]Credential{c.Credentials, c.unused} {
		for _, credential := range list {
			add(credential.Secret.Reveal())
			if credential.Kind != WorkspaceToken {
				pair := credential.Username + ":" + credential.Secret.Reveal()
				add(base64.StdEncoding.EncodeToString([]byte(pair)))
			}
		}
	}
	return secrets
}

// CredentialKind is a kind of Bitbucket credential.
type CredentialKind int

// The kinds, in the order in which they are preferred.
const (
	WorkspaceToken CredentialKind = iota // Bearer
	AppPassword                          // Basic with a username; removed by Bitbucket on 2026-07-28
	APIToken                             // Basic with an e-mail address
)

func (k CredentialKind) String() string {
	switch k {
	case WorkspaceToken:
		return "workspace token"
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
	// password, an e-mail address for an API token, empty for a workspace token.
	Username string
	Secret   Secret
}

// RateLimit allows N requests in each rolling window.
type RateLimit struct {
	N      int
	Window time.Duration
}

// Mode says what to do.
type Mode string

// The values of mode.
const (
	Sync     Mode = "sync"     // read, map and write
	Plan     Mode = "plan"     // read and map, and tell what a sync would write
	Validate Mode = "validate" // check the mapping
)

// Modes are the values of mode, in the order of the manual.
func Modes() []Mode { return []Mode{Sync, Plan, Validate} }

// Deletion says what is done with stale entities.
type Deletion string

// The values of deletion.
const (
	DeletionApply  Deletion = "apply"
	DeletionReport Deletion = "report" // tell of them only
	DeletionNever  Deletion = "never"  // do not look for them
)

// FailOn says which partial runs end with a failing exit status.
type FailOn string

// The values of fail_on.
const (
	FailOnIncomplete FailOn = "incomplete" // something was not read or not delivered
	FailOnRejected   FailOn = "rejected"   // also when single entities were rejected
	FailOnNever      FailOn = "never"
)

// PublishMapping says when the mapping of the inputs replaces the one that the
// integration in Port shows.
type PublishMapping string

// The values of publish_mapping.
const (
	PublishIfEmpty PublishMapping = "if-empty" // when it shows none
	PublishAlways  PublishMapping = "always"
	PublishNever   PublishMapping = "never"
)
