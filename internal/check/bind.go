package check

import (
	"errors"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/lint"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/transform"
)

// Bind decodes every selector and compiles every expression of a mapping, and
// makes no request. The error is diag.Problems: every problem, warning and note, in file
// order. Resources that are broken are checked, and are in no bound.
func Bind(m *mapping.Mapping, env transform.Environment) (*Bound, error) {
	bound := &Bound{Mapping: m}
	advice := slices.Clone(m.Warnings)
	problems := bindBroken(m.Broken, env)
	for _, r := range m.Resources {
		res := &Resource{Resource: r}
		var err error
		if res.Bound, err = kind.Bind(r); err != nil {
			problems = append(problems, asProblems(r, err)...)
		}
		advice = append(advice, res.Bound.Warnings...)
		found := expressions(r, env)
		advice = append(advice, found.Advice()...)
		if res.Program, err = compile(r, found.Errors(), env); err != nil {
			problems = append(problems, asProblems(r, err)...)
			continue
		}
		paths, except := res.Bound.SourcePaths()
		res.Program.SetOrigin(env, transform.Origin{Paths: paths, Except: except})
		reads := res.Program.Reads()
		res.Bound = res.Bound.Reading(kind.ReadsOf(reads), res.Program.Files()...).Partial(reads)
		res.Bound.ReadsFiles = res.Bound.ReadsFiles || len(res.Program.Files()) > 0
		for i, e := range res.Program.Entries() {
			res.Entries = append(res.Entries, &Entry{Entry: e, Source: r.Entities[i], Resource: r.Index, Number: i})
		}
		bound.Resources = append(bound.Resources, res)
	}
	advice.Sort()
	if len(problems) > 0 || len(m.Broken) > 0 {
		problems = append(problems, advice...)
		problems.Sort()
		return nil, problems
	}
	bound.Warnings, bound.Notes = advice.Warnings(), advice.Notes()
	return bound, nil
}

// bindBroken finds further problems of resources that have some already.
func bindBroken(broken []mapping.Resource, env transform.Environment) (problems diag.Problems) {
	for _, r := range broken {
		if bound, err := kind.Bind(r); r.Kind != "" && err != nil {
			problems = append(problems, asProblems(r, err)...)
		} else {
			problems = append(problems, bound.Warnings...)
		}
		problems = append(problems, expressions(r, env)...)
	}
	return problems
}

// expressions finds what is wrong or odd in the expressions of a resource.
func expressions(r mapping.Resource, env transform.Environment) diag.Problems {
	return lint.Check(r, lint.Options{Environment: env, Kind: kind.Objects(r.Kind), Blueprint: catalog.CheckBlueprint})
}

// compile compiles the expressions of a resource, unless there are errors in them.
func compile(r mapping.Resource, found diag.Problems, env transform.Environment) (*transform.Program, error) {
	if len(found) > 0 {
		return nil, found
	}
	return transform.Compile(r, env, kind.Objects(r.Kind))
}

func asProblems(r mapping.Resource, err error) diag.Problems {
	var problems diag.Problems
	if errors.As(err, &problems) {
		return problems
	}
	return diag.Problems{r.Problem(mapping.RuleSelectorValue, diag.Error, r.KindPos, "", err.Error(), "")}
}
