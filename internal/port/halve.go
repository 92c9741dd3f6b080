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

// halving looks for the entities of a batch at which Port fails.
type halving struct {
	client    *Client
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
func (c *Client) halve(ctx context.Context, blueprint string, batch []catalog.Entity, f Flags, err error) []Outcome {
	h := &halving{client: c, blueprint: blueprint, flags: f, batch: batch, spoke: ofEntities(err)}
	h.outcomes = failed(batch, Outcome{Err: err, RequestFailed: true})
	_, down := c.down.Load(blueprint)
	for level := halves([]span{{0, len(batch)}}); len(level) > 0 && ctx.Err() == nil; {
		again := h.send(ctx, level)
		if !h.some && !h.spoke && ctx.Err() == nil && (down || len(level) >= downParts || len(again) == 0) {
			c.down.Store(blueprint, true)
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
		outcomes, err := h.client.upsert(ctx, h.blueprint, part, h.flags, attempts)
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
