package transform

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// evaluationLimit is the time that one evaluation of one expression may take.
	evaluationLimit = 2 * time.Second
	// lookEvery is how often evaluations that take long are looked at.
	lookEvery = 10 * time.Millisecond
	// maxGrowth is how much memory of the program may come to be in use while they
	// run, in bytes.
	maxGrowth = 64 << 20
	// growthShare is the part of the memory limit of the program that they may take
	// at most.
	growthShare = 8
)

var (
	errSlow = fmt.Errorf("takes longer than %v", evaluationLimit)
	errHeap = errors.New("takes too much memory")
)

// watch is the context of evaluations. It ends with errSlow or errHeap as its
// cause when they take too much; nobody knows how much memory is one evaluation's,
// so errHeap can be another's fault. In the time of most objects it never looks.
type watch struct {
	context.Context
	cancel context.CancelCauseFunc
	first  *time.Timer
	began  time.Time
	start  heap // as at the first look
}

func newWatch(ctx context.Context) *watch {
	w := &watch{began: time.Now()}
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
	case time.Since(w.began) >= evaluationLimit:
		w.cancel(errSlow)
	case w.start.outgrown(now):
		w.cancel(errHeap)
	default:
		time.AfterFunc(lookEvery, w.look)
	}
}

// heap is memory of the program, in bytes.
type heap struct {
	live uint64 // in use, as the last collection found
	held uint64 // live, or not collected yet
}

func readHeap() heap {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(samples)
	return heap{samples[0].Value.Uint64(), samples[1].Value.Uint64()}
}

// outgrown says whether more has come to be in use since h than evaluations may
// take. A collection comes when what is held is twice what is live, or before;
// beyond that it has fallen behind.
func (h heap) outgrown(now heap) bool {
	growth := uint64(maxGrowth)
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		growth = min(growth, uint64(limit)/growthShare)
	}
	return now.live > h.live+growth || now.held > 2*max(h.live, h.held)+3*growth
}
