package refusal

import (
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/port"
)

const (
	// maxWords bounds what a report repeats of Port's words, in bytes: a few sentences.
	maxWords = 600
	// maxExample bounds an example, in bytes: it fits on two lines of a terminal.
	maxExample = 180
	// maxCycle bounds how many entities of a cycle a text names.
	maxCycle = 6
)

// Example names an entity, the object that gave it, and the trace of Port's answer. The
// source may be empty, and the error nil.
func Example(ref catalog.Ref, source string, err error) string {
	name := ref.String()
	if ref.Identifier == "" {
		name = ref.Blueprint + " by a search query"
	}
	if source != "" {
		name += " from " + source
	}
	trace := ""
	if err != nil {
		trace = clip.Bytes(traceOf(err), maxExample/2, "…")
	}
	return clip.Bytes(name, maxExample-len(trace), "…") + trace
}

// Words returns the beginning of an error's text, without its trace.
func Words(err error) string { return clip.Bytes(untraced(err), maxWords, "…") }

// Cycle names the entities of a cycle: a → b → a.
func Cycle(cycle []catalog.Ref) string {
	var names []string
	for i, ref := range cycle {
		if i == maxCycle-1 && len(cycle) > maxCycle {
			names = append(names, fmt.Sprintf("… (%d more)", len(cycle)-maxCycle), cycle[len(cycle)-1].String())
			break
		}
		names = append(names, clip.Bytes(ref.String(), maxExample/maxCycle*2, "…"))
	}
	return strings.Join(names, " → ")
}

// traceOf returns the part of an error's text that holds its trace.
func traceOf(err error) string {
	if trace := port.Trace(err); trace != "" {
		return " (x-trace-id " + trace + ")"
	}
	return ""
}

// untraced returns an error's text without its trace. An example holds the trace, since a
// long text loses its end.
func untraced(err error) string { return strings.ReplaceAll(err.Error(), traceOf(err), "") }
