package transport

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/progress"
)

// Forecast is what so many requests cost at the allowances of a pool.
type Forecast struct {
	Requests int
	// Known are those that are not among them, since what they ask for is remembered.
	Known int
	// Each is how many requests a credential may make in the Window, and Credentials
	// how many there are.
	Each        int
	Window      time.Duration
	Credentials int
	// Wait is how long the requests wait at least.
	Wait time.Duration
	// Needed are the credentials with which they would not.
	Needed int
	// Free is how many requests may go out now, of classes that are not counted apart.
	Free int
}

// String writes it on one line:
//
//	2011 requests; 1 credential may make 1000 in 1h: 2h of waiting, none with 3 credentials
//	2,011 requests, 1,000 of them known: 1,011; 1 credential may make 1000 in 1h: 1h of waiting, none with 2 credentials
func (f Forecast) String() string {
	each := ", each may"
	if f.Credentials == 1 {
		each = " may"
	}
	requests := counted(f.Requests, "request")
	if f.Known > 0 {
		requests = fmt.Sprintf("%s requests, %s of them known: %s", progress.Number(f.Requests+f.Known), progress.Number(f.Known), progress.Number(f.Requests))
	}
	text := fmt.Sprintf("%s; %s%s make %d in %s: ", requests, counted(f.Credentials, "credential"), each, f.Each, span(f.Window))
	if f.Wait == 0 {
		return text + "no waiting"
	}
	return text + span(f.Wait) + " of waiting, none with " + counted(f.Needed, "credential")
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// span is a duration without zeros at its end: 1h.
func span(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// Forecast says what requests of some classes cost. What the pool has sent already
// counts among them.
func (p *Pool) Forecast(classes map[string]int) Forecast {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := Forecast{Credentials: max(p.all.live(), 1), Free: p.all.free(time.Now())}
	byLedger := map[string]int{}
	for class, n := range classes {
		f.Requests += n
		name, _ := p.rates.ledger(class)
		byLedger[name] += n // the name is a class of the ledger too
	}
	f.Each, f.Window = max(p.all.limit(""), 1), p.rates.Default.Window
	for name, n := range byLedger {
		each, window := max(p.all.limit(name), 1), p.rates.window(name)
		if wait := time.Duration((n-1)/(each*f.Credentials)) * window; n > 0 && wait > f.Wait {
			f.Wait, f.Needed = wait, (n+each-1)/each
		}
	}
	return f
}

// Spent says what the requests that went out so far cost.
func (p *Pool) Spent() Forecast {
	p.mu.Lock()
	sent := map[string]int{}
	for _, a := range p.all {
		for class, n := range a.sent {
			sent[class] += n
		}
	}
	p.mu.Unlock()
	return p.Forecast(sent)
}

// Credentials describes, for each credential, in order, whether the server took it, how
// many requests it made, and which allowance the server named.
func (p *Pool) Credentials() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, a := range p.all {
		n := 0
		for _, sent := range a.sent {
			n += sent
		}
		text := a.Name + ": " + counted(n, "request")
		switch {
		case a.retired && a.unfit.NoToken != nil:
			text += ", no access token"
		case a.retired:
			text += fmt.Sprintf(", refused (%d)", a.unfit.Status)
		case n > 0 && a.quota != "":
			text += ", X-RateLimit-Limit " + a.quota
		case n > 0:
			text += ", no rate limit header"
		}
		for _, scope := range sortedScopes(a) {
			text += fmt.Sprintf(", refused for %s (%d)", scope, a.weak[scope].Status)
		}
		all = append(all, text)
	}
	return all
}

// Displaced names a credential of the group that led at first, when all of that group are
// retired, or another one has answered for it where it lacks this scope; else it is empty.
func (p *Pool) Displaced(scope string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.all) == 0 {
		return ""
	}
	first := p.all.first()
	if !p.stoodIn[scope] && slices.ContainsFunc(p.all, func(a *account) bool { return a.Group == first.Group && !a.retired }) {
		return ""
	}
	return first.Name
}

// Unfit returns the credentials that were refused while others were still used, in order:
// those that are no longer used, then those that are not used for a scope.
func (p *Pool) Unfit() []Unfit {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Unfit
	for _, a := range p.all {
		if a.retired {
			all = append(all, a.unfit)
		}
	}
	for _, a := range p.all {
		for _, scope := range sortedScopes(a) {
			if !a.retired && p.all.strong(scope) {
				all = append(all, a.weak[scope])
			}
		}
	}
	return all
}
