package jq

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// lookEvery is the time between two looks at evaluations. Most objects are done
	// before the first one, and too little time passes to fill the memory.
	lookEvery = 10 * time.Millisecond
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
type watch struct {
	context.Context
	cancel context.CancelCauseFunc
	first  *time.Timer
	limit  time.Duration
	began  time.Time
	start  heap // as at the first look
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

func (w *watch) look() {
	if w.Err() != nil {
		return
	}
	now := readHeap()
	if w.start == (heap{}) {
		w.start = now
	}
	switch {
	case time.Since(w.began) >= w.limit:
		w.cancel(ErrSlow)
	case w.start.outgrown(now, growthLimit(debug.SetMemoryLimit(-1))):
		w.cancel(errHeap)
	default:
		time.AfterFunc(lookEvery, w.look)
	}
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
// runs when the allocated memory is twice the live, or earlier; beyond that, by three
// times the growth, it has fallen behind.
func (h heap) outgrown(now heap, growth uint64) bool {
	return now.live > h.live+growth || now.allocated > 2*max(h.live, h.allocated)+3*growth
}
