// Port-bitbucket-exporter ingests a Bitbucket Cloud workspace into Port's catalog,
// once, and exits.
package main

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"port-bitbucket-exporter/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := app.Main(ctx, app.Process{
		Environ:   os.Environ(),
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Transport: http.DefaultTransport,
	})
	stop()
	os.Exit(status)
}
