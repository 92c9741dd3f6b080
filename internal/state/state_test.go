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
