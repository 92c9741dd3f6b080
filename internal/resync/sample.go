package resync

import "sync/atomic"

// samples are the raw objects of a kind that are still to be shown. Each task sets
// copies of as many aside as are missing: the run takes the first ones, so that it
// does not depend on timing which they are.
type samples struct {
	missing atomic.Int64
	copied  func(object map[string]any) map[string]any
}

func (s *samples) left() int { return int(s.missing.Load()) }

func (r *run) samplesOf(kind string) *samples {
	s := r.samples[kind]
	if s == nil {
		s = &samples{copied: r.job.Watch.Copy}
		s.missing.Store(int64(r.job.Watch.Examples))
		r.samples[kind] = s
	}
	return s
}

// show hands out objects as far as they are wanted.
func (r *run) show(of *loading, objects []map[string]any) {
	for _, object := range objects[:min(len(objects), of.samples.left())] {
		of.samples.missing.Add(-1)
		r.job.Watch.Example(of.resource.Kind, object)
	}
}
