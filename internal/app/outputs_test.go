package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/face"
)

// outputNames are the documented outputs; the first, the last two and oldest_read_at are texts,
// the others numbers.
var outputNames = []string{
	"status", "entities_created", "entities_updated", "entities_unchanged", "entities_deleted", "entities_rejected",
	"entities_stale_kept", "objects_extracted", "objects_filtered", "objects_skipped", "objects_failed",
	"bitbucket_requests", "bitbucket_git_requests", "bitbucket_git_bytes",
	"repositories_from_memory", "oldest_read_at", "port_requests", "duration_seconds", "kinds", "summary",
}

// mixed is a mapping of which something is filtered, skipped, rejected, changed and
// stale.
const mixed = `resources:
  - kind: repository
    selector:
      query: .slug != "filtered"
    port:
      entity:
        mappings:
          identifier: if .slug == "skipped" then null elif .slug == "rejected" then "a b" else .slug end
          title: .name + .description
          blueprint: '"bitbucketRepository"'
  - kind: project
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: .key
          title: .name
          blueprint: '"bitbucketProject"'
`

// One set of numbers is told everywhere: outputs of GitHub, variables of a pipe, report
// file, and the closing line.
func TestOutputs(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"github", "pipe"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			b := smallBitbucket()
			for _, name := range []string{"filtered", "skipped", "rejected"} {
				b.AddRepository(bitbuckettest.Repository{Name: name})
			}
			w := newWorld(t, b)
			w.addBlueprints()
			w.env["MAPPING"] = mixed
			w.run(nil).check(t, 0, "partial")
			w.addStale()
			b.UpdateRepository("ledger", func(r *bitbuckettest.Repository) { r.Description = "changed" })

			if where == "github" {
				w.github()
			} else {
				w.env["BITBUCKET_PIPELINE_UUID"] = "{1}"
				w.env["BITBUCKET_PIPELINES_VARIABLES_PATH"] = filepath.Join(w.dir, "variables")
			}
			r := w.run(nil)
			r.check(t, 0, "partial")
			compareCounts(t, r, map[string]int{
				"objects_extracted": 7, "objects_filtered": 1, "objects_skipped": 1, "objects_failed": 0,
				"entities_created": 0, "entities_updated": 1, "entities_unchanged": 3, "entities_deleted": 1,
				"entities_rejected": 1, "entities_stale_kept": 0, "bitbucket_requests": 3, // the list of repositories twice: once more before the deletion
			})
			checkReport(t, r.report)
			want := texts(t, r.report)
			got := w.outputs()
			if where == "pipe" {
				got = w.variables()
				delete(want, "summary")
			}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("outputs differ from the report (-outputs +report):\n%s", diff)
			}
			r.contains(t, "\npartial: 0 created, 1 updated, 3 unchanged, 1 deleted, 1 rejected in ")
			w.checkClean()
		})
	}
}

// variables reads what a pipe writes, under the outputs' names.
func (w *world) variables() map[string]string {
	w.t.Helper()
	values := map[string]string{}
	for line := range strings.Lines(w.read("variables")) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		id, prefixed := strings.CutPrefix(name, "PORT_RESYNC_")
		if !ok || !prefixed || id != strings.ToUpper(id) {
			w.t.Errorf("variables: %q is none of ours", line)
		}
		values[strings.ToLower(id)] = value
	}
	return values
}

// texts are the report's outputs as a step output shows them.
func texts(t *testing.T, report map[string]any) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, name := range outputNames {
		switch v := report[name].(type) {
		case string:
			values[name] = v
		case float64:
			values[name] = strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return values
}

// checkReport compares the keys and types of a report file with the documented ones.
func checkReport(t *testing.T, report map[string]any) {
	t.Helper()
	want := map[string]string{"resources": "list", "blueprints": "list", "problems": "list", "status": "string", "summary": "string"}
	for _, name := range outputNames[1 : len(outputNames)-1] {
		want[name] = "number"
	}
	want["oldest_read_at"], want["kinds"] = "string", "string"
	if diff := cmp.Diff(types(report), want); diff != "" {
		t.Errorf("types of the report (-got +want):\n%s", diff)
	}
	counts := map[string]string{"created": "number", "updated": "number", "unchanged": "number", "rejected": "number"}
	resource := map[string]string{
		"index": "number", "kind": "string", "blueprints": "list", "extracted": "number", "transformed": "number", "filtered": "number",
		"skipped": "number", "failed": "number", "merged": "number", "complete": "boolean",
	}
	maps.Copy(resource, counts)
	blueprint := map[string]string{"identifier": "string", "deleted": "number", "stale_kept": "number", "held_by": "string"}
	maps.Copy(blueprint, counts)
	problem := map[string]string{
		"severity": "string", "file": "string", "line": "number", "column": "number", "message": "string", "fix": "string",
		"count": "number", "example": "string",
	}
	for name, want := range map[string]map[string]string{"resources": resource, "blueprints": blueprint, "problems": problem} {
		list, _ := report[name].([]any)
		if len(list) == 0 {
			t.Errorf("the report has no %s", name)
		}
		for i, v := range list {
			member, _ := v.(map[string]any)
			if diff := cmp.Diff(types(member), want); diff != "" {
				t.Errorf("types of %s[%d] (-got +want):\n%s", name, i, diff)
			}
			if name == "resources" && member["index"] != float64(i+1) {
				t.Errorf("resources[%d] has index %v, want %d", i, member["index"], i+1)
			}
		}
	}
	var summary any
	text, _ := report["summary"].(string)
	if err := json.Unmarshal([]byte(text), &summary); err != nil || strings.Contains(text, "\n") {
		t.Errorf("the summary is not one line of JSON: %v: %q", err, text)
	}
	if diff := cmp.Diff(summary, report["resources"]); diff != "" {
		t.Errorf("summary and resources (-summary +resources):\n%s", diff)
	}
}

func types(m map[string]any) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		switch v.(type) {
		case string:
			out[k] = "string"
		case float64:
			out[k] = "number"
		case bool:
			out[k] = "boolean"
		case []any:
			out[k] = "list"
		default:
			out[k] = fmt.Sprintf("%T", v)
		}
	}
	return out
}

// More is wrong than GitHub shows: the worst come first, and the last one says how many
// are left out.
func TestAnnotationsWithinCaps(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.github()
	var properties []string
	for i := range 14 {
		properties = append(properties, fmt.Sprintf("            p%d: .name | tonumber", i))
	}
	w.write("mapping.yml", strings.Replace(repositories, "identifier: .slug", `identifier: if .slug == "ledger" then "a b" else .slug end`, 1)+"          properties:\n"+strings.Join(properties, "\n")+"\n")
	r := w.run(map[string]string{"MAPPING_FILE": "mapping.yml"})
	r.check(t, 0, "partial")
	var commands []string
	for line := range strings.Lines(r.stdout) {
		if name, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), " "); strings.HasPrefix(line, "::") && !strings.HasPrefix(name, "add-mask") {
			commands = append(commands, strings.TrimSpace(line))
		}
	}
	if len(commands) != 2+10 {
		t.Fatalf("got %d annotations, want 2 errors and 10 warnings:\n%s", len(commands), strings.Join(commands, "\n"))
	}
	for i, c := range commands[:2] { // refused by Port, which has no property p0, and by the check before sending
		if !strings.HasPrefix(c, "::error ") || !strings.Contains(c, "file=mapping.yml") || !strings.Contains(c, []string{"line=12:", "line=8:"}[i]) {
			t.Errorf("the first annotations are not the errors at their line: %s", c)
		}
	}
	if last := commands[len(commands)-1]; !strings.Contains(last, "5 more of this severity were left out") {
		t.Errorf("the last annotation does not say how many are left out: %s", last)
	}
}

// Where the platform's files cannot be written, the run is what it is.
func TestOutputsCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.github()
	w.env["GITHUB_OUTPUT"], w.env["GITHUB_STEP_SUMMARY"] = "", filepath.Join(w.dir, "no", "such", "folder")
	r := w.run(map[string]string{"MAPPING": repositories})
	r.check(t, 0, "success")
	for _, want := range []string{"WARNING step outputs: ", "WARNING step summary: "} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("the log does not hold %q:\n%s", want, r.stderr)
		}
	}
}

// A fault of the program itself ends as any failure does: told, and with outputs.
func TestInternalError(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.github()
	w.transport = panicking{}
	r := w.run(map[string]string{"MAPPING": repositories})
	r.check(t, 1, "failed")
	r.contains(t, "::error::internal error: out of order ***")
	if got := w.outputs()["status"]; got != "failed" {
		t.Errorf("got output status %q, want failed", got)
	}
}

type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) {
	panic("out of order " + clientSecret)
}

// Each form of the report is written where its input names a file: a form whose input is
// not a row of the table could never be asked for.
func TestForms(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.write("mapping.yml", repositories)
	env := map[string]string{"MODE": "validate", "MAPPING_FILE": "mapping.yml"}
	for _, form := range face.Forms {
		env[strings.ToUpper(form.Input)] = "form." + form.Input
	}
	if r := w.run(env); r.status != 0 {
		t.Fatalf("exit status %d:\n%s", r.status, r.stderr)
	}
	for _, form := range face.Forms {
		if w.read("form."+form.Input) == "" {
			t.Errorf("the file of the input %s is empty", form.Input)
		}
	}
}
