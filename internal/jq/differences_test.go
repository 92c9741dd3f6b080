package jq

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/jq/recorded"
)

var update = flag.Bool("update", false, "write the differences from libjq into examples/differences.md")

// differences are the rows of the page, each an expression and an input that are recorded.
var differences = []struct{ program, input string }{
	{"to_entries[0].key", object21}, {"[.[]]", object21}, {"[paths]", object21}, {"keys_unsorted", object21}, {"tojson", object21},
	{`"\(.)"`, object21},
	{"exp", "1.5"}, {"log10", "0.1"}, {"pow(.; 1.5)", "1000"},
	{`try fromjson catch .`, `"{'a': 1}"`}, {`.a?//"z"`, "{}"},
	{"get_search_list", "null"},
}

const object21 = `{"b": 2, "a": 1}`

// TestDifferencesFromLibjq holds the page of differences to what is recorded of jq 1.8.2 and
// to what happens here.
func TestDifferencesFromLibjq(t *testing.T) {
	t.Parallel()
	answers := map[[2]string]recorded.Case{}
	for _, c := range recorded.Cases() {
		answers[[2]string{c.Program, c.Input}] = c
	}
	var table strings.Builder
	table.WriteString("| Expression | Input | Here | libjq |\n|---|---|---|---|\n")
	for _, row := range differences {
		c, ok := answers[[2]string{row.program, row.input}]
		if !ok {
			t.Errorf("%s with %s is not recorded", row.program, row.input)
			continue
		}
		here, there := shownResult(t, row.program, row.input), shownAnswer(c)
		if here == there {
			t.Errorf("%s with %s gives %s here and there", row.program, row.input, here)
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", asCode(row.program), asCode(row.input), asCode(here), asCode(there))
	}
	const page = "../../examples/differences.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), "| Expression |")
	_, after, ended := strings.Cut(rest, "\n\n")
	if !ok || !ended {
		t.Fatalf("%s has no table of expressions", page)
	}
	want := before + table.String() + "\n" + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Errorf("%s is not as it would be written with -update:\n%s", page, table.String())
	}
}

// shownResult is the first result here.
func shownResult(t *testing.T, program, input string) string {
	t.Helper()
	tree, _, err := Parse(program)
	if err != nil {
		t.Fatal(err)
	}
	code, err := Compile(tree, nil)
	if err != nil {
		return "refused before the run"
	}
	if got := result(t, code, decoded(t, input)); !strings.HasPrefix(got, "jq: ") {
		return got
	}
	return "an error"
}

func shownAnswer(c recorded.Case) string {
	switch {
	case c.Refused:
		return "does not compile"
	case c.Error != nil:
		return "an error"
	}
	return strings.TrimSuffix(strings.TrimPrefix(c.Values, "["), "]")
}

// maxCell bounds what a cell of the table shows, in bytes.
const maxCell = 70

// asCode is a text as code in a table of Markdown.
func asCode(text string) string {
	if strings.HasPrefix(text, "an ") || strings.HasPrefix(text, "refused") || strings.HasPrefix(text, "does ") {
		return text
	}
	if len(text) > maxCell {
		text = text[:maxCell] + "…"
	}
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}
