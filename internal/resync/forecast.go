package resync

import "fmt"

// pageLength is that of Bitbucket's lists of repositories and projects.
const pageLength = 100

// forecast tells, once, what the run will ask of Bitbucket as far as a list of so
// many repositories shows it. It asks nothing for that.
func (r *run) forecast(repositories int) {
	r.told.Do(func() {
		requests, sources := max(1, (repositories+pageLength-1)/pageLength), 0
		for _, res := range r.job.Bound.Resources {
			n, cost := repositories, res.Bound.Cost
			if cost.Named > 0 {
				n = cost.Named
			}
			requests += cost.Once + n*cost.Repositories
			sources += n * cost.Sources
		}
		f := r.job.Bitbucket.Forecast(requests, sources)
		again := max(1, (repositories+pageLength-1)/pageLength)
		r.job.Log.Info(fmt.Sprintf("forecast for %d repositories: about %s; %d more if anything is to be deleted", repositories, f, again))
	})
}
