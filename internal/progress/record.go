// Package progress records what a run does while it does it: how far it is, what it waits for,
// and how much longer it may take.
//
// The transports report their requests and waits to a Record, and the run its repositories and
// entities. Whoever shows it takes a Snapshot. All methods may be called from
// several goroutines, and those of a nil Record or Service do nothing.
package progress

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Record is what one run does.
type Record struct {
	began    time.Time
	news     chan struct{}
	entities atomic.Int64

	mu        sync.Mutex // guards what follows
	phase     string
	before    int // requests to services that are not read, when the phase began
	services  []*Service
	resources map[int]*resource
	chart     chart
	busy      stopwatch // stands while requests wait and none is under way
	moved     time.Time // when the last request went out or was answered
}

// resource is the reading of the repositories of one resource.
type resource struct{ done, of int }

// New returns a record of a run that begins now.
func New() *Record {
	now := time.Now()
	return &Record{
		began: now, moved: now, busy: stopwatch{since: now}, news: make(chan struct{}, 1),
		resources: map[int]*resource{}, chart: chart{slot: firstSlot},
	}
}

// News has a value after a phase or a wait has begun.
func (r *Record) News() <-chan struct{} {
	if r == nil {
		return nil
	}
	return r.news
}

func (r *Record) tell() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// Reading is the phase in which a run reads, and writes what it has read.
const Reading = ""

// Phase names what the run does from now on, as a text for people.
func (r *Record) Phase(name string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	r.phase, r.before = name, r.written()
	r.mu.Unlock()
	r.tell()
}

// Repositories says how many repositories a resource reads, as far as is known by now.
func (r *Record) Repositories(resource, n int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(resource).of = n
}

// Repository counts a repository that a resource has read. Those of a resource of which it is
// not known how many it reads do not show.
func (r *Record) Repository(resource int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(resource).done++
}

func (r *Record) of(index int) *resource {
	if r.resources[index] == nil {
		r.resources[index] = &resource{}
	}
	return r.resources[index]
}

// Entity counts an entity that the run has made of what it read.
func (r *Record) Entity() {
	if r != nil {
		r.entities.Add(1)
	}
}

// Service is one that the run sends requests to, with allowances of its own.
type Service struct {
	record *Record
	name   string
	read   bool // see Source

	// What follows is guarded by the mutex of the record.
	sent, underWay int
	expected       int                   // requests of the whole run; 0 when that is not known
	earliest       func(n int) time.Time // see Allowance
	waits          []*Wait               // of requests that wait now
	series         *series
}

// Wait is why a request is not sent yet, and until when.
type Wait struct {
	Until time.Time
	// Why is what it waits for, as it stands after "waiting for": the allowance of 1 credential.
	Why string
}

// Service returns a new service of that name, which other services may have too.
func (r *Record) Service(name string) *Service { return r.service(name, false) }

// Source is Service for one that the run reads: a forecast is about its requests.
func (r *Record) Source(name string) *Service { return r.service(name, true) }

func (r *Record) service(name string, read bool) *Service {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &Service{record: r, name: name, read: read, series: r.chart.add(name)}
	r.services = append(r.services, s)
	return s
}

// Expect says how many requests the run will have sent to the services of a name at its end,
// about.
func (r *Record) Expect(service string, n int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.services, func(s *Service) bool { return s.name == service }); i >= 0 {
		r.services[i].expected = n
	}
}

// Allowance sets the function that returns when the n-th request from now may go out at the
// earliest. It is called without a lock of the record.
func (s *Service) Allowance(earliest func(n int) time.Time) {
	if s == nil {
		return
	}
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	s.earliest = earliest
}

// Sent counts a request that goes out.
func (s *Service) Sent() {
	if s == nil {
		return
	}
	r := s.record
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	s.sent++
	s.underWay++
	r.chart.count(s.series, now.Sub(r.began))
	r.clock(now)
	r.moved = now
}

// Answered counts the answer to a request that went out, or its failure.
func (s *Service) Answered() {
	if s == nil {
		return
	}
	r := s.record
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	s.underWay--
	r.clock(now)
	r.moved = now
}

// Name is what people call it.
func (s *Service) Name() string {
	if s == nil {
		return ""
	}
	return s.name
}

// Begin notes that a request begins to wait; End notes that it no longer does.
func (s *Service) Begin(w *Wait) {
	if s == nil {
		return
	}
	r := s.record
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	s.waits = append(s.waits, w)
	r.chart.waits.begin(s.name, w.Why, now.Sub(r.began), r.chart.slot)
	r.clock(now)
	r.tell()
}

// End ends a wait that has begun; without one it does nothing.
func (s *Service) End(w *Wait) {
	if s == nil {
		return
	}
	r := s.record
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(s.waits, w); i >= 0 {
		s.waits = slices.Delete(s.waits, i, i+1)
	}
	if len(s.waits) == 0 {
		r.chart.waits.end(s.name, now.Sub(r.began))
	}
	r.clock(now)
}

// stopwatch measures how long something goes on in all.
type stopwatch struct {
	total time.Duration
	since time.Time // zero while it stands
}

func (w *stopwatch) run(on bool, now time.Time) {
	switch {
	case on && w.since.IsZero():
		w.since = now
	case !on && !w.since.IsZero():
		w.total += now.Sub(w.since)
		w.since = time.Time{}
	}
}

func (w stopwatch) at(now time.Time) time.Duration {
	if w.since.IsZero() {
		return w.total
	}
	return w.total + now.Sub(w.since)
}

// written counts the requests to services that are not read. The mutex is held.
func (r *Record) written() (n int) {
	for _, s := range r.services {
		if !s.read {
			n += s.sent
		}
	}
	return n
}

// clock lets the time count during which something moves: it stands while requests wait and
// none is under way. The mutex is held.
func (r *Record) clock(now time.Time) {
	underWay, waits := 0, 0
	for _, s := range r.services {
		underWay += s.underWay
		waits += len(s.waits)
	}
	r.busy.run(underWay > 0 || waits == 0, now)
}

// Timeline returns what happened so far. Services of one name are one.
func (r *Record) Timeline() Timeline {
	if r == nil {
		return Timeline{}
	}
	at := time.Since(r.began)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.chart.timeline(at)
}
