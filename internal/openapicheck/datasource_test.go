package openapicheck_test

import (
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/port/porttest"
)

// syncMetrics is what is sent of one resource of the integration "mine".
const syncMetrics = `{"integrationType":"bitbucket-cloud","installationType":"OnPrem","executionMode":"single_process","integrationIdentifier":"mine",` +
	`"integrationVersion":"1.2.3","oceanVersion":"1.2.3","kindIdentifier":"repository-0","kind":"repository","kindIndex":0,"eventId":"e","syncState":"syncing",` +
	`"blueprint":"\"svc\"","metrics":{"phase":{"resync":{"success":1,"duration_seconds":12.3},"extract":{"object_count_type":{"raw_extracted":{"object_count":120}}},` +
	`"delete":{"object_count_type":{"deleted":{"object_count":3}}}}}}`

// dataSource sends what Port's Data sources page is made of and reads it back.
func (w *walker) dataSource(s *porttest.Server) {
	w.t.Helper()
	const resyncState, examples = "PATCH /v1/integration/mine/resync-state", "POST /v1/integration/mine/kinds/repository/examples"
	const metrics, heartbeat, logs = "POST /ingest/metrics/mine/syncMetrics", "POST /ingest/metrics/mine/heartbeat", "POST /ingest/logs/mine"
	const one = "PUT /ingest/metrics/mine/syncMetrics/resync/e/kind/repository-0"
	const line = `{"logs":[{"message":"m","level":"ERROR","timestamp":"2026-11-22T10:00:00.000000Z","extra":{"event_id":"e"}}]}`
	w.send(resyncState, `{"status":"running","lastResyncStart":"2026-11-22T10:00:00Z","lastResyncEnd":null,"nextResync":null,"intervalInMinuets":null}`, 404)
	w.send(logs, line, 404)
	w.send(metrics, `{"syncKindsMetrics":[`+syncMetrics+`]}`, 404)
	s.PutIntegration("mine", nil)
	w.get("/v1/integration/mine/logs", 200)
	w.get("/v1/integration/integration_mine/syncMetrics", 200)
	w.get("/v1/integration/integration_mine/syncsMetadata", 200)
	w.send(resyncState, `{"status":"running","lastResyncStart":"2026-11-22T10:00:00Z","lastResyncEnd":null,"nextResync":null,"intervalInMinuets":null}`, 200)
	w.send(one, `{"syncKindMetrics":`+syncMetrics+`}`, 404)
	w.send(metrics, `{"syncKindsMetrics":[`+syncMetrics+`]}`, 200)
	w.send(one, `{"syncKindMetrics":`+strings.Replace(syncMetrics, "syncing", "completed", 1)+`}`, 200)
	w.send(heartbeat, `{"eventId":"e"}`, 200)
	w.send(logs, line, 200)
	w.send(examples, `{"examples":[{"slug":"a"}]}`, 200)
	w.send(resyncState, `{"status":"completed","lastResyncEnd":"2026-11-22T10:01:00Z"}`, 200)
	w.get("/v1/integration/mine/logs?limit=300&levels=ERROR&levels=FATAL&etl_phases=load&kinds=repository&event_id=e&timestamp=2026-11-22T11:00:00Z&direction=down&log_id=log_1", 200)
	w.get("/v1/integration/mine/logs?log_id=none", 404)
	w.get("/v1/integration/none/logs", 404)
	w.get("/v1/integration/none/syncMetrics", 404)
	w.get("/v1/integration/none/syncsMetadata", 404)
	got := fmt.Sprint(w.get("/v1/integration/integration_mine/syncMetrics?resyncId=e", 200)["count"],
		w.get("/v1/integration/integration_mine/syncsMetadata", 200)["count"])
	if want := "1 1"; got != want {
		w.t.Errorf("got %s kinds and resyncs, want %s", got, want)
	}
	w.get("/v1/integration/provision-enabled", 200)
	w.send("DELETE /v1/integration/mine", "", 200)
}
