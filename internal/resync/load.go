package resync

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
)

const (
	// portConcurrency is how many upserts are under way at once.
	portConcurrency = 5
	// maxDeferred and maxDeferredBytes bound the changed entities that wait for the
	// end of their resource.
	maxDeferred      = 10_000
	maxDeferredBytes = 8 << 20
)

// loader sends entities to Port and accounts for them. It belongs to one
// goroutine: what it sends in others comes back to it as values.
//
// Entities are taken in the order of the resources and their lists. One that Port
// does not hold goes out at once. One that Port holds otherwise waits for the end
// of its resource, and for later ones that may write over it, as far as there is
// room: together with a later result it may be what Port holds already, and then
// nothing is written.
type loader struct {
	ctx    context.Context
	bound  *check.Bound
	port   *port.Client
	store  Store
	report *report.Report
	flags  port.Flags

	held    map[string]*held // by blueprint
	states  map[catalog.Ref]*state
	targets map[relation]map[string]bool // identifiers that entities relate to
	// adopted are blueprints of which an entity was written that was not ours: what
	// it relates to is not known.
	adopted map[string]bool

	schemas *schemas

	open          map[string]*batch // by blueprint
	searching     map[string]*batch // the last one of a blueprint with a search query in it
	flying        []*batch          // oldest first
	deferred      []*pending
	deferredBytes int
	done          map[int]bool // indexes of the resources that are loaded
	postponed     []*pending   // they lack a related entity, or are behind such a one
	// apart is true when Port was seen not to take entities of one request in turn.
	apart bool

	taken                    int
	requests, failedRequests int
	// refused is what Port's rate limit answered to a request until it gave up: the
	// others would wait as long, and are not sent.
	refused error
}

// relation is one relation of a blueprint.
type relation struct{ blueprint, name string }

// state is what this run did with one entity.
type state struct {
	results []result // one for each entry of a mapping that produced it, the last one last
	written bool
	from    string   // key of the source of the last result
	title   uint64   // a hash of its title; 0 for none
	fresh   bool     // Port is not known to have held it when the run began
	touched bool     // written, or perhaps: what Port held says nothing any more
	listed  bool     // Port lists it as untouched since the run began
	counted *loading // whose counts hold the entity; nil when none do
	as      outcome
}

// result is what one entry produced last for an entity.
type result struct {
	entry   *check.Entry
	digest  catalog.Digest
	source  string
	pending *pending // nil when there was nothing to send, or it is over
	// rejected is true when Port holds nothing of it.
	rejected bool
}

// pending is an entity on its way.
type pending struct {
	entity catalog.Entity
	entry  *check.Entry
	of     *loading
	source string
	state  *state // nil when the identifier is a search query
	number int    // in the order in which entities were taken
	size   int    // of the entity's body, in bytes
	stage  stage
	batch  *batch // when packed
	// refused is true when Port did not find what it relates to.
	refused bool
	// due is true when it goes out whatever it relates to, and last when it must not
	// be postponed any more.
	due, last bool
	cycle     []catalog.Ref // of relations, of which it is a part; nil when there is none
}

type stage int

const (
	fresh     stage = iota
	waiting         // deferred
	packed          // in a batch, sent or not
	postponed       // until what it relates to is there
	over            // sent, refused, or dropped for a later result
)

// loading is the load of one resource.
type loading struct {
	resource *check.Resource
	report   *report.Resource
	stored   map[*check.Entry]int   // units whose entity Port holds after the load
	tasks    int                    // of the list
	sources  map[string]kind.Source // of the tasks, by key
	lost     []loss                 // repositories that answered as if they were not there
	vanished []loss                 // those of them that the list did not name any more
	listed   bool                   // the list was read to its end
	denied   bool                   // Bitbucket refused, and would refuse the rest
	gap      string                 // why its entities may be incomplete
	partial  []sourceGap            // and those of one source; one for each
	samples  *samples
	nulls    map[diag.Position]*nulls
	mapped   map[*check.Entry]int // units that became an entity, refused or not
	// unnamed is why a rejected entity is not known by its identifier, and could be
	// any that Port holds.
	unnamed string
}

type outcome int

const (
	unchanged outcome = iota
	updated
	created
)

func newLoader(ctx context.Context, job Job, rep *report.Report) *loader {
	m := job.Bound.Mapping
	return &loader{
		ctx: ctx, bound: job.Bound, port: job.Port, store: job.Store, report: rep,
		flags:   port.Flags{Merge: m.EnableMergeEntity, CreateMissingRelatedEntities: m.CreateMissingRelatedEntities},
		held:    map[string]*held{},
		schemas: newSchemas(job.Port, job.Bound),
		states:  map[catalog.Ref]*state{},
		targets: map[relation]map[string]bool{}, adopted: map[string]bool{},
		done: map[int]bool{}, open: map[string]*batch{}, searching: map[string]*batch{},
	}
}

// expect begins to read what Port holds of a blueprint, once, and not while
// something is written.
func (l *loader) expect(blueprint string) *held {
	h := l.held[blueprint]
	if h == nil {
		l.land()
		h = readHeld(l.ctx, l.port, l.schemas, blueprint, !l.flags.Merge)
		l.held[blueprint] = h
	}
	return h
}

// holds says what Port held of an entity before the run wrote to it.
func (l *loader) holds(ref catalog.Ref) (catalog.Digest, bool) {
	h := l.expect(ref.Blueprint)
	h.reading.Wait()
	if h.err != nil {
		l.adopted[ref.Blueprint] = true
	}
	if h.err != nil && l.ctx.Err() == nil {
		l.report.Note(diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("what Port holds of blueprint %q could not be read: every entity is written, changed or not", ref.Blueprint),
			Fix:      cmp.Or(port.Fix(h.err), "give Port's credential a role that may read entities of this blueprint"),
			Example:  h.err.Error(),
		})
	}
	if h.err == nil && h.vague != nil && l.ctx.Err() == nil {
		l.report.Note(diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("blueprint %q could not be read: a date and time that Port writes in another way counts as changed", ref.Blueprint),
			Fix:      cmp.Or(port.Fix(h.vague), "give Port's credential a role that may read this blueprint"),
			Example:  h.vague.Error(),
		})
	}
	h.err, h.vague = nil, nil // told once
	digest, there := h.digests[ref.Identifier]
	return digest, there
}

// add takes one mapped entity.
func (l *loader) add(of *loading, u unit) {
	l.taken++
	p := &pending{entity: u.entity, entry: u.entry, of: of, source: u.source, number: l.taken, size: len(u.entity.Body)}
	l.relate(p.entity)
	if p.entity.Ref.Identifier == "" {
		if p.size > catalog.MaxBytes {
			l.tooLarge(p)
		} else {
			l.deliverNamed(p)
			l.pack(p)
		}
		return
	}
	p.state = l.state(p.entity.Ref)
	if i := p.state.of(u.entry); i >= 0 {
		if p.state.results[i].digest == p.entity.Digest {
			l.repeat(p)
			return
		}
		l.collide(p, &p.state.results[i])
		p.state.results = slices.Delete(p.state.results, i, i+1)
	}
	p.state.results = append(p.state.results, result{entry: u.entry, digest: p.entity.Digest, source: u.source, pending: p})
	if p.size > catalog.MaxBytes {
		l.tooLarge(p)
		return
	}
	l.choose(p)
}

func (l *loader) state(ref catalog.Ref) *state {
	s := l.states[ref]
	if s == nil {
		s = &state{}
		l.states[ref] = s
	}
	return s
}

// of is the index of the result of an entry; -1 when there is none.
func (s *state) of(e *check.Entry) int {
	return slices.IndexFunc(s.results, func(r result) bool { return r.entry == e })
}

// choose compares with what Port held, unless this run has written over that, or
// is about to.
func (l *loader) choose(p *pending) {
	l.deliverFound(p.entity.Ref.Blueprint)
	_, there := l.holds(p.entity.Ref)
	switch {
	case l.settled(p):
		l.leave(p)
	case p.ahead() == nil && (p.state.touched || !there):
		l.pack(p)
	default:
		l.hold(p)
	}
}

// hold lets an entity wait, as far as there is room.
func (l *loader) hold(p *pending) {
	p.stage = waiting
	l.deferred = append(l.deferred, p)
	l.deferredBytes += p.size
	for len(l.deferred) > maxDeferred || l.deferredBytes > maxDeferredBytes {
		first := l.deferred[0]
		l.deferred = l.deferred[1:]
		l.deferredBytes -= first.size
		if first.stage != waiting {
			continue
		}
		if l.contested(first) {
			l.noteCrowded(first)
		}
		l.pack(first)
	}
}

// ahead is an earlier result for the same entity that is still on its way; nil
// when there is none.
func (p *pending) ahead() *pending {
	if p.state == nil {
		return nil
	}
	for _, r := range p.state.results {
		if r.pending != nil && r.pending.number < p.number {
			return r.pending
		}
	}
	return nil
}

// close lets go of what was on its way: there may be very many.
func (p *pending) close() {
	p.stage = over
	p.entity = catalog.Entity{Ref: p.entity.Ref}
	if p.state == nil {
		return
	}
	for i := range p.state.results {
		if p.state.results[i].pending == p {
			p.state.results[i].pending = nil
		}
	}
}

// finish ends resources: they give nothing more.
func (l *loader) finish(resources ...*check.Resource) {
	for _, r := range resources {
		l.done[r.Index] = true
	}
	l.flush()
}

// flush sends all that waits, except for what waits for a resource that is still to come,
// and returns when Port has answered. Each result for one entity takes a round of its own.
func (l *loader) flush() {
	var kept []*pending
	for l.release() || len(l.deferred) > 0 || len(l.open) > 0 || len(l.flying) > 0 {
		round := l.deferred
		l.deferred, l.deferredBytes = nil, 0
		for _, p := range round {
			switch a := p.ahead(); {
			case p.stage != waiting:
			case l.contested(p):
				kept = append(kept, p)
			case a != nil && a.stage != postponed:
				l.deferred = append(l.deferred, p)
				l.deferredBytes += p.size
			default:
				l.pack(p)
			}
		}
		for _, blueprint := range slices.Sorted(maps.Keys(l.open)) {
			l.send(l.open[blueprint])
		}
		l.land()
	}
	l.deferred = kept
	for _, p := range kept {
		l.deferredBytes += p.size
	}
}

// land waits for all batches under way.
func (l *loader) land() {
	for len(l.flying) > 0 {
		l.settle()
	}
}

// forget lets go of what Port held, when nothing is compared any more.
func (l *loader) forget() {
	for _, h := range l.held {
		h.reading.Wait()
		h.digests = nil
	}
}

// wait returns when nothing is under way any more; the context has ended.
func (l *loader) wait() {
	for _, h := range l.held {
		h.reading.Wait()
	}
	for _, b := range l.flying {
		b.sending.Wait()
	}
}
