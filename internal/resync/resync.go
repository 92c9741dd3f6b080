// Package resync does one run, from the first request to Bitbucket to the last
// deletion in Port: it holds the only loop over the resources of a mapping.
package resync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/load"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/prune"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/report"
)

// writeGrace is how long after the time limit what was read may still be written: some
// thousand entities at the pace that Port allows.
const writeGrace = 5 * time.Minute

// run is one run under way. It belongs to one goroutine.
type run struct {
	session
	inventory *inventory.Inventory
	schemas   *port.Schemas
	readings  []*reading
}

// Run does one run, and adds to the report what it does. The error is why the run as a
// whole failed; the report has what was done all the same.
func Run(ctx context.Context, job Job, rep *report.Report) error {
	if job.Store == nil {
		job.Store = job.Port.Entities
	}
	ctx, cancel := context.WithCancel(ctx)
	readCtx, writeCtx := ctx, ctx
	if !job.Deadline.IsZero() {
		var stopReading, stopWriting context.CancelFunc
		readCtx, stopReading = context.WithDeadlineCause(ctx, job.Deadline, errTimeLimit)
		writeCtx, stopWriting = context.WithDeadlineCause(ctx, job.Deadline.Add(writeGrace), errTimeLimit)
		defer stopReading()
		defer stopWriting()
	}
	r := newRun(job, rep)
	defer r.close()
	defer func() { r.memory.tell(job, r.workspace.Readings().Known, &rep.Memory) }()
	defer r.tellSources()
	defer r.tellFields()
	defer r.loader.Wait()
	defer cancel()
	r.load(readCtx, writeCtx)
	err := cmp.Or(r.imbalance(), r.failure(ctx))
	r.prune(ctx, readCtx, err)
	if err == nil {
		err = r.failure(ctx)
	}
	if err != nil {
		rep.Mark(report.Fatal)
	}
	rep.CutOff = err != nil || rep.Has(report.TimeLimit|report.NotAsked) || r.memory.bounds(job.Bitbucket)
	return err
}

func newRun(job Job, rep *report.Report) *run {
	r := &run{inventory: inventory.New(), schemas: port.NewSchemas(job.Port)}
	r.job, r.report, r.samples = job, rep, map[string]*samples{}
	r.memory = newMemory(job.Bitbucket)
	r.workspace = kind.NewWorkspace(job.Bitbucket, job.options())
	r.loader = load.New(load.Config{
		Bound: job.Bound, Port: job.Port, Store: job.Store, Schemas: r.schemas, Report: rep, Inventory: r.inventory,
	})
	for _, res := range job.Bound.Resources {
		names, _ := res.Blueprints()
		out := &report.Resource{Index: res.Index, Kind: res.Kind, Blueprints: slices.Compact(slices.Sorted(slices.Values(names)))}
		rep.Resources = append(rep.Resources, out)
		seen := &inventory.Resource{Index: res.Index, Sources: map[string]inventory.Source{}, Held: make([]int, len(res.Entries))}
		r.inventory.Resources = append(r.inventory.Resources, seen)
		r.readings = append(r.readings, newReading(&r.session, &load.Resource{Resource: res, Report: out, Seen: seen}))
	}
	return r
}

// load reads all resources, and loads what they give.
func (r *run) load(readCtx, writeCtx context.Context) {
	// What Port stores is read before the first write: an entity that is made for a
	// relation to it must not count as one that Port stored.
	for _, out := range r.report.Resources {
		for _, blueprint := range out.Blueprints {
			r.loader.Expect(writeCtx, blueprint)
		}
	}
	r.job.Progress.Phase(progress.Reading)
	r.plan(readCtx)
	r.survey = r.beginSurvey(readCtx)
	defer r.survey.end()
	order := r.inOrder(writeCtx)
	all := concurrent.NewPipeline[ordered](concurrent.Limits[chunk]{
		Active: r.job.atOnce(), Room: roomAhead, Size: chunk.size,
	})
	defer all.Close()
	for i, of := range order {
		of.begin(readCtx, writeCtx, i, all)
	}
	for _, of := range order {
		of.read(readCtx, writeCtx)
	}
	r.loader.Finish(writeCtx, r.job.Bound.Resources...)
	r.loader.Retry(writeCtx)
	for _, of := range r.readings {
		of.settleGone(readCtx)
		of.noteLeft()
		of.to.Report.Complete = of.complete()
		of.to.Seen.Extracted = of.to.Report.Extracted
	}
	if errors.Is(context.Cause(readCtx), errTimeLimit) { // also when it was reached only while writing
		r.timeLimit()
	}
}

// close removes what the run kept.
func (r *run) close() {
	if err := errors.Join(r.workspace.Close(), r.inventory.Close()); err != nil {
		r.job.Log.Warn("a temporary file was left behind", "error", err)
	}
}

// imbalance is a mistake of this program: an object or an entity that is not accounted
// for. Then nothing is deleted.
func (r *run) imbalance() error {
	for _, out := range r.report.Resources {
		if err := out.Balance(); err != nil {
			return fmt.Errorf("internal error: resource %d (%s): %w", out.Index, out.Kind, err)
		}
	}
	return nil
}

// failure is why the run as a whole failed so far.
func (r *run) failure(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case r.report.Has(report.TimeLimit):
		return nil
	case r.unlisted() && !r.overBudget():
		return report.Consequence("no resource could be listed")
	}
	return r.loader.Fail()
}

// unlisted reports whether no resource could be listed.
func (r *run) unlisted() bool {
	return !slices.ContainsFunc(r.report.Resources, func(o *report.Resource) bool { return o.Listed })
}

// overBudget reports whether all that is missing was not asked for, since the bound on requests
// was reached: that is how a bound is kept, and no failure.
func (r *run) overBudget() bool { return r.report.Has(report.NotAsked) && !r.report.Has(report.Unread) }

// prune deletes what is stale, unless the run failed, or was to ask for nothing.
func (r *run) prune(ctx, readCtx context.Context, err error) {
	if err == nil && r.unlisted() && r.overBudget() {
		return // nothing is known
	}
	if ctx.Err() == nil && r.job.Deletion != reconcile.Never { // else nothing reads the inventory
		r.loader.Close()
	}
	r.job.Progress.Phase("looking for what is stale")
	prune.Run(ctx, prune.Config{
		Bound: r.job.Bound, Inventory: r.inventory, Port: r.job.Port, Store: r.job.Store, Schemas: r.schemas, Report: r.report,
		Began: r.job.Start, Reconciling: r.job.Watch.Reconciling,
		Failure:  func() error { return cmp.Or(err, r.failure(ctx)) },
		Again:    func(doomed []catalog.Ref) { r.readAgain(readCtx, doomed) },
		Deletion: r.job.Deletion, MaxDeletions: r.job.MaxDeletions, StandIn: r.job.StandIn, Displaced: r.job.Bitbucket.Displaced,
		Selector: r.job.selectorHistory, Former: r.job.Former, ConfirmRenames: r.job.ConfirmRenames,
	})
}

// readAgain reads a second time the lists that can have held the sources of the doomed
// entities. A source that appears only now, since the list moved while it was read or the
// repository was away for a while, is a gap of its own.
func (r *run) readAgain(readCtx context.Context, doomed []catalog.Ref) {
	r.workspace.Forget()
	blueprints := map[string]bool{}
	for _, ref := range doomed {
		blueprints[ref.Blueprint] = true
	}
	for _, of := range r.readings {
		if of.to.Seen.Gap.Why == "" && of.canProduce(blueprints) {
			of.readAgain(readCtx)
		}
	}
}

// inOrder are the resources in the order in which they run. It is the mapping's; but
// what others relate to comes first where it is not created for them: where
// createMissingRelatedEntities is false, and where a search query looks for it. Those
// that can produce one blueprint keep their order: the later one wins.
func (r *run) inOrder(ctx context.Context) []*reading {
	left := slices.Clone(r.readings)
	var order []*reading
	for len(left) > 0 {
		next := max(0, slices.IndexFunc(left, func(of *reading) bool {
			return !slices.ContainsFunc(left, func(o *reading) bool {
				return o != of && (o.to.Index < of.to.Index && o.to.Shares(of.to.Resource) || r.relatesTo(ctx, of.to.Resource, o.to.Resource))
			})
		}))
		order = append(order, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return order
}

// relatesTo reports whether entities of one resource relate to those of another, which
// must be there before them.
func (r *run) relatesTo(ctx context.Context, from, to *check.Resource) bool {
	names, _ := to.Blueprints()
	for _, e := range from.Entries {
		for _, f := range e.Source.Relations {
			if e.Dynamic || f.Value.Query == nil && r.job.Bound.Mapping.CreateMissingRelatedEntities {
				continue
			}
			schema, _ := r.schemas.Of(ctx, e.Blueprint)
			if slices.Contains(names, schema.Relations[f.Name].Target) {
				return true
			}
		}
	}
	return false
}
