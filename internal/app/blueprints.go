package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/port"
)

// blueprintListing is the list of Port's blueprints, which is read beside other things.
type blueprintListing struct {
	stop    context.CancelFunc
	reading concurrent.Group
	listed  map[string]port.Blueprint
	err     error
}

// listBlueprints begins to read the list of Port's blueprints, unless nothing is to be looked for
// in it. The listing must be closed.
func listBlueprints(ctx context.Context, c *port.Client, needed bool) *blueprintListing {
	l := &blueprintListing{}
	ctx, l.stop = context.WithCancel(ctx)
	if needed {
		l.reading.Run(func() { l.listed, l.err = c.Blueprints.All(ctx) })
	}
	return l
}

// blueprints returns what is listed, once it is read: maybe only what the credential sees.
func (l *blueprintListing) blueprints() (map[string]port.Blueprint, error) {
	l.reading.Wait()
	return l.listed, l.err
}

// close ends the reading.
func (l *blueprintListing) close() {
	l.stop()
	l.reading.Wait()
}

// toBeThere are the blueprints that the mapping names and Port must have. It leaves out
// computed names, and Port's own blueprints (_user), which Port may hide.
func toBeThere(bound *check.Bound) map[string]bool {
	names := map[string]bool{}
	for name := range bound.Blueprints() {
		if !strings.HasPrefix(name, "_") {
			names[name] = true
		}
	}
	return names
}

// checkBlueprints finds blueprints that the mapping names and Port does not have:
// Port would refuse every write to one, after all of Bitbucket was read for it. Those that
// this run made, or in a plan would make, count as there. Besides the list it costs one request
// for each name that is not in it. It skips what it cannot read. The error is a *usageError.
func checkBlueprints(ctx context.Context, s *session, bound *check.Bound, listing *blueprintListing, made []string) error {
	unknown := toBeThere(bound)
	for _, name := range made {
		delete(unknown, name)
	}
	if len(unknown) == 0 {
		return nil
	}
	listed, err := listing.blueprints()
	if err != nil {
		s.log.Info("the blueprints of the mapping are not checked: " + err.Error())
		return nil
	}
	there := slices.AppendSeq(slices.Clone(made), maps.Keys(listed))
	for _, name := range there {
		delete(unknown, name)
	}
	missing := map[string]bool{}
	for name, found := range readBlueprints(ctx, s.clients.port, slices.Sorted(maps.Keys(unknown))) {
		missing[name] = errors.Is(found.err, port.ErrNotFound)
	}
	slices.Sort(there)
	return wrongBlueprints(s, bound, missing, there)
}

// foundBlueprint is what reading a blueprint gave.
type foundBlueprint struct {
	port.Blueprint
	err error
}

// blueprintsAtOnce is how many requests about blueprints are under way at once.
const blueprintsAtOnce = 10

// readBlueprints reads blueprints side by side, and yields them in order.
func readBlueprints(ctx context.Context, c *port.Client, names []string) iter.Seq2[string, foundBlueprint] {
	return concurrent.Ahead(ctx, concurrent.NewSlots(blueprintsAtOnce), names, func(ctx context.Context, name string) foundBlueprint {
		b, err := c.Blueprints.Read(ctx, name)
		return foundBlueprint{b, err}
	})
}

// wrongBlueprints reports blueprints that are not there, at each place that names one.
func wrongBlueprints(s *session, bound *check.Bound, missing map[string]bool, there []string) error {
	var problems diag.Problems
	for name, at := range bound.Blueprints() {
		if missing[name] {
			problems = append(problems, at.Problem(mapping.RuleBlueprint, diag.Error, 0, fmt.Sprintf("Port has no blueprint %q", name), missingFix(s, name, there)))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	problems.Sort()
	addProblems(s, problems)
	return wrongMapping(problems)
}

// missingFix names the blueprint that was probably meant, and how to make one.
func missingFix(s *session, name string, there []string) string {
	file, fix := s.config.BlueprintsFile, "write its JSON into a file that blueprints_file names"
	if file != "" {
		fix = "add it to " + file
	}
	fix += ", or create it in Port's builder with + Blueprint > Edit JSON before the run; "
	switch _, offered := s.offered.file.Find(name); {
	case offered: // or it would be made
		fix = "set initialize_port_resources to true: then it is created of " + file
	case slices.Contains(defaultNames(), name):
		fix += "its JSON is in examples/blueprints.json"
	default:
		fix += "examples/blueprints.json shows how one is written"
	}
	if near, ok := nearest.Name(name, there); ok {
		fix = fmt.Sprintf("did you mean %q? Else %s", near, fix)
	}
	return fix
}
