package prune

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/report"
)

// standIn says why a run in which something stands in for what is not known deletes nothing:
// what is stale by another mapping, or for a credential that sees less, may be there. It is zero
// for any other run.
func (p *pass) standIn() reconcile.Guard {
	if p.StandIn {
		return reconcile.Guard{
			Why: "the built-in default mapping ran instead of one that is not known: none is given, and Port stores none",
			Fix: "give the mapping that made them as the input mapping or mapping_file; where the default one is meant, give examples/default-mapping.yml",
		}
	}
	if name := p.Displaced(); name != "" {
		return reconcile.Guard{
			Why: "Bitbucket refused the credential that says what there is, and others, which may see less, have read in its place: " + name,
			Fix: "give it the scopes that it lacks, or replace it; or take it out of the inputs: then the next kind of credential says what there is",
		}
	}
	return reconcile.Guard{}
}

// lost returns why something that the run has read or produced could not be read again; nil
// while all could be.
func (p *pass) lost() error { return cmp.Or(p.Inventory.Err(), p.lostSource) }

// unreadable says why a run that cannot read again what it has kept deletes nothing.
func (p *pass) unreadable(err error) reconcile.Guard {
	p.Report.Mark(report.Undelivered)
	return reconcile.Guard{
		Why: "what this run has kept in a temporary file could not be read again: " + err.Error(),
		Fix: "run again; where something empties the folder for temporary files meanwhile, let TMPDIR name another folder",
	}
}

// checkEmpty looks at lists of Bitbucket that were empty. An empty answer where
// Port owns entities is more likely a fault than the truth.
func (p *pass) checkEmpty(listed listing) {
	for _, of := range p.resources {
		if !of.report.Listed || of.seen.Tasks > 0 || of.seen.Gap.Why != "" {
			continue
		}
		names, any := of.Blueprints()
		owned := 0
		for blueprint, n := range listed.counts {
			if any || slices.Contains(names, blueprint) {
				owned += n
			}
		}
		switch {
		case of.Bound.Narrowed && owned <= maxEmptied && p.Selector(of.Index) == SelectorSame:
			// read to its end, and empty
		case of.Bound.Narrowed:
			keys := cmp.Or(of.Bound.Narrowing, "userRole and repoQuery")
			of.seen.MissSource(inventory.Gap{
				Why: "Bitbucket's list for " + of.Where().String() + " was empty under its " + keys,
				Fix: "check " + keys + "; if nothing is left indeed, delete the entities in Port",
			})
		case owned > 0:
			of.seen.Miss("Bitbucket's list for " + of.Where().String() + " was empty")
			of.report.Listed, of.report.Complete = false, false
			p.Report.Mark(report.Unread)
			p.note(diag.Problem{
				Severity: diag.Error,
				Message:  fmt.Sprintf("%s: Bitbucket's list was empty, while Port holds %d entities of it", of.Where(), owned),
				Fix:      "check the workspace and what the credential may see; if everything is gone indeed, delete the entities in Port",
			})
		}
	}
}

// gaps are what each resource can produce, and why it may be incomplete. An entry
// of which Port holds nothing after the load is a gap too: a mistake in an identifier
// must not delete what it used to produce. It is none where there was nothing to map.
func (p *pass) gaps(ctx context.Context, listed listing) []reconcile.Resource {
	var all []reconcile.Resource
	origins := newOrigins(p, listed.others)
	for _, of := range p.resources {
		_, any := of.Blueprints()
		gap := cmp.Or(reconcile.Guard{Why: of.seen.Gap.Why, Fix: of.seen.Gap.Fix}, reconcile.Guard{Why: of.seen.Unnamed})
		res := reconcile.Resource{Blueprints: of.report.Blueprints, Any: any, Gap: gap}
		// By name, so that the reason that is named first does not depend on how the parts of
		// a run were merged.
		var gaps []*inventory.Gap
		for i := range of.seen.Partial {
			gaps = append(gaps, &of.seen.Partial[i])
		}
		slices.SortFunc(gaps, func(a, b *inventory.Gap) int {
			return cmp.Or(cmp.Compare(a.Source.Name, b.Source.Name), cmp.Compare(a.Source.Key, b.Source.Key))
		})
		for _, g := range gaps {
			res.Partial = append(res.Partial, reconcile.Partial{Guard: reconcile.Guard{Why: g.Why, Fix: g.Fix}, May: func(ref catalog.Ref) bool { return origins.may(ctx, of, g.Source, ref) }})
		}
		for _, m := range []*many{leftOut(of), fromMemory(of)} {
			if len(m.keys) > 0 {
				res.Partial = append(res.Partial, reconcile.Partial{Guard: m.guard, May: func(ref catalog.Ref) bool { return origins.mayAny(ctx, of, m, ref) }})
			}
		}
		all = append(all, res)
		for _, e := range of.Entries {
			if gap := p.unshown(of, e, listed); gap.Why != "" {
				all = append(all, reconcile.Resource{Blueprints: []string{e.Blueprint}, Any: e.Dynamic, Gap: gap})
			}
		}
	}
	return all
}

// askWithout asks sources once more that answered that they have nothing of a resource, where
// doomed entities may be theirs: an answer by a fault deletes nothing, unless it comes twice.
func (o *origins) askWithout(ctx context.Context, doomed []catalog.Ref) {
	p := o.pass
	for _, of := range p.resources {
		if of.seen.Gap.Why != "" {
			continue // nothing of it is deleted in any case
		}
		for _, w := range of.seen.Without {
			if !slices.ContainsFunc(doomed, func(ref catalog.Ref) bool { return o.may(ctx, of, w.Source, ref) }) {
				continue
			}
			if err := w.Again(ctx); err != nil {
				of.report.Complete = false
				p.Report.Mark(report.Unread)
				const fix = "run again: the next run reads it"
				why := fmt.Sprintf("%s: repository %q %s, and asked once more: %v", of.Where(), w.Source.Name, w.Why, err)
				of.seen.MissSource(inventory.Gap{Source: w.Source, Why: why, Fix: fix})
				p.note(diag.Problem{Severity: diag.Error, Message: why, Fix: fix})
			}
		}
	}
}

// maxEmptied is how many entities of a resource that finds nothing any more may go, when
// it is not known whether earlier runs had its selector: when more would go, a mistake in
// the selector is more likely.
const maxEmptied = 10

// unshown says why the run does not show that an entry still finds what it used to
// produce; zero when Port holds something of it, or there was nothing to map. A selector
// that is new, and finds nothing, may be a mistake.
func (p *pass) unshown(of *resource, e *check.Entry, listed listing) reconcile.Guard {
	if of.seen.Held[e.Number] > 0 {
		return reconcile.Guard{}
	}
	if of.seen.Listed && (of.seen.Tasks > 0 || of.Bound.Narrowed) && of.seen.Extracted == 0 {
		held := listed.count
		if !e.Dynamic {
			held = listed.counts[e.Blueprint]
		}
		history := p.Selector(of.Index)
		if !(of.Bound.Selective || of.ItemsToParse != nil) || history == SelectorSame || history == SelectorUnknown && held <= maxEmptied {
			return reconcile.Guard{} // read to its end, and empty
		}
		return reconcile.Guard{
			Why: of.Where().String() + " finds nothing, and earlier runs are not known to have had its selector",
			Fix: "check the selector; if it is right, delete these entities in Port",
		}
	}
	gap := "Port holds no entity that " + of.Where().String() + " gave in this run"
	if len(of.Entries) > 1 {
		gap += " by the entry at " + e.Source.Pos.String()
	}
	return reconcile.Guard{Why: gap, Fix: "check the selector and the identifier: the counts of the resource say what became of its objects"}
}
