package resync

import (
	"context"
	"fmt"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/report"
)

// prune deletes what is stale. With a failure it deletes nothing, and asks
// nothing.
func (r *run) prune(ctx context.Context, failure error) {
	if ctx.Err() != nil {
		return
	}
	listed, err := r.listed(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.report.Mark(report.Undelivered)
			r.report.Note(report.Problem{Severity: report.Error, Message: "what Port owns could not be listed: nothing is deleted", Example: err.Error(), Fix: "run again"})
		}
		return
	}
	r.checkEmpty(listed)
	if failure == nil {
		failure = r.failure(ctx)
	}
	schemas := &schemas{ctx: ctx, client: r.job.Port, known: map[string]*port.Blueprint{}}
	m := r.job.Plan.mapping
	var needed map[catalog.Ref]bool
	if (m.CreateMissingRelatedEntities || m.DeleteDependentEntities) && slices.ContainsFunc(listed, func(ref catalog.Ref) bool { return !r.produced(ref) }) {
		needed = r.needed(schemas)
	}
	total := r.report.Total()
	verdict := reconcile.Decide(reconcile.Run{
		Resources: r.gaps(),
		Listed:    listed,
		Owned:     len(listed) + total.Created + total.Updated,
		Produced:  r.produced,
		Needed: func(ref catalog.Ref) bool {
			return needed[ref] || needed[catalog.Ref{Identifier: ref.Identifier}]
		},
		Threshold: m.EntityDeletionThreshold,
		Halt:      r.halt(failure),
	})
	for _, h := range verdict.Held {
		b := r.report.Blueprint(h.Blueprint)
		b.StaleKept += h.Count
		b.HeldBy = h.Guard
		r.report.Note(report.Problem{
			Severity: report.Warning,
			Message:  fmt.Sprintf("%d stale entities of blueprint %q are not deleted: %s", h.Count, h.Blueprint, h.Guard),
		})
	}
	r.delete(ctx, verdict.Delete, m.DeleteDependentEntities && !verdict.Closed, schemas)
}

func (r *run) listed(ctx context.Context) ([]catalog.Ref, error) {
	var listed []catalog.Ref
	for ref, err := range r.job.Port.Owned(ctx, r.job.Port.Start()) {
		if err != nil {
			return nil, err
		}
		listed = append(listed, ref)
	}
	return listed, nil
}

func (r *run) produced(ref catalog.Ref) bool { return r.loader.states[ref] != nil }

func (r *run) halt(failure error) string {
	switch {
	case failure != nil:
		return "the run failed: " + failure.Error()
	case r.report.Has(report.TimeLimit):
		return errTimeLimit.Error()
	}
	return ""
}

// checkEmpty looks at lists of Bitbucket that were empty. An empty answer where
// Port owns entities is more likely a fault than the truth.
func (r *run) checkEmpty(listed []catalog.Ref) {
	for _, of := range r.loads {
		if !of.report.Listed || of.tasks > 0 || of.gap != "" {
			continue
		}
		names, any := of.resource.blueprints()
		owned := 0
		for _, ref := range listed {
			if any || slices.Contains(names, ref.Blueprint) {
				owned++
			}
		}
		switch {
		case of.resource.bound.Narrowed:
			r.gap(of, "Bitbucket's list for "+of.resource.Where()+" was empty under its repoQuery or userRole")
		case owned > 0:
			r.gap(of, "Bitbucket's list for "+of.resource.Where()+" was empty")
			of.report.Listed, of.report.Complete = false, false
			r.report.Mark(report.Unread)
			r.report.Note(report.Problem{
				Severity: report.Error,
				Message:  fmt.Sprintf("%s: Bitbucket's list was empty, while Port holds %d entities of it", of.resource.Where(), owned),
				Fix:      "check the workspace and what the credential may see; if everything is gone indeed, delete the entities in Port",
			})
		}
	}
}

// gaps are what each resource can produce, and why it may be incomplete. A
// resource of which Port holds nothing after the load is a gap too: a mistake in
// an identifier must not delete what it used to produce.
func (r *run) gaps() []reconcile.Resource {
	var all []reconcile.Resource
	for _, of := range r.loads {
		_, any := of.resource.blueprints()
		gap := of.gap
		if gap == "" && of.stored == 0 {
			gap = "Port holds no entity that " + of.resource.Where() + " gave in this run"
		}
		all = append(all, reconcile.Resource{Blueprints: of.report.Blueprints, Any: any, Gap: gap})
	}
	return all
}

// needed are the entities that a produced one relates to. Where the blueprint of
// the target is not known, it is left empty, and stands for any.
func (r *run) needed(s *schemas) map[catalog.Ref]bool {
	needed := map[catalog.Ref]bool{}
	for relation, identifiers := range r.loader.targets {
		target := s.of(relation.blueprint).Relations[relation.name].Target
		for identifier := range identifiers {
			needed[catalog.Ref{Blueprint: target, Identifier: identifier}] = true
		}
	}
	return needed
}

// schemas reads blueprints as they are asked for; one that cannot be read is empty.
type schemas struct {
	ctx    context.Context
	client *port.Client
	known  map[string]*port.Blueprint
}

func (s *schemas) of(blueprint string) *port.Blueprint {
	if b := s.known[blueprint]; b != nil {
		return b
	}
	b, err := s.client.Blueprint(s.ctx, blueprint)
	if err != nil {
		b = port.Blueprint{Identifier: blueprint}
	}
	s.known[blueprint] = &b
	return &b
}

// delete deletes the entities, dependants first.
func (r *run) delete(ctx context.Context, refs []catalog.Ref, dependants bool, s *schemas) {
	stale := map[string][]string{}
	var blueprints []string
	for _, ref := range refs {
		if stale[ref.Blueprint] == nil {
			blueprints = append(blueprints, ref.Blueprint)
		}
		stale[ref.Blueprint] = append(stale[ref.Blueprint], ref.Identifier)
	}
	if len(blueprints) > 1 {
		blueprints = reconcile.Order(blueprints, func(from, to string) bool {
			for _, relation := range s.of(from).Relations {
				if relation.Target == to {
					return true
				}
			}
			return false
		})
	}
	for before, left := len(refs)+1, len(refs); left > 0 && left < before && ctx.Err() == nil; {
		before, left = left, 0
		for _, b := range blueprints {
			stale[b] = r.deleteOf(ctx, b, stale[b], dependants)
			left += len(stale[b])
		}
	}
	for _, b := range blueprints {
		for _, id := range stale[b] {
			r.report.Blueprint(b).StaleKept++
			r.report.Note(report.Problem{
				Severity: report.Warning,
				Message:  fmt.Sprintf("stale entities of blueprint %q are not deleted: Port refused, since other entities relate to them", b),
				Fix:      "delete those first, or set deleteDependentEntities: true in the mapping",
				Example:  id,
			})
		}
	}
}

// deleteOf deletes entities of one blueprint, and returns those that Port refused
// for their dependants.
func (r *run) deleteOf(ctx context.Context, blueprint string, identifiers []string, dependants bool) (refused []string) {
	out := r.report.Blueprint(blueprint)
	for part := range slices.Chunk(identifiers, port.MaxDelete) {
		for _, d := range r.job.Port.Delete(ctx, blueprint, part, dependants) {
			switch {
			case d.HasDependants:
				refused = append(refused, d.Identifier)
			case d.Err != nil:
				out.StaleKept++
				r.report.Mark(report.Undelivered)
				r.report.Note(report.Problem{
					Severity: report.Error,
					Message:  fmt.Sprintf("stale entities of blueprint %q could not be deleted: %s", blueprint, general(d.Err, d.Identifier)),
					Fix:      "run again",
					Example:  d.Identifier,
				})
			case !d.Gone:
				out.Deleted++
			}
		}
	}
	return refused
}
