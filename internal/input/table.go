// Package input reads what the user asked for: one table of inputs, the
// environment names each may have, and the checks that turn them into a Config.
//
// It does not know where it runs: the environment is passed in. All problems of
// all inputs are returned together.
package input

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/nearest"
)

// Input is one row of the table of inputs. A new input is a row, its field of Config, and
// its use. The help, the action's and the pipe's metadata and the manual show the same
// rows: the tests of the program write them there, with -update.
type Input struct {
	// ID is the name in snake_case, as written under "with:" in a workflow.
	ID string
	// Help is one plain sentence.
	Help string
	// Default is the value used when nothing is given, as a user would write it.
	Default string
	// Words are the values, where it takes one of a few.
	Words []string
	// Secret values are never printed.
	Secret bool
	// Required inputs have no default and must be given.
	Required bool
	// Validate inputs are read in the mode validate too, which ignores the others.
	Validate bool
	// Group is the heading of the help that the input stands under, one of Groups. It is
	// empty for the mode, which the help shows as commands.
	Group string
	// Ocean are the names the same setting has for users of Port's Ocean
	// integration, matched without regard to case. A key of the integration
	// config is also found without its underscores and in the JSON object
	// OCEAN__INTEGRATION__CONFIG.
	Ocean []string

	// accept reports whether a value is one. A plain variable of the environment that holds
	// another is some other program's, and skipped. Nil accepts all.
	accept func(text string) bool
	// read puts the value into its field of c. It is nil for inputs that mean something
	// only together with others: Parse combines those.
	read func(v value, c *Config)
}

// Name is the input's plain environment name, as pipes and other CI systems give it.
func (i Input) Name() string { return strings.ToUpper(i.ID) }

// The headings of the help.
const (
	aboutMapping   = "The mapping"
	aboutBitbucket = "Bitbucket"
	aboutPort      = "Port"
	aboutPage      = "Port's Data sources page"
	aboutRun       = "The run"
	aboutMemory    = "Memory between runs"
	aboutReport    = "What is told"
)

// Groups are the headings of the help, in its order.
var Groups = []string{aboutMapping, aboutBitbucket, aboutPort, aboutPage, aboutRun, aboutMemory, aboutReport}

// oceanConfigPrefix begins the names of the keys of Ocean's integration config.
const oceanConfigPrefix = "OCEAN__INTEGRATION__CONFIG__"

// Table lists every input, in the order of the manual.
//
// Source of the OCEAN__ names: Ocean's settings (port-labs/ocean, commit
// 607bead, read 2026-11).
var Table = []Input{
	{ID: "mode", Default: string(Sync), Words: words(Modes()...), Validate: true,
		Help: "What to do: sync; plan, which shows what a sync would write, and writes nothing; or validate, which checks the mapping and needs no credential and no network.",
		read: func(v value, c *Config) { c.Mode = mode(v) }},
	{ID: "port_client_id", Group: aboutPort, Secret: true, Required: true,
		Help:  "The client id of your Port organization.",
		Ocean: []string{"OCEAN__PORT__CLIENT_ID"},
		read:  func(v value, c *Config) { c.PortClientID = secret(v) }},
	{ID: "port_client_secret", Group: aboutPort, Secret: true, Required: true,
		Help:  "The client secret of your Port organization.",
		Ocean: []string{"OCEAN__PORT__CLIENT_SECRET"},
		read:  func(v value, c *Config) { c.PortClientSecret = secret(v) }},
	{ID: "port_base_url", Group: aboutPort, Default: "https://api.port.io",
		Help:  "The address of Port's API; for the US region https://api.us.port.io.",
		Ocean: []string{"OCEAN__PORT__BASE_URL"},
		read:  func(v value, c *Config) { c.PortBaseURL = portAddress(v) }},
	{ID: "bitbucket_workspace", Group: aboutBitbucket, Required: true,
		Help:  "The slug of the Bitbucket Cloud workspace to read.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_WORKSPACE"},
		read:  func(v value, c *Config) { c.Workspace = workspace(v) }},
	{ID: "bitbucket_workspace_token", Group: aboutBitbucket, Secret: true,
		Help:  "One workspace access token, or several separated by commas, which are then used side by side.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_WORKSPACE_TOKEN"}},
	{ID: "bitbucket_client_id", Group: aboutBitbucket,
		Help: "The key of an OAuth consumer of the workspace, used together with bitbucket_client_secret; it must be a private consumer."},
	{ID: "bitbucket_client_secret", Group: aboutBitbucket, Secret: true,
		Help: "The secret of the OAuth consumer of bitbucket_client_id; the run asks for access tokens with it, and renews them."},
	{ID: "bitbucket_user_email", Group: aboutBitbucket,
		Help:  "The e-mail address of the Atlassian account that owns bitbucket_user_scoped_token.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_USER_EMAIL"}},
	{ID: "bitbucket_user_scoped_token", Group: aboutBitbucket, Secret: true,
		Help:  "An API token with scopes, used together with bitbucket_user_email.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_USER_SCOPED_TOKEN"}},
	{ID: "bitbucket_username", Group: aboutBitbucket,
		Help:  "The Bitbucket username that owns bitbucket_app_password.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_USERNAME"}},
	{ID: "bitbucket_app_password", Group: aboutBitbucket, Secret: true,
		Help:  "An app password; Bitbucket removed app passwords on 2026-07-28, so use an API token instead.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_APP_PASSWORD"}},
	{ID: "credentials", Group: aboutBitbucket, Default: string(UseFirst), Words: words(UseFirst, UseAll),
		Help:   "Where several kinds of Bitbucket credentials are given: first uses the first of workspace tokens, OAuth consumer, app password, API token; all spends all of them side by side.",
		accept: isUse,
		read:   func(v value, c *Config) { c.UseAll = choice[UseOf](v) == UseAll }},
	{ID: "bitbucket_host_url", Group: aboutBitbucket, Default: "https://api.bitbucket.org/2.0",
		Help:  "The address of Bitbucket's API; plain http is for a private network alone.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_HOST_URL"},
		read:  func(v value, c *Config) { c.BitbucketHostURL = address(v) }},
	{ID: "bitbucket_rate_limit", Group: aboutBitbucket, Default: "1000/1h",
		Help: "How many requests each credential may make in a rolling window, as number/duration; " +
			"1000/1h,src=5000/1h gives reading files and folders over REST an allowance of its own, and git=60000/1h is that of git.",
		read: func(v value, c *Config) { c.RateLimit, c.SourceRate, c.GitRate = rateLimits(v) }},
	{ID: "response_fields", Group: aboutBitbucket, Default: string(FieldsMapping), Words: words(FieldsMapping, FieldsAll),
		Help: "Which fields of pull requests Bitbucket is asked for: mapping, those that the mapping can read; or all.",
		read: func(v value, c *Config) { c.WholeObjects = choice[ResponseFields](v) == FieldsAll }},
	{ID: "source_reader", Group: aboutBitbucket, Default: string(ReaderAuto), Words: words(ReaderAuto, ReaderGit, ReaderREST),
		Help: "How folders and files are read: auto, over git where the credential and the addresses allow it, and over REST else and for repositories at which git fails; git, over git alone; or rest.",
		read: func(v value, c *Config) { c.SourceReader = choice[SourceReader](v) }},
	{ID: "git_host_url", Group: aboutBitbucket, Default: "https://bitbucket.org",
		Help: "The address of Bitbucket's git host; where bitbucket_host_url is not Bitbucket's own, auto uses git only when this is given.",
		read: func(v value, c *Config) { c.GitHostURL, c.gitHostGiven = address(v), v.origin != fromDefault }},
	{ID: "git_max_bytes", Group: aboutBitbucket, Default: "64MiB",
		Help: "When git would receive more than this of a repository, from 1MiB to 1GiB, auto reads it over REST.",
		read: func(v value, c *Config) { c.GitMaxBytes = gitMaxBytes(v) }},
	{ID: "integration_identifier", Group: aboutPort, Default: "my-bitbucket-cloud-integration",
		Help:  "The identifier of the integration in Port; use one per workspace, or they delete each other's entities.",
		Ocean: []string{"OCEAN__INTEGRATION__IDENTIFIER"},
		read:  func(v value, c *Config) { c.IntegrationIdentifier = identifier(v) }},
	{ID: "initialize_port_resources", Group: aboutPort, Default: "true",
		Help:  "Whether to create the integration, the default blueprints and those of blueprints_file in Port when they do not exist.",
		Ocean: []string{"OCEAN__INITIALIZE_PORT_RESOURCES"},
		read:  func(v value, c *Config) { c.InitializePortResources = boolean(v) }},
	{ID: "blueprints_file", Group: aboutPort, Validate: true,
		Help: "The path of a file that holds a JSON list of blueprints, relative to the working directory: those that Port does not have are created before anything is read, and none that it has is changed.",
		read: func(v value, c *Config) { c.BlueprintsFile = v.text }},
	{ID: "mapping_file", Group: aboutMapping, Validate: true,
		Help: "The path of a file that holds the mapping, relative to the working directory.",
		read: func(v value, c *Config) { c.MappingFile = v.text }},
	{ID: "mapping", Group: aboutMapping, Validate: true,
		Help: "The mapping as YAML text; without it and mapping_file the one stored in Port is used.",
		read: func(v value, c *Config) { c.Mapping = v.text }},
	{ID: "publish_mapping", Group: aboutPage, Default: "if-empty", Words: words(PublishIfEmpty, PublishAlways, PublishNever),
		Help: "Whether a mapping from mapping or mapping_file is shown on Port's Data sources page: if-empty, where none is, always or never.",
		read: func(v value, c *Config) { c.PublishMapping = choice[PublishMapping](v) }},
	{ID: "jq_env_allow", Group: aboutMapping, Validate: true,
		Help: "The environment variables that jq expressions may read, separated by commas; none by default.",
		read: func(v value, c *Config) { c.JQEnvAllow = variableNames(v) }},
	{ID: "sarif_file", Group: aboutMapping, Validate: true,
		Help: "The path of a file to write the problems of the mapping and of the run to, as SARIF for code scanning.",
		read: reportFile},
	{ID: "kinds", Group: aboutRun,
		Help: "The kinds of which the resources run, separated by commas, such as project,repository; nothing of the others is read or deleted; all by default.",
		read: func(v value, c *Config) { c.Kinds = list(v) }},
	{ID: "concurrency", Group: aboutRun, Default: "10",
		Help: "How many requests to Bitbucket may be in flight at once, from 1 to 100.",
		read: func(v value, c *Config) { c.Concurrency = concurrency(v) }},
	{ID: "ca_file", Group: aboutRun,
		Help: "The path of a PEM file with certificate authorities to trust in addition to the system's, for both services.",
		read: func(v value, c *Config) { c.Authorities = authorities(v) }},
	{ID: "max_file_size", Group: aboutRun, Default: "1MiB",
		Help: "Files larger than this are skipped and counted, from 1 byte to 64MiB.",
		read: func(v value, c *Config) { c.MaxFileSize = maxFileSize(v) }},
	{ID: "time_limit", Group: aboutRun,
		Help: "After this time, such as 110m, stop reading, write what is known and delete nothing; none by default.",
		read: func(v value, c *Config) { c.TimeLimit = timeLimit(v) }},
	{ID: "deletion", Group: aboutRun, Default: "apply", Words: words(DeletionApply, DeletionReport, DeletionNever),
		Help: "What happens to stale entities: apply deletes them, report only lists them, never does not look for them.",
		read: func(v value, c *Config) { c.Deletion = choice[Deletion](v) }},
	{ID: "max_deletions", Group: aboutRun,
		Help: "When more entities than this are stale, none is deleted; no bound by default.",
		read: func(v value, c *Config) { c.MaxDeletions = maxDeletions(v) }},
	{ID: "confirm_renames", Group: aboutRun, Default: "false",
		Help: "Whether entities may be deleted that seem to live on under other identifiers; by default they stay, and that is reported.",
		read: func(v value, c *Config) { c.ConfirmRenames = boolean(v) }},
	{ID: "fail_on", Group: aboutRun, Default: "incomplete", Words: words(FailOnIncomplete, FailOnRejected, FailOnNever),
		Help: "Which partial runs fail the step: incomplete, rejected or never.",
		read: func(v value, c *Config) { c.FailOn = choice[FailOn](v) }},
	{ID: "detailed_exit", Group: aboutRun, Default: "false",
		Help: "Whether the mode plan ends with exit status 10 instead of 0 when a sync would change something.",
		read: func(v value, c *Config) { c.DetailedExit = boolean(v) }},
	{ID: "state_dir", Group: aboutMemory,
		Help: "The path of a folder, kept from run to run as by the cache of a CI system, in which a run remembers what it read; nothing is remembered by default.",
		read: func(v value, c *Config) { c.StateDir = v.text }},
	{ID: "state_limit", Group: aboutMemory, Default: "256MiB",
		Help: "How much state_dir may hold, from 1MiB to 10GiB; what was not used for longest goes first.",
		read: func(v value, c *Config) { c.StateLimit = stateLimit(v) }},
	{ID: "resume_age", Group: aboutMemory, Default: "1h",
		Help: "A list that a run which was cut off has read is not asked for again for this long.",
		read: func(v value, c *Config) { c.ResumeAge = age(v) }},
	{ID: "max_requests", Group: aboutMemory,
		Help: "How many requests a run may send to Bitbucket's API, retries included: a number, or auto, for what the allowance of its credentials still gives; what is left out comes from state_dir.",
		read: func(v value, c *Config) { c.MaxRequests = maxRequests(v) }},
	{ID: "max_age", Group: aboutMemory, Default: "24h",
		Help: "With max_requests, no list older than this comes from state_dir, such as the pull requests of a repository; what a commit holds has no age.",
		read: func(v value, c *Config) { c.MaxAge = age(v) }},
	{ID: "report_file", Group: aboutReport, Validate: true,
		Help: "The path of a file to write the report to, as JSON.",
		read: reportFile},
	{ID: "junit_file", Group: aboutReport, Validate: true,
		Help: "The path of a file to write the checks of the run to, as JUnit's XML for the test report of a CI system; in Bitbucket Pipelines auto writes it to where they are looked for.",
		read: reportFile},
	{ID: "codequality_file", Group: aboutReport, Validate: true,
		Help: "The path of a file to write the problems of the mapping and of the run to, as a code quality report of GitLab.",
		read: reportFile},
	{ID: "dotenv_file", Group: aboutReport, Validate: true,
		Help: "The path of a file to write the outputs to, as lines PORT_RESYNC_NAME=value, which GitLab takes as a dotenv report.",
		read: reportFile},
	{ID: "html_file", Group: aboutReport, Validate: true,
		Help: "The path of a file to write the report to as a page for a browser, which needs nothing else: an artifact to look at.",
		read: reportFile},
	{ID: "summary_file", Group: aboutReport, Validate: true,
		Help: "The path of a file to write the summary to, as Markdown that fits a comment on a pull request.",
		read: reportFile},
	{ID: "code_insights", Group: aboutReport, Default: string(InsightsAuto), Words: words(InsightsAuto, InsightsOn, InsightsOff), Validate: true,
		Help: "Whether Bitbucket shows a report of the run on the commit of the pipeline, with the problems on the lines of the mapping: " +
			"auto, where the proxy of Bitbucket Pipelines is there; true, also without it, by the Bitbucket credential; or false.",
		accept: isCodeInsights,
		read:   func(v value, c *Config) { c.CodeInsights = codeInsights(v) }},
	{ID: "sync_status", Group: aboutPage, Default: "true",
		Help: "Whether the state of the run and the counts of each kind are shown on Port's Data sources page.",
		read: func(v value, c *Config) { c.SyncStatus = boolean(v) }},
	{ID: "ship_logs", Group: aboutPage, Default: "true",
		Help: "Whether the log of the run, without debug lines, is shown on Port's Data sources page.",
		read: func(v value, c *Config) { c.ShipLogs = boolean(v) }},
	{ID: "send_raw_data_examples", Group: aboutPage, Default: "true",
		Help:  "Whether up to 5 objects of each kind, with secrets hidden and long texts cut, go to Port's mapping editor as examples.",
		Ocean: []string{"OCEAN__SEND_RAW_DATA_EXAMPLES"},
		read:  func(v value, c *Config) { c.SendExamples = boolean(v) }},
	{ID: "log_level", Group: aboutReport, Default: "info", Words: []string{"debug", "info", "warning", "error"}, Validate: true,
		Help:   "How much is logged: debug, info, warning or error.",
		Ocean:  []string{"APPLICATION__LOG_LEVEL"},
		accept: isLevel},
	{ID: "quiet", Group: aboutReport, Default: "false", Validate: true,
		Help:   "Whether only errors and the last line are printed.",
		accept: IsBoolean,
		read:   func(v value, c *Config) { c.Quiet = boolean(v) }},
	{ID: "log_format", Group: aboutReport, Default: string(LogText), Words: words(LogText, LogJSON), Validate: true,
		Help:   "How lines are written: text; or json, one object a line with time, level, msg and further keys, for collectors of logs: on both streams, and the last line on standard output holds the outputs.",
		accept: isLogFormat,
		read:   func(v value, c *Config) { c.LogFormat = choice[LogFormat](v) }},
	{ID: "color", Group: aboutReport, Default: string(ColorAuto), Words: words(ColorAuto, ColorAlways, ColorNever), Validate: true,
		Help:   "Whether lines are coloured: auto, on a terminal and as NO_COLOR, FORCE_COLOR and CLICOLOR say; always; or never.",
		accept: isColor,
		read:   func(v value, c *Config) { c.Color = choice[Color](v) }},
	{ID: "debug", Group: aboutReport, Default: "false", Validate: true,
		Help:   "Set to true to log at debug level.",
		accept: IsBoolean},
}

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
	// Credentials are the credentials to use, in the order of their kinds: workspace tokens,
	// OAuth consumer, app password, API token. Without UseAll they are of the first kind that
	// is given. At least one.
	Credentials []Credential
	UseAll      bool
	// BitbucketHostURL has no trailing slash.
	BitbucketHostURL string
	RateLimit        RateLimit
	// SourceRate is the allowance of requests for files and folders; nil when they
	// spend RateLimit like the others.
	SourceRate *RateLimit
	// GitRate is the allowance of requests to the git host.
	GitRate RateLimit
	// WholeObjects is true for response_fields: all.
	WholeObjects bool
	// SourceReader is how folders and files are read; UsesGit says what auto means here.
	SourceReader SourceReader
	// GitHostURL has no trailing slash.
	GitHostURL   string
	gitHostGiven bool
	// GitMaxBytes is what may be received of one repository over git, 1 MiB to 1 GiB.
	GitMaxBytes int64

	IntegrationIdentifier   string
	InitializePortResources bool
	// BlueprintsFile is the path of the file with blueprints to make; empty for none.
	BlueprintsFile string

	// Mapping is the mapping's text and MappingFile the path of a file that
	// holds it. At most one is not empty.
	Mapping     string
	MappingFile string
	// PublishMapping decides whether Port's page shows one of the two.
	PublishMapping PublishMapping
	// JQEnvAllow are the environment variables that jq may read.
	JQEnvAllow []string

	// Kinds are those of which the resources run, each once; empty for all.
	Kinds []string

	// Authorities are certificates in PEM, at least one, to trust besides the system's;
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
	// StateDir is the folder of the memory between runs; empty for none.
	StateDir string
	// StateLimit is what it may hold in bytes, 1 MiB to 10 GiB.
	StateLimit int64
	// ResumeAge is how old a list of a run that was cut off may be, and MaxAge any list, to
	// be taken from memory; 0 takes none.
	ResumeAge, MaxAge time.Duration
	MaxRequests       MaxRequests
	// Files are the paths of the files to write the forms of the report to, by the id of
	// their input. A form that is not asked for is not there.
	Files map[string]string
	// CodeInsights decides where a report goes to in Bitbucket.
	CodeInsights CodeInsights
	// SyncStatus, ShipLogs and SendExamples decide what Port's page shows of the run.
	SyncStatus   bool
	ShipLogs     bool
	SendExamples bool
	LogLevel     slog.Level
	// Quiet leaves of the console the errors and the last line.
	Quiet bool
	// LogFormat is how lines are written, and Color whether they are coloured.
	LogFormat LogFormat
	Color     Color

	// unused are the credentials that were given and not chosen: they are
	// scrubbed like the others.
	unused []Credential
	// hidden are secrets that were given where nothing reads them.
	hidden []string
}

// Secrets returns every secret that was given and what is derived from it: each
// token of a list, and the base64 texts of Basic headers, also of those for git where it is used. Without repetitions.
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
	add(c.hidden...)
	credentials := slices.Concat(c.Credentials, c.unused)
	for _, credential := range credentials {
		add(credential.Secret.Reveal())
	}
	git, _ := c.UsesGit()
	for _, credential := range credentials {
		add(credential.encoded(git)...)
	}
	return secrets
}

// oceanConfigKey returns the folded key that the input has in Ocean's integration config, if
// it has one: bitbucket_workspace, bitbucketWorkspace and BITBUCKETWORKSPACE are all in use,
// because Port's own action upper-cases the keys of its examples without adding underscores.
func (i Input) oceanConfigKey() (string, bool) {
	for _, name := range i.Ocean {
		if key, ok := strings.CutPrefix(name, oceanConfigPrefix); ok {
			return nearest.Fold(key), true
		}
	}
	return "", false
}
