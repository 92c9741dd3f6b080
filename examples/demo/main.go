// Demo runs the real program against emulators of Bitbucket Cloud and Port on
// loopback: no account, no network.
//
//	go run ./examples/demo
//
// It ingests a sample workspace, runs again to show that nothing is written
// twice, changes the workspace, and shows what a third run makes of it.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"time"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// mapping is examples/mappings/slugs.yml, which a test keeps the same.
//
//go:embed mapping.yml
var mapping string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := demo(ctx, os.Stdout)
	stop()
	os.Exit(status)
}

// demo runs the program three times, and returns the first exit status that is not 0.
func demo(ctx context.Context, out io.Writer) int {
	workspace, catalog := bitbuckettest.Sample(), porttest.New()
	workspace.AllowToken("demo-workspace-token")
	catalog.AllowClient("demo-client-id", "demo-client-secret")
	for _, blueprint := range porttest.DefaultBlueprints() {
		catalog.AddBlueprint(blueprint)
	}
	bitbucket, port := httptest.NewServer(workspace), httptest.NewServer(catalog)
	defer bitbucket.Close()
	defer port.Close()

	transport := &http.Transport{}
	defer transport.CloseIdleConnections()

	run := func(title string) int {
		fmt.Fprintf(out, "\n== %s\n", title)
		catalog.ResetJournal()
		status := app.Main(ctx, app.Process{
			Environ: []string{
				"BITBUCKET_HOST_URL=" + bitbucket.URL + "/2.0",
				"BITBUCKET_WORKSPACE=acme",
				"BITBUCKET_WORKSPACE_TOKEN=demo-workspace-token",
				"PORT_BASE_URL=" + port.URL,
				"PORT_CLIENT_ID=demo-client-id",
				"PORT_CLIENT_SECRET=demo-client-secret",
				"MAPPING=" + mapping,
				"LOG_LEVEL=WARNING",
			},
			Stdout:    out,
			Stderr:    out,
			Transport: transport,
		})
		fmt.Fprintf(out, "exit status %d, %d write requests to Port\n", status, len(catalog.Writes()))
		catalog.Age(time.Hour) // as if the next run were an hour later
		return status
	}

	fmt.Fprintln(out, "A sample workspace of 120 repositories, served on loopback.")
	first := run("First run: the whole workspace is created in Port")
	second := run("Second run: nothing has changed, so nothing is written")
	change(workspace)
	fmt.Fprintln(out, "\nNow, in Bitbucket: a repository is deleted, one is added, a pull request is renamed, and one is merged.")
	third := run("Third run: only what changed")
	return max(first, second, third)
}

func change(w *bitbuckettest.Server) {
	w.RemoveRepository("ledger-api")
	w.AddRepository(bitbuckettest.Repository{Name: "ledger-service", ProjectKey: "PAY", MainBranch: "main", Files: map[string]string{"README.md": "# Ledger\n"}})
	w.UpdatePullRequest("checkout-api", 1, func(p *bitbuckettest.PullRequest) { p.Title = "Retry twice on connection reset" })
	w.UpdatePullRequest("checkout-api", 2, func(p *bitbuckettest.PullRequest) { p.State = "MERGED" })
}
