package resync_test

import (
	"fmt"
	"testing"

	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

// Poison entities that stand side by side take no others with them, wherever they stand.
func TestPoisonSideBySide(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(60))
		for _, id := range []string{"r00", "r01", "r45"} {
			w.port.Fault(porttest.Fault{Entity: id, Status: 500, Times: -1})
		}
		m := mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {language: .language}}`))
		w.sync(m).ended(report.Partial).is(want{"created": 57, "rejected": 3})
	})
}

// A blueprint at which Port fails, and one of which it refuses all, take nothing of others.
func TestBlueprintOfWhichNothingIsTaken(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, numbered(25))
				w.port.Fault(porttest.Fault{Path: "/v1/blueprints/project/entities/bulk", Status: status, Times: -1})
				w.port.Fault(porttest.Fault{Entity: "r07", Status: 500, Times: -1})
				m := mapped(projects, entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {language: .language}}`))
				n := len(w.sync(m).ended(report.Partial).is(want{"created": 24}).after["repo"])
				if n != 24 {
					t.Errorf("repositories: got %d, want 24", n)
				}
			})
		})
	}
}
