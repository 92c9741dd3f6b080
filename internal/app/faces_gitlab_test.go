package app_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/input"
)

// gitlabJob is what the examples use of a job.
type gitlabJob struct {
	Stage, Image, Timeout string
	Rules                 []struct {
		If      string
		Changes []string
	}
	Needs         []string
	ResourceGroup string `yaml:"resource_group"`
	Cache         struct {
		Key, Policy, When string
		Paths             []string
	}
	Variables    map[string]string
	BeforeScript *[]string `yaml:"before_script"`
	Script       []string
	Artifacts    struct {
		When     string
		ExposeAs string `yaml:"expose_as"`
		Paths    []string
		Reports  map[string]string
	}
}

// runs reports whether the job runs the program.
func (j gitlabJob) runs() bool { return slices.Contains(j.Script, "port-bitbucket-exporter") }

// gitlabReports are the inputs that write what GitLab takes as reports.
var gitlabReports = map[string]string{"junit": "JUNIT_FILE", "codequality": "CODEQUALITY_FILE", "dotenv": "DOTENV_FILE"}

// checkGitLab checks jobs of GitLab, which have their variables in their environment.
func checkGitLab(t *testing.T, name, text string) {
	t.Helper()
	var nodes map[string]yaml.Node
	decodeStrict(t, name, text, &nodes)
	var stages []string
	var standard gitlabJob // what each job has that has nothing of its own
	jobs := map[string]gitlabJob{}
	for key, node := range nodes {
		var into any
		job := gitlabJob{}
		switch key {
		case "stages":
			into = &stages
		case "default":
			into = &standard
		case "variables":
			into = &standard.Variables
		default:
			into = &job
		}
		part, err := yaml.Marshal(&node)
		if err != nil {
			t.Fatal(err)
		}
		decodeStrict(t, name+": "+key, string(part), into)
		if into == &job {
			jobs[key] = job
		}
	}
	dotenv := map[string]bool{} // the jobs whose outputs others have
	for id, job := range jobs {
		where := name + ": " + id
		if len(stages) > 0 && !slices.Contains(stages, job.Stage) {
			t.Errorf("%s: there is no stage %q", where, job.Stage)
		}
		if !job.runs() {
			continue
		}
		env := maps.Clone(standard.Variables)
		if env == nil {
			env = map[string]string{}
		}
		maps.Copy(env, job.Variables)
		checkGitLabRun(t, where, job, env)
		dotenv[id] = job.Artifacts.Reports["dotenv"] != ""
	}
	for id, job := range jobs {
		for _, match := range outputVariable.FindAllStringSubmatch(strings.Join(job.Script, "\n"), -1) {
			if output := strings.ToLower(match[1]); !isOutput(output) || output == "summary" || !slices.ContainsFunc(job.Needs, func(need string) bool { return dotenv[need] }) {
				t.Errorf("%s: %s: has no variable %q", name, id, match[0])
			}
		}
	}
}

// checkGitLabRun checks a job that runs the program with these variables.
func checkGitLabRun(t *testing.T, where string, job gitlabJob, env map[string]string) {
	t.Helper()
	names := map[string]string{}
	for key, value := range env { // the mode validate has no use for those that all jobs share
		if i := slices.IndexFunc(input.Table, func(in input.Input) bool { return in.Name() == key }); i < 0 || writes(env["MODE"]) || env["MODE"] == string(input.Plan) || input.Table[i].Validate {
			names[key] = value
		}
	}
	checkEnvironment(t, where, names, secrets)
	written := map[string]bool{}
	for key, value := range env {
		written[value] = strings.HasSuffix(key, "_FILE") && key != "MAPPING_FILE"
	}
	for _, path := range job.Artifacts.Paths {
		if !written[path] {
			t.Errorf("%s: keeps %q, which the program does not write", where, path)
		}
	}
	for kind, path := range job.Artifacts.Reports {
		if in := gitlabReports[kind]; in == "" || env[in] != path {
			t.Errorf("%s: the report %s is %q, want what %s names", where, kind, path, in)
		}
	}
	if len(job.Artifacts.Paths)+len(job.Artifacts.Reports) > 0 && job.Artifacts.When != "always" {
		t.Errorf("%s: what a failed run writes is not kept", where)
	}
	if !writes(env["MODE"]) {
		return
	}
	checkKept(t, where, env["STATE_DIR"], job.Cache.Paths)
	if c := job.Cache; strings.Contains(c.Key, "$") || c.Policy != "pull-push" || c.When != "always" {
		t.Errorf("%s: got the cache %+v, want one key that each run writes, also after a failure", where, c)
	}
	if want := "port-resync-" + env["BITBUCKET_WORKSPACE"]; job.ResourceGroup != want {
		t.Errorf("%s: got the resource group %q, want %q", where, job.ResourceGroup, want)
	}
}
