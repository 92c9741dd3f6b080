package porttest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/port/porttest"
)

const (
	metricsPath = "/ingest/metrics/i/syncMetrics"
	logsPath    = "/ingest/logs/i"
)

// metrics is what is sent of one resource, or of a pseudo-kind, as JSON.
func metrics(event, kindIdentifier, kind string, index int, state, phases string) string {
	return fmt.Sprintf(`{"integrationType":"bitbucket-cloud","installationType":"OnPrem","executionMode":"single_process",`+
		`"integrationIdentifier":"i","integrationVersion":"1.2.3","oceanVersion":"1.2.3","kindIdentifier":%q,"kind":%q,"kindIndex":%d,`+
		`"eventId":%q,"syncState":%q,"blueprint":"bitbucketRepository","metrics":{"phase":{%s}}}`, kindIdentifier, kind, index, event, state, phases)
}

const phases = `"resync":{"duration_seconds":1.5,"success":1},"extract":{"object_count_type":{"raw_extracted":{"object_count":12}}},` +
	`"load":{"object_count_type":{"loaded":{"object_count":7},"failed":{"object_count":0}}}`

// begin sends the first metrics of a resync with two resources.
func (r *raw) begin(event string) {
	r.t.Helper()
	r.call("POST", metricsPath, `{"syncKindsMetrics":[`+metrics(event, "repository-0", "repository", 0, "pending", "")+`,`+
		metrics(event, "pull-request-1", "pull-request", 1, "pending", "")+`]}`).want(200)
}

func put(event, kindIdentifier string) string {
	return metricsPath + "/resync/" + url.PathEscape(event) + "/kind/" + url.PathEscape(kindIdentifier)
}

func TestDataSource(t *testing.T) {
	t.Parallel()
	r := start(t)
	equal(t, "version of none", r.DataSource("i").Version, "")
	r.PutIntegration("i", map[string]any{"version": "1.2.3", "title": "Mine", "config": map[string]any{"resources": []any{}}})
	r.call("PATCH", "/v1/integration/i/resync-state", `{"status":"running","lastResyncStart":"2026-11-22T10:00:00Z","lastResyncEnd":null}`).want(200)
	r.begin("e/1")
	r.call("PUT", put("e/1", "repository-0"), `{"syncKindMetrics":`+metrics("e/1", "repository-0", "repository", 0, "completed", phases)+`}`).want(200)
	r.call("POST", metricsPath, `{"syncKindsMetrics":[`+metrics("e/1", "__runtime__", "__runtime__", 0, "syncing", "")+`]}`).want(200)
	r.begin("e2")
	r.call("POST", "/ingest/metrics/i/heartbeat", `{"eventId":"e2"}`).want(200)
	r.call("POST", "/ingest/metrics/i/heartbeat", `{"eventId":"e2"}`).want(200)
	r.call("POST", logsPath, `{"logs":[`+line("first", "INFO", "10:00:00.000001", "e2")+`,`+line("second", "FATAL", "10:00:01.000000", "e2")+`]}`).want(200)
	r.call("POST", "/v1/integration/i/kinds/pull-request/examples", `{"examples":[{"id":1},{"id":2}]}`).want(200)
	r.call("POST", "/v1/integration/i/kinds/pull-request/examples", `{"examples":[{"id":3}]}`).want(200)
	r.call("PATCH", "/v1/integration/i/resync-state", `{"status":"failed","lastResyncEnd":"2026-11-22T10:01:00Z"}`).want(200)
	r.wantViolations(0)
	equal(t, "writes", len(r.Writes()), 11)

	d := r.DataSource("i")
	equal(t, "type, version and title", []string{d.Type, d.Version, d.Title}, []string{"bitbucket-cloud", "1.2.3", "Mine"})
	equal(t, "config", fmt.Sprint(d.Config), "map[resources:[]]")
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	equal(t, "state", d.ResyncState, porttest.ResyncState{Status: "failed", Start: at, End: at.Add(time.Minute)})
	equal(t, "heartbeats", fmt.Sprint(d.Heartbeats), "map[e2:2]")
	equal(t, "examples", fmt.Sprint(d.Examples), "map[pull-request:[map[id:1] map[id:2] map[id:3]]]")
	equal(t, "logs", fmt.Sprint(d.Logs), "[{first INFO 2026-11-22 10:00:00.000001 +0000 UTC map[event_id:e2]} {second FATAL 2026-11-22 10:00:01 +0000 UTC map[event_id:e2]}]")
	equal(t, "syncs", fmt.Sprint(d.Syncs), "[{e/1 syncing map[__runtime__:{__runtime__ 0 bitbucketRepository syncing map[] 0 0} "+
		"pull-request-1:{pull-request 1 bitbucketRepository pending map[] 0 0} "+
		"repository-0:{repository 0 bitbucketRepository completed map[extract:map[raw_extracted:12] load:map[failed:0 loaded:7]] 1 1.5}]} "+
		"{e2 pending map[pull-request-1:{pull-request 1 bitbucketRepository pending map[] 0 0} repository-0:{repository 0 bitbucketRepository pending map[] 0 0}]}]")
	d.Examples["pull-request"][0].(map[string]any)["id"] = "changed"
	d.Logs[0].Extra["event_id"] = "changed"
	again := r.DataSource("i")
	equal(t, "example and log in the store", fmt.Sprint(again.Examples["pull-request"][0], again.Logs[0].Extra), "map[id:1] map[event_id:e2]")
	r.call("DELETE", "/v1/integration/i", "").want(200)
	equal(t, "syncs after a delete", len(r.DataSource("i").Syncs), 0)
}

// line is one log as JSON, of 2026-11-22.
func line(message, level, clock, event string) string {
	return fmt.Sprintf(`{"message":%q,"level":%q,"timestamp":"2026-11-22T%sZ","extra":{"event_id":%q}}`, message, level, clock, event)
}

func TestIngestURLs(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.PutIntegration("i:1", nil)
	r.PutIntegration("given", map[string]any{"logAttributes": map[string]any{"ingestUrl": "https://elsewhere.test/logs"}, "metricAttributes": nil})
	urls := func(id string) []string {
		record := r.call("GET", "/v1/integration/"+id, "").want(200).body["integration"].(map[string]any)
		var all []string
		for _, key := range []string{"logAttributes", "metricAttributes", "ingestAttributes"} {
			attributes, _ := record[key].(map[string]any)
			all = append(all, fmt.Sprint(attributes["ingestUrl"]))
		}
		return all
	}
	own := []string{r.base + "/ingest/logs/i:1", r.base + "/ingest/metrics/i:1", r.base + "/ingest/lake/i:1"}
	equal(t, "own", urls("i:1"), own)
	equal(t, "given", urls("given"), []string{"https://elsewhere.test/logs", "<nil>", r.base + "/ingest/lake/given"})
	r.call("POST", strings.TrimPrefix(own[0], r.base), `{"logs":[`+line("m", "INFO", "10:00:00.000000", "e")+`]}`).want(200)
	equal(t, "logs", len(r.DataSource("i:1").Logs), 1)

	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.port.test/v1/integration/i:1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", r.token)
	client := r.client
	r.client = &http.Client{Transport: r.RoundTripper()}
	record := r.send(req).want(200).body["integration"].(map[string]any)
	equal(t, "over TLS", fmt.Sprint(record["logAttributes"]), "map[ingestUrl:https://api.port.test/ingest/logs/i:1]")
	r.client = client

	r.Configure(porttest.Options{NoIngestURLs: true})
	equal(t, "without", urls("i:1"), []string{"<nil>", "<nil>", "<nil>"})
	equal(t, "given, without", urls("given"), []string{"https://elsewhere.test/logs", "<nil>", "<nil>"})
	r.wantViolations(0)
}
