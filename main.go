// Port-bitbucket-exporter ingests a Bitbucket Cloud workspace into Port's catalog,
// once, and exits.
package main

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"port-bitbucket-exporter/internal/app"
)

// gcPercent spends a little more time, so that less memory does: a pipe has 1 GB,
// for everything.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 100 // the most that the input concurrency allows: else a connection a request
	status := app.Main(ctx, app.Process{
		Environ:   os.Environ(),
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Transport: transport,
	})
	stop()
	os.Exit(status)
}
