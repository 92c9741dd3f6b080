package prune_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/prune"
)

// What Port lists of what the run produced costs no memory: it is as much as the workspace has.
// The test is not parallel, since it measures the heap.
func TestTheListedAreNotKept(t *testing.T) {
	const produced, most = 20_000, 16 // bytes for each
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		s.port.Configure(porttest.Options{NoJournalBodies: true})
		for i := range produced {
			s.produce("pull", fmt.Sprintf("api-%d", i+2), 2).Written = false
		}
		s.stale("pull", "old-1")
		var before, listed uint64
		s.adjust = func(c *prune.Config) {
			c.Reconciling = func() { before = heap() }
			c.Failure = func() error {
				listed = heap()
				return nil
			}
		}
		s.run()
		if got := (float64(listed) - float64(before)) / produced; got > most {
			t.Errorf("with the list of Port, got %.1f bytes for each entity in it, want at most %d", got, most)
		}
		if got := s.counts(); !slices.Equal(got, []string{"pull: 1 deleted, 0 kept"}) {
			t.Errorf("got %q, want the stale one deleted", got)
		}
	})
}

// heap returns the bytes of the heap that something holds.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what pools hold goes with the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
