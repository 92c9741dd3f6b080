package resync

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/load"
	"port-bitbucket-exporter/internal/transform"
)

// atOnce returns how many tasks run side by side: as many as requests may be under way, and
// some that decode an answer meanwhile, or wait for a processor to. Each holds a page.
func (j Job) atOnce() int {
	const perRequest, perProcessor = 2, 2
	return min(perRequest*j.Concurrency, j.Concurrency+perProcessor*runtime.GOMAXPROCS(0))
}

// reading is the reading of one resource.
type reading struct {
	account
	samples *samples
	reading context.Context // ends with the run, or when the rest need not be asked for
	stream  *concurrent.Stream[ordered, chunk]
}

func newReading(s *session, to *load.Resource) *reading {
	return &reading{account: account{session: s, to: to, stop: func(error) {}, mapped: map[*check.Entry]int{}, nulls: nulls{}}, samples: s.samplesOf(to.Kind)}
}

// begin begins to read and map the resource, as the n-th of all.
func (r *reading) begin(readCtx, writeCtx context.Context, n int, all *concurrent.Pipeline[ordered, chunk]) {
	r.reading, r.stop = context.WithCancelCause(readCtx)
	class := r.to.Bound.Class
	if _, bounded := r.job.Bitbucket.Left(); bounded {
		class = "in the order of the plan"
	}
	r.stream = all.Add(class, func(task ordered, emit func(chunk) bool) {
		if task.Ready != nil {
			r.stream.Idle(func() { task.Ready(r.reading) })
		}
		r.survey.pass(r.reading)
		extract(r.reading, writeCtx, r.to.Resource, r.loader.Digester, task, r.samples, emit)
		if !task.Warns {
			r.job.Progress.Repository(r.to.Index)
		}
	})
	r.stream.Begin(r.tasks(readCtx, n))
}

// read loads what the reading of the resource gives.
func (r *reading) read(readCtx, writeCtx context.Context) {
	start, out := time.Now(), r.to.Report
	if readCtx.Err() != nil {
		r.miss(readCtx, kind.Source{}, context.Cause(readCtx))
		return
	}
	readCtx = r.reading
	defer r.stop(nil)
	r.job.Watch.resource(out, false)
	arrays, noArrays := 0, 0
	for c, err := range r.stream.All() {
		if err != nil {
			r.missList(readCtx, err)
			break
		}
		arrays, noArrays = arrays+c.arrays, noArrays+c.noArrays
		r.take(readCtx, writeCtx, c)
		for _, err := range c.errs {
			r.taskFailed(readCtx, c.source, err)
		}
		r.show(r.to.Kind, r.samples, c)
		r.job.Watch.resource(out, false)
	}
	if arrays == 0 && noArrays > 0 {
		r.noteNoArrays()
	}
	r.noteNulls()
	r.loader.Finish(writeCtx, r.to.Resource)
	out.Listed = (r.to.Seen.Listed || r.to.Seen.Tasks > 0) && !(r.denied && out.Extracted == 0)
	out.Complete = r.complete()
	out.Duration = time.Since(start)
	if writeCtx.Err() == nil || errors.Is(context.Cause(writeCtx), errTimeLimit) {
		r.job.Watch.resource(out, true)
	}
	about := r.to.About(diag.Load)
	about.AtEnd = true
	r.job.Log.Info("resource done", about.Attr(), "resource", r.to.Where().String(), "extracted", out.Extracted, "filtered", out.Filtered,
		"skipped", out.Skipped, "failed", out.Failed, "created", out.Created, "updated", out.Updated,
		"unchanged", out.Unchanged, "rejected", out.Rejected, "took", out.Duration.Round(time.Millisecond))
}

// tasks counts the tasks of the resource as they are listed. Its list is shared with other
// resources, and ends with the run: the tasks end also when the rest need not be asked for.
func (r *reading) tasks(readCtx context.Context, n int) iter.Seq2[ordered, error] {
	seen, bound, listed := r.to.Seen, r.to.Bound, 0
	return func(yield func(ordered, error) bool) {
		for task, err := range bound.Extract(readCtx, r.workspace) {
			if err == nil && r.reading.Err() != nil {
				err = context.Cause(r.reading)
			}
			if err == nil {
				listed++
				if !task.Warns {
					seen.Tasks++
				}
				seen.Sources[task.Source.Key] = inventory.Source(task.Source)
			}
			if !yield(ordered{task, place{n, listed}}, err) || err != nil {
				return
			}
		}
		seen.Listed = true
	}
}

// take accounts for a chunk, and loads its entities.
func (r *reading) take(readCtx, writeCtx context.Context, c chunk) {
	for _, n := range c.notes {
		r.noteField(n)
	}
	for _, object := range c.unparsed {
		r.notKnown(c.source, object)
	}
	for _, u := range c.units {
		r.takeUnit(readCtx, writeCtx, c.source, u)
	}
}

func (r *reading) takeUnit(readCtx, writeCtx context.Context, from kind.Source, u unit) {
	out := r.to.Report
	out.Extracted++
	switch u.outcome {
	case transform.Filtered:
		out.Filtered++
		if u.unparsed {
			r.notKnown(from, u.Address)
		}
	case transform.Skipped:
		out.Skipped++
		r.noteSkipped(from, u)
	case transform.Failed:
		r.unitFailed(readCtx, writeCtx, from, u)
	case transform.Refused:
		out.Transformed++
		r.mapped[u.Entry]++
		r.noteOf(r.to.About(diag.Transform), diag.Problem{At: u.fault.Expr.Pos, Where: r.where(u.fault.Expr), Message: u.fault.Message, Fix: u.fault.Fix, Example: u.value()})
		if u.ref.Blueprint == "" || u.ref.Identifier == "" && !u.Entry.QueryIdentifier {
			r.missSource(from, r.to.Where().String()+": the entity of "+u.Address+" has no name by which it is known")
		}
		r.loader.Refuse(writeCtx, r.to, u.Entry, u.ref)
	case transform.Mapped:
		out.Transformed++
		r.mapped[u.Entry]++
		r.job.Progress.Entity()
		r.addBlueprint(u.Entity.Ref.Blueprint)
		if u.unparsed && !r.loader.Stores(writeCtx, u.Entity.Ref) {
			r.notKnown(from, u.Address) // a new name may stand for an old one
		}
		r.loader.Add(writeCtx, r.to, u.Unit)
	}
}

func (r *reading) addBlueprint(blueprint string) {
	out := r.to.Report
	if i, ok := slices.BinarySearch(out.Blueprints, blueprint); !ok {
		out.Blueprints = slices.Insert(out.Blueprints, i, blueprint)
	}
}

// unitFailed accounts for a unit of which an expression that decides on it failed, or a
// file that the mapping names was not read.
func (r *reading) unitFailed(readCtx, writeCtx context.Context, from kind.Source, u unit) {
	out := r.to.Report
	if writeCtx.Err() != nil { // the end of the run, and no fault of the mapping
		out.Failed++
		out.Unread++
		r.to.Seen.Miss(r.to.Where().String() + " was not read to its end, since the run was stopped")
		return
	}
	if u.fault.Unread == nil {
		out.Failed++
		r.noteFailed(u)
		return
	}
	var gone *kind.Gone
	var omitted *kind.Omitted
	switch err := u.fault.Unread; {
	case errors.As(err, &gone):
		out.Skipped++
		r.lose(from, gone, 1)
	case errors.As(err, &omitted):
		out.Skipped++
		r.noteOmitted(from, omitted)
	default:
		out.Failed++
		out.Unread++
		r.missWith(readCtx, from, err, diag.Problem{
			At: u.fault.Expr.Pos, Where: r.where(u.fault.Expr), Message: u.fault.Message, Fix: cmp.Or(kind.Fix(err), u.fault.Fix),
		})
	}
}

// taskFailed accounts for an error of a task.
func (r *reading) taskFailed(readCtx context.Context, from kind.Source, err error) {
	out, n := r.to.Report, len(r.to.Entries)
	var gone *kind.Gone
	var unreadable *kind.Unreadable
	var omitted *kind.Omitted
	var warning *kind.Warning
	var remembered *kind.Remembered
	var none *kind.None
	switch {
	case errors.As(err, &remembered):
		r.remember(from, remembered)
	case errors.As(err, &warning):
		if warning.BlocksDeletion {
			r.missSource(from, r.to.Where().String()+": "+warning.Message)
		}
		r.noteWarning(warning)
	case errors.As(err, &omitted):
		out.Extracted += n
		out.Skipped += n
		r.noteOmitted(from, omitted)
	case errors.As(err, &gone):
		r.lose(from, gone, 0)
	case errors.As(err, &none):
		r.to.Seen.Without = append(r.to.Seen.Without, inventory.Without{Source: inventory.Source(from), Why: none.Why, Again: none.Again})
	case errors.As(err, &unreadable) && readCtx.Err() == nil:
		out.Extracted += n
		out.Failed += n
		out.Unread += n
		r.miss(readCtx, from, unreadable.Err)
	default:
		r.miss(readCtx, from, err)
	}
}
