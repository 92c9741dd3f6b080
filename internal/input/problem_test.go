package input

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/diag"
)

var update = flag.Bool("update", false, "write the golden files")

// TestProblems reads testdata/err/<name>.env, lines of NAME=value added to the
// required variables (a value in quotes may hold escapes, "-" leaves one out),
// and compares the problems with <name>.txt.
func TestProblems(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/err/*.env")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".env"), func(t *testing.T) {
			t.Parallel()
			_, _, err := Parse(world(with(readVariables(t, path)), nil))
			var problems diag.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got error %v, want Problems", err)
			}
			got := err.Error() + "\n"
			if strings.Contains(got, "hush") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			golden := strings.TrimSuffix(path, ".env") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func readVariables(t *testing.T, path string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if strings.HasPrefix(value, `"`) {
			if value, err = strconv.Unquote(value); err != nil {
				t.Fatalf("%s: %s: %v", path, name, err)
			}
		}
		if name != "" {
			variables[name] = value
		}
	}
	return variables
}
