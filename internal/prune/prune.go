// Package prune deletes from Port what the workspace no longer has: an inventory and Port's
// list become deletions.
//
// # What memory proves
//
// A list that comes from memory proves what was there when it was read, and never that
// something is absent now. So it keeps entities, and deletes none: what it names counts as
// produced, and whatever else its repository may have given stays. An entity goes only when
// each repository that can have produced it was asked in this run. The list of repositories
// always is, so that what a repository that is gone has left behind goes too.
//
// One thing alone that is older than the run has a say in a deletion: that a repository was
// known by its present name when its list was read, and that Port therefore holds nothing of
// it under an earlier one. It is as old as that list. A list that is older than max_age is not
// taken; its repository was not asked for then, and holds back what it may have produced under
// any name. So no entity is deleted on knowledge that is older than max_age.
package prune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/report"
)

// Run deletes from Port what is stale. After a failure it deletes nothing, and reports what
// it would have looked at. When the context has ended, or deletion is never wanted, it makes
// no request.
func Run(ctx context.Context, c Config) {
	if ctx.Err() != nil {
		return
	}
	if c.Deletion == reconcile.Never {
		c.note(diag.Problem{Severity: diag.Notice, Message: `stale entities were not looked for: the input deletion is "never"`})
		return
	}
	if c.Reconciling != nil {
		c.Reconciling()
	}
	p := newPass(c)
	listed, err := p.list(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.noteUnlisted(err)
		}
		return
	}
	p.checkEmpty(listed)
	verdict, needed := p.decide(ctx, listed)
	p.reportBlocked(verdict.Blocked)
	p.reportNeeded(ctx, verdict.Needed, needed)
	left := newUnmapped(p, verdict)
	left.report()
	left.reportNeeded(ctx, verdict.Needed)
	p.delete(ctx, verdict.Delete, cascade{p}.allowed(ctx, verdict))
}

// decide decides what is deleted. It returns also why produced entities need others.
func (p *pass) decide(ctx context.Context, listed listing) (reconcile.Verdict, needs) {
	m := p.Bound.Mapping
	var needed needs
	if m.CreateMissingRelatedEntities && len(listed.others) > 0 {
		needed = p.needed(ctx)
	}
	incomplete := slices.ContainsFunc(p.resources, func(of *resource) bool { return !of.seen.Complete() })
	failure := p.Failure()
	p.Report.Settled = failure == nil && !p.searched && len(p.Bound.Idle) == 0 && len(listed.others) == 0 && !incomplete
	run := reconcile.Run{
		Resources: p.gaps(ctx, listed),
		Listed:    listed.others,
		Owned:     p.owned(listed),
		Produced:  p.Inventory.Entities.Produced,
		Needed:    needed.has,
		Threshold: 1,
		Halt:      p.halt(failure),
	}
	// What could go is looked at first without the bounds on how much may: the reason of a
	// rename says more than that it is much.
	if doomed := reconcile.Decide(run).Delete; len(doomed) > 0 {
		p.Again(doomed)
		newOrigins(p, listed.others).askWithout(ctx, doomed)
		run.Resources = p.gaps(ctx, listed)
		run.Halt = p.halt(failure) // the time limit may have been reached
		run.Guards = renames{p, listed}.guards(ctx, reconcile.Decide(run).Delete)
	}
	run.Halt = p.halt(failure) // what the run has kept may have been lost
	run.Guards = unlisted{p}.guards(run.Guards)
	run.Threshold, run.MaxDeletions, run.Deletion = m.EntityDeletionThreshold, p.MaxDeletions, p.Deletion
	run.Stays = p.Report.NoteKept
	return reconcile.Decide(run), needed
}

// halt returns why nothing at all may be deleted after a failure, or without one; zero when
// something may.
func (p *pass) halt(failure error) reconcile.Guard {
	switch {
	case failure != nil:
		return reconcile.Guard{Why: "the run failed: " + failure.Error()}
	case p.Report.Has(report.TimeLimit):
		return reconcile.Guard{Why: TimeLimit}
	}
	if err := p.lost(); err != nil {
		return p.unreadable(err)
	}
	return p.standIn()
}

// reportBlocked counts and reports the stale entities that stay, by the reason.
func (p *pass) reportBlocked(blocked []reconcile.Blocked) {
	for _, h := range blocked {
		b := p.Report.Blueprint(h.Blueprint)
		b.StaleKept += h.Count
		b.HeldBy = cmp.Or(b.HeldBy, h.Guard.Why)
		p.note(diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("%d stale entities of blueprint %q are not deleted: %s", h.Count, h.Blueprint, h.Guard.Why),
			Fix:      h.Guard.Fix,
		})
	}
}

// noteUnlisted reports why nothing is deleted. A credential that may not list is a choice
// of whoever gave it, and not a failure.
func (p *pass) noteUnlisted(err error) {
	problem := diag.Problem{Severity: diag.Error, Message: "what Port owns could not be listed: nothing is deleted", Example: err.Error(), Fix: cmp.Or(port.Fix(err), "run again")}
	var e *port.Error
	if errors.As(err, &e) && e.Status == http.StatusForbidden {
		problem.Severity, problem.Fix = diag.Warning, "give Port's credential the role admin, or delete stale entities in Port"
	} else {
		p.Report.Mark(report.Undelivered)
	}
	p.note(problem)
}
