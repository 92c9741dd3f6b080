package kind

import (
	"context"
	"sync"
)

// examples is how many more whole objects of a kind are wanted. It is for one extraction after
// the other.
type examples struct {
	mu   sync.Mutex // guards left
	left int
}

// shown decides which tasks of one extraction read the first page of their list as one of whole
// objects, so that some can be shown. What earlier tasks gave decides it, and not when: 1, 2, 4, 8
// and so on tasks are decided on together, and read it where those before them gave fewer than are
// wanted. So few answers are waited for, and few pages are whole, also where most lists are empty.
type shown struct {
	wanted   int
	examples *examples
	mu       sync.Mutex // guards the counts of groups
	last     *group     // which further tasks join
}

// group are tasks that are decided on together.
type group struct {
	before *group
	size   int
	joined int           // tasks
	left   int           // tasks that may still give something
	found  int           // whole objects of this group and those before, once all of them are known
	done   chan struct{} // is closed then
}

// showing returns what decides for one extraction of a kind; nil where nothing is to be shown.
func (w *Workspace) showing(kind string) *shown {
	of, _ := w.examples.LoadOrStore(kind, &examples{left: w.options.Examples})
	wanted := of.(*examples)
	wanted.mu.Lock()
	defer wanted.mu.Unlock()
	if wanted.left <= 0 {
		return nil
	}
	return &shown{wanted: wanted.left, examples: wanted}
}

// showTurn is what a task has to do with shown. It is for one goroutine. A nil showTurn shows nothing.
type showTurn struct {
	of    *shown
	group *group
	found int
	ended bool
}

// turn is that of the next task. It is called for one after the other, in order.
func (s *shown) turn() *showTurn {
	if s == nil {
		return nil
	}
	if g := s.last; g == nil || g.joined == g.size {
		s.last = &group{before: g, size: 1, done: make(chan struct{})}
		if g != nil {
			s.last.size = 2 * g.size
		}
		s.last.left = s.last.size
	}
	s.last.joined++
	return &showTurn{of: s, group: s.last}
}

// whole reports whether the first page is to hold whole objects. It waits until that is known,
// or ctx ends.
func (t *showTurn) whole(ctx context.Context) bool {
	if t == nil {
		return false
	}
	before := t.group.before
	if before == nil {
		return true
	}
	select {
	case <-before.done:
		return before.found < t.of.wanted
	case <-ctx.Done():
		return false
	}
}

// took is for each object of the task.
func (t *showTurn) took(f Found) {
	if t == nil || t.ended {
		return
	}
	if !f.Partial {
		t.found++
	}
	if f.Partial || t.found == t.of.wanted {
		t.end()
	}
}

// end is for the end of the task.
func (t *showTurn) end() {
	if t == nil || t.ended {
		return
	}
	t.ended = true
	t.of.examples.mu.Lock()
	t.of.examples.left -= t.found
	t.of.examples.mu.Unlock()
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	g := t.group
	g.found += t.found
	if g.left--; g.left > 0 {
		return
	}
	if g.before != nil {
		g.found += g.before.found
	}
	close(g.done)
}
