package state_test

import (
	"testing"

	"port-bitbucket-exporter/internal/state"
)

func TestNextRun(t *testing.T) {
	t.Parallel()
	c := state.Config{Folder: t.TempDir(), Secret: "s", Workspace: "w", Identifier: "i"}
	s, why := state.Open(c)
	if why == "" {
		t.Error("an empty folder says nothing")
	}
	s.Put([]byte("value"), state.Text, "a", "b")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	next, why := state.Open(c)
	if why != "" {
		t.Error(why)
	}
	if v, ok := next.Get(state.Text, "a", "b"); !ok || string(v) != "value" {
		t.Errorf("got %q, %t", v, ok)
	}
	if next.Has(state.Text, "ab", "") {
		t.Error("another key is found")
	}
}

// skipShort leaves a test to a run that is not short: the race detector takes ten times as
// long, and such a test starts no goroutine.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: left to a run without -short")
	}
}
