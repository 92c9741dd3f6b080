package resync

import (
	"iter"
	"sync"
)

// streamBuffer is how many results one item may be ahead of its turn.
const streamBuffer = 4

// ordered calls work for each item of the list, at most n side by side and ahead
// of the reader, and yields what they emit in the order of the items: the result
// does not depend on timing. An error of the list is yielded last.
//
// When the reader stops, emit returns false; ordered returns when all work has.
func ordered[T, R any](list iter.Seq2[T, error], n int, work func(item T, emit func(R) bool)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var all sync.WaitGroup
		defer all.Wait()
		done := make(chan struct{})
		defer close(done)
		streams := make(chan chan R, n)
		var listErr error
		all.Go(func() {
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
				all.Go(func() {
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
