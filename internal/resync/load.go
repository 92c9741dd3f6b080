package resync

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
)

const (
	// portConcurrency is how many upserts are under way at once.
	portConcurrency = 5
	// maxDeferred and maxDeferredBytes bound the changed entities that wait for the
	// end of their resource.
	maxDeferred      = 1000
	maxDeferredBytes = 8 << 20
)

// loader sends entities to Port and accounts for them. It belongs to one
// goroutine: what it sends in others comes back to it as values.
//
// Entities are taken in the order of the resources and their lists. One that Port
// does not hold goes out at once. One that Port holds otherwise waits for the end
// of its resource, as far as there is room: a later result for the same entity may
// be what Port holds already, and then nothing is written.
type loader struct {
	ctx    context.Context
	plan   *Plan
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
	postponed     []*pending // they lack a related entity, or are behind such a one
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
	results []result // one for each entry of a mapping that produced it
	written bool
	from    string   // key of the source of the last result
	title   string   // where it is new in a blueprint of which Port held others; else empty
	touched bool     // written, or perhaps: what Port held says nothing any more
	listed  bool     // Port lists it as untouched since the run began
	counted *loading // whose counts hold the entity; nil when none do
	as      outcome
}

// result is what one entry produced last for an entity.
type result struct {
	entry   *entry
	digest  catalog.Digest
	source  string
	pending *pending // nil when there was nothing to send
}

// pending is an entity on its way.
type pending struct {
	entity catalog.Entity
	entry  *entry
	of     *loading
	source string
	state  *state // nil when the identifier is a search query
	number int    // in the order in which entities were taken
	size   int    // of the entity's body, in bytes
	rest   catalog.Digest
	// free is true when it does not wait for a later entry any more.
	free  bool
	stage stage
	batch *batch // when packed
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
	resource *resource
	report   *report.Resource
	stored   map[*entry]int         // units whose entity Port holds after the load
	tasks    int                    // of the list
	sources  map[string]kind.Source // of the tasks, by key
	vanished []loss                 // of them, those that the list did not name any more
	lost     []loss                 // repositories that answered as if they were not there
	listed   bool                   // the list was read to its end
	denied   bool                   // Bitbucket refused, and would refuse the rest
	gap      string                 // why its entities may be incomplete
	partial  []sourceGap            // and those of one source; one for each
	samples  *samples
	nulls    map[mapping.Position]*nulls
	mapped   map[*entry]int // units that became an entity, refused or not
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
	m := job.Plan.mapping
	return &loader{
		ctx: ctx, plan: job.Plan, port: job.Port, store: job.Store, report: rep,
		flags:   port.Flags{Merge: m.EnableMergeEntity, CreateMissingRelatedEntities: m.CreateMissingRelatedEntities},
		held:    map[string]*held{},
		schemas: newSchemas(job.Port),
		states:  map[catalog.Ref]*state{},
		targets: map[relation]map[string]bool{}, adopted: map[string]bool{},
		open: map[string]*batch{}, searching: map[string]*batch{},
	}
}

// expect begins to read what Port holds of a blueprint, once, and not while
// something is written.
func (l *loader) expect(blueprint string) *held {
	h := l.held[blueprint]
	if h == nil {
		l.land()
		h = readHeld(l.ctx, l.port, blueprint, l.plan.entriesOf(blueprint), !l.flags.Merge)
		l.held[blueprint] = h
	}
	return h
}

// holds says what Port held of an entity before the run wrote to it.
func (l *loader) holds(e *entry, ref catalog.Ref) (catalog.Digest, bool) {
	h := l.expect(ref.Blueprint)
	h.reading.wait()
	if h.err != nil {
		l.adopted[ref.Blueprint] = true
	}
	if h.err != nil && l.ctx.Err() == nil {
		l.report.Note(report.Problem{
			Severity: report.Warning,
			Message:  fmt.Sprintf("what Port holds of blueprint %q could not be read: every entity is written, changed or not", ref.Blueprint),
			Example:  h.err.Error(),
		})
	}
	h.err = nil // told once
	return h.lookup(e, ref.Identifier)
}

// add takes one mapped entity.
func (l *loader) add(of *loading, u unit) {
	l.taken++
	p := &pending{entity: u.entity, entry: u.entry, of: of, source: u.source, number: l.taken, size: len(u.entity.Body), rest: u.rest}
	l.relate(p.entity)
	if p.entity.Ref.Identifier == "" {
		if p.size > catalog.MaxBytes {
			l.tooLarge(p)
		} else {
			l.pack(p)
		}
		return
	}
	p.state = l.state(p.entity.Ref)
	earlier := p.state.result(u.entry)
	if earlier != nil && earlier.digest == p.entity.Digest {
		l.repeat(p)
		return
	}
	if earlier == nil {
		p.state.results = append(p.state.results, result{entry: u.entry})
		earlier = &p.state.results[len(p.state.results)-1]
	} else {
		l.collide(p, earlier)
	}
	*earlier = result{entry: u.entry, digest: p.entity.Digest, source: u.source, pending: p}
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

func (s *state) result(e *entry) *result {
	for i := range s.results {
		if s.results[i].entry == e {
			return &s.results[i]
		}
	}
	return nil
}

// choose compares with what Port held, unless this run has written over that, or
// is about to.
func (l *loader) choose(p *pending) {
	l.deliverFound(p.entity.Ref.Blueprint)
	digest, there := l.holds(p.entry, p.entity.Ref)
	a := p.ahead()
	switch {
	case a != nil && l.overlays(p, a, digest, there):
		a.of.report.Merged++
		a.of.stored[a.entry]++
		a.close()
		p.close()
		l.count(p, unchanged)
	case a != nil:
		a.free = a.free || a.entry.over == p.entry
		l.hold(p)
	case p.state.touched || !there:
		l.pack(p)
	case p.entry.digester.Same(p.entity.Digest, digest):
		p.close()
		l.count(p, unchanged)
	default:
		l.hold(p)
	}
}

// overlays says whether a result and the one that waits ahead of it, over which it
// writes, make together what Port holds: then neither is written.
func (l *loader) overlays(p, a *pending, held catalog.Digest, there bool) bool {
	if !there || p.state.touched || a.stage != waiting || a.entry.over != p.entry || !p.entry.digester.Same(p.entity.Digest, held) {
		return false
	}
	for _, r := range p.state.results {
		if r.pending != nil && r.pending != a && r.pending != p {
			return false
		}
	}
	return a.entry.rest == nil || a.entry.rest.Same(a.rest, l.held[p.entity.Ref.Blueprint].rest[a.entry][p.entity.Ref.Identifier])
}

// contested says whether an entity waits for a later resource, which may write
// over it what Port holds already.
func (p *pending) contested(resource int) bool {
	return p.stage == waiting && !p.free && p.entry.over != nil && p.entry.over.resource > resource
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
		if first.stage == waiting {
			l.pack(first)
		}
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

// allResources is after the last resource.
const allResources = math.MaxInt

// finish sends all that waits when a resource is loaded, but for what waits for a
// later one, and returns when Port has answered. Results for one entity go in as
// many rounds.
func (l *loader) finish(resource int) {
	var kept []*pending
	for l.release() || len(l.deferred) > 0 || len(l.open) > 0 || len(l.flying) > 0 {
		round := l.deferred
		l.deferred, l.deferredBytes = nil, 0
		for _, p := range round {
			switch a := p.ahead(); {
			case p.stage != waiting:
			case p.contested(resource), a != nil && a.contested(resource):
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
		h.reading.wait()
		h.digests, h.rest = nil, nil
	}
}

// wait returns when nothing is under way any more; the context has ended.
func (l *loader) wait() {
	for _, h := range l.held {
		h.reading.wait()
	}
	for _, b := range l.flying {
		b.sending.wait()
	}
}
