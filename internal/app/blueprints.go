package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/port"
)

// checkBlueprints finds blueprints that the mapping names and Port does not have:
// Port would refuse every write to one, after all of Bitbucket was read for it. Those that
// this run made, or in a plan would make, count as there. It costs one request, and
// one more for each name that is not in the list, which may hold only what the credential
// sees. It skips what it cannot read, computed names, and Port's own blueprints (_user),
// which Port may hide. The error is a *usageError.
func checkBlueprints(ctx context.Context, s *session, bound *check.Bound, made []string) error {
	there := map[string]bool{}
	for _, name := range made {
		there[name] = true
	}
	unknown := map[string]bool{}
	for name := range bound.Blueprints() {
		if !there[name] && !strings.HasPrefix(name, "_") {
			unknown[name] = true
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	listed, err := s.clients.port.Blueprints.All(ctx)
	if err != nil {
		s.log.Info("the blueprints of the mapping are not checked: " + err.Error())
		return nil
	}
	for name := range listed {
		there[name] = true
	}
	missing := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		if !there[name] {
			_, err := s.clients.port.Blueprints.Read(ctx, name)
			missing[name] = errors.Is(err, port.ErrNotFound)
		}
	}
	return wrongBlueprints(s, bound, missing, slices.Sorted(maps.Keys(there)))
}

// wrongBlueprints reports blueprints that are not there, at each place that names one.
func wrongBlueprints(s *session, bound *check.Bound, missing map[string]bool, there []string) error {
	var problems diag.Problems
	for name, at := range bound.Blueprints() {
		if missing[name] {
			problems = append(problems, at.Problem(mapping.RuleBlueprint, diag.Error, 0, fmt.Sprintf("Port has no blueprint %q", name), missingFix(name, there)))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	problems.Sort()
	m := &s.report.Mapping
	m.Problems = append(m.Problems, problems...)
	m.Problems.Sort()
	noteMapping(s, problems)
	return wrongMapping(problems)
}

// missingFix names the blueprint that was probably meant, and how to make one.
func missingFix(name string, there []string) string {
	const create = "create it in Port's builder with + Blueprint > Edit JSON before the run; "
	fix := create + "examples/blueprints.json shows how one is written"
	if slices.Contains(defaultNames(), name) {
		fix = create + "its JSON is in examples/blueprints.json"
	}
	if near, ok := nearest.Name(name, there); ok {
		fix = fmt.Sprintf("did you mean %q? Else %s", near, fix)
	}
	return fix
}
