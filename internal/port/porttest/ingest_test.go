package porttest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestIngestRefused(t *testing.T) {
	t.Parallel()
	good := metrics("e", "repository-0", "repository", 0, "syncing", phases)
	begin := func(m string) string { return `{"syncKindsMetrics":[` + m + `]}` }
	change := func(old, new string) string {
		after := strings.Replace(good, old, new, 1)
		if after == good {
			panic("nothing to replace: " + old)
		}
		return after
	}
	replace := func(m string) string { return `{"syncKindMetrics":` + m + `}` }
	logs := func(line string) string { return `{"logs":[` + line + `]}` }
	const fine = `{"message":"m","level":"INFO","timestamp":"2026-11-22T10:00:00.000000Z","extra":{}}`
	const heartbeat, examples = "/ingest/metrics/i/heartbeat", "/v1/integration/i/kinds/repository/examples"
	tests := []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"no metrics", "POST", metricsPath, `{"syncKindsMetrics":[]}`, 422, "less than 1"},
		{"metrics of one kind", "POST", metricsPath, replace(good), 422, "syncKindsMetrics"},
		{"key beside the metrics", "POST", metricsPath, `{"eventId":"e","syncKindsMetrics":[` + good + `]}`, 422, "eventId"},
		{"unknown key", "POST", metricsPath, begin(change(`"kindIndex"`, `"index":0,"kindIndex"`)), 422, "index"},
		{"missing key", "POST", metricsPath, begin(change(`"executionMode":"single_process",`, ``)), 422, "executionMode"},
		{"null blueprint", "POST", metricsPath, begin(change(`"blueprint":"bitbucketRepository"`, `"blueprint":null`)), 422, "blueprint"},
		{"index of a wrong type", "POST", metricsPath, begin(change(`"kindIndex":0`, `"kindIndex":"0"`)), 422, "kindIndex"},
		{"negative index", "POST", metricsPath, begin(change(`"kindIndex":0`, `"kindIndex":-1`)), 422, "kindIndex"},
		{"another index", "POST", metricsPath, begin(change(`"kindIndex":0`, `"kindIndex":1`)), 422, `"repository-1"`},
		{"another kind", "POST", metricsPath, begin(change(`"kind":"repository"`, `"kind":"project"`)), 422, "kindIdentifier"},
		{"unknown pseudo-kind", "POST", metricsPath, begin(change(`"repository-0"`, `"__load__"`)), 422, "kindIdentifier"},
		{"another integration", "POST", metricsPath, begin(change(`"integrationIdentifier":"i"`, `"integrationIdentifier":"j"`)), 422, "integrationIdentifier"},
		{"unknown state", "POST", metricsPath, begin(change(`"syncing"`, `"running"`)), 422, "syncState"},
		{"no phase", "POST", metricsPath, begin(change(`"phase"`, `"phases"`)), 422, "phase"},
		{"unknown phase", "POST", metricsPath, begin(change(`"extract"`, `"parse"`)), 422, "parse"},
		{"unknown key of the resync", "POST", metricsPath, begin(change(`"success"`, `"successful"`)), 422, "successful"},
		{"unknown type of count", "POST", metricsPath, begin(change(`"raw_extracted"`, `"extracted"`)), 422, "extracted"},
		{"bare count", "POST", metricsPath, begin(change(`{"object_count":12}`, `12`)), 422, "raw_extracted"},
		{"count of a wrong type", "POST", metricsPath, begin(change(`12`, `"12"`)), 422, "object_count"},
		{"second of two", "POST", metricsPath, `{"syncKindsMetrics":[` + good + `,` + change(`"kindIndex":0`, `"kindIndex":1`) + `]}`, 422, "syncKindsMetrics/1"},
		{"resync that has not begun", "PUT", put("e", "repository-0"), replace(good), 404, "has not begun"},
		{"another event in the path", "PUT", put("f", "repository-0"), replace(good), 422, "eventId"},
		{"another kind in the path", "PUT", put("e", "repository-1"), replace(good), 422, "kindIdentifier"},
		{"list for one kind", "PUT", put("e", "repository-0"), begin(good), 422, "syncKindMetrics"},
		{"bare metrics", "PUT", put("e", "repository-0"), good, 422, "syncKindMetrics"},
		{"metrics by PATCH", "PATCH", put("e", "repository-0"), replace(good), 404, "not found"},
		{"metrics with a parameter", "POST", metricsPath + "?a=b", begin(good), 422, "a"},
		{"heartbeat without event", "POST", heartbeat, `{}`, 422, "eventId"},
		{"heartbeat with more", "POST", heartbeat, `{"eventId":"e","at":1}`, 422, "at"},
		{"heartbeat of nothing", "POST", heartbeat, `{"eventId":""}`, 422, "eventId"},
		{"no logs", "POST", logsPath, `{"logs":[]}`, 422, "less than 1"},
		{"log of an unknown level", "POST", logsPath, logs(strings.Replace(fine, "INFO", "WARN", 1)), 422, "level"},
		{"log of a level in lower case", "POST", logsPath, logs(strings.Replace(fine, "INFO", "info", 1)), 422, "level"},
		{"log without a message", "POST", logsPath, logs(strings.Replace(fine, `"m"`, `""`, 1)), 422, "message"},
		{"log with a null message", "POST", logsPath, logs(strings.Replace(fine, `"m"`, `null`, 1)), 422, "message"},
		{"log without extra", "POST", logsPath, logs(strings.Replace(fine, `,"extra":{}`, ``, 1)), 422, "extra"},
		{"extra is a list", "POST", logsPath, logs(strings.Replace(fine, `{}`, `[]`, 1)), 422, "extra"},
		{"log with more", "POST", logsPath, logs(strings.Replace(fine, `"level"`, `"id":1,"level"`, 1)), 422, "id"},
		{"time in milliseconds", "POST", logsPath, logs(strings.Replace(fine, ".000000Z", ".000Z", 1)), 422, "timestamp"},
		{"time with an offset", "POST", logsPath, logs(strings.Replace(fine, "Z", "+00:00", 1)), 422, "timestamp"},
		{"no such day", "POST", logsPath, logs(strings.Replace(fine, "11-22", "11-31", 1)), 422, "timestamp"},
		{"log too long", "POST", logsPath, logs(strings.Replace(fine, `"m"`, `"`+strings.Repeat("m", 1<<20)+`"`, 1)), 413, "1 MiB"},
		{"no examples", "POST", examples, `{"examples":[]}`, 422, "less than 1"},
		{"six examples", "POST", examples, `{"examples":[{},{},{},{},{},{}]}`, 422, "more than 5"},
		{"example is text", "POST", examples, `{"examples":["a"]}`, 422, "examples/0"},
		{"bare examples", "POST", examples, `[{}]`, 422, "object"},
		{"examples with more", "POST", examples, `{"examples":[{}],"kind":"a"}`, 422, "kind"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			r.t = t
			r.PutIntegration("i", nil)
			r.call(tt.method, tt.path, tt.body).says(tt.status, tt.says)
			r.wantViolations(1)
			d := r.DataSource("i")
			if n := len(d.Syncs) + len(d.Logs) + len(d.Examples) + len(d.Heartbeats); n != 0 {
				t.Errorf("got %+v, want nothing kept", d)
			}
		})
	}
}

// The ingest routes want the token of all others, and an integration that is there.
func TestIngestOfWhom(t *testing.T) {
	t.Parallel()
	r := start(t)
	sent := [][3]string{
		{"POST", metricsPath, `{"syncKindsMetrics":[` + metrics("e", "a-0", "a", 0, "pending", "") + `]}`},
		{"PUT", put("e", "a-0"), `{"syncKindMetrics":` + metrics("e", "a-0", "a", 0, "pending", "") + `}`},
		{"POST", "/ingest/metrics/i/heartbeat", `{"eventId":"e"}`},
		{"POST", logsPath, `{"logs":[` + line("m", "INFO", "10:00:00.000000", "e") + `]}`},
		{"POST", "/v1/integration/i/kinds/a/examples", `{"examples":[{}]}`},
	}
	for _, x := range sent {
		r.call(x[0], x[1], x[2]).says(404, `"i"`)
	}
	r.wantViolations(0)
	r.PutIntegration("i", nil)
	token := r.token
	r.token = ""
	for _, x := range sent {
		r.call(x[0], x[1], x[2]).says(401, "no token")
	}
	r.wantViolations(len(sent))
	r.token = token
	for _, x := range sent {
		r.call(x[0], x[1], x[2]).want(200)
	}
	writes := r.Writes()
	equal(t, "writes", len(writes), 3*len(sent))
	equal(t, "route", writes[1].Route, "/ingest/metrics/{identifier}/syncMetrics/resync/{eventId}/kind/{kindIdentifier}")
}

func TestReadLogs(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.PutIntegration("i", nil)
	equal(t, "none", len(r.call("GET", "/v1/integration/i/logs", "").want(200).list("data")), 0)
	of := func(line, extra string) string { return strings.Replace(line, `"extra":{`, `"extra":{`+extra+`,`, 1) }
	r.call("POST", logsPath, `{"logs":[`+of(line("b", "WARNING", "10:00:02.000000", "one"), `"resource_kind":"project"`)+`,`+
		line("a", "INFO", "10:00:01.000000", "one")+`]}`).want(200)
	r.call("POST", logsPath, `{"logs":[`+of(line("c", "ERROR", "10:00:02.000000", "two"), `"kind":"repository","etl_phase":"load"`)+`,`+
		of(line("d", "INFO", "10:00:03.000000", "two"), `"kind":"repository","etl_phase":"extract"`)+`]}`).want(200)
	tests := []struct{ query, want string }{
		{"", "d c b a"},
		{"?limit=2", "d c"},
		{"?limit=0", ""},
		{"?limit=300", "d c b a"},
		{"?levels=INFO", "d a"},
		{"?levels=WARNING&levels=ERROR", "c b"},
		{"?event_id=one", "b a"},
		{"?event_id=none", ""},
		{"?kinds=repository", "d c"},
		{"?kinds=project&kinds=repository", "d c b"},
		{"?etl_phases=load", "c"},
		{"?etl_phases=load&etl_phases=extract&kinds=repository&event_id=two&levels=ERROR", "c"},
		{"?etl_phases=transform", ""},
		{"?timestamp=2026-11-22T10:00:02Z", "a"},
		{"?timestamp=2026-11-22T10:00:02Z&direction=up", "d"},
		{"?timestamp=2026-11-22T10:00:00Z&direction=up&limit=2", "b a"},
		{"?log_id=log_3", "b a"},
		{"?log_id=log_3&direction=up", "d"},
		{"?log_id=log_4&direction=down&limit=1", "c"},
	}
	for _, tt := range tests {
		got := r.call("GET", "/v1/integration/i/logs"+tt.query, "").want(200)
		equal(t, "logs "+tt.query, got.column("data", "message"), tt.want)
	}
	equal(t, "ids", r.call("GET", "/v1/integration/i/logs?limit=1", "").column("data", "id"), "log_4")
	r.call("GET", "/v1/integration/i/logs?log_id=log_9", "").says(404, "log_9")
	r.call("GET", "/v1/integration/none/logs", "").says(404, "none")
	r.wantViolations(0)
	refused := []struct{ query, says string }{
		{"limit=301", "limit"}, {"limit=-1", "limit"}, {"limit=all", "limit"}, {"limit=1&limit=2", "once"}, {"direction=left", "direction"},
		{"levels=info", "levels"}, {"levels=INFO&levels=", "levels"}, {"levels=CRITICAL", "levels"}, {"timestamp=today", "timestamp"},
		{"etl_phases=delete", "etl_phases"}, {"kinds=", "kinds"}, {"event_id=a&event_id=b", "once"}, {"level=INFO", "level"}, {"eventId=e", "eventId"},
	}
	for _, tt := range refused {
		r.call("GET", "/v1/integration/i/logs?"+tt.query, "").says(422, tt.says)
	}
	r.wantViolations(len(refused))
}

func TestReadSyncs(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.PutIntegration("i", map[string]any{"_id": "internal"})
	const path = "/v1/integration/internal"
	equal(t, "no metrics", r.call("GET", path+"/syncMetrics", "").want(200).body["count"], any(0.0))
	r.begin("one")
	r.begin("two")
	r.call("PUT", put("two", "repository-0"), `{"syncKindMetrics":`+metrics("two", "repository-0", "repository", 0, "failed", phases)+`}`).want(200)
	all := r.call("GET", path+"/syncMetrics", "").want(200)
	equal(t, "count", all.body["count"], any(4.0))
	equal(t, "kinds", all.column("data", "kindIdentifier"), "repository-0 pull-request-1 repository-0 pull-request-1")
	got := r.call("GET", path+"/syncMetrics?resyncId=two", "").want(200)
	equal(t, "states", got.column("data", "syncState"), "failed pending")
	equal(t, "of the form of the answer", got.column("data", "executionMode"), "<nil> <nil>")
	equal(t, "metrics", fmt.Sprint(got.list("data")[0].(map[string]any)["metrics"].(map[string]any)["phase"].(map[string]any)["load"]),
		"map[object_count_type:map[failed:map[object_count:0] loaded:map[object_count:7]]]")
	equal(t, "none", r.call("GET", path+"/syncMetrics?resyncId=three", "").want(200).body["count"], any(0.0))

	state := func() string { return r.call("GET", path+"/syncsMetadata", "").want(200).column("data", "syncState") }
	equal(t, "events", r.call("GET", path+"/syncsMetadata", "").want(200).column("data", "eventId"), "one two")
	equal(t, "with a pending kind", state(), "pending pending")
	r.call("PUT", put("two", "pull-request-1"), `{"syncKindMetrics":`+metrics("two", "pull-request-1", "pull-request", 1, "completed", "")+`}`).want(200)
	equal(t, "with a failed kind", state(), "pending failed")
	r.call("PUT", put("two", "__resync__"), `{"syncKindMetrics":`+metrics("two", "__resync__", "__resync__", 0, "completed", "")+`}`).want(200)
	equal(t, "as the resync says", state(), "pending completed")
	r.wantViolations(0)

	r.call("GET", "/v1/integration/i/syncMetrics", "").says(404, "i")
	r.call("GET", "/v1/integration/i/syncsMetadata", "").says(404, "i")
	r.call("GET", path+"/syncMetrics?eventId=two", "").says(422, "eventId")
	r.call("GET", path+"/syncsMetadata?resyncId=two", "").says(422, "resyncId")
	r.call("POST", path+"/syncMetrics", `{}`).says(http.StatusNotFound, "not found")
	r.wantViolations(3)
}
