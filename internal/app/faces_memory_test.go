package app_test

import (
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
	for key, value := range env {
		values[key] = value
	}
	for _, key := range secret {
		values[key] = "$" + key
	}
	checkValues(t, name, values, input.Input.Name, false)
}

// checkDocker reads the arguments of docker and checks the program's environment; secret are
// the names that the command may pass on without a value.
func checkDocker(t *testing.T, name string, args, secret []string) (env map[string]string) {
	t.Helper()
	env = map[string]string{}
	var passed, mounts []string
	workdir := ""
	for i := 0; i+1 < len(args); i++ {
		switch args[i] {
		case "--env":
			if key, value, ok := strings.Cut(args[i+1], "="); ok {
				env[key] = value
			} else {
				passed = append(passed, key)
			}
		case "--env-file":
			passed = append(passed, secret...)
		case "--volume":
			_, inside, _ := strings.Cut(strings.Trim(args[i+1], `"`), ":")
			mounts = append(mounts, inside)
		case "--workdir":
			workdir = args[i+1]
		}
	}
	if len(args) < 2 || args[0] != "docker" || args[1] != "run" {
		t.Fatalf("%s: got the command %q, want docker run", name, args)
	}
	if image := args[len(args)-1]; !regexp.MustCompile(`^docker\.io/.+/port-bitbucket-exporter:\d+\.\d+\.\d+$`).MatchString(image) {
		t.Errorf("%s: image %q has no exact version", name, image)
	}
	for _, key := range passed {
		if !slices.Contains(secret, key) {
			t.Errorf("%s: passes on %s, which is set nowhere", name, key)
		}
	}
	checkEnvironment(t, name, env, passed)
	if dir := path.Join(workdir, env["STATE_DIR"]); !slices.ContainsFunc(mounts, func(m string) bool { return strings.HasPrefix(dir, m+"/") }) {
		t.Errorf("%s: the memory in %s goes with the container, which has %q of outside", name, dir, mounts)
	}
	return env
}

// secrets are the inputs that a CI keeps for the examples.
var secrets = []string{"PORT_CLIENT_ID", "PORT_CLIENT_SECRET", "BITBUCKET_WORKSPACE_TOKEN"}

// checkGitLab checks a job of GitLab, which has its variables in its environment.
func checkGitLab(t *testing.T, name, text string) {
	t.Helper()
	var jobs map[string]struct {
		Image         string
		Rules         []map[string]string
		ResourceGroup string `yaml:"resource_group"`
		Timeout       string
		Cache         struct {
			Key, Policy, When string
			Paths             []string
		}
		Variables map[string]string
		Script    []string
	}
	decodeStrict(t, name, text, &jobs)
	for _, job := range jobs {
		checkEnvironment(t, name, job.Variables, secrets)
		checkKept(t, name, job.Variables["STATE_DIR"], job.Cache.Paths)
		if c := job.Cache; strings.Contains(c.Key, "$") || c.Policy != "pull-push" || c.When != "always" {
			t.Errorf("%s: got the cache %+v, want one key that each run writes, also after a failure", name, c)
		}
		if want := "port-resync-" + job.Variables["BITBUCKET_WORKSPACE"]; job.ResourceGroup != want {
			t.Errorf("%s: got the resource group %q, want %q", name, job.ResourceGroup, want)
		}
		if !slices.Contains(job.Script, "port-bitbucket-exporter") {
			t.Errorf("%s: does not run the program", name)
		}
	}
}

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
				Checkout, Task, Script string
				Inputs, Env            map[string]string
				ContinueOnError        bool `yaml:"continueOnError"`
			}
		}
	}
	decodeStrict(t, name, text, &p)
	for _, job := range p.Jobs {
		var kept []string
		runs := 0
		for _, step := range job.Steps {
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
			env := checkDocker(t, name, strings.Fields(step.Script), passed)
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
	env := checkDocker(t, name, strings.Fields(strings.ReplaceAll(command, "\\\n", " ")), passed)
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
	if env := checkDocker(t, name, strings.Fields(string(out)), secrets); env["STATE_DIR"] == "" {
		t.Errorf("%s: keeps no memory", name)
	}
}
