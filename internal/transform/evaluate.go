package transform

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/mapping"
)

// maxMessage bounds what is told of a raised error, in characters: an
// expression can raise any text.
const maxMessage = 300

// expression is a compiled expression.
type expression struct {
	mapping.Expr
	code *gojq.Code
	file string // the path of a file, in the place of code; else ""

	tree   *gojq.Query // nil when the text is no jq
	source string      // the text that the tree was read from
	wrong  bool        // there is an error in it

	constant bool // the expression always gives literal, which the syntax tree says
	literal  any  // nil, a boolean or a string
}

// evaluator runs the expressions of one object, and lives no longer than one
// call of Apply. All of them share one watch: a timer for each would cost about as
// much as a short expression.
type evaluator struct {
	outer context.Context // of the caller
	watch *watch
	alone *sync.Mutex // held by an evaluation that is suspected of taking much memory
	room  int         // bytes that results may still take
	full  bool        // there was no room for one
}

func newEvaluator(ctx context.Context, alone *sync.Mutex) *evaluator {
	return &evaluator{outer: ctx, watch: newWatch(ctx), alone: alone, room: maxMade}
}

func (e *evaluator) close() { e.watch.stop() }

// ended is not nil when the caller's own context has ended.
func (e *evaluator) ended() error { return e.outer.Err() }

// value gives the first result of x on v; no result is null. Numbers in it are
// as Unit.Fields promises.
func (e *evaluator) value(x *expression, v any) (any, error) {
	got, err := e.raw(x, v)
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

// raw is value without the promise about numbers.
func (e *evaluator) raw(x *expression, v any) (any, error) {
	if x.constant {
		return x.literal, nil
	}
	got, err := run(e.watch, x.code, v)
	if err == nil || e.watch.Err() == nil || e.ended() != nil {
		return got, err
	}
	// Its time began with an earlier expression, and memory may have been taken by
	// another object: it gets its own before it is blamed.
	if context.Cause(e.watch) == errHeap {
		e.alone.Lock()
		defer e.alone.Unlock()
		if e.ended() != nil {
			return nil, err
		}
		runtime.GC()
	}
	e.watch.stop()
	e.watch = newWatch(e.outer)
	got, err = run(e.watch, x.code, v)
	if err != nil && e.watch.Err() != nil && e.ended() == nil {
		err = context.Cause(e.watch)
	}
	return got, err
}

// run gives the first result of the code. A panic becomes an error.
func run(ctx context.Context, code *gojq.Code, v any) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, fmt.Errorf("stopped: %v", r)
		}
	}()
	got, ok := code.RunWithContext(ctx, v).Next()
	if !ok {
		return nil, nil
	}
	if err, ok := got.(error); ok {
		return nil, err
	}
	return got, nil
}

// message is the text of a raised error.
func message(err error) string {
	var halt *gojq.HaltError
	if errors.As(err, &halt) && halt.Value() == nil {
		return "jq: halt"
	}
	return "jq: " + cut(err.Error(), maxMessage)
}

// cut shortens s to at most n characters and marks that it did.
func cut(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i] + "..."
		}
		count++
	}
	return s
}
