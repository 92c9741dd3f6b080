package input

import (
	"fmt"
	"slices"
	"strings"
)

// origin is one of the places that values come from, in the order in which they win.
type origin struct {
	name string // as it follows a number of inputs in a message
	has  func(s Source) bool
	// shown is true when the name of the variable does not follow from the input's.
	shown bool
}

var origins = []origin{
	{name: "by arguments", has: func(s Source) bool {
		return strings.HasPrefix(s.From, "-") || strings.HasPrefix(s.From, "the ")
	}},
	{name: "from INPUT_ variables", has: func(s Source) bool { return strings.HasPrefix(s.From, actionPrefix) }},
	{name: "from files", has: func(s Source) bool { return s.From == strings.ToUpper(s.ID)+"_FILE" }, shown: true},
	{name: "from the environment", has: func(s Source) bool { return strings.HasPrefix(s.From, strings.ToUpper(s.ID)) }},
	{name: "from names of Port's own integration", has: func(Source) bool { return true }, shown: true},
}

// Summary says on one line where the values come from that are not defaults, and holds none:
//
//	1 by arguments (mapping_file); 2 from the environment (port_client_id, deletion)
func (n Notes) Summary() string {
	of := make([][]string, len(origins))
	for _, s := range n.Sources {
		if s.From == byDefault {
			continue
		}
		i := slices.IndexFunc(origins, func(o origin) bool { return o.has(s) })
		text := s.ID
		if origins[i].shown {
			text += " from " + s.From
		}
		of[i] = append(of[i], text)
	}
	var parts []string
	for i, o := range origins {
		if len(of[i]) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s (%s)", len(of[i]), o.name, strings.Join(of[i], ", ")))
		}
	}
	if len(parts) == 0 {
		return "none given: all have their defaults"
	}
	return strings.Join(parts, "; ")
}
