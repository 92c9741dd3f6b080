package app

import (
	"slices"
	"testing"

	"port-bitbucket-exporter/internal/input"
)

// Each value of the input mode has a command that runs, and nothing else has: a mode
// without one would sync.
func TestCommands(t *testing.T) {
	t.Parallel()
	var modes []input.Mode
	for _, c := range commands {
		if (c.text == nil) == (c.run == nil) {
			t.Errorf("%s: a command either prints a text or runs", c.name)
		}
		if c.run != nil {
			modes = append(modes, input.Mode(c.name))
		}
	}
	if !slices.Equal(modes, input.Modes()) {
		t.Errorf("got the commands %v, want the modes %v", modes, input.Modes())
	}
}
