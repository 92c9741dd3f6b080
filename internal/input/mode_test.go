package input

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"port-bitbucket-exporter/internal/diag"
)

// parseWith parses variables and arguments, given by ID.
func parseWith(t *testing.T, variables, arguments map[string]string) (Config, Notes, diag.Problems) {
	t.Helper()
	env := world(variables, nil)
	env.Arguments = map[string]Argument{}
	for id, text := range arguments {
		env.Arguments[id] = Argument{Text: text, From: "--" + id}
	}
	c, notes, err := Parse(env)
	var problems diag.Problems
	if err != nil && !errors.As(err, &problems) {
		t.Fatal(err)
	}
	return c, notes, problems
}

func TestArgumentsWin(t *testing.T) {
	t.Parallel()
	c, notes, problems := parseWith(t, with(map[string]string{"INPUT_CONCURRENCY": "7", "CONCURRENCY": "8", "LOG_LEVEL": "error"}),
		map[string]string{"concurrency": "9", "log_level": "debug"})
	if problems != nil || c.Concurrency != 9 || c.LogLevel != slog.LevelDebug {
		t.Errorf("got concurrency %d, level %v, %v", c.Concurrency, c.LogLevel, problems)
	}
	for _, s := range notes.Sources {
		if s.ID == "concurrency" && s.From != "--concurrency" {
			t.Errorf("concurrency is from %s", s.From)
		}
	}
}

// What a variable of another program may hold, an argument may not.
func TestArgumentsAreMeant(t *testing.T) {
	t.Parallel()
	_, _, problems := parseWith(t, with(nil), map[string]string{"log_level": "loud", "debug": "perhaps"})
	want := diag.Problems{
		{Where: diag.Where{Input: "log_level", From: "--log_level"}, Message: `"loud" is not known`, Fix: "How much is logged: debug, info, warning or error."},
		{Where: diag.Where{Input: "debug", From: "--debug"}, Message: `"perhaps" is not known`, Fix: "Set to true to log at debug level."},
	}
	if diff := cmp.Diff(problems, want); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
}

// In the mode validate nothing but a mapping is needed, and other inputs are not
// judged. Secrets that are there are known all the same, to be hidden.
func TestValidate(t *testing.T) {
	t.Parallel()
	c, notes, problems := parseWith(t, map[string]string{
		"MODE": "Validate", "MAPPING_FILE": "m.yml", "SARIF_FILE": "m.sarif", "PORT_CLIENT_SECRET": "port-secret", "PORT_BASE_URL": "nonsense",
		"BITBUCKET_WORKSPACE": "https://bitbucket.org/acme", "BITBUCKET_WORKSPACE_TOKEN": "a token", "BITBUCKET_APP_PASSWORD": "lonely",
		"CONCURRENCY": "0", "FAIL_ON": "x", "PORT_CLIENT_ID_FILE": "none", "OCEAN__INTEGRATION__TYPE": "github", "OCEAN__BASE_URL": "x", "JQ_ENV_ALLOW": "TEAM",
	}, nil)
	if problems != nil {
		t.Fatal(problems)
	}
	if c.Mode != Validate || c.MappingFile != "m.yml" || c.Files["sarif_file"] != "m.sarif" || len(c.JQEnvAllow) != 1 {
		t.Errorf("got %+v", c)
	}
	want := []string{"port-secret", "a token", "lonely"}
	if diff := cmp.Diff(c.Secrets()[:3], want); diff != "" {
		t.Errorf("secrets: got -, want +\n%s", diff)
	}
	wantNotes := Notes{Sources: []Source{
		{ID: "mode", From: "MODE"}, {ID: "mapping_file", From: "MAPPING_FILE"}, {ID: "jq_env_allow", From: "JQ_ENV_ALLOW"}, {ID: "sarif_file", From: "SARIF_FILE"}, {ID: "code_insights", From: "default"}, {ID: "log_level", From: "default"}, {ID: "quiet", From: "default"}, {ID: "log_format", From: "default"}, {ID: "color", From: "default"}, {ID: "debug", From: "default"},
	}}
	if diff := cmp.Diff(notes, wantNotes, cmpopts.IgnoreUnexported(Source{})); diff != "" {
		t.Errorf("notes: got -, want +\n%s", diff)
	}
}

func TestValidateProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		variables map[string]string
		where     string
	}{
		{"no mapping", nil, "input mapping_file"},
		{"two mappings", map[string]string{"MAPPING": "a: 1", "MAPPING_FILE": "m.yml"}, "input mapping (from MAPPING)"},
		{"a bad name", map[string]string{"MAPPING": "a: 1", "JQ_ENV_ALLOW": "a-b"}, "input jq_env_allow (from JQ_ENV_ALLOW)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, problems := parseWith(t, tt.variables, map[string]string{"mode": "validate"})
			if len(problems) != 1 || problems[0].Where.String() != tt.where || problems[0].Fix == "" {
				t.Errorf("got %+v, want one problem at %s", problems, tt.where)
			}
		})
	}
}

// A mode that is not known must not be taken for any other.
func TestUnknownMode(t *testing.T) {
	t.Parallel()
	_, _, problems := parseWith(t, with(map[string]string{"MODE": "validat"}), nil)
	if len(problems) != 1 || problems[0].Where.String() != "input mode (from MODE)" {
		t.Errorf("got %+v", problems)
	}
}
