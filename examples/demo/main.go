// Demo runs the real program against emulators of Bitbucket Cloud and Port on
// loopback: no account, no network.
//
//	go run ./examples/demo
//
// It ingests a sample workspace, runs again to show that nothing is written
// twice, changes the workspace, and shows what a third run makes of it. A fourth
// run reads folders and files over git, with a mapping and an integration of its
// own, and a fifth the same over REST: it finds the same catalog. The demo shows
// one entity as Port holds it, and ends with what to do next.
//
// With arguments it runs the program once, with these and the same emulators, to try a
// mapping of one's own:
//
//	go run ./examples/demo plan mapping.yml
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// mapping is examples/mappings/slugs.yml, which a test keeps the same.
//
//go:embed mapping.yml
var mapping string

// filesMapping is that of the fourth and fifth run.
//
//go:embed files.yml
var filesMapping string

// blueprints are those of filesMapping, as a JSON array.
//
//go:embed blueprints.json
var blueprints []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var status int
	if args := os.Args[1:]; len(args) > 0 {
		status = try(ctx, args, os.Stdout, os.Stderr)
	} else {
		status = demo(ctx, os.Stdout)
	}
	stop()
	os.Exit(status)
}

// services are both emulators, and how the program finds them.
type services struct {
	workspace *bitbuckettest.Server
	catalog   *porttest.Server
	environ   []string
	transport *http.Transport
	close     func()
}

// serve starts both emulators: the sample workspace, and Port with all blueprints.
func serve() (*services, error) {
	workspace := bitbuckettest.Sample()
	workspace.AllowToken("demo-workspace-token")
	catalog, err := organization()
	if err != nil {
		return nil, err
	}
	bitbucket, port, transport := httptest.NewServer(workspace), httptest.NewServer(catalog), &http.Transport{}
	return &services{
		workspace: workspace, catalog: catalog, transport: transport,
		environ: []string{
			"BITBUCKET_HOST_URL=" + bitbucket.URL + "/2.0",
			"GIT_HOST_URL=" + bitbucket.URL,
			"BITBUCKET_WORKSPACE=acme",
			"BITBUCKET_WORKSPACE_TOKEN=demo-workspace-token",
			"PORT_BASE_URL=" + port.URL,
			"PORT_CLIENT_ID=demo-client-id",
			"PORT_CLIENT_SECRET=demo-client-secret",
		},
		close: func() {
			transport.CloseIdleConnections()
			bitbucket.Close()
			port.Close()
		},
	}, nil
}

// try runs the program once with the arguments, and returns its exit status.
func try(ctx context.Context, args []string, out, errs io.Writer) int {
	s, err := serve()
	if err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	defer s.close()
	return app.Main(ctx, app.Process{Args: args, Environ: s.environ, Stdin: os.Stdin, Stdout: out, Stderr: errs, Transport: s.transport})
}

// demo runs the program five times, and returns the highest exit status.
func demo(ctx context.Context, out io.Writer) int {
	s, err := serve()
	if err != nil {
		fmt.Fprintln(out, err)
		return 1
	}
	defer s.close()
	workspace, catalog := s.workspace, s.catalog

	run := func(title, integration, reader, file, mapping string) int {
		fmt.Fprintf(out, "\n== %s\nmapping %s, integration_identifier %s, source_reader %s\n", title, file, integration, reader)
		catalog.ResetJournal()
		status := app.Main(ctx, app.Process{
			Environ: append(slices.Clone(s.environ),
				"SOURCE_READER="+reader,
				"INTEGRATION_IDENTIFIER="+integration,
				"MAPPING="+mapping,
				"LOG_LEVEL=WARNING"),
			Stdout:    out,
			Stderr:    out,
			Transport: s.transport,
		})
		fmt.Fprintf(out, "exit status %d, %d requests that write the catalog\n", status, len(catalog.CatalogWrites()))
		catalog.Age(time.Hour) // as if the next run were an hour later
		return status
	}

	fmt.Fprintln(out, "A sample workspace of 120 repositories, served on loopback.")
	first := run("First run: the whole workspace is created in Port", "acme", "auto", "examples/mappings/slugs.yml", mapping)
	if err := show(out, catalog, "bitbucketRepository", "checkout-api"); err != nil {
		fmt.Fprintln(out, err)
		return 1
	}
	second := run("Second run: nothing has changed, so nothing is written", "acme", "auto", "examples/mappings/slugs.yml", mapping)
	change(workspace)
	fmt.Fprintln(out, "\nNow, in Bitbucket: a repository is deleted, one is added, a pull request is renamed, and one is merged.")
	third := run("Third run: only what changed", "acme", "auto", "examples/mappings/slugs.yml", mapping)
	fourth := run("Fourth run: services from port.yml, folders and files of a monorepo, over git", "acme-files", "auto", "examples/demo/files.yml", filesMapping)
	fifth := run("Fifth run: the same over REST finds the same catalog", "acme-files", "rest", "examples/demo/files.yml", filesMapping)
	fmt.Fprint(out, `
The last two runs have another integration_identifier, since its mapping produces none of
the entities of the first: under theirs it would delete them.

Next, see what a mapping makes of this workspace, this one or your own:
    go run ./examples/demo plan examples/mappings/slugs.yml
and go on with "Install" in README.md.
`)
	return max(first, second, third, fourth, fifth)
}

// organization is Port with all blueprints, and without entities.
func organization() (*porttest.Server, error) {
	catalog := porttest.New()
	catalog.AllowClient("demo-client-id", "demo-client-secret")
	for _, blueprint := range porttest.DefaultBlueprints() {
		catalog.AddBlueprint(blueprint)
	}
	var further []json.RawMessage
	if err := json.Unmarshal(blueprints, &further); err != nil {
		return nil, fmt.Errorf("blueprints.json: %w", err)
	}
	for _, blueprint := range further {
		catalog.AddBlueprint(string(blueprint))
	}
	return catalog, nil
}

// show prints an entity as Port holds it.
func show(out io.Writer, catalog *porttest.Server, blueprint, identifier string) error {
	e, ok := catalog.Catalog()[blueprint][identifier]
	if !ok {
		return fmt.Errorf("no entity %s/%s", blueprint, identifier)
	}
	fmt.Fprintln(out, "One of the entities that Port holds now:")
	to := json.NewEncoder(out)
	to.SetEscapeHTML(false) // a person reads it
	to.SetIndent("", "  ")
	return to.Encode(map[string]any{
		"blueprint": blueprint, "identifier": identifier, "title": e.Title, "properties": e.Properties, "relations": e.Relations,
	})
}

func change(w *bitbuckettest.Server) {
	w.RemoveRepository("ledger-api")
	w.AddRepository(bitbuckettest.Repository{Name: "ledger-service", ProjectKey: "PAY", MainBranch: "main", Files: map[string]string{"README.md": "# Ledger\n"}})
	w.UpdatePullRequest("checkout-api", 1, func(p *bitbuckettest.PullRequest) { p.Title = "Retry twice on connection reset" })
	w.UpdatePullRequest("checkout-api", 2, func(p *bitbuckettest.PullRequest) { p.State = "MERGED" })
}
