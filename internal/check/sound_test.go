package check_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/transform"
)

// Of mappings as users write them, in every form that their authors mean so, nothing is told.
func TestSoundMappings(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "sound.yml"))
	if err != nil {
		t.Fatal(err)
	}
	resources := strings.Split(string(text), "\n---\n")
	if len(resources) < 40 {
		t.Fatalf("%d resources, want at least 40", len(resources))
	}
	for _, resource := range resources {
		if _, problems := check.Check("m.yml", []byte("resources:\n"+resource), transform.Environment{"ALLOWED": "x"}); len(problems) > 0 {
			t.Errorf("%v\nin\n%s", problems, resource)
		}
	}
}

// Of sound expressions for a repository nothing is told.
func TestSoundExpressions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "sound-expressions.txt"))
	if err != nil {
		t.Fatal(err)
	}
	expressions := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(expressions) < 120 {
		t.Fatalf("%d expressions, want at least 120", len(expressions))
	}
	for _, expression := range expressions {
		text := "resources: [{kind: repository, selector: {query: 'true', includedFiles: [README.md]}, port: {entity: {mappings: {identifier: .slug, blueprint: '\"s\"', " +
			"properties: {p: " + mapping.InSingleQuotes(expression) + "}}}}}]"
		if _, problems := check.Check("m.yml", []byte(text), transform.Environment{}); len(problems) > 0 {
			t.Errorf("%s:\n%v", expression, problems)
		}
	}
}

// Of the documented mappings no more is told than what does not work as it is documented, or
// has a better way.
func TestExamplesAreTold(t *testing.T) {
	t.Parallel()
	told := map[string][]diag.Rule{
		"default-mapping":                                {mapping.RuleIdentifier, mapping.RuleField},
		"documented-older-default":                       {mapping.RuleDeprecated, mapping.RuleIdentifier, mapping.RuleField},
		"documented-monorepo-folders":                    {mapping.RuleDeprecated},
		"documented-monorepo":                            {mapping.RuleDeprecated},
		"documented-files-of-a-repository":               {mapping.RuleDeprecated},
		"documented-projects-repositories-pull-requests": {mapping.RuleDeprecated, mapping.RuleField, mapping.RuleIdentifier, mapping.RuleField},
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "mappings", "*.yml"))
	if err != nil || len(files) < 15 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, file := range append(files, filepath.Join("..", "..", "examples", "default-mapping.yml")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".yml")
		_, problems := check.Check(file, text, transform.Environment{})
		var rules []diag.Rule
		for _, p := range problems {
			rules = append(rules, p.Rule)
		}
		if len(problems.Errors()) > 0 || !slices.Equal(slices.Sorted(slices.Values(rules)), slices.Sorted(slices.Values(told[name]))) {
			t.Errorf("%s: got %v, want %v\n%v", name, rules, told[name], problems)
		}
		delete(told, name)
	}
	if len(told) > 0 {
		t.Errorf("no examples %v", slices.Collect(maps.Keys(told)))
	}
}
