package app_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/input"
)

// checkKept wants the folder of the memory among those that a CI keeps, where there is one.
func checkKept(t *testing.T, name, stateDir string, kept []string) {
	t.Helper()
	for i := range kept {
		kept[i] = path.Clean(strings.TrimSuffix(kept[i], "**"))
	}
	if stateDir != "" && !slices.Contains(kept, stateDir) {
		t.Errorf("%s: state_dir is %q, and what is kept between runs is %q", name, stateDir, kept)
	}
}

// checkEnvironment wants the variables of a run to be inputs, and each required one to be
// there; secret holds the names of those whose values the CI keeps.
func checkEnvironment(t *testing.T, name string, env map[string]string, secret []string) {
	t.Helper()
	names := slices.Clone(secret)
	for key, value := range env {
		names = append(names, key)
		if i := slices.IndexFunc(input.Table, func(in input.Input) bool { return in.Name() == key }); i >= 0 && input.Table[i].Secret {
			t.Errorf("%s: the secret %s is written down as %q", name, key, value)
		}
	}
	checkNames(t, name, env["MODE"], names, func(in input.Input) []string { return []string{in.Name()} })
	checkSync(t, name, env["MODE"], func(id string) string { return env[strings.ToUpper(id)] })
	values := map[string]string{}
	maps.Copy(values, env)
	for _, key := range secret {
		values[key] = "$" + key
	}
	checkValues(t, name, values, input.Input.Name, false)
}

// checkDocker reads the arguments of docker and checks the program's environment; secret are
// the names that the command may pass on without a value, and system those by which the program
// knows where it runs: a container has none of them by itself.
func checkDocker(t *testing.T, name string, args, secret, system []string) (env map[string]string) {
	t.Helper()
	env = map[string]string{}
	var passed, shown, mounts []string
	workdir := ""
	for i := 0; i+1 < len(args); i++ {
		switch args[i] {
		case "--env":
			if key, value, ok := strings.Cut(args[i+1], "="); ok {
				env[key] = value
			} else if slices.Contains(system, key) {
				shown = append(shown, key)
			} else {
				passed = append(passed, key)
			}
		case "--env-file":
			passed = append(passed, secret...)
		case "--volume":
			_, inside, _ := strings.Cut(strings.Trim(args[i+1], `"`), ":")
			mounts = append(mounts, inside)
		case "--workdir":
			workdir = strings.Trim(args[i+1], `"`)
		}
	}
	if len(args) < 2 || args[0] != "docker" || args[1] != "run" {
		t.Fatalf("%s: got the command %q, want docker run", name, args)
	}
	if image := args[len(args)-1]; !regexp.MustCompile(`^ghcr\.io/.+/port-bitbucket-exporter:\d+\.\d+\.\d+$`).MatchString(image) {
		t.Errorf("%s: image %q has no exact version", name, image)
	}
	for _, key := range passed {
		if !slices.Contains(secret, key) {
			t.Errorf("%s: passes on %s, which is set nowhere", name, key)
		}
	}
	checkEnvironment(t, name, env, passed)
	if !slices.Equal(slices.Sorted(slices.Values(shown)), slices.Sorted(slices.Values(system))) {
		t.Errorf("%s: passes on %q of the CI system, want %q", name, shown, system)
	}
	if dir := path.Join(workdir, env["STATE_DIR"]); !slices.ContainsFunc(mounts, func(m string) bool { return strings.HasPrefix(dir, m+"/") }) {
		t.Errorf("%s: the memory in %s goes with the container, which has %q of outside", name, dir, mounts)
	}
	return env
}

// secrets are the inputs that a CI keeps for the examples.
var secrets = []string{"PORT_CLIENT_ID", "PORT_CLIENT_SECRET", "BITBUCKET_WORKSPACE_TOKEN"}

// checkAzure checks a pipeline of Azure.
func checkAzure(t *testing.T, name, text string) {
	t.Helper()
	var p struct {
		Trigger   string
		Schedules []yaml.Node
		Jobs      []struct {
			Job              string
			Pool             map[string]string
			TimeoutInMinutes int `yaml:"timeoutInMinutes"`
			Steps            []struct {
				Checkout, Task, Script, Name, Condition string
				Inputs, Env                             map[string]string
				ContinueOnError                         bool `yaml:"continueOnError"`
			}
		}
	}
	decodeStrict(t, name, text, &p)
	for _, job := range p.Jobs {
		var kept []string
		runs, tests := 0, ""
		for _, step := range job.Steps {
			if step.Task == "PublishTestResults@2" && (tests == "" || step.Inputs["testResultsFiles"] != tests || step.Condition != "always()") {
				t.Errorf("%s: publishes the tests of %q if %q, and the program writes %q", name, step.Inputs["testResultsFiles"], step.Condition, tests)
			}
			if step.Task == "Cache@2" {
				kept = append(kept, step.Inputs["path"])
				if key := step.Inputs["key"]; !strings.Contains(key, "$(Build.BuildId)") || !strings.HasPrefix(key, step.Inputs["restoreKeys"]+" | ") {
					t.Errorf("%s: got the key %q and %q to begin with, want a new one for each build", name, key, step.Inputs["restoreKeys"])
				}
			}
			if step.Script == "" {
				continue
			}
			runs++
			var passed []string
			for key, value := range step.Env {
				if value != "$("+key+")" {
					t.Errorf("%s: %s is %q, want the variable of that name", name, key, value)
				}
				passed = append(passed, key)
			}
			env := checkDocker(t, name, strings.Fields(step.Script), passed, []string{"TF_BUILD", "AGENT_TEMPDIRECTORY", "BUILD_SOURCESDIRECTORY",
				"BUILD_REPOSITORY_PROVIDER", "BUILD_REPOSITORY_URI", "BUILD_SOURCEVERSION"})
			tests = env["JUNIT_FILE"]
			checkKept(t, name, env["STATE_DIR"], kept)
			if !step.ContinueOnError {
				t.Errorf("%s: the cache of a partial run is not saved", name)
			}
		}
		if runs != 1 || job.TimeoutInMinutes == 0 {
			t.Errorf("%s: runs the program %d times, with a limit of %d minutes", name, runs, job.TimeoutInMinutes)
		}
	}
}

// TestJenkinsfile reads the command of the Jenkinsfile, and what it keeps.
func TestJenkinsfile(t *testing.T) {
	t.Parallel()
	const name = "examples/Jenkinsfile"
	text := readRoot(t, name)
	_, command, _ := strings.Cut(text, "sh '''")
	command, _, _ = strings.Cut(command, "'''")
	var passed []string
	for _, m := range regexp.MustCompile(`(?m)^    (\w+) = credentials\('[a-z-]+'\)$`).FindAllStringSubmatch(text, -1) {
		passed = append(passed, m[1])
	}
	env := checkDocker(t, name, strings.Fields(strings.ReplaceAll(command, "\\\n", " ")), passed, []string{"JENKINS_URL", "WORKSPACE", "GIT_URL", "GIT_COMMIT"})
	for input, step := range map[string]string{"JUNIT_FILE": "junit testResults: '%s', allowEmptyResults: true", "HTML_FILE": "archiveArtifacts artifacts: '%s', allowEmptyArchive: true"} {
		if want := fmt.Sprintf(step, env[input]); env[input] == "" || !strings.Contains(text, want) {
			t.Errorf("%s: has no step %s", name, want)
		}
	}
	for _, step := range []string{`copyArtifacts .* filter: '([^']+)', optional: true`, `always \{\s+archiveArtifacts artifacts: '([^']+)', allowEmptyArchive: true`} {
		if m := regexp.MustCompile(step).FindStringSubmatch(text); m == nil {
			t.Errorf("%s: has no %s", name, step)
		} else {
			checkKept(t, name, env["STATE_DIR"], m[1:])
		}
	}
	if strings.Count(text, "{") != strings.Count(text, "}") || !strings.Contains(text, "disableConcurrentBuilds()") {
		t.Errorf("%s: braces are not closed, or two builds may run at once", name)
	}
}

// TestCronScript runs the script with a docker that tells what it is asked for.
func TestCronScript(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	const name = "examples/cron.sh"
	bin := t.TempDir()
	for program, text := range map[string]string{
		"docker": "#!/bin/sh\nprintf '%s\\n' docker \"$@\"\n",
		"flock":  "#!/bin/sh\nif [ \"$1\" = --nonblock ]; then shift; fi\nshift\nexec \"$@\"\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, program), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), sh, filepath.Join(root, name))
	cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	if env := checkDocker(t, name, strings.Fields(string(out)), secrets, nil); env["STATE_DIR"] == "" {
		t.Errorf("%s: keeps no memory", name)
	}
}
