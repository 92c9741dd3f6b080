package app

import (
	"errors"

	"port-bitbucket-exporter/internal/version"
)

// program is its name on the command line.
const program = "port-bitbucket-exporter"

// Version returns that of this program, as its user agents and Port's integration name it.
func Version() string { return version.This().Version }

// Exit statuses of Main, besides those of a finished run.
const (
	exitFailed = 1 // the run failed
	exitInputs = 2 // inputs or mapping are wrong
	// exitChanges is that of a plan by which a sync would change something, with the
	// input detailed_exit.
	exitChanges = 10
)

// errStopped stands for whatever a signal made fail.
var errStopped = errors.New("stopped by a signal: nothing more is written or deleted; run again to finish")

// usageError is a fault of the inputs or of the mapping.
type usageError struct {
	err error
	// reported is true when its parts are in the report already, as the errors there.
	reported bool
}

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// setupError is a failure before the run, and what to do about it.
type setupError struct {
	err error
	fix string
}

func (e *setupError) Error() string { return e.err.Error() }

func (e *setupError) Unwrap() error { return e.err }
