package resync

import (
	"errors"
	"slices"

	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/transform"
)

// Check reads a mapping and binds it; it asks nobody. The problems are all of them, in
// file order. The plan is nil when there is an error among them.
func Check(file string, text []byte, env transform.Environment) (*Plan, mapping.Problems) {
	m, err := mapping.Parse(file, text)
	problems := problemsOf(err)
	if m == nil {
		return nil, problems
	}
	plan, bindErr := Bind(m, env)
	problems = append(slices.Clone(problems), problemsOf(bindErr)...)
	if plan != nil {
		problems = slices.Concat(problems, plan.Warnings, plan.Notes)
	}
	problems.Sort()
	if len(problems.Errors()) > 0 {
		plan = nil
	}
	return plan, problems
}

// problemsOf gives the problems that an error holds; another error is one.
func problemsOf(err error) mapping.Problems {
	var problems mapping.Problems
	if err != nil && !errors.As(err, &problems) {
		problems = mapping.Problems{{Rule: mapping.RuleText, Message: err.Error()}}
	}
	return problems
}
