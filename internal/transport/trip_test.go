package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/transport"
)

func TestPoolRetiresARefusedToken(t *testing.T) {
	inBubble(t, hourly(1000), []bitbuckettest.Access{{}, {}}, func(w *world) {
		w.overlap()
		w.s.Fault(bitbuckettest.Fault{Status: http.StatusUnauthorized, Times: -1, Match: func(r *http.Request) bool {
			return r.Header.Get("Authorization") == "Bearer t1"
		}})
		w.equal("statuses", w.together(6, repositories), []int{200, 200, 200, 200, 200, 200})
		w.one(repositories, 200)
		asked := 0
		for _, x := range w.s.Journal() {
			if x.Credential == "t1" {
				asked++
			}
		}
		w.equal("requests with the refused token: those of the start alone, each once more", asked, 2*3)
		w.equal("log", w.log.String(),
			"level=WARN msg=\"credential refused: it is not used any more in this run\" credential=\"token 1 of 2\" status=401\n")
	})
}

func TestPoolHandsOnTheRefusalOfTheLastToken(t *testing.T) {
	inBubble(t, hourly(1000), []bitbuckettest.Access{{}, {}}, func(w *world) {
		w.s.Revoke("t1")
		w.s.Revoke("t2")
		status, body, err := w.get(context.Background(), repositories)
		if err != nil || status != 401 || !strings.Contains(body, "Token is invalid") {
			w.t.Errorf("got %d %q, %v, want the 401 with its body", status, body, err)
		}
		w.equal("requests", w.sent(), []string{"0s t1 401", "0s t1 401", "0s t2 401", "0s t2 401"})
		w.one(repositories, 401)
		w.equal("then, with the one that is left", w.s.Requests(), 5)
	})
}

// One refusal may be a fault of the service: the token is asked with once more, and stays.
func TestPoolAsksOnceMoreAfterARefusal(t *testing.T) {
	for _, tokens := range []int{1, 2} {
		t.Run(fmt.Sprint(tokens), func(t *testing.T) {
			inBubble(t, hourly(1000), make([]bitbuckettest.Access, tokens), func(w *world) {
				for _, n := range []int{1, 4} { // the first and the fourth request
					w.s.Fault(bitbuckettest.Fault{Status: 401, Nth: n, Match: bears("t1")})
				}
				for range 6 {
					w.one(repositories, 200)
				}
				w.equal("refused", w.pool.Unfit(), []transport.Unfit(nil))
				asked := 0
				for _, x := range w.s.Journal() {
					if x.Status == 401 && x.Credential != "t1" {
						t.Errorf("got %v, want t1 alone refused", x)
					}
					if x.Credential == "t1" {
						asked++
					}
				}
				w.equal("requests", w.s.Requests(), 8)
				if asked < 4 {
					t.Errorf("requests with t1: got %d, want it in use to the end", asked)
				}
			})
		})
	}
}

func bears(token string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token }
}
