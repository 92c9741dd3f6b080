package resync

import (
	"context"
	"errors"
	"fmt"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/report"
)

// goneShare bounds how many repositories of a resource may disappear in one run, as a part
// of all: when more do, the resource is taken to be incomplete.
const goneShare = 1.0 / 4

// settleGone finds out what became of the repositories that answered as if they were not
// there. One that the list still names exists and cannot be read, such as one that is
// suspended, being moved, or closed to the credential: what Port holds of it stays.
func (a *account) settleGone(readCtx context.Context) {
	if len(a.lost) == 0 {
		return
	}
	second, err := a.to.Bound.Again(readCtx, a.workspace)
	if err != nil {
		a.miss(readCtx, kind.Source{}, err)
		for _, l := range a.lost {
			a.countLost(l)
		}
		return
	}
	vanished := 0
	for _, l := range a.lost {
		if second.Lists(l.source.Key) {
			a.noteUnreadable(l)
			continue
		}
		vanished++
		a.vanished = append(a.vanished, l.source)
		a.noteOf(a.to.About(diag.Extract), diag.Problem{Severity: diag.Warning, Where: a.to.Where(), Message: "a repository disappeared during the run", Example: l.gone.Slug})
	}
	a.lost = nil
	if listed := a.to.Seen.Tasks; vanished > 1 && float64(vanished) > goneShare*float64(listed) {
		why := fmt.Sprintf("%s: %d of %d repositories disappeared during the run, which is more likely a fault", a.to.Where(), vanished, listed)
		a.to.Seen.Miss(why)
		a.report.Mark(report.Unread)
		a.noteOf(a.to.About(diag.Extract), diag.Problem{Severity: diag.Error, Message: why, Fix: "run again; look at Bitbucket's status page if it stays so"})
	}
}

// noteUnreadable accounts for a repository that is listed, and answers as if it were not
// there.
func (a *account) noteUnreadable(l loss) {
	a.countLost(l)
	a.missSource(l.source, fmt.Sprintf("%s: repository %q is listed, and cannot be read", a.to.Where(), l.gone.Slug))
	a.report.Mark(report.Unread)
	a.noteOf(a.to.About(diag.Extract), diag.Problem{
		Where:   a.to.Where(),
		Message: fmt.Sprintf("repository %q is listed, and its own routes answer 404: what Port holds of it stays", l.gone.Slug),
		Fix:     "it may be suspended, being moved, or closed to the credential; to leave it out, set the selector's repoQuery to " + a.to.Bound.Without(l.source),
	})
}

// countLost counts what was not read of a repository.
func (a *account) countLost(l loss) {
	out, n := a.to.Report, l.gone.Objects*len(a.to.Entries)
	out.Extracted += n
	out.Skipped -= l.skipped
	out.Failed += n + l.skipped
	out.Unread += n + l.skipped
}

// readAgain reads the list that the resource begins with a second time.
func (a *account) readAgain(readCtx context.Context) {
	second, err := a.to.Bound.Again(readCtx, a.workspace)
	if err != nil {
		again := fmt.Errorf("read again before the deletion: %w", err)
		p := diag.Problem{Where: a.to.Where(), Message: again.Error(), Fix: kind.Fix(err)}
		if errors.Is(err, bitbucket.ErrBudget) { // the same for all resources
			p.Where, p.Message = diag.Where{}, "the lists were not read again before the deletion, since max_requests"+a.memory.bound()+" was reached: nothing of them is deleted"
		}
		a.missWith(readCtx, kind.Source{}, again, p)
		a.to.Report.Complete = a.complete()
		return
	}
	for _, source := range second.Appeared {
		a.cameBack(source, "was not in the list when the run read it")
	}
	for _, source := range a.vanished {
		if second.Lists(source.Key) {
			a.cameBack(source, "was away while the run read it")
		}
	}
}

// cameBack notes a source that is there before the deletion, and that the run did not read.
func (a *account) cameBack(source kind.Source, why string) {
	a.to.Seen.Partial = append(a.to.Seen.Partial, inventory.Gap{
		Source: inventory.Source(source),
		Why:    fmt.Sprintf("%s: %q is there, and %s", a.to.Where(), source.Name, why),
		Fix:    "run again: the next run reads it",
	})
}

// canProduce reports whether the resource can produce one of the blueprints.
func (a *account) canProduce(blueprints map[string]bool) bool {
	for blueprint := range blueprints {
		if a.to.CanProduce(blueprint) {
			return true
		}
	}
	return false
}
