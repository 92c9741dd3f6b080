package app_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/input"
)

var update = flag.Bool("update", false, "rewrite the golden help and the tables of action.yml, pipe.yml and README.md")

// The help is as it is read, and names every input.
func TestHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	status := app.Main(context.Background(), app.Process{Args: []string{"--help"}, Stdout: &stdout, Stderr: &stderr})
	if status != 0 || stderr.Len() > 0 {
		t.Errorf("status %d, standard error %q", status, stderr.String())
	}
	const golden = "testdata/help.txt"
	if *update {
		if err := os.WriteFile(golden, stdout.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(stdout.String(), string(want)); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
	for _, in := range input.Table {
		name := "--" + strings.ReplaceAll(in.ID, "_", "-")
		if in.Secret {
			name = in.Name()
		}
		if in.ID != "mode" && !regexp.MustCompile(`\n  `+name+`( \S+)?( \*)?\n`).MatchString(stdout.String()) {
			t.Errorf("the help does not name %s", name)
		}
	}
	for line := range strings.Lines(stdout.String()) {
		if n := len([]rune(line)); n > 90 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}
