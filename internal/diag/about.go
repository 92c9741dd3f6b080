package diag

import "log/slog"

// Phase is a phase of a run, in the words of Port's log.
type Phase string

// The phases.
//
// Source: Ocean (port_ocean/core/ocean_types.py), read 2026-11.
const (
	Extract        Phase = "extract"
	Transform      Phase = "transform"
	Load           Phase = "load"
	Reconciliation Phase = "reconciliation"
)

// About is what a problem, or a line of a log, is about: Port's log is filtered by it. What is
// not known is the zero value.
type About struct {
	Phase Phase
	Kind  string // of the resource
	Index int    // of the resource, from 1; 0 for none in particular
	// AtEnd is true for a line that the last lines of the run say again: a console need not show
	// it.
	AtEnd bool
}

// aboutKey names the attribute that Attr returns.
const aboutKey = "about"

// Attr returns an attribute for a line of a log. Handlers that do not ask for it, as AboutOf
// does, show nothing of it.
func (a About) Attr() slog.Attr { return slog.Any(aboutKey, a) }

// LogValue returns a group without attributes, which a handler leaves out.
func (a About) LogValue() slog.Value { return slog.GroupValue() }

// AboutOf returns what an attribute says that a line is about, and whether it is one that says so.
func AboutOf(a slog.Attr) (about About, is bool) {
	about, is = a.Value.Any().(About)
	return about, is
}
