package resync_test

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
)

// sweep reports whether the tests try all that they can, for minutes.
func sweep() bool { return os.Getenv("TESTS") == "sweep" }

// full reports whether the tests try more, as .ci/run lets them.
func full() bool { return os.Getenv("TESTS") == "full" }

// rapidChecks is how many worlds a property draws where not all is tried: rapid itself
// draws 100, each of which takes up to five runs. Short runs, as under the race detector, draw
// fewer.
const (
	rapidChecks      = "25"
	fullRapidChecks  = "40"
	shortRapidChecks = "8"
)

// gcPercent lets the garbage of many short runs wait for a heap five times as large as what
// lives: a sixth of the CPU time is not spent on it.
const gcPercent = 400

func TestMain(m *testing.M) {
	debug.SetGCPercent(gcPercent)
	flag.Parse()
	checks := rapidChecks
	switch {
	case full():
		checks = fullRapidChecks
	case testing.Short():
		checks = shortRapidChecks
	}
	given := false // on the command line
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given && !sweep() {
		if err := flag.Set("rapid.checks", checks); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// skipShort leaves a test to a run that is not short: the race detector takes ten times as
// long, and sees the same goroutines in smaller workspaces.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: left to a run without -short")
	}
}
