package resync_test

import (
	"flag"
	"os"
	"testing"
)

// full reports whether the tests try all that they can, as .ci/run lets them.
func full() bool { return os.Getenv("TESTS") == "full" }

// rapidChecks is how many worlds a property draws where not all is tried: rapid itself
// draws 100, each of which takes up to five runs.
const rapidChecks = "25"

func TestMain(m *testing.M) {
	if !full() {
		if err := flag.Set("rapid.checks", rapidChecks); err != nil { // one on the command line wins
			panic(err)
		}
	}
	os.Exit(m.Run())
}
