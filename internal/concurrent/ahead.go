package concurrent

import (
	"context"
	"iter"
)

// Ahead calls work for each item, some of them side by side and ahead of the reader, and
// yields what it returns in the order of the items. Each result that is under way or waits
// for its turn takes a slot; where none is free, the call works on its next item by itself.
//
// When the reader stops, the context of what is under way ends. Ahead returns when all
// work has. A panic of work is passed on to the reader, who alone can recover.
func Ahead[T, R any](ctx context.Context, slots Slots, items []T, work func(context.Context, T) R) iter.Seq2[T, R] {
	return func(yield func(T, R) bool) {
		ctx, stop := context.WithCancel(ctx)
		var all Group
		var waiting []chan R // results of the items that follow, in their order
		defer func() {
			stop()
			for range waiting {
				<-slots
			}
			all.Wait()
		}()
		for i, item := range items {
			for i+len(waiting) < len(items) && slots.take() {
				next, later := items[i+len(waiting)], make(chan R, 1)
				waiting = append(waiting, later)
				all.Run(func() {
					defer close(later)
					later <- work(ctx, next)
				})
			}
			var result R
			if len(waiting) > 0 {
				got, ok := <-waiting[0]
				waiting = waiting[1:]
				<-slots
				if !ok {
					return // it panicked
				}
				result = got
			} else {
				result = work(ctx, item)
			}
			if !yield(item, result) {
				return
			}
		}
	}
}
