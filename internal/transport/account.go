package transport

import "time"

// account is what a Pool knows of a credential.
type account struct {
	Credential
	sent    map[string]int // by class
	quota   string         // the last X-RateLimit-Limit
	rates   Rates
	ledgers map[string]*ledger // by the name that Rates.ledger gives
	retired bool
	unfit   Unfit            // why it is retired
	wrong   bool             // it was refused twice in a row
	weak    map[string]Unfit // by scope
	classes map[string]*freeze
}

// freeze is the state of one class of requests of one credential.
type freeze struct {
	pause   time.Duration // of the last freeze; 0 when none
	until   time.Time
	probing bool
	// refusals are those in a row.
	refusals int
}

// ledger is the one that requests of a class are entered into.
func (a *account) ledger(class string) *ledger {
	name, rate := a.rates.ledger(class)
	if a.ledgers[name] == nil {
		a.ledgers[name] = &ledger{limit: rate.N, window: rate.Window}
	}
	return a.ledgers[name]
}

// due is when a credential may send: at a time, or, when that is zero, after an
// answer that is under way.
type due struct {
	at     time.Time
	frozen bool // by an answer of 429
}

// due is when the account may send a request of the class.
func (a *account) due(class string, now time.Time) due {
	next := a.ledger(class).next(now)
	f := a.classes[class]
	switch {
	case next.IsZero(), f == nil, f.pause == 0:
		return due{at: next}
	case f.probing:
		return due{}
	case f.until.After(next):
		return due{f.until, true}
	}
	return due{at: next}
}
