package blueprint_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/blueprint"
	"port-bitbucket-exporter/internal/diag"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestRead compares what is told of every file in testdata. Each rule that a file alone can
// break has a case.
func TestRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, want at least 20: %v", len(files), err)
	}
	seen := map[diag.Rule]bool{blueprint.RuleField: true} // is about a mapping too
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, problems := blueprint.Read(filepath.Base(file), text)
		if (f == nil) != (len(problems.Errors()) > 0) {
			t.Errorf("%s: got file %v beside %d errors", file, f, len(problems.Errors()))
		}
		for _, p := range problems {
			seen[p.Rule] = true
			if p.Message == "" || p.Fix == "" || p.Rule == "" || p.At.Line == 0 || p.At.Column == 0 {
				t.Errorf("%s: a problem without message, fix, rule or place: %+v", file, p)
			}
		}
		got := problems.Sections() + "\n"
		golden := strings.TrimSuffix(file, ".json") + ".txt"
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
			t.Errorf("%s: got -, want +\n%s", file, diff)
		}
	}
	for _, rule := range blueprint.Rules {
		if !seen[rule.Rule] || rule.Short == "" || rule.Help == "" {
			t.Errorf("no file in testdata has the rule %q, or it is not described", rule.Rule)
		}
	}
}
