package prune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/refusal"
	"port-bitbucket-exporter/internal/report"
)

// delete deletes stale entities, each after those that relate to it, and reports which
// ones stay; with cascade, other dependants go along with them. Where not all relations
// are known, what Port refuses for its dependants is tried again while others go: the
// dependants may have been among those.
func (p *pass) delete(ctx context.Context, stale []catalog.Ref, cascade bool) {
	if len(stale) == 0 {
		return
	}
	limits := reconcile.Limits{Most: port.MaxDelete, Cascade: cascade}
	relations, all := p.related(ctx, stale)
	if err := p.lost(); err != nil {
		guard := p.unreadable(err)
		for _, ref := range stale {
			p.Report.NoteKept(ref, guard.Why)
		}
		p.reportBlocked(reconcile.BlockAll(stale, guard))
		return
	}
	for {
		d := deletion{pass: p, cascade: cascade, order: reconcile.NewDeleteOrder(stale, relations, limits), deleted: map[catalog.Ref]bool{}}
		for step, more := d.order.Next(); more; step, more = d.order.Next() {
			d.do(ctx, step.Blueprint, step.Groups)
		}
		left := d.left()
		if all || len(d.deleted) == 0 || len(left) == 0 || ctx.Err() != nil {
			d.end()
			return
		}
		stale = left
		relations = slices.DeleteFunc(relations, func(r reconcile.Relation) bool { return d.deleted[r.From] })
	}
}

// deletion is one round of the deletion of a run.
type deletion struct {
	pass    *pass
	cascade bool
	order   *reconcile.DeleteOrder
	deleted map[catalog.Ref]bool
	refused []refusedDeletion // for dependants
}

type refusedDeletion struct {
	ref catalog.Ref
	err error
}

// left returns the entities that stay for others.
func (d *deletion) left() []catalog.Ref {
	var left []catalog.Ref
	for _, one := range d.refused {
		left = append(left, one.ref)
	}
	for _, k := range d.order.Kept() {
		left = append(left, k.Ref)
	}
	return left
}

// end counts and reports what stays for others.
func (d *deletion) end() {
	for _, one := range d.refused {
		stays(d.pass.Report, one.ref, "Port refused, since other entities relate to it")
		d.pass.note(diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("stale entities of blueprint %q are not deleted: Port refused, since other entities relate to them", one.ref.Blueprint),
			Fix:      d.dependantsFix(),
			Example:  refusal.Example(one.ref, "", one.err) + ": " + refusal.Words(one.err),
		})
	}
	for _, k := range d.order.Kept() {
		d.keep(k)
	}
}

// do deletes groups of entities of one blueprint. Port deletes nothing when it
// refuses one of them: then they are halved, down to that one.
func (d *deletion) do(ctx context.Context, blueprint string, groups [][]string) {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g []string) bool {
		return d.order.Keeps(catalog.Ref{Blueprint: blueprint, Identifier: g[0]})
	})
	if len(groups) == 0 {
		return
	}
	identifiers := slices.Concat(groups...)
	if ctx.Err() != nil {
		d.stopped(ctx, blueprint, identifiers)
		return
	}
	results, refused := d.pass.Store.Delete(ctx, blueprint, identifiers, d.cascade)
	if refused && len(groups) > 1 {
		half := len(groups) / 2
		d.do(ctx, blueprint, groups[:half])
		d.do(ctx, blueprint, groups[half:])
		return
	}
	for _, one := range results {
		if one.Err != nil && ctx.Err() != nil {
			d.stopped(ctx, blueprint, []string{one.Identifier})
			continue
		}
		d.account(catalog.Ref{Blueprint: blueprint, Identifier: one.Identifier}, one)
	}
}

// account counts what became of one entity.
func (d *deletion) account(ref catalog.Ref, result port.DeleteResult) {
	out := d.pass.Report.Blueprint(ref.Blueprint)
	if result.Err == nil { // also when it is gone already: the answer of a first attempt may have been lost
		d.deleted[ref] = true
		out.Deleted++
		d.pass.Report.NoteDeleted(ref)
		return
	}
	d.order.Keep(ref)
	if result.HasDependants {
		d.refused = append(d.refused, refusedDeletion{ref, result.Err})
		return
	}
	stays(d.pass.Report, ref, refusal.Words(result.Err))
	d.pass.Report.Mark(report.Undelivered)
	d.pass.note(diag.Problem{
		Severity: diag.Error,
		Message:  fmt.Sprintf("stale entities of blueprint %q could not be deleted: %s", ref.Blueprint, refusal.Generalize(result.Err, []string{ref.Identifier}, ref.Blueprint)),
		Fix:      deletionFix(result.Err),
		Example:  refusal.Example(ref, "", result.Err),
	})
}

func deletionFix(err error) string {
	var e *port.Error
	if errors.As(err, &e) && e.Status == http.StatusForbidden {
		return "give Port's credential a role that may delete these entities, or delete them in Port"
	}
	return cmp.Or(port.Fix(err), "run again")
}

func (d *deletion) dependantsFix() string {
	if d.pass.Bound.Mapping.DeleteDependentEntities {
		return "delete those first: in this run nothing goes along with them, since it could be what the workspace still has"
	}
	return "delete those first, or set deleteDependentEntities: true in the mapping"
}

// stopped counts what was not requested, or not answered, since the run ended.
func (d *deletion) stopped(ctx context.Context, blueprint string, identifiers []string) {
	for _, id := range identifiers {
		stays(d.pass.Report, catalog.Ref{Blueprint: blueprint, Identifier: id}, context.Cause(ctx).Error())
	}
	d.pass.note(diag.Problem{
		Severity: diag.Warning, Count: len(identifiers),
		Message: fmt.Sprintf("stale entities of blueprint %q are not deleted: %s", blueprint, context.Cause(ctx)),
		Fix:     "run again",
	})
}

// keep reports an entity that was not tried: Port would refuse.
func (d *deletion) keep(k reconcile.Kept) {
	why, fix, example := "other entities relate to them, and stay", d.dependantsFix(), ""
	if !d.pass.Inventory.Entities.Produced(k.By) && slices.ContainsFunc(d.pass.Report.Blueprints, func(b *report.Blueprint) bool {
		return b.Identifier == k.By.Blueprint && b.HeldBy != ""
	}) {
		fix = fmt.Sprintf("they go with those, as soon as nothing holds back the deletion of blueprint %q", k.By.Blueprint)
	}
	switch {
	case len(k.Cycle) > 0:
		why = "they relate to each other in a cycle over blueprints, of which Port deletes one at a time"
		fix = "delete one of the cycle in Port, or set deleteDependentEntities: true in the mapping"
		example = k.Ref.String() + ", in " + refusal.Cycle(k.Cycle)
	case k.Cyclic > 0:
		why = fmt.Sprintf("more than %d of them relate to each other in cycles, and Port deletes so many at a time", port.MaxDelete)
		fix = "delete some of them in Port, or set deleteDependentEntities: true in the mapping"
		example = k.Ref.String()
	case k.By.Identifier == "":
		example = fmt.Sprintf("%s, to which entities of blueprint %q relate", k.Ref, k.By.Blueprint)
	default:
		example = fmt.Sprintf("%s, to which %s relates", k.Ref, k.By)
	}
	stays(d.pass.Report, k.Ref, why)
	d.pass.note(diag.Problem{
		Severity: diag.Warning,
		Message:  fmt.Sprintf("stale entities of blueprint %q are not deleted: %s", k.Ref.Blueprint, why),
		Fix:      fix,
		Example:  example,
	})
}
