package transport

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"time"
)

// Credential is one way to authenticate, with allowances of its own.
type Credential struct {
	// Name distinguishes it in messages: `workspace token 2 of 3`.
	Name string
	// Group is the same for credentials that see the same. The lowest one leads: it decides what
	// there is.
	Group int
	// Authorize sets the header on a request that is not shared.
	Authorize func(*http.Request)
	// AuthorizeGit does so on a request to the host of git repositories; nil when the
	// credential is of no use there. A Pool does not call it.
	AuthorizeGit func(*http.Request)
	// Tokens are those of a credential that asks the service for access tokens; nil for one
	// that is sent itself. Present and PresentGit stand then in place of the two above.
	Tokens              *Tokens
	Present, PresentGit func(req *http.Request, token string)
}

// token returns the access token to send with a request; empty where there are none.
func (c Credential) token(ctx context.Context) (string, error) {
	if c.Tokens == nil {
		return "", nil
	}
	return c.Tokens.Token(ctx)
}

// authorize sets the header.
func (c Credential) authorize(req *http.Request, token string) {
	if c.Tokens == nil {
		c.Authorize(req)
		return
	}
	c.Present(req, token)
}

// Verdict is what a refusal means for the credential of the request.
type Verdict struct {
	Standing Standing
	// Why is the service's message; Missing are the scopes that it names.
	Why     string
	Missing []string
}

// Standing is how a credential stands with the service.
type Standing int

const (
	// Sound: the refusal is not about the credential.
	Sound Standing = iota
	// Doubted: the service did not accept the credential. It is wrong when refused twice in
	// a row: one refusal may be a fault of the service.
	Doubted
	// Either: the service did not accept the credential, or hides from it what was asked for.
	// The credential is Doubted until the service has accepted it once.
	Either
	// Weak: the credential lacks the scope that the request needs.
	Weak
	// Blind: what was asked for is not there, or hidden from this credential.
	Blind
	// Barred: the owner of the credential must act before the service answers again, and
	// each further attempt makes it worse.
	Barred
)

// Unfit is a credential that was refused while others were still used.
type Unfit struct {
	Credential string
	Scope      string // it is no longer used for this; empty when it is not used at all
	Status     int    // 0 when there was no answer
	NoToken    error  // why it has no access token; nil for another reason
	Verdict
}

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
	proven  bool             // an answer was a success
	weak    map[string]Unfit // by scope
	classes map[string]*cooldown
}

// cooldown is the state of one class of requests of one credential.
type cooldown struct {
	pause   time.Duration // of the last cooldown; 0 when none
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
	token  bool // it has no access token
	answer bool // of several credentials: one waits for an answer
}

// within reports whether a credential may send at a time, or may be able to.
func (d due) within(soon time.Time) bool {
	return d.answer || !d.at.IsZero() && !d.at.After(soon)
}

// due is when the account may send a request of the class.
func (a *account) due(class string, now time.Time) due {
	d := a.allowed(class, now)
	if a.Tokens == nil || d.at.IsZero() {
		return d
	}
	if at := a.Tokens.due(now); at.After(d.at) {
		return due{at: at, token: true}
	}
	return d
}

// allowed is due as the allowance has it.
func (a *account) allowed(class string, now time.Time) due {
	next := a.ledger(class).next(now)
	f := a.classes[class]
	switch {
	case next.IsZero(), f == nil, f.pause == 0:
		return due{at: next}
	case f.probing:
		return due{}
	case f.until.After(next):
		return due{at: f.until, frozen: true}
	}
	return due{at: next}
}

// thawed is when the last cooldown of the account ends; now when there is none.
func (a *account) thawed(now time.Time) time.Time {
	for _, f := range a.classes {
		if f.pause > 0 {
			now = later(now, f.until)
		}
	}
	return now
}

// refused reports whether a request of the class was refused by 429, and none was answered
// otherwise since.
func (a *account) refused(class string) bool {
	f := a.classes[class]
	return f != nil && f.pause > 0
}

func (a *account) isWeak(scope string) bool {
	_, weak := a.weak[scope]
	return weak
}

func sortedScopes(a *account) []string { return slices.Sorted(maps.Keys(a.weak)) }

// accepted learns from an answer that the credential works, for the scope when it is a success.
func (a *account) accepted(status int, scope string) {
	if status == http.StatusUnauthorized {
		return
	}
	a.wrong = false
	if status/100 == 2 {
		a.proven = true
		delete(a.weak, scope)
	}
}

// accounts are those of a Pool, in order.
type accounts []*account

// limit is the largest allowance of a credential in use.
func (all accounts) limit(class string) int {
	most := 0
	for _, a := range all {
		if !a.retired {
			most = max(most, a.ledger(class).limit)
		}
	}
	return most
}

// free is how many requests may go out now, without those of classes that are counted apart.
func (all accounts) free(now time.Time) int {
	n := 0
	for _, a := range all {
		if !a.retired && a.thawed(now).Equal(now) {
			n += max(0, a.ledger("").free(now))
		}
	}
	return n
}

// earliest is when the n-th request from now may go out, if all before it go out as soon as the
// allowances of a window let them. What is under way counts as sent now. Classes that are counted apart
// do not count.
func (all accounts) earliest(n int, now time.Time, window time.Duration) time.Time {
	if n <= all.free(now) {
		return now
	}
	var due []time.Time
	for _, a := range all {
		if !a.retired {
			due = a.ledger("").due(due, a.thawed(now), now)
		}
	}
	if len(due) == 0 {
		return now
	}
	slices.SortFunc(due, time.Time.Compare)
	return due[(n-1)%len(due)].Add(time.Duration((n-1)/len(due)) * window)
}

func (all accounts) live() int {
	n := 0
	for _, a := range all {
		if !a.retired {
			n++
		}
	}
	return n
}

// leader is the lowest group of a credential in use, without those that are weak for the scope
// where others are not.
func (all accounts) leader(scope string) int {
	lead, strong := -1, all.strong(scope)
	for _, a := range all {
		if !a.retired && !(strong && a.isWeak(scope)) && (lead < 0 || a.Group < lead) {
			lead = a.Group
		}
	}
	return lead
}

// first is the first credential of the group that leads at first. There must be one.
func (all accounts) first() *account {
	return slices.MinFunc(all, func(a, b *account) int { return cmp.Compare(a.Group, b.Group) })
}

// mixed reports whether there is more than one group.
func (all accounts) mixed() bool {
	return slices.ContainsFunc(all, func(a *account) bool { return a.Group != all[0].Group })
}

// strong reports whether a credential in use is not known to be weak for a scope.
func (all accounts) strong(scope string) bool {
	return slices.ContainsFunc(all, func(a *account) bool { return !a.retired && !a.isWeak(scope) })
}
