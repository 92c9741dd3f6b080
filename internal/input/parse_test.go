package input

import (
	"encoding/base64"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// defaults is the Config of the required variables alone.
func defaults() Config {
	return Config{
		Mode:                    Sync,
		PortClientID:            NewSecret("port-id"),
		PortClientSecret:        NewSecret("port-secret"),
		PortBaseURL:             "https://api.port.io",
		Workspace:               "acme",
		Credentials:             []Credential{{Kind: WorkspaceToken, Secret: NewSecret("token-one")}},
		BitbucketHostURL:        "https://api.bitbucket.org/2.0",
		RateLimit:               RateLimit{N: 1000, Window: time.Hour},
		GitRate:                 RateLimit{N: 60_000, Window: time.Hour},
		SourceReader:            ReaderAuto,
		GitHostURL:              "https://bitbucket.org",
		GitMaxBytes:             64 << 20,
		IntegrationIdentifier:   "my-bitbucket-cloud-integration",
		InitializePortResources: true,
		PublishMapping:          PublishIfEmpty,
		CodeInsights:            InsightsAuto,
		SyncStatus:              true,
		ShipLogs:                true,
		SendExamples:            true,
		Concurrency:             10,
		MaxFileSize:             1 << 20,
		StateLimit:              256 << 20,
		ResumeAge:               time.Hour,
		MaxAge:                  24 * time.Hour,
		Deletion:                DeletionApply,
		FailOn:                  FailOnIncomplete,
		LogLevel:                slog.LevelInfo,
		LogFormat:               LogText,
		Color:                   ColorAuto,
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	type vars = map[string]string
	basic := func(kind CredentialKind, user, secret string) Credential {
		return Credential{Kind: kind, Username: user, Secret: NewSecret(secret)}
	}
	tests := []struct {
		name      string
		variables vars
		files     map[string]string
		want      func(c *Config)
	}{
		{"defaults", nil, nil, func(*Config) {}},
		{"blank is unset", vars{"INPUT_CONCURRENCY": " ", "CONCURRENCY": "", "MAPPING": " \n", "TIME_LIMIT": "\t"}, nil, func(*Config) {}},
		{"INPUT_ before plain", vars{"INPUT_CONCURRENCY": "7", "CONCURRENCY": "8"}, nil, func(c *Config) { c.Concurrency = 7 }},
		{"INPUT_ with dashes", vars{"INPUT_FAIL-ON": "never"}, nil, func(c *Config) { c.FailOn = FailOnNever }},
		{"plain before file", vars{"CONCURRENCY": "8", "CONCURRENCY_FILE": "n"}, map[string]string{"n": "9"}, func(c *Config) { c.Concurrency = 8 }},
		{"a file that is not read need not exist", vars{"CONCURRENCY": "8", "CONCURRENCY_FILE": "none"}, nil, func(c *Config) { c.Concurrency = 8 }},
		{"file before OCEAN__", vars{"PORT_CLIENT_SECRET": "-", "PORT_CLIENT_SECRET_FILE": "s", "OCEAN__PORT__CLIENT_SECRET": "ocean"},
			map[string]string{"s": "from-file\r\n"}, func(c *Config) { c.PortClientSecret = NewSecret("from-file") }},
		{"a blank file is unset", vars{"PORT_CLIENT_SECRET": "-", "PORT_CLIENT_SECRET_FILE": "s", "OCEAN__PORT__CLIENT_SECRET": "ocean"},
			map[string]string{"s": "\n"}, func(c *Config) { c.PortClientSecret = NewSecret("ocean") }},
		{"mapping keeps its white space", vars{"MAPPING": "  a: 1\n\n"}, nil, func(c *Config) { c.Mapping = "  a: 1\n\n" }},
		{"mapping_file is no file of mapping", vars{"MAPPING_FILE": " port/mapping.yml "}, nil, func(c *Config) { c.MappingFile = "port/mapping.yml" }},
		{"letters newer than our tables", vars{"INTEGRATION_IDENTIFIER": "\U00010d4a-x"}, nil, func(c *Config) { c.IntegrationIdentifier = "\U00010d4a-x" }},
		{"values are trimmed", vars{"PORT_CLIENT_ID": " id\n", "INTEGRATION_IDENTIFIER": " x "}, nil, func(c *Config) {
			c.PortClientID, c.IntegrationIdentifier = NewSecret("id"), "x"
		}},
		{"workspace in lower case", vars{"BITBUCKET_WORKSPACE": "Acme_Inc.1-x"}, nil, func(c *Config) { c.Workspace = "acme_inc.1-x" }},
		{"workspace as UUID", vars{"BITBUCKET_WORKSPACE": "{0B7C7F5F-3A3B-4C1D-9E2F-0123456789AB}"}, nil,
			func(c *Config) { c.Workspace = "{0b7c7f5f-3a3b-4c1d-9e2f-0123456789ab}" }},
		{"base URLs", vars{"PORT_BASE_URL": "https://API.us.port.io/v1/", "BITBUCKET_HOST_URL": "http://127.0.0.9:8080/2.0//"}, nil, func(c *Config) {
			c.PortBaseURL, c.BitbucketHostURL = "https://api.us.port.io", "http://127.0.0.9:8080/2.0"
		}},
		{"plain http to loopback", vars{"PORT_BASE_URL": "http://[::1]:1/", "BITBUCKET_HOST_URL": "http://localhost:2/odd/base"}, nil, func(c *Config) {
			c.PortBaseURL, c.BitbucketHostURL = "http://[::1]:1", "http://localhost:2/odd/base"
		}},
		{"plain http in a private network", vars{"PORT_BASE_URL": "http://mock:1/", "BITBUCKET_HOST_URL": "http://host.docker.internal:2"}, nil, func(c *Config) {
			c.PortBaseURL, c.BitbucketHostURL = "http://mock:1", "http://host.docker.internal:2"
		}},
		{"plain http to private addresses", vars{"PORT_BASE_URL": "http://172.17.0.1:1/", "BITBUCKET_HOST_URL": "http://[fd00::1]:2"}, nil, func(c *Config) {
			c.PortBaseURL, c.BitbucketHostURL = "http://172.17.0.1:1", "http://[fd00::1]:2"
		}},
		{"rate limit in days", vars{"BITBUCKET_RATE_LIMIT": "5 / 1d12h"}, nil, func(c *Config) { c.RateLimit = RateLimit{5, 36 * time.Hour} }},
		{"rate limit of source", vars{"BITBUCKET_RATE_LIMIT": " 1000/1h , SRC = 5000 / 1d ,"}, nil, func(c *Config) {
			c.SourceRate = &RateLimit{5000, 24 * time.Hour}
		}},
		{"rate limit of source first", vars{"BITBUCKET_RATE_LIMIT": "src=50/1m,20/1m"}, nil, func(c *Config) {
			c.RateLimit, c.SourceRate = RateLimit{20, time.Minute}, &RateLimit{50, time.Minute}
		}},
		{"rate limit of source alone", vars{"BITBUCKET_RATE_LIMIT": "src=5000/1h"}, nil, func(c *Config) { c.SourceRate = &RateLimit{5000, time.Hour} }},
		{"rate limits as array", vars{"BITBUCKET_RATE_LIMIT_COUNT": "2", "BITBUCKET_RATE_LIMIT_0": "10/1h", "BITBUCKET_RATE_LIMIT_1": "src=20/1h"}, nil, func(c *Config) {
			c.RateLimit, c.SourceRate = RateLimit{10, time.Hour}, &RateLimit{20, time.Hour}
		}},
		{"rate limit of git", vars{"BITBUCKET_RATE_LIMIT": "git=90 / 1m, 20/1m"}, nil, func(c *Config) {
			c.RateLimit, c.GitRate = RateLimit{20, time.Minute}, RateLimit{90, time.Minute}
		}},
		{"rate limits of all", vars{"BITBUCKET_RATE_LIMIT": "20/1m,src=50/1m,GIT=90/1m"}, nil, func(c *Config) {
			c.RateLimit, c.SourceRate, c.GitRate = RateLimit{20, time.Minute}, &RateLimit{50, time.Minute}, RateLimit{90, time.Minute}
		}},
		{"reader", vars{"SOURCE_READER": "Git", "GIT_HOST_URL": "https://Git.Acme.test:8443/base/"}, nil, func(c *Config) {
			c.SourceReader, c.GitHostURL, c.gitHostGiven = ReaderGit, "https://git.acme.test:8443/base", true
		}},
		{"git over plain http to loopback", vars{"GIT_HOST_URL": "http://127.0.0.1:2"}, nil, func(c *Config) { c.GitHostURL, c.gitHostGiven = "http://127.0.0.1:2", true }},
		{"largest of git", vars{"GIT_MAX_BYTES": "1 GiB"}, nil, func(c *Config) { c.GitMaxBytes = 1 << 30 }},
		{"smallest of git", vars{"GIT_MAX_BYTES": "1048576"}, nil, func(c *Config) { c.GitMaxBytes = 1 << 20 }},
		{"max file size", vars{"MAX_FILE_SIZE": "500KB"}, nil, func(c *Config) { c.MaxFileSize = 500_000 }},
		{"largest max file size", vars{"MAX_FILE_SIZE": "64 mib"}, nil, func(c *Config) { c.MaxFileSize = 64 << 20 }},
		{"smallest max file size", vars{"MAX_FILE_SIZE": "1"}, nil, func(c *Config) { c.MaxFileSize = 1 }},
		{"time limit", vars{"TIME_LIMIT": "1h50m"}, nil, func(c *Config) { c.TimeLimit = 110 * time.Minute }},
		{"no time limit", vars{"TIME_LIMIT": "0"}, nil, func(*Config) {}},
		{"memory", vars{"STATE_DIR": " .state ", "STATE_LIMIT": "10 GiB", "RESUME_AGE": "0s", "MAX_AGE": "1d12h"}, nil, func(c *Config) {
			c.StateDir, c.StateLimit, c.ResumeAge, c.MaxAge = ".state", 10<<30, 0, 36*time.Hour
		}},
		{"at most so many requests", vars{"MAX_REQUESTS": "1"}, nil, func(c *Config) { c.MaxRequests.N = 1 }},
		{"as many requests as the allowance gives", vars{"INPUT_MAX_REQUESTS": "Auto"}, nil, func(c *Config) { c.MaxRequests.Auto = true }},
		{"deletion", vars{"DELETION": "Report"}, nil, func(c *Config) { c.Deletion = DeletionReport }},
		{"no deletion", vars{"INPUT_DELETION": "never"}, nil, func(c *Config) { c.Deletion = DeletionNever }},
		{"at most so many deletions", vars{"MAX_DELETIONS": "100"}, nil, func(c *Config) { n := 100; c.MaxDeletions = &n }},
		{"at most no deletion", vars{"MAX_DELETIONS": "0"}, nil, func(c *Config) { n := 0; c.MaxDeletions = &n }},
		{"booleans", vars{"INITIALIZE_PORT_RESOURCES": "No"}, nil, func(c *Config) { c.InitializePortResources = false }},
		{"kinds", vars{"KINDS": " repository, pull-request\nrepository"}, nil, func(c *Config) { c.Kinds = []string{"repository", "pull-request"} }},
		{"kinds as a list in YAML", vars{"KINDS": `["repository", 'folder']`}, nil, func(c *Config) { c.Kinds = []string{"repository", "folder"} }},
		{"names for jq", vars{"JQ_ENV_ALLOW": " TEAM,,REGION , TEAM"}, nil, func(c *Config) { c.JQEnvAllow = []string{"TEAM", "REGION"} }},
		{"report file", vars{"REPORT_FILE": "out/report.json"}, nil, func(c *Config) { c.Files = map[string]string{"report_file": "out/report.json"} }},

		{"several tokens", vars{"BITBUCKET_WORKSPACE_TOKEN": "one, two,,one,"}, nil, func(c *Config) {
			c.Credentials = []Credential{basic(WorkspaceToken, "", "one"), basic(WorkspaceToken, "", "two")}
		}},
		{"a pipe's array", vars{"BITBUCKET_WORKSPACE_TOKEN": "-", "BITBUCKET_WORKSPACE_TOKEN_COUNT": "3",
			"BITBUCKET_WORKSPACE_TOKEN_0": "one", "BITBUCKET_WORKSPACE_TOKEN_1": "", "BITBUCKET_WORKSPACE_TOKEN_2": "two"}, nil, func(c *Config) {
			c.Credentials = []Credential{basic(WorkspaceToken, "", "one"), basic(WorkspaceToken, "", "two")}
		}},
		{"a count that is another tool's", vars{"CONCURRENCY_COUNT": "2", "CONCURRENCY": "3", "MAPPING_COUNT": "x"}, nil, func(c *Config) { c.Concurrency = 3 }},
		{"app password", vars{"BITBUCKET_WORKSPACE_TOKEN": "-", "BITBUCKET_USERNAME": "ann", "BITBUCKET_APP_PASSWORD": "pw"}, nil,
			func(c *Config) { c.Credentials = []Credential{basic(AppPassword, "ann", "pw")} }},
		{"API token", vars{"BITBUCKET_WORKSPACE_TOKEN": "-", "BITBUCKET_USER_EMAIL": "ann@acme.test", "BITBUCKET_USER_SCOPED_TOKEN": "at"}, nil,
			func(c *Config) { c.Credentials = []Credential{basic(APIToken, "ann@acme.test", "at")} }},
		{"OAuth consumer", vars{"BITBUCKET_WORKSPACE_TOKEN": "-", "BITBUCKET_CLIENT_ID": "key", "BITBUCKET_CLIENT_SECRET": "cs",
			"BITBUCKET_USER_EMAIL": "ann@acme.test", "BITBUCKET_USER_SCOPED_TOKEN": "at"}, nil, func(c *Config) {
			c.Credentials = []Credential{basic(OAuthConsumer, "key", "cs")}
			c.unused = []Credential{basic(APIToken, "ann@acme.test", "at")}
		}},
		{"all kinds", vars{"CREDENTIALS": "All", "BITBUCKET_WORKSPACE_TOKEN": "one,two", "BITBUCKET_CLIENT_ID": "key", "BITBUCKET_CLIENT_SECRET": "cs",
			"BITBUCKET_USER_EMAIL": "ann@acme.test", "BITBUCKET_USER_SCOPED_TOKEN": "at"}, nil, func(c *Config) {
			c.UseAll = true
			c.Credentials = []Credential{basic(WorkspaceToken, "", "one"), basic(WorkspaceToken, "", "two"), basic(OAuthConsumer, "key", "cs"), basic(APIToken, "ann@acme.test", "at")}
		}},
		{"credentials of another program", vars{"CREDENTIALS": "/etc/credentials.json"}, nil, func(*Config) {}},
		{"the first kind is chosen", vars{"BITBUCKET_USERNAME": "ann", "BITBUCKET_APP_PASSWORD": "pw", "BITBUCKET_CLIENT_ID": "key", "BITBUCKET_CLIENT_SECRET": "cs",
			"BITBUCKET_USER_EMAIL": "ann@acme.test", "BITBUCKET_USER_SCOPED_TOKEN": "at"}, nil, func(c *Config) {
			c.unused = []Credential{basic(OAuthConsumer, "key", "cs"), basic(AppPassword, "ann", "pw"), basic(APIToken, "ann@acme.test", "at")}
		}},

		{"log level", vars{"LOG_LEVEL": "WARNING"}, nil, func(c *Config) { c.LogLevel = slog.LevelWarn }},
		{"log format and color", vars{"LOG_FORMAT": "JSON", "COLOR": "never"}, nil, func(c *Config) { c.LogFormat, c.Color = LogJSON, ColorNever }},
		{"those of other programs", vars{"LOG_FORMAT": "logfmt", "COLOR": "1"}, nil, func(*Config) {}},
		{"log level of Ocean", vars{"APPLICATION__LOG_LEVEL": "CRITICAL"}, nil, func(c *Config) { c.LogLevel = slog.LevelError }},
		{"a level not known is ignored", vars{"LOG_LEVEL": "verbose", "Application__Log_Level": "error"}, nil, func(c *Config) { c.LogLevel = slog.LevelError }},
		{"quiet", vars{"INPUT_QUIET": "yes"}, nil, func(c *Config) { c.Quiet = true }},
		{"quiet of another tool", vars{"QUIET": "1 minute"}, nil, func(*Config) {}},
		{"debug", vars{"DEBUG": "Yes", "LOG_LEVEL": "error"}, nil, func(c *Config) { c.LogLevel = slog.LevelDebug }},
		{"debug false", vars{"INPUT_DEBUG": "false", "DEBUG": "true"}, nil, func(*Config) {}},
		{"debug of another tool", vars{"DEBUG": "express:*"}, nil, func(*Config) {}},
		{"debug of the runner", vars{"RUNNER_DEBUG": "1"}, nil, func(c *Config) { c.LogLevel = slog.LevelDebug }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := Parse(world(with(tt.variables), tt.files))
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			tt.want(&want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Config{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOceanNames(t *testing.T) {
	t.Parallel()
	const config = "OCEAN__INTEGRATION__CONFIG"
	base := map[string]string{
		"ocean__port__client_id": "id", "Ocean__Port__Client_Secret": "secret", "OCEAN__PORT__BASE_URL": "https://api.us.getport.io",
		"OCEAN__INTEGRATION__IDENTIFIER": "acme-bb", "OCEAN__INITIALIZE_PORT_RESOURCES": "false", "OCEAN__INTEGRATION__TYPE": "bitbucket-cloud",
		"OCEAN__EVENT_LISTENER": `{"type": "ONCE"}`,
	}
	forms := []struct {
		name string
		vars map[string]string
		from string // of the workspace
	}{
		{"snake", map[string]string{config + "__BITBUCKET_WORKSPACE": "acme", config + "__BITBUCKET_WORKSPACE_TOKEN": "t1,t2"}, config + "__BITBUCKET_WORKSPACE"},
		{"camel", map[string]string{config + "__bitbucketWorkspace": "acme", config + "__bitbucketWorkspaceToken": "t1,t2"}, config + "__bitbucketWorkspace"},
		{"squashed", map[string]string{config + "__BITBUCKETWORKSPACE": "acme", config + "__BITBUCKETWORKSPACETOKEN": "t1,t2"}, config + "__BITBUCKETWORKSPACE"},
		{"lower case", map[string]string{"ocean__integration__config__bitbucket_workspace": "acme", "ocean__integration__config__bitbucket_workspace_token": "t1,t2"},
			"ocean__integration__config__bitbucket_workspace"},
		{"object snake", map[string]string{config: `{"bitbucket_workspace":"acme","bitbucket_workspace_token":["t1","t2"],"webhook_secret":null}`}, config + " (key bitbucket_workspace)"},
		{"object camel", map[string]string{config: `{"bitbucketWorkspace":"acme","bitbucketWorkspaceToken":"t1,t2","other":{}}`}, config + " (key bitbucketWorkspace)"},
		{"object squashed", map[string]string{config: `{"BITBUCKETWORKSPACE":"acme","BITBUCKETWORKSPACETOKEN":"t1,t2"}`}, config + " (key BITBUCKETWORKSPACE)"},
		{"a variable before the object, snake before squashed", map[string]string{
			config:                          `{"bitbucket_workspace":"three","bitbucket_workspace_token":"t1,t2"}`,
			config + "__BITBUCKETWORKSPACE": "two", config + "__bitbucket_workspace": "acme"}, config + "__bitbucket_workspace"},
		{"snake before camel in the object", map[string]string{config: `{"BitbucketWorkspace":"two","bitbucket_workspace":"acme","bitbucket_workspace_token":"t1,t2"}`},
			config + " (key bitbucket_workspace)"},
	}
	for _, tt := range forms {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			variables := map[string]string{}
			for _, m := range []map[string]string{base, tt.vars} {
				maps.Copy(variables, m)
			}
			got, notes, err := Parse(world(variables, nil))
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			want.PortClientID, want.PortClientSecret = NewSecret("id"), NewSecret("secret")
			want.PortBaseURL, want.IntegrationIdentifier = "https://api.us.getport.io", "acme-bb"
			want.InitializePortResources = false
			want.Credentials = []Credential{{Secret: NewSecret("t1")}, {Secret: NewSecret("t2")}}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Config{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
			if got, want := source(notes, "bitbucket_workspace"), tt.from; got != want {
				t.Errorf("workspace: got source %q, want %q", got, want)
			}
			if len(notes.Warnings) > 0 {
				t.Errorf("got warnings %q, want none", notes.Warnings)
			}
		})
	}
}

func source(notes Notes, id string) string {
	for _, s := range notes.Sources {
		if s.ID == id {
			return s.From
		}
	}
	return ""
}

func TestWorkspaceInPipelines(t *testing.T) {
	t.Parallel()
	const ocean = "OCEAN__INTEGRATION__CONFIG__BITBUCKET_WORKSPACE"
	tests := []struct {
		name      string
		pipelines bool
		variables map[string]string
		want      string
		warns     bool
	}{
		{"plain alone", true, nil, "acme", false},
		{"OCEAN__ wins", true, map[string]string{ocean: "Other"}, "other", true},
		{"OCEAN__ that is the same", true, map[string]string{ocean: "ACME "}, "acme", false},
		{"a file wins", true, map[string]string{"BITBUCKET_WORKSPACE_FILE": "w"}, "filed", true},
		{"INPUT_ wins over all", true, map[string]string{ocean: "other", "INPUT_BITBUCKET_WORKSPACE": "chosen"}, "chosen", true},
		{"elsewhere plain wins", false, map[string]string{ocean: "other"}, "acme", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := world(with(tt.variables), map[string]string{"w": "filed\n"})
			env.Pipelines = tt.pipelines
			got, notes, err := Parse(env)
			if err != nil {
				t.Fatal(err)
			}
			if got.Workspace != tt.want {
				t.Errorf("got workspace %q, want %q", got.Workspace, tt.want)
			}
			if warned := len(notes.Warnings) > 0; warned != tt.warns {
				t.Errorf("got warnings %q, want some: %t", notes.Warnings, tt.warns)
			}
		})
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	_, notes, err := Parse(world(with(map[string]string{
		"BITBUCKET_USERNAME": "ann", "BITBUCKET_APP_PASSWORD": "app-password",
		"INPUT_FAIL_ON": "never", "BITBUCKET_WORKSPACE_TOKEN": "-", "BITBUCKET_WORKSPACE_TOKEN_FILE": "t",
		"OCEAN__EVENT_LISTENER__TYPE": "KAFKA", "OCEAN__BASE_URL": "https://x.test", "OCEAN__INTEGRATION__CONFIG__WEBHOOK_SECRET": "hook-secret",
		"OCEAN__ALLOW_ENVIRONMENT_VARIABLES_JQ_ACCESS": "true",
	}), map[string]string{"t": "token-in-file"}))
	if err != nil {
		t.Fatal(err)
	}
	from := map[string]string{
		"port_client_id": "PORT_CLIENT_ID", "port_client_secret": "PORT_CLIENT_SECRET",
		"bitbucket_workspace": "BITBUCKET_WORKSPACE", "bitbucket_workspace_token": "BITBUCKET_WORKSPACE_TOKEN_FILE",
		"bitbucket_username": "BITBUCKET_USERNAME", "bitbucket_app_password": "BITBUCKET_APP_PASSWORD", "fail_on": "INPUT_FAIL_ON",
	}
	var sources []Source
	for _, in := range Table {
		name, given := from[in.ID]
		if !given {
			name = "default"
		}
		if given || in.Default != "" {
			sources = append(sources, Source{ID: in.ID, From: name})
		}
	}
	want := Notes{
		Sources: sources,
		Infos: []string{
			"OCEAN__INTEGRATION__CONFIG__WEBHOOK_SECRET is ignored: it is for live events, and this program runs once and exits",
			"OCEAN__BASE_URL is ignored: it is for live events, and this program runs once and exits",
		},
		Warnings: []string{
			"OCEAN__EVENT_LISTENER__TYPE is not ONCE: it is ignored, this program runs once and exits",
			"OCEAN__ALLOW_ENVIRONMENT_VARIABLES_JQ_ACCESS is ignored: name the variables that jq expressions may read in jq_env_allow",
			"bitbucket_app_password is set (from BITBUCKET_APP_PASSWORD): Bitbucket removed app passwords on 2026-07-28; " +
				"remove it and use bitbucket_user_email and bitbucket_user_scoped_token instead",
			"the app password is not used, because another credential is given too: the workspace token",
		},
	}
	if diff := cmp.Diff(want, notes, cmpopts.IgnoreUnexported(Source{})); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// A bound on requests that no memory goes with is told of.
func TestMaxRequestsWithoutMemory(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		variables map[string]string
		warned    bool
	}{
		{map[string]string{"MAX_REQUESTS": "300"}, true},
		{map[string]string{"MAX_REQUESTS": "auto"}, true},
		{map[string]string{"MAX_REQUESTS": "300", "STATE_DIR": "state"}, false},
		{map[string]string{"STATE_DIR": "state"}, false},
		{nil, false},
	} {
		_, notes, err := Parse(world(with(tt.variables), nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(notes.Warnings, "\n"), "without state_dir"); got != tt.warned {
			t.Errorf("%v: warned: got %v, want %v", tt.variables, got, tt.warned)
		}
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	c, _, err := Parse(world(with(map[string]string{
		"BITBUCKET_WORKSPACE_TOKEN": "one,two", "BITBUCKET_USERNAME": "ann", "BITBUCKET_APP_PASSWORD": "pw",
		"BITBUCKET_USER_EMAIL": "ann@acme.test", "BITBUCKET_USER_SCOPED_TOKEN": "two",
	}), nil))
	if err != nil {
		t.Fatal(err)
	}
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	want := []string{"port-id", "port-secret", "one", "two", "pw", b64("x-token-auth:one"), b64("x-token-auth:two"),
		b64("ann:pw"), b64("ann@acme.test:two"), b64("x-bitbucket-api-token-auth:two")}
	if diff := cmp.Diff(want, c.Secrets()); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

func TestSecretsWithProblems(t *testing.T) {
	t.Parallel()
	c, _, err := Parse(world(map[string]string{"PORT_CLIENT_SECRET": "port secret", "BITBUCKET_APP_PASSWORD": "lonely"}, nil))
	if err == nil {
		t.Fatal("got no problems, want some")
	}
	for _, secret := range []string{"port secret", "lonely"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the problems show %q:\n%v", secret, err)
		}
		if !strings.Contains(strings.Join(c.Secrets(), "|"), secret) {
			t.Errorf("Secrets does not hold %q", secret)
		}
	}
}

// An input with words takes each of them, in any case, and nothing else.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, in := range Table {
		for _, word := range in.Words {
			if _, _, problems := parseIn(t, inShell, map[string]string{"INPUT_" + in.Name(): strings.ToUpper(word), "MAPPING": "a: 1"}); problems != nil {
				t.Errorf("%s: %s: %v", in.ID, word, problems)
			}
			if !strings.Contains(in.Help, word) && in.ID != "mode" {
				t.Errorf("%s: the help does not name %s", in.ID, word)
			}
		}
		if len(in.Words) > 0 && !slices.Contains(in.Words, in.Default) {
			t.Errorf("%s: the default %q is none of %q", in.ID, in.Default, in.Words)
		}
		if _, _, problems := parseIn(t, inShell, map[string]string{"INPUT_" + in.Name(): "nonsense"}); len(in.Words) > 0 && problems == nil {
			t.Errorf("%s takes a word that is none of %q", in.ID, in.Words)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, in := range Table {
		if seen[in.ID] || in.ID != strings.ToLower(in.ID) || strings.ContainsAny(in.ID, "- ") {
			t.Errorf("%s: not a snake_case name of its own", in.ID)
		}
		seen[in.ID] = true
		if !strings.HasSuffix(in.Help, ".") || strings.ContainsAny(in.Help, "\n|") {
			t.Errorf("%s: help is not one sentence: %q", in.ID, in.Help)
		}
		if combined := append([]string{"log_level", "debug"}, credentialIDs...); (in.read == nil) != slices.Contains(combined, in.ID) {
			t.Errorf("%s: it is read by its row, or together with others, and not by both", in.ID)
		}
		if !slices.Contains(Groups, in.Group) && in.ID != "mode" {
			t.Errorf("%s: the help has no heading %q", in.ID, in.Group)
		}
		if in.Required && in.Default != "" {
			t.Errorf("%s: required, and has a default", in.ID)
		}
		for _, name := range in.Ocean {
			if name != strings.ToUpper(name) {
				t.Errorf("%s: %s is not in upper case", in.ID, name)
			}
		}
	}
}

// Plain http is told wherever credentials leave this machine by it.
func TestPlainHTTPIsTold(t *testing.T) {
	t.Parallel()
	for host, told := range map[string]bool{"mock": true, "10.0.0.1": true, "ci.internal": true, "0.0.0.0": true, "localhost": false, "127.0.0.1": false, "[::1]": false} {
		_, notes, problems := parseWith(t, with(map[string]string{"PORT_BASE_URL": "http://" + host + ":1"}), nil)
		want := []string(nil)
		if told {
			want = []string{"input port_base_url (from PORT_BASE_URL): plain http sends credentials unencrypted to " + strings.Trim(host, "[]") + ", within a private network"}
		}
		if len(problems) > 0 || !slices.Equal(notes.Warnings, want) {
			t.Errorf("%s: got %q and %v, want %q", host, notes.Warnings, problems, want)
		}
	}
	for _, host := range []string{"api.port.io", "8.8.8.8", "169.254.169.254", "internal.example.com", "mock.com", "[2001:db8::1]", "134744072", "mock."} {
		if _, _, problems := parseWith(t, with(map[string]string{"PORT_BASE_URL": "http://" + host}), nil); len(problems) != 1 {
			t.Errorf("%s: got %v, want one problem", host, problems)
		}
	}
}
