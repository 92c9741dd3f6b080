package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/face"
)

// A form that goes to the standard output is all that is there, in each mode and however the
// run ends: the log goes to the standard error.
func TestFormOnStandardOutput(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		env    map[string]string
		status int
		line   string // of the log
	}{
		{"sync", nil, 0, "success: 3 created"},
		{"plan", map[string]string{"MODE": "plan"}, 0, "plan: success: 3 to create"},
		{"validate", map[string]string{"MODE": "validate"}, 0, "success: no problem in mapping.yml"},
		{"by its name", map[string]string{"REPORT_FILE": "/dev/stdout"}, 0, "success: 3 created"},
		{"wrong inputs", map[string]string{"CONCURRENCY": "many"}, 2, "the inputs are wrong:"},
		{"wrong mapping", map[string]string{"MAPPING_FILE": "bad.yml", "MODE": "validate"}, 2, "failed: 1 error in bad.yml"},
	} {
		for _, where := range []string{"plain", "github"} {
			t.Run(tt.name+" "+where, func(t *testing.T) {
				t.Parallel()
				w := smallWorld(t)
				if where == "github" {
					w.github()
				}
				w.write("mapping.yml", repositories)
				w.write("bad.yml", strings.Replace(repositories, "kind: repository", "kind: repositry", 1))
				env := map[string]string{"REPORT_FILE": "-", "MAPPING_FILE": "mapping.yml"}
				maps.Copy(env, tt.env)
				r := w.run(env)
				var report map[string]any
				if err := json.Unmarshal([]byte(r.stdout), &report); err != nil || report["status"] == nil {
					t.Errorf("the standard output is not the report: %v\n%s", err, r.stdout)
				}
				if r.status != tt.status || !strings.Contains("\n"+r.stderr, "\n"+tt.line) {
					t.Errorf("got exit status %d, want %d and the line %q:\n%s", r.status, tt.status, tt.line, r.stderr)
				}
				if where == "github" && tt.name == "sync" && !strings.Contains(r.stderr, "::add-mask::"+token) {
					t.Errorf("the secrets are not masked:\n%s", r.stderr)
				}
			})
		}
	}
}

// A CI system looks for commands in the standard output: what a mapping holds is none there, in
// no form, and JSON has it all the same.
func TestFormOnStandardOutputIsInert(t *testing.T) {
	t.Parallel()
	const command = "##[set-output name=status]success"
	for _, form := range face.Forms {
		for _, to := range []string{"-", "/dev/stderr"} {
			w := smallWorld(t)
			w.github()
			w.write("mapping.yml", repositories+"          \""+command+"\": .x\n")
			r := w.run(map[string]string{"MODE": "validate", "MAPPING_FILE": "mapping.yml", strings.ToUpper(form.Input): to})
			text := map[string]string{"-": r.stdout, "/dev/stderr": r.stderr}[to]
			if text == "" || strings.Contains(text, "##[") {
				t.Errorf("%s to %s: a command is left, or nothing:\n%s", form.Input, to, text)
			}
			if form.Input == "report_file" && to == "-" {
				var whole any
				if err := json.Unmarshal([]byte(text), &whole); err != nil || !strings.Contains(fmt.Sprint(whole), command) {
					t.Errorf("%v: the report lacks %q:\n%s", err, command, text)
				}
			}
		}
	}
}

// In Pipelines the checks go to where test reports are looked for, in a file for each mode.
func TestJUnitInPipelines(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.env["BITBUCKET_BUILD_NUMBER"], w.env["BITBUCKET_CLONE_DIR"] = "7", w.dir
	w.write("mapping.yml", repositories)
	w.env["MAPPING_FILE"], w.env["JUNIT_FILE"] = "mapping.yml", "Auto"
	for _, mode := range []string{"validate", "plan", "sync"} {
		w.run(map[string]string{"MODE": mode}).check(t, 0, "success")
		if got := w.read("test-reports/port-" + mode + ".xml"); !strings.Contains(got, `<testsuites name="port-bitbucket-exporter"`) || strings.Contains(got, "<failure") {
			t.Errorf("%s: got\n%s\nwant checks that passed", mode, got)
		}
	}
}

// One set of numbers is told: the file for GitLab has the names and values of Pipelines.
func TestDotenvIsWhatPipelinesGets(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.env["BITBUCKET_BUILD_NUMBER"], w.env["BITBUCKET_PIPELINES_VARIABLES_PATH"] = "7", filepath.Join(w.dir, "variables")
	w.run(map[string]string{"MAPPING": repositories, "DOTENV_FILE": "port.env"}).check(t, 0, "success")
	want := ""
	for line := range strings.Lines(w.read("variables")) {
		if !strings.HasSuffix(line, "=\n") { // GitLab does not take all of those
			want += line
		}
	}
	if got := w.read("port.env"); got != want || !strings.Contains(got, "PORT_RESYNC_ENTITIES_CREATED=3\n") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What is wrong with a file is known before the first request, and no file is written.
func TestFilesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		env   map[string]string
		wants []string
	}{
		{"no folder", map[string]string{"REPORT_FILE": "none/report.json"}, []string{
			`input report_file (from REPORT_FILE): "none/report.json" cannot be written: there is no folder "`, "fix: make the folder first"}},
		{"a folder", map[string]string{"SUMMARY_FILE": "."}, []string{`input summary_file (from SUMMARY_FILE): "." is a folder`, "fix: name a file in it"}},
		{"a folder that is not there", map[string]string{"SUMMARY_FILE": "out/"}, []string{`"out/" is a folder`}},
		{"twice", map[string]string{"SARIF_FILE": "same", "SUMMARY_FILE": "./same"}, []string{
			"input summary_file (from SUMMARY_FILE): it names the file of sarif_file (from SARIF_FILE) too"}},
		{"two to standard output", map[string]string{"SARIF_FILE": "/dev/stdout", "SUMMARY_FILE": "-"}, []string{
			"input summary_file (from SUMMARY_FILE): it names the standard output, to which sarif_file goes (from SARIF_FILE) too"}},
		{"the mapping", map[string]string{"REPORT_FILE": "link.yml"}, []string{
			"input report_file (from REPORT_FILE): it names the file that mapping_file (from MAPPING_FILE) reads"}},
		{"no Pipelines", map[string]string{"JUNIT_FILE": "auto"}, []string{
			"input junit_file (from JUNIT_FILE): auto is the folder in which Bitbucket Pipelines looks for test reports, and this is not a step of it", "fix: name a file"}},
		{"several", map[string]string{"REPORT_FILE": "none/a", "SARIF_FILE": "none/b"}, []string{"input report_file ", "input sarif_file "}},
	} {
		for _, mode := range []string{"sync", "plan", "validate"} {
			t.Run(tt.name+" "+mode, func(t *testing.T) {
				t.Parallel()
				w := smallWorld(t)
				w.write("mapping.yml", repositories)
				if err := os.Symlink("mapping.yml", filepath.Join(w.dir, "link.yml")); err != nil {
					t.Fatal(err)
				}
				env := map[string]string{"MODE": mode, "MAPPING_FILE": "mapping.yml"}
				maps.Copy(env, tt.env)
				r := w.run(env)
				if r.status != 2 {
					t.Errorf("got exit status %d, want 2", r.status)
				}
				printed := r.stdout + r.stderr
				for _, want := range tt.wants {
					if !strings.Contains(printed, want) {
						t.Errorf("the log does not hold %q:\n%s", want, printed)
					}
				}
				w.checkRequests(0, 0)
				if got := w.read("mapping.yml"); got != repositories {
					t.Errorf("the mapping is lost:\n%s", got)
				}
			})
		}
	}
}

// The files that can be written hold what is wrong with the others.
func TestFilesBesideWrongOnes(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.write("mapping.yml", repositories)
	r := w.run(map[string]string{"MAPPING_FILE": "mapping.yml", "SUMMARY_FILE": "none/summary.md"})
	r.check(t, 2, "failed")
	problems, _ := r.report["problems"].([]any)
	if !slices.ContainsFunc(problems, func(p any) bool {
		message, _ := p.(map[string]any)["message"].(string)
		return strings.Contains(message, "there is no folder")
	}) {
		t.Errorf("the report does not tell what is wrong with the summary's file: %v", problems)
	}
}

// A file that fails at the end is a warning: what the run did is done.
func TestFileThatFails(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	r := w.run(map[string]string{"MAPPING": repositories, "SUMMARY_FILE": "/dev/full"})
	if r.status != 0 {
		t.Errorf("got exit status %d, want 0", r.status)
	}
	r.contains(t, `WARNING summary_file is not written: "/dev/full" cannot be written: no space left on device`)
}
