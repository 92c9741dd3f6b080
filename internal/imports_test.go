// Package internal_test holds the rules of the house that no single package can hold.
//
// The house, from the roof down: a package, what it is, and which others of ours it may
// import. A row names only rows below it. The tests of this package read this table: it is
// the rule. What a package is stands in its doc comment too, as the beginning of the first
// sentence. A fourth column names what the tests of a package may import beside that.
//
//	. | ingests a Bitbucket Cloud workspace into Port's catalog | app
//	examples/demo | runs the real program against emulators of Bitbucket Cloud and Port on loopback | app bitbucket/bitbuckettest port/porttest
//	examples/smoke | runs the real program against a real workspace and a real organization | app
//	rerun | runs the whole program again and again with one memory | - | app
//	scale | measures the program in a process of its own | - | app
//	faultmatrix | tries every fault of both services at every request of a run | - | app
//	app | is the program | bitbucket blueprint catalog check clip concurrent datasource diag dryrun face glob input insights mapping nearest outfile platform port progress prune reconcile report resync state terminal transform transport version
//	resync | does one run | bitbucket catalog check concurrent diag face inventory kind load mapping port progress prune reconcile report state transform | dryrun transport
//	load | sends entities to Port and accounts for them | catalog check concurrent diag graph inventory port refusal report
//	prune | deletes from Port what the workspace no longer has | catalog check diag inventory port reconcile refusal report
//	refusal | explains why Port did not take an entity | catalog clip diag mapping nearest port
//	datasource | keeps what Port's Data sources page shows of a run | clip diag port report
//	dryrun | answers writes as Port would | catalog port
//	check | binds a mapping | blueprint catalog diag kind lint mapping transform
//	blueprint | reads the blueprints of a file | catalog clip diag graph nearest
//	schema | describes the language of mappings as a JSON Schema | kind mapping | diag
//	kind | holds the kinds of Bitbucket objects that a mapping can name | bitbucket budget clip concurrent content diag filter glob mapping nearest reach shape source spool state | transport
//	source | reads the trees and files of repositories | bitbucket content gitwire glob spool state transport
//	transform | maps Bitbucket objects to Port entities with the jq expressions of one resource | catalog diag jq mapping reach shape | kind
//	lint | finds what is wrong or odd in the jq expressions of a resource | diag jq mapping nearest onig shape | catalog jq/recorded kind
//	reconcile | decides which entities are stale and may be deleted | catalog graph
//	port | is a client of Port's API | catalog progress transport
//	bitbucket | is a client of the Bitbucket Cloud REST API 2.0 | clip partial progress reach transport
//	filter | finds mistakes in a filter of Bitbucket's query language | -
//	gitwire | reads git repositories over smart HTTP | -
//	glob | compares the paths of a repository with patterns | -
//	face | makes what is seen of a report | catalog clip diag markup report | mapping
//	report | counts what a run did | catalog diag
//	mapping | reads a mapping | content diag nearest
//	content | reads the files of repositories | -
//	state | keeps sealed values between runs | -
//	concurrent | runs functions side by side | -
//	budget | decides what a budget is spent on | -
//	graph | finds groups and paths in small directed graphs | -
//	inventory | holds what a run knows at its end | catalog spool
//	spool | keeps bytes for the length of a run, out of memory | -
//	insights | sends a report of Code Insights to Bitbucket Cloud | transport
//	input | reads what the user asked for | clip diag nearest
//	outfile | writes the files that the inputs name | -
//	nearest | finds the name that a misspelt one was most likely meant to be | -
//	platform | speaks to the CI system that the program runs in | clip diag
//	transport | holds what both clients need on the way to the network | progress
//	terminal | writes lines for people who may sit at a terminal | -
//	progress | records what a run does while it does it | -
//	jq | evaluates jq expressions within bounds of time and memory | clip dialect onig | jq/recorded
//	onig | matches text as the regular expressions of jq do | -
//	dialect | gives jq expressions that gojq runs the meaning that they have in libjq 1.8.2 | -
//	jq/recorded | holds what libjq answers to expressions | -
//	catalog | holds the plain values of Port's software catalog that the other packages share | -
//	diag | holds what the program has to say to a person | -
//	shape | describes the fields of JSON objects that are known before one is read | -
//	partial | decodes the parts of JSON values that can matter | reach
//	reach | describes which parts of a JSON value can matter to whoever reads it | -
//	version | says which build of the program runs | -
//	clip | shortens text for messages | -
//	markup | writes HTML into which foreign text cannot bring markup | -
//	bitbucket/bitbuckettest | is a strict, in-memory Bitbucket Cloud | gitwire/gitwiretest memtransport
//	port/porttest | is Port's API in memory | memtransport
//	gitwire/gitbackend | serves repositories over smart HTTP with git itself | -
//	gitwire/gitwiretest | serves git repositories that are made in memory | -
//	memtransport | calls an http.Handler without a socket | -
//	browsertest | shows pages in a headless Chromium | -
//	resident | measures the memory of a process that a test has started | -
//	openapicheck | checks HTTP exchanges against the vendors' OpenAPI documents | -
//	internal | holds the rules of the house that no single package can hold | -
package internal_test

import (
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the packages into development.md, and NOTICE")

const module = "port-bitbucket-exporter"

// support are the packages that any test may import.
var support = []string{"bitbucket/bitbuckettest", "port/porttest", "openapicheck", "memtransport", "resident", "browsertest", "gitwire/gitbackend", "gitwire/gitwiretest"}

// row is one package of the house.
type row struct {
	name      string // the folder, below internal/ where it is there
	sentence  string // begins its doc comment
	imports   []string
	testsAlso []string // what its tests may import beside that and test support
}

// house reads the table in the comment above, from the roof down.
func house(t *testing.T) []row {
	t.Helper()
	self, err := parser.ParseFile(token.NewFileSet(), "imports_test.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	names := func(cell string) []string {
		return strings.Fields(strings.TrimPrefix(cell, "-"))
	}
	var rows []row
	for line := range strings.Lines(self.Doc.Text()) {
		if !strings.HasPrefix(line, "\t") {
			continue
		}
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != 3 && len(cells) != 4 {
			t.Fatalf("a row of the house is package | sentence | imports, and | what its tests import beside that: %q", line)
		}
		r := row{name: cells[0], sentence: cells[1], imports: names(cells[2])}
		if len(cells) == 4 {
			r.testsAlso = names(cells[3])
		}
		rows = append(rows, r)
	}
	return rows
}

// arrow is one import of one of our packages by another.
type arrow struct {
	from, to string // names of rows
	test     bool
}

// found is what the Go files of the module hold.
type found struct {
	arrows map[arrow]string  // the file that each was first seen in
	docs   map[string]string // doc comments, by name of row; empty where a package has none
}

// read reads every Go file of the module, whatever its build constraints.
func read(t *testing.T) found {
	t.Helper()
	out := found{map[arrow]string{}, map[string]string{}}
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
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel("..", filepath.Dir(file))
		if err != nil {
			return err
		}
		from := rowName(filepath.ToSlash(folder))
		out.docs[from] += parsed.Doc.Text()
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			to, ours := strings.CutPrefix(imported, module+"/")
			if to = rowName(to); ours && to != from {
				out.arrows[arrow{from, to, strings.HasSuffix(name, "_test.go")}] = file
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// rowName is the name of a folder in the table.
func rowName(folder string) string { return strings.TrimPrefix(folder, "internal/") }

func TestImports(t *testing.T) {
	t.Parallel()
	seen := read(t)
	if len(seen.arrows) == 0 {
		t.Fatal("no import of ours was found")
	}
	rows := map[string]row{}
	for _, r := range house(t) {
		rows[r.name] = r
		if _, ok := seen.docs[r.name]; !ok {
			t.Errorf("package %s of the house does not exist", r.name)
		}
	}
	for p := range seen.docs {
		if _, ok := rows[p]; !ok {
			t.Errorf("package %s has no row in the house", p)
		}
	}
	for a, file := range seen.arrows {
		may := rows[a.from].imports
		if a.test {
			may = slices.Concat(may, support, rows[a.from].testsAlso)
		}
		if !slices.Contains(may, a.to) {
			t.Errorf("%s: package %s must not import %s", file, a.from, a.to)
		}
	}
	for _, r := range rows {
		for _, to := range r.imports {
			if seen.arrows[arrow{r.name, to, false}] == "" {
				t.Errorf("package %s does not import %s: take it out of its row", r.name, to)
			}
		}
	}
}

// Each row names only rows below it, which excludes cycles, and no production package may
// import test support.
func TestHouse(t *testing.T) {
	t.Parallel()
	rows := house(t)
	for i, r := range rows {
		for _, below := range r.imports {
			if !slices.ContainsFunc(rows[i+1:], func(r row) bool { return r.name == below }) {
				t.Errorf("%s may import %s, which has no row below it", r.name, below)
			}
			if r.name != "examples/demo" && !slices.Contains(support, r.name) && slices.Contains(support, below) {
				t.Errorf("%s may import %s, which is for tests", r.name, below)
			}
		}
	}
}

// The first sentence of a package's doc comment is, or begins with, the sentence of its row.
func TestSentences(t *testing.T) {
	t.Parallel()
	docs := read(t).docs
	for _, r := range house(t) {
		words := strings.Fields(docs[r.name])
		subject := 1 // of a command: its name
		if len(words) > 0 && words[0] == "Package" {
			subject = 2
		}
		doc := strings.Join(words[min(subject, len(words)):], " ")
		if rest, ok := strings.CutPrefix(doc, r.sentence); !ok || !strings.ContainsAny(rest[:min(1, len(rest))], ".,:;") {
			t.Errorf("the doc comment of %s must begin with the sentence of its row:\ngot  %q\nwant %q", r.name, doc, r.sentence)
		}
	}
}

// The manual shows the packages as the house does. With -update the test writes them there.
func TestReadme(t *testing.T) {
	const file, begin, end = "../examples/docs/development.md", "<!-- packages -->\n", "<!-- /packages -->\n"
	var table strings.Builder
	table.WriteString("\n| Package in `internal` | What it does |\n|---|---|\n")
	for _, r := range house(t) {
		if r.name != "." && r.name != "internal" && !strings.HasPrefix(r.name, "examples/") {
			fmt.Fprintf(&table, "| `%s` | %s |\n", r.name, r.sentence)
		}
	}
	table.WriteString("\n")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(text), begin)
	shown, tail, ok := strings.Cut(rest, end)
	switch {
	case !ok:
		t.Fatalf("development.md has no place for the packages, between %q and %q", begin, end)
	case shown == table.String():
	case !*update:
		t.Errorf("the packages in development.md are not those of the house: go test ./internal -run Readme -update")
	default:
		if err := os.WriteFile(file, []byte(head+begin+table.String()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
