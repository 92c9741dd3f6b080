package resync

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
)

const (
	// portConcurrency is how many upserts are under way at once.
	portConcurrency = 5
	// maxDeferred bounds the changed entities that wait for the end of their resource.
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
	report *report.Report
	flags  port.Flags

	held    map[string]*held // by blueprint
	states  map[catalog.Ref]*state
	targets map[relation]map[string]bool // identifiers that entities relate to

	open          map[string]*batch // by blueprint
	flying        []*batch          // oldest first
	deferred      []*pending
	deferredBytes int
	postponed     []*pending // refused for a missing related entity

	requests, failedRequests int
}

// relation is one relation of a blueprint.
type relation struct{ blueprint, name string }

// state is what this run did with one entity.
type state struct {
	entry   *entry // that produced it last
	digest  catalog.Digest
	source  string
	waiting *pending // not sent yet
	written bool
	// counted is the resource whose counts hold the entity, as what; nil when none does.
	counted *loading
	as      outcome
}

// pending is an entity on its way.
type pending struct {
	entity  catalog.Entity
	entry   *entry
	of      *loading
	source  string
	state   *state // nil when the identifier is a search query
	dropped bool   // a later result took its place
}

// loading is the load of one resource.
type loading struct {
	resource *resource
	report   *report.Resource
	stored   int // units whose entity Port holds after the load
	gap      string
}

type batch struct {
	blueprint string
	entities  []*pending
	bytes     int
	outcomes  []port.Outcome
	done      chan struct{}
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
		ctx: ctx, plan: job.Plan, port: job.Port, report: rep,
		flags:   port.Flags{Merge: m.EnableMergeEntity, CreateMissingRelatedEntities: m.CreateMissingRelatedEntities},
		held:    map[string]*held{},
		states:  map[catalog.Ref]*state{},
		targets: map[relation]map[string]bool{},
		open:    map[string]*batch{},
	}
}

// expect begins to read what Port holds of a blueprint, once.
func (l *loader) expect(blueprint string) *held {
	h := l.held[blueprint]
	if h == nil {
		h = readHeld(l.ctx, l.port, blueprint, l.plan.entriesOf(blueprint), !l.flags.Merge)
		l.held[blueprint] = h
	}
	return h
}

// holds is expect with the word on a failure: then every entity is written.
func (l *loader) holds(blueprint string) *held {
	h := l.expect(blueprint)
	<-h.done
	if h.err != nil && l.ctx.Err() == nil {
		l.report.Note(report.Problem{
			Severity: report.Warning,
			Message:  fmt.Sprintf("what Port holds of blueprint %q could not be read: every entity is written, changed or not", blueprint),
			Example:  h.err.Error(),
		})
		h.err = nil
	}
	return h
}

// add takes one mapped entity.
func (l *loader) add(of *loading, u unit) {
	e := u.entity
	p := &pending{entity: e, entry: u.entry, of: of, source: u.source}
	l.relate(e)
	if e.Ref.Identifier == "" {
		l.enqueue(p)
		return
	}
	s := l.states[e.Ref]
	again := s != nil && s.entry == u.entry
	if s == nil {
		s = &state{}
		l.states[e.Ref] = s
	}
	p.state = s
	if again && s.digest == e.Digest {
		l.repeat(p)
		return
	}
	if again {
		l.collision(p)
	}
	if s.waiting != nil && again {
		s.waiting.dropped = true
		of.report.Merged++
	}
	wasWritten, sameEntry := s.written, again || s.entry == nil
	s.entry, s.digest, s.source, s.waiting = u.entry, e.Digest, u.source, nil
	if len(e.Body) > catalog.MaxBytes {
		l.tooLarge(p)
		return
	}
	l.choose(p, wasWritten || !sameEntry && s.counted != nil && s.as != unchanged)
}

// repeat is for a result that is the same as an earlier one.
func (l *loader) repeat(p *pending) {
	p.of.report.Merged++
	if p.state.counted != nil {
		p.of.stored++
	}
}

// choose compares with what Port held, unless this run has written over that.
func (l *loader) choose(p *pending, overwritten bool) {
	digest, ok := l.holds(p.entity.Ref.Blueprint).lookup(p.entry, p.entity.Ref.Identifier)
	switch {
	case overwritten || !ok:
		l.enqueue(p)
	case digest == p.entity.Digest:
		l.count(p, unchanged)
	default:
		l.postpone(p)
	}
}

// relate remembers what an entity that is kept relates to.
func (l *loader) relate(e catalog.Entity) {
	for _, t := range e.Targets {
		r := relation{e.Ref.Blueprint, t.Relation}
		if l.targets[r] == nil {
			l.targets[r] = map[string]bool{}
		}
		l.targets[r][t.Identifier] = true
	}
}

// refuse takes an entity that must not be sent. It was produced all the same, and
// is not stale.
func (l *loader) refuse(of *loading, u unit) {
	of.report.Rejected++
	l.report.Mark(report.RejectedEntity)
	if u.blueprint != "" {
		l.report.Blueprint(u.blueprint).Rejected++
	}
	if u.blueprint == "" || catalog.CheckBlueprint(u.blueprint) != nil || u.ref.Identifier == "" {
		return
	}
	if l.states[u.ref] == nil {
		l.states[u.ref] = &state{entry: u.entry, source: u.source}
	}
	if _, ok := l.holds(u.blueprint).lookup(u.entry, u.ref.Identifier); ok {
		of.stored++
	}
}

// postpone keeps a changed entity back until the end of its resource.
func (l *loader) postpone(p *pending) {
	p.state.waiting = p
	l.deferred = append(l.deferred, p)
	l.deferredBytes += len(p.entity.Body)
	for len(l.deferred) > maxDeferred || l.deferredBytes > maxDeferredBytes {
		first := l.deferred[0]
		l.deferred = slices.Delete(l.deferred, 0, 1)
		l.deferredBytes -= len(first.entity.Body)
		l.enqueue(first)
	}
}

// enqueue puts an entity into the batch of its blueprint, which goes out when it
// is full. An entity is never on its way twice.
func (l *loader) enqueue(p *pending) {
	if p.dropped {
		return
	}
	if p.state != nil {
		l.await(p.state)
		p.state.waiting = p
	}
	b := l.open[p.entity.Ref.Blueprint]
	if b != nil && (len(b.entities) == port.MaxBatch || b.bytes+len(p.entity.Body) > port.MaxBatchBytes) {
		l.send(b)
		b = nil
	}
	if b == nil {
		b = &batch{blueprint: p.entity.Ref.Blueprint, done: make(chan struct{})}
		l.open[b.blueprint] = b
	}
	b.entities = append(b.entities, p)
	b.bytes += len(p.entity.Body) + 1
}
