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

var errSlow = fmt.Errorf("takes longer than %v", evaluationLimit)

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
// call of Apply. All of them share one deadline: a timer for each would cost
// about as much as a short expression.
type evaluator struct {
	outer  context.Context // of the caller
	ctx    context.Context // with the deadline
	cancel context.CancelFunc
}

func newEvaluator(ctx context.Context) *evaluator {
	e := &evaluator{outer: ctx}
	e.ctx, e.cancel = context.WithTimeout(ctx, evaluationLimit)
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
	got, err := run(e.ctx, x.code, v)
	if err == nil || e.ctx.Err() == nil || e.ended() != nil {
		return got, err
	}
	// The deadline that has passed began with an earlier expression: this one
	// gets its own before it is blamed.
	e.cancel()
	e.ctx, e.cancel = context.WithTimeout(e.outer, evaluationLimit)
	got, err = run(e.ctx, x.code, v)
	if err != nil && e.ctx.Err() != nil && e.ended() == nil {
		err = errSlow
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
