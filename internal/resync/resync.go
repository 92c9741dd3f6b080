// Package resync does one run, from the first request to Bitbucket to the last
// deletion in Port: it holds the only loop over the resources of a mapping.
package resync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/transform"
)

// tasksPerRequest is how many tasks run side by side for each request that may be
// under way: some decode while others wait for an answer.
const tasksPerRequest = 2

// writeGrace is how long after the time limit what is known may still be written.
const writeGrace = 5 * time.Minute

// errTimeLimit ends the extraction, and after a while the load.
var errTimeLimit = errors.New("the time limit was reached")

// errDenied ends the extraction of one resource.
var errDenied = errors.New("the rest of the resource need not be asked for")

type run struct {
	job       Job
	report    *report.Report
	workspace *kind.Workspace
	loader    *loader
	loads     []*loading
	samples   map[string]*samples // by kind
	told      sync.Once           // the forecast
	searched  bool                // Port has no list of a data source; its searches may not say how old an entity is
	fixes     map[string]string   // of the guards of deletion
}

// Run does one run, and adds to the report what it does. The error is why the run
// as a whole failed; the report tells what was done all the same.
func Run(ctx context.Context, job Job, rep *report.Report) error {
	if job.Store == nil {
		job.Store = job.Port
	}
	ctx, cancel := context.WithCancel(ctx)
	asking, writing := ctx, ctx
	if !job.Deadline.IsZero() {
		var stopAsking, stopWriting context.CancelFunc
		asking, stopAsking = context.WithDeadlineCause(ctx, job.Deadline, errTimeLimit)
		writing, stopWriting = context.WithDeadlineCause(ctx, job.Deadline.Add(writeGrace), errTimeLimit)
		defer stopAsking()
		defer stopWriting()
	}
	r := &run{job: job, report: rep, workspace: kind.NewWorkspace(job.Bitbucket, job.options()), loader: newLoader(writing, job, rep), samples: map[string]*samples{}, fixes: map[string]string{}}
	defer r.close()
	defer r.loader.wait()
	defer cancel()
	for _, res := range job.Bound.Resources {
		names, _ := res.Blueprints()
		out := &report.Resource{Index: res.Index, Kind: res.Kind, Blueprints: slices.Compact(slices.Sorted(slices.Values(names)))}
		rep.Resources = append(rep.Resources, out)
		r.loads = append(r.loads, &loading{resource: res, report: out, sources: map[string]kind.Source{}, stored: map[*check.Entry]int{}, mapped: map[*check.Entry]int{}, samples: r.samplesOf(res.Kind)})
	}
	// All of them before the first write: an entity that is made for a relation to it
	// must not count as one that Port held.
	for _, out := range rep.Resources {
		for _, blueprint := range out.Blueprints {
			r.loader.expect(blueprint)
		}
	}
	for _, of := range r.inOrder(ctx) {
		r.resource(ctx, asking, of)
	}
	r.loader.finish(r.job.Bound.Resources...)
	r.loader.retry()
	r.settleGone(asking)
	for _, of := range r.loads {
		of.report.Complete = of.complete()
	}
	if errors.Is(context.Cause(asking), errTimeLimit) { // also when it was reached only while writing
		r.timeLimit()
	}
	err := cmp.Or(r.imbalance(), r.failure(ctx))
	r.prune(ctx, asking, err)
	if err == nil {
		err = r.failure(ctx)
	}
	if err != nil {
		rep.Mark(report.Fatal)
	}
	return err
}

// close removes what the run kept of Bitbucket.
func (r *run) close() {
	if err := r.workspace.Close(); err != nil {
		r.job.Log.Warn("a temporary file was left behind", "error", err)
	}
}

// imbalance is a mistake of this program: an object or an entity that is not
// accounted for. Then nothing is deleted.
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
	case !r.report.Has(report.TimeLimit) && !slices.ContainsFunc(r.report.Resources, func(o *report.Resource) bool { return o.Listed }):
		return errors.New("no resource could be listed")
	case !r.report.Has(report.TimeLimit) && r.loader.requests > 0 && r.loader.requests == r.loader.failedRequests:
		return fmt.Errorf("every write request to Port failed (%d)", r.loader.requests)
	}
	return nil
}

// resource extracts, maps and loads one resource.
func (r *run) resource(ctx, asking context.Context, of *loading) {
	start := time.Now()
	if asking.Err() != nil {
		r.unread(asking, of, kind.Source{}, context.Cause(asking), func(error) {})
		return
	}
	asking, stop := context.WithCancelCause(asking)
	defer stop(nil)
	r.job.Watch.resource(of.report, false)
	arrays, noArrays := 0, 0
	tasks := r.tasks(asking, of)
	for c, err := range concurrent.Ordered(tasks, tasksPerRequest*r.job.Concurrency, func(task kind.Task, emit func(chunk) bool) {
		extract(ctx, asking, of.resource, r.loader.schemas, task, of.samples, emit)
	}) {
		if err != nil {
			r.unlisted(asking, of, err, stop)
			break
		}
		arrays, noArrays = arrays+c.arrays, noArrays+c.noArrays
		r.take(asking, of, c, stop)
		for _, err := range c.errs {
			r.failed(asking, of, c.source, err, stop)
		}
		r.show(of, c.samples)
		r.job.Watch.resource(of.report, false)
	}
	if arrays == 0 && noArrays > 0 {
		x := of.resource.ItemsToParse
		r.gap(of, fmt.Sprintf("itemsToParse of %s never gave an array", of.resource.Where()))
		r.report.Mark(report.FailedSelector)
		r.note(diag.Error, *x, of.resource.Where()+": itemsToParse never gave an array", "check the path of the array", "")
	}
	r.tellNulls(of)
	r.loader.finish(of.resource)
	of.report.Listed = of.listed || of.tasks > 0
	if of.denied && of.report.Extracted == 0 {
		of.report.Listed = false
	}
	of.report.Complete = of.complete()
	of.report.Duration = time.Since(start)
	if ctx.Err() == nil {
		r.job.Watch.resource(of.report, true)
	}
	r.job.Log.Info("resource done", "resource", of.resource.Where(), "extracted", of.report.Extracted, "filtered", of.report.Filtered,
		"skipped", of.report.Skipped, "failed", of.report.Failed, "created", of.report.Created, "updated", of.report.Updated,
		"unchanged", of.report.Unchanged, "rejected", of.report.Rejected, "took", of.report.Duration.Round(time.Millisecond))
}

// tasks counts the tasks of a resource as they are listed.
func (r *run) tasks(asking context.Context, of *loading) iter.Seq2[kind.Task, error] {
	return func(yield func(kind.Task, error) bool) {
		for task, err := range of.resource.Bound.Extract(asking, r.workspace) {
			if err == nil {
				of.tasks++
				of.sources[task.Source.Key] = task.Source
			}
			if !yield(task, err) || err != nil {
				return
			}
		}
		of.listed = true
		if of.resource.Bound.Cost.Each && !of.resource.Bound.Narrowed {
			r.forecast(of.tasks)
		}
	}
}

// take accounts for a chunk, and loads its entities.
func (r *run) take(asking context.Context, of *loading, c chunk, stop context.CancelCauseFunc) {
	for _, n := range c.notes {
		r.noteField(of, n)
	}
	for _, object := range c.unparsed {
		r.notKnown(of, c.source, object)
	}
	for _, u := range c.units {
		of.report.Extracted++
		switch u.outcome {
		case transform.Filtered:
			of.report.Filtered++
			if u.unparsed {
				r.notKnown(of, c.source, u.source)
			}
		case transform.Skipped:
			of.report.Skipped++
			r.noteSkipped(of, c.source, u)
		case transform.Failed:
			if r.loader.ctx.Err() != nil { // the end of the run, and no fault of the mapping
				of.report.Failed++
				of.report.Unread++
				r.gap(of, of.resource.Where()+" was not read to its end, since the run was stopped")
				break
			}
			if u.fault.Unread != nil {
				r.noteUnread(asking, of, c.source, u, stop)
				break
			}
			of.report.Failed++
			r.noteFailed(of, u)
		case transform.Refused:
			of.report.Transformed++
			of.mapped[u.entry]++
			r.note(diag.Error, u.fault.Expr, r.where(of, u.fault.Expr)+": "+u.fault.Message, u.fault.Fix, valueFrom(u))
			r.loader.refuse(of, u)
		case transform.Mapped:
			of.report.Transformed++
			of.mapped[u.entry]++
			r.addBlueprint(of, u.entity.Ref.Blueprint)
			if u.unparsed {
				if _, held := r.loader.holds(u.entity.Ref); !held {
					r.notKnown(of, c.source, u.source) // a new name may stand for an old one
				}
			}
			r.loader.add(of, u)
			r.loader.cameFrom(u, c.source)
		}
	}
}

func (r *run) addBlueprint(of *loading, blueprint string) {
	if i, ok := slices.BinarySearch(of.report.Blueprints, blueprint); !ok {
		of.report.Blueprints = slices.Insert(of.report.Blueprints, i, blueprint)
	}
}

// failed accounts for the error of a task.
func (r *run) failed(asking context.Context, of *loading, from kind.Source, err error, stop context.CancelCauseFunc) {
	var gone *kind.Gone
	var unreadable *kind.Unreadable
	var omitted *kind.Omitted
	var warning *kind.Warning
	switch {
	case errors.As(err, &warning):
		if warning.BlocksDeletion {
			r.gapAt(of, from, of.resource.Where()+": "+warning.Message)
		}
		r.report.Note(diag.Problem{Severity: diag.Warning, Message: of.resource.Where() + ": " + warning.Message, Fix: warning.Fix, Example: warning.Example})
	case errors.As(err, &omitted):
		n := len(of.resource.Entries)
		of.report.Extracted += n
		of.report.Skipped += n
		r.noteOmitted(of, from, omitted)
	case errors.As(err, &gone):
		of.lose(from, gone, 0)
	case errors.As(err, &unreadable) && asking.Err() == nil:
		n := len(of.resource.Entries)
		of.report.Extracted += n
		of.report.Failed += n
		of.report.Unread += n
		r.unread(asking, of, from, unreadable.Err, stop)
	default:
		r.unread(asking, of, from, err, stop)
	}
}

// noteUnread is for a unit without a file that its mapping names.
func (r *run) noteUnread(asking context.Context, of *loading, from kind.Source, u unit, stop context.CancelCauseFunc) {
	var gone *kind.Gone
	var omitted *kind.Omitted
	switch {
	case errors.As(u.fault.Unread, &gone):
		of.report.Skipped++
		of.lose(from, gone, 1)
	case errors.As(u.fault.Unread, &omitted):
		of.report.Skipped++
		r.noteOmitted(of, from, omitted)
	default:
		of.report.Failed++
		of.report.Unread++
		r.unread(asking, of, from, fmt.Errorf("%s: %w", u.fault.Expr.Name, u.fault.Unread), stop)
	}
}

// unlisted is for a list of tasks that was not read to its end.
func (r *run) unlisted(asking context.Context, of *loading, err error, stop context.CancelCauseFunc) {
	fix := ""
	if errors.Is(err, bitbucket.ErrNotFound) && of.tasks == 0 {
		fix = fmt.Sprintf("check the input bitbucket_workspace (%q), and that the credential belongs to that workspace", r.job.Bitbucket.Workspace())
	}
	r.lost(asking, of, kind.Source{}, err, stop, fix)
}

// unread is for an object, or the objects of one task, that were not read.
func (r *run) unread(asking context.Context, of *loading, from kind.Source, err error, stop context.CancelCauseFunc) {
	r.lost(asking, of, from, err, stop, "")
}

// lost is for anything of Bitbucket that was not read; an empty fix is that of the error.
func (r *run) lost(asking context.Context, of *loading, from kind.Source, err error, stop context.CancelCauseFunc, fix string) {
	where := of.resource.Where()
	switch cause := context.Cause(asking); {
	case errors.Is(cause, errDenied):
		return
	case errors.Is(cause, errTimeLimit):
		r.timeLimit()
		r.gap(of, where+" was not read to its end, since the time limit was reached")
		return
	case cause != nil:
		r.gap(of, where+" was not read to its end, since the run was stopped")
		return
	}
	if denied := kind.Denied(err); denied || from.Key == "" {
		r.gap(of, where+" was not read completely")
	} else {
		r.gapAt(of, from, fmt.Sprintf("%s: repository %q was not read completely", where, from.Name))
	}
	r.report.Mark(report.Unread)
	if fix == "" {
		fix = bitbucket.Fix(err)
	}
	r.report.Note(diag.Problem{Severity: diag.Error, Message: where + ": " + err.Error(), Fix: fix})
	if kind.Denied(err) {
		of.denied = true
		stop(errDenied)
	}
}

// timeLimit tells, once, that the run was cut short.
func (r *run) timeLimit() {
	if r.report.Has(report.TimeLimit) {
		return
	}
	r.report.Mark(report.TimeLimit)
	r.report.Note(diag.Problem{Severity: diag.Warning, Message: "the time limit was reached before the run was done; nothing is deleted",
		Fix: "raise time_limit, or give several workspace tokens"})
}
