package check_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/transform"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestCheck compares what is told of every bad mapping in testdata/mappings, and its
// rules. Each rule has a case.
func TestCheck(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "mappings", "*.yml"))
	if err != nil || len(files) < 60 {
		t.Fatalf("%d mappings, want at least 60: %v", len(files), err)
	}
	seen := map[diag.Rule]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		env := transform.Environment{}
		if strings.Contains(string(text), "ALLOWED") {
			env["ALLOWED"] = "x"
		}
		plan, problems := check.Check(filepath.Base(file), text, env)
		if (plan == nil) != (len(problems.Errors()) > 0) {
			t.Errorf("%s: got plan %v beside %d errors", file, plan, len(problems.Errors()))
		}
		var rules []string
		for _, p := range problems {
			seen[p.Rule] = true
			rules = append(rules, string(p.Rule))
			if p.Message == "" || p.Fix == "" || p.Rule == "" {
				t.Errorf("%s: a problem without message, fix or rule: %+v", file, p)
			}
		}
		slices.Sort(rules)
		got := problems.Sections() + "\n\nrules: " + strings.Join(slices.Compact(rules), ", ") + "\n"
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
			t.Errorf("%s: got -, want +\n%s", file, diff)
		}
	}
	for _, rule := range mapping.Rules {
		if !seen[rule.Rule] {
			t.Errorf("no mapping in testdata has the rule %q", rule.Rule)
		}
	}
}
