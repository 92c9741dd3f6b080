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
	mu       sync.Mutex // guards what follows, and the counts of groups
	groups   []*group   // further tasks join the last one
}

// group are tasks that are decided on together.
type group struct {
	size   int
	joined int // tasks
	left   int // tasks that may still give something
	found  int // whole objects

	known  chan struct{} // closed when what follows may be read
	enough bool          // of this group and those before
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
	of            *shown
	before, group *group // before is nil for the first one
	found         int
	ended         bool
}

// turn is that of the next task. It is called for one after the other, in order.
func (s *shown) turn() *showTurn {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.groups)
	if n == 0 || s.groups[n-1].joined == s.groups[n-1].size {
		size := 1 << n
		s.groups = append(s.groups, &group{size: size, left: size, known: make(chan struct{})})
		n++
		s.decide()
	}
	t := &showTurn{of: s, group: s.groups[n-1]}
	if n > 1 {
		t.before = s.groups[n-2]
	}
	t.group.joined++
	return t
}

// ready returns what waits until whole need not; nil where it never waits.
func (t *showTurn) ready() func(ctx context.Context) {
	if t == nil || t.before == nil {
		return nil
	}
	return func(ctx context.Context) { t.whole(ctx) }
}

// whole reports whether the first page is to hold whole objects. It waits until that is known,
// or ctx ends.
func (t *showTurn) whole(ctx context.Context) bool {
	if t == nil {
		return false
	}
	if t.before == nil {
		return true
	}
	select {
	case <-t.before.known:
		return !t.before.enough
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
	t.group.found += t.found
	t.group.left--
	t.of.decide()
}

// decide lets tasks go on for which it is known whether those before them gave enough: when all
// of these have ended, or when some gave it already. The mutex is held.
func (s *shown) decide() {
	found, ended := 0, true
	for _, g := range s.groups {
		found += g.found
		ended = ended && g.left == 0
		select {
		case <-g.known:
		default:
			if g.enough = found >= s.wanted; g.enough || ended {
				close(g.known)
			}
		}
	}
}
