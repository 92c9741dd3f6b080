package resync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/report"
)

// prune deletes what is stale. With a failure it deletes nothing, and tells what
// it would have looked at; when the context has ended, or deletion is never wanted,
// it asks nothing either.
func (r *run) prune(ctx, asking context.Context, failure error) {
	if ctx.Err() != nil {
		return
	}
	if r.job.Deletion == reconcile.Never {
		r.report.Note(diag.Problem{Severity: diag.Notice, Message: `stale entities were not looked for: the input deletion is "never"`})
		return
	}
	if r.job.Watch.Reconciling != nil {
		r.job.Watch.Reconciling()
	}
	r.loader.forget()
	listed, err := r.list(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.noteUnlisted(err)
		}
		return
	}
	r.checkEmpty(listed)
	if failure == nil {
		failure = r.failure(ctx)
	}
	m := r.job.Bound.Mapping
	var needed map[catalog.Ref]relation
	if m.CreateMissingRelatedEntities && len(listed.others) > 0 {
		needed = r.needed(ctx)
	}
	r.report.Settled = failure == nil && !r.searched && len(listed.others) == 0 && !slices.ContainsFunc(r.loads, func(of *loading) bool { return !of.complete() })
	decision := reconcile.Run{
		Resources: r.gaps(ctx, listed),
		Listed:    listed.others,
		Owned:     r.owned(listed),
		Produced:  r.produced,
		Needed: func(ref catalog.Ref) bool {
			_, ok := relationTo(needed, ref)
			return ok
		},
		Threshold: 1,
		Halt:      cmp.Or(r.halt(failure), r.standIn()),
	}
	// What could go is looked at first without the bounds on how much may: of a rename the
	// reason is told, and not that it is much.
	if doomed := reconcile.Decide(decision).Delete; len(doomed) > 0 {
		r.again(asking, doomed)
		decision.Resources = r.gaps(ctx, listed)
		decision.Halt = cmp.Or(r.halt(failure), r.standIn()) // the time limit may have been reached
		decision.Guards = r.renamed(ctx, listed, reconcile.Decide(decision).Delete)
	}
	decision.Threshold, decision.MaxDeletions, decision.Deletion = m.EntityDeletionThreshold, r.job.MaxDeletions, r.job.Deletion
	verdict := reconcile.Decide(decision)
	r.tellHeld(verdict.Blocked)
	r.tellNeeded(ctx, verdict.Needed, needed)
	r.delete(ctx, verdict.Delete, r.cascade(ctx, verdict))
}

// cascade reports whether dependants may be deleted along with stale entities, and notes
// it when the mapping wants that and what this run produced forbids it.
func (r *run) cascade(ctx context.Context, verdict reconcile.Verdict) bool {
	if len(verdict.Delete) == 0 || !r.job.Bound.Mapping.DeleteDependentEntities || verdict.Closed || r.report.Total().Rejected > 0 {
		return false
	}
	if r.mayCascade(ctx) {
		return true
	}
	r.report.Note(diag.Problem{
		Severity: diag.Notice,
		Message:  "deleteDependentEntities is not applied in this run: what this run produced could be deleted along with a stale entity",
		Fix:      "look which entities that the mapping produces relate to others that it does not",
	})
	return false
}

// tellHeld counts and reports the stale entities that stay, by the reason.
func (r *run) tellHeld(held []reconcile.Blocked) {
	for _, h := range held {
		b := r.report.Blueprint(h.Blueprint)
		b.StaleKept += h.Count
		b.HeldBy = cmp.Or(b.HeldBy, h.Guard)
		r.report.Note(diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("%d stale entities of blueprint %q are not deleted: %s", h.Count, h.Blueprint, h.Guard),
			Fix:      r.fixes[h.Guard],
		})
	}
}

// noteUnlisted tells why nothing is deleted. Where the credential may not list, that
// is how it is meant to be, and no failure.
func (r *run) noteUnlisted(err error) {
	p := diag.Problem{Severity: diag.Error, Message: "what Port owns could not be listed: nothing is deleted", Example: err.Error(), Fix: cmp.Or(port.Fix(err), "run again")}
	var e *port.Error
	if errors.As(err, &e) && e.Status == http.StatusForbidden {
		p.Severity, p.Fix = diag.Warning, "give Port's credential the role admin, or delete stale entities in Port"
	} else {
		r.report.Mark(report.Undelivered)
	}
	r.report.Note(p)
}

// mayCascade says whether entities may be deleted with what relates to them, and
// what relates to those. It may not be when that could be an entity which this run
// produced: one that relates to anything but produced entities, as the run has set
// it or as Port held it, or by a search.
func (r *run) mayCascade(ctx context.Context) bool {
	for _, b := range r.report.Blueprints {
		if b.Created+b.Updated+b.Unchanged == 0 {
			continue
		}
		schema, ok := r.loader.schemas.of(ctx, b.Identifier)
		if !ok || r.loader.adopted[b.Identifier] {
			return false
		}
		held := r.loader.held[b.Identifier]
		for name, rel := range schema.Relations {
			searched, left := r.job.Bound.SetBy(b.Identifier, name)
			if searched || !r.allProduced(rel.Target, r.loader.targets[relation{b.Identifier, name}]) ||
				left && (held == nil || !r.allProduced(rel.Target, r.stillRelated(b.Identifier, name, held))) {
				return false
			}
		}
	}
	return true
}

// stillRelated are what produced entities of a blueprint related to when the run began.
func (r *run) stillRelated(blueprint, relation string, h *held) map[string]bool {
	all := map[string]bool{}
	for _, e := range h.edges {
		if e.relation == relation && r.produced(catalog.Ref{Blueprint: blueprint, Identifier: e.from}) {
			all[e.to] = true
		}
	}
	return all
}

func (r *run) allProduced(blueprint string, identifiers map[string]bool) bool {
	for id := range identifiers {
		if !r.produced(catalog.Ref{Blueprint: blueprint, Identifier: id}) {
			return false
		}
	}
	return true
}

// listing is what Port lists as ours and untouched since the run began. Of what
// the run produced only the number is kept: it may be very much.
type listing struct {
	others []catalog.Ref // not produced
	count  int
	counts map[string]int // by blueprint
}

func (r *run) list(ctx context.Context) (listing, error) {
	l := listing{counts: map[string]int{}}
	seen := map[catalog.Ref]bool{}
	for ref, err := range r.old(ctx) {
		if err != nil {
			return listing{}, err
		}
		switch s := r.loader.states[ref]; {
		case s != nil && (s.listed || s.written) || seen[ref]: // a page may repeat what an earlier one had; a plan writes nothing
			continue
		case s != nil:
			s.listed = true
		default:
			seen[ref] = true
			l.others = append(l.others, ref)
		}
		l.count++
		l.counts[ref.Blueprint]++
	}
	return l, nil
}

// old yields what Port lists as ours and untouched since the run began. Where it
// has no list of a whole data source any more, the blueprints of the mapping are
// searched: then those that no resource names any more are left alone.
func (r *run) old(ctx context.Context) iter.Seq2[catalog.Ref, error] {
	return func(yield func(catalog.Ref, error) bool) {
		begun := false // the list is there
		for ref, err := range r.job.Port.Owned(ctx, r.job.Start) {
			var e *port.Error
			if !begun && errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusGone) {
				r.searchOld(ctx, yield)
				return
			}
			begun = true
			if !yield(ref, err) || err != nil {
				return
			}
		}
	}
}

func (r *run) searchOld(ctx context.Context, yield func(catalog.Ref, error) bool) {
	r.searched = true
	r.report.Note(diag.Problem{Severity: diag.Notice, Message: "Port does not list a whole data source any more: the blueprints of the mapping were searched"})
	for _, blueprint := range slices.Sorted(maps.Keys(r.loader.held)) {
		for ref, err := range r.job.Port.HeldBefore(ctx, blueprint, r.job.Start) {
			if errors.Is(err, port.ErrNotFound) {
				break
			}
			if !yield(ref, err) || err != nil {
				return
			}
		}
	}
}

// owned is how many entities are ours in all: those that are listed, and those
// that Port holds of this run.
func (r *run) owned(l listing) int {
	n := l.count
	for _, s := range r.loader.states {
		if s.counted != nil && !s.listed {
			n++
		}
	}
	return n
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

// standIn says why a plan that stands in for one that is not known deletes nothing: what
// is stale by it may be what the other plan makes. It is empty for any other plan.
func (r *run) standIn() string {
	if !r.job.StandIn {
		return ""
	}
	const guard = "the built-in default mapping ran in the place of one that is not known: none is given, and Port stores none"
	r.fixes[guard] = "give the mapping that made them as the input mapping or mapping_file; where the default one is meant, give examples/default-mapping.yml"
	return guard
}

// checkEmpty looks at lists of Bitbucket that were empty. An empty answer where
// Port owns entities is more likely a fault than the truth.
func (r *run) checkEmpty(listed listing) {
	for _, of := range r.loads {
		if !of.report.Listed || of.tasks > 0 || of.gap != "" {
			continue
		}
		names, any := of.resource.Blueprints()
		owned := 0
		for blueprint, n := range listed.counts {
			if any || slices.Contains(names, blueprint) {
				owned += n
			}
		}
		switch {
		case of.resource.Bound.Narrowed && owned <= maxEmptied && r.job.selectorHistory(of.resource.Index) == SelectorSame:
			// read to its end, and empty
		case of.resource.Bound.Narrowed:
			gap := "Bitbucket's list for " + of.resource.Where() + " was empty under its repoQuery or userRole"
			r.fixes[gap] = "check repoQuery and userRole; if nothing is left indeed, delete the entities in Port"
			r.gap(of, gap)
		case owned > 0:
			r.gap(of, "Bitbucket's list for "+of.resource.Where()+" was empty")
			of.report.Listed, of.report.Complete = false, false
			r.report.Mark(report.Unread)
			r.report.Note(diag.Problem{
				Severity: diag.Error,
				Message:  fmt.Sprintf("%s: Bitbucket's list was empty, while Port holds %d entities of it", of.resource.Where(), owned),
				Fix:      "check the workspace and what the credential may see; if everything is gone indeed, delete the entities in Port",
			})
		}
	}
}

// gaps are what each resource can produce, and why it may be incomplete. An entry
// of which Port holds nothing after the load is a gap too: a mistake in an identifier
// must not delete what it used to produce. It is none where there was nothing to map.
func (r *run) gaps(ctx context.Context, listed listing) []reconcile.Resource {
	var all []reconcile.Resource
	origins := newOrigins(r, listed.others)
	for _, of := range r.loads {
		_, any := of.resource.Blueprints()
		res := reconcile.Resource{Blueprints: of.report.Blueprints, Any: any, Gap: cmp.Or(of.gap, of.unnamed)}
		for _, g := range of.partial {
			r.fixes[g.why] = g.fix
			res.Partial = append(res.Partial, reconcile.Partial{Why: g.why, May: func(ref catalog.Ref) bool { return origins.may(ctx, of, g.source, ref) }})
		}
		all = append(all, res)
		for _, e := range of.resource.Entries {
			gap := r.unshown(of, e, listed)
			if gap != "" {
				all = append(all, reconcile.Resource{Blueprints: []string{e.Blueprint}, Any: e.Dynamic, Gap: gap})
			}
		}
	}
	return all
}

// maxEmptied is how many entities of a resource that finds nothing any more may go, when
// it is not known whether earlier runs had its selector: when more would go, a mistake in
// the selector is more likely.
const maxEmptied = 10

// unshown says why the run does not show that an entry still finds what it used to
// produce; empty when Port holds something of it, or there was nothing to map. A selector
// that is new, and finds nothing, may be a mistake.
func (r *run) unshown(of *loading, e *check.Entry, listed listing) string {
	if of.stored[e] > 0 {
		return ""
	}
	if of.listed && (of.tasks > 0 || of.resource.Bound.Narrowed) && of.report.Extracted == 0 {
		held := listed.count
		if !e.Dynamic {
			held = listed.counts[e.Blueprint]
		}
		history := r.job.selectorHistory(of.resource.Index)
		if !(of.resource.Bound.Selective || of.resource.ItemsToParse != nil) || history == SelectorSame || history == SelectorUnknown && held <= maxEmptied {
			return "" // read to its end, and empty
		}
		gap := of.resource.Where() + " finds nothing, and earlier runs are not known to have had its selector"
		r.fixes[gap] = "check the selector; if it is right, delete these entities in Port"
		return gap
	}
	gap := "Port holds no entity that " + of.resource.Where() + " gave in this run"
	if len(of.resource.Entries) > 1 {
		gap += " by the entry at " + e.Source.Pos.String()
	}
	r.fixes[gap] = "check the selector and the identifier: the counts of the resource say what became of its objects"
	return gap
}
