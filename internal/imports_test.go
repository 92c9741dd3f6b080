// Package internal_test holds the rules of the house that no single package can hold.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "port-bitbucket-exporter"

// imports says, for each package of ours, which others of ours its code may import.
// Arrows point down only, and siblings do not know each other.
var imports = map[string][]string{
	".":             {"internal/app"},
	"examples/demo": {"internal/app", "internal/bitbucket/bitbuckettest", "internal/port/porttest"},
	"internal":      {},

	"internal/app": {
		"internal/bitbucket", "internal/catalog", "internal/datasource", "internal/input", "internal/kind", "internal/mapping", "internal/dryrun",
		"internal/platform", "internal/port", "internal/reconcile", "internal/report", "internal/resync", "internal/transport",
		"internal/sarif", "internal/transform",
	},
	"internal/resync": {
		"internal/bitbucket", "internal/catalog", "internal/kind", "internal/mapping",
		"internal/port", "internal/reconcile", "internal/report", "internal/transform",
	},
	"internal/datasource": {"internal/port", "internal/report"},
	"internal/kind":       {"internal/bitbucket", "internal/mapping"},
	"internal/transform":  {"internal/catalog", "internal/mapping"},
	"internal/reconcile":  {"internal/catalog"},
	"internal/dryrun":     {"internal/catalog", "internal/port"},
	"internal/port":       {"internal/catalog", "internal/transport"},
	"internal/bitbucket":  {"internal/transport"},
	"internal/sarif":      {"internal/mapping"},
	"internal/schema":     {"internal/kind", "internal/mapping"},

	"internal/catalog":   {},
	"internal/input":     {},
	"internal/mapping":   {},
	"internal/platform":  {},
	"internal/report":    {},
	"internal/transport": {},

	"internal/bitbucket/bitbuckettest": {"internal/memtransport"},
	"internal/port/porttest":           {"internal/memtransport"},
	"internal/memtransport":            {},
	"internal/openapicheck":            {},
	"internal/faultmatrix":             {},
}

// support are the packages that any test may import.
var support = []string{"internal/bitbucket/bitbuckettest", "internal/port/porttest", "internal/openapicheck", "internal/memtransport"}

// testImports says what else the tests of a package may import.
var testImports = map[string][]string{
	"internal/kind":        {"internal/transport"},
	"internal/faultmatrix": {"internal/app"},
	"internal/resync":      {"internal/dryrun", "internal/transport"},
}

// modules are those of other people in the binary.
var modules = []string{
	"github.com/bmatcuk/doublestar/v4",
	"github.com/cenkalti/backoff/v4",
	"github.com/itchyny/gojq",
	"github.com/itchyny/timefmt-go",
	"github.com/sethvargo/go-githubactions",
	"golang.org/x/net",
	"gopkg.in/yaml.v3",
}

// arrow is one import of one of our packages by another.
type arrow struct {
	from, to string // folders below the module's root
	test     bool
}

// arrows reads every Go file of the module, whatever its build constraints. It
// returns the file that each arrow was first seen in, and the packages.
func arrows(t *testing.T) (map[arrow]string, map[string]bool) {
	t.Helper()
	found, packages := map[arrow]string{}, map[string]bool{}
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "testdata" || name == "vendor" || name != ".." && strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from, err := filepath.Rel("..", filepath.Dir(file))
		if err != nil {
			return err
		}
		from = filepath.ToSlash(from)
		packages[from] = true
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			to, ours := strings.CutPrefix(imported, module+"/")
			if ours && to != from {
				found[arrow{from, to, strings.HasSuffix(name, "_test.go")}] = file
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, packages
}

func TestImports(t *testing.T) {
	t.Parallel()
	found, packages := arrows(t)
	if len(found) == 0 {
		t.Fatal("no import of ours was found")
	}
	for p := range packages {
		if _, ok := imports[p]; !ok {
			t.Errorf("package %s is not in the table of imports", p)
		}
	}
	for p := range imports {
		if !packages[p] {
			t.Errorf("package %s of the table of imports does not exist", p)
		}
	}
	for a, file := range found {
		may := imports[a.from]
		if a.test {
			may = slices.Concat(may, support, testImports[a.from])
		}
		if !slices.Contains(may, a.to) {
			t.Errorf("%s: package %s must not import %s", file, a.from, a.to)
		}
	}
}

// A table with a cycle, or with test support in it, would allow what it is there to refuse.
func TestTableOfImports(t *testing.T) {
	t.Parallel()
	var visit func(p string, above []string)
	visit = func(p string, above []string) {
		if slices.Contains(above, p) {
			t.Fatalf("cycle: %s", strings.Join(append(above, p), " -> "))
		}
		for _, below := range imports[p] {
			visit(below, append(slices.Clone(above), p))
		}
	}
	for _, p := range slices.Sorted(maps.Keys(imports)) {
		visit(p, nil)
		for _, below := range imports[p] {
			if p != "examples/demo" && !slices.Contains(support, p) && slices.Contains(support, below) {
				t.Errorf("%s may import %s, which is for tests", p, below)
			}
		}
	}
}

func TestBinary(t *testing.T) {
	t.Parallel()
	const format = `{{if not .Standard}}{{.ImportPath}} {{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}{{end}}`
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, ".")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := map[string]bool{}
	ours := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		switch len(fields) {
		case 1:
			ours++
			if p := strings.TrimPrefix(fields[0], module+"/"); slices.Contains(support, p) || strings.HasSuffix(p, "test") {
				t.Errorf("the binary holds %s, which is for tests", p)
			}
		case 2:
			found[fields[1]] = true
		}
	}
	if ours < 10 {
		t.Errorf("packages of ours: got %d, want all of them", ours)
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, modules) {
		t.Errorf("modules of other people: got %q, want %q", got, modules)
	}
}
