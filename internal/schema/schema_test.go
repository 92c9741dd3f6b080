package schema_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/schema"
)

var update = flag.Bool("update", false, "rewrite the published schema")

const published = "../../examples/mapping.schema.json"

func TestPublished(t *testing.T) {
	t.Parallel()
	got, err := schema.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(published, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("%s is not what the tables give: -update writes it. got -, want +\n%s", published, diff)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := schema.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mapping.schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mapping.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate gives nil when the schema takes a mapping as an editor reads it.
func validate(t *testing.T, s *jsonschema.Schema, file string) error {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if json.Unmarshal(text, &value) != nil { // the YAML library does not read every escape of JSON
		if err := yaml.Unmarshal(text, &value); err != nil {
			return err
		}
	}
	return s.Validate(plain(value))
}

// plain makes JSON of what the YAML library gives: a date is text to an editor.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = plain(e)
		}
	case []any:
		for i, e := range v {
			v[i] = plain(e)
		}
	case int:
		return float64(v)
	}
	return v
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return found
}

// Every mapping that one may copy is what its schema says. Those that are there for
// their warnings are not.
func TestGoodMappings(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	all := slices.Concat(files(t, "../../examples/mappings/*.yml"), files(t, "../mapping/testdata/ok/*.yml"),
		[]string{"../../examples/default-mapping.yml", "../../examples/demo/mapping.yml", "../../examples/demo/files.yml"})
	for _, file := range all {
		if err := validate(t, s, file); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// form are the rules that a schema can judge by.
var form = []diag.Rule{
	mapping.RuleUnknownKey, mapping.RuleMisplacedKey, mapping.RuleMissingKey, mapping.RuleWrongType, mapping.RuleNull, mapping.RuleEmptyList,
	mapping.RuleRange, mapping.RuleUnquoted, mapping.RuleTaken, mapping.RuleUnknownKind,
}

// What the parser refuses or warns of by its form, the schema refuses, and nothing else.
func TestBadMappings(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	refused := 0
	all := slices.Concat(files(t, "../check/testdata/mappings/*.yml"), files(t, "../mapping/testdata/warnings/*.yml"), files(t, "../mapping/testdata/err/*.yml"))
	for _, file := range all {
		problems := parse(t, file)
		byForm := slices.ContainsFunc(problems, func(p diag.Problem) bool { return slices.Contains(form, p.Rule) })
		other := slices.ContainsFunc(problems, func(p diag.Problem) bool {
			return strings.HasPrefix(string(p.Rule), "yaml-") || slices.Contains([]diag.Rule{
				mapping.RuleText, mapping.RuleDocuments, mapping.RuleDuplicateKey, mapping.RuleSelectorValue,
			}, p.Rule)
		})
		err := validate(t, s, file)
		switch {
		case byForm && err == nil:
			t.Errorf("%s: the schema takes it, and the parser does not:\n%v", file, problems)
		case !byForm && !other && err != nil:
			t.Errorf("%s: the schema refuses what the parser takes: %v", file, err)
		case byForm:
			refused++
		}
	}
	if refused < 30 {
		t.Errorf("%d mappings are refused by their form, want more to try", refused)
	}
}

// parse gives what is told of the form of a mapping: jq is left out.
func parse(t *testing.T, file string) diag.Problems {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var problems diag.Problems
	m, err := mapping.Parse(file, text)
	errors.As(err, &problems)
	if m == nil {
		return problems
	}
	problems = append(problems, m.Warnings...)
	for _, r := range append(m.Resources, m.Broken...) {
		bound, err := kind.Bind(r)
		var more diag.Problems
		errors.As(err, &more)
		problems = append(append(problems, more...), bound.Warnings...)
	}
	return problems
}

// Each key says in a sentence what it is, for editors.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	var check func(where string, keys []mapping.Key)
	check = func(where string, keys []mapping.Key) {
		for _, k := range keys {
			if !strings.HasSuffix(k.Help, ".") && !strings.HasSuffix(k.Help, "'.") {
				t.Errorf("%s%s: %q is no sentence", where, k.Name, k.Help)
			}
			check(where+k.Name+".", k.Keys)
		}
	}
	check("", mapping.Language)
	check("query.", mapping.QueryKeys)
	check("rule.", mapping.QueryRuleKeys)
	for _, k := range kind.All() {
		check(k.Name+".selector.", k.Selector)
	}
}
