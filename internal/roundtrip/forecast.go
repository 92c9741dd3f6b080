package roundtrip

import (
	"fmt"
	"time"
)

// Forecast is what so many requests cost at the allowances of a pool.
type Forecast struct {
	Requests int
	// Wait is how long they take at least, since the allowances are spent sooner.
	Wait time.Duration
	// Allowance says what the pool may do: "1,000 requests in 1h0m0s for each of 2 credentials".
	Allowance string
	// Credentials are how many it would take to wait for nothing; 0 when those that
	// there are do.
	Credentials int
}

// String tells it on one line:
//
//	2011 requests, at 1000 requests in 1h0m0s for each of 1 credentials: 2h0m0s of waiting; 3 credentials would not wait
func (f Forecast) String() string {
	text := fmt.Sprintf("%d requests, at %s: ", f.Requests, f.Allowance)
	if f.Wait == 0 {
		return text + "no waiting"
	}
	return text + fmt.Sprintf("%s of waiting; %d credentials would not wait", f.Wait, f.Credentials)
}

// Forecast says what requests of some classes cost. What the pool has sent already
// counts among them.
func (p *Pool) Forecast(classes map[string]int) Forecast {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := Forecast{}
	byLedger, classOf := map[string]int{}, map[string]string{}
	for class, n := range classes {
		f.Requests += n
		name, _ := p.rates.ledger(class)
		byLedger[name] += n
		classOf[name] = class
	}
	live := max(p.live(), 1)
	for name, n := range byLedger {
		class := classOf[name]
		each, window := max(p.limit(class), 1), p.rates.window(class)
		if f.Allowance == "" || name == "" {
			f.Allowance = fmt.Sprintf("%d requests in %s for each of %d credentials", each, window, live)
		}
		if n == 0 {
			continue
		}
		f.Wait = max(f.Wait, time.Duration((n-1)/(each*live))*window)
		if n > each*live {
			f.Credentials = max(f.Credentials, (n+each-1)/each)
		}
	}
	return f
}
