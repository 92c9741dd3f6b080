package jq

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestGrowth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		memory int64
		want   uint64
	}{
		{math.MaxInt64, 64 << 20},
		{1 << 40, 64 << 20},
		{512 << 20, 64 << 20},
		{512<<20 - 8, 64<<20 - 1},
		{80 << 20, 10 << 20},
	} {
		if got := growthLimit(c.memory); got != c.want {
			t.Errorf("limit %d: got %d, want %d", c.memory, got, c.want)
		}
	}
	for _, c := range []struct {
		start, now heap
		want       bool
	}{
		{heap{100, 150}, heap{110, 150}, false},
		{heap{100, 150}, heap{111, 150}, true},
		{heap{100, 150}, heap{50, 230}, false}, // twice the live or what was allocated, and three times the growth
		{heap{100, 150}, heap{50, 231}, true},
		{heap{100, 250}, heap{50, 280}, false},
		{heap{100, 250}, heap{50, 281}, true},
		{heap{200, 150}, heap{50, 430}, false},
		{heap{200, 150}, heap{50, 431}, true},
	} {
		if got := c.start.outgrown(c.now, 10); got != c.want {
			t.Errorf("from %v to %v: got %t", c.start, c.now, got)
		}
	}
	if h := readHeap(); h.live == h.allocated || h.allocated == 0 {
		t.Errorf("got %+v", h)
	}
}

// An evaluation is looked at by its steps too, when no clock comes.
func TestWatchBySteps(t *testing.T) {
	t.Parallel()
	w := newWatch(t.Context(), 0)
	defer w.stop()
	w.first.Stop()
	for range lookSteps - 1 {
		w.Done()
	}
	if w.Err() != nil {
		t.Error("it looked too soon")
	}
	if w.Done(); context.Cause(w) != ErrSlow {
		t.Errorf("cause = %v", context.Cause(w))
	}
}

// A watch ends at its limit, not before, and not at all once it is stopped.
func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWatch(t.Context(), time.Second)
		time.Sleep(time.Second - 1)
		synctest.Wait()
		if w.Err() != nil {
			t.Error("it ended before its limit")
		}
		if w.start == (heap{}) {
			t.Error("it has not looked at the heap")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if context.Cause(w) != ErrSlow {
			t.Errorf("cause = %v", context.Cause(w))
		}
		w.stop()

		w = newWatch(t.Context(), time.Second)
		w.stop()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if context.Cause(w) != context.Canceled {
			t.Errorf("stopped: cause = %v", context.Cause(w))
		}
		w = newWatch(t.Context(), time.Second)
		runtime.GC()                                         // so that something is known to live
		w.start = heap{live: math.MaxUint64 - maxGrowth + 1} // which is nothing with the growth
		w.look()
		if context.Cause(w) != errHeap {
			t.Errorf("grown: cause = %v", context.Cause(w))
		}
		w.stop()
	})
}

// An evaluation that ended for memory runs again, in its turn; what then takes too much is
// at fault, and nothing else.
func TestMemoryIsNotBlamedAtOnce(t *testing.T) {
	t.Parallel()
	const expr = `[range(2000)] | length` // enough steps for gojq to look at the context
	for _, ended := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		turn := &Turn{}
		e := NewEvaluator(ctx, turn)
		e.watch.cancel(errHeap) // as the growth of another object would
		turn.mu.Lock()          // and that one has its turn
		started, done := make(chan bool), make(chan error)
		code := compiled(t, expr)
		go func() {
			close(started)
			_, err := e.Value(code, map[string]any{})
			done <- err
		}()
		<-started
		for range 1000 {
			runtime.Gosched()
		}
		select {
		case err := <-done:
			t.Fatalf("it did not wait for its turn: %v", err)
		default:
		}
		if ended {
			cancel()
		}
		turn.mu.Unlock()
		if err := <-done; ended && !errors.Is(err, context.Canceled) || !ended && err != nil {
			t.Errorf("ended %t: error = %v", ended, err)
		}
		if !turn.mu.TryLock() {
			t.Error("the turn is kept")
		}
		e.Close()
		cancel()
	}
}

// Results share the room that the caller sets.
func TestRoom(t *testing.T) {
	t.Parallel()
	e := NewEvaluator(t.Context(), &Turn{})
	defer e.Close()
	if e.Room() != MaxResult || e.Full() || e.Context() != t.Context() {
		t.Errorf("got room %d, full %t", e.Room(), e.Full())
	}
	closed := NewEvaluator(t.Context(), &Turn{})
	closed.Close()
	if closed.watch.Err() == nil {
		t.Error("the watch of a closed evaluator goes on")
	}
	e.SetRoom(2*cell + 3)
	value := func(text string) (any, error) {
		return e.Value(compiled(t, text), map[string]any{"a": "bc", "n": json.Number("1")})
	}
	if got, err := value(`.a`); got != "bc" || err != nil || e.Room() != cell+1 || e.Full() {
		t.Errorf("got %v, error = %v, room %d, full %t", got, err, e.Room(), e.Full())
	}
	// What does not fit takes nothing from those after it.
	if got, err := value(`.a`); got != nil || !errors.Is(err, errMade) || e.Room() != cell+1 || !e.Full() {
		t.Errorf("got %v, error = %v, room %d, full %t", got, err, e.Room(), e.Full())
	}
	if got, err := value(`.n`); got != json.Number("1") || err != nil || e.Room() != 0 || !e.Full() {
		t.Errorf("got %v, error = %v, room %d, full %t", got, err, e.Room(), e.Full())
	}
	// A constant is as long as the mapping that holds it, and needs none.
	if got, err := value(`"constant"`); got != "constant" || err != nil || e.Room() != 0 {
		t.Errorf("got %v, error = %v, room %d", got, err, e.Room())
	}
	e.SetRoom(cell)
	if e.Room() != cell || e.Full() {
		t.Errorf("got room %d, full %t", e.Room(), e.Full())
	}
	if got, err := value(`empty`); got != nil || err != nil {
		t.Errorf("no result: got %v, error = %v", got, err)
	}
	if got, err := value(`error("x")`); got != nil || err == nil || err.Error() != "error: x" {
		t.Errorf("got %v, error = %v", got, err)
	}
}
