package resync

import (
	"context"
	"fmt"
	"slices"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/report"
)

// goneShare bounds how many repositories of a resource may disappear in one run, as a part
// of all: when more than one in goneShare do, the resource is taken to be incomplete.
const goneShare = 4

// loss is a repository that answered as if it were not there.
type loss struct {
	source  kind.Source
	gone    *kind.Gone
	skipped int // units of it that were counted as skipped
}

// lose remembers a repository that answered as if it were not there, once, and how many
// units of it were skipped for that.
func (r *reading) lose(from kind.Source, gone *kind.Gone, skipped int) {
	i := slices.IndexFunc(r.lost, func(l loss) bool { return l.gone.Slug == gone.Slug })
	if i < 0 {
		i = len(r.lost)
		r.lost = append(r.lost, loss{source: from, gone: gone})
	}
	r.lost[i].skipped += skipped
}

// settleGone finds out what became of the repositories that answered as if they were not
// there. One that the list still names exists and cannot be read, such as one that is
// suspended, being moved, or closed to the credential: what Port holds of it stays.
func (r *reading) settleGone(readCtx context.Context) {
	if len(r.lost) == 0 {
		return
	}
	second, err := r.to.Bound.Again(readCtx, r.run.workspace)
	if err != nil {
		r.miss(readCtx, kind.Source{}, err)
		for _, l := range r.lost {
			r.countLost(l)
		}
		return
	}
	vanished := 0
	for _, l := range r.lost {
		if second.Lists(l.source.Key) {
			r.noteUnreadable(l)
			continue
		}
		vanished++
		r.vanished = append(r.vanished, l.source)
		r.run.report.Note(diag.Problem{Severity: diag.Warning, Message: r.to.Where() + ": a repository disappeared during the run", Example: l.gone.Slug})
	}
	r.lost = nil
	if listed := r.to.Seen.Tasks; vanished > 1 && vanished > listed/goneShare {
		why := fmt.Sprintf("%s: %d of %d repositories disappeared during the run, which is more likely a fault", r.to.Where(), vanished, listed)
		r.to.Seen.Miss(why)
		r.run.report.Mark(report.Unread)
		r.run.report.Note(diag.Problem{Severity: diag.Error, Message: why, Fix: "run again; look at Bitbucket's status page if it stays so"})
	}
}

// noteUnreadable accounts for a repository that is listed, and answers as if it were not
// there.
func (r *reading) noteUnreadable(l loss) {
	r.countLost(l)
	r.missSource(l.source, fmt.Sprintf("%s: repository %q is listed, and cannot be read", r.to.Where(), l.gone.Slug))
	r.run.report.Mark(report.Unread)
	r.run.report.Note(diag.Problem{
		Severity: diag.Error,
		Message:  fmt.Sprintf("%s: repository %q is listed, and its own routes answer 404: what Port holds of it stays", r.to.Where(), l.gone.Slug),
		Fix:      "it may be suspended, being moved, or closed to the credential; to leave it out, set the selector's repoQuery to " + r.to.Bound.Without(l.source),
	})
}

// countLost counts what was not read of a repository.
func (r *reading) countLost(l loss) {
	out, n := r.to.Report, l.gone.Objects*len(r.to.Entries)
	out.Extracted += n
	out.Skipped -= l.skipped
	out.Failed += n + l.skipped
	out.Unread += n + l.skipped
}

// readAgain reads the list that the resource begins with a second time.
func (r *reading) readAgain(readCtx context.Context) {
	second, err := r.to.Bound.Again(readCtx, r.run.workspace)
	if err != nil {
		r.miss(readCtx, kind.Source{}, fmt.Errorf("read again before the deletion: %w", err))
		r.to.Report.Complete = r.complete()
		return
	}
	for _, source := range second.Appeared {
		r.cameBack(source, "was not in the list when the run read it")
	}
	for _, source := range r.vanished {
		if second.Lists(source.Key) {
			r.cameBack(source, "was away while the run read it")
		}
	}
}

// cameBack notes a source that is there before the deletion, and that the run did not read.
func (r *reading) cameBack(source kind.Source, why string) {
	r.to.Seen.Partial = append(r.to.Seen.Partial, inventory.Gap{
		Source: inventory.Source(source),
		Why:    fmt.Sprintf("%s: %q is there, and %s", r.to.Where(), source.Name, why),
		Fix:    "run again: the next run reads it",
	})
}

// canProduce reports whether the resource can produce one of the blueprints.
func (r *reading) canProduce(blueprints map[string]bool) bool {
	for blueprint := range blueprints {
		if r.to.CanProduce(blueprint) {
			return true
		}
	}
	return false
}
