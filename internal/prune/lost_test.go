package prune_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/prune"
	"port-bitbucket-exporter/internal/report"
)

// What cannot be read again keeps everything, whenever that shows. The test is not parallel,
// since it sets where temporary files are made.
func TestWhatIsLostKeepsEverything(t *testing.T) {
	long := strings.Repeat("x", 1<<10)
	cut := func(t *testing.T) {
		files, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("got the temporary files %q, %v, want one", files, err)
		}
		if err := os.Truncate(files[0], 100); err != nil {
			t.Fatal(err)
		}
	}
	const damaged = "the temporary file was changed or cut"
	for _, c := range []struct {
		name   string
		stale  int
		why    string
		change func(*scene)
	}{
		{"relations that Port held", 1, damaged, func(s *scene) {
			for i := range 200 {
				s.remember("pull", fmt.Sprintf("api-%d", i), "service", long)
			}
		}},
		{"relations that Port held, where dependants may go along", 1, damaged, func(s *scene) {
			s.mapping = "deleteDependentEntities: true\n" + s.mapping
			for i := range 200 {
				s.remember("service", fmt.Sprintf("api-%d", i), "uses", long)
			}
		}},
		{"what doomed entities may have become", 11, damaged, func(s *scene) {
			for i := range 200 {
				s.produce("pull", fmt.Sprintf("api-%d", i), 2).Results[0].Address = long
			}
		}},
		{"what shows the names of sources", 1, damaged, func(s *scene) {
			for i := range 200 {
				s.produce("pull", fmt.Sprintf("api-%d", i), 2).Results[0].Address = long
			}
			s.known.Resources[0].MissSource(inventory.Gap{Source: source("other"), Why: "other was not read"})
		}},
		{"a source", 1, "disk on fire", func(s *scene) {
			lost := source("lost")
			lost.Read = func() ([]byte, error) { return nil, errors.New("disk on fire") }
			s.known.Resources[0].Sources["{lost}"] = lost
			s.known.Resources[0].MissSource(inventory.Gap{Source: source("other"), Why: "other was not read"})
			s.stale("service", "other") // which shows the present name of that source
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				var want outcome
				for i := range c.stale {
					s.stale("service", fmt.Sprintf("old%02d", i))
				}
				c.change(s)
				if c.why == damaged {
					s.adjust = func(c *prune.Config) { c.Reconciling = func() { cut(t) } }
				}
				s.run()
				want.left = s.left()
				stale := len(want.left)
				want.counts = []string{fmt.Sprintf("service: 0 deleted, %d kept", stale)}
				want.problems = []string{fmt.Sprintf("warning: %d stale entities of blueprint \"service\" are not deleted: what this run has kept in a temporary file could not be read again: %s; fix: run again; where something empties the folder for temporary files meanwhile, let TMPDIR name another folder", stale, c.why)}
				want.causes = report.Undelivered
				s.is(want)
				if stale < c.stale {
					t.Errorf("got %d stale entities left, want %d", stale, c.stale)
				}
			})
		})
	}
}
