package transport_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/memtransport"
	"port-bitbucket-exporter/internal/transport"
)

// However many go out at once, exactly so many arrive.
func TestBudget(t *testing.T) {
	t.Parallel()
	const most, each, senders = 100, 20, 16
	budget := transport.NewBudget(most)
	var arrived, refused atomic.Int64
	network := transport.Log(memtransport.RoundTripper(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) })), slog.New(slog.DiscardHandler), budget)
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for range each {
				resp, err := network.RoundTrip(request(t.Context(), t, "https://bitbucket.test/"))
				switch {
				case errors.Is(err, transport.ErrBudget):
					refused.Add(1)
				case err != nil:
					t.Error(err)
				default:
					resp.Body.Close()
				}
			}
		})
	}
	all.Wait()
	left, bounded := budget.Left()
	if arrived.Load() != most || refused.Load() != senders*each-most || budget.Sent() != most || left != 0 || !bounded {
		t.Errorf("got %d arrived, %d refused, %d sent, %d left (%v), want %d arrived and the rest refused", arrived.Load(), refused.Load(), budget.Sent(), left, bounded, most)
	}
}

// A request whose context has ended does not go out, and spends nothing.
func TestBudgetOfWhatIsNotSent(t *testing.T) {
	t.Parallel()
	budget := transport.NewBudget(1)
	network := transport.Log(memtransport.RoundTripper(http.NotFoundHandler()), slog.New(slog.DiscardHandler), budget)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := network.RoundTrip(request(ctx, t, "https://bitbucket.test/")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if budget.Sent() != 0 {
		t.Errorf("sent: got %d, want 0", budget.Sent())
	}
}

// What the budget stops below the pool costs no allowance.
func TestPoolTakesBackWhatIsNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answers := []error{transport.ErrBudget, nil}
		base := transport.Func(func(req *http.Request) (*http.Response, error) {
			err := answers[0]
			answers = answers[1:]
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, err
		})
		pool := transport.NewPool(base, []transport.Credential{{Name: "token", Authorize: func(*http.Request) {}}},
			transport.Rates{Default: hourly(1)}, transport.Service{Class: func(*http.Request) string { return "all" }}, nil, slog.New(slog.DiscardHandler))
		start := time.Now()
		for _, want := range []error{transport.ErrBudget, nil} {
			if _, err := pool.RoundTrip(request(t.Context(), t, "https://bitbucket.test/")); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		if got := time.Since(start); got != 0 {
			t.Errorf("took %v, want no waiting", got)
		}
		if got := pool.Spent().Requests; got != 1 {
			t.Errorf("spent: got %d, want 1", got)
		}
	})
}
