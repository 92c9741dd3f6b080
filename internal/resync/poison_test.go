package resync_test

import (
	"fmt"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

// One entity at which Port fails is rejected and named; what shared its request is stored.
func TestPoisonEntity(t *testing.T) {
	t.Parallel()
	m := mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', properties: {language: .language}}`))
	for _, c := range []struct {
		status   int
		poison   []string
		requests int // that write, at most
	}{
		{500, []string{"r00"}, 22},
		{500, []string{"r07"}, 22},
		{503, []string{"r19"}, 22},
		{500, []string{"r05", "r13"}, 32},
		{400, []string{"r07"}, 12},
		{400, []string{"r05", "r06", "r13"}, 22},
	} {
		t.Run(fmt.Sprint(c.status, c.poison), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, numbered(25))
				for _, id := range c.poison {
					w.port.Fault(porttest.Fault{Entity: id, Status: c.status, Times: -1, Body: `{"ok":false,"error":"internal_error","message":"something went wrong"}`})
				}
				r := w.sync(m).ended(report.Partial).is(want{"created": 25 - len(c.poison), "rejected": len(c.poison), "updated": 0})
				p := r.problem("error: mapping.yml:4:", told(c.status), "something went wrong", "repo/"+c.poison[0]+" from", "x-trace-id")
				if p.Count != len(c.poison) {
					t.Errorf("count: got %d, want %d", p.Count, len(c.poison))
				}
				if len(r.writes) > c.requests {
					t.Errorf("requests: got %d, want at most %d", len(r.writes), c.requests)
				}
				w.port.ClearFaults()
				w.sync(m).ended(report.Success).is(want{"created": len(c.poison), "unchanged": 25 - len(c.poison)})
				w.sync(m).ended(report.Success).is(want{"writes": 0})
			})
		})
	}
}

func told(status int) string {
	if status == 400 {
		return `Port refused the entity of blueprint "repo"`
	}
	return `Port fails at an entity of blueprint "repo", and took the others of its request`
}

// Where Port is down for good, a batch is not taken apart to the last entity, and the
// next ones into no more than two halves.
func TestPortIsDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(100))
		w.port.Fault(porttest.Fault{Path: "/v1/blueprints/repo/entities/bulk", Status: 502, Times: -1})
		start := time.Now()
		r := w.sync(mapped(entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"'}`))).ended(report.Failed)
		r.is(want{"rejected": 100, "created": 0})
		sizes := map[int]int{}
		for _, ids := range r.batches("repo") {
			sizes[len(ids)]++
		}
		if sizes[20] != 25 {
			t.Errorf("requests of 20 entities: got %d, want 5 for each of 5 batches", sizes[20])
		}
		// 2, 4 and 8 parts of each batch that was under way by then
		if len(r.writes) > 25+5*14 || time.Since(start) > 5*time.Minute {
			t.Errorf("got %d requests in %s: %v", len(r.writes), time.Since(start), sizes)
		}
		r.problem("error", "Port did not take a request", "502")
	})
}
