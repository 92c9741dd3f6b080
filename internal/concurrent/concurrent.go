// Package concurrent runs functions side by side: results come in the order of the work,
// and a panic reaches whoever waits.
package concurrent

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Group runs functions in goroutines, and hands the first panic to whoever waits. The zero
// Group is ready for use.
type Group struct {
	all   sync.WaitGroup
	first sync.Once
	panic any
}

// Run calls f in a goroutine.
func (g *Group) Run(f func()) {
	g.all.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				g.first.Do(func() { g.panic = fmt.Sprintf("%v\n%s", v, debug.Stack()) })
			}
		}()
		f()
	})
}

// Wait returns when all functions have, and panics with the first of their panics.
func (g *Group) Wait() {
	g.all.Wait()
	if g.panic != nil {
		panic(g.panic)
	}
}

// Slots bound how many results calls of Ahead hold at once. Without any, each call works on
// one item after the other.
type Slots chan struct{}

// NewSlots returns n slots.
func NewSlots(n int) Slots { return make(Slots, n) }

// take takes a slot, unless none is free.
func (s Slots) take() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}
