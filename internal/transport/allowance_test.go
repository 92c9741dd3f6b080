package transport

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sent is a request of the naive model, which keeps them all.
type sent struct{ out, answered time.Time }

func counts(r sent, now time.Time, window time.Duration) bool {
	return r.answered.IsZero() || r.answered.Add(window).After(now)
}

func free(all []sent, limit int, now time.Time, window time.Duration) int {
	for _, r := range all {
		if counts(r, now, window) {
			limit--
		}
	}
	return limit
}

func TestLedgerIsASlidingLog(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const window = time.Minute
		limit := rapid.IntRange(1, 6).Draw(t, "limit")
		l := ledger{limit: limit, window: window}
		now := time.Unix(0, 0)
		var all []sent
		t.Repeat(map[string]func(*rapid.T){
			"pass": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			},
			"send": func(t *rapid.T) {
				if l.next(now).Equal(now) {
					l.send()
					all = append(all, sent{out: now})
				}
			},
			"answer": func(t *rapid.T) {
				if i := slices.IndexFunc(all, func(r sent) bool { return r.answered.IsZero() }); i >= 0 {
					l.answer(now)
					all[i].answered = now
				}
			},
			"jump": func(t *rapid.T) {
				if next := l.next(now); next.After(now) {
					if got := free(all, l.limit, next.Add(-1), window); got > 0 {
						t.Fatalf("a nanosecond before next: got %d free, want none", got)
					}
					now = next
				}
			},
			"": func(t *rapid.T) {
				want := free(all, l.limit, now, window)
				if got := l.free(now); got != want {
					t.Fatalf("free: got %d, want %d", got, want)
				}
				if got := l.next(now).Equal(now); got != (want > 0) {
					t.Fatalf("may go now: got %v, want %v", got, want > 0)
				}
			},
		})
		checkWindows(t, all, limit, now, window)
	})
}

// checkWindows puts each request at any moment between its sending and its answer,
// as a server may, and looks at every window that ends with one of them.
func checkWindows(t *rapid.T, all []sent, limit int, now time.Time, window time.Duration) {
	var at []time.Time
	for _, r := range all {
		end := r.answered
		if end.IsZero() {
			end = now
		}
		late := rapid.Int64Range(0, int64(end.Sub(r.out))).Draw(t, "entered")
		at = append(at, r.out.Add(time.Duration(late)))
	}
	for _, end := range at {
		n := 0
		for _, x := range at {
			if !x.After(end) && x.Add(window).After(end) {
				n++
			}
		}
		if n > limit {
			t.Fatalf("the server's window that ends at %v: got %d requests, want at most %d", end, n, limit)
		}
	}
}

func TestLedgerWithAnotherLimit(t *testing.T) {
	t.Parallel()
	l, now := ledger{limit: 4, window: time.Minute}, time.Unix(0, 0)
	for i := range 4 {
		l.send()
		l.answer(now.Add(time.Duration(i) * time.Second))
	}
	now = now.Add(10 * time.Second)
	for _, tt := range []struct {
		limit int
		want  time.Duration // after the first answer
	}{{4, 60 * time.Second}, {2, 62 * time.Second}, {1, 63 * time.Second}, {5, 10 * time.Second}} {
		l.limit = tt.limit
		if got := l.next(now).Sub(time.Unix(0, 0)); got != tt.want {
			t.Errorf("limit %d: got next after %s, want %s", tt.limit, got, tt.want)
		}
	}
}
