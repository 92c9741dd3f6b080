package lint

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/shape"
)

// TestNothingToTell holds expressions that look like mistakes and are none.
func TestNothingToTell(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`.size-1`, `.size - .size`, `.owner["display_name"]`, `.name // "none"`, `(.language // "none") == "none"`, `.name | not`,
		`first(.links.clone[] | select(.name == "ssh") | .href)`, `limit(1; .links.clone[].href)`, `.name | limit(3; .)`, `[.links.clone[].href]`, `.links.clone | map(.href) | first`,
		`any(.links.clone[]; .name == "ssh")`, `.links.clone | length > 1`, `if .size > 0 then "a" else "b" end`,
		`.description != null and .description != ""`, `(.name | test("^a")) and .is_private`, `.name | test("^a") and test("b$")`,
		`.is_private == true`, `.name == "true"`, `env.ALLOWED // "x"`, `$ENV.ALLOWED`, `.name | ascii_downcase | gsub("[^a-z]+"; "-")`,
		`.name | test("a"; "gi")`, `.name | split("-")`, `.name | split("(a|b)"; "g")`, `"\(.name)/\(.slug)"`, `@base64 "\(.name)"`,
		`.name | @uri`, `def type: "x"; type`, `def select(f): true; select(.size)`, `.links | to_entries | map(.key) | sort`, `.links | to_entries | map({(.key): .value.href}) | add`, `[.links | to_entries[] | select(.key == "html") | .value.href] | length`, `.links | keys`, `[.links[] | objects | .href] | length`, `[.links | to_entries[] | {(.key): .value.href}] | add`,
		`.links | to_entries | map(select(.key == "html")) | .[0].value.href`, `first(.links | to_entries[] | select(.key == "html") | .value.href)`,
		`.links | [to_entries[] | .key] | sort`, `.links | to_entries | map({(.key): .value}) | add`, `.links.clone | map(.name) | add`, `[.links.clone[] | {name, href}]`, `.size | pow(.; 2)`, `.id // "a" | tostring`, `"\(.size)"`, `try .size catch "x"`, `.owner | .display_name`,
		`.project as $p | $p.nmae`, `.links.clone[0].name`, `.mainbranch.type`, `.name | .[0:3]`, `try .nonsense catch "x"`, `.nonsense // "x"`, `.nonsense?`, `.mainbranch.target.hash`, `.owner.website`, `.links.source.href`, `.parent.full_name`, `.size = 1`,
		`.links | with_entries(.value |= .href)`, `reduce .links.clone[] as $c (0; . + 1)`, `{name, slug}`, `.links | .html | .href`,
		`.created_on | sub("\\.[0-9]+"; "") | fromdate`, `from_entries.x`, `first .name`, `.name | match("a").string`,
	} {
		if found := lookAt(valueRole, mapping.Resource{Kind: "repository"}, expr); len(found) > 0 {
			t.Errorf("%s:\n%v", expr, found)
		}
	}
}

// TestDifferences holds expressions whose results are not those of Port's own integration.
func TestDifferences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expr, message string }{
		{`.links | to_entries | map(.key)`, "the keys of objects are sorted here"}, {`.links | to_entries[0].key`, "are sorted"},
		{`.links | keys_unsorted | first`, "are sorted"}, {`.links | tojson`, `tojson is {"a":2,"b":1} here`}, {`"\(.links)"`, "are sorted"},
		{`.links | tostring`, "are sorted"}, {`[.links[]]`, "are sorted"}, {`.links | map(.href)`, "are sorted"}, {`[..]`, "are sorted"},
		{`[paths]`, "are sorted"}, {`first(.links[])`, "are sorted"}, {`.links | to_entries | map(select(.key != "html")) | .[0].key`, "are sorted"},
		{`.links | to_entries | map(.key) | add`, "are sorted"}, {`{b: 1, a: 2} | tojson`, "are sorted"}, {`[.links.clone[] | {name, href}] | @json`, "are sorted"},
		{`.size | exp`, "the last digit that exp gives"}, {`try error("x") catch .`, "the text of an error"},
		{`.name?//"x"`, `is read as "? //" here`},
	} {
		found := lookAt(valueRole, mapping.Resource{Kind: "repository"}, c.expr)
		if !strings.Contains(found.Error(), c.message) || len(found.Errors()) > 0 {
			t.Errorf("%s:\n%v", c.expr, found)
		}
	}
	for _, role := range []role{itemsRole, selectorRole} {
		if found := lookAt(role, mapping.Resource{Kind: "repository"}, `.links | to_entries`); strings.Contains(found.Error(), "sorted") {
			t.Errorf("role %d: %v", role, found)
		}
	}
}

// TestSelectorsThatGiveBooleans holds queries that must not be refused.
func TestSelectorsThatGiveBooleans(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`true`, `.is_private`, `.name`, `.is_private | not`, `.a // true`, `if .a then true else false end`, `if .a then .b end`, `[.a] | .[0]`,
		`.name as $n | $n == "x"`, `try (.a | test("x")) catch false`, `.a |= true | .a`, `def f: true; f`, `first(.a[], 0) == 1`, `error("x")`,
		`.name | IN("a", "b")`, `.a.b?`, `. as {a: $x} | $x`, `. == {}`, `null + true`, `"x" | fromjson`, `label $out | true`,
	} {
		if found := lookAt(selectorRole, mapping.Resource{}, expr); len(found) > 0 {
			t.Errorf("%s:\n%v", expr, found)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	var got []string
	for _, tok := range tokens(`.a."b c" | foo("x\"\(.y + "(")z"; $v) # "no" ` + "\n" + `@csv 1.5 "open`) {
		got = append(got, fmt.Sprintf("%d%s", tok.kind, tok.value))
	}
	want := []string{
		`2.a`, `0.`, `5"b c"`, `0|`, `1foo`, `0(`, `5"x\"\(.y + "(")z"`, `2.y`, `0+`, `5"("`, `0;`, `3$v`, `0)`, `4@csv`, `11.5`, `5"open`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Every field that an alias names exists somewhere, so that none is a mistake.
func TestOtherNames(t *testing.T) {
	t.Parallel()
	for name, paths := range otherNames {
		for _, path := range paths {
			found := slices.ContainsFunc(kind.All(), func(k kind.Kind) bool {
				object := k.Objects.Object
				return object.At(pathOf(path)) != nil || slices.ContainsFunc(below(object), func(p shape.Path) bool {
					at := object.At(p)
					return at.At(pathOf(path)) != nil
				})
			})
			if !found || !strings.HasPrefix(path, ".") || name != nearest.Fold(name) {
				t.Errorf("%s: no kind has %s", name, path)
			}
		}
	}
}

// Whatever field is asked for, in whatever object, what the fix writes is there.
func TestHintsLeadSomewhere(t *testing.T) {
	t.Parallel()
	var names []string
	for name := range otherNames {
		names = append(names, name)
	}
	names = append(names, "html_url", "defaultBranch", "project_key", "projectKey", "clone_url", "slug", "hash", "display_name", "nothing", "full-name", "content", "nmae")
	hints := 0
	for _, k := range kind.All() {
		object := k.Objects.Object
		for _, in := range append(below(object), shape.Path{}) {
			of := object.At(in)
			if len(in) > 2 || of.Form != shape.Object || of.More {
				continue
			}
			for _, name := range names {
				path := append(slices.Clone(in), shape.Step{Key: name}, shape.Step{Key: "nmae"})
				if slices.Contains(of.Names, name) {
					continue
				}
				h, ok := meant(k.Objects, path, len(in))
				if !ok {
					continue
				}
				hints++
				for one := range strings.SplitSeq(h.write, " or ") {
					tree, _, err := jq.Parse(one)
					if err != nil {
						t.Fatalf("%s: %s: %v", path, one, err)
					}
					for _, p := range rootPaths(tree, object) {
						if at, _ := object.DeadEnd(p); at >= 0 || len(p) == 0 {
							t.Errorf("%s: %s: the fix writes %s, which is not there either", k.Name, path, one)
						}
					}
				}
			}
		}
	}
	if hints < 500 {
		t.Errorf("%d hints, want more to try", hints)
	}
}

var update = flag.Bool("update", false, "rewrite the golden messages")

// look returns what the rules find in a resource.
func look(r mapping.Resource, env map[string]string) diag.Problems {
	return Check(r, Options{Environment: env, Kind: kind.Objects(r.Kind), Blueprint: catalog.CheckBlueprint})
}

// lookAt returns what the rules find in one expression of a resource.
func lookAt(as role, r mapping.Resource, text string) diag.Problems {
	l := &linter{Options: Options{Environment: map[string]string{"ALLOWED": "x"}, Kind: kind.Objects(r.Kind)}, resource: r}
	l.expr(as, mapping.Expr{Text: text, Name: "p"})
	return l.problems
}

// TestProblems compares the messages for every mapping in testdata/err.
func TestProblems(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "err", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no mappings", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := mapping.Parse("mapping.yml", text)
			if err != nil {
				t.Fatal(err)
			}
			found := look(m.Resources[0], map[string]string{"ALLOWED": "x"})
			got := "warnings:\n" + found.Advice().Error() + "\n\nerrors:\n" + found.Errors().Error() + "\n"
			golden := strings.TrimSuffix(file, ".yml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, string(want)); diff != "" {
				t.Errorf("got -, want +\n%s", diff)
			}
		})
	}
}

// A file of a folder is in the folder, and the deprecation is told once for a resource.
func TestFilesOfFolders(t *testing.T) {
	t.Parallel()
	text := `resources:
- kind: folder
  selector: {query: 'true'}
  port:
    entity:
      mappings:
        identifier: .branch
        blueprint: '"a"'
        title: file://TITLE
        properties: {a: file://A, b: file://./B}
`
	m, err := mapping.Parse("mapping.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	found := look(m.Resources[0], nil)
	if len(found) != 1 || found[0].Severity != diag.Warning || !strings.Contains(found[0].Fix, `write .folder.__includedFiles["A"]`) {
		t.Errorf("got %v", found)
	}
}
