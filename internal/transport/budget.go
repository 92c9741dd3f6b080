package transport

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"port-bitbucket-exporter/internal/progress"
)

// ErrBudget is the error of a request that is not sent, since as many went out as may.
var ErrBudget = errors.New("not asked for: max_requests is used up")

// Budget counts the requests that go out, and bounds their number. The zero value counts
// without a bound. It is safe for concurrent use.
type Budget struct {
	most int64 // 0: no bound
	sent atomic.Int64
	// over ends with the last request; nil without a bound.
	over context.Context
	end  context.CancelFunc
}

// NewBudget lets so many requests out; 0 means no bound.
func NewBudget(most int) *Budget {
	b := &Budget{most: int64(most)}
	if most > 0 {
		b.over, b.end = context.WithCancel(context.Background())
	}
	return b
}

// Sent is how many requests went out.
func (b *Budget) Sent() int { return int(b.sent.Load()) }

// Left is how many more may go out; false without a bound.
func (b *Budget) Left() (n int, bounded bool) {
	return int(b.most - b.sent.Load()), b.most > 0
}

// take counts one request that goes out, and reports whether it may.
func (b *Budget) take() bool {
	for {
		n := b.sent.Load()
		if b.most > 0 && n >= b.most {
			return false
		}
		if b.sent.CompareAndSwap(n, n+1) {
			if n+1 == b.most {
				b.end()
			}
			return true
		}
	}
}

// spent reports whether no request is left. A nil Budget has no bound.
func (b *Budget) spent() bool {
	if b == nil {
		return false
	}
	n, bounded := b.Left()
	return bounded && n <= 0
}

// Retry is the function Retry, which does not wait for an attempt that would find no request
// left: the error is then an ErrBudget that quotes the attempt before.
func (b *Budget) Retry(ctx context.Context, told *progress.Service, attempts int, attempt func() error) error {
	if b.over == nil {
		return Retry(ctx, told, attempts, attempt)
	}
	waits, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(b.over, func() { cancel(ErrBudget) })()
	var last error
	tried := 0
	err := Retry(waits, told, attempts, func() error {
		last = attempt()
		tried++
		return last
	})
	if ctx.Err() != nil || !errors.Is(context.Cause(waits), ErrBudget) {
		return err
	}
	var again *Again
	switch {
	case !errors.As(last, &again):
		return last
	case tried < attempts:
		return fmt.Errorf("%v: %w", again.Err, ErrBudget)
	}
	return again.Err
}
