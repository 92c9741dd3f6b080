// Package resync does one run, from the first question to Bitbucket to the last
// deletion in Port: it holds the only loop over the resources of a mapping.
package resync

import (
	"errors"
	"iter"
	"slices"

	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/transform"
)

// Plan is a mapping of which every selector and every expression is bound.
type Plan struct {
	mapping *mapping.Mapping
	// Warnings are what the mapping and its expressions should be told about, in file order.
	Warnings mapping.Problems
	// Notes are what could be better, in file order.
	Notes     mapping.Problems
	resources []*resource
}

// resource is one of the mapping's, ready to run.
type resource struct {
	mapping.Resource
	bound   kind.Bound
	program *transform.Program
	entries []*entry
}

// entry is one of a resource's mappings.
type entry struct {
	transform.Entry
	source   mapping.Entity
	resource int // index of its resource
}

// Bind decodes every selector and compiles every expression of a mapping; it asks
// nobody. The error is mapping.Problems: every problem, warning and note, in file
// order. Resources that are broken are checked, and are in no plan.
func Bind(m *mapping.Mapping, env transform.Environment) (*Plan, error) {
	plan := &Plan{mapping: m}
	advice := slices.Clone(m.Warnings)
	problems := bindBroken(m.Broken, env)
	for _, r := range m.Resources {
		res := &resource{Resource: r}
		var err error
		if res.bound, err = kind.Bind(r); err != nil {
			problems = append(problems, asProblems(r, err)...)
		}
		advice = append(advice, res.bound.Warnings...)
		var more mapping.Problems
		res.program, more, err = transform.Compile(r, env)
		advice = append(advice, more...)
		if err != nil {
			problems = append(problems, asProblems(r, err)...)
			continue
		}
		paths, except := res.bound.SourcePaths()
		res.program.SetOrigin(r, env, transform.Origin{Paths: paths, Except: except})
		res.bound = res.bound.Reading(res.program.Reads().Reach)
		res.bound.ReadsFiles = res.bound.ReadsFiles || len(res.program.Files()) > 0
		for i, e := range res.program.Entries() {
			res.entries = append(res.entries, &entry{Entry: e, source: r.Entities[i], resource: r.Index})
		}
		plan.resources = append(plan.resources, res)
	}
	advice.Sort()
	if len(problems) > 0 || len(m.Broken) > 0 {
		problems = append(problems, advice...)
		problems.Sort()
		return nil, problems
	}
	plan.Warnings, plan.Notes = advice.Warnings(), advice.Notes()
	return plan, nil
}

// bindBroken finds further problems of resources that have some already.
func bindBroken(broken []mapping.Resource, env transform.Environment) (problems mapping.Problems) {
	for _, r := range broken {
		if bound, err := kind.Bind(r); r.Kind != "" && err != nil {
			problems = append(problems, asProblems(r, err)...)
		} else {
			problems = append(problems, bound.Warnings...)
		}
		problems = append(problems, transform.Check(r, env)...)
	}
	return problems
}

func asProblems(r mapping.Resource, err error) mapping.Problems {
	var problems mapping.Problems
	if errors.As(err, &problems) {
		return problems.Errors()
	}
	return mapping.Problems{r.Problem(mapping.RuleSelectorValue, mapping.Error, r.KindPos, "", err.Error(), "")}
}

// Config is the mapping as Port's integration record stores it.
func (p *Plan) Config() map[string]any { return p.mapping.Config }

// Resources are those of the mapping, in order.
func (p *Plan) Resources() []mapping.Resource { return p.mapping.Resources }

// Blueprints are those that resources name literally, and the expressions that do.
func (p *Plan) Blueprints() iter.Seq2[string, mapping.Expr] {
	return func(yield func(string, mapping.Expr) bool) {
		for _, r := range p.resources {
			for _, e := range r.entries {
				if !e.Dynamic && !yield(e.Blueprint, e.source.Blueprint) {
					return
				}
			}
		}
	}
}

// blueprints are those that a resource names literally; any is true when one of
// its blueprints is computed.
func (r *resource) blueprints() (names []string, any bool) {
	for _, e := range r.entries {
		if e.Dynamic {
			any = true
		} else {
			names = append(names, e.Blueprint)
		}
	}
	return names, any
}

// entriesOf are the entries of all resources that can produce a blueprint.
func (p *Plan) entriesOf(blueprint string) []*entry {
	var all []*entry
	for _, r := range p.resources {
		for _, e := range r.entries {
			if e.Dynamic || e.Blueprint == blueprint {
				all = append(all, e)
			}
		}
	}
	return all
}

// setBy says how the entities of a blueprint come to a relation: searched is true
// when an entry finds it by a search query, and left when an entry that can produce
// the blueprint does not map it, so that it stays as Port holds it. Without merge,
// a relation that is not mapped is emptied.
func (p *Plan) setBy(blueprint, relation string, merge bool) (searched, left bool) {
	for _, e := range p.entriesOf(blueprint) {
		i := slices.IndexFunc(e.source.Relations, func(f mapping.Field) bool { return f.Name == relation })
		searched = searched || i >= 0 && e.source.Relations[i].Value.Query != nil
		left = left || i < 0 && merge
	}
	return searched, left
}
