// Package load sends entities to Port and accounts for them: it compares them with what
// Port stores, writes what differs in batches, and waits where one needs another.
package load

import (
	"context"
	"fmt"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/refusal"
	"port-bitbucket-exporter/internal/report"
)

// Config is what a Loader needs.
type Config struct {
	Bound     *check.Bound
	Port      *port.Client
	Store     Store
	Schemas   *port.Schemas
	Report    *report.Report
	Inventory *inventory.Inventory
}

// Store takes what is written: a port.Client, or a dry run that answers as Port would.
type Store interface {
	// Upsert is that of port.Client.
	Upsert(ctx context.Context, blueprint string, batch []catalog.Entity, f port.Flags) []port.Outcome
}

// Loader sends entities to Port and accounts for them. It belongs to one goroutine, except
// for Digester: what it sends in other goroutines comes back to it as values.
//
// Entities are taken in the order of the resources and their lists. One that Port does not
// store goes out at once. One that Port stores otherwise waits for the end of its resource,
// and for later ones that may write over it, as far as there is room: together with a later
// result it may be what Port stores already, and then nothing is written.
type Loader struct {
	ledger     *ledger
	comparison *comparison
	relations  *relations
	queue      *queue
	sender     *sender
	taken      int
}

// Unit is one entity that a resource gave.
type Unit struct {
	Entry   *check.Entry
	Entity  catalog.Entity
	Address string // of the web page of the object, or its path, for messages
	Title   uint64 // a hash of the title; 0 for none
	Source  string // the key of the source of the object
}

// New returns a Loader that has taken nothing.
func New(c Config) *Loader {
	m := c.Bound.Mapping
	flags := port.Flags{Merge: m.EnableMergeEntity, CreateMissingRelatedEntities: m.CreateMissingRelatedEntities}
	l := &Loader{ledger: newLedger(c)}
	l.comparison = &comparison{
		client: c.Port, schemas: c.Schemas, bound: c.Bound, ledger: l.ledger,
		stored: map[string]*stored{}, digesters: map[string]*catalog.Digester{},
	}
	l.sender = &sender{
		store: c.Store, flags: flags, answered: l.answered, beforeSend: l.comparison.wait,
		open: map[string]*batch{}, searching: map[string]*batch{},
	}
	l.comparison.beforeRead = l.sender.land
	l.relations = &relations{bound: c.Bound, schemas: c.Schemas, flags: flags, ledger: l.ledger, comparison: l.comparison}
	l.queue = &queue{
		bound: c.Bound, ledger: l.ledger, comparison: l.comparison, relations: l.relations, sender: l.sender,
		done: map[int]bool{},
	}
	return l
}

// Digester returns what compares the entities of a blueprint. It is safe for concurrent use.
func (l *Loader) Digester(ctx context.Context, blueprint string) *catalog.Digester {
	return l.comparison.digester(ctx, blueprint)
}

// Expect begins to read what Port stores of a blueprint, once, and not while something is
// written.
func (l *Loader) Expect(ctx context.Context, blueprint string) { l.comparison.expect(ctx, blueprint) }

// Stores reports whether Port stored an entity before the run wrote to it.
func (l *Loader) Stores(ctx context.Context, ref catalog.Ref) bool {
	return l.comparison.stores(ctx, ref)
}

// Add takes one mapped entity of a resource.
func (l *Loader) Add(ctx context.Context, of *Resource, u Unit) {
	defer l.ledger.rest()
	l.taken++
	p := &pending{entity: u.Entity, entry: u.Entry, of: of, address: u.Address, number: l.taken, size: len(u.Entity.Body)}
	l.ledger.relate(p.entity)
	if ref := p.entity.Ref; ref.Identifier == "" {
		l.addSearched(ctx, p)
	} else {
		p.state = l.ledger.state(ref)
		l.addNamed(ctx, p)
		p.state.Source, p.state.Fresh = u.Source, l.comparison.stored[ref.Blueprint] != nil && !l.comparison.holds(ref)
		if u.Title != 0 {
			p.state.Title = u.Title
		}
	}
}

// addSearched is for an entity that a search query names: it may be one of those that wait,
// and the later one wins.
func (l *Loader) addSearched(ctx context.Context, p *pending) {
	if p.size > catalog.MaxBytes {
		l.tooLarge(ctx, p)
		return
	}
	l.queue.deliverWaiting(ctx, p.entity.Ref.Blueprint)
	l.queue.pack(ctx, p)
}

func (l *Loader) addNamed(ctx context.Context, p *pending) {
	if i := p.state.of(p.entry); i >= 0 {
		if p.state.results[i].digest == p.entity.Digest {
			l.ledger.repeat(p)
			return
		}
		l.collide(ctx, p, &p.state.results[i])
		p.state.results = slices.Delete(p.state.results, i, i+1)
	}
	p.state.results = append(p.state.results, result{entry: p.entry, digest: p.entity.Digest, address: p.address, pending: p})
	if p.size > catalog.MaxBytes {
		l.tooLarge(ctx, p)
		return
	}
	l.choose(ctx, p)
}

// collide is for two different results of one entry for one entity: the later one wins. The
// earlier one is dropped, or arrives first when it is under way.
func (l *Loader) collide(ctx context.Context, p *pending, earlier *result) {
	l.ledger.noteCollision(p, earlier)
	old := earlier.pending
	if old == nil {
		return
	}
	if old.stage == packed && old.batch.sent {
		l.queue.deliver(ctx, old)
	}
	if old.stage != over {
		l.ledger.close(old)
		old.of.Report.Merged++
	}
}

// tooLarge is for an entity that no request can carry.
func (l *Loader) tooLarge(ctx context.Context, p *pending) {
	l.keep(ctx, p)
	l.ledger.rejected(p.of, p.entity.Ref.Blueprint, report.RejectedEntity)
	l.ledger.noteTooLarge(p)
	l.ledger.close(p)
}

// Refuse takes an entity that must not be sent; as much of ref is given as is known. It
// was produced all the same, and is not stale.
func (l *Loader) Refuse(ctx context.Context, of *Resource, e *check.Entry, ref catalog.Ref) {
	defer l.ledger.rest()
	l.ledger.rejected(of, ref.Blueprint, report.RejectedEntity)
	if e.QueryIdentifier {
		of.loseName()
	}
	if ref.Blueprint == "" || ref.Identifier == "" {
		return
	}
	l.ledger.state(ref)
	if catalog.CheckBlueprint(ref.Blueprint) != nil || catalog.CheckIdentifier(ref.Identifier) != nil {
		return // Port cannot hold it
	}
	if l.Stores(ctx, ref) {
		of.holds(e)
	}
}

// choose compares with what Port stored, unless this run has written over that, or is
// about to.
func (l *Loader) choose(ctx context.Context, p *pending) {
	l.sender.deliverFound(ctx, p.entity.Ref.Blueprint)
	held, there := l.comparison.of(ctx, p.state)
	switch {
	case there && l.comparison.same(ctx, p, held):
		l.ledger.leave(p)
	case p.ahead() == nil && (p.state.Touched || !there):
		l.queue.pack(ctx, p)
	default:
		l.queue.hold(ctx, p)
	}
}

// answered accounts for what Port answered for an entity.
func (l *Loader) answered(ctx context.Context, p *pending, o port.Outcome) {
	if o.Err == nil {
		l.took(ctx, p, o)
		return
	}
	if !o.RequestFailed && !p.last && refusal.NotFound(o.Err) && l.relations.mayCome(ctx, p) {
		l.relations.apart = l.relations.apart || l.relations.sharesInVain(ctx, p)
		p.refused = true
		l.queue.postpone(p)
		return
	}
	l.reject(ctx, p, o)
}

// reject accounts for an entity that Port did not take.
func (l *Loader) reject(ctx context.Context, p *pending, o port.Outcome) {
	l.keep(ctx, p)
	defer l.ledger.close(p)
	cause := report.RejectedEntity
	if o.RequestFailed || ctx.Err() != nil {
		cause = report.Undelivered
	}
	l.ledger.rejected(p.of, p.entity.Ref.Blueprint, cause)
	if ctx.Err() != nil { // reported once, as the end of the run
		return
	}
	problem := refusal.Explain(refusal.Refusal{
		Mapping: p.entry.Source, Entity: p.entity, Source: p.address, Outcome: o, Planned: l.ledger.report.Planned,
		Schema: func() (port.Blueprint, bool) { return l.relations.schemas.Of(ctx, p.entity.Ref.Blueprint) },
		Absent: l.relations.absent(ctx, p, o), Cycle: p.cycle,
	})
	problem.Where, problem.About = p.of.Where(), p.of.About(diag.Load)
	l.ledger.report.Note(problem)
}

// keep remembers that Port holds an earlier state of an entity that is not stored.
func (l *Loader) keep(ctx context.Context, p *pending) {
	if p.state == nil {
		p.of.loseName()
		return
	}
	p.reject()
	if l.Stores(ctx, p.entity.Ref) || p.state.Written {
		p.of.holds(p.entry)
	}
}

// took accounts for an entity that Port took. One that Port found by a search query was
// produced by its identifier.
func (l *Loader) took(ctx context.Context, p *pending, o port.Outcome) {
	ref := catalog.Ref{Blueprint: p.entity.Ref.Blueprint, Identifier: o.Identifier}
	if p.state == nil && o.Identifier != "" {
		p.state = l.ledger.state(ref)
	}
	if p.state != nil {
		p.state.Written, p.state.Touched = true, true
	}
	if o.Created {
		l.ledger.count(p, created)
		l.ledger.close(p)
		return
	}
	if (p.state == nil || !p.state.Counted) && !l.Stores(ctx, ref) {
		l.adopt(ctx, p, ref)
	}
	if p.entry.Searches() {
		l.ledger.noteSearched(p, o.Identifier)
	}
	l.ledger.count(p, updated)
	l.ledger.close(p)
}

// adopt is for an entity that Port held, and that another data source had written last: it
// is ours now. Where another integration gives it too, each takes it from the other, and
// writes it in every run.
func (l *Loader) adopt(ctx context.Context, p *pending, ref catalog.Ref) {
	l.ledger.inventory.Adopted[ref.Blueprint] = true
	if !l.comparison.stored[ref.Blueprint].unread && !l.relations.mayBeStub(ctx, ref) {
		l.ledger.noteAdopted(p, ref)
	}
}

// Finish ends resources, which give nothing more.
func (l *Loader) Finish(ctx context.Context, resources ...*check.Resource) {
	defer l.ledger.rest()
	for _, r := range resources {
		l.queue.done[r.Index] = true
	}
	l.queue.flush(ctx)
}

// Retry sends at the end of the run what needed another entity that has not come.
func (l *Loader) Retry(ctx context.Context) {
	defer l.ledger.rest()
	l.queue.retry(ctx, func(p *pending) { l.reject(ctx, p, port.Outcome{Err: ctx.Err()}) })
}

// Fail is the error when every write request to Port failed; nil when one did not, or
// there was none.
func (l *Loader) Fail() error {
	if s := l.sender; s.requests > 0 && s.requests == s.failedRequests {
		return report.Consequence(fmt.Sprintf("every write request to Port failed (%d)", s.requests))
	}
	return nil
}

// Close hands over to the inventory what is known when the load is done. Nothing is taken
// any more.
func (l *Loader) Close() {
	l.comparison.release(l.ledger.inventory)
	l.ledger.release()
}

// Wait returns when nothing is under way any more; the context has ended.
func (l *Loader) Wait() {
	l.comparison.wait()
	l.sender.wait()
}
