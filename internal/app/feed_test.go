package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// projectResource maps each project by its key.
const projectResource = `  - kind: project
    selector:
      query: "true"
    port:
      entity:
        mappings:
          identifier: .key
          title: .name
          blueprint: '"bitbucketProject"'
`

// What Port's Data sources page shows after a run, however that ended.
func TestDataSourcePage(t *testing.T) {
	t.Parallel()
	failing := strings.Replace(repositories, "identifier: .slug", `identifier: if .slug == "ledger" then error("no") else .slug end`, 1)
	two := repositories + projectResource
	tests := []struct {
		name    string
		mapping string
		fault   func(w *world, stop context.CancelFunc)
		exit    int
		status  string
		states  map[string]string // of rows
		line    string            // that the log holds
	}{
		{"good", two, nil, 0, "completed", map[string]string{
			"repository-0": "completed", "project-1": "completed", "__runtime__": "completed", "__reconciliation__": "completed", "__resync__": "completed",
		}, "INFO success: 4 created, 0 updated, 0 unchanged, 1 deleted"},
		{"partial that fail_on incomplete forgives", failing, nil, 0, "completed", map[string]string{
			"repository-0": "failed", "__runtime__": "completed", "__reconciliation__": "completed", "__resync__": "completed",
		}, "ERROR mapping (input):8:23: resource 1 (repository): identifier failed"},
		{"partial", two, func(w *world, _ context.CancelFunc) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: "/workspaces/acme/projects", Times: -1, Status: http.StatusForbidden})
		}, 3, "failed", map[string]string{
			"repository-0": "completed", "project-1": "failed", "__runtime__": "failed", "__reconciliation__": "failed", "__resync__": "failed",
		}, "ERROR resource 2 (project): "},
		{"failed", two, func(w *world, _ context.CancelFunc) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: "/**", Times: -1, Status: http.StatusForbidden})
		}, 1, "failed", map[string]string{
			"repository-0": "failed", "project-1": "failed", "__runtime__": "failed", "__reconciliation__": "failed", "__resync__": "failed",
		}, "ERROR resource 1 (repository): list repositories of workspace "},
		{"aborted", two, func(w *world, stop context.CancelFunc) {
			w.bitbucket.Fault(bitbuckettest.Fault{Path: "/workspaces/acme/projects", Delay: time.Hour})
			// The row of the repositories, alone or with all others.
			w.port.Fault(porttest.Fault{Path: "/ingest/metrics/**", Match: func(_ *http.Request, body []byte) bool {
				if strings.Contains(string(body), `"completed"`) {
					stop()
				}
				return false
			}})
		}, 1, "aborted", map[string]string{
			"repository-0": "completed", "project-1": "aborted", "__runtime__": "aborted", "__reconciliation__": "aborted", "__resync__": "aborted",
		}, "ERROR stopped by a signal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.addStale()
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			if tt.fault != nil {
				w.offContract()
				tt.fault(w, stop)
			}
			r := w.runContext(ctx, map[string]string{"MAPPING": tt.mapping})
			if r.status != tt.exit {
				t.Errorf("got exit status %d, want %d\n%s%s", r.status, tt.exit, r.stdout, r.stderr)
			}
			page := w.port.DataSource(identifier)
			if page.Version != app.Version() || page.Type != "bitbucket-cloud" {
				t.Errorf("got version %q and type %q", page.Version, page.Type)
			}
			checkConfig(t, page.Config, tt.mapping)
			checkState(t, page, tt.status)
			checkRows(t, page, r, tt.states)
			checkPageLog(t, page, tt.line)
			if n := len(page.Examples["repository"]); r.number(t, "objects_extracted") > 0 && n != 3 {
				t.Errorf("got %d examples of repositories, want all three", n)
			}
			w.checkClean()
			for _, text := range []string{r.stdout, r.stderr} {
				if strings.Contains(text, "Data sources page does not show") {
					t.Errorf("the page is said to fail:\n%s", text)
				}
			}
		})
	}
}

// checkConfig expects the mapping that the inputs gave.
func checkConfig(t *testing.T, got any, mapping string) {
	t.Helper()
	config, _ := got.(map[string]any)
	resources, _ := config["resources"].([]any)
	if want := strings.Count(mapping, "- kind:"); len(resources) != want {
		t.Errorf("the page shows a mapping of %d resources, want %d", len(resources), want)
	}
}

func checkState(t *testing.T, page porttest.DataSource, status string) {
	t.Helper()
	s := page.ResyncState
	if s.Status != status || s.Start.IsZero() || s.End.Before(s.Start) || time.Since(s.Start) > time.Minute {
		t.Errorf("got resync state %+v, want %s, now", s, status)
	}
}

// checkRows compares the sync status with the report: they are the same counts.
func checkRows(t *testing.T, page porttest.DataSource, r ran, states map[string]string) {
	t.Helper()
	if len(page.Syncs) != 1 {
		t.Fatalf("got %d resyncs, want one", len(page.Syncs))
	}
	got := map[string]string{}
	for name, row := range page.Syncs[0].Kinds {
		got[name] = row.State
		if (row.Success == 1) != (row.State == "completed") {
			t.Errorf("%s is %s with success %v", name, row.State, row.Success)
		}
	}
	if diff := cmp.Diff(got, states); diff != "" {
		t.Errorf("states of rows: got (-), want (+):\n%s", diff)
	}
	resources, _ := r.report["resources"].([]any)
	for i, v := range resources {
		want, _ := v.(map[string]any)
		row := page.Syncs[0].Kinds[fmt.Sprintf("%s-%d", want["kind"], i)]
		n := func(name string) int { return int(want[name].(float64)) }
		counts := row.Counts
		equations := map[string][2]int{
			"extracted":   {counts["extract"]["raw_extracted"] + counts["extract"]["failed"], n("extracted")},
			"transformed": {counts["transform"]["transformed"], n("transformed")},
			"filtered":    {counts["transform"]["filtered_out"], n("filtered")},
			"skipped":     {counts["transform"]["skipped"], n("skipped")},
			"failed":      {counts["transform"]["failed"] + counts["extract"]["failed"], n("failed")},
			"loaded":      {counts["load"]["loaded"], n("created") + n("updated")},
			"as it was":   {counts["load"]["skipped"], n("unchanged") + n("merged")},
			"rejected":    {counts["load"]["failed"], n("rejected")},
		}
		for _, name := range slices.Sorted(maps.Keys(equations)) {
			if e := equations[name]; e[0] != e[1] {
				t.Errorf("%s of %v: the page shows %d, the report %d", name, want["kind"], e[0], e[1])
			}
		}
	}
	deleted := page.Syncs[0].Kinds["__reconciliation__"].Counts["delete"]
	if deleted["deleted"] != r.number(t, "entities_deleted") || deleted["skipped"] != r.number(t, "entities_stale_kept") {
		t.Errorf("the page shows %v, the report %d deleted and %d kept", deleted, r.number(t, "entities_deleted"), r.number(t, "entities_stale_kept"))
	}
}

func checkPageLog(t *testing.T, page porttest.DataSource, want string) {
	t.Helper()
	var lines strings.Builder
	for _, l := range page.Logs {
		if l.Extra["event_id"] != page.Syncs[0].Event {
			t.Errorf("a line is of resync %v, want %s", l.Extra["event_id"], page.Syncs[0].Event)
		}
		if l.Level != "INFO" && l.Level != "WARNING" && l.Level != "ERROR" {
			t.Errorf("a line has level %q", l.Level)
		}
		fmt.Fprintf(&lines, "%s %s\n", l.Level, l.Message)
	}
	for _, part := range []string{"INFO port-bitbucket-exporter version=", "INFO resource done", want} {
		if !strings.Contains("\n"+lines.String(), "\n"+part) {
			t.Errorf("the log in Port does not hold %q:\n%s", part, lines.String())
		}
	}
}

// All that a run writes and deletes belongs to the resync that the page shows.
func TestWritesNameTheResync(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.addStale()
	w.run(map[string]string{"MAPPING": repositories}).check(t, 0, "success")
	event := w.port.DataSource(identifier).Syncs[0].Event
	routes := map[string]int{}
	for _, x := range w.port.CatalogWrites() {
		routes[x.Method+" "+x.Route]++
		if x.Query.Get("ocean_info_event_type") != "resync" || x.Query.Get("ocean_info_resync_id") != event {
			t.Errorf("%s %s is of %v, want resync %s", x.Method, x.Path, x.Query, event)
		}
	}
	const bulk = "POST /v1/blueprints/{blueprint_identifier}/"
	if want := map[string]int{bulk + "entities/bulk": 1, bulk + "bulk/entities/delete": 1}; !maps.Equal(routes, want) {
		t.Errorf("got writes %v, want %v", routes, want)
	}
	w.run(map[string]string{"MAPPING": repositories}).check(t, 0, "success")
	if again := w.port.DataSource(identifier).Syncs[1].Event; again == event {
		t.Errorf("both runs are resync %s", event)
	}
	w.checkClean()
}

// A filter of Port's log by kind, phase or level finds the lines of the run.
func TestPageLogIsFiltered(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.addStale()
	w.bitbucket.Fault(bitbuckettest.Fault{Path: "/workspaces/acme/projects", Status: 403, Times: -1})
	r := w.run(map[string]string{"MAPPING": `resources:
  - kind: repository
    selector: {query: "true"}
    port:
      entity:
        mappings: {identifier: .slug, blueprint: '"bitbucketRepository"', properties: {defaultBranch: .size}}
  - kind: project
    selector: {query: "true"}
    port:
      entity:
        mappings: {identifier: .key, blueprint: '"bitbucketProject"'}
  - kind: repository
    selector: {query: '.name | error("no")'}
    port:
      entity:
        mappings: {identifier: .slug, blueprint: '"bitbucketRepository"'}
`})
	r.check(t, 3, "partial")
	for query, want := range map[string][]string{
		"kinds=repository&levels=INFO":                        {"resource done resource=\"resource 1 (repository)\"", "resource done resource=\"resource 3 (repository)\""},
		"kinds=project&levels=INFO":                           {"resource done resource=\"resource 2 (project)\""},
		"kinds=repository&etl_phases=load&levels=ERROR":       {`property "defaultBranch": Port refused the entity`},
		"kinds=repository&etl_phases=transform&levels=ERROR":  {"resource 3 (repository): selector.query failed"},
		"kinds=project&etl_phases=extract&levels=ERROR":       {"resource 2 (project): list projects"},
		"etl_phases=reconciliation&levels=WARNING":            {"stale entities of blueprint \"bitbucketRepository\" are not deleted"},
		"etl_phases=extract&etl_phases=transform&levels=INFO": {"forecast for 3 repositories", "Port takes 70000 changed entities without a wait"},
	} {
		lines := w.pageLog(query)
		if len(lines) != len(want) {
			t.Errorf("%s: got %d lines, want %d: %q", query, len(lines), len(want), lines)
		}
		for _, text := range want {
			if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, text) }) {
				t.Errorf("%s: got %q, want one with %q", query, lines, text)
			}
		}
	}
	for _, l := range w.port.DataSource(identifier).Logs {
		if strings.Contains(l.Message, "resource 3 (repository)") && l.Extra["index"] != json.Number("2") {
			t.Errorf("%q has index %v, want 2: resources count from 0", l.Message, l.Extra["index"])
		}
	}
	w.checkClean()
}

// pageLog reads the messages of the page's log with a query of Port's route.
func (w *world) pageLog(query string) (messages []string) {
	w.t.Helper()
	send := func(method, path, token, body string, into any) {
		req, err := http.NewRequestWithContext(w.t.Context(), method, w.env["PORT_BASE_URL"]+path, strings.NewReader(body))
		if err != nil {
			w.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := w.transport.RoundTrip(req)
		if err != nil {
			w.t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != http.StatusOK {
			w.t.Fatalf("%s %s: %s, %v", method, path, resp.Status, err)
		}
	}
	var login struct{ AccessToken string }
	send("POST", "/v1/auth/access_token", "", fmt.Sprintf(`{"clientId":%q,"clientSecret":%q}`, clientID, clientSecret), &login)
	var page struct{ Data []struct{ Message string } }
	send("GET", "/v1/integration/"+identifier+"/logs?"+query, login.AccessToken, "", &page)
	for _, l := range page.Data {
		messages = append(messages, l.Message)
	}
	return messages
}

// publish_mapping decides about a mapping of the inputs, and no other.
func TestPublishMapping(t *testing.T) {
	t.Parallel()
	const warning = "Port's Data sources page shows another mapping than the one that runs"
	tests := []struct {
		name, publish string
		there         map[string]any // the record; nil for none
		given         bool
		want          string // title expression of the page; empty for no mapping
		warned        bool
	}{
		{"no record", "", nil, true, `"given"`, false},
		{"no record, never", "never", nil, true, "", false},
		{"no record, default mapping, never", "never", nil, false, "", false},
		{"empty config", "", map[string]any{"config": map[string]any{}}, true, `"given"`, false},
		{"null config", "if-empty", map[string]any{"config": nil}, true, `"given"`, false},
		{"no resources", "", map[string]any{"config": map[string]any{"resources": []any{}}}, true, `"given"`, false},
		{"empty config, never", "never", map[string]any{"config": map[string]any{}}, true, "", false},
		{"default mapping", "", map[string]any{"config": map[string]any{}}, false, ".name", false},
		{"another", "", map[string]any{"config": stored("integration")}, true, `"integration"`, true},
		{"another, always", "always", map[string]any{"config": stored("integration")}, true, `"given"`, false},
		{"another, never", "never", map[string]any{"config": stored("integration")}, true, `"integration"`, true},
		{"the same", "", map[string]any{"config": stored("given")}, true, `"given"`, false},
		{"the same, always", "always", map[string]any{"config": stored("given")}, true, `"given"`, false},
		{"stored", "always", map[string]any{"config": stored("integration")}, false, `"integration"`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			if tt.there != nil {
				w.port.PutIntegration(identifier, tt.there)
			}
			env := map[string]string{"PUBLISH_MAPPING": tt.publish}
			if tt.given {
				env["MAPPING"] = titled("given")
			}
			r := w.run(env)
			r.check(t, 0, "success")
			record, _ := w.port.Integration(identifier)
			if config, _ := record["config"].(map[string]any); tt.want == "" && config["resources"] != nil && len(config["resources"].([]any)) > 0 {
				t.Errorf("the page shows a mapping: %v", config)
			} else if tt.want != "" && titleOf(t, record) != tt.want {
				t.Errorf("the page shows title %s, want %s", titleOf(t, record), tt.want)
			}
			if got := strings.Contains(r.stdout, warning); got != tt.warned {
				t.Errorf("got a warning: %t, want %t\n%s", got, tt.warned, r.stdout)
			}
			for _, x := range w.port.Writes() {
				if x.Route == "/v1/integration/{identifier}/config" && x.RequestHeader.Get("x-skip-resync") != "true" {
					t.Error("the mapping is published without x-skip-resync")
				}
			}
			w.checkClean()
		})
	}
}

// A record that says what a run would write is not written.
func TestRecordIsWrittenOnlyWhenItDiffers(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.run(map[string]string{"MAPPING": repositories}).check(t, 0, "success")
	w.port.ResetJournal()
	w.run(map[string]string{"MAPPING": repositories}).check(t, 0, "success")
	for _, x := range w.port.Writes() {
		if strings.HasPrefix(x.Route, "/v1/integration") && !strings.HasSuffix(x.Route, "/resync-state") && !strings.HasSuffix(x.Route, "/examples") {
			t.Errorf("written: %s %s %s", x.Method, x.Path, x.RequestBody)
		}
	}
}

// A record of another integration is left alone.
func TestRecordOfAnotherType(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.port.PutIntegration(identifier, map[string]any{"installationAppType": "gitlab"})
	r := w.run(map[string]string{"MAPPING": repositories})
	r.check(t, 0, "success")
	r.contains(t, `is one of type "gitlab": its record is left alone`)
	for _, x := range w.port.Writes() {
		if strings.Contains(x.Path, "integration") || strings.Contains(x.Path, "ingest") {
			t.Errorf("written: %s %s", x.Method, x.Path)
		}
	}
}

// A mapping with a secret in it is not shown to whoever sees the page.
func TestSecretMappingIsNotPublished(t *testing.T) {
	t.Parallel()
	for _, there := range []bool{false, true} {
		w := smallWorld(t)
		if there {
			w.port.PutIntegration(identifier, map[string]any{})
		}
		r := w.run(map[string]string{"MAPPING": strings.Replace(repositories, "title: .name", `title: '"`+token+`"'`, 1)})
		r.contains(t, "the mapping holds a secret of the inputs, and is not shown")
		record, _ := w.port.Integration(identifier)
		if text, _ := json.Marshal(record); strings.Contains(string(text), token) {
			t.Errorf("the page shows a token: %s", text)
		}
	}
}

// Whatever the page's routes answer, the run is the same: each part that fails is
// told once, and the others go on.
func TestPageFailures(t *testing.T) {
	t.Parallel()
	const ingest = "/ingest/**"
	routes := map[string]struct{ path, what string }{
		"state":    {"/v1/integration/*/resync-state", "the state of this run"},
		"status":   {"/ingest/metrics/**", "the sync status of this run"},
		"log":      {"/ingest/logs/*", "the log of this run"},
		"examples": {"/v1/integration/*/kinds/*/examples", "raw examples for the mapping editor"},
	}
	faults := map[string]porttest.Fault{
		"403":     {Status: 403, Body: `{"ok":false,"error":"forbidden","message":"no"}`},
		"404":     {Status: 404, Body: `{"ok":false,"error":"not_found","message":"no route"}`},
		"410":     {Status: 410},
		"500":     {Status: 500},
		"429":     {Status: 429, Header: http.Header{"Retry-After": {"600"}}},
		"HTML":    {Status: 502, Body: "<html>"},
		"dropped": {DropConnection: true},
		"stalled": {Delay: 24 * time.Hour},
	}
	for route, of := range routes {
		for fault, f := range faults {
			t.Run(route+"/"+fault, func(t *testing.T) {
				t.Parallel()
				w := virtual(t, smallBitbucket())
				synctest.Test(t, func(t *testing.T) {
					w.addStale()
					f.Path, f.Times = of.path, -1
					fired := w.port.Fault(f)
					start := time.Now()
					r := w.run(map[string]string{"MAPPING": repositories})
					r.check(t, 0, "success")
					if took := time.Since(start); took > 31*time.Second {
						t.Errorf("the run took %s, want at most the 30s of the page", took)
					}
					if fired() == 0 {
						t.Fatal("the fault did not happen")
					}
					if got := strings.Count(r.stdout, "Data sources page does not show"); got != 1 || !strings.Contains(r.stdout, of.what) {
						t.Errorf("got %d warnings, want one of %s:\n%s", got, of.what, r.stdout)
					}
					page := w.port.DataSource(identifier)
					if route != "state" && page.ResyncState.Status != "completed" {
						t.Errorf("got state %q, want completed", page.ResyncState.Status)
					}
					if w.holds("bitbucketRepository", "stale") || !w.holds("bitbucketRepository", "ledger") {
						t.Error("the catalog is not what it should be")
					}
				})
			})
		}
	}
	t.Run("all at once", func(t *testing.T) {
		t.Parallel()
		w := virtual(t, smallBitbucket())
		synctest.Test(t, func(t *testing.T) {
			for _, path := range []string{ingest, "/v1/integration/*/resync-state", "/v1/integration/*/kinds/*/examples", "/v1/integration"} {
				w.port.Fault(porttest.Fault{Method: "", Path: path, Times: -1, Delay: 24 * time.Hour})
			}
			w.port.PutIntegration(identifier, map[string]any{})
			start := time.Now()
			w.run(map[string]string{"MAPPING": repositories}).check(t, 0, "success")
			if took := time.Since(start); took > 31*time.Second {
				t.Errorf("the run took %s", took)
			}
		})
	})
}

// While a run waits, the page says that it is alive, and how far it is.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	w := virtual(t, smallBitbucket())
	synctest.Test(t, func(t *testing.T) {
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Status: 429, Header: http.Header{"Retry-After": {"100"}}})
		w.run(map[string]string{"MAPPING": repositories}).check(t, 0, "success")
		page := w.port.DataSource(identifier)
		if got := page.Heartbeats[page.Syncs[0].Event]; got < 8 || got > 11 {
			t.Errorf("got %d heartbeats in 100s, want one every 10s", got)
		}
		if !slices.ContainsFunc(page.Logs, func(l porttest.Log) bool {
			return strings.HasPrefix(l.Message, "waiting until 00:01:40 UTC for Bitbucket, which answered 429")
		}) {
			t.Error("the log in Port does not say that the run waits")
		}
	})
}

// The switches of the page.
func TestPageSwitches(t *testing.T) {
	t.Parallel()
	for _, off := range []string{"", "SYNC_STATUS", "SHIP_LOGS", "SEND_RAW_DATA_EXAMPLES"} {
		t.Run("without "+off, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.run(map[string]string{"MAPPING": repositories, off: "false"}).check(t, 0, "success")
			page := w.port.DataSource(identifier)
			got := map[string]bool{
				"SYNC_STATUS": page.ResyncState.Status != "" || len(page.Syncs) > 0,
				"SHIP_LOGS":   len(page.Logs) > 0, "SEND_RAW_DATA_EXAMPLES": len(page.Examples) > 0,
			}
			for part, shown := range got {
				if shown != (part != off) {
					t.Errorf("%s: shown %t", part, shown)
				}
			}
		})
	}
}

// An earlier run that was killed is mended by the next.
func TestKilledRunIsMended(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.port.PutIntegration(identifier, map[string]any{"resyncState": map[string]any{"status": "running", "lastResyncStart": "2026-11-01T00:00:00Z"}})
	w.run(map[string]string{"MAPPING": repositories}).check(t, 0, "success")
	checkState(t, w.port.DataSource(identifier), "completed")
}

// A mistake of the program ends the run, and the page says that it failed.
func TestInternalErrorOnThePage(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	base := w.transport
	w.transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.URL.Path, "/2.0/repositories/") {
			panic("a mistake")
		}
		return base.RoundTrip(r)
	})
	r := w.run(map[string]string{"MAPPING": repositories})
	r.check(t, 1, "failed")
	r.contains(t, "internal error: a mistake")
	checkState(t, w.port.DataSource(identifier), "failed")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
