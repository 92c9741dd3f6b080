package porttest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// integration is a record, and what was sent about it besides the record.
type integration struct {
	record     map[string]any
	syncs      []*resync // in the order of their first metrics
	logs       []shippedLog
	examples   map[string][]any // by kind
	heartbeats map[string]int   // by event
}

// PutIntegration stores an integration record. Keys that every record has and
// this one has not are added, as for an installation outside Port ("OnPrem").
// What was sent about a record of this identifier before is kept.
func (s *Server) PutIntegration(id string, record map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	given, _ := plain(record).(map[string]any)
	s.putIntegration(id, given)
}

func (s *Server) putIntegration(id string, given map[string]any) {
	n := s.integrations[id]
	if n == nil {
		n = &integration{examples: map[string][]any{}, heartbeats: map[string]int{}}
		s.integrations[id] = n
	}
	n.record = completeIntegration(id, given)
}

// Integration returns an integration record as plain JSON, a copy. It has ingest
// URLs only when a test put them there: the others depend on who asks.
func (s *Server) Integration(id string) (map[string]any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.integrations[id]
	if n == nil {
		return nil, false
	}
	return plain(n.record).(map[string]any), true
}

// completeIntegration adds the keys that Port's answers have, as read in the
// code of Port's framework (port_ocean 0.48): the published document has no
// schema of this answer.
func completeIntegration(id string, given map[string]any) map[string]any {
	at := wireTime(time.Now())
	record := map[string]any{
		"_id":                         "integration_" + id,
		"installationId":              id,
		"installationAppType":         "bitbucket-cloud",
		"installationType":            "OnPrem",
		"version":                     "0.0.0",
		"title":                       nil,
		"config":                      map[string]any{},
		"resyncState":                 nil,
		"statusInfo":                  nil,
		"changelogDestination":        map[string]any{},
		"actionsProcessingEnabled":    false,
		"incrementalSyncEnabled":      false,
		"arePortResourcesInitialized": false,
		"createPortResourcesOrigin":   nil,
		"processingMode":              "ocean-core",
		"spec":                        map[string]any{"appSpec": map[string]any{}},
		"createdAt":                   at,
		"updatedAt":                   at,
	}
	maps.Copy(record, given)
	return record
}

// shown is the record as this request is answered: its ingest URLs point back to
// the server that answers.
func (s *Server) shown(c *call, id string) map[string]any {
	record := maps.Clone(s.integrations[id].record)
	if s.options.NoIngestURLs {
		return record
	}
	scheme := "http"
	if c.TLS != nil || c.URL.Scheme == "https" {
		scheme = "https"
	}
	for key, what := range map[string]string{"logAttributes": "logs", "metricAttributes": "metrics", "ingestAttributes": "lake"} {
		if _, given := record[key]; !given {
			record[key] = map[string]any{"ingestUrl": scheme + "://" + c.Host + "/ingest/" + what + "/" + url.PathEscape(id)}
		}
	}
	return record
}

func (s *Server) organization(*call) answer {
	return ok(http.StatusOK, "organization", map[string]any{
		"id": "org_porttest", "name": "porttest", "featureFlags": append([]string{}, s.options.FeatureFlags...),
	})
}

func (s *Server) provisionEnabled(*call) answer {
	return ok(http.StatusOK, "integrations", []any{})
}

// mayRead refuses a member: see Role.
func (c *call) mayRead() *answer {
	if c.role != Member {
		return nil
	}
	a := refuse(http.StatusForbidden, "forbidden", "reading integrations needs the role moderator or admin")
	return &a
}

func (s *Server) listIntegrations(c *call) answer {
	if refusal := c.mayRead(); refusal != nil {
		return *refusal
	}
	list := []any{}
	for _, id := range sortedKeys(s.integrations) {
		record := s.integrations[id].record
		want := c.query.Get("actionsProcessingEnabled")
		if want == "" || fmt.Sprint(record["actionsProcessingEnabled"]) == want {
			list = append(list, s.shown(c, id))
		}
	}
	return ok(http.StatusOK, "integrations", list)
}

func (s *Server) readIntegration(c *call) answer {
	if refusal := c.mayRead(); refusal != nil {
		return *refusal
	}
	if c.query.Get("byField") == "logIngestId" {
		return violate(http.StatusUnprocessableEntity, "invalid_request", "the emulator has no log ingest ids")
	}
	return s.showIntegration(c, c.vars["identifier"], http.StatusOK)
}

func (s *Server) showIntegration(c *call, id string, status int) answer {
	if s.integrations[id] == nil {
		return noIntegration(id)
	}
	return ok(status, "integration", s.shown(c, id))
}

func noIntegration(id string) answer {
	return refuse(http.StatusNotFound, "not_found", fmt.Sprintf("integration %q was not found", id))
}

// createIntegration is POST /v1/integration.
func (s *Server) createIntegration(c *call) answer {
	id, _ := c.object()["installationId"].(string)
	if _, found := s.integrations[id]; found {
		return refuse(http.StatusConflict, "integration_already_exists", fmt.Sprintf("integration %q already exists", id))
	}
	s.putIntegration(id, c.object())
	return s.showIntegration(c, id, http.StatusCreated)
}

// patchIntegration replaces the keys that the body has.
func (s *Server) patchIntegration(c *call) answer {
	return s.changeIntegration(c, c.object())
}

func (s *Server) patchConfig(c *call) answer {
	return s.changeIntegration(c, map[string]any{"config": c.object()["config"]})
}

// patchResyncState merges the body into the record's resync state. A status comes
// with its time: without it the page would show that of another resync.
func (s *Server) patchResyncState(c *call) answer {
	var needed string
	switch status, _ := c.object()["status"].(string); status {
	case "running":
		needed = "lastResyncStart"
	case "completed", "failed", "aborted":
		needed = "lastResyncEnd"
	}
	if needed != "" && c.object()[needed] == nil {
		return violate(http.StatusUnprocessableEntity, "invalid_request", fmt.Sprintf("body must have %s with status %q", needed, c.object()["status"]))
	}
	state := map[string]any{}
	if n := s.integrations[c.vars["identifier"]]; n != nil {
		old, _ := n.record["resyncState"].(map[string]any)
		maps.Copy(state, old)
	}
	maps.Copy(state, c.object())
	return s.changeIntegration(c, map[string]any{"resyncState": state})
}

func (s *Server) changeIntegration(c *call, with map[string]any) answer {
	id := c.vars["identifier"]
	if n := s.integrations[id]; n != nil {
		maps.Copy(n.record, with)
		n.record["updatedAt"] = wireTime(time.Now())
	}
	return s.showIntegration(c, id, http.StatusOK)
}

func (s *Server) deleteIntegration(c *call) answer {
	id := c.vars["identifier"]
	if s.integrations[id] == nil {
		return noIntegration(id)
	}
	delete(s.integrations, id)
	return done()
}

// done is the answer of a route that has nothing to tell.
func done() answer {
	return answer{status: http.StatusOK, body: map[string]any{"ok": true}}
}
