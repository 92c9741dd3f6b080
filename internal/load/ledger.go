package load

import (
	"cmp"
	"fmt"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/refusal"
	"port-bitbucket-exporter/internal/report"
)

// ledger accounts for every entity once, in the report and in the inventory. What the run did
// with an entity is a state while something of it is on its way, and in the inventory alone
// once nothing is: there may be very many.
type ledger struct {
	report    *report.Report
	inventory *inventory.Inventory
	entries   map[inventory.Entry]*check.Entry
	resources map[int]*Resource // by index: those that have counted an entity
	states    map[catalog.Ref]*state
	// moved are the states that may have come to rest since rest was called.
	moved   []*state
	results []inventory.Result // of the state that was kept last
}

func newLedger(c Config) *ledger {
	l := &ledger{
		report: c.Report, inventory: c.Inventory, entries: map[inventory.Entry]*check.Entry{}, resources: map[int]*Resource{},
		states: map[catalog.Ref]*state{},
	}
	for _, r := range c.Bound.Resources {
		for _, e := range r.Entries {
			l.entries[inventory.Entry{Resource: e.Resource, Number: e.Number}] = e
		}
	}
	return l
}

// state returns what the run did with an entity, new when it did nothing yet. It may be kept
// until rest is called, and longer while a result of it is on its way.
func (l *ledger) state(ref catalog.Ref) *state {
	s := l.states[ref]
	if s == nil {
		s = l.unpack(ref)
		l.states[ref] = s
		l.moved = append(l.moved, s)
	}
	return s
}

// unpack makes the state of an entity from what the inventory has. When that cannot be read
// again, the flags remain: the entity is written as if it were changed, and counted once.
func (l *ledger) unpack(ref catalog.Ref) *state {
	e, produced, err := l.inventory.Entities.Of(ref)
	s := &state{ref: ref, Entity: e}
	if !produced {
		return s
	}
	if err != nil {
		l.noteUnreadable(err)
		s.Flags, _ = l.inventory.Entities.Flags(ref)
		s.Touched = true
	}
	for _, r := range e.Results {
		s.results = append(s.results, result{entry: l.entries[r.Entry], digest: r.Digest, address: r.Address, rejected: r.Rejected})
	}
	s.Results = nil
	return s
}

// rest hands the states over to the inventory of which nothing is on its way any more.
func (l *ledger) rest() {
	for i, s := range l.moved {
		if l.moved[i] = nil; l.states[s.ref] == s && !s.busy() {
			l.keep(s)
			delete(l.states, s.ref)
		}
	}
	l.moved = l.moved[:0]
}

// release hands all states over to the inventory: nothing is taken any more.
func (l *ledger) release() {
	for _, s := range l.states {
		l.keep(s)
	}
	l.states, l.moved = nil, nil
}

func (l *ledger) keep(s *state) {
	l.results = l.results[:0]
	for _, r := range s.results {
		l.results = append(l.results, inventory.Result{
			Entry: inventory.Entry{Resource: r.entry.Resource, Number: r.entry.Number}, Address: r.address, Digest: r.digest, Rejected: r.rejected,
		})
	}
	s.Results = l.results
	if err := l.inventory.Entities.Keep(s.ref, s.Entity); err != nil {
		l.noteUnreadable(err)
	}
}

// produced reports whether the run produced an entity so far.
func (l *ledger) produced(ref catalog.Ref) bool {
	return l.states[ref] != nil || l.inventory.Entities.Produced(ref)
}

// counted reports whether an entity was counted as one that Port holds now.
func (l *ledger) counted(ref catalog.Ref) bool {
	if s := l.states[ref]; s != nil {
		return s.Counted
	}
	f, _ := l.inventory.Entities.Flags(ref)
	return f.Counted
}

// close is for an entity of which nothing is on its way any more.
func (l *ledger) close(p *pending) {
	p.close()
	if p.state != nil {
		l.moved = append(l.moved, p.state)
	}
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
	l.resources[p.of.Index] = p.of
	s := p.state
	switch {
	case s == nil:
		l.tally(p.of, p.entity.Ref.Blueprint, as, 1)
	case !s.Counted:
		s.counts(p.of, as)
		l.tally(p.of, p.entity.Ref.Blueprint, as, 1)
	case s.unchanged() && as != unchanged && l.resources[s.CountedBy] != nil: // else it could not be read again which one
		earlier := l.resources[s.CountedBy]
		l.tally(earlier, p.entity.Ref.Blueprint, unchanged, -1)
		earlier.Report.Merged++
		s.counts(p.of, updated)
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
	if p.state.Counted {
		p.of.holds(p.entry)
	}
}

// leave counts an entity that need not be written as unchanged, and closes the earlier
// results for it that wait.
func (l *ledger) leave(p *pending) {
	for _, r := range p.state.results {
		if a := r.pending; a != nil && a != p {
			a.of.Report.Merged++
			a.of.holds(a.entry)
			l.close(a)
		}
	}
	l.close(p)
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
		Severity: diag.Error, At: at, Where: p.of.Where(), About: p.of.About(diag.Load),
		Message: fmt.Sprintf("an entity is larger than the 1 MiB that Port takes; its largest property is %q", p.entity.Largest),
		Fix:     fmt.Sprintf("shorten it, such as (… | .[0:100000]), or leave property %q out", p.entity.Largest),
		Example: refusal.Example(p.entity.Ref, p.address, nil),
	})
}

// noteCollision reports two different results of one entry for one entity.
func (l *ledger) noteCollision(p *pending, earlier *result) {
	l.report.Note(diag.Problem{
		Severity: diag.Warning, At: p.entry.Source.Place(), Where: p.of.Where(), About: p.of.About(diag.Load),
		Message: fmt.Sprintf("different objects give the same identifier of blueprint %q; the last one wins", p.entity.Ref.Blueprint),
		Fix:     "make the identifier unique, such as " + cmp.Or(p.of.UniqueIdentifier(), "with the object's number in it"),
		Example: fmt.Sprintf("%q from %s and from %s", p.entity.Ref.Identifier, earlier.address, p.address),
	})
}

// noteAdopted reports an entity that another data source had written last.
func (l *ledger) noteAdopted(p *pending, ref catalog.Ref) {
	l.report.Note(diag.Problem{
		Severity: diag.Notice, At: p.entry.Source.Place(), Where: p.of.Where(), About: p.of.About(diag.Load),
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
		Severity: diag.Notice, At: p.entry.Source.Place(), Where: p.of.Where(), About: p.of.About(diag.Load),
		Message: "an entity with a search query as identifier, team or relation is written in every run, changed or not",
		Fix:     "where that is too much, map identifiers in place of search queries",
		Example: refusal.Example(ref, p.address, nil),
	})
}

// noteUnreadable reports that the temporary file has not what was written to it.
func (l *ledger) noteUnreadable(err error) {
	l.report.Note(diag.Problem{
		Severity: diag.Warning, About: diag.About{Phase: diag.Load},
		Message: "what this run has produced could not be read again from its temporary file: nothing is deleted",
		Fix:     "run again; where something empties the folder for temporary files meanwhile, let TMPDIR name another folder",
		Example: err.Error(),
	})
}

// noteCrowded reports an entity that should wait for a later resource and does not, for
// lack of room: it may be written in every run, and then again by that resource.
func (l *ledger) noteCrowded(p *pending) {
	l.report.Note(diag.Problem{
		Severity: diag.Notice, At: p.entry.Source.Place(), Where: p.of.Where(), About: p.of.About(diag.Load),
		Message: fmt.Sprintf("more changed entities of blueprint %q should wait for a later resource than there is room for: some are written before it, and may be written in every run", p.entity.Ref.Blueprint),
		Fix:     "give each property in one resource only",
		Example: refusal.Example(p.entity.Ref, p.address, nil),
	})
}
