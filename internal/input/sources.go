package input

import (
	"fmt"
	"strings"
)

// origin is one of the places that values come from.
type origin int

const (
	fromDefault origin = iota
	fromArgument
	fromAction
	fromFile
	fromEnvironment
	fromOcean
)

// origins are how a summary names the origins, in its order.
var origins = [...]struct {
	name string // as it follows a number of inputs; empty for what is not named
	// shown is true when the name of the variable does not follow from the input's.
	shown bool
}{
	fromArgument:    {name: "by arguments"},
	fromAction:      {name: "from INPUT_ variables"},
	fromFile:        {name: "from files", shown: true},
	fromEnvironment: {name: "from the environment"},
	fromOcean:       {name: "from names of Port's own integration", shown: true},
}

// Summary says on one line where the values come from that are not defaults, and holds none:
//
//	1 by arguments (mapping_file); 2 from the environment (port_client_id, deletion)
func (n Notes) Summary() string {
	var of [len(origins)][]string
	for _, s := range n.Sources {
		text := s.ID
		if origins[s.origin].shown {
			text += " from " + s.From
		}
		of[s.origin] = append(of[s.origin], text)
	}
	var parts []string
	for i, o := range origins {
		if o.name != "" && len(of[i]) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s (%s)", len(of[i]), o.name, strings.Join(of[i], ", ")))
		}
	}
	if len(parts) == 0 {
		return "none given: all have their defaults"
	}
	return strings.Join(parts, "; ")
}
