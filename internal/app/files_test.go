package app_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
