package resync

import (
	"sync/atomic"

	"port-bitbucket-exporter/internal/kind"
)

// samples are the raw objects of a kind that are still to be shown. Tasks set aside
// as many of each of their parts as are missing: the run takes the first ones, so
// that it does not depend on timing which they are.
type samples struct{ missing atomic.Int64 }

func (s *samples) left() int { return int(s.missing.Load()) }

func (r *run) samplesOf(kind string) *samples {
	s := r.samples[kind]
	if s == nil {
		s = &samples{}
		s.missing.Store(int64(r.job.Watch.Examples))
		r.samples[kind] = s
	}
	return s
}

// show hands out objects as far as they are wanted.
func (r *run) show(of *loading, objects []kind.Object) {
	for _, object := range objects[:min(len(objects), of.samples.left())] {
		of.samples.missing.Add(-1)
		r.job.Watch.Example(of.resource.Kind, object)
	}
}
