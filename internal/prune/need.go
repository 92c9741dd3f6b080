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

// needs are entities that a produced one relates to, each with a relation to it. An empty
// blueprint stands for any: that of the relation's target is not known.
type needs map[catalog.Ref]inventory.Relation

// needed returns those of others that produced ones relate to.
func (p *pass) needed(ctx context.Context, others []catalog.Ref) needs {
	all := needs{}
	for _, rel := range p.Inventory.Targets.Relations() {
		schema, _ := p.Schemas.Of(ctx, rel.Blueprint)
		target := schema.Relations[rel.Name].Target
		for _, other := range others {
			if !p.Inventory.Targets.Has(rel, other.Identifier) {
				continue
			}
			ref := catalog.Ref{Blueprint: target, Identifier: other.Identifier}
			if _, known := all[ref]; !known {
				all[ref] = rel
			}
		}
	}
	return all
}

// of returns the relation for which an entity is needed, also when it is known under no
// blueprint.
func (n needs) of(to catalog.Ref) (rel inventory.Relation, ok bool) {
	if rel, ok = n[to]; !ok {
		rel, ok = n[catalog.Ref{Identifier: to.Identifier}]
	}
	return rel, ok
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
		p.Report.Blueprint(ref.Blueprint).StaleKept++
		problem := diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("stale entities of blueprint %q are not deleted: entities of blueprint %q relate to them by relation %q", ref.Blueprint, rel.Blueprint, rel.Name),
			Fix:      "they go when nothing relates to them any more: map the relation to what the workspace still has, or leave out what relates to them",
		}
		if !first[problem.Message] {
			first[problem.Message] = true
			problem.Example = ref.String() + p.lookup().relating(ctx, rel, ref.Identifier)
		}
		p.Report.Note(problem)
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
