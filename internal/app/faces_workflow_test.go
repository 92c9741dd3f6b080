package app_test

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/face"
	"port-bitbucket-exporter/internal/input"
)

// checkNames reports what is not among the names, and what is required and missing: in
// the mode validate nothing is.
func checkNames(t *testing.T, where, mode string, got []string, spell func(input.Input) []string) {
	t.Helper()
	var known []string
	for _, in := range input.Table {
		spellings := spell(in)
		known = append(known, spellings...)
		if in.Required && mode != string(input.Validate) && !slices.ContainsFunc(got, func(name string) bool { return slices.Contains(spellings, name) }) {
			t.Errorf("%s: the input %q is required", where, in.ID)
		}
	}
	for _, name := range got {
		if !slices.Contains(known, name) {
			t.Errorf("%s: unknown input %q", where, name)
		}
	}
}

type concurrency struct {
	Group            string
	CancelInProgress bool `yaml:"cancel-in-progress"`
}

// workflow is what the examples use of GitHub's language.
type workflow struct {
	Name        string
	On          yaml.Node
	Permissions map[string]string
	Concurrency *concurrency
	Jobs        map[string]struct {
		RunsOn         string `yaml:"runs-on"`
		If             string
		Permissions    map[string]string
		TimeoutMinutes int `yaml:"timeout-minutes"`
		Steps          []step
	}
}

type step struct {
	ID, Name, Uses, Run, If string
	With, Env               map[string]string
}

var stepOutput = regexp.MustCompile(`steps\.port\.outputs\.(\w+)`)

func checkWorkflow(t *testing.T, name, text string) {
	t.Helper()
	var w workflow
	decodeStrict(t, name, text, &w)
	if w.Name == "" || w.On.IsZero() || w.Permissions == nil {
		t.Errorf("%s: needs name, on and permissions", name)
	}
	checkDispatch(t, name, w.On)
	steps := map[string]bool{} // the ids of those that run the program
	for id, job := range w.Jobs {
		var written []string
		checkCaches(t, name, job.Steps)
		if job.RunsOn == "" || len(job.Steps) == 0 {
			t.Errorf("%s: job %q needs runs-on and steps", name, id)
		}
		for i, step := range job.Steps {
			if (step.Uses == "") == (step.Run == "") {
				t.Errorf("%s: step %d needs one of uses and run", name, i+1)
			}
			checkNode(t, name, text, step.Uses)
			if strings.Contains(step.Uses, "/port-bitbucket-exporter@") {
				checkSync(t, name, step.With["mode"], func(id string) string { return step.With[id] })
				checkOneAtATime(t, name, step.With, w.Concurrency)
				checkNames(t, name, step.With["mode"], slices.Collect(maps.Keys(step.With)), func(in input.Input) []string { return []string{in.ID} })
				checkSecrets(t, name, step.With, func(in input.Input) (string, string) { return in.ID, "${{ secrets." + in.Name() + " }}" })
				checkValues(t, name, step.With, func(in input.Input) string { return in.ID }, false)
				steps[step.ID] = true
				written = append(written, step.With["report_file"], step.With["sarif_file"])
			}
			if strings.HasPrefix(step.Uses, "actions/upload-artifact@") && !slices.Contains(written, step.With["path"]) {
				t.Errorf("%s: step %d keeps %q, which no step before it writes", name, i+1, step.With["path"])
			}
		}
	}
	for _, match := range stepOutput.FindAllStringSubmatch(text, -1) {
		if !steps["port"] {
			t.Errorf("%s: reads %s, and has no step of that id", name, match[0])
		}
		if !isOutput(match[1]) {
			t.Errorf("%s: unknown output %q", name, match[1])
		}
	}
}

// node24 are the actions of others that the examples may use, with the first major version of
// each that runs on Node 24: GitHub's runners have no Node 20 any more.
// Source: https://github.blog/changelog/2025-09-19-deprecation-of-node-20-on-github-actions-runners/, read 2026-11.
var node24 = map[string]int{
	"actions/checkout": 5, "actions/setup-go": 6, "actions/upload-artifact": 6,
	"actions/cache/restore": 5, "actions/cache/save": 5, "github/codeql-action/upload-sarif": 4,
}

// checkNode wants an action of others to be one that GitHub's runners still run. Its version stands
// after its hash.
func checkNode(t *testing.T, name, text, uses string) {
	t.Helper()
	action, _, _ := strings.Cut(uses, "@")
	if uses == "" || strings.HasSuffix(action, "/port-bitbucket-exporter") {
		return
	}
	least, known := node24[action]
	_, version, _ := strings.Cut(text, uses+" # v")
	version, _, _ = strings.Cut(version, ".")
	if major, err := strconv.Atoi(version); !known || err != nil || major < least {
		t.Errorf("%s: got the action %q of version %q, want %s from v%d on", name, uses, version, action, least)
	}
}

// checkCaches wants a memory to be restored before the step that uses it, and saved after it
// whatever came of it, each time under a name of its own.
func checkCaches(t *testing.T, name string, steps []step) {
	t.Helper()
	var stateDir string
	var restored, saved []step
	for _, s := range steps {
		switch {
		case strings.HasPrefix(s.Uses, "actions/cache/restore@") && stateDir == "":
			restored = append(restored, s)
		case strings.HasPrefix(s.Uses, "actions/cache/save@") && stateDir != "":
			saved = append(saved, s)
		case s.With["state_dir"] != "":
			stateDir = s.With["state_dir"]
		}
	}
	if stateDir == "" && len(restored)+len(saved) == 0 {
		return
	}
	if len(restored) != 1 || len(saved) != 1 {
		t.Errorf("%s: restores %d caches before the program and saves %d after it, want one each", name, len(restored), len(saved))
		return
	}
	checkKept(t, name, stateDir, []string{restored[0].With["path"]})
	checkKept(t, name, stateDir, []string{saved[0].With["path"]})
	key, begin := saved[0].With["key"], restored[0].With["restore-keys"]
	if saved[0].If != "always()" || restored[0].With["key"] != key || !strings.Contains(key, "github.run_id") || begin == "" || !strings.HasPrefix(key, begin) {
		t.Errorf("%s: got the key %q, %q to begin with, saved if %q", name, key, begin, saved[0].If)
	}
}

// checkOneAtATime wants all that writes to one workspace's entities in one group.
func checkOneAtATime(t *testing.T, name string, with map[string]string, c *concurrency) {
	t.Helper()
	if want := "port-resync-" + with["bitbucket_workspace"]; writes(with["mode"]) && (c == nil || c.Group != want || c.CancelInProgress) {
		t.Errorf("%s: got concurrency %+v, want the group %s, and nothing cancelled", name, c, want)
	}
}

// writes says whether a mode is, or may be, sync.
func writes(mode string) bool {
	return mode != string(input.Validate) && mode != string(input.Plan)
}

// checkSync wants the page to show the mapping of a file that ran.
func checkSync(t *testing.T, name, mode string, value func(id string) string) {
	t.Helper()
	if writes(mode) && value("mapping_file") != "" && value("publish_mapping") != string(input.PublishAlways) {
		t.Errorf("%s: a mapping file without publish_mapping: always", name)
	}
}

// checkValues reads the inputs as a run does: with a text in place of each secret, and
// nothing in place of other expressions, as on a schedule.
func checkValues(t *testing.T, where string, values map[string]string, spell func(input.Input) string, pipelines bool) {
	t.Helper()
	env := map[string]string{}
	for _, in := range input.Table {
		switch value := values[spell(in)]; {
		case !strings.HasPrefix(value, "$"):
			env[in.Name()] = value
		case in.Secret || in.Required:
			env[in.Name()] = "acme"
		}
	}
	_, _, err := input.Parse(input.Environment{
		Lookup:    func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Environ:   func() []string { return nil },
		ReadFile:  func(string) ([]byte, error) { return []byte("resources: []\n"), nil },
		Pipelines: pipelines,
	})
	if err != nil {
		t.Errorf("%s: the inputs that it gives: %v", where, err)
	}
}

// checkDispatch tries the choices of a run by hand.
func checkDispatch(t *testing.T, name string, on yaml.Node) {
	t.Helper()
	var events struct {
		Dispatch struct {
			Inputs map[string]choices
		} `yaml:"workflow_dispatch"`
	}
	if err := on.Decode(&events); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for id, in := range events.Dispatch.Inputs {
		checkChoices(t, name, strings.ToUpper(id), in)
	}
}

// choices are those of an input or variable for a run by hand.
type choices struct {
	Default string
	Options []string
}

// checkChoices parses inputs with each of the values in turn.
func checkChoices(t *testing.T, where, name string, c choices) {
	t.Helper()
	if !slices.Contains(c.Options, c.Default) {
		t.Errorf("%s: the default of %s is none of its values", where, name)
	}
	for _, value := range c.Options {
		env := map[string]string{name: value, "PORT_CLIENT_ID": "id", "PORT_CLIENT_SECRET": "secret",
			"INPUT_BITBUCKET_WORKSPACE": "acme", "BITBUCKET_WORKSPACE_TOKEN": "token"}
		_, notes, err := input.Parse(input.Environment{
			Lookup:  func(name string) (string, bool) { v, ok := env[name]; return v, ok },
			Environ: func() []string { return nil },
		})
		if err != nil {
			t.Errorf("%s: %s=%s: %v", where, name, value, err)
		}
		if !slices.ContainsFunc(notes.Sources, func(s input.Source) bool { return s.From == name }) {
			t.Errorf("%s: %s is no input", where, name)
		}
	}
}

func isOutput(name string) bool {
	return slices.ContainsFunc(face.OutputTable, func(o face.OutputSpec) bool { return o.Name == name })
}

// checkSecrets wants each secret to come from where secrets are kept.
func checkSecrets(t *testing.T, where string, values map[string]string, from func(input.Input) (name, value string)) {
	t.Helper()
	for _, in := range input.Table {
		name, want := from(in)
		if got := values[name]; in.Secret && got != "" && got != want {
			t.Errorf("%s: %s is %q, want %q", where, name, got, want)
		}
	}
}

// pipelines is what the examples use of Bitbucket's language.
type pipelines struct {
	Definitions struct {
		Caches map[string]string
	}
	Pipelines struct {
		Custom       map[string][]pipeline
		PullRequests map[string][]pipeline `yaml:"pull-requests"`
	}
}

// pipeline is one item of a pipeline: its variables, or a step.
type pipeline struct {
	Variables []struct {
		Name, Default string
		AllowedValues []string `yaml:"allowed-values"`
	}
	Step struct {
		Name      string
		MaxTime   int `yaml:"max-time"`
		Caches    []string
		Condition struct {
			Changesets struct {
				IncludePaths []string `yaml:"includePaths"`
			}
		}
		Script          []yaml.Node
		AfterScript     []string `yaml:"after-script"`
		Artifacts       []string
		OutputVariables []string `yaml:"output-variables"`
	}
}

var outputVariable = regexp.MustCompile(`\bPORT_RESYNC_(\w+)`)

func checkPipelines(t *testing.T, name, text string) {
	t.Helper()
	var p pipelines
	decodeStrict(t, name, text, &p)
	pipes := 0
	for _, steps := range slices.Concat(slices.Collect(maps.Values(p.Pipelines.Custom)), slices.Collect(maps.Values(p.Pipelines.PullRequests))) {
		for _, s := range steps {
			for _, v := range s.Variables {
				checkChoices(t, name, v.Name, choices{v.Default, v.AllowedValues})
			}
			var written []string
			for _, line := range s.Step.Script {
				if line.Kind == yaml.MappingNode {
					pipes++
					variables := checkPipe(t, name, line)
					written = append(written, variables["REPORT_FILE"], variables["SARIF_FILE"])
					var kept []string
					for _, cache := range s.Step.Caches {
						kept = append(kept, p.Definitions.Caches[cache])
					}
					checkKept(t, name, variables["STATE_DIR"], kept)
				}
			}
			for _, file := range s.Step.Artifacts {
				if !slices.Contains(written, file) {
					t.Errorf("%s: keeps the artifact %q, which no pipe of the step writes", name, file)
				}
			}
		}
	}
	if pipes == 0 {
		t.Errorf("%s: runs no pipe", name)
	}
	for _, match := range outputVariable.FindAllStringSubmatch(text, -1) {
		if output := strings.ToLower(match[1]); !isOutput(output) || output == "summary" {
			t.Errorf("%s: unknown variable %q", name, match[0])
		}
	}
}

// checkPipe gives the variables of the pipe.
func checkPipe(t *testing.T, name string, line yaml.Node) map[string]string {
	t.Helper()
	var call struct {
		Pipe      string
		Variables map[string]string
	}
	if err := line.Decode(&call); err != nil {
		t.Errorf("%s: %v", name, err)
		return nil
	}
	if !regexp.MustCompile(`^docker://.+/port-bitbucket-exporter:\d+\.\d+\.\d+$`).MatchString(call.Pipe) {
		t.Errorf("%s: pipe %q has no exact version", name, call.Pipe)
	}
	checkSync(t, name, call.Variables["MODE"], func(id string) string { return call.Variables[strings.ToUpper(id)] })
	checkNames(t, name, call.Variables["MODE"], slices.Collect(maps.Keys(call.Variables)), func(in input.Input) []string {
		return []string{in.Name(), "INPUT_" + in.Name(), in.Name() + "_FILE"}
	})
	checkSecrets(t, name, call.Variables, func(in input.Input) (string, string) { return in.Name(), "$" + in.Name() })
	if _, ok := call.Variables["MAPPING"]; ok {
		t.Errorf("%s: a mapping in a variable passes through a shell; write MAPPING_FILE", name)
	}
	checkValues(t, name, call.Variables, input.Input.Name, true)
	return call.Variables
}
