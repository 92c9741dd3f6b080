package porttest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/port/porttest"
)

func TestIntegrationLife(t *testing.T) {
	t.Parallel()
	r := start(t)
	path := "/v1/integration/my-integration"
	r.call("GET", path+"?oceanCoreVersion=0.48.12&isPolling=false", "").says(404, "my-integration")
	r.call("PATCH", path, `{}`).says(404, "my-integration")
	r.call("PATCH", path+"/config", `{"config":{}}`).says(404, "my-integration")
	r.call("PATCH", path+"/resync-state", `{}`).says(404, "my-integration")
	r.call("DELETE", path, "").says(404, "my-integration")
	r.wantViolations(0)

	create := `{"installationId":"my-integration","installationAppType":"bitbucket-cloud","version":"1.2.3","changelogDestination":{},"config":{"resources":[]},"actionsProcessingEnabled":false,"createPortResourcesOrigin":"Default"}`
	r.call("POST", "/v1/integration", create).want(201)
	r.call("POST", "/v1/integration", create).says(409, "exists")
	record := r.call("GET", path, "").want(200).body["integration"].(map[string]any)
	equal(t, "installationType", record["installationType"], any("OnPrem"))
	equal(t, "version", record["version"], any("1.2.3"))
	if record["logAttributes"].(map[string]any)["ingestUrl"] == nil || record["metricAttributes"].(map[string]any)["ingestUrl"] == nil {
		t.Errorf("got %v, want ingest URLs", record)
	}

	r.call("PATCH", path, `{"title":"T","arePortResourcesInitialized":true,"processingMode":"ocean-core","incrementalSyncEnabled":false}`).want(200)
	r.call("PATCH", path+"/config", `{"config":{"createMissingRelatedEntities":false}}`).want(200)
	r.call("PATCH", path+"/resync-state", `{"status":"running","lastResyncStart":"2026-11-22T10:00:00Z","lastResyncEnd":null,"nextResync":null,"intervalInMinuets":null}`).want(200)
	r.call("PATCH", path+"/resync-state", `{"status":"completed","lastResyncEnd":"2026-11-22T10:01:00Z"}`).want(200)
	stored, found := r.Integration("my-integration")
	if !found {
		t.Fatal("got no integration")
	}
	equal(t, "config", fmt.Sprint(stored["config"]), "map[createMissingRelatedEntities:false]")
	equal(t, "state", fmt.Sprint(stored["resyncState"]), "map[intervalInMinuets:<nil> lastResyncEnd:2026-11-22T10:01:00Z lastResyncStart:2026-11-22T10:00:00Z nextResync:<nil> status:completed]")
	equal(t, "initialized", stored["arePortResourcesInitialized"], any(true))
	equal(t, "list", r.call("GET", "/v1/integration?actionsProcessingEnabled=false", "").want(200).column("integrations", "installationId"), "my-integration")
	r.call("DELETE", path, "").want(200)
	r.call("GET", path, "").says(404, "my-integration")
}

func TestIntegrationRefused(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.PutIntegration("i", map[string]any{"installationType": "Saas", "config": nil})
	tests := []struct{ name, method, path, body, says string }{
		{"no type", "POST", "/v1/integration", `{"installationId":"a"}`, "installationAppType"},
		{"slash", "POST", "/v1/integration", `{"installationId":"a/b","installationAppType":"x"}`, "pattern"},
		{"unknown key", "POST", "/v1/integration", `{"installationId":"a","installationAppType":"x","kind":1}`, "kind"},
		{"config without selector", "PATCH", "/v1/integration/i/config", `{"config":{"resources":[{"kind":"k","port":{"entity":{"mappings":[]}}}]}}`, "selector"},
		{"config without identifier", "PATCH", "/v1/integration/i/config", `{"config":{"resources":[{"kind":"k","selector":{},"port":{"entity":{"mappings":{"blueprint":"b"}}}}]}}`, "mappings"},
		{"bare config", "PATCH", "/v1/integration/i/config", `{"resources":[]}`, "config"},
		{"config list", "PATCH", "/v1/integration/i/config", `{"config":[]}`, "object"},
		{"changelog destination", "PATCH", "/v1/integration/i", `{"changelogDestination":{"type":"MAIL"}}`, "changelogDestination"},
		{"state", "PATCH", "/v1/integration/i/resync-state", `{"status":"done"}`, "allowed values"},
		{"state key", "PATCH", "/v1/integration/i/resync-state", `{"intervalInMinutes":1}`, "intervalInMinutes"},
		{"running without a start", "PATCH", "/v1/integration/i/resync-state", `{"status":"running","lastResyncEnd":"2026-11-22T10:00:00Z"}`, "lastResyncStart"},
		{"running with a null start", "PATCH", "/v1/integration/i/resync-state", `{"status":"running","lastResyncStart":null}`, "lastResyncStart"},
		{"completed without an end", "PATCH", "/v1/integration/i/resync-state", `{"status":"completed"}`, "lastResyncEnd"},
		{"failed without an end", "PATCH", "/v1/integration/i/resync-state", `{"status":"failed","lastResyncStart":"2026-11-22T10:00:00Z"}`, "lastResyncEnd"},
		{"aborted without an end", "PATCH", "/v1/integration/i/resync-state", `{"status":"aborted","lastResyncEnd":null}`, "lastResyncEnd"},
		{"patch of an unknown key", "PATCH", "/v1/integration/i", `{"resyncState":{}}`, "resyncState"},
		{"patch of a type", "PATCH", "/v1/integration/i", `{"installationAppType":null}`, "installationAppType"},
		{"patch of the mode", "PATCH", "/v1/integration/i", `{"processingMode":"lakehouse"}`, "processingMode"},
		{"patch of a flag", "PATCH", "/v1/integration/i", `{"incrementalSyncEnabled":"no"}`, "incrementalSyncEnabled"},
		{"state time", "PATCH", "/v1/integration/i/resync-state", `{"lastResyncEnd":"now"}`, "date-time"},
		{"parameter", "GET", "/v1/integration/i?verbose=1", "", "verbose"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.t = t
			r.call(tt.method, tt.path, tt.body).says(422, tt.says)
		})
	}
	r.t = t
	r.wantViolations(len(tests))
	stored, _ := r.Integration("i")
	equal(t, "type", stored["installationType"], any("Saas"))
	equal(t, "config", stored["config"], any(nil))
	equal(t, "state", stored["resyncState"], any(nil))
	stored["installationType"] = "changed"
	again, _ := r.Integration("i")
	equal(t, "type in the store", again["installationType"], any("Saas"))
}

func TestSkipResyncIsInTheJournal(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.PutIntegration("i", nil)
	req, err := http.NewRequestWithContext(t.Context(), "PATCH", r.base+"/v1/integration/i/config", strings.NewReader(`{"config":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", r.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("x-skip-resync", "true")
	r.send(req).want(200)
	equal(t, "header", r.Writes()[0].RequestHeader.Get("x-skip-resync"), "true")
	r.wantViolations(0)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.PutIntegration("i", nil)
	r.AllowClient("member", "m", porttest.Member)
	r.AllowClient("moderator", "m", porttest.Moderator)
	r.login("member", "m")
	r.call("GET", "/v1/integration/i", "").says(403, "moderator")
	r.call("GET", "/v1/integration", "").says(403, "moderator")
	for _, path := range []string{"/i/logs", "/integration_i/syncMetrics", "/integration_i/syncsMetadata"} {
		r.call("GET", "/v1/integration"+path, "").says(403, "moderator")
	}
	r.call("GET", "/v1/blueprints", "").want(200)
	r.begin("e")
	r.login("moderator", "m")
	r.call("GET", "/v1/integration/integration_i/syncsMetadata", "").want(200)
	r.call("GET", "/v1/integration/i", "").want(200)
	r.wantViolations(0)
}

func TestOrganization(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.Configure(porttest.Options{FeatureFlags: []string{"USE_PROVISIONED_DEFAULTS"}})
	got := r.call("GET", "/v1/organization", "").want(200).body["organization"].(map[string]any)
	equal(t, "flags", got["featureFlags"], any([]any{"USE_PROVISIONED_DEFAULTS"}))
	equal(t, "provision", len(r.call("GET", "/v1/integration/provision-enabled", "").want(200).list("integrations")), 0)
}
