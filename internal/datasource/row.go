package datasource

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
)

// Kind is a resource of the mapping, as the feed shows it.
type Kind struct {
	Name      string
	Index     int    // in the mapping, from 1
	Blueprint string // the expression, as the mapping writes it
}

// Config is whose feed it is, and what of it to keep.
type Config struct {
	Port        *port.Client
	Integration port.Integration
	Kinds       []Kind // the resources that run, in the mapping's order
	Status      bool   // the state of the run, and how each kind goes
	Logs        bool
	Examples    bool
	// Spent is what such calls have cost before.
	Spent time.Duration
}

// End is how a run ended.
type End struct {
	Status port.ResyncStatus
	At     time.Time
	Report *report.Report
}

// States of a row, in Port's words.
const (
	pending   = "pending"
	syncing   = "syncing"
	completed = "completed"
	failed    = "failed"
)

// Rows that are not resources: the run, what it deletes, and its preparation.
const (
	runtimeRow   = "__runtime__"
	reconcileRow = "__reconciliation__"
	resyncRow    = "__resync__"
)

// rows is the sync status of a run. It is safe for concurrent use.
type rows struct {
	calls   *calls
	changed func()      // is called when the state of a row changes
	closed  atomic.Bool // from then on the rows go out together

	mu    sync.Mutex // guards what follows
	all   []*row     // those of the resources in order, then the other ones
	kinds int        // how many resources
	event string
	port  *port.Client
	url   string
}

// row is one row of the sync status.
type row struct {
	metric port.SyncMetric
	begun  time.Time
	dirty  bool // Port does not know it
	known  bool // Port knows of the row
}

func (r *row) over() bool { return r.metric.SyncState != pending && r.metric.SyncState != syncing }

// begin makes the rows of a run, and sets the way to Port.
func (t *rows) begin(c Config, event string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kinds, t.event, t.port, t.url = len(c.Kinds), event, c.Port, c.Integration.MetricURL
	t.all = newRows(c.Kinds)
}

func newRows(kinds []Kind) []*row {
	var rows []*row
	add := func(identifier, kind, blueprint string, index int) {
		m := port.SyncMetric{KindIdentifier: identifier, Kind: kind, KindIndex: index, Blueprint: blueprint, SyncState: pending}
		rows = append(rows, &row{metric: m, dirty: true})
	}
	last := 0
	for _, k := range kinds {
		add(fmt.Sprintf("%s-%d", k.Name, k.Index-1), k.Name, k.Blueprint, k.Index-1)
		last = k.Index
	}
	for i, name := range []string{runtimeRow, reconcileRow, resyncRow} {
		add(name, name, "", last+i)
	}
	for _, r := range rows[len(kinds):] {
		if r.metric.Kind != reconcileRow {
			r.metric.SyncState, r.begun = syncing, time.Now()
		}
	}
	return rows
}

// resource shows how a resource stands, as Feed.Resource says.
func (t *rows) resource(of *report.Resource, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.rowOf(of.Index)
	if r == nil {
		return
	}
	if r.begun.IsZero() {
		r.begun = time.Now()
	}
	before := r.metric.SyncState
	r.metric.SyncState = syncing
	if done {
		r.metric.SyncState = ended(of)
	}
	r.count(of)
	r.took(done)
	if r.dirty = true; r.metric.SyncState != before {
		t.changed()
	}
}

// rowOf returns the row of a resource; nil when there is none.
func (t *rows) rowOf(index int) *row {
	i := slices.IndexFunc(t.all[:t.kinds], func(r *row) bool { return r.metric.KindIndex == index-1 })
	if i < 0 {
		return nil
	}
	return t.all[i]
}

func ended(of *report.Resource) string {
	if of.Listed && of.Complete {
		return completed
	}
	return failed
}

func (t *rows) reconciling() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.all {
		if r.metric.Kind == reconcileRow {
			r.metric.SyncState, r.begun, r.dirty = syncing, time.Now(), true
			t.changed()
		}
	}
}

// count puts the counts of a resource into the row: what Port calls extracted is
// what was read, skipped in the load what is stored already.
func (r *row) count(of *report.Resource) {
	phase := &r.metric.Metrics.Phase
	phase.Extract = counts(map[string]int{"raw_extracted": of.Extracted - of.Unread, "failed": of.Unread})
	phase.Transform = counts(map[string]int{
		"transformed": of.Transformed, "filtered_out": of.Filtered, "skipped": of.Skipped, "failed": of.Failed - of.Unread,
	})
	phase.Load = counts(map[string]int{
		"loaded": of.Created + of.Updated, "skipped": of.Unchanged + of.Merged, "failed": of.Rejected,
	})
}

func counts(n map[string]int) *port.SyncCounts {
	c := &port.SyncCounts{ByType: map[string]port.SyncCount{}}
	for name, n := range n {
		c.ByType[name] = port.SyncCount{Objects: n}
	}
	return c
}

// took sets the duration, and the success of a row that is over.
func (r *row) took(over bool) {
	resync := &r.metric.Metrics.Phase.Resync
	if !r.begun.IsZero() {
		resync.DurationSeconds = time.Since(r.begun).Round(time.Millisecond).Seconds()
	}
	resync.Success = 0
	if over && r.metric.SyncState == completed {
		resync.Success = 1
	}
}

// progress shows of rows that go on how long they do.
func (t *rows) progress() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.all {
		if r.metric.SyncState == syncing {
			r.took(false)
			r.dirty = true
		}
	}
}

// finish puts the last numbers into every row.
func (t *rows) finish(end End) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, r := range t.all {
		of := resourceOf(end.Report, r.metric.KindIndex+1)
		switch {
		case i < t.kinds && of != nil:
			if r.count(of); r.over() || end.Status == port.Completed {
				r.metric.SyncState = ended(of)
			} else {
				r.metric.SyncState = string(end.Status)
			}
		case r.metric.Kind == reconcileRow:
			deleted, kept := 0, 0
			for _, b := range end.Report.Blueprints {
				deleted, kept = deleted+b.Deleted, kept+b.StaleKept
			}
			r.metric.Metrics.Phase.Delete = counts(map[string]int{"deleted": deleted, "skipped": kept})
			fallthrough
		default:
			r.metric.SyncState = string(end.Status)
		}
		r.took(true)
		r.dirty = true
	}
}

// resourceOf returns what a report has of a resource; nil for nothing.
func resourceOf(r *report.Report, index int) *report.Resource {
	i := slices.IndexFunc(r.Resources, func(of *report.Resource) bool { return of.Index == index })
	if i < 0 {
		return nil
	}
	return r.Resources[i]
}

// send sends the rows that have changed: together the first time and the last, else one
// by one.
func (t *rows) send(ctx context.Context) {
	ending := t.closed.Load()
	t.mu.Lock()
	var together, changed []*row
	for _, r := range t.all {
		switch {
		case !r.known, r.dirty && ending:
			together = append(together, r)
		case r.dirty:
			changed = append(changed, r)
		}
	}
	t.mu.Unlock()
	if len(together) > 0 {
		t.sendOnce(ctx, together, func(ctx context.Context, m []port.SyncMetric) error {
			return t.port.DataSource.PostSyncMetrics(ctx, t.url, m)
		})
	}
	for _, r := range changed {
		if t.closed.Load() {
			return // it goes with the last ones
		}
		t.sendOnce(ctx, []*row{r}, func(ctx context.Context, m []port.SyncMetric) error {
			return t.port.DataSource.PutSyncMetric(ctx, t.url, m[0])
		})
	}
}

// sendOnce sends rows in one call.
func (t *rows) sendOnce(ctx context.Context, rows []*row, call func(context.Context, []port.SyncMetric) error) {
	t.mu.Lock()
	metrics := make([]port.SyncMetric, len(rows))
	for i, r := range rows {
		r.metric.EventID, r.dirty = t.event, false
		metrics[i] = r.metric
	}
	t.mu.Unlock()
	ok := t.calls.do(ctx, syncStatus, totalTime-reserveTime, func(ctx context.Context) error { return call(ctx, metrics) })
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range rows {
		r.known, r.dirty = r.known || ok, r.dirty || !ok
	}
}

// heartbeat reports to Port that the run goes on.
func (t *rows) heartbeat(ctx context.Context) {
	t.calls.do(ctx, syncStatus, totalTime-reserveTime, func(ctx context.Context) error {
		return t.port.DataSource.Heartbeat(ctx, t.url, t.event)
	})
}
