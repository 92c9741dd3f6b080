package port

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/transport"
)

// tokenMargin is how long before its end a token is not used any more.
const tokenMargin = time.Minute

// unknownLife is how long a token is used when the answer does not say how long
// it lasts. Port refuses it when that was too long, and it is renewed.
const unknownLife = time.Hour

type token struct {
	text, kind string
	end        time.Time
	made       time.Time // by Port's clock, as madeAt says
}

func (t token) header() string { return t.kind + " " + t.text }

// session sends requests with a token, which it gets and renews as needed.
type session struct {
	wire
	clientID, clientSecret string
	onToken                func(string) // nil for none

	turn chan struct{} // holds a value while a login is under way

	mu    sync.Mutex // guards what follows
	token token
}

// start gets an access token, and returns when Port was asked for it, by Port's clock: what
// Port stores from then on is no older. Each call that needs a token
// logs in by itself; to do it first finds wrong credentials early.
func (s *session) start(ctx context.Context) (at time.Time, err error) {
	var t token
	err = s.retry(ctx, callLogin.route(), transport.Attempts, false, func() (err error) {
		t, err = s.login(ctx)
		return err
	})
	return t.made, err
}

// callLogin is sent with the credential as its body.
//
// API: https://docs.port.io/api-reference/create-an-access-token
var callLogin = call{method: http.MethodPost, path: "/auth/access_token"}

// login gets a token when there is none that lasts, in one attempt.
func (s *session) login(ctx context.Context) (token, error) {
	if t, ok := s.current(); ok {
		return t, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return token{}, context.Cause(ctx)
	}
	if t, ok := s.current(); ok { // another call has logged in meanwhile
		return t, nil
	}
	body, err := json.Marshal(map[string]string{"clientId": s.clientID, "clientSecret": s.clientSecret})
	if err != nil {
		return token{}, err
	}
	var answer struct {
		AccessToken string    `json:"accessToken"`
		ExpiresIn   anyNumber `json:"expiresIn"`
		TokenType   string    `json:"tokenType"`
	}
	asked := time.Now()
	header, err := s.attempt(ctx, callLogin, body, "", &answer)
	if err != nil {
		return token{}, fmt.Errorf("log in to Port: %w", err)
	}
	if answer.AccessToken == "" {
		return token{}, traced(errors.New("log in to Port: the answer holds no token"), header.Get(traceHeader))
	}
	if answer.TokenType == "" {
		answer.TokenType = "Bearer"
	}
	if s.onToken != nil {
		s.onToken(answer.AccessToken)
	}
	life := time.Duration(answer.ExpiresIn.value * float64(time.Second))
	if life <= 0 {
		life = unknownLife
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token{
		text: answer.AccessToken,
		kind: answer.TokenType,
		end:  time.Now().Add(life - min(tokenMargin, life/2)),
		made: madeAt(header, asked),
	}
	return s.token, nil
}

// madeAt is when a token was asked for, by Port's clock. The header Date of its answer is to the
// second before. Where both clocks may show the same second, ours says more: with the Date alone,
// what a run stored would not be older than another run that begins in the same second, and would
// not be stale for it.
func madeAt(h http.Header, asked time.Time) time.Time {
	date, err := http.ParseTime(h.Get("Date"))
	switch {
	case err != nil:
		return asked
	case asked.Before(date), !asked.Before(date.Add(time.Second)): // another clock, or a second began meanwhile
		return date
	}
	return asked
}

// current is the token, when there is one that lasts.
func (s *session) current() (token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token, s.token.text != "" && time.Now().Before(s.token.end)
}

// forget drops a token that Port refused, unless it has been renewed meanwhile.
func (s *session) forget(t token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == t {
		s.token = token{}
	}
}

// do sends the call with a valid token, and decodes a good answer into the value,
// when there is one. A token that Port does not know any more is renewed once.
func (s *session) do(ctx context.Context, k call, into any) error {
	body, err := encode(k.body)
	if err != nil {
		return fmt.Errorf("%s: %w", k.where(), err)
	}
	attempts := cmp.Or(k.attempts, transport.Attempts)
	if k.brief {
		attempts = briefAttempts
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, briefTime, fmt.Errorf("%s: no answer within %s", k.where(), briefTime))
		defer stop()
	}
	renewed := false
	return s.retry(ctx, k.route(), attempts, k.brief, func() error {
		for {
			token, err := s.login(ctx)
			if err != nil {
				return err
			}
			header, err := s.attempt(ctx, k, body, token.header(), into)
			if err == nil && k.answered != nil {
				k.answered(header)
			}
			var again *transport.Again
			if k.once && errors.As(err, &again) {
				return again.Err
			}
			var e *Error
			if renewed || !errors.As(err, &e) || e.Status != http.StatusUnauthorized {
				return err
			}
			renewed = true
			s.forget(token)
		}
	})
}
