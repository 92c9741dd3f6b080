package resync

import (
	"errors"
	"net/http"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/port"
)

// batch is entities of one blueprint that go out together.
type batch struct {
	blueprint string
	entities  []*pending
	bytes     int
	outcomes  []port.Outcome
	sent      bool
	sending   concurrent.Group // outcomes may be read when it is done
}

// pack puts an entity into the batch of its blueprint, which goes out when it is
// full. Two results for one entity are never on their way together.
func (l *loader) pack(p *pending) {
	for a := p.ahead(); a != nil; a = p.ahead() {
		if a.stage == postponed {
			l.postpone(p)
			return
		}
		l.deliver(a)
	}
	if !p.due && l.lacks(p) {
		l.postpone(p)
		return
	}
	blueprint := p.entity.Ref.Blueprint
	b := l.open[blueprint]
	if b != nil && (len(b.entities) == port.MaxBatch || b.bytes+len(p.entity.Body) > port.MaxBatchBytes || b.excludes(p)) {
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
	if p.state == nil {
		l.searching[blueprint] = b
	}
}

// deliver sees to it that an earlier result for the same entity has arrived.
func (l *loader) deliver(earlier *pending) {
	if earlier.stage == waiting {
		l.pack(earlier)
	}
	if earlier.stage == packed && !earlier.batch.sent {
		l.send(earlier.batch)
	}
	for earlier.stage == packed {
		l.settle()
	}
}

// send lets a batch go out, when there is room for one more under way. What Port
// held is read before it, and batches that relate to each other go one after the
// other: else who creates a missing related entity would depend on timing.
func (l *loader) send(b *batch) {
	delete(l.open, b.blueprint)
	for _, h := range l.held {
		h.reading.Wait()
	}
	var entities []catalog.Entity
	live := b.entities[:0]
	for _, p := range b.entities {
		if p.stage == packed { // else a later result took its place
			live = append(live, p)
			entities = append(entities, p.entity)
		}
	}
	if b.entities = live; len(live) == 0 {
		return
	}
	for len(l.flying) >= portConcurrency || slices.ContainsFunc(l.flying, b.touches) {
		l.settle()
	}
	b.sent = true
	l.flying = append(l.flying, b)
	if l.refused != nil {
		b.outcomes = slices.Repeat([]port.Outcome{{Err: l.refused, RequestFailed: true}}, len(live))
		return
	}
	b.sending.Run(func() { b.outcomes = l.store.Upsert(l.ctx, b.blueprint, entities, l.flags) })
}

// touches says whether an entity of one batch may relate to one of the other. The
// blueprints of targets are not known here: their identifiers decide.
func (b *batch) touches(other *batch) bool {
	return b.relatesTo(other) || other.relatesTo(b) || b.blueprint == other.blueprint && (b.searches() || other.searches())
}

// searches says whether the entities of the batch are found by search queries.
func (b *batch) searches() bool { return len(b.entities) > 0 && b.entities[0].entity.Query != "" }

// excludes says whether an entity may be one that is in the batch already: a search
// query may find one that another entity names, and finds what the same query did.
func (b *batch) excludes(p *pending) bool {
	query := p.entity.Query
	return b.searches() != (query != "") ||
		query != "" && slices.ContainsFunc(b.entities, func(o *pending) bool { return o.entity.Query == query })
}

func (b *batch) relatesTo(other *batch) bool {
	named := make(map[string]bool, len(other.entities))
	for _, p := range other.entities {
		named[p.entity.Ref.Identifier] = true
	}
	return slices.ContainsFunc(b.entities, func(p *pending) bool {
		return slices.ContainsFunc(p.entity.Targets, func(t catalog.Target) bool { return named[t.Identifier] })
	})
}

// settle waits for the oldest batch under way, and accounts for its entities.
func (l *loader) settle() {
	b := l.flying[0]
	l.flying = l.flying[1:]
	b.sending.Wait()
	failed := 0
	for i, p := range b.entities {
		o := b.outcomes[i]
		p.stage = over
		if p.state != nil && (o.Err == nil || o.RequestFailed) {
			p.state.touched = true
		}
		if o.RequestFailed {
			failed++
		}
		if o.Err != nil {
			l.reject(p, o)
		} else {
			l.stored(p, o)
		}
	}
	l.requests++
	if failed == len(b.entities) {
		l.failedRequests++
		var e *port.Error
		if err := b.outcomes[0].Err; errors.As(err, &e) && e.Status == http.StatusTooManyRequests {
			l.refused = err
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
		p.state.written, p.state.touched = true, true
	}
	if o.Created {
		l.count(p, created)
	} else {
		if p.state == nil || p.state.counted == nil {
			ref := catalog.Ref{Blueprint: p.entity.Ref.Blueprint, Identifier: o.Identifier}
			if _, ours := l.holds(ref); !ours {
				l.adopt(p, ref)
			}
		}
		if p.entry.Searches() {
			l.noteSearched(p, o.Identifier)
		}
		l.count(p, updated)
	}
	p.close()
}
