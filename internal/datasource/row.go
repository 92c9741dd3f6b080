package datasource

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
)

// Kind is a resource of the mapping, as the page shows it.
type Kind struct {
	Name      string
	Blueprint string // the expression, as the mapping writes it
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

// Rows that are no resource: the run, what it deletes, and its preparation.
const (
	runtimeRow   = "__runtime__"
	reconcileRow = "__reconciliation__"
	resyncRow    = "__resync__"
)

// row is one row of the sync status.
type row struct {
	metric port.SyncMetric
	begun  time.Time
	dirty  bool // Port does not know it
	known  bool // Port knows of the row
}

func (r *row) over() bool { return r.metric.SyncState != pending && r.metric.SyncState != syncing }

// newRows are those of the resources in order, then the other ones.
func newRows(kinds []Kind) []*row {
	var rows []*row
	add := func(identifier, kind, blueprint string, index int) {
		m := port.SyncMetric{KindIdentifier: identifier, Kind: kind, KindIndex: index, Blueprint: blueprint, SyncState: pending}
		rows = append(rows, &row{metric: m, dirty: true})
	}
	for i, k := range kinds {
		add(fmt.Sprintf("%s-%d", k.Name, i), k.Name, k.Blueprint, i)
	}
	for i, name := range []string{runtimeRow, reconcileRow, resyncRow} {
		add(name, name, "", len(kinds)+i)
	}
	for _, r := range rows[len(kinds):] {
		if r.metric.Kind != reconcileRow {
			r.metric.SyncState, r.begun = syncing, time.Now()
		}
	}
	return rows
}

// newEvent is a random UUID.
func newEvent() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Resource tells how a resource stands: its report is not kept. It is done when
// nothing of it is to come, but for what waits for others.
func (p *Page) Resource(of *report.Resource, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := of.Index - 1
	if i < 0 || i >= len(p.config.Kinds) {
		return
	}
	r := p.rows[i]
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
		p.wakeUp()
	}
}

func ended(of *report.Resource) string {
	if of.Listed && of.Complete {
		return completed
	}
	return failed
}

// Reconciling tells that the entities are looked through for what is stale.
func (p *Page) Reconciling() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rows {
		if r.metric.Kind == reconcileRow {
			r.metric.SyncState, r.begun, r.dirty = syncing, time.Now(), true
			p.wakeUp()
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

// progress lets rows that go on tell how long they do.
func (p *Page) progress() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rows {
		if r.metric.SyncState == syncing {
			r.took(false)
			r.dirty = true
		}
	}
}

// finishRows puts the last numbers into every row.
func (p *Page) finishRows(end End) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, r := range p.rows {
		switch {
		case i < len(end.Report.Resources) && i < len(p.config.Kinds):
			of := end.Report.Resources[i]
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

// sendRows sends the rows that have changed: together the first time and the last,
// else one by one.
func (p *Page) sendRows(ctx context.Context) {
	ending := p.closed.Load()
	p.mu.Lock()
	var together, changed []*row
	for _, r := range p.rows {
		switch {
		case !r.known, r.dirty && ending:
			together = append(together, r)
		case r.dirty:
			changed = append(changed, r)
		}
	}
	p.mu.Unlock()
	base := p.config.Integration.MetricURL
	if len(together) > 0 {
		p.send(ctx, together, func(ctx context.Context, m []port.SyncMetric) error {
			return p.config.Port.PostSyncMetrics(ctx, base, m)
		})
	}
	for _, r := range changed {
		if p.closed.Load() {
			return // it goes with the last ones
		}
		p.send(ctx, []*row{r}, func(ctx context.Context, m []port.SyncMetric) error {
			return p.config.Port.PutSyncMetric(ctx, base, m[0])
		})
	}
}

// send sends rows in one call.
func (p *Page) send(ctx context.Context, rows []*row, do func(context.Context, []port.SyncMetric) error) {
	p.mu.Lock()
	metrics := make([]port.SyncMetric, len(rows))
	for i, r := range rows {
		r.metric.EventID, r.dirty = p.event, false
		metrics[i] = r.metric
	}
	p.mu.Unlock()
	ok := p.call(ctx, syncStatus, totalTime-reserveTime, func(ctx context.Context) error { return do(ctx, metrics) })
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range rows {
		r.known, r.dirty = r.known || ok, r.dirty || !ok
	}
}
