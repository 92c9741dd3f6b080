package resync

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/load"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/progress"
	"port-bitbucket-exporter/internal/prune"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/state"
)

// errTimeLimit ends the reading, and after writeGrace the load.
var errTimeLimit = errors.New(prune.TimeLimit)

// errDenied ends the reading of one resource: Bitbucket would refuse the rest too.
var errDenied = errors.New("the rest of the resource need not be asked for")

// Job is what one run needs.
type Job struct {
	Bound     *check.Bound
	Bitbucket *bitbucket.Client
	Port      *port.Client
	// Start is when the run began, by Port's clock: what Port last stored before is not of
	// this run.
	Start time.Time
	// Store takes what is written; nil is Port.
	Store Store
	// Concurrency is how many requests to Bitbucket may be under way at once.
	Concurrency int
	// MaxFile is the largest file that is read, in bytes; 0 means the default of kind.Options.
	MaxFile int64
	// GitMaxBytes is what may be received of one repository over git, in bytes; 0 means the
	// default of kind.Options. With OnlyGit a repository that git cannot read fails, and
	// NoGit is why folders and files are not read over git, where they are not.
	GitMaxBytes int64
	OnlyGit     bool
	NoGit       string
	// State is what earlier runs have read; nil for nothing. LastFinished is when the last of
	// them ended that was not cut off; zero for never. What a cut-off run has read since is
	// not asked for again while it is younger than ResumeAge.
	State        *state.Store
	LastFinished time.Time
	ResumeAge    time.Duration
	// Where Bitbucket may not be asked any number of times, what is not asked for comes from
	// State when it is younger than MaxAge.
	MaxAge time.Duration
	// ListsLost is why lists are not taken from State; empty when they may be.
	ListsLost string
	// ListsSince is when that was so the last time, in this run or an earlier one; zero for never.
	ListsSince time.Time
	// MaxDeletions is how many stale entities may be deleted at most; nil when their
	// number is not bounded. When there are more, none is.
	MaxDeletions *int
	Deletion     reconcile.Policy
	// Deadline is when to stop asking Bitbucket; zero for never.
	Deadline time.Time
	// WholeObjects asks Bitbucket for whole objects, though the mapping reads parts of them.
	WholeObjects bool
	// StandIn is true when the mapping stands in for one that is not known: then nothing is
	// deleted.
	StandIn bool
	// Selector returns, for the index of a resource, whether earlier runs had its selector;
	// nil when that is not known.
	Selector func(index int) prune.SelectorHistory
	// Former are the kinds of the mapping that Port shows, by blueprint; see prune.Config.
	Former map[string][]string
	// ConfirmRenames lets entities go that seem to be renamed; see prune.Config.
	ConfirmRenames bool
	Log            *slog.Logger
	// Progress records how far the run is; nil for none.
	Progress *progress.Record
	Watch    Watch
}

// bounds are those of the resources.
func (j Job) bounds() []kind.Bound {
	var all []kind.Bound
	for _, res := range j.Bound.Resources {
		all = append(all, res.Bound)
	}
	return all
}

// options keep what more than one resource may want.
func (j Job) options() kind.Options {
	o := kind.Shared(j.bounds())
	o.MaxFile, o.Ahead = j.MaxFile, j.Concurrency
	o.GitMaxBytes, o.OnlyGit, o.State = j.GitMaxBytes, j.OnlyGit, j.State
	o.LastFinished, o.ResumeAge, o.MaxAge = j.LastFinished, j.ResumeAge, j.MaxAge
	o.Examples = j.Watch.Examples
	if j.WholeObjects {
		o.Parts = nil
	}
	o.NoLists, o.ListsSince = j.ListsLost != "", j.ListsSince
	return o
}

// Store takes what a run writes: a port.Client, or a dry run that answers as Port would.
type Store interface {
	load.Store
	prune.Store
}

// Watch follows a run, in the run's own goroutine. What its functions are handed may be
// read until they return, and not kept. A nil function is not called.
type Watch struct {
	// Resource is called as a resource begins, after each part of it, and, done, when
	// nothing of it is left to read; not done when the run is stopped in it.
	Resource func(of *report.Resource, done bool)
	// Reconciling is called before stale entities are looked for.
	Reconciling func()
	// Examples is how many raw objects of each kind Example is handed: copies of the
	// first ones, made by Copy, which is called in any goroutine and must be small.
	Examples int
	Copy     func(object map[string]any) map[string]any
	Example  func(kind string, object map[string]any)
}

func (w Watch) resource(of *report.Resource, done bool) {
	if w.Resource != nil {
		w.Resource(of, done)
	}
}

func (j Job) selectorHistory(index int) prune.SelectorHistory {
	if j.Selector == nil {
		return prune.SelectorUnknown
	}
	return j.Selector(index)
}

// pageLength is that of Bitbucket's lists of repositories and projects.
const pageLength = 100

// saved is how many requests memory saves: of repository data, and for folders and files.
type saved struct{ requests, sources int }

// forecast returns what the run will request of Bitbucket, as far as the lists of repositories
// show it, and expects it. It makes no request.
func (j Job) forecast(seen kind.Survey, known saved) string {
	pages := 0
	for _, n := range seen.Lists {
		pages += max(1, (n+pageLength-1)/pageLength)
	}
	git, repositories := j.Bitbucket.Git(), slices.Max(seen.Tasks)
	requests, sources, overGit := pages, 0, 0
	for i, res := range j.Bound.Resources {
		n, cost := max(0, seen.Tasks[i]), res.Bound.Cost
		if cost.Named > 0 {
			n = cost.Named
		}
		requests += cost.Once + n*cost.Repositories
		switch {
		case cost.Sources == 0:
		case git != nil:
			overGit = min(overGit+n, repositories) // what several resources want is read once
		default:
			sources += n * cost.Sources
		}
	}
	cost := j.Bitbucket.Forecast(max(0, requests-known.requests), max(0, sources-known.sources))
	cost.Known = requests + sources - cost.Requests
	j.Progress.Expect(bitbucket.Name, j.within(cost.Requests))
	noun := "repositories"
	if repositories == 1 {
		noun = "repository"
	}
	text := fmt.Sprintf("forecast for %d %s: about %s; %d more if anything is to be deleted", repositories, noun, cost, pages)
	for _, res := range j.Bound.Resources {
		if n := res.Bound.Cost.Objects; n > 0 {
			text += fmt.Sprintf("; and for each object of %s up to %d more", res.Where(), n)
		}
	}
	if overGit > 0 {
		j.Progress.Expect(bitbucket.GitName, gitPerRepository*overGit)
		text += fmt.Sprintf("; over git about %s", git.Forecast(gitPerRepository*overGit))
	}
	return text
}

// within returns how many of some requests the bound on them lets out.
func (j Job) within(requests int) int {
	if left, bounded := j.Bitbucket.Left(); bounded {
		return min(requests, j.Bitbucket.Requests()+left)
	}
	return requests
}
