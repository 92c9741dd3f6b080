package resync

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
)

// needed returns the entities that a produced one relates to, each with a relation to it.
// An empty blueprint stands for any: that of the relation's target is not known.
func (r *run) needed(ctx context.Context) map[catalog.Ref]relation {
	needed := map[catalog.Ref]relation{}
	for _, rel := range slices.SortedFunc(maps.Keys(r.loader.targets), compareRelations) {
		schema, _ := r.loader.schemas.of(ctx, rel.blueprint)
		target := schema.Relations[rel.name].Target
		for identifier := range r.loader.targets[rel] {
			ref := catalog.Ref{Blueprint: target, Identifier: identifier}
			if _, known := needed[ref]; !known {
				needed[ref] = rel
			}
		}
	}
	return needed
}

// relationTo returns the relation for which an entity is needed, also when it is known
// under no blueprint.
func relationTo(needed map[catalog.Ref]relation, to catalog.Ref) (rel relation, ok bool) {
	if rel, ok = needed[to]; !ok {
		rel, ok = needed[catalog.Ref{Identifier: to.Identifier}]
	}
	return rel, ok
}

// tellNeeded counts and reports what was not produced and stays for what relates to it. It
// leaves out what the mapping cannot produce, and what holds nothing: Port made that for a
// relation, and it is not stale.
func (r *run) tellNeeded(ctx context.Context, kept []catalog.Ref, by map[catalog.Ref]relation) {
	kept = slices.DeleteFunc(slices.Clone(kept), func(ref catalog.Ref) bool { return !r.job.Bound.Produces(ref.Blueprint) })
	stubs := r.stubs(ctx, kept)
	first := map[string]bool{} // messages
	for _, ref := range kept {
		if stubs[ref] {
			continue
		}
		rel, _ := relationTo(by, ref)
		r.report.Blueprint(ref.Blueprint).StaleKept++
		p := diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("stale entities of blueprint %q are not deleted: entities of blueprint %q relate to them by relation %q", ref.Blueprint, rel.blueprint, rel.name),
			Fix:      "they go when nothing relates to them any more: map the relation to what the workspace still has, or leave out what relates to them",
		}
		if !first[p.Message] {
			first[p.Message] = true
			p.Example = ref.String() + r.relating(ctx, rel, ref.Identifier)
		}
		r.report.Note(p)
	}
}

// stubs returns those entities that hold nothing but their identifier, as far as Port says.
func (r *run) stubs(ctx context.Context, refs []catalog.Ref) map[catalog.Ref]bool {
	stubs := map[catalog.Ref]bool{}
	for fields, ref := range r.find(ctx, refs) {
		title, _ := fields.Title.(string)
		r.written(ctx, ref.Blueprint, fields.Properties)
		if (title == "" || title == ref.Identifier) && !holds(fields.Properties) && !holds(fields.Relations) {
			stubs[ref] = true
		}
	}
	return stubs
}

// written leaves of the properties of an entity those that somebody wrote: not what Port
// works out, nor the defaults of the blueprint.
func (r *run) written(ctx context.Context, blueprint string, properties map[string]any) {
	schema, known := r.loader.schemas.of(ctx, blueprint)
	if !known {
		return
	}
	maps.DeleteFunc(properties, func(name string, v any) bool {
		property, writable := schema.Schema.Properties[name]
		fields, _ := property.(map[string]any)
		return !writable || fields["default"] != nil && fmt.Sprint(fields["default"]) == fmt.Sprint(v)
	})
}

// holds reports whether one of the values is neither null nor an empty list.
func holds(values map[string]any) bool {
	for _, v := range values {
		if list, ok := v.([]any); v != nil && !(ok && len(list) == 0) {
			return true
		}
	}
	return false
}

// findAtOnce is how many entities are asked for by name in one request to Port.
const findAtOnce = 100

// find yields what Port holds of entities, which are sorted by blueprint. It passes over
// errors: what cannot be read is left out.
func (r *run) find(ctx context.Context, refs []catalog.Ref) iter.Seq2[catalog.Fields, catalog.Ref] {
	return func(yield func(catalog.Fields, catalog.Ref) bool) {
		for len(refs) > 0 {
			n := 1
			for n < min(len(refs), findAtOnce) && refs[n].Blueprint == refs[0].Blueprint {
				n++
			}
			identifiers := make([]string, n)
			for i, ref := range refs[:n] {
				identifiers[i] = ref.Identifier
			}
			for fields, err := range r.job.Port.Find(ctx, refs[0].Blueprint, identifiers) {
				if err != nil {
					break
				}
				id, _ := fields.Identifier.(string)
				if !yield(fields, catalog.Ref{Blueprint: refs[0].Blueprint, Identifier: id}) {
					return
				}
			}
			refs = refs[n:]
		}
	}
}

// relating names an entity that relates to another one; empty when none can be read.
func (r *run) relating(ctx context.Context, rel relation, to string) string {
	for fields, err := range r.job.Port.Relating(ctx, rel.blueprint, rel.name, []string{to}) {
		if err != nil {
			break
		}
		id, _ := fields.Identifier.(string)
		return fmt.Sprintf(", to which %s relates", catalog.Ref{Blueprint: rel.blueprint, Identifier: id})
	}
	return ""
}
