package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
)

// manual is the page of the kinds.
const manual = "examples/docs/kinds.md"

// kindsPage is where the kinds are that it has no section of: it is made of what the kinds
// themselves say, and of their examples.
const kindsPage = "examples/kinds.md"

const root = "../.."

func readRoot(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeRoot(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// selectorOfAll are keys that each selector has, or each that walks repositories.
var selectorOfAll = []string{"query", "exportEnvVariables", "userRole", "repoQuery"}

func hasSection(readme, name string) bool {
	return strings.Contains(readme, "\n## Kind "+name+"\n")
}

// TestTableOfKinds keeps the table of kinds.
func TestTableOfKinds(t *testing.T) {
	readme := readRoot(t, manual)
	var b strings.Builder
	b.WriteString("\n\n| Kind | What its objects are | Requests a run | Scope of a workspace token | Scope of an API token | Example |\n|---|---|---|---|---|---|\n")
	for _, k := range kind.All() {
		m := k.Manual
		if m.What == "" || m.Requests == "" || m.Scope == "" || m.APIScope == "" {
			t.Errorf("the kind %s does not say all that the manual needs: %+v", k.Name, m)
		}
		link, example := "#kind-"+k.Name, "[mapping](#kind-"+k.Name+")"
		if !hasSection(readme, k.Name) {
			link = "../kinds.md" + link
			example = fmt.Sprintf("[mapping](../kinds/%s.yml), [blueprint](../kinds/%s.json)", k.Name, k.Name)
		}
		fmt.Fprintf(&b, "| [%s](%s) | %s | %s | `%s` | `%s` | %s |\n", k.Name, link, m.What, m.Requests, m.Scope, m.APIScope, example)
	}
	b.WriteString("\n")
	head, rest, _ := strings.Cut(readme, "<!-- kinds -->")
	_, tail, found := strings.Cut(rest, "<!-- /kinds -->")
	if !found {
		t.Fatal("the page has no place for the table of kinds")
	}
	whole := head + "<!-- kinds -->" + b.String() + "<!-- /kinds -->" + tail
	if *update {
		writeRoot(t, manual, whole)
	}
	if readRoot(t, manual) != whole {
		t.Error("the table of kinds is not as the kinds say: go test ./internal/schema -update")
	}
}

// TestPageOfKinds keeps the page of the kinds that the manual has no section of.
func TestPageOfKinds(t *testing.T) {
	readme := readRoot(t, manual)
	var b strings.Builder
	b.WriteString("# Further kinds\n\nWhat each costs, and the scope that it needs, is in [the table of kinds](docs/kinds.md). " +
		"`query` and, where repositories are walked, `userRole` and `repoQuery` are keys of each selector, as of [the kind repository](docs/kinds.md#kind-repository). " +
		"Objects that belong to a repository have it as `.__repository`, with all that the kind repository gives but included files.\n")
	for _, k := range kind.All() {
		if hasSection(readme, k.Name) {
			continue
		}
		fmt.Fprintf(&b, "\n## Kind %s\n\nThe objects are %s.\n", k.Name, k.Manual.What)
		if keys := ownKeys(k); len(keys) > 0 {
			b.WriteString("\n| Selector key | What it does |\n|---|---|\n")
			for _, key := range keys {
				fmt.Fprintf(&b, "| `%s` | %s |\n", key.Name, key.Help)
			}
		}
		text := readRoot(t, "examples/kinds/"+k.Name+".yml")
		fmt.Fprintf(&b, "\nThis is [kinds/%s.yml](kinds/%s.yml); its blueprints are in [kinds/%s.json](kinds/%s.json).\n\n```yaml\n%s```\n", k.Name, k.Name, k.Name, k.Name, text)
	}
	if *update {
		writeRoot(t, kindsPage, b.String())
	}
	if readRoot(t, kindsPage) != b.String() {
		t.Errorf("%s is not as the kinds say: go test ./internal/schema -update", kindsPage)
	}
}

// ownKeys are the keys of a kind's selector that not all have.
func ownKeys(k kind.Kind) []mapping.Key {
	return slices.DeleteFunc(slices.Clone(k.Selector), func(key mapping.Key) bool { return slices.Contains(selectorOfAll, key.Name) })
}
