package check

import (
	"fmt"

	"port-bitbucket-exporter/internal/blueprint"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
)

// Against finds the properties and relations that the mapping sets and the blueprints of a
// file do not have: Port would refuse each entity that holds one. It looks at those
// blueprints alone that are wanted. The problems are in file order.
func (b *Bound) Against(file *blueprint.File, wanted func(identifier string) bool) (problems diag.Problems) {
	for _, r := range b.Resources {
		for _, e := range r.Entries {
			of, ok := file.Find(e.Blueprint)
			if e.Dynamic || !ok || !wanted(e.Blueprint) {
				continue
			}
			for _, set := range []struct {
				what   string
				fields []mapping.Field
			}{{"property", e.Source.Properties}, {"relation", e.Source.Relations}} {
				for _, field := range set.fields {
					if message, fix := of.Lacks(set.what, field.Name); message != "" {
						problems = append(problems, r.Problem(blueprint.RuleField, diag.Error, placeOf(field.Value), fmt.Sprintf("%s %q", set.what, field.Name), message, fix))
					}
				}
			}
		}
	}
	problems.Sort()
	return problems
}

// placeOf returns where a value begins.
func placeOf(v mapping.Value) diag.Position {
	if v.Expr != nil {
		return v.Expr.Pos
	}
	return v.Query.Combinator.Pos
}
