package port

import (
	"context"
	"net/http"

	"port-bitbucket-exporter/internal/catalog"
)

// partAttempts is how often a part of a batch is sent: the whole batch had all attempts already.
const partAttempts = 2

// halving looks for the entities of a batch at which Port fails.
type halving struct {
	client    *Client
	blueprint string
	flags     Flags
	some      bool // some part got through
	alone     int  // entities that failed alone
}

// halve sends the parts of a batch that failed with an error, until each entity at
// which Port fails stands alone. An upsert may be repeated: storing an entity twice
// changes nothing.
func (c *Client) halve(ctx context.Context, blueprint string, batch []catalog.Entity, f Flags, err error) []Outcome {
	h := &halving{client: c, blueprint: blueprint, flags: f}
	outcomes := h.halves(ctx, batch, err)
	for i := range outcomes {
		o := &outcomes[i]
		o.Alone = o.Alone && h.some
		switch statusOf(o.Err) {
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
			o.RequestFailed = o.RequestFailed && !o.Alone // the answer is about the entity, since Port took others
		}
	}
	return outcomes
}

// halves sends a batch in two parts. When the first two entities that stand alone
// fail, and nothing has got through, Port is down: the rest is not sent, and no other
// batch of the run is halved.
func (h *halving) halves(ctx context.Context, batch []catalog.Entity, err error) []Outcome {
	var all []Outcome
	half := len(batch) / 2
	for _, part := range [][]catalog.Entity{batch[:half], batch[half:]} {
		if ctx.Err() != nil || h.isDown() {
			all = append(all, failed(part, Outcome{Err: err, RequestFailed: true})...)
			continue
		}
		all = append(all, h.part(ctx, part)...)
	}
	return all
}

func (h *halving) part(ctx context.Context, part []catalog.Entity) []Outcome {
	outcomes, err := h.client.upsert(ctx, h.blueprint, part, h.flags, partAttempts)
	switch {
	case err == nil:
		h.some = true
		return outcomes
	case len(part) > 1:
		return h.halves(ctx, part, err)
	}
	h.alone++
	if h.isDown() {
		h.client.down.Store(true)
	}
	return failed(part, Outcome{Err: err, RequestFailed: true, Alone: true})
}

// isDown reports whether Port is down: two entities failed alone, and nothing got through.
func (h *halving) isDown() bool { return !h.some && h.alone > 1 }
