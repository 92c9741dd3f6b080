package porttest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// DataSource is what Port's Data sources page shows of one integration. Values
// are plain JSON as in [Entity].
type DataSource struct {
	Type        string // "bitbucket-cloud"
	Version     string
	Title       string // "" is none
	Config      any    // the mapping; nil when there never was one
	ResyncState ResyncState
	Syncs       []Sync           // in the order in which they began
	Logs        []Log            // in the order in which they came
	Examples    map[string][]any // by kind: all that were sent, in their order
	Heartbeats  map[string]int   // by event
}

// ResyncState is the last resync as the integration tells it. What was not told
// is zero.
type ResyncState struct {
	Status     string // "running", "completed", "failed" or "aborted"
	Start, End time.Time
}

// Sync is one resync of the page's "Sync status".
type Sync struct {
	Event string
	State string              // of the whole, as GET …/syncsMetadata answers it
	Kinds map[string]KindSync // by kind identifier: "repository-0", "__resync__"
}

// KindSync is how one resource of the mapping went, as told last.
type KindSync struct {
	Kind      string
	Index     int
	Blueprint string // as it was sent
	State     string // "pending", "syncing", "completed", "failed" or "aborted"
	// Counts are by phase and type of count: Counts["load"]["loaded"].
	Counts  map[string]map[string]int
	Success float64
	Seconds float64
}

// Log is one line of the page's "Audit log".
type Log struct {
	Message, Level string
	Time           time.Time
	Extra          map[string]any
}

// DataSource returns a copy of what the Data sources page shows of an
// integration. Of one that does not exist it is zero.
func (s *Server) DataSource(id string) DataSource {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.integrations[id]
	if n == nil {
		return DataSource{}
	}
	record := plain(n.record).(map[string]any)
	d := DataSource{Config: record["config"], Examples: map[string][]any{}, Heartbeats: maps.Clone(n.heartbeats)}
	d.Type, _ = record["installationAppType"].(string)
	d.Version, _ = record["version"].(string)
	d.Title, _ = record["title"].(string)
	state, _ := record["resyncState"].(map[string]any)
	d.ResyncState.Status, _ = state["status"].(string)
	d.ResyncState.Start, d.ResyncState.End = timeOf(state["lastResyncStart"]), timeOf(state["lastResyncEnd"])
	for _, of := range n.syncs {
		d.Syncs = append(d.Syncs, of.show())
	}
	for _, line := range n.logs {
		sent := plain(line.sent).(map[string]any)
		l := Log{Time: line.at}
		l.Message, _ = sent["message"].(string)
		l.Level, _ = sent["level"].(string)
		l.Extra, _ = sent["extra"].(map[string]any)
		d.Logs = append(d.Logs, l)
	}
	for kind, list := range n.examples {
		d.Examples[kind] = plain(list).([]any)
	}
	return d
}

func timeOf(v any) time.Time {
	text, _ := v.(string)
	t, _ := parseTime(text)
	return t
}

func (of *resync) show() Sync {
	shown := Sync{Event: of.event, State: of.state(), Kinds: map[string]KindSync{}}
	for _, k := range of.kinds {
		shown.Kinds[k.text("kindIdentifier")] = k.show()
	}
	return shown
}

func (k *kindSync) show() KindSync {
	shown := KindSync{Kind: k.text("kind"), Blueprint: k.text("blueprint"), State: k.text("syncState"), Counts: map[string]map[string]int{}}
	shown.Index = int(floatOf(k.sent["kindIndex"]))
	metrics, _ := k.sent["metrics"].(map[string]any)
	phases, _ := metrics["phase"].(map[string]any)
	for phase, v := range phases {
		v, _ := v.(map[string]any)
		if phase == "resync" {
			shown.Success, shown.Seconds = floatOf(v["success"]), floatOf(v["duration_seconds"])
			continue
		}
		shown.Counts[phase] = map[string]int{}
		types, _ := v["object_count_type"].(map[string]any)
		for name, count := range types {
			count, _ := count.(map[string]any)
			shown.Counts[phase][name] = int(floatOf(count["object_count"]))
		}
	}
	return shown
}

func floatOf(v any) float64 {
	n, _ := v.(json.Number)
	f, _ := n.Float64()
	return f
}

// state is that of the whole resync: what "__resync__" says, or else the first of
// these that any kind is in. The rule is assumed: Port does not publish its own.
func (of *resync) state() string {
	found := map[string]bool{}
	for _, k := range of.kinds {
		if k.text("kindIdentifier") == "__resync__" {
			return k.text("syncState")
		}
		found[k.text("syncState")] = true
	}
	for _, state := range []string{"syncing", "pending", "aborted", "failed"} {
		if found[state] {
			return state
		}
	}
	return "completed"
}

// internal finds an integration by the "_id" of its record.
func (s *Server) internal(c *call) (*integration, *answer) {
	if refusal := c.mayRead(); refusal != nil {
		return nil, refusal
	}
	want := c.vars["integrationInternalId"]
	for _, id := range sortedKeys(s.integrations) {
		if n := s.integrations[id]; n.record["_id"] == want {
			return n, nil
		}
	}
	a := noIntegration(want)
	return nil, &a
}

func (s *Server) readSyncMetrics(c *call) answer {
	n, refusal := s.internal(c)
	if refusal != nil {
		return *refusal
	}
	data := []any{}
	for _, of := range n.syncs {
		if c.query.Has("resyncId") && c.query.Get("resyncId") != of.event {
			continue
		}
		for _, k := range of.kinds {
			item := maps.Clone(k.sent)
			delete(item, "installationType") // the published answer has neither
			delete(item, "executionMode")
			item["createdAt"], item["updatedAt"] = wireTime(k.createdAt), wireTime(k.updatedAt)
			data = append(data, item)
		}
	}
	return counted(data)
}

func (s *Server) readSyncsMetadata(c *call) answer {
	n, refusal := s.internal(c)
	if refusal != nil {
		return *refusal
	}
	data := []any{}
	for _, of := range n.syncs {
		created, updated := of.kinds[0].createdAt, of.kinds[0].updatedAt
		for _, k := range of.kinds {
			if k.updatedAt.After(updated) {
				updated = k.updatedAt
			}
		}
		data = append(data, map[string]any{
			"eventId": of.event, "syncState": of.state(), "createdAt": wireTime(created), "updatedAt": wireTime(updated),
		})
	}
	return counted(data)
}

func counted(data []any) answer {
	return answer{status: http.StatusOK, body: map[string]any{"ok": true, "count": len(data), "data": data}}
}

// readLogs answers the newest logs first. With direction "down", which is the
// default, it goes on to the older ones from where log_id or timestamp says, and
// with "up" to the newer ones. The answer's form and this paging are assumed: the
// published document has neither.
func (s *Server) readLogs(c *call) answer {
	if refusal := c.mayRead(); refusal != nil {
		return *refusal
	}
	n := s.integrations[c.vars["identifier"]]
	if n == nil {
		return noIntegration(c.vars["identifier"])
	}
	limit := 100
	if c.query.Has("limit") {
		limit = int(floatOf(json.Number(c.query.Get("limit"))))
	}
	logs, refusal := n.logsFrom(c)
	if refusal != nil {
		return *refusal
	}
	logs = slices.DeleteFunc(logs, func(line shippedLog) bool { return !line.matches(c.query) })
	if len(logs) > limit && c.query.Get("direction") == "up" {
		logs = logs[len(logs)-limit:] // the nearest ones
	}
	data := []any{}
	for _, line := range logs[:min(limit, len(logs))] {
		item := maps.Clone(line.sent)
		item["id"] = line.id
		data = append(data, item)
	}
	return ok(http.StatusOK, "data", data)
}

// matches reports whether a line passes the filters of a query. A line without what a filter
// asks for does not. Which keys of "extra" Port compares is assumed: those that Ocean sends.
//
// Source: Ocean (port_ocean/context and core/integrations/mixins/sync_raw.py), read 2026-11.
func (l shippedLog) matches(query url.Values) bool {
	extra, _ := l.sent["extra"].(map[string]any)
	kind := extra["kind"]
	if kind == nil {
		kind = extra["resource_kind"]
	}
	for name, v := range map[string]any{"levels": l.sent["level"], "etl_phases": extra["etl_phase"], "kinds": kind, "event_id": extra["event_id"]} {
		text, _ := v.(string)
		if asked := query[name]; len(asked) > 0 && !contains(asked, text) {
			return false
		}
	}
	return true
}

// logsFrom are the logs on the asked side of a place, newest first.
func (n *integration) logsFrom(c *call) ([]shippedLog, *answer) {
	logs := slices.Clone(n.logs)
	slices.SortStableFunc(logs, func(a, b shippedLog) int { return a.at.Compare(b.at) })
	slices.Reverse(logs)
	up := c.query.Get("direction") == "up"
	if id := c.query.Get("log_id"); id != "" {
		i := slices.IndexFunc(logs, func(line shippedLog) bool { return line.id == id })
		if i < 0 {
			a := refuse(http.StatusNotFound, "not_found", "log "+strconv.Quote(id)+" was not found")
			return nil, &a
		}
		if up {
			return logs[:i], nil
		}
		return logs[i+1:], nil
	}
	if !c.query.Has("timestamp") {
		return logs, nil
	}
	place, valid := parseTime(c.query.Get("timestamp"))
	if !valid {
		a := violate(http.StatusUnprocessableEntity, "invalid_request", "querystring/timestamp must be a date-time")
		return nil, &a
	}
	return slices.DeleteFunc(logs, func(line shippedLog) bool {
		return up && !line.at.After(place) || !up && !line.at.Before(place)
	}), nil
}
