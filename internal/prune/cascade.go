package prune

import (
	"context"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/reconcile"
)

// cascade decides whether what relates to stale entities may be deleted along with them.
type cascade struct{ *pass }

// allowed reports whether dependants may be deleted along with stale entities, and notes
// it when the mapping wants that and what this run produced forbids it.
func (c cascade) allowed(ctx context.Context, verdict reconcile.Verdict) bool {
	if len(verdict.Delete) == 0 || !c.Bound.Mapping.DeleteDependentEntities || verdict.Closed || c.Report.Total().Rejected > 0 {
		return false
	}
	if len(c.Bound.Idle) == 0 && c.mayCascade(ctx) {
		return true
	}
	if c.lost() != nil {
		return false // and nothing is deleted at all
	}
	why, fix := "what this run produced could be deleted along with a stale entity", "look which entities that the mapping produces relate to others that it does not"
	if len(c.Bound.Idle) > 0 {
		why, fix = "what resources produce that do not run could be deleted along with a stale entity", "run without the input kinds"
	}
	c.note(diag.Problem{Severity: diag.Notice, Message: "deleteDependentEntities is not applied in this run: " + why, Fix: fix})
	return false
}

// mayCascade reports whether entities may be deleted with what relates to them, and
// what relates to those. It may not be when that could be an entity which this run
// produced: one that relates to anything but produced entities, as the run has set
// it or as Port held it, or by a search.
func (c cascade) mayCascade(ctx context.Context) bool {
	for _, b := range c.Report.Blueprints {
		if b.Created+b.Updated+b.Unchanged == 0 {
			continue
		}
		schema, ok := c.Schemas.Of(ctx, b.Identifier)
		if !ok || c.Inventory.Adopted[b.Identifier] {
			return false
		}
		kept := map[string]string{} // relations that entities may still have, and their targets' blueprints
		for name, rel := range schema.Relations {
			searched, left := c.Bound.SetBy(b.Identifier, name)
			if searched || !c.Inventory.AllProduced(inventory.Relation{Blueprint: b.Identifier, Name: name}, rel.Target) {
				return false
			}
			if left {
				kept[name] = rel.Target
			}
		}
		if len(kept) > 0 && !c.stillProduced(b.Identifier, kept) {
			return false
		}
	}
	return true
}

// stillProduced reports whether the run produced all that its entities of a blueprint may
// still relate to by some relations, which have the blueprints of their targets: what they
// related to when the run began. An entry that maps the relation may have left it out, since
// content was not parsed.
func (c cascade) stillProduced(blueprint string, relations map[string]string) bool {
	stored, known := c.Inventory.Stored[blueprint]
	if !known {
		return false
	}
	entities := c.Inventory.Entities
	for e, err := range stored.Edges.All() {
		if err != nil {
			return false
		}
		target, kept := relations[e.Relation]
		if kept && entities.Produced(catalog.Ref{Blueprint: blueprint, Identifier: e.From}) && !entities.Produced(catalog.Ref{Blueprint: target, Identifier: e.To}) {
			return false
		}
	}
	return true
}
