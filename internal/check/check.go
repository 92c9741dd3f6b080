// Package check binds a mapping: it decodes every selector, compiles every expression,
// and finds every problem. It makes no request.
package check

import (
	"errors"
	"slices"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/transform"
)

// Check reads a mapping and binds it. It returns all problems, in file order, and a nil
// Bound when one of them is an error.
func Check(file string, text []byte, env transform.Environment) (*Bound, diag.Problems) {
	m, err := mapping.Parse(file, text)
	problems := problemsOf(err)
	if m == nil {
		return nil, problems
	}
	bound, bindErr := Bind(m, env)
	problems = append(slices.Clone(problems), problemsOf(bindErr)...)
	if bound != nil {
		problems = slices.Concat(problems, bound.Warnings, bound.Notes)
	}
	problems.Sort()
	if len(problems.Errors()) > 0 {
		bound = nil
	}
	return bound, problems
}

// problemsOf gives the problems that an error holds; another error is one.
func problemsOf(err error) diag.Problems {
	var problems diag.Problems
	if err != nil && !errors.As(err, &problems) {
		problems = diag.Problems{{Rule: mapping.RuleText, Message: err.Error()}}
	}
	return problems
}
