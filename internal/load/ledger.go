package load

import (
	"cmp"
	"fmt"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/refusal"
	"port-bitbucket-exporter/internal/report"
)

// ledger accounts for every entity once, in the report and in the inventory.
type ledger struct {
	report    *report.Report
	inventory *inventory.Inventory
	states    map[catalog.Ref]*state
}

// state returns what the run did with an entity, new when it did nothing yet.
func (l *ledger) state(ref catalog.Ref) *state {
	s := l.states[ref]
	if s == nil {
		s = &state{}
		l.states[ref] = s
	}
	return s
}

// release hands the states over to the inventory. Each is dropped at once: there may be very
// many, and their digests are large.
func (l *ledger) release() {
	for ref, s := range l.states {
		l.inventory.Entities.Keep(ref, s.entity())
		l.states[ref] = nil
	}
	l.states = nil
}

// relate remembers what an entity relates to.
func (l *ledger) relate(e catalog.Entity) {
	for _, t := range e.Targets {
		l.inventory.Targets.Add(inventory.Relation{Blueprint: e.Ref.Blueprint, Name: t.Relation}, t.Identifier)
	}
}

// count accounts for an entity that Port holds now. An entity counts once; a further result
// for it is merged.
func (l *ledger) count(p *pending, as outcome) {
	p.of.holds(p.entry)
	s := p.state
	switch {
	case s == nil:
		l.tally(p.of, p.entity.Ref.Blueprint, as, 1)
	case s.counted == nil:
		s.counted, s.as = p.of, as
		l.tally(p.of, p.entity.Ref.Blueprint, as, 1)
	case s.as == unchanged && as != unchanged:
		l.tally(s.counted, p.entity.Ref.Blueprint, unchanged, -1)
		s.counted.Report.Merged++
		s.counted, s.as = p.of, updated
		l.tally(p.of, p.entity.Ref.Blueprint, updated, 1)
	default:
		p.of.Report.Merged++
	}
}

func (l *ledger) tally(of *Resource, blueprint string, as outcome, n int) {
	b := l.report.Blueprint(blueprint)
	switch as {
	case unchanged:
		of.Report.Unchanged += n
		b.Unchanged += n
	case updated:
		of.Report.Updated += n
		b.Updated += n
	case created:
		of.Report.Created += n
		b.Created += n
	}
}

// repeat is for the same result once more, as of a list that gives an object twice.
func (l *ledger) repeat(p *pending) {
	p.of.Report.Merged++
	if p.state.counted != nil {
		p.of.holds(p.entry)
	}
}

// leave counts an entity that need not be written as unchanged, and closes the earlier
// results for it that wait.
func (l *ledger) leave(p *pending, stored catalog.Digest) {
	for i := range p.state.results {
		r := &p.state.results[i]
		if r.digest == stored {
			r.digest = stored // the same text, in memory once
		}
		if a := r.pending; a != nil && a != p {
			a.of.Report.Merged++
			a.of.holds(a.entry)
			a.close()
		}
	}
	p.close()
	l.count(p, unchanged)
}

// rejected counts an entity that Port does not hold as it should.
func (l *ledger) rejected(of *Resource, blueprint string, cause report.Cause) {
	of.Report.Rejected++
	l.report.Mark(cause)
	if blueprint != "" {
		l.report.Blueprint(blueprint).Rejected++
	}
}

// noteTooLarge reports an entity that no request can carry.
func (l *ledger) noteTooLarge(p *pending) {
	at := p.entry.Source.Place()
	for _, f := range p.entry.Source.Properties {
		if f.Name == p.entity.Largest && f.Value.Expr != nil {
			at = f.Value.Expr.Pos
		}
	}
	l.report.Note(diag.Problem{
		Severity: diag.Error, At: at, Where: p.of.Where(),
		Message: fmt.Sprintf("an entity is larger than the 1 MiB that Port takes; its largest property is %q", p.entity.Largest),
		Fix:     fmt.Sprintf("shorten it, such as (… | .[0:100000]), or leave property %q out", p.entity.Largest),
		Example: refusal.Example(p.entity.Ref, p.address, nil),
	})
}

// noteCollision reports two different results of one entry for one entity.
func (l *ledger) noteCollision(p *pending, earlier *result) {
	l.report.Note(diag.Problem{
		Severity: diag.Warning, At: p.entry.Source.Place(), Where: p.of.Where(),
		Message: fmt.Sprintf("different objects give the same identifier of blueprint %q; the last one wins", p.entity.Ref.Blueprint),
		Fix:     "make the identifier unique, such as " + cmp.Or(p.of.UniqueIdentifier(), "with the object's number in it"),
		Example: fmt.Sprintf("%q from %s and from %s", p.entity.Ref.Identifier, earlier.address, p.address),
	})
}

// noteAdopted reports an entity that another data source had written last.
func (l *ledger) noteAdopted(p *pending, ref catalog.Ref) {
	l.report.Note(diag.Problem{
		Severity: diag.Notice, At: p.entry.Source.Place(), Where: p.of.Where(),
		Message: fmt.Sprintf("another integration, tool or person was the last to write an entity of blueprint %q: this run takes it over", ref.Blueprint),
		Fix:     "if this comes again in every run, another integration gives the same entity: leave it to one of them",
		Example: refusal.Example(ref, p.address, nil),
	})
}

// noteSearched reports an entity that Port finds, or relates, by a search query. To compare
// it would take one request for each query: writing 20 entities in one request costs less.
func (l *ledger) noteSearched(p *pending, identifier string) {
	ref := catalog.Ref{Blueprint: p.entity.Ref.Blueprint, Identifier: cmp.Or(p.entity.Ref.Identifier, identifier)}
	l.report.Note(diag.Problem{
		Severity: diag.Notice, At: p.entry.Source.Place(), Where: p.of.Where(),
		Message: "an entity with a search query as identifier, team or relation is written in every run, changed or not",
		Fix:     "where that is too much, map identifiers in place of search queries",
		Example: refusal.Example(ref, p.address, nil),
	})
}

// noteCrowded reports an entity that should wait for a later resource and does not, for
// lack of room: it may be written in every run, and then again by that resource.
func (l *ledger) noteCrowded(p *pending) {
	l.report.Note(diag.Problem{
		Severity: diag.Notice, At: p.entry.Source.Place(), Where: p.of.Where(),
		Message: fmt.Sprintf("more changed entities of blueprint %q should wait for a later resource than there is room for: some are written before it, and may be written in every run", p.entity.Ref.Blueprint),
		Fix:     "give each property in one resource only",
		Example: refusal.Example(p.entity.Ref, p.address, nil),
	})
}
