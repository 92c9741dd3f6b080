package jq

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// lookEvery is the time between two looks at evaluations. Most objects are done
	// before the first one, and too little time passes to fill the memory.
	lookEvery = 10 * time.Millisecond
	// lookSteps is the number of steps of an evaluation between two looks: a look takes about
	// as long as fifty.
	lookSteps = 1024
	// maxGrowth is how much memory of the program may come into use while evaluations
	// run, in bytes: what one call may read.
	maxGrowth = maxRead
	// growthShare is the part of the program's memory limit that the growth may take at
	// most: an eighth leaves room for what runs beside it.
	growthShare = 8
)

// watch is the context of evaluations. Its cause is ErrSlow or errHeap when they take
// too much. Go does not count memory by goroutine, so errHeap can be the fault of
// something else that runs at the same time.
//
// It looks by the clock, and every so many steps of an evaluation: on a busy machine a
// clock comes late, and memory fills fast.
type watch struct {
	context.Context
	cancel context.CancelCauseFunc
	first  *time.Timer
	limit  time.Duration
	began  time.Time
	steps  int // since the last look by steps; of the evaluating goroutine alone

	mu    sync.Mutex
	start heap // as at the first look
}

func newWatch(ctx context.Context, limit time.Duration) *watch {
	w := &watch{limit: limit, began: time.Now()}
	w.Context, w.cancel = context.WithCancelCause(ctx)
	w.first = time.AfterFunc(lookEvery, w.look)
	return w
}

func (w *watch) stop() {
	w.first.Stop()
	w.cancel(nil)
}

// Done is asked by gojq at each step of an evaluation.
func (w *watch) Done() <-chan struct{} {
	if w.steps++; w.steps >= lookSteps {
		w.steps = 0
		w.check()
	}
	return w.Context.Done()
}

func (w *watch) look() {
	if w.check() {
		time.AfterFunc(lookEvery, w.look)
	}
}

// check ends the evaluations that took too much, and reports whether they go on.
func (w *watch) check() bool {
	if w.Err() != nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := readHeap()
	if w.start == (heap{}) {
		w.start = now
	}
	switch {
	case time.Since(w.began) >= w.limit:
		w.cancel(ErrSlow)
		return false
	case w.start.outgrown(now, growthLimit(debug.SetMemoryLimit(-1))):
		w.cancel(errHeap)
		return false
	}
	return true
}

// heap is memory of the program, in bytes.
type heap struct {
	live      uint64 // in use, as the last collection found
	allocated uint64 // live, or not collected yet
}

func readHeap() heap {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(samples)
	return heap{samples[0].Value.Uint64(), samples[1].Value.Uint64()}
}

// growthLimit is how much more may be in use under a memory limit of the program;
// math.MaxInt64 is none.
func growthLimit(memory int64) uint64 {
	return min(maxGrowth, uint64(memory)/growthShare)
}

// outgrown reports whether more than growth has come into use since h. The collector
// runs when the allocated memory is twice the live, or earlier; beyond that, and beyond what
// was allocated at h, by three times the growth, it has fallen behind.
func (h heap) outgrown(now heap, growth uint64) bool {
	return now.live > h.live+growth || now.allocated > max(2*h.live, h.allocated)+3*growth
}
