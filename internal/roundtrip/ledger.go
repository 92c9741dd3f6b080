package roundtrip

import "time"

// ledger is a sliding log: the times of the requests of the last window. A token
// bucket would let twice the allowance through in some windows.
type ledger struct {
	limit  int
	window time.Duration
	sent   []time.Time // oldest first
}

// next is when one more request may go out: now, or when the oldest one that
// counts leaves the window.
func (l *ledger) next(now time.Time) time.Time {
	l.forget(now)
	if len(l.sent) < l.limit {
		return now
	}
	return l.sent[len(l.sent)-l.limit].Add(l.window)
}

// free is how many more requests may go out now.
func (l *ledger) free(now time.Time) int {
	l.forget(now)
	return l.limit - len(l.sent)
}

func (l *ledger) spend(now time.Time) { l.sent = append(l.sent, now) }

func (l *ledger) forget(now time.Time) {
	n := 0
	for n < len(l.sent) && !l.sent[n].Add(l.window).After(now) {
		n++
	}
	l.sent = l.sent[n:]
}
