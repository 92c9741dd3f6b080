package porttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// This file has the routes through which a running integration reports how it goes.
// None of them is in Port's published document: shapes and answers are those that
// Port's own framework sends and reads.
// Source: port_ocean 0.48, clients/port/mixins/integrations.py and helpers/metric,
// read 2026-11.

// resync is one run, as its metrics tell it.
type resync struct {
	event string
	kinds []*kindSync // in the order of their first metrics
}

// kindSync is the last that was sent of one resource, or of a pseudo-kind.
type kindSync struct {
	sent                 map[string]any
	createdAt, updatedAt time.Time
}

func (k *kindSync) text(key string) string {
	text, _ := k.sent[key].(string)
	return text
}

// shippedLog is one line of the log as it was sent, and its place in it.
type shippedLog struct {
	id   string
	at   time.Time
	sent map[string]any
}

// pseudoKinds are the kind identifiers that belong to no resource of a mapping.
var pseudoKinds = []string{"__runtime__", "__reconciliation__", "__resync__"}

// takeSyncMetrics is POST {metrics}/syncMetrics: it begins a resync, or adds to one.
func (s *Server) takeSyncMetrics(c *call) answer {
	id := c.vars["identifier"]
	n := s.integrations[id]
	if n == nil {
		return noIntegration(id)
	}
	list, _ := c.object()["syncKindsMetrics"].([]any)
	for i, m := range list {
		if why := checkSyncMetrics(fmt.Sprintf("body/syncKindsMetrics/%d", i), id, m.(map[string]any)); why != "" {
			return violate(http.StatusUnprocessableEntity, "invalid_request", why)
		}
	}
	for _, m := range list {
		sent := m.(map[string]any)
		event, _ := sent["eventId"].(string)
		of := n.resync(event)
		if of == nil {
			of = &resync{event: event}
			n.syncs = append(n.syncs, of)
		}
		of.put(sent)
	}
	return done()
}

// replaceSyncMetrics is PUT {metrics}/syncMetrics/resync/{eventId}/kind/{kindIdentifier}.
func (s *Server) replaceSyncMetrics(c *call) answer {
	id := c.vars["identifier"]
	n := s.integrations[id]
	if n == nil {
		return noIntegration(id)
	}
	sent, _ := c.object()["syncKindMetrics"].(map[string]any)
	const at = "body/syncKindMetrics"
	why := checkSyncMetrics(at, id, sent)
	for _, key := range []string{"eventId", "kindIdentifier"} {
		if why == "" && sent[key] != c.vars[key] {
			why = fmt.Sprintf("%s/%s must be that of the path, %q", at, key, c.vars[key])
		}
	}
	if why != "" {
		return violate(http.StatusUnprocessableEntity, "invalid_request", why)
	}
	of := n.resync(c.vars["eventId"])
	if of == nil {
		return violate(http.StatusNotFound, "not_found", fmt.Sprintf("resync %q has not begun", c.vars["eventId"]))
	}
	of.put(sent)
	return done()
}

// checkSyncMetrics returns what no schema can say of metrics, or "".
func checkSyncMetrics(at, integration string, m map[string]any) string {
	if m["integrationIdentifier"] != integration {
		return fmt.Sprintf("%s/integrationIdentifier must be %q", at, integration)
	}
	identifier, _ := m["kindIdentifier"].(string)
	index, _ := m["kindIndex"].(json.Number)
	if want := fmt.Sprintf("%s-%s", m["kind"], index); identifier != want && !contains(pseudoKinds, identifier) {
		return fmt.Sprintf("%s/kindIdentifier must be %q, of kind and kindIndex, or one of %q", at, want, pseudoKinds)
	}
	return ""
}

// resync finds a resync by its event; nil means none.
func (n *integration) resync(event string) *resync {
	i := slices.IndexFunc(n.syncs, func(of *resync) bool { return of.event == event })
	if i < 0 {
		return nil
	}
	return n.syncs[i]
}

func (of *resync) put(sent map[string]any) {
	at := now()
	for _, k := range of.kinds {
		if k.sent["kindIdentifier"] == sent["kindIdentifier"] {
			k.sent, k.updatedAt = sent, at
			return
		}
	}
	of.kinds = append(of.kinds, &kindSync{sent: sent, createdAt: at, updatedAt: at})
}

// takeHeartbeat is POST {metrics}/heartbeat.
func (s *Server) takeHeartbeat(c *call) answer {
	n := s.integrations[c.vars["identifier"]]
	if n == nil {
		return noIntegration(c.vars["identifier"])
	}
	event, _ := c.object()["eventId"].(string)
	n.heartbeats[event]++
	return done()
}

// takeLogs is POST {logs}.
func (s *Server) takeLogs(c *call) answer {
	n := s.integrations[c.vars["identifier"]]
	if n == nil {
		return noIntegration(c.vars["identifier"])
	}
	list, _ := c.object()["logs"].([]any)
	for _, line := range list {
		sent := line.(map[string]any)
		text, _ := sent["timestamp"].(string)
		at, _ := parseTime(text)
		n.logs = append(n.logs, shippedLog{id: fmt.Sprintf("log_%d", len(n.logs)+1), at: at, sent: sent})
	}
	return done()
}

// takeExamples is POST /v1/integration/{id}/kinds/{kind}/examples.
func (s *Server) takeExamples(c *call) answer {
	n := s.integrations[c.vars["identifier"]]
	if n == nil {
		return noIntegration(c.vars["identifier"])
	}
	list, _ := c.object()["examples"].([]any)
	n.examples[c.vars["kind"]] = append(n.examples[c.vars["kind"]], list...)
	return done()
}
