package resync

import (
	"context"
	"slices"

	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/port"
)

// survey reads the lists of repositories, and logs then what the run costs: before the first
// request waits for an allowance. While there is plenty left, other requests go beside it.
type survey struct {
	*session
	ended   chan struct{}
	reading concurrent.Group
	stop    context.CancelFunc
}

// plenty is what must be left of the allowances, for each request that may be under way, for
// others to go beside the lists: what tasks that have begun still ask for, and long lists.
const plenty = 50

// beginSurvey begins to read the lists. What memory saves is known before anything is read:
// with a memory it returns at their end.
func (s *session) beginSurvey(readCtx context.Context) *survey {
	until, stop := context.WithCancel(readCtx)
	v := &survey{session: s, ended: make(chan struct{}), stop: stop}
	v.reading.Run(func() {
		defer close(v.ended)
		v.read(readCtx, until)
	})
	if s.job.State != nil {
		<-v.ended
	}
	return v
}

// end ends the reading where it is not done: nothing is left to be foreseen.
func (v *survey) end() {
	v.stop()
	v.reading.Wait()
}

// pass returns when a task may begin.
func (v *survey) pass(ctx context.Context) {
	if v.job.Bitbucket.Forecast(0, 0).Free > plenty*v.job.Concurrency {
		return
	}
	select {
	case <-v.ended:
	case <-ctx.Done():
	}
}

func (v *survey) read(readCtx, until context.Context) {
	seen := kind.Look(readCtx, until, v.workspace, v.job.bounds())
	if len(seen.Lists) == 0 {
		return // an error shows in each resource
	}
	requests, sources := v.workspace.Known(readCtx, v.job.bounds())
	v.report.Memory.Saved = requests + sources
	v.logReading(v.job.forecast(seen, saved{requests, sources}))
	v.logReading(port.Pace())
	v.expect(seen)
}

// expect sets how many repositories the resources are expected to read. Those that cost no request are read
// at once: they say nothing of how far the run is, unless there are no others.
func (v *survey) expect(seen kind.Survey) {
	costs := func(c kind.Cost) bool { return c.Repositories+c.Sources+c.Objects > 0 }
	some := slices.ContainsFunc(v.job.bounds(), func(b kind.Bound) bool { return costs(b.Cost) })
	for i, res := range v.job.Bound.Resources {
		if n := seen.Tasks[i]; n >= 0 && costs(res.Bound.Cost) == some {
			v.job.Progress.Repositories(res.Index, n)
		}
	}
}
