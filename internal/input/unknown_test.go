package input

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/diag"
)

// Where a run can be.
var (
	inShell   = Environment{}
	inActions = Environment{Actions: true}
	inStep    = Environment{Pipelines: true}
	inPipe    = Environment{Pipelines: true, Pipe: true}
)

// parseIn parses the required variables and others, at a place.
func parseIn(t *testing.T, place Environment, variables map[string]string) (Config, Notes, diag.Problems) {
	t.Helper()
	env := world(with(variables), nil)
	env.Actions, env.Pipelines, env.Pipe = place.Actions, place.Pipelines, place.Pipe
	c, notes, err := Parse(env)
	var problems diag.Problems
	if err != nil && !errors.As(err, &problems) {
		t.Fatal(err)
	}
	return c, notes, problems
}

func TestStrays(t *testing.T) {
	t.Parallel()
	const nothing = "it is not an input of this program, and nothing reads it: a sync would run without what it sets"
	tests := []struct {
		place     Environment
		name, fix string
	}{
		{inActions, "INPUT_MAPING_FILE", `did you mean mapping_file? in its place write "mapping_file: …" under "with:" of the step, or in a "run:" step set the environment variable MAPPING_FILE`},
		{inShell, "INPUT_MAPING_FILE", "did you mean mapping_file? in its place set the environment variable MAPPING_FILE, or write --mapping-file …"},
		{inPipe, "INPUT_MAPING_FILE", `did you mean mapping_file? in its place write "MAPPING_FILE: …" under "variables:" of the pipe`},
		{inPipe, "MAPING_FILE", `did you mean mapping_file? in its place write "MAPPING_FILE: …" under "variables:" of the pipe`},
		{inPipe, "MAPIN_FILE", `did you mean mapping_file? in its place write "MAPPING_FILE: …" under "variables:" of the pipe`},
		{inPipe, "DELETON", `did you mean deletion? in its place write "DELETION: …" under "variables:" of the pipe`},
		{inPipe, "PORT_CLIENT_SECERT", `did you mean port_client_secret? in its place write "PORT_CLIENT_SECRET: $PORT_CLIENT_SECRET" under "variables:" of the pipe`},
		{inPipe, "PORT_CLIENT_SECERT_FILE", "to read port_client_secret from a file set the environment variable PORT_CLIENT_SECRET_FILE"},
		{inPipe, "BITBUCKET_WORKSPACE_TOKNE_COUNT", `did you mean bitbucket_workspace_token? in its place write "BITBUCKET_WORKSPACE_TOKEN: $BITBUCKET_WORKSPACE_TOKEN" under "variables:" of the pipe`},
		{inActions, "INPUT_PORTCLIENTID", `did you mean port_client_id? in its place write "port_client_id: ${{ secrets.PORT_CLIENT_ID }}" under "with:" of the step, or in a "run:" step set the environment variable PORT_CLIENT_ID`},
		{inActions, "INPUT_DRY-RUN", `did you mean mode? in its place write "mode: plan" under "with:" of the step, or in a "run:" step set the environment variable MODE`},
		{inShell, "INPUT_WORKSPACE", "did you mean bitbucket_workspace? in its place set the environment variable BITBUCKET_WORKSPACE, or write --bitbucket-workspace …"},
		{inShell, "INPUT_PORT_CLIENT_ID_FILE", "to read port_client_id from a file set the environment variable PORT_CLIENT_ID_FILE"},
		{inShell, "INPUT_mode", "did you mean mode? in its place set the environment variable MODE, or write --mode …"},
		{inActions, "INPUT_CLIENT", "remove it, or give it a name that does not begin with INPUT_; --help lists the inputs"},
		{inActions, "INPUT_", "remove it, or give it a name that does not begin with INPUT_; --help lists the inputs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const value = "value-that-nobody-may-see"
			c, _, problems := parseIn(t, tt.place, map[string]string{tt.name: value})
			want := diag.Problems{{Where: diag.Where{Part: tt.name}, Message: nothing, Fix: tt.fix}}
			if diff := cmp.Diff(problems, want); diff != "" {
				t.Errorf("got -, want +\n%s", diff)
			}
			if secret := strings.Contains(tt.fix, "SECRET:") || strings.Contains(tt.fix, "$"); slices.Contains(c.Secrets(), value) != secret && !strings.Contains(tt.fix, "from a file") {
				t.Errorf("it is hidden: got %v, want %v", !secret, secret)
			}
			for _, mode := range []string{"plan", "validate"} {
				_, notes, problems := parseIn(t, tt.place, map[string]string{tt.name: value, "MODE": mode, "MAPPING": "a: 1"})
				want := []string{tt.name + ": it is not an input of this program, and nothing reads it; a sync does not begin with it; fix: " + tt.fix}
				if diff := cmp.Diff(notes.Warnings, want); diff != "" || problems != nil {
					t.Errorf("%s: %v, got -, want +\n%s", mode, problems, diff)
				}
			}
		})
	}
}

// A name may be anything, and is shown in part.
func TestStrayNameIsClipped(t *testing.T) {
	t.Parallel()
	_, _, problems := parseIn(t, inShell, map[string]string{"INPUT_" + strings.Repeat("é", 5000): "x"})
	if len(problems) != 1 || len(problems[0].Error()) > 500 {
		t.Errorf("got %d problems, want a short one", len(problems))
	}
}

// misspelt returns a name with one letter wrong, in each way and at each place.
func misspelt(name string) []string {
	var all []string
	for i := range len(name) {
		all = append(all, name[:i]+name[i+1:], name[:i]+"J"+name[i+1:], name[:i]+"Z"+name[i:])
		if i > 0 && name[i] != name[i-1] {
			all = append(all, name[:i-1]+name[i:i+1]+name[i-1:i]+name[i+1:])
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == name })
}

// Each name of the table with one letter wrong is caught, and the input that was meant is named.
func TestMisspeltNames(t *testing.T) {
	t.Parallel()
	for _, in := range Table {
		for i, name := range misspelt(in.Name()) {
			names := map[string]bool{"INPUT_" + name: false, name: true} // in a pipe
			if i%7 == 0 {
				names["INPUT_"+strings.ReplaceAll(name, "_", "-")] = false
			}
			for name, pipe := range names {
				if pipe && len(in.ID) < minName && len(name) < minName || name == "INPUT_"+in.dashed() {
					continue // told from others' names by chance alone; no mistake
				}
				env := world(map[string]string{name: "x"}, nil)
				env.Pipe = pipe
				switch found := strays(env, Config{}); {
				case len(found) != 1 || found[0].name != name:
					t.Errorf("%s is not caught", name)
				case found[0].near.ID != in.ID:
					t.Errorf("%s: got the suggestion %q, want %q", name, found[0].near.ID, in.ID)
				}
			}
		}
	}
}

// What the platforms set themselves is none of ours, and neither is what others may set.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/variables and
// https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/, read 2026-11.
const others = `
CI GITHUB_ACTION GITHUB_ACTION_PATH GITHUB_ACTION_REPOSITORY GITHUB_ACTIONS GITHUB_ACTOR GITHUB_ACTOR_ID GITHUB_API_URL GITHUB_BASE_REF GITHUB_ENV
GITHUB_EVENT_NAME GITHUB_EVENT_PATH GITHUB_GRAPHQL_URL GITHUB_HEAD_REF GITHUB_JOB GITHUB_OUTPUT GITHUB_PATH GITHUB_REF GITHUB_REF_NAME
GITHUB_REF_PROTECTED GITHUB_REF_TYPE GITHUB_REPOSITORY GITHUB_REPOSITORY_ID GITHUB_REPOSITORY_OWNER GITHUB_REPOSITORY_OWNER_ID GITHUB_RETENTION_DAYS
GITHUB_RUN_ATTEMPT GITHUB_RUN_ID GITHUB_RUN_NUMBER GITHUB_SERVER_URL GITHUB_SHA GITHUB_STATE GITHUB_STEP_SUMMARY GITHUB_TOKEN GITHUB_TRIGGERING_ACTOR
GITHUB_WORKFLOW GITHUB_WORKFLOW_REF GITHUB_WORKFLOW_SHA GITHUB_WORKSPACE RUNNER_ARCH RUNNER_DEBUG RUNNER_ENVIRONMENT RUNNER_NAME RUNNER_OS RUNNER_TEMP
RUNNER_TOOL_CACHE RUNNER_WORKSPACE ACTIONS_CACHE_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_RESULTS_URL ACTIONS_RUNTIME_TOKEN
ACTIONS_RUNTIME_URL INPUT_ENTRYPOINT INPUT_ARGS INPUT_METHOD INPUTRC
BITBUCKET_BOOKMARK BITBUCKET_BRANCH BITBUCKET_BUILD_NUMBER BITBUCKET_CLONE_DIR BITBUCKET_COMMIT BITBUCKET_DEPLOYMENT_ENVIRONMENT
BITBUCKET_DEPLOYMENT_ENVIRONMENT_UUID BITBUCKET_DOCKER_HOST_INTERNAL BITBUCKET_EXIT_CODE BITBUCKET_GIT_HTTP_ORIGIN BITBUCKET_GIT_SSH_ORIGIN
BITBUCKET_PACKAGES_TOKEN BITBUCKET_PACKAGES_USERNAME BITBUCKET_PARALLEL_STEP BITBUCKET_PARALLEL_STEP_COUNT BITBUCKET_PIPELINE_UUID
BITBUCKET_PIPELINES_VARIABLES_PATH BITBUCKET_PIPE_SHARED_STORAGE_DIR BITBUCKET_PIPE_STORAGE_DIR BITBUCKET_PR_DESTINATION_BRANCH
BITBUCKET_PR_DESTINATION_COMMIT BITBUCKET_PR_ID BITBUCKET_PROJECT_KEY BITBUCKET_PROJECT_UUID BITBUCKET_REPO_FULL_NAME BITBUCKET_REPO_IS_PRIVATE
BITBUCKET_REPO_OWNER BITBUCKET_REPO_OWNER_UUID BITBUCKET_REPO_SLUG BITBUCKET_REPO_UUID BITBUCKET_SSH_KEY_FILE BITBUCKET_STEP_OIDC_TOKEN
BITBUCKET_STEP_RUN_NUMBER BITBUCKET_STEP_TRIGGERER_UUID BITBUCKET_STEP_UUID BITBUCKET_TAG BITBUCKET_WORKSPACE PIPELINES_JWT_TOKEN DOCKER_HOST
NODE NODE_FILE NODE_COUNT CI_FILES FAIL_OK HOSTNAME SSL_CERT_FILE SSL_CERT_DIR HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy GOMEMLIMIT LC_ALL
LANGUAGE TERM PORT_RESYNC_STATUS TEAM_NAME SERVICE_NAME EXTRA_ARGS WORKING_DIR OCEAN__INTEGRATION__CONFIG__BITBUCKET_WORKSPACES APPLICATION__LOG_LEVELS`

func TestNamesOfOthers(t *testing.T) {
	t.Parallel()
	variables := map[string]string{"JQ_ENV_ALLOW": "MAPPING_FILES,INPUT_TEAM", "MAPPING_FILES": "x", "INPUT_TEAM": "x", "INPUT_MAPING": " "}
	for name := range strings.FieldsSeq(others) {
		variables[name] = "x"
	}
	for _, in := range Table {
		for _, name := range []string{in.Name(), in.Name() + "_FILE", in.Name() + "_COUNT", in.Name() + "_0", in.Name() + "_12", "INPUT_" + in.Name(), "INPUT_" + in.dashed()} {
			variables[name] = "x"
		}
		for _, name := range in.Ocean {
			variables[name] = "x"
		}
	}
	env := world(variables, nil)
	for _, env.Pipe = range []bool{false, true} {
		for _, s := range strays(env, Config{JQEnvAllow: []string{"MAPPING_FILES", "INPUT_TEAM"}}) {
			t.Errorf("in a pipe %v: %s is taken for %s", env.Pipe, s.name, s.near.ID)
		}
	}
	for _, place := range []Environment{inShell, inActions, inStep} {
		if _, _, problems := parseIn(t, place, map[string]string{"MAPING_FILE": "x"}); problems != nil {
			t.Errorf("%+v: a plain name of others, where others' names are: %v", place, problems)
		}
	}
}

// A text that stands for a variable is no value, whatever input it is given to.
func TestUnresolved(t *testing.T) {
	t.Parallel()
	for _, in := range Table {
		for _, text := range []string{"$SOME_NAME", "${SOME_NAME}", " $SOME_NAME\n", "$(SOME_NAME)"} {
			for name, place := range map[string]Environment{in.Name(): inPipe, "INPUT_" + in.Name(): inActions} {
				variables := maps.Clone(required)
				variables[name] = text
				if name != in.Name() {
					delete(variables, in.Name())
				}
				if !in.Validate {
					variables["MODE"] = "plan"
				}
				env := world(variables, nil)
				env.Actions, env.Pipelines, env.Pipe = place.Actions, place.Pipelines, place.Pipe
				_, _, err := Parse(env)
				var problems diag.Problems
				errors.As(err, &problems)
				i := slices.IndexFunc(problems, func(p diag.Problem) bool { return p.Where == diag.Where{Input: in.ID, From: name} })
				if i < 0 || problems[i].Message != `its value is the text "$SOME_NAME": that variable is not defined here` || problems[i].Fix == "" {
					t.Errorf("%s=%q: got %v", name, text, err)
				}
			}
		}
	}
}

func TestUnresolvedIsToldOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		place     Environment
		variables map[string]string
		want      string // of all problems
	}{
		{inPipe, map[string]string{"PORT_CLIENT_ID": "$PORT_ID"}, `input port_client_id (from PORT_CLIENT_ID): its value is the text "$PORT_ID": that variable is not defined here
fix: define PORT_ID among the variables of the repository, of the workspace, or of the deployment that the step names, and look at its spelling`},
		{inActions, map[string]string{"PORT_CLIENT_ID": "-", "INPUT_PORT_CLIENT_ID": "$PORT_ID"}, `input port_client_id (from INPUT_PORT_CLIENT_ID): its value is the text "$PORT_ID": that variable is not defined here
fix: write "port_client_id: ${{ secrets.PORT_CLIENT_ID }}" under "with:" of the step, or in a "run:" step set the environment variable PORT_CLIENT_ID; "with:" does not replace the names of variables by their values`},
		{inShell, map[string]string{"BITBUCKET_WORKSPACE_TOKEN": "$Hush1"}, `input bitbucket_workspace_token (from BITBUCKET_WORKSPACE_TOKEN): its value is the text a "$" and a name: that variable is not defined here
fix: define the variable where the program starts, and look at its spelling and at single quotes, in which a shell replaces nothing`},
		{inPipe, map[string]string{"BITBUCKET_WORKSPACE_TOKEN": "-", "BITBUCKET_WORKSPACE_TOKEN_COUNT": "2", "BITBUCKET_WORKSPACE_TOKEN_0": "token-one", "BITBUCKET_WORKSPACE_TOKEN_1": "$TOKEN_TWO"},
			`input bitbucket_workspace_token (from BITBUCKET_WORKSPACE_TOKEN_COUNT): its value is the text "$TOKEN_TWO": that variable is not defined here
fix: define TOKEN_TWO among the variables of the repository, of the workspace, or of the deployment that the step names, and look at its spelling`},
		{inShell, map[string]string{"MAPPING": "a: 1, $b"}, ""},
		{inShell, map[string]string{"PORT_CLIENT_SECRET": "a$B", "MAPPING_FILE": "$dir/mapping.yml"}, ""},
	}
	for _, tt := range tests {
		c, _, problems := parseIn(t, tt.place, tt.variables)
		got := ""
		if problems != nil {
			got = problems.Error()
		}
		if diff := cmp.Diff(got, tt.want); diff != "" {
			t.Errorf("%v: got -, want +\n%s", tt.variables, diff)
		}
		if tt.variables["BITBUCKET_WORKSPACE_TOKEN_0"] != "" && !slices.Contains(c.Secrets(), "token-one") {
			t.Error("the other token of the list is not hidden")
		}
	}
}

// TestMissing says where the program runs how to give what is missing.
func TestMissing(t *testing.T) {
	t.Parallel()
	const nothing = "; where that is written already, the secret is not defined under Settings > Secrets and variables > Actions, or the run is for a pull request of a fork or of Dependabot, which is given none"
	tests := []struct {
		place       Environment
		id, want    string // the fix for an input that is required
		credentials string // the fix where there are none
	}{
		{inShell, "port_client_secret", "set the environment variable PORT_CLIENT_SECRET; --help lists all inputs",
			"for a workspace access token set the environment variable BITBUCKET_WORKSPACE_TOKEN; for an API token with scopes BITBUCKET_USER_EMAIL and BITBUCKET_USER_SCOPED_TOKEN in its place; for an OAuth consumer BITBUCKET_CLIENT_ID and BITBUCKET_CLIENT_SECRET"},
		{inPipe, "port_client_secret", `write "PORT_CLIENT_SECRET: $PORT_CLIENT_SECRET" under "variables:" of the pipe; --help lists all inputs`,
			`for a workspace access token write "BITBUCKET_WORKSPACE_TOKEN: $BITBUCKET_WORKSPACE_TOKEN" under "variables:" of the pipe; for an API token with scopes BITBUCKET_USER_EMAIL and BITBUCKET_USER_SCOPED_TOKEN in its place; for an OAuth consumer BITBUCKET_CLIENT_ID and BITBUCKET_CLIENT_SECRET`},
		{inActions, "port_client_secret", `write "port_client_secret: ${{ secrets.PORT_CLIENT_SECRET }}" under "with:" of the step, or in a "run:" step set the environment variable PORT_CLIENT_SECRET` + nothing + "; --help lists all inputs",
			`for a workspace access token write "bitbucket_workspace_token: ${{ secrets.BITBUCKET_WORKSPACE_TOKEN }}" under "with:" of the step, or in a "run:" step set the environment variable BITBUCKET_WORKSPACE_TOKEN; for an API token with scopes bitbucket_user_email and bitbucket_user_scoped_token in its place; for an OAuth consumer bitbucket_client_id and bitbucket_client_secret` + nothing},
		{inActions, "bitbucket_workspace", `write "bitbucket_workspace: acme" under "with:" of the step, or in a "run:" step set the environment variable BITBUCKET_WORKSPACE; --help lists all inputs`, ""},
	}
	for _, tt := range tests {
		_, _, problems := parseIn(t, tt.place, map[string]string{inputOf(tt.id).Name(): "-", "BITBUCKET_WORKSPACE_TOKEN": "-"})
		got := map[string]string{}
		for _, p := range problems {
			got[p.Where.String()] = p.Fix
		}
		if fix := got["input "+tt.id]; fix != tt.want {
			t.Errorf("%s: got -, want +\n%s", tt.id, cmp.Diff(fix, tt.want))
		}
		if fix := got["input bitbucket_workspace_token"]; tt.credentials != "" && fix != tt.credentials {
			t.Errorf("credentials: got -, want +\n%s", cmp.Diff(fix, tt.credentials))
		}
	}
}
