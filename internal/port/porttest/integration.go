package porttest

import (
	"fmt"
	"maps"
	"net/http"
	"time"
)

// PutIntegration stores an integration record. Keys that every record has and
// this one has not are added, as for an installation outside Port ("OnPrem").
func (s *Server) PutIntegration(id string, record map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	given, _ := plain(record).(map[string]any)
	s.integrations[id] = completeIntegration(id, given)
}

// Integration returns an integration record as plain JSON, a copy.
func (s *Server) Integration(id string) (map[string]any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	record, found := s.integrations[id]
	if !found {
		return nil, false
	}
	return plain(record).(map[string]any), true
}

// completeIntegration adds the keys that Port's answers have, as read in the
// code of Port's framework (port_ocean 0.48): the published document has no
// schema of this answer.
func completeIntegration(id string, given map[string]any) map[string]any {
	ingest := func(what string) map[string]any {
		return map[string]any{"ingestUrl": "https://ingest.porttest.invalid/" + what + "/" + id}
	}
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
		"logAttributes":               ingest("logs"),
		"metricAttributes":            ingest("metrics"),
		"ingestAttributes":            ingest("lake"),
		"createdAt":                   at,
		"updatedAt":                   at,
	}
	maps.Copy(record, given)
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
		record := s.integrations[id]
		want := c.query.Get("actionsProcessingEnabled")
		if want == "" || fmt.Sprint(record["actionsProcessingEnabled"]) == want {
			list = append(list, record)
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
	return s.showIntegration(c.vars["identifier"], http.StatusOK)
}

func (s *Server) showIntegration(id string, status int) answer {
	record, found := s.integrations[id]
	if !found {
		return refuse(http.StatusNotFound, "not_found", fmt.Sprintf("integration %q was not found", id))
	}
	return ok(status, "integration", record)
}

// createIntegration is POST /v1/integration.
func (s *Server) createIntegration(c *call) answer {
	id, _ := c.object()["installationId"].(string)
	if _, found := s.integrations[id]; found {
		return refuse(http.StatusConflict, "integration_already_exists", fmt.Sprintf("integration %q already exists", id))
	}
	s.integrations[id] = completeIntegration(id, c.object())
	return s.showIntegration(id, http.StatusCreated)
}

// patchIntegration replaces the keys that the body has.
func (s *Server) patchIntegration(c *call) answer {
	return s.changeIntegration(c.vars["identifier"], c.object())
}

func (s *Server) patchConfig(c *call) answer {
	return s.changeIntegration(c.vars["identifier"], map[string]any{"config": c.object()["config"]})
}

// patchResyncState merges the body into the record's resync state.
func (s *Server) patchResyncState(c *call) answer {
	id := c.vars["identifier"]
	state := map[string]any{}
	if old, ok := s.integrations[id]["resyncState"].(map[string]any); ok {
		maps.Copy(state, old)
	}
	maps.Copy(state, c.object())
	return s.changeIntegration(id, map[string]any{"resyncState": state})
}

func (s *Server) changeIntegration(id string, with map[string]any) answer {
	if record, found := s.integrations[id]; found {
		maps.Copy(record, with)
		record["updatedAt"] = wireTime(time.Now())
	}
	return s.showIntegration(id, http.StatusOK)
}

func (s *Server) deleteIntegration(c *call) answer {
	id := c.vars["identifier"]
	if _, found := s.integrations[id]; !found {
		return s.showIntegration(id, http.StatusNotFound)
	}
	delete(s.integrations, id)
	return answer{status: http.StatusOK, body: map[string]any{"ok": true}}
}
