package transport

import "time"

// Rate is an allowance: N requests in every rolling Window.
type Rate struct {
	N      int
	Window time.Duration
}

// Rates are the allowances of each credential.
type Rates struct {
	// Default is what the classes without a rate of their own spend together.
	Default Rate
	// Classes are the rates of classes of requests that are counted apart.
	Classes map[string]Rate
}

// ledger names the ledger of a class, and its rate.
func (r Rates) ledger(class string) (name string, rate Rate) {
	if rate, ok := r.Classes[class]; ok {
		return class, rate
	}
	return "", r.Default
}

func (r Rates) window(class string) time.Duration {
	_, rate := r.ledger(class)
	return rate.Window
}

// ledger is a sliding log of the requests of the last window. A token bucket
// would let twice the allowance through in some windows. The server enters a
// request somewhere between its sending and its answer, so it counts from the
// one until a window after the other: no window of the server's holds more.
type ledger struct {
	limit    int
	named    int // the limit that the service named; 0 when it named none
	window   time.Duration
	underWay int
	answered []time.Time // oldest first
}

// next is when one more request may go out: now, or when enough of the answered
// ones have left the window; a zero time when that depends on those under way.
func (l *ledger) next(now time.Time) time.Time {
	i := -l.free(now)
	switch {
	case i < 0:
		return now
	case i < len(l.answered):
		return l.answered[i].Add(l.window)
	}
	return time.Time{}
}

// free is how many more requests may go out now; below zero when the limit was lowered.
func (l *ledger) free(now time.Time) int {
	l.answered = l.answered[l.gone(now):]
	return l.freeAt(now)
}

// freeAt is what free will be at a time, if nothing goes out until then.
func (l *ledger) freeAt(at time.Time) int {
	return l.limit - (len(l.answered) - l.gone(at)) - l.underWay
}

// gone is how many of the answered requests, the oldest, have left the window by a time.
func (l *ledger) gone(at time.Time) int {
	n := 0
	for n < len(l.answered) && !l.answered[n].Add(l.window).After(at) {
		n++
	}
	return n
}

// due appends when each request of an allowance may go out, and none before from.
func (l *ledger) due(all []time.Time, from, now time.Time) []time.Time {
	free := l.freeAt(now)
	for i := range l.limit {
		at := from
		switch used := i - free; {
		case used >= len(l.answered): // it is under way
			at = later(from, now.Add(l.window))
		case used >= 0:
			at = later(from, l.answered[used].Add(l.window))
		}
		all = append(all, at)
	}
	return all
}

func (l *ledger) send() { l.underWay++ }

func (l *ledger) answer(now time.Time) {
	l.underWay--
	l.answered = append(l.answered, now)
}

// later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
