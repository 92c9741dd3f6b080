package progress

import "time"

// Snapshot is how far a run is.
type Snapshot struct {
	At time.Time
	// Phase is what the run does.
	Phase string
	// Requests went to the services that are read, of Expected in all; 0 when that is not known.
	Requests, Expected int
	// Written are the requests of this phase to the other services.
	Written int
	// UnderWay are the requests to all services without an answer, and Idle is how long none was
	// sent or answered.
	UnderWay int
	Idle     time.Duration
	// Repositories are those that Resources resources have read, of so many that each is to read
	// in all. There are none before their list is known.
	Repositories, OfRepositories, Resources int
	Entities                                int
	// Wait is what requests wait for, and Waits is true while some do. Then so many requests
	// follow; 0 when that is not known.
	Wait  Wait
	Waits bool
	Then  int
	// Left is how much longer the run asks for something, about; 0 when that is not known.
	Left time.Duration
}

// The least that is measured before a pace says how long the rest takes.
const (
	minMeasured = 10 * time.Second
	minSent     = 20
)

// horizon is what is left to send to a service.
type horizon struct {
	earliest func(n int) time.Time
	left     int
}

// Snapshot returns how far the run is now.
func (r *Record) Snapshot() Snapshot {
	if r == nil {
		return Snapshot{}
	}
	now := time.Now()
	s := Snapshot{At: now, Entities: int(r.entities.Load())}
	r.mu.Lock()
	s.Phase, s.Idle, s.Written = r.phase, now.Sub(r.moved), r.written()-r.before
	for _, of := range r.resources {
		if of.of > 0 {
			s.Resources++
			s.Repositories += of.done
			s.OfRepositories += of.of
		}
	}
	var ahead []horizon
	left, writes := 0, false
	for _, of := range r.services {
		s.UnderWay += of.underWay
		s.waiting(of, now)
		if !of.read {
			writes = writes || len(of.waits) > 0
			continue
		}
		s.Requests += of.sent
		s.Expected += of.expected
		if n := of.expected - of.sent; n > 0 {
			left += n
			ahead = append(ahead, horizon{of.earliest, n})
		}
	}
	busy := r.busy.at(now)
	r.mu.Unlock()
	if !writes { // else what was read waits to be written, for a time that is not known
		s.Left = s.estimate(left, busy, ahead)
	}
	return s
}

// waiting takes what a service waits for, when that ends before what others wait for.
func (s *Snapshot) waiting(of *Service, now time.Time) {
	for _, w := range of.waits {
		if !w.Until.After(now) || s.Waits && !w.Until.Before(s.Wait.Until) {
			continue
		}
		s.Waits, s.Wait, s.Then = true, *w, max(0, of.expected-of.sent)
	}
}

// estimate returns how long so many requests take: at the pace so far, and as the allowances
// have it, whichever is longer.
func (s *Snapshot) estimate(requests int, busy time.Duration, ahead []horizon) time.Duration {
	if requests == 0 {
		return 0
	}
	var left time.Duration
	measured := busy >= minMeasured && s.Requests >= minSent
	if measured {
		left = time.Duration(float64(busy) / float64(s.Requests) * float64(requests))
	}
	if s.Waits && left > 0 {
		left = max(left, s.Wait.Until.Sub(s.At)) // whoever waits for it has not gone on before
	}
	for _, h := range ahead {
		if h.earliest == nil {
			continue
		}
		if wait := h.earliest(h.left).Sub(s.At); wait > left && (measured || wait >= time.Minute) {
			left = wait
		}
	}
	return left
}
