// Package concurrent runs functions side by side: results come in the order of the work,
// and a panic reaches whoever waits.
package concurrent

import (
	"fmt"
	"iter"
	"runtime/debug"
	"sync"
)

// streamBuffer is how many results one item may be ahead of its turn.
const streamBuffer = 4

// Ordered calls work for each item of the list, at most n side by side and ahead
// of the reader, and yields what they emit in the order of the items: the result
// does not depend on timing. An error of the list is yielded last.
//
// When the reader stops, emit returns false; Ordered returns when all work has. A
// panic of list or work is passed on to the reader, who alone can recover.
func Ordered[T, R any](list iter.Seq2[T, error], n int, work func(item T, emit func(R) bool)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var all Group
		defer all.Wait()
		done := make(chan struct{})
		defer close(done)
		streams := make(chan chan R, n)
		var listErr error
		all.Run(func() {
			defer close(streams)
			for item, err := range list {
				if err != nil {
					listErr = err
					return
				}
				stream := make(chan R, streamBuffer)
				select {
				case streams <- stream:
				case <-done:
					return
				}
				all.Run(func() {
					defer close(stream)
					work(item, func(r R) bool {
						select {
						case stream <- r:
							return true
						case <-done:
							return false
						}
					})
				})
			}
		})
		for stream := range streams {
			for r := range stream {
				if !yield(r, nil) {
					return
				}
			}
		}
		if listErr != nil {
			var zero R
			yield(zero, listErr)
		}
	}
}

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
