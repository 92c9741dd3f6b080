package port

import (
	"context"
	"net/http"

	"port-bitbucket-exporter/internal/catalog"
)

const (
	// aloneAttempts is how often an entity by itself goes out, which was in several
	// requests already. A part of a batch goes out once: its halves are its next attempt.
	aloneAttempts = 2
	// downParts is how many parts of a batch have to fail before Port counts as down: as
	// many poison entities, each in a part of its own, are less likely.
	downParts = 8
)

// Upsert stores a batch of entities of one blueprint: at most MaxBatch of them,
// and, but for a single one, at most MaxBatchBytes of their bodies; each
// identifier once. It returns one Outcome for each, in order. A batch that Port
// refuses as a whole, for one entity in it or for its size, is halved until the
// culprit stands alone; so is a batch at which Port fails in every attempt, unless it
// fails at all parts of the blueprint alike.
//
// API: https://docs.port.io/api-reference/create-multiple-entities
func (e *Entities) Upsert(ctx context.Context, blueprint string, batch []catalog.Entity, f Flags) []Outcome {
	outcomes, err := e.upsert(ctx, blueprint, batch, f, 0)
	if err == nil {
		return outcomes
	}
	status := statusOf(err)
	refused := status == http.StatusUnprocessableEntity || status == http.StatusRequestEntityTooLarge
	switch {
	case refused && len(batch) > 1:
		half := len(batch) / 2
		return append(e.Upsert(ctx, blueprint, batch[:half], f), e.Upsert(ctx, blueprint, batch[half:], f)...)
	case (status == http.StatusBadRequest || status >= http.StatusInternalServerError) && len(batch) > 1:
		return e.halve(ctx, blueprint, batch, f, err)
	}
	return failed(batch, Outcome{Err: err, RequestFailed: !refused})
}

// halving looks for the entities of a batch at which Port fails.
type halving struct {
	entities  *Entities
	blueprint string
	flags     Flags
	batch     []catalog.Entity
	outcomes  []Outcome
	some      bool // some part got through
	spoke     bool // some answer speaks of the entities
}

// span is a part of a batch: from an index, to another one.
type span struct{ from, to int }

// halve sends the parts of a batch that failed with an error, until each entity at
// which Port fails stands alone. An upsert may be repeated: storing an entity twice
// changes nothing.
//
// All parts of one size go out before their halves do. When each of many fails, or each
// entity of a small batch, Port is down for the blueprint, and the rest is not sent. Of a
// later batch only the two halves are sent, until Port takes something.
func (e *Entities) halve(ctx context.Context, blueprint string, batch []catalog.Entity, f Flags, err error) []Outcome {
	h := &halving{entities: e, blueprint: blueprint, flags: f, batch: batch, spoke: ofEntities(err)}
	h.outcomes = failed(batch, Outcome{Err: err, RequestFailed: true})
	_, down := e.failing.Load(blueprint)
	for level := halves([]span{{0, len(batch)}}); len(level) > 0 && ctx.Err() == nil; {
		again := h.send(ctx, level)
		if !h.some && !h.spoke && ctx.Err() == nil && (down || len(level) >= downParts || len(again) == 0) {
			e.failing.Store(blueprint, true)
			break
		}
		level = halves(again)
	}
	for i := range h.outcomes {
		o := &h.outcomes[i]
		o.Alone = o.Alone && h.some
		o.RequestFailed = o.RequestFailed && !(o.Alone && ofEntities(o.Err)) // since others were taken
	}
	return h.outcomes
}

// send sends each part, and returns those that failed and can be halved.
func (h *halving) send(ctx context.Context, level []span) (again []span) {
	for _, s := range level {
		if ctx.Err() != nil {
			return nil
		}
		part, attempts := h.batch[s.from:s.to], 1
		if len(part) == 1 {
			attempts = aloneAttempts
		}
		outcomes, err := h.entities.upsert(ctx, h.blueprint, part, h.flags, attempts)
		if err == nil {
			h.some = true
		} else {
			h.spoke = h.spoke || ofEntities(err)
			outcomes = failed(part, Outcome{Err: err, RequestFailed: true, Alone: len(part) == 1})
		}
		copy(h.outcomes[s.from:], outcomes)
		if err != nil && len(part) > 1 {
			again = append(again, s)
		}
	}
	return again
}

// halves are those of each part, which holds several entities.
func halves(parts []span) []span {
	var all []span
	for _, s := range parts {
		half := (s.from + s.to) / 2
		all = append(all, span{s.from, half}, span{half, s.to})
	}
	return all
}

// ofEntities reports whether an answer of Port is about the entities of a request.
func ofEntities(err error) bool {
	switch statusOf(err) {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}
