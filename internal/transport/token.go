package transport

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Token is an access token as a service has given it.
type Token struct {
	Text string
	Life time.Duration // 0: the service did not say
}

// TokenError is why there is no access token.
type TokenError struct {
	Err    error
	Status int // of the answer; 0 without one
	// Lasting is true when asking again would get the same, or was tried for long enough.
	Lasting bool
	After   time.Duration // how long the service asked to wait; 0 when it did not say
}

func (e *TokenError) Error() string { return e.Err.Error() }

func (e *TokenError) Unwrap() error { return e.Err }

// AsTokenError returns the *TokenError in an error, or nil.
func AsTokenError(err error) *TokenError {
	var e *TokenError
	if errors.As(err, &e) {
		return e
	}
	return nil
}

const (
	// renewBefore is how long before its end a token is renewed, and at most a quarter of its life.
	renewBefore = 10 * time.Minute
	// doubtAfter is the age from which on a token may be what an answer is about that has other
	// reasons too, and at most a quarter of its life: else each such answer would cost one.
	doubtAfter = time.Minute
	// unknownLife is that of a token whose answer does not name it: the shortest that clients
	// report of Bitbucket. A service that ends one earlier refuses it, and it is renewed.
	unknownLife = time.Hour
	// tokenRefusedPause is how long after a first answer of 429 that names no time no token is
	// asked for. Our choice: no limit of such requests is known.
	tokenRefusedPause = time.Minute
	// maxTokenPause bounds the wait that an answer of 429 asks for.
	maxTokenPause = time.Hour
)

// Tokens keeps the access token of a credential that is not itself sent with requests, and
// renews it. However many requests want one at the same time, one asks for it, and all share
// the answer. It is safe for concurrent use, also by several Pools.
type Tokens struct {
	ask  func(context.Context) (Token, error)
	turn chan struct{} // holds a value while one asks

	mu       sync.Mutex // guards what follows
	text     string     // empty without a token
	made     time.Time
	renew    time.Time // from then on another one is asked for
	end      time.Time
	failures int // in a row
	failed   *TokenError
	next     time.Time // after a failure: none is asked for before
}

// NewTokens returns Tokens without a token. Ask asks for one, in one attempt; its error is a
// *TokenError, or the cause of the context.
func NewTokens(ask func(context.Context) (Token, error)) *Tokens {
	return &Tokens{ask: ask, turn: make(chan struct{}, 1)}
}

// Token returns a token that lasts; it asks for one where there is none, or where it is about
// to end. The error is the cause of the context, or a *TokenError: after one that is not
// Lasting, another request may ask once due says so.
func (t *Tokens) Token(ctx context.Context) (string, error) {
	t.mu.Lock()
	text, err := t.current(time.Now())
	t.mu.Unlock()
	if text != "" || err != nil {
		return text, err
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	t.mu.Lock()
	text, err = t.current(time.Now()) // another request may have asked meanwhile
	t.mu.Unlock()
	if text != "" || err != nil {
		return text, err
	}
	start := time.Now()
	got, err := t.ask(ctx)
	return t.learn(start, got, err)
}

// current is the token, when there is one that lasts, or why none is asked for now; neither
// when one is to be asked for.
func (t *Tokens) current(now time.Time) (string, error) {
	valid := t.text != "" && now.Before(t.end)
	waits := t.failed != nil && (t.failed.Lasting || now.Before(t.next))
	switch {
	case valid && (waits || now.Before(t.renew)):
		return t.text, nil
	case waits:
		return "", t.failed
	}
	return "", nil
}

// learn keeps what came of asking at a time. As long as the token before lasts, a failure is
// none to the caller, and is not counted.
func (t *Tokens) learn(start time.Time, got Token, err error) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := AsTokenError(err)
	if err != nil && e == nil {
		return "", err
	}
	if e == nil {
		life := got.Life
		if life <= 0 {
			life = unknownLife
		}
		t.text, t.made, t.end = got.Text, start, start.Add(life)
		t.renew = t.end.Add(-min(renewBefore, life/4))
		t.failures, t.failed = 0, nil
		return got.Text, nil
	}
	failed, now := *e, time.Now()
	left := t.end.Sub(now)
	valid := t.text != "" && left > 0
	if !valid {
		t.failures++
	}
	pause, most := firstPause, maxServerPause
	if failed.Status == http.StatusTooManyRequests {
		pause, most = tokenRefusedPause, maxTokenPause
	}
	pause = max(pause<<max(t.failures-1, 0), min(failed.After, most))
	if valid {
		pause = max(pause, left/2)
	}
	failed.Lasting = failed.Lasting || t.failures >= Attempts
	t.failed, t.next = &failed, now.Add(pause)
	if valid {
		return t.text, nil
	}
	return "", t.failed
}

// due is when a request may have a token, which may be now.
func (t *Tokens) due(now time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.current(now); err != nil && !t.failed.Lasting {
		return t.next
	}
	return now
}

// refuse drops a token that the service did not accept, unless it was renewed meanwhile.
func (t *Tokens) refuse(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text == text {
		t.text, t.next = "", time.Time{}
	}
}

// old reports whether a token was renewed meanwhile, or was given long enough ago for the
// service to have ended it before its time.
func (t *Tokens) old(text string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text != text || time.Since(t.made) >= min(doubtAfter, t.end.Sub(t.made)/4)
}
