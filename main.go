// Port-bitbucket-exporter ingests a Bitbucket Cloud workspace into Port's catalog,
// once, and exits.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"port-bitbucket-exporter/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	status := app.Main(ctx, app.Process{
		Args:    os.Args[1:],
		Environ: os.Environ(),
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,

		StdoutTerminal: isTerminal(os.Stdout),
		StderrTerminal: isTerminal(os.Stderr),

		Cgroup: os.DirFS("/sys/fs/cgroup"),
	})
	stop()
	os.Exit(status)
}

// isTerminal reports whether a stream is a device at which somebody may sit.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
