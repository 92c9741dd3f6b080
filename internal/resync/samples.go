package resync

import (
	"slices"
	"sync"
)

// samples are the raw objects of a kind that are still to be shown. Each task sets copies
// aside, unless those before it have as many as are missing: the run takes the first ones,
// so that it does not depend on timing which they are.
type samples struct {
	copied func(object map[string]any) map[string]any

	mu      sync.Mutex // guards what follows
	missing int
	aside   []aside
}

// aside is how many copies a task has set aside that are not shown.
type aside struct {
	by place
	n  int
}

// place is that of a task: the number of its resource, in the order in which they run, and
// its own in that.
type place struct{ resource, task int }

func (p place) before(o place) bool {
	return p.resource < o.resource || p.resource == o.resource && p.task < o.task
}

// left returns how many copies a task may have to set aside in all.
func (s *samples) left(by place) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.missing
	for _, a := range s.aside {
		if a.by.before(by) {
			left -= a.n
		}
	}
	return left
}

// keep notes that a task sets n more copies aside, or fewer where n is negative.
func (s *samples) keep(by place, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.aside, func(a aside) bool { return a.by == by })
	if i < 0 {
		i = len(s.aside)
		s.aside = append(s.aside, aside{by: by})
	}
	s.aside[i].n += n
}

// show takes as many of n copies of a task as are missing.
func (s *samples) show(by place, n int) int {
	s.mu.Lock()
	n = min(n, s.missing)
	s.missing -= n
	s.mu.Unlock()
	if n > 0 {
		s.keep(by, -n)
	}
	return n
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
