package prune

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
)

// needs are the relations of produced entities, by which those need others.
type needs struct {
	targets   *inventory.Targets
	relations []aim
}

// aim is a relation, and the blueprint of what it names: empty where that is not known.
type aim struct {
	inventory.Relation
	target string
}

// needed returns the relations by which produced entities need others.
func (p *pass) needed(ctx context.Context) needs {
	n := needs{targets: p.Inventory.Targets}
	for _, rel := range p.Inventory.Targets.Relations() {
		schema, _ := p.Schemas.Of(ctx, rel.Blueprint)
		n.relations = append(n.relations, aim{rel, schema.Relations[rel.Name].Target})
	}
	return n
}

// of returns the relation for which an entity is needed: one to its blueprint, or else one of
// which the blueprint is not known, since any may be meant.
func (n needs) of(to catalog.Ref) (rel inventory.Relation, ok bool) {
	for _, blueprint := range []string{to.Blueprint, ""} {
		for _, one := range n.relations {
			if one.target == blueprint && n.targets.Has(one.Relation, to.Identifier) {
				return one.Relation, true
			}
		}
	}
	return rel, false
}

func (n needs) has(ref catalog.Ref) bool {
	_, ok := n.of(ref)
	return ok
}

// reportNeeded counts and reports what was not produced and stays for what relates to it. It
// leaves out what the mapping cannot produce, and what holds nothing: Port made that for a
// relation, and it is not stale.
func (p *pass) reportNeeded(ctx context.Context, kept []catalog.Ref, by needs) {
	kept = slices.DeleteFunc(slices.Clone(kept), func(ref catalog.Ref) bool { return !p.Bound.Produces(ref.Blueprint) })
	stubs := p.stubs(ctx, kept)
	first := map[string]bool{} // messages
	for _, ref := range kept {
		if stubs[ref] {
			continue
		}
		rel, _ := by.of(ref)
		stays(p.Report, ref, fmt.Sprintf("entities of blueprint %q relate to it by relation %q", rel.Blueprint, rel.Name))
		problem := diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("stale entities of blueprint %q are not deleted: entities of blueprint %q relate to them by relation %q", ref.Blueprint, rel.Blueprint, rel.Name),
			Fix:      "they go when nothing relates to them any more: map the relation to what the workspace still has, or leave out what relates to them",
		}
		if !first[problem.Message] {
			first[problem.Message] = true
			problem.Example = ref.String() + p.lookup().relating(ctx, rel, ref.Identifier)
		}
		p.note(problem)
	}
}

// stubs returns those entities that hold nothing but their identifier, as far as Port says.
func (p *pass) stubs(ctx context.Context, refs []catalog.Ref) map[catalog.Ref]bool {
	stubs := map[catalog.Ref]bool{}
	for fields, ref := range p.lookup().find(ctx, refs) {
		title, _ := fields.Title.(string)
		p.written(ctx, ref.Blueprint, fields.Properties)
		if (title == "" || title == ref.Identifier) && !anyValue(fields.Properties) && !anyValue(fields.Relations) {
			stubs[ref] = true
		}
	}
	return stubs
}

// written leaves of the properties of an entity those that somebody wrote: not what Port
// works out, nor the defaults of the blueprint.
func (p *pass) written(ctx context.Context, blueprint string, properties map[string]any) {
	schema, known := p.Schemas.Of(ctx, blueprint)
	if !known {
		return
	}
	maps.DeleteFunc(properties, func(name string, v any) bool {
		property, writable := schema.Schema.Properties[name]
		fields, _ := property.(map[string]any)
		return !writable || fields["default"] != nil && fmt.Sprint(fields["default"]) == fmt.Sprint(v)
	})
}

// anyValue reports whether one of the values is neither null nor an empty list.
func anyValue(values map[string]any) bool {
	for _, v := range values {
		if list, ok := v.([]any); v != nil && !(ok && len(list) == 0) {
			return true
		}
	}
	return false
}
