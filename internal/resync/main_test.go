package resync_test

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
)

// full reports whether the tests try all that they can, as .ci/run lets them.
func full() bool { return os.Getenv("TESTS") == "full" }

// rapidChecks is how many worlds a property draws where not all is tried: rapid itself
// draws 100, each of which takes up to five runs.
const rapidChecks = "25"

// gcPercent lets the garbage of many short runs wait for a heap five times as large as what
// lives: a sixth of the CPU time is not spent on it.
const gcPercent = 400

func TestMain(m *testing.M) {
	debug.SetGCPercent(gcPercent)
	if !full() {
		if err := flag.Set("rapid.checks", rapidChecks); err != nil { // one on the command line wins
			panic(err)
		}
	}
	os.Exit(m.Run())
}
