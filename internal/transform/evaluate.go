package transform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/mapping"
)

// evaluationLimit is the time that one evaluation of one expression may take.
const evaluationLimit = 2 * time.Second

// maxMessage bounds what is told of a raised error, in characters: an
// expression can raise any text.
const maxMessage = 300

// expression is a compiled expression.
type expression struct {
	mapping.Expr
	code *gojq.Code

	// What the syntax tree says without running the code.
	constant bool     // always gives literal
	literal  any      // nil, a boolean or a string
	path     []string // keys of a simple path such as .a.b; nil otherwise
}

// evaluator runs the expressions of one object. All of them share one deadline,
// because a timer for each would cost more than most of them do.
type evaluator struct {
	outer  context.Context
	limit  time.Duration
	ctx    context.Context
	cancel context.CancelFunc
}

func newEvaluator(ctx context.Context, limit time.Duration) *evaluator {
	e := &evaluator{outer: ctx, limit: limit}
	e.ctx, e.cancel = context.WithTimeout(ctx, limit)
	return e
}

func (e *evaluator) close() { e.cancel() }

// ended is not nil when the caller's own context has ended.
func (e *evaluator) ended() error { return e.outer.Err() }

// value gives the first result of x on v; no result is null. Numbers in it are
// as Unit.Fields promises.
func (e *evaluator) value(x *expression, v any) (any, error) {
	got, err := e.raw(x, v)
	if err != nil {
		return nil, err
	}
	return plain(got)
}

// raw is value without the promise about numbers.
func (e *evaluator) raw(x *expression, v any) (any, error) {
	if x.constant {
		return x.literal, nil
	}
	if x.path != nil {
		if got, ok := walk(v, x.path); ok {
			return got, nil
		}
	}
	got, err := run(e.ctx, x.code, v)
	if err == nil || e.ctx.Err() == nil || e.ended() != nil {
		return got, err
	}
	// The deadline that has passed began with an earlier expression: this one
	// gets its own before it is blamed.
	e.cancel()
	e.ctx, e.cancel = context.WithTimeout(e.outer, e.limit)
	got, err = run(e.ctx, x.code, v)
	if err != nil && e.ctx.Err() != nil && e.ended() == nil {
		err = fmt.Errorf("takes longer than %v", e.limit)
	}
	return got, err
}

// run gives the first result of the code. A panic becomes an error.
func run(ctx context.Context, code *gojq.Code, v any) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, fmt.Errorf("jq stopped: %v", r)
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

// walk follows keys from object to object. It reports false where jq would
// raise an error, so that jq itself raises it.
func walk(v any, keys []string) (any, bool) {
	for _, key := range keys {
		switch object := v.(type) {
		case nil:
			return nil, true
		case map[string]any:
			v = object[key]
		default:
			return nil, false
		}
	}
	return v, true
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
