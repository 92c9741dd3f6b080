// Package input reads what the user asked for: one table of inputs, the
// environment names each may have, and the checks that turn them into a Config.
//
// It does not know where it runs: the environment is passed in. All problems of
// all inputs are returned together.
package input

import "strings"

// Input is one row of the table of inputs. The action's and the pipe's
// metadata and the manual show the same rows.
type Input struct {
	// ID is the name in snake_case, as written under "with:" in a workflow.
	ID string
	// Help is one plain sentence.
	Help string
	// Default is the value used when nothing is given, as a user would write it.
	Default string
	// Secret values are never printed.
	Secret bool
	// Required inputs have no default and must be given.
	Required bool
	// Validate inputs are read in the mode validate too; the others are not looked at there.
	Validate bool
	// Ocean are the names the same setting has for users of Port's Ocean
	// integration, matched without regard to case. A key of the integration
	// config is also found without its underscores and in the JSON object
	// OCEAN__INTEGRATION__CONFIG.
	Ocean []string
}

// Name is the input's plain environment name, as pipes and other CI systems give it.
func (i Input) Name() string { return strings.ToUpper(i.ID) }

// oceanConfigPrefix begins the names of the keys of Ocean's integration config.
const oceanConfigPrefix = "OCEAN__INTEGRATION__CONFIG__"

const defaultRateLimit = "1000/1h"

// Table lists every input, in the order of the manual.
//
// Source of the OCEAN__ names: Ocean's settings (port-labs/ocean, commit
// 607bead, read 2026-11).
var Table = []Input{
	{ID: "mode", Default: string(Sync), Validate: true,
		Help: "What to do: sync; plan, which tells what a sync would write, and writes nothing; or validate, which checks the mapping and needs no credential and no network."},
	{ID: "port_client_id", Secret: true, Required: true,
		Help:  "The client id of your Port organization.",
		Ocean: []string{"OCEAN__PORT__CLIENT_ID"}},
	{ID: "port_client_secret", Secret: true, Required: true,
		Help:  "The client secret of your Port organization.",
		Ocean: []string{"OCEAN__PORT__CLIENT_SECRET"}},
	{ID: "port_base_url", Default: "https://api.port.io",
		Help:  "The address of Port's API; for the US region https://api.us.port.io.",
		Ocean: []string{"OCEAN__PORT__BASE_URL"}},
	{ID: "bitbucket_workspace", Required: true,
		Help:  "The slug of the Bitbucket Cloud workspace to read.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_WORKSPACE"}},
	{ID: "bitbucket_workspace_token", Secret: true,
		Help:  "One workspace access token, or several separated by commas, which are then used side by side.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_WORKSPACE_TOKEN"}},
	{ID: "bitbucket_user_email",
		Help:  "The e-mail address of the Atlassian account that owns bitbucket_user_scoped_token.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_USER_EMAIL"}},
	{ID: "bitbucket_user_scoped_token", Secret: true,
		Help:  "An API token with scopes, used together with bitbucket_user_email.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_USER_SCOPED_TOKEN"}},
	{ID: "bitbucket_username",
		Help:  "The Bitbucket username that owns bitbucket_app_password.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_USERNAME"}},
	{ID: "bitbucket_app_password", Secret: true,
		Help:  "An app password; Bitbucket removed app passwords on 2026-07-28, so use an API token instead.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_APP_PASSWORD"}},
	{ID: "bitbucket_host_url", Default: "https://api.bitbucket.org/2.0",
		Help:  "The address of Bitbucket's API.",
		Ocean: []string{oceanConfigPrefix + "BITBUCKET_HOST_URL"}},
	{ID: "bitbucket_rate_limit", Default: defaultRateLimit,
		Help: "How many requests each credential may make in a rolling window, as number/duration; " +
			"1000/1h,src=5000/1h gives reading files and folders an allowance of its own."},
	{ID: "integration_identifier", Default: "my-bitbucket-cloud-integration",
		Help:  "The identifier of the integration in Port; use one per workspace, or they delete each other's entities.",
		Ocean: []string{"OCEAN__INTEGRATION__IDENTIFIER"}},
	{ID: "initialize_port_resources", Default: "true",
		Help:  "Whether to create the integration and the default blueprints in Port when they do not exist.",
		Ocean: []string{"OCEAN__INITIALIZE_PORT_RESOURCES"}},
	{ID: "mapping", Validate: true,
		Help: "The mapping as YAML text; without it and mapping_file the one stored in Port is used."},
	{ID: "mapping_file", Validate: true,
		Help: "The path of a file that holds the mapping, relative to the working directory."},
	{ID: "publish_mapping", Default: "if-empty",
		Help: "Whether a mapping from mapping or mapping_file is shown on Port's Data sources page: if-empty, where none is, always or never."},
	{ID: "jq_env_allow", Validate: true,
		Help: "The environment variables that jq expressions may read, separated by commas; none by default."},
	{ID: "sarif_file", Validate: true,
		Help: "The path of a file to write the problems of the mapping to, as SARIF for code scanning."},
	{ID: "ca_file",
		Help: "The path of a PEM file with certificate authorities to trust beside the system's, for both services."},
	{ID: "concurrency", Default: "10",
		Help: "How many requests to Bitbucket may be in flight at once, from 1 to 100."},
	{ID: "max_file_size", Default: "1MiB",
		Help: "Files larger than this are skipped and counted, from 1 byte to 64MiB."},
	{ID: "time_limit",
		Help: "After this time, such as 110m, stop reading, write what is known and delete nothing; none by default."},
	{ID: "deletion", Default: "apply",
		Help: "What is done with stale entities: apply deletes them, report only tells of them, never does not look for them."},
	{ID: "max_deletions",
		Help: "When more entities than this are stale, none is deleted; no bound by default."},
	{ID: "confirm_renames", Default: "false",
		Help: "Whether entities may be deleted that seem to live on under other identifiers; by default they stay, and that is told."},
	{ID: "fail_on", Default: "incomplete",
		Help: "Which partial runs fail the step: incomplete, rejected or never."},
	{ID: "detailed_exit", Default: "false",
		Help: "Whether the mode plan ends with exit status 10 instead of 0 when a sync would change something."},
	{ID: "report_file", Validate: true,
		Help: "The path of a file to write the report to, as JSON."},
	{ID: "summary_file", Validate: true,
		Help: "The path of a file to write the summary to, as Markdown that fits a comment on a pull request."},
	{ID: "sync_status", Default: "true",
		Help: "Whether the state of the run and the counts of each kind are shown on Port's Data sources page."},
	{ID: "ship_logs", Default: "true",
		Help: "Whether the log of the run, without debug lines, is shown on Port's Data sources page."},
	{ID: "send_raw_data_examples", Default: "true",
		Help:  "Whether up to 5 objects of each kind, with secrets hidden and long texts cut, go to Port's mapping editor as examples.",
		Ocean: []string{"OCEAN__SEND_RAW_DATA_EXAMPLES"}},
	{ID: "log_level", Default: "info", Validate: true,
		Help:  "How much is logged: debug, info, warning or error.",
		Ocean: []string{"APPLICATION__LOG_LEVEL"}},
	{ID: "debug", Default: "false", Validate: true,
		Help: "Set to true to log at debug level."},
}

// oceanConfigKey answers the key the input has in Ocean's integration config,
// squashed, and whether it has one.
func (i Input) oceanConfigKey() (string, bool) {
	for _, name := range i.Ocean {
		if key, ok := strings.CutPrefix(name, oceanConfigPrefix); ok {
			return squash(key), true
		}
	}
	return "", false
}

// squash makes the three spellings of a config key equal: bitbucket_workspace,
// bitbucketWorkspace and BITBUCKETWORKSPACE are all in use, because Port's own
// action upper-cases the keys of its examples without adding underscores.
func squash(key string) string {
	return strings.ToUpper(strings.NewReplacer("_", "", "-", "").Replace(key))
}
