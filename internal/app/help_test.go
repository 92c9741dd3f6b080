package app_test

import (
	"bytes"
	"context"
	"flag"
	"regexp"
	"strings"
	"testing"

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
	checkGolden(t, "testdata/help.txt", stdout.String())
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
