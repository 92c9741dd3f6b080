package resync

import (
	"context"
	"fmt"
	"slices"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/report"
)

// goneShare bounds how many repositories of a resource may disappear in one run, as a part
// of all: when more than one in goneShare do, the resource is taken to be incomplete.
const goneShare = 4

// sourceGap is why the entities of one source may be incomplete.
type sourceGap struct {
	source kind.Source
	why    string
	fix    string
}

// loss is a repository that answered as if it were not there.
type loss struct {
	source  kind.Source
	gone    *kind.Gone
	skipped int // units of it that were counted as skipped
}

// complete reports whether all that the resource can produce is known.
func (of *loading) complete() bool { return of.gap == "" && len(of.partial) == 0 && len(of.lost) == 0 }

// gap holds back the deletion of all that a resource can produce. The first reason counts.
func (r *run) gap(of *loading, why string) {
	if of.gap == "" {
		of.gap = why
	}
}

// gapAt holds back the deletion of what a resource can produce of one source, or of all when
// the source is the zero Source. The first reason for a source counts.
func (r *run) gapAt(of *loading, from kind.Source, why string) {
	switch {
	case from.Key == "":
		r.gap(of, why)
	case !slices.ContainsFunc(of.partial, func(g sourceGap) bool { return g.source.Key == from.Key }):
		of.partial = append(of.partial, sourceGap{from, why, of.wayOut(from)})
	}
}

// wayOut says how to leave out a source that holds back deletion in every run: that of its
// own entities, and of those that may be its own.
func (of *loading) wayOut(source kind.Source) string {
	without := of.resource.Bound.Without(source)
	if without == "" {
		return ""
	}
	return "if it stays so, leave it out by the selector's repoQuery: " + without
}

// lose remembers a repository that answered as if it were not there, once, and how many
// units of it were skipped for that.
func (of *loading) lose(from kind.Source, gone *kind.Gone, skipped int) {
	i := slices.IndexFunc(of.lost, func(l loss) bool { return l.gone.Slug == gone.Slug })
	if i < 0 {
		i = len(of.lost)
		of.lost = append(of.lost, loss{source: from, gone: gone})
	}
	of.lost[i].skipped += skipped
}

// settleGone finds out what became of the repositories that answered as if they were
// not there. One that the list still names exists and cannot be read, such as one that is
// suspended, being moved, or closed to the credential: what Port holds of it stays.
func (r *run) settleGone(asking context.Context) {
	for _, of := range r.loads {
		if len(of.lost) == 0 {
			continue
		}
		second, err := of.resource.Bound.Again(asking, r.workspace)
		if err != nil {
			r.lost(asking, of, kind.Source{}, err, func(error) {}, "")
			for _, l := range of.lost {
				of.miss(l)
			}
			continue
		}
		vanished := 0
		for _, l := range of.lost {
			if second.Lists(l.source.Key) {
				r.unreadable(of, l)
				continue
			}
			vanished++
			of.vanished = append(of.vanished, l)
			r.report.Note(diag.Problem{Severity: diag.Warning, Message: of.resource.Where() + ": a repository disappeared during the run", Example: l.gone.Slug})
		}
		of.lost = nil
		if vanished > 1 && vanished > of.tasks/goneShare {
			why := fmt.Sprintf("%s: %d of %d repositories disappeared during the run, which is more likely a fault", of.resource.Where(), vanished, of.tasks)
			r.gap(of, why)
			r.report.Mark(report.Unread)
			r.report.Note(diag.Problem{Severity: diag.Error, Message: why, Fix: "run again; look at Bitbucket's status page if it stays so"})
		}
	}
}

// unreadable accounts for a repository that is listed, and answers as if it were not there.
func (r *run) unreadable(of *loading, l loss) {
	of.miss(l)
	r.gapAt(of, l.source, fmt.Sprintf("%s: repository %q is listed, and cannot be read", of.resource.Where(), l.gone.Slug))
	r.report.Mark(report.Unread)
	r.report.Note(diag.Problem{
		Severity: diag.Error,
		Message:  fmt.Sprintf("%s: repository %q is listed, and its own routes answer 404: what Port holds of it stays", of.resource.Where(), l.gone.Slug),
		Fix:      "it may be suspended, being moved, or closed to the credential; to leave it out, set the selector's repoQuery to " + of.resource.Bound.Without(l.source),
	})
}

// miss counts what was not read of a repository.
func (of *loading) miss(l loss) {
	n := l.gone.Objects * len(of.resource.Entries)
	of.report.Extracted += n
	of.report.Skipped -= l.skipped
	of.report.Failed += n + l.skipped
	of.report.Unread += n + l.skipped
}
