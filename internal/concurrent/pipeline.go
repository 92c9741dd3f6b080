package concurrent

import (
	"iter"
	"sync"
)

// Pipeline works on the items of several lists side by side, and hands out what that gives
// in the order of the lists and of their items: the results do not depend on timing. While
// one list waits for its reader, or for more items, those after it go ahead as far as there
// is room for their results.
//
// A panic of a list, or of the work, is passed on to the reader, who alone can recover.
type Pipeline[T, R any] struct {
	limits Limits[R]

	mu      sync.Mutex // guards what follows
	changed *sync.Cond
	streams []*Stream[T, R]
	active  int  // items that are worked on, and do not wait for room
	back    int  // items that were idle, and wait for their place among these
	closed  bool // nothing is begun, and no result taken, any more
	all     Group
}

// Limits bound what a Pipeline does at once.
type Limits[R any] struct {
	// Active is how many items are worked on. Of the list that is read half as many may be
	// beside those of others: these do not hold it up.
	Active int
	// Room is the size of the results that wait for the reader: of the list that is read, and
	// as much again of all lists after it.
	Room int
	Size func(R) int // of one result
}

// NewPipeline returns one without a list. It must be closed.
func NewPipeline[T, R any](l Limits[R]) *Pipeline[T, R] {
	p := &Pipeline[T, R]{limits: l}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// Stream is one list of a Pipeline. It belongs to it.
type Stream[T, R any] struct {
	of    *Pipeline[T, R]
	class any
	work  func(item T, emit func(R) bool)
	queue []*job[T, R] // listed, and not begun
	order []*job[T, R] // listed, and not read to their end
	open  int          // listed, and not done
	ended bool         // nothing more is listed
	err   error        // of the list

	active  int  // items that are worked on, and do not wait for room
	waiting int  // items that wait for room
	idle    int  // items that wait for others
	held    int  // the size of the results that wait for the reader
	dropped bool // its results are not read any more
}

// job is the work on one item.
type job[T, R any] struct {
	item    T
	results []R
	done    bool
}

// Add adds a list after those that are there: work emits the results of an item, and stops
// when emit returns false. Lists of the same class, unless it is nil, are ranged over and
// worked on one after the other, each when the one before it is done with its last item.
func (p *Pipeline[T, R]) Add(class any, work func(item T, emit func(R) bool)) *Stream[T, R] {
	s := &Stream[T, R]{of: p, class: class, work: work}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams = append(p.streams, s)
	return s
}

// Begin begins to range over the list, and to work on it. It is to be called once.
func (s *Stream[T, R]) Begin(list iter.Seq2[T, error]) {
	s.of.run(func() { s.list(list) })
}

// run runs f in a goroutine. When it panics, the pipeline ends.
func (p *Pipeline[T, R]) run(f func()) {
	p.all.Run(func() {
		ended := false
		defer func() {
			if !ended {
				p.end()
			}
		}()
		f()
		ended = true
	})
}

// end ends the pipeline.
func (p *Pipeline[T, R]) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.changed.Broadcast()
}

// Close ends all work: emit returns false from now on. It returns when all of it has ended.
func (p *Pipeline[T, R]) Close() {
	p.end()
	p.all.Wait()
}

// list ranges over a list, as far ahead as the pipeline begins items.
func (s *Stream[T, R]) list(list iter.Seq2[T, error]) {
	p := s.of
	p.mu.Lock()
	for !p.closed && s.behind() {
		p.changed.Wait()
	}
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return
	}
	for item, err := range list {
		if !s.take(item, err) {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.ended = true
	p.changed.Broadcast()
}

// behind reports whether a list of the same class comes first. The mutex is held.
func (s *Stream[T, R]) behind() bool {
	for _, o := range s.of.streams {
		if o == s {
			return false
		}
		if s.class != nil && o.class == s.class && (!o.ended || o.open > 0) {
			return true
		}
	}
	return false
}

// take takes one item, when there is room in the queue. It returns false at the end.
func (s *Stream[T, R]) take(item T, err error) (more bool) {
	p := s.of
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		s.err = err
		return false
	}
	for !p.closed && !s.dropped && len(s.queue) >= p.limits.Active {
		p.changed.Wait()
	}
	if p.closed || s.dropped {
		return false
	}
	j := &job[T, R]{item: item}
	s.queue, s.order = append(s.queue, j), append(s.order, j)
	s.open++
	p.begin()
	p.changed.Broadcast() // for a reader who waits for the first item
	return true
}

// begin begins items, the earliest first, as far as the limits allow. The mutex is held.
func (p *Pipeline[T, R]) begin() {
	for _, s := range p.streams {
		for len(s.queue) > 0 && !p.closed && s.hasHand() && s.mayBegin(s.queue[0]) {
			j := s.queue[0]
			s.queue = s.queue[1:]
			s.count(1)
			p.run(func() { s.do(j) })
		}
	}
}

// hasHand reports whether one more item of the stream may be worked on. The mutex is held.
func (s *Stream[T, R]) hasHand() bool {
	most := s.of.limits.Active
	return s.of.active < most || s.of.streams[0] == s && s.active < (most+1)/2
}

// count counts items that are worked on. The mutex is held.
func (s *Stream[T, R]) count(n int) {
	s.active += n
	s.of.active += n
}

// mayBegin reports whether there is room for results of one more item, and no earlier one waits for
// its place. The mutex is held.
func (s *Stream[T, R]) mayBegin(j *job[T, R]) bool {
	held, waiting := s.full()
	return s.idle+s.of.back == 0 && waiting == 0 && held < s.of.limits.Room || s.next(j)
}

// full returns what takes the room that the stream has: its own results where it is the one
// that is read, else those of all others. The mutex is held.
func (s *Stream[T, R]) full() (held, waiting int) {
	if len(s.of.streams) > 0 && s.of.streams[0] == s {
		return s.held, s.waiting
	}
	for i, o := range s.of.streams {
		if i > 0 {
			held, waiting = held+o.held, waiting+o.waiting
		}
	}
	return held, waiting
}

// next reports whether an item is the one that the reader waits for. The mutex is held.
func (s *Stream[T, R]) next(j *job[T, R]) bool {
	return len(s.of.streams) > 0 && s.of.streams[0] == s && len(s.order) > 0 && s.order[0] == j
}

// do works on one item.
func (s *Stream[T, R]) do(j *job[T, R]) {
	s.work(j.item, func(r R) bool { return s.emit(j, r) })
	p := s.of
	p.mu.Lock()
	defer p.mu.Unlock()
	j.done = true
	s.open--
	s.count(-1)
	p.begin()
	p.changed.Broadcast()
}

// Idle calls f in the work on an item: f waits for the work on earlier items of the list. Meanwhile
// items of other lists are worked on in place of this one, and no later item of the list is begun.
func (s *Stream[T, R]) Idle(f func()) {
	p := s.of
	p.mu.Lock()
	s.count(-1)
	s.idle++
	p.begin()
	p.mu.Unlock()
	f()
	p.mu.Lock()
	defer p.mu.Unlock()
	s.idle--
	p.back++
	for !p.closed && !s.dropped && !s.hasHand() {
		p.changed.Wait()
	}
	p.back--
	s.count(1)
	p.begin()
}

// emit keeps a result for the reader, when there is room for it. The item that the reader
// waits for always has room for one.
func (s *Stream[T, R]) emit(j *job[T, R], r R) (more bool) {
	p, size := s.of, s.of.limits.Size(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	fits := func() bool {
		held, _ := s.full()
		return p.closed || s.dropped || held == 0 || held+size <= p.limits.Room || s.next(j) && len(j.results) == 0
	}
	if !fits() {
		s.count(-1)
		s.waiting++
		p.begin()
		p.changed.Broadcast() // for an item that was idle
		for !fits() {
			p.changed.Wait()
		}
		s.waiting--
		s.count(1)
	}
	if p.closed || s.dropped {
		return false
	}
	j.results = append(j.results, r)
	s.held += size
	p.changed.Broadcast()
	return true
}

// All yields the results of the list, in the order of its items; an error of the list is
// yielded last. The lists before it must have been read to their ends: what is left of them
// is dropped.
func (s *Stream[T, R]) All() iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for {
			r, more := s.of.read(s)
			if !more {
				break
			}
			if !yield(r, nil) {
				return
			}
		}
		if s.err != nil {
			var zero R
			yield(zero, s.err)
		}
	}
}

// read waits for the next result of a stream; false at its end.
func (p *Pipeline[T, R]) read(s *Stream[T, R]) (r R, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.streams[0] != s { // what is left of it is not wanted
		first := p.streams[0]
		first.open -= len(first.queue)
		first.queue, first.order, first.dropped = nil, nil, true
		p.streams = p.streams[1:]
		p.begin()
		p.changed.Broadcast()
	}
	for !p.closed {
		if len(s.order) == 0 {
			if s.ended {
				p.streams = p.streams[1:]
				p.begin()
				p.changed.Broadcast()
				return r, false
			}
			p.changed.Wait()
			continue
		}
		j := s.order[0]
		switch {
		case len(j.results) > 0:
			r = j.results[0]
			var none R
			j.results[0] = none
			j.results = j.results[1:]
			s.held -= p.limits.Size(r)
			p.begin()
			p.changed.Broadcast()
			return r, true
		case j.done:
			s.order = s.order[1:]
			p.begin()
			p.changed.Broadcast() // for the item that is next now
		default:
			p.changed.Wait()
		}
	}
	p.mu.Unlock()
	defer p.mu.Lock()
	p.all.Wait()
	return r, false
}
