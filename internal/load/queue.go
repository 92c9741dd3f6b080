package load

import (
	"context"
	"slices"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/graph"
)

// maxDeferred and maxDeferredBytes bound the changed entities that wait for the end of
// their resource: a pipe has 1 GB for all.
const (
	maxDeferred      = 10_000
	maxDeferredBytes = 8 << 20
)

// queue holds entities back until they may go out: those that a later result may make
// needless, and those that need another entity first.
type queue struct {
	bound      *check.Bound
	ledger     *ledger
	comparison *comparison
	relations  *relations
	sender     *sender

	waiting      []*pending // deferred
	waitingBytes int
	done         map[int]bool // indexes of the resources that are loaded
	postponed    []*pending   // they lack a related entity, or are behind such a one
}

// hold lets an entity wait, as far as there is room.
func (q *queue) hold(ctx context.Context, p *pending) {
	p.stage = deferred
	q.waiting = append(q.waiting, p)
	q.waitingBytes += p.size
	for len(q.waiting) > maxDeferred || q.waitingBytes > maxDeferredBytes {
		first := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.waitingBytes -= first.size
		if first.stage != deferred {
			continue
		}
		if q.contested(ctx, first) {
			q.ledger.noteCrowded(first)
		}
		q.pack(ctx, first)
	}
}

// contested reports whether a waiting entity may turn out to be what Port stores: resources
// that are still to come can write over everything in which it differs. Entries whose
// identifier is a search query do not count: their entities are written in any case.
func (q *queue) contested(ctx context.Context, p *pending) bool {
	if p.stage != deferred || p.state.Touched {
		return false
	}
	var later catalog.Keys
	any := false
	for _, e := range q.bound.Entries(p.entity.Ref.Blueprint) {
		if !q.done[e.Resource] && !e.QueryIdentifier {
			later, any = later.Union(e.Keys), true
		}
	}
	if !any {
		return false
	}
	held, there := q.comparison.of(ctx, p.state)
	return there && q.comparison.covered(ctx, p, held, later)
}

// pack puts an entity into the batch of its blueprint. Two results for one entity are never
// on their way together.
func (q *queue) pack(ctx context.Context, p *pending) {
	for a := p.ahead(); a != nil; a = p.ahead() {
		if a.stage == postponed {
			q.postpone(p)
			return
		}
		q.deliver(ctx, a)
	}
	if !p.due && q.lacks(ctx, p) {
		q.postpone(p)
		return
	}
	q.sender.put(ctx, p)
}

// lacks reads what Port stores of the blueprints that an entity relates to, and reports
// whether it relates to another entity that this run may still bring: Port would refuse it
// now.
func (q *queue) lacks(ctx context.Context, p *pending) bool {
	for _, to := range q.relations.awaited(ctx, p) {
		q.comparison.expect(ctx, to.Blueprint)
		if q.relations.lacks(p, to) {
			return true
		}
	}
	return false
}

// deliver sends an earlier result for the same entity, and returns when it has arrived.
func (q *queue) deliver(ctx context.Context, earlier *pending) {
	if earlier.stage == deferred {
		q.pack(ctx, earlier)
	}
	q.sender.deliver(ctx, earlier)
}

// postpone leaves an entity for when what it relates to is there, or for the end of
// the run.
func (q *queue) postpone(p *pending) {
	p.stage = postponed
	q.postponed = append(q.postponed, p)
}

// deliverWaiting sends the entities of a blueprint that wait.
func (q *queue) deliverWaiting(ctx context.Context, blueprint string) {
	for _, p := range q.waiting {
		if p.stage == deferred && p.entity.Ref.Blueprint == blueprint {
			q.pack(ctx, p)
		}
	}
}

// flush sends all that waits, except for what waits for a resource that is still to come,
// and returns when Port has answered. Each result for one entity takes a round of its own.
func (q *queue) flush(ctx context.Context) {
	var kept []*pending
	for q.release(ctx) || len(q.waiting) > 0 || q.sender.busy() {
		round := q.waiting
		q.waiting, q.waitingBytes = nil, 0
		for _, p := range round {
			switch a := p.ahead(); {
			case p.stage != deferred:
			case q.contested(ctx, p):
				kept = append(kept, p)
			case a != nil && a.stage != postponed:
				q.waiting = append(q.waiting, p)
				q.waitingBytes += p.size
			default:
				q.pack(ctx, p)
			}
		}
		q.sender.sendAll(ctx)
		q.sender.land(ctx)
	}
	q.waiting = kept
	for _, p := range kept {
		q.waitingBytes += p.size
	}
}

// release packs what was postponed and lacks nothing any more. What Port has refused
// waits for the end of the run.
func (q *queue) release(ctx context.Context) (some bool) {
	left := q.left()
	for _, group := range graph.Components(q.relations.dependencies(ctx, left)) {
		for _, i := range group {
			p := left[i]
			if a := p.ahead(); p.refused || a != nil && a.stage == postponed || q.lacks(ctx, p) {
				q.postpone(p)
				continue
			}
			some = true
			q.pack(ctx, p)
		}
	}
	return some
}

// left takes what is still postponed.
func (q *queue) left() []*pending {
	left := slices.DeleteFunc(q.postponed, func(p *pending) bool { return p.stage != postponed }) // a later result may have taken its place
	q.postponed = nil
	return left
}

// retry sends what is still postponed at the end of the run, in the order of its
// relations; when the context has ended, it hands that to drop.
func (q *queue) retry(ctx context.Context, drop func(*pending)) {
	for {
		left := q.left()
		if len(left) == 0 {
			return
		}
		if ctx.Err() != nil {
			for _, p := range left {
				drop(p)
			}
			return
		}
		q.sendInOrder(ctx, left)
	}
}

// sendInOrder sends each entity after those that it relates to; those of a cycle go
// together, and know the cycle. Entities of one blueprint may share a
// request with what they relate to: when Port does not take them in turn, they come
// again, and others do not share one any more.
func (q *queue) sendInOrder(ctx context.Context, left []*pending) {
	ahead := q.relations.dependencies(ctx, left)
	sent := map[int]bool{} // and not known to have arrived
	for _, group := range graph.Components(ahead) {
		shares := false
		for _, i := range group {
			for _, j := range ahead[i] {
				if !sent[j] {
					continue
				}
				if a := left[j].entity.Ref; q.relations.apart || a.Blueprint != left[i].entity.Ref.Blueprint || a == left[i].entity.Ref {
					q.flush(ctx)
					clear(sent)
				} else {
					shares = true
				}
			}
		}
		cycle := cycleOf(left, ahead, group)
		for _, i := range group {
			p := left[i]
			p.due, p.last, p.cycle = true, !shares || len(sent) == 0, cycle
			q.pack(ctx, p)
		}
		for _, i := range group {
			sent[i] = true
		}
	}
	q.flush(ctx)
}

// cycleOf returns a cycle in a group, from an entity back to it; nil when there is none.
func cycleOf(left []*pending, ahead [][]int, group []int) []catalog.Ref {
	if len(group) == 1 {
		return nil
	}
	for _, next := range ahead[group[0]] {
		if !slices.Contains(group, next) {
			continue
		}
		cycle := []catalog.Ref{left[group[0]].entity.Ref}
		for _, i := range graph.Path(ahead, next, group[0]) {
			cycle = append(cycle, left[i].entity.Ref)
		}
		return slices.Compact(cycle) // two results for one entity are one of it
	}
	return nil
}
