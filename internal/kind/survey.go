package kind

import (
	"context"

	"port-bitbucket-exporter/internal/bitbucket"
)

// Survey is how much there is to read, as the lists of repositories show it.
type Survey struct {
	// Lists are the lengths of the lists of repositories, each list once.
	Lists []int
	// Tasks are how many tasks the resources have; -1 for one that does not begin with such a
	// list, or whose list was not read to its end.
	Tasks []int
}

// Look reads the lists of repositories that resources begin with to their ends, and asks for
// nothing else. Each of them is read once a run, as long as ctx lasts: extractions find it. An
// error of a list is that of its resource, and comes again when it is extracted. What has not
// come to its end when until ends is left out.
func Look(ctx, until context.Context, w *Workspace, bounds []Bound) Survey {
	var queries []bitbucket.RepositoryQuery
	begun := map[bitbucket.RepositoryQuery]bool{}
	for _, b := range bounds {
		if q, ok := b.list.(bitbucket.RepositoryQuery); ok && !begun[q] {
			begun[q] = true
			queries = append(queries, q)
			w.lists.of(ctx, q) // side by side
		}
	}
	var s Survey
	ended := map[bitbucket.RepositoryQuery]bool{}
	for _, q := range queries {
		n, err := 0, error(nil)
		for _, err = range w.repositories(until, q) {
			if err != nil && !isOdd(err) {
				break
			}
			n, err = n+1, nil
		}
		if ended[q] = err == nil && until.Err() == nil; ended[q] {
			s.Lists = append(s.Lists, n)
		}
	}
	for _, b := range bounds {
		n := -1
		if q, ok := b.list.(bitbucket.RepositoryQuery); ok && ended[q] {
			n = tasksOf(until, w, b)
		}
		s.Tasks = append(s.Tasks, n)
	}
	return s
}

// tasksOf counts the tasks of a resource whose list has been read.
func tasksOf(ctx context.Context, w *Workspace, b Bound) int {
	n := 0
	for task, err := range b.Extract(ctx, w) {
		if err != nil {
			return -1
		}
		if !task.Warns {
			n++
		}
	}
	return n
}
