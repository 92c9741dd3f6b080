package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/blueprint"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/transform"
)

// Each file of blueprints among the examples is one for blueprints_file, and has what the
// mapping beside it sets.
func TestExampleBlueprints(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/*/*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("got %d files, want some: %v", len(files), err)
	}
	for _, name := range append(files, "../../examples/blueprints.json") {
		if strings.HasSuffix(name, "-scorecard.json") || strings.Contains(name, "/reports/") {
			continue // which are no blueprints: see TestScorecards, and TestSamples of package app
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, problems := blueprint.Read(name, text)
		if file == nil || len(problems.Warnings()) > 0 {
			t.Errorf("%v", problems)
			continue
		}
		mapping, err := os.ReadFile(strings.TrimSuffix(name, ".json") + ".yml")
		if os.IsNotExist(err) {
			continue // it belongs to several
		}
		bound, problems := check.Check("m.yml", mapping, transform.Environment{})
		if err != nil || bound == nil {
			t.Fatal(err, problems)
		}
		if lacking := bound.Against(file, func(string) bool { return true }); len(lacking) > 0 {
			t.Errorf("%v", lacking)
		}
		named := slices.Collect(func(yield func(string) bool) {
			for name := range bound.Blueprints() {
				if !yield(name) {
					return
				}
			}
		})
		if !slices.ContainsFunc(file.Identifiers(), func(id string) bool { return slices.Contains(named, id) }) {
			t.Errorf("%s has the blueprints %v, and the mapping beside it names %v", name, file.Identifiers(), named)
		}
	}
}
