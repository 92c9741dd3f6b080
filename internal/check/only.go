package check

import (
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
)

// Only returns the mapping with the resources of some kinds alone. The others are idle: nothing
// of them is read, and what they may have produced is left alone. The error is diag.Problems:
// kinds that do not exist, and those that no resource has.
func (b *Bound) Only(kinds []string) (*Bound, error) {
	var there []string
	for _, r := range b.Resources {
		if !slices.Contains(there, r.Kind) {
			there = append(there, r.Kind)
		}
	}
	var problems diag.Problems
	for _, name := range kinds {
		if slices.Contains(there, name) {
			continue
		}
		p := diag.Problem{Severity: diag.Error, Where: diag.Where{Input: "kinds"}, Message: fmt.Sprintf("no resource of the mapping has the kind %q", name),
			Fix: "give kinds that it has: " + strings.Join(there, ", ")}
		if near, known := kind.Meant(name); !known {
			p.Message = fmt.Sprintf("unknown kind %q", name)
			if near != "" {
				p.Fix = fmt.Sprintf("did you mean %q? The kinds of the mapping are %s", near, strings.Join(there, ", "))
			}
		}
		problems = append(problems, p)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	only := *b
	only.Resources = nil
	for _, r := range b.Resources {
		if slices.Contains(kinds, r.Kind) {
			only.Resources = append(only.Resources, r)
		} else {
			only.Idle = append(only.Idle, r)
		}
	}
	return &only, nil
}

// Alone reports whether the resources that run are all that can produce a blueprint, and one of
// them can. It is true of every blueprint, also of one that none can produce, when none is idle.
func (b *Bound) Alone(blueprint string) bool {
	can := func(r *Resource) bool { return r.CanProduce(blueprint) }
	return len(b.Idle) == 0 || slices.ContainsFunc(b.Resources, can) && !slices.ContainsFunc(b.Idle, can)
}
