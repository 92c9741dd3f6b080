package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/face"
	"port-bitbucket-exporter/internal/input"
)

const root = "../.."

func readRoot(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rewrite puts text between two marks of a file, or after the first when there is no
// second, where -update asks for it. A test that runs in parallel calls it before that.
func rewrite(t *testing.T, name, begin, end, text string) {
	t.Helper()
	if !*update {
		return
	}
	whole := readRoot(t, name)
	head, rest, found := strings.Cut(whole, begin)
	tail := ""
	if end != "" && found {
		_, tail, found = strings.Cut(rest, end)
	}
	if !found {
		t.Fatalf("%s has no place between %q and %q", name, begin, end)
	}
	if err := os.WriteFile(filepath.Join(root, name), []byte(head+begin+text+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// quote writes a text for YAML.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// decodeStrict refuses keys that into does not have.
func decodeStrict(t *testing.T, name, text string, into any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// described is what action.yml and pipe.yml say of an input. None is required in the sense of
// GitHub, whose editors would want it in the mode validate, too.
func described(in input.Input) string {
	text := in.Help
	if in.Required {
		text += " Required for sync and plan."
	}
	if in.Default != "" {
		text += " Default: " + in.Default
	}
	return text
}

// row is one entry of a table, in any of its faces.
type row struct {
	Name, Description string
	Required          bool
}

// rows reads a YAML mapping in its order.
func rows(t *testing.T, n yaml.Node) []row {
	t.Helper()
	var all []row
	for i := 0; i+1 < len(n.Content); i += 2 {
		var value struct {
			Description string
			Required    bool
			Default     *string
		}
		if err := n.Content[i+1].Decode(&value); err != nil {
			t.Fatal(err)
		}
		if value.Default != nil {
			t.Errorf("action.yml: input %q has a default: it would hide the input's other names", n.Content[i].Value)
		}
		all = append(all, row{n.Content[i].Value, value.Description, value.Required})
	}
	return all
}

func TestActionEqualsTheTables(t *testing.T) {
	var inputs, outputs []row
	var inputText, outputText strings.Builder
	for _, in := range input.Table {
		inputs = append(inputs, row{in.ID, described(in), false})
		fmt.Fprintf(&inputText, "  %s:\n    description: %s\n    required: false\n", in.ID, quote(described(in)))
	}
	for _, o := range face.OutputTable {
		outputs = append(outputs, row{Name: o.Name, Description: o.Help})
		fmt.Fprintf(&outputText, "  %s:\n    description: %s\n", o.Name, quote(o.Help))
	}
	rewrite(t, "action.yml", "\ninputs:\n", "\noutputs:\n", inputText.String())
	rewrite(t, "action.yml", "\noutputs:\n", "\nruns:\n", outputText.String())
	t.Parallel()
	var action struct {
		Name, Description, Author string
		Branding                  struct{ Icon, Color string }
		Inputs, Outputs           yaml.Node
		Runs                      struct{ Using, Image string }
	}
	decodeStrict(t, "action.yml", readRoot(t, "action.yml"), &action)

	if diff := cmp.Diff(rows(t, action.Inputs), inputs); diff != "" {
		t.Errorf("inputs of action.yml (-), input.Table (+):\n%s", diff)
	}
	if diff := cmp.Diff(rows(t, action.Outputs), outputs); diff != "" {
		t.Errorf("outputs of action.yml (-), face.OutputTable (+):\n%s", diff)
	}
	if action.Name == "" || action.Description == "" || action.Runs.Using != "docker" {
		t.Errorf("action.yml: name %q, description %q, using %q", action.Name, action.Description, action.Runs.Using)
	}
	if action.Runs.Image != "Dockerfile" && !regexp.MustCompile(`^docker://.+@sha256:[0-9a-f]{64}$`).MatchString(action.Runs.Image) {
		t.Errorf("action.yml: image %q is neither the Dockerfile nor pinned by its digest", action.Runs.Image)
	}
}

func TestPipeEqualsTheTable(t *testing.T) {
	var want []row
	var text strings.Builder
	for _, in := range input.Table {
		want = append(want, row{Name: in.Name(), Description: described(in)})
		fmt.Fprintf(&text, "  - name: %s\n    description: %s\n", in.Name(), quote(described(in)))
	}
	rewrite(t, "pipe.yml", "\nvariables:\n", "", text.String())
	t.Parallel()
	type contact struct{ Name, Website, Email string }
	var pipe struct {
		Name, Image, Description, Category, Repository string
		Vendor, Maintainer                             contact
		Tags                                           []string
		Variables                                      []struct{ Name, Description string }
	}
	decodeStrict(t, "pipe.yml", readRoot(t, "pipe.yml"), &pipe)

	var got []row
	for _, v := range pipe.Variables {
		got = append(got, row{Name: v.Name, Description: v.Description})
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("variables of pipe.yml (-), input.Table (+):\n%s", diff)
	}
	if !regexp.MustCompile(`^ghcr\.io/[^/:]+/[^/:]+:\d+\.\d+\.\d+$`).MatchString(pipe.Image) {
		t.Errorf("pipe.yml: image %q has no exact version", pipe.Image)
	}
	if !strings.HasPrefix(pipe.Repository, "https://bitbucket.org/") {
		t.Errorf("pipe.yml: repository %q is not on bitbucket.org", pipe.Repository)
	}
}

// table renders a table of the manual.
func table(head []string, lines [][]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, line := range lines {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
	}
	return b.String()
}

func code(text string) string { return "`" + text + "`" }

// inputsPage holds the tables of all inputs and outputs.
const inputsPage = "examples/docs/inputs.md"

func TestManualTables(t *testing.T) {
	var inputs, names, outputs [][]string
	for _, in := range input.Table {
		required, standard := "no", "–"
		if in.Required {
			required = "yes"
		}
		if in.Default != "" {
			standard = code(in.Default)
		}
		inputs = append(inputs, []string{code(in.ID), required, standard, in.Help})
		if len(in.Ocean) > 0 {
			names = append(names, []string{code(in.ID), code(strings.Join(in.Ocean, "`, `"))})
		}
	}
	for _, o := range face.OutputTable {
		outputs = append(outputs, []string{code(o.Name), o.Help})
	}
	tables := map[string]string{
		"inputs":  table([]string{"Input", "Required", "Default", "What it is"}, inputs),
		"names":   table([]string{"Input", "`OCEAN__` name"}, names),
		"outputs": table([]string{"Output", "What it is"}, outputs),
	}
	for marker, text := range tables {
		rewrite(t, inputsPage, "<!-- "+marker+" -->\n", "<!-- /"+marker+" -->", "\n"+text+"\n")
	}
	t.Parallel()
	readme := readRoot(t, inputsPage)
	for marker, want := range tables {
		_, rest, _ := strings.Cut(readme, "<!-- "+marker+" -->")
		got, _, ok := strings.Cut(rest, "<!-- /"+marker+" -->")
		if !ok {
			t.Errorf("%s has no place for the table %q", inputsPage, marker)
			continue
		}
		if diff := cmp.Diff(strings.TrimSpace(got)+"\n", want); diff != "" {
			t.Errorf("table %q of %s (-), the code's (+), which -update writes:\n%s", marker, inputsPage, diff)
		}
	}
}

func TestDefaultsAreThoseOfTheExamples(t *testing.T) {
	t.Parallel()
	for embedded, example := range map[string]string{
		"internal/app/defaults/mapping.yml":     "examples/default-mapping.yml",
		"internal/app/defaults/blueprints.json": "examples/blueprints.json",
	} {
		if readRoot(t, embedded) != readRoot(t, example) {
			t.Errorf("%s differs from %s", embedded, example)
		}
	}
}
