package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

// consumer is a credential whose access tokens the emulator gives.
func consumer(s *bitbuckettest.Server) transport.Credential {
	s.AllowConsumer("key", "hush", bitbuckettest.Consumer{Life: time.Hour})
	ask := func(ctx context.Context) (transport.Token, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://bitbucket.test"+bitbuckettest.TokenRoute, strings.NewReader("grant_type=client_credentials"))
		if err != nil {
			return transport.Token{}, err
		}
		req.SetBasicAuth("key", "hush")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := s.RoundTripper().RoundTrip(req)
		if ctx.Err() != nil {
			return transport.Token{}, context.Cause(ctx)
		}
		if err != nil {
			return transport.Token{}, &transport.TokenError{Err: err}
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			after, _ := transport.RetryAfter(resp.Header)
			return transport.Token{}, &transport.TokenError{Err: fmt.Errorf("status %d", resp.StatusCode), Status: resp.StatusCode, Lasting: resp.StatusCode == http.StatusBadRequest, After: after}
		}
		var answer struct {
			Text string `json:"access_token"`
			Life int    `json:"expires_in"`
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		return transport.Token{Text: answer.Text, Life: time.Duration(answer.Life) * time.Second}, err
	}
	return transport.Credential{
		Name: "consumer", Tokens: transport.NewTokens(ask),
		Present: func(r *http.Request, token string) { r.Header.Set("Authorization", "Bearer "+token) },
	}
}

// consuming is a pool of a consumer alone, or before the given token, at an hour's allowance.
func consuming(t *testing.T, others []bitbuckettest.Access, test func(w *world)) {
	inBubble(t, transport.Rate{N: 1000, Window: time.Hour}, others, func(w *world) {
		w.tokens = append([]transport.Credential{consumer(w.s)}, w.tokens...)
		w.pool = transport.NewPool(w.s.RoundTripper(), w.tokens, transport.Rates{Default: transport.Rate{N: 1000, Window: time.Hour}}, transport.Service{Class: classOf, Progress: w.told}, nil, logger(w.log))
		test(w)
	})
}

// However many requests of however many pools want a token, one is asked for.
func TestOneTokenForAll(t *testing.T) {
	consuming(t, nil, func(w *world) {
		w.s.Fault(bitbuckettest.Fault{Route: bitbuckettest.TokenRoute, Times: -1, Delay: 5 * time.Second})
		other := transport.NewPool(w.s.RoundTripper(), w.tokens, transport.Rates{Default: transport.Rate{N: 1000, Window: time.Hour}}, transport.Service{Class: classOf}, nil, logger(w.log))
		var second []int
		var both sync.WaitGroup
		both.Go(func() { second = (&world{t: w.t, s: w.s, pool: other}).together(10, projects) })
		first := w.together(10, repositories)
		both.Wait()
		if got := append(first, second...); len(got) != 20 || slices.ContainsFunc(got, func(s int) bool { return s != 200 }) {
			w.t.Errorf("statuses: got %d, want 20 times 200", got)
		}
		if got := w.s.TokenRequests(); got != 1 {
			w.t.Errorf("got %d requests for tokens, want 1", got)
		}
		if took := time.Since(w.start); took != 5*time.Second {
			w.t.Errorf("took %v, want what one token takes", took)
		}
	})
}

// A request whose context ends while a token is asked for leaves it to the others.
func TestTokenAfterAnEndedContext(t *testing.T) {
	consuming(t, nil, func(w *world) {
		w.s.Fault(bitbuckettest.Fault{Route: bitbuckettest.TokenRoute, Times: -1, Delay: 10 * time.Second})
		over := errors.New("over")
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, over)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, _, err := w.get(ctx, repositories); !errors.Is(err, over) {
				w.t.Errorf("error: got %v, want %v", err, over)
			}
		})
		synctest.Wait()
		all.Go(func() { w.one(repositories, 200) })
		all.Wait()
		if got := w.s.TokenRequests(); got != 2 {
			w.t.Errorf("got %d requests for tokens, want 2", got)
		}
	})
}

// While one credential has no access token for a moment, others are used.
func TestOthersWhileThereIsNoToken(t *testing.T) {
	consuming(t, []bitbuckettest.Access{{}}, func(w *world) {
		w.s.Fault(bitbuckettest.Fault{Route: bitbuckettest.TokenRoute, Status: 503, Header: http.Header{"Retry-After": {"120"}}})
		for range 3 {
			w.one(repositories, 200)
		}
		if took := time.Since(w.start); took != 0 {
			w.t.Errorf("took %v, want no waiting", took)
		}
		time.Sleep(2 * time.Minute)
		w.one(repositories, 200)
		if got, want := strings.Join(w.sent(), ", "), "0s key 503, 0s t1 200, 0s t1 200, 0s t1 200, 2m0s key 200, 2m0s key 200"; got != want {
			w.t.Errorf("sent: got %s, want %s", got, want)
		}
		if got := w.pool.Unfit(); len(got) > 0 {
			w.t.Errorf("unfit: got %v, want none", got)
		}
	})
}

// A refused one is left out, and named with the reason.
func TestOthersWhereNoTokenIsGiven(t *testing.T) {
	consuming(t, []bitbuckettest.Access{{}}, func(w *world) {
		w.s.Fault(bitbuckettest.Fault{Route: bitbuckettest.TokenRoute, Status: 400, Times: -1})
		for range 3 {
			w.one(repositories, 200)
		}
		if got := w.s.TokenRequests(); got != 1 {
			w.t.Errorf("got %d requests for tokens, want 1", got)
		}
		got := w.pool.Unfit()
		if len(got) != 1 || got[0].Credential != "consumer" || got[0].Status != 400 || got[0].NoToken == nil {
			w.t.Errorf("unfit: got %+v, want the consumer with its reason", got)
		}
		if lines := w.pool.Credentials(); lines[0] != "consumer: 0 requests, no access token" {
			w.t.Errorf("credentials: got %q", lines)
		}
	})
}

// Alone it waits for what may pass, longer each time, and then fails, for good.
func TestNoTokenForLong(t *testing.T) {
	consuming(t, nil, func(w *world) {
		fired := w.s.Fault(bitbuckettest.Fault{Route: bitbuckettest.TokenRoute, Status: 429, Times: -1})
		for range 2 {
			_, _, err := w.get(context.Background(), repositories)
			if e := transport.AsTokenError(err); e == nil || !e.Lasting || e.Status != 429 {
				w.t.Errorf("error: got %v, want a lasting one of 429", err)
			}
		}
		if got := fired(); got != 5 {
			w.t.Errorf("got %d requests for tokens, want 5", got)
		}
		if took, want := time.Since(w.start), (1+2+4+8)*time.Minute; took != want {
			w.t.Errorf("took %v, want %v", took, want)
		}
		if got := waits(w.record); got != "0s to 15m0s: Bitbucket for an access token that was not given\n" {
			w.t.Errorf("got waits\n%s", got)
		}
	})
}
