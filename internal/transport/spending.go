package transport

import (
	"cmp"
	"slices"
	"time"
)

// Spending is what a credential has spent of one of its allowances, for a later Pool to begin
// with.
type Spending struct {
	// Class is that with a rate of its own; empty for all others together.
	Class string `json:"class,omitempty"`
	// Limit is the number of requests that the service named; 0 when it named none.
	Limit int `json:"limit,omitempty"`
	// Sent are the requests of the last window, oldest first.
	Sent []Batch `json:"sent,omitempty"`
}

// Batch is how many requests were answered within a second.
type Batch struct {
	End int64 `json:"end"` // of the second, in seconds since 1970 UTC
	N   int   `json:"n"`
}

// Spending returns what each credential has spent, in order. Requests that are under way
// count as answered now.
func (p *Pool) Spending() [][]Spending {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	all := make([][]Spending, len(p.all))
	for i, a := range p.all {
		for class, l := range a.ledgers {
			all[i] = append(all[i], Spending{class, l.named, l.batches(now)})
		}
		slices.SortFunc(all[i], func(a, b Spending) int { return cmp.Compare(a.Class, b.Class) })
	}
	return all
}

// batches are the requests of the window. A second that has begun counts until its end: none
// counts for shorter than it was entered for.
func (l *ledger) batches(now time.Time) []Batch {
	l.free(now)
	var all []Batch
	for i := range len(l.answered) + l.underWay {
		at := now
		if i < len(l.answered) {
			at = l.answered[i]
		}
		end := at.Unix()
		if at.Nanosecond() > 0 {
			end++
		}
		if last := len(all) - 1; last >= 0 && all[last].End == end {
			all[last].N++
		} else {
			all = append(all, Batch{end, 1})
		}
	}
	return all
}

// Begin enters what the credentials have spent before, in order. It comes before the first
// request. What a clock has put into the future was spent now.
func (p *Pool) Begin(spent [][]Spending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for i, a := range p.all[:min(len(p.all), len(spent))] {
		for _, s := range spent[i] {
			if name, _ := p.rates.ledger(s.Class); name != s.Class {
				continue // it has no rate of its own any more
			}
			a.ledger(s.Class).begin(s, now)
		}
	}
}

// maxRemembered bounds how many requests of a credential are entered again: ten times as
// many as any credential may send in an hour.
const maxRemembered = 100_000

func (l *ledger) begin(s Spending, now time.Time) {
	if s.Limit > 0 {
		l.limit, l.named = s.Limit, s.Limit
	}
	for _, b := range s.Sent {
		at := time.Unix(b.End, 0)
		if at.After(now) {
			at = now
		}
		for range min(b.N, maxRemembered-len(l.answered)) {
			l.answered = append(l.answered, at)
		}
	}
	slices.SortFunc(l.answered, time.Time.Compare)
}

// Left is how many requests of a class may go out by the time until which an Auto pool waits:
// what is under way, or was refused by 429, is spent.
func (p *Pool) Left(class string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, a := range p.all {
		if !a.retired && !a.refused(class) {
			n += max(0, a.ledger(class).freeAt(later(time.Now(), soon(p.made, p.rates.window(class)))))
		}
	}
	return n
}

// soon is until when requests of an Auto pool wait for an allowance: a twelfth of the window
// after it was made. A run that begins a window after another one finds what that sent at its
// own beginning about to become free, and would find nothing free if it did not wait at all.
func soon(made time.Time, window time.Duration) time.Time { return made.Add(nearby(window)) }
