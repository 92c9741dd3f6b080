package resync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/load"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/report"
)

// session is what the readings of one run share.
type session struct {
	job       Job
	report    *report.Report
	workspace *kind.Workspace
	loader    *load.Loader
	samples   map[string]*samples // by kind
	memory    memory
	survey    *survey
}

// plan decides what the requests to Bitbucket are spent on, where their number is bounded.
func (s *session) plan(readCtx context.Context) {
	planned, err := s.workspace.Plan(readCtx, s.job.bounds())
	if left, bounded := s.job.Bitbucket.Left(); bounded && err == nil { // the end of a context shows in each resource
		s.logReading(fmt.Sprintf("max_requests leaves %d requests, of which %d are planned to read %d lists and contents of repositories; "+
			"%d come from memory, and %d are neither known nor asked for", left, planned.Requests, planned.Granted, planned.Remembered, planned.Unasked))
	}
}

// noteOf reports a problem, and what it is about.
func (s *session) noteOf(about diag.About, p diag.Problem) {
	p.About = about
	s.report.Note(p)
}

// logReading logs what is about the reading of all resources.
func (s *session) logReading(text string) {
	s.job.Log.Info(text, diag.About{Phase: diag.Extract}.Attr())
}

// timeLimit reports once that the run was cut short.
func (s *session) timeLimit() {
	if s.report.Has(report.TimeLimit) {
		return
	}
	s.report.Mark(report.TimeLimit)
	s.noteOf(diag.About{Phase: diag.Extract}, diag.Problem{Severity: diag.Warning, Message: "the time limit was reached before the run was done; nothing is deleted",
		Fix: "raise time_limit, or give several workspace tokens"})
}

// samplesOf returns the samples of a kind, which its resources share.
func (s *session) samplesOf(kind string) *samples {
	if s.samples[kind] == nil {
		s.samples[kind] = &samples{copied: s.job.Watch.Copy, missing: s.job.Watch.Examples}
	}
	return s.samples[kind]
}

// show hands out objects as far as they are wanted.
func (s *session) show(kind string, wanted *samples, c chunk) {
	if len(c.samples) == 0 {
		return
	}
	for _, object := range c.samples[:wanted.show(c.place, len(c.samples))] {
		s.job.Watch.Example(kind, object)
	}
}

// account accounts for what is read of one resource, and for what is missing.
type account struct {
	*session
	to       *load.Resource
	stop     context.CancelCauseFunc // ends the reading
	denied   bool                    // Bitbucket refused, and would refuse the rest
	lost     []loss                  // repositories that answered as if they were not there
	vanished []kind.Source           // those of them that the list did not name any more
	mapped   map[*check.Entry]int    // units that became an entity, refused or not
	nulls    nulls
	left     string // the name of the first source of which something was not asked for
}

// complete reports whether all that the resource can produce is known.
func (a *account) complete() bool { return a.to.Seen.Complete() && len(a.lost) == 0 }

// missList is for a list of tasks that was not read to its end.
func (a *account) missList(readCtx context.Context, err error) {
	fix := kind.Fix(err)
	if errors.Is(err, bitbucket.ErrNotFound) && a.to.Seen.Tasks == 0 {
		fix = fmt.Sprintf("check the input bitbucket_workspace (%q), and that the credential belongs to that workspace", a.job.Bitbucket.Workspace())
	}
	a.missWith(readCtx, kind.Source{}, err, unread(a.to.Where(), err, fix))
}

// miss is for anything of Bitbucket that was not read: an object, the objects of one
// source, or of all sources when it is the zero Source.
func (a *account) miss(readCtx context.Context, from kind.Source, err error) {
	a.missWith(readCtx, from, err, unread(a.to.Where(), err, kind.Fix(err)))
}

// unread returns the problem of an error of Bitbucket's: where it met it, and the answer as the
// cause.
func unread(where diag.Where, err error, fix string) diag.Problem {
	p := diag.Problem{Where: where, Message: err.Error(), Fix: fix}
	if answer := (*bitbucket.Error)(nil); errors.As(err, &answer) {
		if act, found := strings.CutSuffix(p.Message, ": "+answer.Error()); found {
			p.Where, p.Message, p.Cause = p.Where.In(act), answer.Error(), "Bitbucket: "+answer.Answer()
		}
	}
	return p
}

// missWith is miss with the problem that reports it.
func (a *account) missWith(readCtx context.Context, from kind.Source, err error, p diag.Problem) {
	where := a.to.Where().String()
	switch cause := context.Cause(readCtx); {
	case errors.Is(cause, errDenied):
		return
	case errors.Is(cause, errTimeLimit):
		a.timeLimit()
		a.to.Seen.Miss(where + " was not read to its end, since the time limit was reached")
		return
	case cause != nil:
		a.to.Seen.Miss(where + " was not read to its end, since the run was stopped")
		return
	}
	overBudget := errors.Is(err, bitbucket.ErrBudget)
	if overBudget {
		a.report.Mark(report.NotAsked)
	} else {
		a.report.Mark(report.Unread)
	}
	if overBudget && from.Key != "" {
		a.leave(from)
		return
	}
	denied := kind.Denied(err)
	if denied || from.Key == "" {
		a.to.Seen.Miss(where + " was not read completely")
	} else {
		a.missSource(from, fmt.Sprintf("%s: repository %q was not read completely", where, from.Name))
	}
	a.noteOf(a.to.About(diag.Extract), p)
	if denied {
		a.denied = true
		a.stop(errDenied)
	}
}

// missSource blocks the deletion of what the resource can produce of one source. The fix
// says how to leave out a source that blocks it in every run.
func (a *account) missSource(from kind.Source, why string) {
	fix := ""
	if without := a.to.Bound.Without(from); without != "" {
		fix = "if it stays so, leave it out by the selector's repoQuery: " + without
	}
	a.to.Seen.MissSource(inventory.Gap{Source: inventory.Source(from), Why: why, Fix: fix})
}

// remember accounts for a source whose objects come from memory. They count as produced; what
// else Port holds of the source is not deleted in this run, since it may be there by now.
func (a *account) remember(from kind.Source, r *kind.Remembered) {
	a.memory.recall(from.Key, r.ReadAt)
	a.to.Seen.Remember(from.Key, r.ReadAt.UTC())
}

// leave accounts for a source of which something was not asked for.
func (a *account) leave(from kind.Source) {
	a.memory.leave(from.Key)
	if a.to.Seen.Leave(from.Key); a.left == "" {
		a.left = from.Name
	}
}

// noteLeft reports, once for all sources, that something was not asked for.
func (a *account) noteLeft() {
	if a.left == "" {
		return
	}
	what := "contents"
	if a.to.Bound.Cost.Repositories > 0 {
		what = "lists"
	}
	a.noteOf(a.to.About(diag.Extract), diag.Problem{
		Where: a.to.Where(), Count: len(a.to.Seen.NotAsked), Example: fmt.Sprintf("repository %q", a.left), Fix: kind.Fix(bitbucket.ErrBudget),
		Message: fmt.Sprintf("%s of repositories were not asked for, since max_requests%s was reached", what, a.memory.bound()),
	})
}

// loss is a repository that answered as if it were not there.
type loss struct {
	source  kind.Source
	gone    *kind.Gone
	skipped int // units of it that were counted as skipped
}

// lose remembers a repository that answered as if it were not there, once, and how many
// units of it were skipped for that.
func (a *account) lose(from kind.Source, gone *kind.Gone, skipped int) {
	i := slices.IndexFunc(a.lost, func(l loss) bool { return l.gone.Slug == gone.Slug })
	if i < 0 {
		i = len(a.lost)
		a.lost = append(a.lost, loss{source: from, gone: gone})
	}
	a.lost[i].skipped += skipped
}

// nullMessage is transform's note of a value that is null.
const nullMessage = "is null"

// nulls count, for each expression by its place, the values that were null.
type nulls map[diag.Position]*null

type null struct {
	expr  mapping.Expr
	count int
	first string // the object
}

// add is for a value that is null; how many were is reported with the resource.
func (n nulls) add(v note) {
	if n[v.Expr.Pos] == nil {
		n[v.Expr.Pos] = &null{expr: v.Expr, first: v.source}
	}
	n[v.Expr.Pos].count++
}
