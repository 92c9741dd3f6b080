package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

// next replaces the pool by that of a later run, which begins with what the one before has spent, as
// JSON keeps it.
func (w *world) next(rates transport.Rates, auto bool) {
	w.t.Helper()
	text, err := json.Marshal(w.pool.Spending())
	if err != nil {
		w.t.Fatal(err)
	}
	var spent [][]transport.Spending
	if err := json.Unmarshal(text, &spent); err != nil {
		w.t.Fatal(err)
	}
	w.pool = transport.NewPool(w.s.RoundTripper(), w.tokens, rates, transport.Service{Class: classOf, Auto: auto}, nil, logger(w.log))
	w.pool.Begin(spent)
	w.start = time.Now()
}

// auto sends n requests at once, and returns how many were answered, and how many were not sent
// since no allowance is left. There is no other outcome.
func (w *world) auto(n int, path string) (answered, left int) {
	w.t.Helper()
	errs, statuses := make([]error, n), make([]int, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { statuses[i], _, errs[i] = w.get(context.Background(), path) })
	}
	all.Wait()
	for i, err := range errs {
		switch {
		case errors.Is(err, transport.ErrBudget):
			left++
		case err == nil && statuses[i] == http.StatusOK:
			answered++
		default:
			w.t.Errorf("got status %d and %v", statuses[i], err)
		}
	}
	return answered, left
}

// ran is what a run of an Auto pool did: answered requests, those not sent, and how long it took.
type ran struct {
	Answered, Left int
	Took           time.Duration
}

func (w *world) run(n int, path string) ran {
	w.t.Helper()
	answered, left := w.auto(n, path)
	return ran{answered, left, time.Since(w.start).Round(time.Second)}
}

// refused is how many requests the server answered by 429.
func (w *world) refused() int {
	n := 0
	for _, x := range w.s.Journal() {
		if x.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

// Runs that know what those before them have sent spend an allowance together, and the server
// refuses none of their requests.
func TestAutoSpendsWhatIsLeft(t *testing.T) {
	rates := transport.Rates{Default: hourly(5)}
	inBubbleAt(t, rates, []bitbuckettest.Access{{Limit: 5}, {Limit: 5}}, func(w *world) {
		w.overlap()
		w.next(rates, true)
		w.equal("left", w.pool.Left("repositories"), 10)
		w.equal("the first run", w.run(4, repositories), ran{4, 0, 0})
		time.Sleep(30 * time.Minute)
		w.next(rates, true)
		w.equal("left", w.pool.Left("repositories"), 6)
		w.equal("in the same window", w.run(20, repositories), ran{6, 14, 0})
		w.equal("left", w.pool.Left("repositories"), 0)
		time.Sleep(20 * time.Minute)
		w.next(rates, true)
		w.equal("later in it", w.run(1, projects), ran{0, 1, 0})
		time.Sleep(10 * time.Minute)
		w.next(rates, true)
		w.equal("left", w.pool.Left("repositories"), 4)
		w.equal("a window after the first run, of which the first answer came a moment later", w.run(20, repositories), ran{4, 16, time.Second})
		w.equal("refused", w.refused(), 0)
	})
}

// A run without a bound waits for what those before it have sent.
func TestRunWaitsForWhatOthersHaveSent(t *testing.T) {
	rates := transport.Rates{Default: hourly(2)}
	inBubbleAt(t, rates, []bitbuckettest.Access{{Limit: 2}}, func(w *world) {
		w.together(2, repositories)
		time.Sleep(20 * time.Minute)
		w.next(rates, false)
		w.one(repositories, 200)
		w.equal("after", time.Since(w.start), 40*time.Minute)
		w.equal("refused", w.refused(), 0)
	})
}

// Runs that begin a window after each other each find a whole allowance, though it becomes free
// only as they go on.
func TestAutoRunsAWindowApart(t *testing.T) {
	rates := transport.Rates{Default: hourly(50)}
	inBubbleAt(t, rates, []bitbuckettest.Access{{Limit: 50}}, func(w *world) {
		w.s.Fault(bitbuckettest.Fault{Times: -1, Delay: 700 * time.Millisecond})
		begun := w.start
		for i := range 8 {
			time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Hour)))
			w.next(rates, true)
			got := ran{}
			for range 60 { // one after the other
				answered, left := w.auto(1, repositories)
				got.Answered, got.Left = got.Answered+answered, got.Left+left
			}
			w.equal("run", got, ran{50, 10, 0})
			if took := time.Since(w.start); took > 5*time.Minute {
				w.t.Errorf("run %d takes %v", i, took)
			}
		}
		w.equal("refused", w.refused(), 0)
	})
}

// Requests wait for answers that are under way: these may name a larger allowance.
func TestAutoLearnsTheLimit(t *testing.T) {
	rates := transport.Rates{Default: hourly(2)}
	inBubbleAt(t, rates, []bitbuckettest.Access{{Limit: 6, Headers: true}}, func(w *world) {
		w.overlap()
		w.next(rates, true)
		w.equal("run", w.run(20, repositories), ran{6, 14, 0})
	})
}

// An allowance that becomes free little by little does not keep a run going.
func TestAutoDoesNotTrickle(t *testing.T) {
	rates := transport.Rates{Default: hourly(60)}
	inBubbleAt(t, rates, []bitbuckettest.Access{{Limit: 60}}, func(w *world) {
		for range 60 {
			w.one(repositories, 200)
			time.Sleep(time.Minute)
		}
		w.next(rates, true)
		w.equal("left", w.pool.Left("repositories"), 6)
		w.equal("run", w.run(60, repositories), ran{6, 54, 5 * time.Minute})
		w.equal("refused", w.refused(), 0)
	})
}

// A credential that answers 429 is asked no more by an Auto pool, and nothing waits; another one
// goes on, and so do other classes.
func TestAutoEndsAt429(t *testing.T) {
	for _, header := range []http.Header{nil, {"Retry-After": {"2"}}} {
		t.Run(header.Get("Retry-After"), func(t *testing.T) {
			rates := transport.Rates{Default: hourly(100)}
			inBubbleAt(t, rates, []bitbuckettest.Access{{}, {Limit: 3}}, func(w *world) {
				w.refuse("t1", -1, header)
				w.next(rates, true)
				got := ran{}
				for range 10 {
					answered, left := w.auto(1, repositories)
					got.Answered, got.Left = got.Answered+answered, got.Left+left
				}
				w.equal("run", got, ran{3, 7, 0})
				w.equal("left", w.pool.Left("repositories"), 0)
				time.Sleep(30 * time.Minute)
				w.equal("later in the run", w.run(5, repositories), ran{0, 5, 30 * time.Minute})
				w.equal("another class", w.run(2, projects), ran{2, 0, 30 * time.Minute})
				w.equal("refused", w.refused(), 2)
			})
		})
	}
}

// The limit that the service has named is known to the next run before its first answer.
func TestNamedLimitIsRemembered(t *testing.T) {
	rates := transport.Rates{Default: hourly(2)}
	inBubbleAt(t, rates, []bitbuckettest.Access{{Limit: 6, Headers: true}, {Limit: 2}}, func(w *world) {
		w.overlap()
		w.one(repositories, 200)
		w.next(rates, true)
		w.equal("left", w.pool.Left("repositories"), 5+2)
		w.next(rates, true) // that run has asked for nothing
		w.equal("left in a further run", w.pool.Left("repositories"), 5+2)
		w.equal("run", w.run(20, repositories), ran{7, 13, 0})
		w.equal("refused", w.refused(), 0)
	})
}

// What counts apart is remembered apart, and forgotten where it does not count apart any more.
func TestSpendingByClass(t *testing.T) {
	apart := transport.Rates{Default: hourly(3), Classes: map[string]transport.Rate{"source": hourly(2)}}
	inBubbleAt(t, apart, []bitbuckettest.Access{{Limit: -1}}, func(w *world) {
		w.one(repositories, 200)
		w.together(2, repositories+"/slug/src/main/a")
		w.next(apart, true)
		w.equal("left", []int{w.pool.Left("repositories"), w.pool.Left("source")}, []int{2, 0})
		w.next(transport.Rates{Default: hourly(3)}, true)
		w.equal("left, together", w.pool.Left("repositories"), 2)
	})
}

// What is under way when a run ends counts, and what a clock has put into the future was spent now.
func TestSpendingAtTheEdges(t *testing.T) {
	rates := transport.Rates{Default: hourly(3)}
	inBubbleAt(t, rates, []bitbuckettest.Access{{Limit: -1}}, func(w *world) {
		w.s.Fault(bitbuckettest.Fault{Times: 1, Delay: time.Minute})
		var all sync.WaitGroup
		all.Go(func() { w.one(repositories, 200) })
		time.Sleep(time.Second)
		w.next(rates, true)
		w.equal("left beside what is under way", w.pool.Left("repositories"), 2)
		all.Wait()
		now := time.Now().Unix()
		w.pool.Begin([][]transport.Spending{
			{{Sent: []transport.Batch{{now + 7200, 1}, {now - 3600, 5}, {now, -3}}}},
			{{Sent: []transport.Batch{{now, 1}}}}, // of a credential that is not there
		})
		w.equal("left", w.pool.Left("repositories"), 1)
		time.Sleep(time.Hour)
		w.equal("left an hour later", w.pool.Left("repositories"), 3)
	})
}

// Seconds that began count until their end, in order.
func TestBatches(t *testing.T) {
	rates := transport.Rates{Default: hourly(9)}
	inBubbleAt(t, rates, []bitbuckettest.Access{{Limit: -1}}, func(w *world) {
		for _, pause := range []time.Duration{0, 100 * time.Millisecond, 800 * time.Millisecond, 100 * time.Millisecond, time.Second} {
			time.Sleep(pause)
			w.one(repositories, 200)
		}
		start := w.start.Unix()
		var got []int64
		for _, b := range w.pool.Spending()[0][0].Sent {
			got = append(got, b.End-start, int64(b.N))
		}
		if want := []int64{0, 1, 1, 3, 2, 1}; !slices.Equal(got, want) {
			w.t.Errorf("got %v, want %v", got, want)
		}
	})
}
