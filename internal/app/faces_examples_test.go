package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/report"
)

// documented begins the names of the mappings that are the documentation's own, with
// what it warns of today. Their workspaces, warnings and entities are tested with a run.
const documented, gitOps = "documented-", "gitops-"

// checkMapping parses and binds a mapping, which must also be without warnings, unless
// it is documented so.
func checkMapping(t *testing.T, name, text string) {
	t.Helper()
	m, err := mapping.Parse(name, []byte(text))
	if err != nil {
		t.Errorf("%s:\n%v", name, err)
		return
	}
	plan, err := check.Bind(m, nil)
	if err != nil {
		t.Errorf("%s:\n%v", name, err)
		return
	}
	if len(plan.Warnings) > 0 && !strings.HasPrefix(filepath.Base(name), documented) {
		t.Errorf("%s:\n%v", name, plan.Warnings)
	}
}

// checkYAML reads a document as what its keys say it is.
func checkYAML(t *testing.T, name, text string) {
	t.Helper()
	var document any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	keys, _ := document.(map[string]any)
	items, list := document.([]any)
	switch {
	case describesEntities(document), list && len(items) > 0 && describesEntities(items[0]):
		// a port.yml: TestReadmeGitOps runs it
	case list:
		checkMapping(t, name, "resources:\n"+text)
	case keys["resources"] != nil:
		checkMapping(t, name, text)
	case keys["trigger"] != nil:
		checkAzure(t, name, text)
	case keys["port-resync"] != nil:
		checkGitLab(t, name, text)
	case keys["kind"] == "CronJob":
		checkKubernetes(t, name, text)
	case keys["jobs"] != nil:
		checkWorkflow(t, name, text)
	case keys["pipelines"] != nil:
		checkPipelines(t, name, text)
	default:
		t.Errorf("%s: is no mapping, no workflow, no pipeline, no job, no CronJob and no port.yml", name)
	}
}

func describesEntities(document any) bool {
	keys, _ := document.(map[string]any)
	return keys["identifier"] != nil && keys["blueprint"] != nil
}

func checkJSON(t *testing.T, name, text string) {
	t.Helper()
	var document any
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&document); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if d.More() {
		t.Errorf("%s: holds more than one JSON value", name)
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	examples := filepath.Join(root, "examples")
	err := filepath.WalkDir(examples, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == filepath.Join(examples, "demo") || path == filepath.Join(examples, "smoke") || path == filepath.Join(examples, "reports")):
			return fs.SkipDir // they have tests of their own
		case entry.IsDir():
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		text := readRoot(t, name)
		switch filepath.Ext(name) {
		case ".yml":
			checkYAML(t, name, text)
		case ".json":
			checkJSON(t, name, text)
		case ".md": // TestManualBlocks reads it
		case ".sh": // TestCronScript runs it
		case "": // TestJenkinsfile reads the one
			if name != filepath.Join("examples", "Jenkinsfile") {
				t.Errorf("%s: nothing here knows how to read it", name)
			}
		default:
			t.Errorf("%s: nothing here knows how to read it", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestExampleMappingsRun runs each example against the emulators: what it makes of
// the sample workspace is what Port takes.
func TestExampleMappingsRun(t *testing.T) {
	skipShort(t)
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "examples", "mappings", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no example mappings: %v", err)
	}
	world := func(t *testing.T, name string) *world {
		w := newWorld(t, bitbuckettest.Sample())
		w.env["SEND_RAW_DATA_EXAMPLES"] = "false" // which takes a quarter of the time
		w.addBlueprints()
		if _, err := os.Stat(filepath.Join(root, "examples", "mappings", name+".json")); err != nil {
			name = "reviews"
		}
		w.bitbucket.SetFile("checkout-api", ".claude/skills/release/SKILL.md", []byte("# Steps\n"))
		if name == "ownership" {
			w.port.AddBlueprint(`{"identifier":"_user","title":"User","schema":{"properties":{},"required":[]},"relations":{}}`)
		}
		w.write("blueprints.json", readRoot(t, "examples/mappings/"+name+".json"))
		w.env["BLUEPRINTS_FILE"] = "blueprints.json"
		w.env["BITBUCKET_RATE_LIMIT"] = "100000/1h" // some recipes ask for each pull request
		w.bitbucket.AllowToken(token, bitbuckettest.Access{Limit: -1})
		return w
	}
	// The examples find what another integration made with slugs.yml.
	before := world(t, "slugs")
	if r := before.run(map[string]string{"INTEGRATION_IDENTIFIER": "before", "MAPPING": readRoot(t, "examples/mappings/slugs.yml")}); r.status != 0 {
		t.Fatalf("slugs.yml ended with %d:\n%s", r.status, r.stdout)
	}
	for _, file := range files {
		if base := filepath.Base(file); strings.HasPrefix(base, documented) || strings.HasPrefix(base, gitOps) {
			continue // the sample has none of the repositories that they name
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			w := world(t, strings.TrimSuffix(filepath.Base(file), ".yml"))
			for blueprint, entities := range before.port.Catalog() {
				for _, e := range entities {
					w.port.PutEntity(blueprint, e)
				}
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if v := w.run(map[string]string{"MAPPING": string(text), "MODE": "validate"}); v.status != 0 {
				t.Errorf("validate ended with %d:\n%s", v.status, v.stdout)
			}
			plan := w.planned(map[string]string{"MAPPING": string(text)})
			r := w.run(map[string]string{"MAPPING": string(text)})
			for _, name := range counted {
				if plan.number(t, name) != r.number(t, name) {
					t.Errorf("%s: planned %d, done %d", name, plan.number(t, name), r.number(t, name))
				}
			}
			if r.report["status"] != report.Success || r.number(t, "objects_skipped") > 0 {
				t.Errorf("status %v, want success without skipped objects:\n%s%s", r.report["status"], r.stdout, r.stderr)
			}
			if n := r.number(t, "objects_extracted") - r.number(t, "objects_filtered"); n == 0 {
				t.Error("no entity came of it")
			}
			if v := slices.Concat(w.bitbucket.Violations(), w.port.Violations()); len(v) > 0 {
				t.Errorf("the emulators saw mistakes:\n%s", strings.Join(v, "\n"))
			}
		})
	}
}

// block is a fenced block of the manual.
type block struct {
	line           int
	language, text string
}

func blocks(text string) []block {
	var all []block
	open := false
	for i, line := range strings.Split(text, "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open:
			open = false
		case fence:
			open = true
			all = append(all, block{line: i + 1, language: language})
		case open:
			all[len(all)-1].text += line + "\n"
		}
	}
	return all
}

// commands of the manual, and the line of .ci/run that runs each.
var commands = map[string]string{
	"go run ./examples/demo":                                                                    "go run ./examples/demo",
	"go run ./examples/demo plan examples/mappings/slugs.yml":                                   "go run ./examples/demo plan examples/mappings/slugs.yml",
	"go test ./...":                                                                             "TESTS=full MATRIX=$MATRIX go test ./...",
	"go test -bench . -run '^$' ./internal/scale":                                               "go test -bench . -run '^$' ./internal/scale -before=",
	"go test -bench . -run '^$' -timeout 0 ./internal/scale -size full -runs 3":                 "go test -bench . -run '^$' ./internal/scale -before=",
	"go test -bench . -run '^$' ./internal/scale -before= -size 1000x5,1000x50 -latency 1000x5": "go test -bench . -run '^$' ./internal/scale -before=",
	".ci/run": "set -euo pipefail",
}

// manuals are README.md and the longer pages beside what they explain.
func manuals(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md"}
	for _, pattern := range []string{"examples/*.md", "examples/docs/*.md", ".github/*.md"} {
		pages, err := fs.Glob(os.DirFS(root), pattern)
		if err != nil || len(pages) == 0 {
			t.Fatalf("no pages %s: %v", pattern, err)
		}
		all = append(all, pages...)
	}
	return all
}

func TestManualBlocks(t *testing.T) {
	t.Parallel()
	for _, page := range manuals(t) {
		checkBlocks(t, page)
	}
}

func checkBlocks(t *testing.T, page string) {
	t.Helper()
	run := strings.Split(readRoot(t, ".ci/run"), "\n")
	for i := range run {
		run[i] = strings.TrimSpace(run[i])
	}
	for _, b := range blocks(readRoot(t, page)) {
		name := fmt.Sprintf("%s:%d", page, b.line)
		switch b.language {
		case "yaml":
			checkYAML(t, name, b.text)
		case "json":
			checkJSON(t, name, b.text)
		case "sh":
			for line := range strings.Lines(b.text) {
				line = strings.TrimSpace(line)
				if args, ok := strings.CutPrefix(line, "go run . "); ok {
					runProgram(t, name, strings.Fields(args))
					continue
				}
				if runs, ok := commands[line]; !ok || !slices.Contains(run, runs) {
					t.Errorf("%s: .ci/run does not run %q", name, line)
				}
			}
		case "text":
			checkShown(t, name, b.text)
		default:
			t.Errorf("%s: a block of the language %q is not checked by anything", name, b.language)
		}
	}
}

// runProgram runs the program from the root, as "go run ." does.
func runProgram(t *testing.T, where string, args []string) {
	t.Helper()
	var out bytes.Buffer
	if status := app.Main(t.Context(), app.Process{Args: args, Stdout: &out, Stderr: &out, Dir: root}); status != 0 {
		t.Errorf("%s: %v ended with %d:\n%s", where, args, status, out.String())
	}
}

// TestExamplesAreNamed wants each file to paste to be one that a page leads to.
func TestExamplesAreNamed(t *testing.T) {
	t.Parallel()
	linked := map[string]bool{}
	for _, page := range manuals(t) {
		for _, m := range link.FindAllStringSubmatch(readRoot(t, page), -1) {
			name, _, _ := strings.Cut(m[1], "#")
			linked[path.Join(path.Dir(page), name)] = true
		}
	}
	for _, folder := range []string{"examples", "examples/docs"} {
		files, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if name := folder + "/" + f.Name(); !f.IsDir() && !linked[name] {
				t.Errorf("no page leads to %s", name)
			}
		}
	}
}

// TestReadmeShowsTheExamples compares the resource of each kind, and the
// examples to paste, with the files.
func TestReadmeShowsTheExamples(t *testing.T) {
	t.Parallel()
	shown := func(page, text string) bool {
		return slices.ContainsFunc(blocks(readRoot(t, page)), func(b block) bool { return b.text == text })
	}
	for _, name := range []string{"github-workflow.yml", "bitbucket-pipelines.yml"} {
		if !shown("README.md", readRoot(t, "examples/"+name)) {
			t.Errorf("README.md does not show examples/%s as it is", name)
		}
	}
	for _, name := range []string{"examples/default-mapping.yml", "examples/demo/files.yml"} {
		_, resources, _ := strings.Cut(readRoot(t, name), "resources:\n")
		for part := range strings.SplitSeq(resources, "  - kind: ") {
			if part == "" {
				continue
			}
			var text bytes.Buffer
			for line := range strings.Lines("  - kind: " + part) {
				text.WriteString(strings.TrimPrefix(line, "  "))
			}
			if !shown("examples/docs/kinds.md", text.String()) && !shown("examples/docs/mapping.md", text.String()) {
				t.Errorf("the pages of kinds and mapping do not show this resource of %s:\n%s", name, text.String())
			}
		}
	}
}
