package app_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/input"
)

// longestReadme bounds README.md, in lines: a person reads it in five minutes.
const longestReadme = 260

// dailyInputs are those that most people set.
var dailyInputs = []string{
	"mode", "port_client_id", "port_client_secret", "bitbucket_workspace", "bitbucket_workspace_token",
	"integration_identifier", "mapping_file", "deletion", "state_dir", "fail_on",
}

// wrongMapping has an expression that is not jq, and a field that no object has.
const wrongMapping = `resources:
  - kind: repository
    selector: {query: 'true'}
    port:
      entity:
        mappings:
          identifier: .slug
          title: .project | | .name
          blueprint: '"bitbucketRepository"'
          properties:
            defaultBranch: .main_branch.name
`

// TestReadme writes what README.md shows of the code, and compares it: what the program prints,
// the inputs of every day, and the recipes.
func TestReadme(t *testing.T) {
	shown := map[string]string{
		"plan":     fenced(planShown(t)),
		"validate": fenced(validated(t)),
		"daily":    table([]string{"Input", "What it is"}, daily(t)),
		"recipes":  table([]string{"Recipe", "What it does"}, recipeLines(t)),
	}
	for _, marker := range []string{"plan", "validate", "daily", "recipes"} {
		rewrite(t, "README.md", "<!-- "+marker+" -->\n", "<!-- /"+marker+" -->", shown[marker])
	}
	readme := readRoot(t, "README.md")
	for marker, want := range shown {
		_, rest, _ := strings.Cut(readme, "<!-- "+marker+" -->\n")
		if got, _, ok := strings.Cut(rest, "<!-- /"+marker+" -->"); !ok || got != want {
			t.Errorf("README.md, %q: got\n%s\nwant, and -update writes\n%s", marker, got, want)
		}
	}
	if n := strings.Count(readme, "\n"); n > longestReadme {
		t.Errorf("README.md has %d lines, more than the %d that a person reads in five minutes", n, longestReadme)
	}
	_, kinds, _ := strings.Cut(readRoot(t, "examples/docs/kinds.md"), "<!-- kinds -->")
	kinds, _, _ = strings.Cut(kinds, "<!-- /kinds -->")
	if want := fmt.Sprintf("%d kinds: lists", strings.Count(kinds, "\n| [")); !strings.Contains(readme, want) {
		t.Errorf("README.md does not say %q", want)
	}
}

func fenced(text string) string { return "```text\n" + text + "```\n" }

// planShown is the beginning of each part of the sample of a plan, and its last line.
func planShown(t *testing.T) string {
	t.Helper()
	const most = 2
	var lines []string
	count := map[string]int{}
	left := func(mark string) {
		if n := count[mark] - most; n > 0 {
			lines = append(lines, fmt.Sprintf("… and %d more\n", n))
		}
	}
	part := regexp.MustCompile(`^([-~+!] |plan: )`)
	last := ""
	for line := range strings.Lines(readRoot(t, "examples/reports/plan.txt")) {
		mark := part.FindString(line)
		if strings.HasPrefix(line, "    ") && last == "~ " && count[last] <= most {
			lines = append(lines, line) // a property of the update above
		}
		if mark == "" {
			continue
		}
		if mark != last {
			left(last)
		}
		if count[mark]++; count[mark] <= most {
			lines = append(lines, line)
		}
		last = mark
	}
	if len(lines) < 5 {
		t.Fatalf("the sample of a plan shows %d changes", len(lines))
	}
	return strings.Join(lines, "")
}

// validated is what the mode validate prints of wrongMapping.
func validated(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mapping.yml"), []byte(wrongMapping), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	if status := app.Main(t.Context(), app.Process{Args: []string{"validate", "mapping.yml"}, Stdout: &out, Stderr: &log, Dir: dir}); status != 2 {
		t.Fatalf("validate ended with %d:\n%s%s", status, out.String(), log.String())
	}
	return out.String()
}

func daily(t *testing.T) (rows [][]string) {
	t.Helper()
	for _, id := range dailyInputs {
		i := slices.IndexFunc(input.Table, func(in input.Input) bool { return in.ID == id })
		if i < 0 {
			t.Fatalf("there is no input %s", id)
		}
		help := input.Table[i].Help
		if d := input.Table[i].Default; d != "" {
			help += " Default: " + code(d) + "."
		}
		rows = append(rows, []string{code(id), help})
	}
	return rows
}

// recipeLines are the mappings in examples, each with the first sentence that it says of itself.
func recipeLines(t *testing.T) (rows [][]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "examples", "mappings", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recipes: %v", err)
	}
	asDocumented := []string{}
	for _, file := range files {
		name := filepath.Base(file)
		if short, is := strings.CutPrefix(name, documented); is {
			asDocumented = append(asDocumented, fmt.Sprintf("[%s](examples/mappings/%s)", strings.TrimSuffix(short, ".yml"), name))
			continue
		}
		var about []string
		for line := range strings.Lines(readRoot(t, "examples/mappings/"+name)) {
			text, comment := strings.CutPrefix(strings.TrimSpace(line), "#")
			if !comment {
				break
			}
			about = append(about, strings.TrimSpace(text))
		}
		sentence, _, found := strings.Cut(strings.Join(about, " ")+" ", ". ")
		if !found {
			t.Errorf("%s does not begin with a sentence about itself", name)
		}
		rows = append(rows, []string{fmt.Sprintf("[%s](examples/mappings/%s)", strings.TrimSuffix(name, ".yml"), name), sentence + "."})
	}
	return append(rows, []string{"as Port documents", "Examples of Port's documentation, as written: " + strings.Join(asDocumented, ", ") + "."})
}

// checkShown wants a block of text to be one that a test makes, or the picture of README.md.
func checkShown(t *testing.T, name, text string) {
	t.Helper()
	if text == planShown(t) || text == validated(t) || strings.Contains(text, "Bitbucket Cloud") && strings.Contains(text, "kinds: lists") {
		return
	}
	t.Errorf("%s: nothing makes this text, so that it can rot:\n%s", name, text)
}

// TestTroubleshooting wants what README.md says that one sees to be words of the program. What
// others print is named here.
func TestTroubleshooting(t *testing.T) {
	t.Parallel()
	others := []string{"401", "403", "exit status 3", "bitbucket.org"}
	var source strings.Builder
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		source.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	words := strings.NewReplacer("%q", `"…"`, "%d", "…").Replace(source.String())
	_, rows, _ := strings.Cut(readRoot(t, "README.md"), "| What you see |")
	rows, _, _ = strings.Cut(rows, "\n\n")
	seen := 0
	for row := range strings.Lines(rows) {
		first, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " | ")
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			if slices.Contains(others, m[1]) {
				continue
			}
			seen++
			for part := range strings.SplitSeq(m[1], ": ") {
				if !strings.Contains(words, part) {
					t.Errorf("README.md: the program never says %q", part)
				}
			}
		}
	}
	if seen < 5 {
		t.Errorf("README.md shows %d messages under Troubleshooting", seen)
	}
}
