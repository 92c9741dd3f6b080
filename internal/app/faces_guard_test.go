package app_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// guarded is what of a workflow decides what a stranger could do with it.
type guarded struct {
	Name        string
	On          yaml.Node
	Permissions *map[string]string
	Concurrency *yaml.Node
	Env         map[string]string
	Jobs        map[string]struct {
		RunsOn         string `yaml:"runs-on"`
		If             string
		Secrets        any
		Container      any
		Services       any
		TimeoutMinutes int `yaml:"timeout-minutes"`
		Env            map[string]string
		Steps          []step
	}
}

var (
	usesLine  = regexp.MustCompile(`(?m)^ *(?:- )?uses: *(.*)$`)
	pinned    = regexp.MustCompile(`^([\w.-]+/[\w.-]+)(?:/[\w.-]+)*@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$`)
	ours      = regexp.MustCompile(`^[\w.-]+/port-bitbucket-exporter@v\d+\.\d+\.\d+$`)
	writeLine = regexp.MustCompile(`(?m)^ *[a-z-]+: write *(#.*)?$`)
	goLine    = regexp.MustCompile(`go-version: (\S+)`)
	// All secrets at once, or parts of one, which a log does not hide.
	secretsWhole = regexp.MustCompile(`(?i)(to|from)json\( *secrets|secrets: inherit|secrets\[`)
	// Run with the rights of the repository on what a stranger sent.
	forStrangers = regexp.MustCompile(`pull_request_target|workflow_run|issue_comment`)
)

// workflows are those of this repository and those that users copy, by their names.
func workflows(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{".github/workflows/*.yml", "examples/github-*.yml"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) < 3 {
			t.Fatalf("%s: got %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = readRoot(t, name)
		}
	}
	return found
}

// No workflow runs an action that can change behind its name, all run the same version of one, and
// they build with the Go of the image. .ci/workflows/check asks GitHub for the hashes.
func TestWorkflowsArePinned(t *testing.T) {
	t.Parallel()
	_, goVersion, _ := strings.Cut(readRoot(t, "Dockerfile"), "FROM golang:")
	goVersion, _, _ = strings.Cut(goVersion, " ")
	pins := map[string]string{}
	for name, text := range workflows(t) {
		for _, found := range usesLine.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(name, "examples/") && ours.MatchString(found[1]) {
				continue
			}
			pin := pinned.FindStringSubmatch(found[1])
			if pin == nil {
				t.Errorf("%s: %q is not pinned by its hash, with the version behind it", name, found[1])
				continue
			}
			at := pin[2] + " " + pin[3]
			if was, ok := pins[pin[1]]; ok && was != at {
				t.Errorf("%s: got %s at %s, and elsewhere at %s", name, pin[1], at, was)
			}
			pins[pin[1]] = at
		}
		for _, found := range goLine.FindAllStringSubmatch(text, -1) {
			if found[1] != goVersion {
				t.Errorf("%s: builds with Go %s, the Dockerfile with %s", name, found[1], goVersion)
			}
		}
	}
	if len(pins) < 5 {
		t.Errorf("got %d actions, want at least 5: is the pattern wrong?", len(pins))
	}
}

// What zizmor looks for, as far as it can be seen without asking GitHub.
// Source: https://docs.zizmor.sh/audits/, read 2026-11.
func TestWorkflowsAreGuarded(t *testing.T) {
	t.Parallel()
	for name, text := range workflows(t) {
		var w guarded
		if err := yaml.Unmarshal([]byte(text), &w); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if w.Name == "" || w.Concurrency == nil || len(w.Env) != 0 {
			t.Errorf("%s: needs a name and concurrency, and no variables for all its jobs", name)
		}
		if w.Permissions == nil || len(*w.Permissions) != 0 {
			t.Errorf("%s: has rights for all its jobs, want permissions: {} there", name)
		}
		for _, found := range writeLine.FindAllStringSubmatch(text, -1) {
			if len(found[1]) < 5 {
				t.Errorf("%s: %q does not say what for", name, strings.TrimSpace(found[0]))
			}
		}
		if found := secretsWhole.FindString(text); found != "" {
			t.Errorf("%s: %q takes more than one secret, or a part that a log does not hide", name, found)
		}
		if found := forStrangers.FindString(text); found != "" {
			t.Errorf("%s: runs on %s", name, found)
		}
		for id, job := range w.Jobs {
			if !strings.HasPrefix(job.RunsOn, "ubuntu-") && job.RunsOn != "${{ matrix.runner }}" {
				t.Errorf("%s: job %s runs on %s, want a runner of GitHub's", name, id, job.RunsOn)
			}
			if job.TimeoutMinutes == 0 || job.Secrets != nil || job.Container != nil || job.Services != nil || len(job.Env) != 0 {
				t.Errorf("%s: job %s: want a limit of time, and no secrets, variables, container or services for all its steps", name, id)
			}
			checkCondition(t, name, job.If)
			for i, s := range job.Steps {
				checkCondition(t, name, s.If)
				if strings.Contains(s.Run, "${{") || strings.Contains(s.With["script"], "${{") {
					t.Errorf("%s: job %s: step %d pastes an expression into a shell", name, id, i+1)
				}
				if strings.Contains(s.Run, "GITHUB_ENV") || strings.Contains(s.Run, "GITHUB_PATH") {
					t.Errorf("%s: job %s: step %d changes the environment of all steps after it", name, id, i+1)
				}
				if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
					t.Errorf("%s: job %s: step %d leaves the token on the disk", name, id, i+1)
				}
				if _, cached := s.With["cache"]; strings.HasPrefix(s.Uses, "actions/setup-go@") && strings.Contains(text, "id-token: write") &&
					(!cached || s.With["cache"] != "false") || strings.HasPrefix(s.Uses, "actions/cache") && strings.HasPrefix(name, ".github/") {
					t.Errorf("%s: job %s: step %d takes what others have written into a cache", name, id, i+1)
				}
			}
		}
	}
}

// checkCondition wants a condition that can be false, and that no name of an account decides.
func checkCondition(t *testing.T, name, condition string) {
	t.Helper()
	if strings.Contains(condition, "${{") || strings.Contains(condition, "contains(") || strings.Contains(condition, "github.actor") {
		t.Errorf("%s: the condition %q may hold for others", name, condition)
	}
}

// Nothing is taken on the day on which it is published, and no update runs the code of what it takes.
func TestDependabotWaits(t *testing.T) {
	t.Parallel()
	var d struct {
		Updates []struct {
			Ecosystem string `yaml:"package-ecosystem"`
			Cooldown  struct {
				Days int `yaml:"default-days"`
			}
			Runs string `yaml:"insecure-external-code-execution"`
		}
	}
	if err := yaml.Unmarshal([]byte(readRoot(t, ".github/dependabot.yml")), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Updates) < 4 {
		t.Errorf("got %d kinds of updates, want at least 4", len(d.Updates))
	}
	for _, u := range d.Updates {
		if u.Cooldown.Days < 7 || u.Runs != "" {
			t.Errorf("%s: waits %d days and runs %q, want 7 days and nothing", u.Ecosystem, u.Cooldown.Days, u.Runs)
		}
	}
}
