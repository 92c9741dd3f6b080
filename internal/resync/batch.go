package resync

import (
	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// batch is entities of one blueprint that go out together.
type batch struct {
	blueprint string
	entities  []*pending
	bytes     int
	outcomes  []port.Outcome
	done      chan struct{} // nil until it is sent; closed when outcomes may be read
}

// pack puts an entity into the batch of its blueprint, which goes out when it is
// full. Two results for one entity are never on their way together.
func (l *loader) pack(p *pending) {
	if p.state != nil {
		for _, r := range p.state.results {
			if r.pending != nil && r.pending.number < p.number {
				l.deliver(r.pending)
			}
		}
	}
	blueprint := p.entity.Ref.Blueprint
	b := l.open[blueprint]
	if b != nil && (len(b.entities) == port.MaxBatch || b.bytes+len(p.entity.Body) > port.MaxBatchBytes) {
		l.send(b)
		b = nil
	}
	if b == nil {
		b = &batch{blueprint: blueprint}
		l.open[blueprint] = b
	}
	b.entities = append(b.entities, p)
	b.bytes += len(p.entity.Body) + len(",")
	p.stage, p.batch = packed, b
}

// deliver sees to it that an earlier result for the same entity has arrived.
func (l *loader) deliver(earlier *pending) {
	if earlier.stage == waiting {
		l.pack(earlier)
	}
	if earlier.stage == packed && earlier.batch.done == nil {
		l.send(earlier.batch)
	}
	for earlier.stage == packed {
		l.settle()
	}
}

// send lets a batch go out, when there is room for one more under way.
func (l *loader) send(b *batch) {
	delete(l.open, b.blueprint)
	for len(l.flying) >= portConcurrency {
		l.settle()
	}
	var entities []catalog.Entity
	live := b.entities[:0]
	for _, p := range b.entities {
		if p.stage == packed { // else a later result took its place
			live = append(live, p)
			entities = append(entities, p.entity)
		}
	}
	b.entities, b.done = live, make(chan struct{})
	l.flying = append(l.flying, b)
	go func() {
		defer close(b.done)
		if len(entities) > 0 {
			b.outcomes = l.port.Upsert(l.ctx, b.blueprint, entities, l.flags)
		}
	}()
}

// settle waits for the oldest batch under way, and accounts for its entities.
func (l *loader) settle() {
	b := l.flying[0]
	l.flying = l.flying[1:]
	<-b.done
	failed := 0
	for i, p := range b.entities {
		o := b.outcomes[i]
		p.stage = over
		if o.RequestFailed {
			failed++
		}
		if o.Err != nil {
			l.reject(p, o)
		} else {
			l.stored(p, o)
		}
	}
	if len(b.entities) > 0 {
		l.requests++
		if failed == len(b.entities) {
			l.failedRequests++
		}
	}
}

// stored accounts for an entity that Port took. One that Port found by a search
// query was produced by its identifier.
func (l *loader) stored(p *pending, o port.Outcome) {
	if p.state == nil && o.Identifier != "" {
		p.state = l.state(catalog.Ref{Blueprint: p.entity.Ref.Blueprint, Identifier: o.Identifier})
	}
	if p.state != nil {
		p.state.written = true
	}
	if o.Created {
		l.count(p, created)
	} else {
		l.count(p, updated)
	}
	p.close()
}
