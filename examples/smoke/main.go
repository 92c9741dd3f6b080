// Smoke runs the real program against a real workspace and a real organization, and reports which of
// its assumptions about both services hold there: those that no documentation settles.
//
//	go run ./examples/smoke mapping.yml
//
// It takes the credentials and the workspace from the environment, as the program does, and runs
// validate, plan, and sync with deletion: report. So entities are written, and none is deleted;
// take an integration_identifier and blueprints of its own. It prints no secret, no name and no
// text of either service, so that what it prints can be shown to others.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"

	"port-bitbucket-exporter/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := smoke(ctx, os.Args[1:], os.Environ(), http.DefaultTransport, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// modes are what runs, in this order: each goes on only where the one before did not fail.
var modes = []struct {
	mode string
	args []string
}{
	{"validate", nil},
	{"plan", nil},
	{"sync", []string{"--deletion", "report"}},
}

// smoke returns the worst exit status of the runs, or 4 where an assumption is refuted.
func smoke(ctx context.Context, args, environ []string, network http.RoundTripper, out, log io.Writer) int {
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		fmt.Fprintln(out, "name one mapping file: go run ./examples/smoke mapping.yml")
		return 2
	}
	seen := newWitness(network)
	worst := 0
	for _, m := range modes {
		fmt.Fprintf(out, "\n== %s\n", m.mode)
		status := app.Main(ctx, app.Process{
			Args: append([]string{m.mode, "--mapping-file", args[0]}, m.args...), Environ: environ,
			Stdout: out, Stderr: log, Transport: seen,
		})
		fmt.Fprintf(out, "exit status %d\n", status)
		worst = max(worst, status)
		if status == 1 || status == 2 {
			break
		}
	}
	if refuted := seen.tell(out); refuted > 0 {
		fmt.Fprintf(out, "\n%d refuted: please open an issue with this table.\n", refuted)
		return max(worst, 4)
	}
	return worst
}
