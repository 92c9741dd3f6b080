package jq

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// Turn serializes the evaluations that are suspected of taking much memory. Evaluators
// that run beside each other share one.
type Turn struct{ mu sync.Mutex }

// Evaluator runs code on one object, one expression after another. It is not safe for
// concurrent use. All its evaluations share one watch: a timer for each would cost about
// as much as a short expression.
type Evaluator struct {
	outer context.Context // of the caller
	watch *watch
	turn  *Turn
	limit time.Duration // of one evaluation
	room  int           // bytes that results may still take
	full  bool          // a result did not fit
}

// NewEvaluator returns an evaluator whose results may weigh MaxResult together. The
// caller calls Close when it is done.
func NewEvaluator(ctx context.Context, turn *Turn) *Evaluator {
	return newEvaluator(ctx, turn, evaluationLimit)
}

func newEvaluator(ctx context.Context, turn *Turn, limit time.Duration) *Evaluator {
	return &Evaluator{outer: ctx, watch: newWatch(ctx, limit), turn: turn, limit: limit, room: MaxResult}
}

// Close ends the watch of the evaluator.
func (e *Evaluator) Close() { e.watch.stop() }

// Context is the caller's.
func (e *Evaluator) Context() context.Context { return e.outer }

// SetRoom lets further results weigh so many bytes together, and forgets that one did
// not fit.
func (e *Evaluator) SetRoom(bytes int) { e.room, e.full = bytes, false }

// Room is how many bytes further results may weigh together.
func (e *Evaluator) Room() int { return e.room }

// Full reports whether a result since SetRoom did not fit.
func (e *Evaluator) Full() bool { return e.full }

// Value returns the first result of the code on v, a value as encoding/json decodes it
// with UseNumber; it is null without a result. Numbers in the result are int, finite
// float64 or json.Number. It may share values with v.
//
// The error is ErrNotFinite when another value stands for a number in the result, which is
// good otherwise. With any other error there is no result: the expression raised it, or
// took too much (ErrSlow, IsLimit), or the caller's context ended.
func (e *Evaluator) Value(c *Code, v any) (any, error) {
	if c.constant {
		return c.literal, nil
	}
	got, err := e.first(c, v)
	if err != nil {
		return nil, err
	}
	room := e.room
	if got, err = plain(got, &room); errors.Is(err, errMade) {
		e.full = true
		return nil, err
	}
	e.room = room
	return got, err
}

// first is Value without its promise about numbers. An evaluation that the watch ended
// runs once more with a watch of its own: its time began with an earlier expression,
// and memory may have been taken by another object.
func (e *Evaluator) first(c *Code, v any) (any, error) {
	if c.short != nil && e.watch.Err() == nil {
		if got, ok := c.short(v); ok {
			return got, nil
		}
	}
	got, err := run(e.watch, c, v)
	if err == nil || e.watch.Err() == nil || e.outer.Err() != nil {
		return got, err
	}
	if context.Cause(e.watch) == errHeap {
		e.turn.mu.Lock()
		defer e.turn.mu.Unlock()
		if e.outer.Err() != nil {
			return nil, err
		}
		runtime.GC()
	}
	e.watch.stop()
	e.watch = newWatch(e.outer, e.limit)
	got, err = run(e.watch, c, v)
	if err != nil && e.watch.Err() != nil && e.outer.Err() == nil {
		err = context.Cause(e.watch)
	}
	return got, err
}

// run returns the first result of the code. A panic of gojq becomes an error.
func run(ctx context.Context, c *Code, v any) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, fmt.Errorf("stopped: %v", r)
		}
	}()
	got, _ := c.code.RunWithContext(ctx, v).Next() // nil without a result
	if err, ok := got.(error); ok {
		return nil, err
	}
	return got, nil
}
