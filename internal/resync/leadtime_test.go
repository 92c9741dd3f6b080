package resync_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/report"
)

// The example of deployments gives the lead time of each that brought commits.
func TestLeadTimeOfTheExample(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorldOfKind(t, "deployment")
		w.bitbucket.AddRepository(bitbuckettest.Repository{Name: "payments", Files: map[string]string{"a": "0"}})
		w.bitbucket.AddEnvironment("payments", bitbuckettest.Environment{Name: "Production", Type: "Production"})
		at := time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)
		for day, commits := range []int{0, 2, 0, 1} {
			for n := range commits {
				w.bitbucket.SetFile("payments", "a", []byte(fmt.Sprint(day, n)))
			}
			w.bitbucket.AddDeployment("payments", bitbuckettest.Deployment{Environment: "Production", StartedOn: at.AddDate(0, 0, day), Seconds: 600})
		}
		r := w.sync(readFile(exampleKinds + "deployment.yml")).ended(report.Success)
		checkParts(t, "what the run tells", loud(r), nil)
		checkGolden(t, filepath.Join("testdata", "examples", "leadtime.golden.json"), golden(r.after))
	})
}
