package load

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
)

// portConcurrency is how many requests with entities are under way at once: enough to hide
// their latency, and few compared with what Port allows in a minute.
const portConcurrency = 5

// touches reports whether an entity of one batch may relate to one of the other. The
// blueprints of targets are not known here: their identifiers decide.
func (b *batch) touches(other *batch) bool {
	return b.relatesTo(other) || other.relatesTo(b) || b.blueprint == other.blueprint && (b.searches() || other.searches())
}

// searches reports whether the entities of the batch are found by search queries.
func (b *batch) searches() bool { return len(b.entities) > 0 && b.entities[0].entity.Query != "" }

// excludes reports whether an entity may be one that is in the batch already: a search
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

// sender puts entities into batches, and sends these. It belongs to one goroutine.
type sender struct {
	store    Store
	flags    port.Flags
	answered func(context.Context, *pending, port.Outcome)
	// beforeSend returns when nothing is read any more that a batch may write over.
	beforeSend func()

	open      map[string]*batch // by blueprint
	searching map[string]*batch // the last one of a blueprint with a search query in it
	flying    []*batch          // oldest first

	requests, failedRequests int
	// refused is what Port's rate limit answered to a request until the retries were
	// exhausted: the others would wait as long, and are not sent.
	refused error
}

// put puts an entity into the batch of its blueprint, which goes out when it is full.
func (s *sender) put(ctx context.Context, p *pending) {
	blueprint := p.entity.Ref.Blueprint
	b := s.open[blueprint]
	if b != nil && (len(b.entities) == port.MaxBatch || b.bytes+len(p.entity.Body) > port.MaxBatchBytes || b.excludes(p)) {
		s.send(ctx, b)
		b = nil
	}
	if b == nil {
		b = &batch{blueprint: blueprint}
		s.open[blueprint] = b
	}
	b.entities = append(b.entities, p)
	b.bytes += len(p.entity.Body) + len(",")
	p.stage, p.batch = packed, b
	if p.state == nil {
		s.searching[blueprint] = b
	}
}

// busy reports whether a batch is not answered yet.
func (s *sender) busy() bool { return len(s.open) > 0 || len(s.flying) > 0 }

// deliver sends the batch of an entity, and returns when Port has answered.
func (s *sender) deliver(ctx context.Context, p *pending) {
	if p.stage == packed && !p.batch.sent {
		s.send(ctx, p.batch)
	}
	for p.stage == packed {
		s.settle(ctx)
	}
}

// deliverFound returns when entities which Port finds by a search query have arrived: one
// of them may be that of a result which names it.
func (s *sender) deliverFound(ctx context.Context, blueprint string) {
	b := s.searching[blueprint]
	if b == nil {
		return
	}
	if !b.sent {
		s.send(ctx, b)
	}
	s.land(ctx)
	delete(s.searching, blueprint)
}

// sendAll sends what is open.
func (s *sender) sendAll(ctx context.Context) {
	for _, blueprint := range slices.Sorted(maps.Keys(s.open)) {
		s.send(ctx, s.open[blueprint])
	}
}

// send sends a batch, when there is room for one more under way. What Port stores is read
// before it, and batches that relate to each other go one after the other: else who creates
// a missing related entity would depend on timing.
func (s *sender) send(ctx context.Context, b *batch) {
	delete(s.open, b.blueprint)
	s.beforeSend()
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
	for len(s.flying) >= portConcurrency || slices.ContainsFunc(s.flying, b.touches) {
		s.settle(ctx)
	}
	b.sent = true
	s.flying = append(s.flying, b)
	if s.refused != nil {
		b.outcomes = slices.Repeat([]port.Outcome{{Err: s.refused, RequestFailed: true}}, len(live))
		return
	}
	b.sending.Run(func() { b.outcomes = s.store.Upsert(ctx, b.blueprint, entities, s.flags) })
}

// settle waits for the oldest batch under way, and accounts for its entities.
func (s *sender) settle(ctx context.Context) {
	b := s.flying[0]
	s.flying = s.flying[1:]
	b.sending.Wait()
	failed := 0
	for i, p := range b.entities {
		o := b.outcomes[i]
		p.stage = over
		if p.state != nil && (o.Err == nil || o.RequestFailed) {
			p.state.Touched = true
		}
		if o.RequestFailed {
			failed++
		}
		s.answered(ctx, p, o)
	}
	s.requests++
	if failed == len(b.entities) {
		s.failedRequests++
		var e *port.Error
		if err := b.outcomes[0].Err; errors.As(err, &e) && e.Status == http.StatusTooManyRequests {
			s.refused = err
		}
	}
}

// land waits for all batches under way.
func (s *sender) land(ctx context.Context) {
	for len(s.flying) > 0 {
		s.settle(ctx)
	}
}

// wait returns when nothing is under way any more; the context has ended.
func (s *sender) wait() {
	for _, b := range s.flying {
		b.sending.Wait()
	}
}
