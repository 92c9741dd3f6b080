package app_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

const (
	consumerID     = "consumer-key-in-tests"
	consumerSecret = "consumer-secret-in-tests"
)

// consuming is a virtual world of an OAuth consumer, whose repositories have a pull request each.
func consuming(t *testing.T, of bitbuckettest.Consumer) *world {
	t.Helper()
	w := virtual(t, smallBitbucket())
	for _, slug := range w.bitbucket.Slugs() {
		w.bitbucket.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "one"})
	}
	w.bitbucket.AllowConsumer(consumerID, consumerSecret, of)
	delete(w.env, "BITBUCKET_WORKSPACE_TOKEN")
	w.env["BITBUCKET_CLIENT_ID"], w.env["BITBUCKET_CLIENT_SECRET"] = consumerID, consumerSecret
	w.env["MAPPING"] = withPulls
	return w
}

// statuses are those of the requests to REST and to the git host, in order of arrival; those for
// tokens begin with a "t".
func (w *world) statuses() string {
	var all []string
	for _, x := range w.bitbucket.Journal() {
		text := fmt.Sprint(x.Status)
		if x.Token {
			text = "t" + text
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// checkSecrets fails when one of the consumer's secrets is in what a run has printed or written.
func (w *world) checkSecrets(r ran) {
	w.t.Helper()
	texts := r.stdout + r.stderr + w.read("report.json")
	secrets := append(w.bitbucket.ConsumerTokens(), consumerSecret)
	for _, secret := range slices.Clone(secrets) {
		secrets = append(secrets, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(consumerID+":"+secret)),
			base64.StdEncoding.EncodeToString([]byte("x-token-auth:"+secret)))
	}
	for _, secret := range secrets {
		if strings.Contains(texts, secret) {
			w.t.Errorf("a secret is shown: %q", secret)
		}
	}
}

// A consumer asks for one token, and reads with it over REST and over git.
func TestConsumer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"sync", "plan"} {
		for _, reader := range []string{"rest", "git"} {
			t.Run(mode+" "+reader, func(t *testing.T) {
				t.Parallel()
				w := consuming(t, bitbuckettest.Consumer{})
				w.env["MAPPING"] = strings.Replace(withPulls, "title: .name", "title: file://README.md", 1)
				synctest.Test(t, func(t *testing.T) {
					r := w.run(map[string]string{"MODE": mode, "SOURCE_READER": reader, "LOG_LEVEL": "debug"})
					r.check(t, 0, "success")
					if got := w.bitbucket.TokenRequests(); got != 1 {
						t.Errorf("got %d requests for tokens, want 1", got)
					}
					if got := w.bitbucket.GitRequests() > 0; got != (reader == "git") {
						t.Errorf("git was used: got %v", got)
					}
					first := w.bitbucket.Journal()[0]
					if first.Host != "bitbucket.org" || !first.Token {
						t.Errorf("the first request: got %s%s, want one for a token at bitbucket.org", first.Host, first.Path)
					}
					if mode == "plan" {
						r.contains(t, "Bitbucket credential OAuth consumer: ")
					}
					w.checkClean()
					w.checkSecrets(r)
				})
			})
		}
	}
}

// At another host the token is asked for there.
func TestConsumerOfAnotherHost(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.offContract() // the documents do not have the route of tokens
	w.bitbucket.AllowConsumer(consumerID, consumerSecret)
	w.env["MAPPING"] = repositories
	r := w.run(map[string]string{"BITBUCKET_WORKSPACE_TOKEN": "", "BITBUCKET_CLIENT_ID": consumerID, "BITBUCKET_CLIENT_SECRET": consumerSecret})
	r.check(t, 0, "success")
	for _, x := range w.bitbucket.Journal() {
		if x.Credential != consumerID || !strings.HasPrefix(w.env["BITBUCKET_HOST_URL"], "http://"+x.Host+"/") {
			t.Errorf("got a request to %s with %q", x.Host, x.Credential)
		}
	}
	w.checkClean()
	w.checkSecrets(r)
}

// Tokens are renewed before they end, however short they last, so that none is refused.
func TestTokensAreRenewedInTime(t *testing.T) {
	t.Parallel()
	for life, want := range map[time.Duration]int{2 * time.Hour: 2, time.Hour: 3, 20 * time.Second: 3} {
		t.Run(life.String(), func(t *testing.T) {
			t.Parallel()
			w := consuming(t, bitbuckettest.Consumer{Life: life, Access: bitbuckettest.Access{Limit: 10}})
			synctest.Test(t, func(t *testing.T) {
				for _, slug := range numbered(24) {
					w.bitbucket.AddRepository(bitbuckettest.Repository{Name: slug})
				}
				start := time.Now()
				r := w.run(map[string]string{"CONCURRENCY": "1", "BITBUCKET_RATE_LIMIT": "10/1h", "SYNC_STATUS": "false", "SHIP_LOGS": "false"})
				r.check(t, 0, "success")
				if got := strings.Trim(w.statuses(), "t20 "); got != "" {
					t.Errorf("a request was refused: %s", w.statuses())
				}
				if got := w.bitbucket.TokenRequests(); got != want {
					t.Errorf("got %d requests for tokens in %v, want %d", got, time.Since(start), want)
				}
				w.checkClean()
				w.checkSecrets(r)
			})
		})
	}
}

func numbered(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("service-%04d", i))
	}
	return all
}

// What the service says of the life of a token is believed as far as it can be.
func TestLifeOfATokenIsBelieved(t *testing.T) {
	t.Parallel()
	for said, want := range map[any]int{"60": 13, 60: 13, 59.5: 13, nil: 1, -1: 1, 0: 1, "soon": 1, 1e300: 1} {
		t.Run(fmt.Sprintf("%T %v", said, said), func(t *testing.T) {
			t.Parallel()
			w := consuming(t, bitbuckettest.Consumer{})
			synctest.Test(t, func(t *testing.T) {
				w.bitbucket.Fault(bitbuckettest.Fault{Route: bitbuckettest.TokenRoute, Times: -1, Mutate: func(o map[string]any) { o["expires_in"] = said }})
				w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/pullrequests", Times: -1, Delay: 50 * time.Second})
				for _, slug := range numbered(10) {
					w.bitbucket.AddRepository(bitbuckettest.Repository{Name: slug})
				}
				w.run(map[string]string{"CONCURRENCY": "1"}).check(t, 0, "success")
				if got := w.bitbucket.TokenRequests(); got != want {
					t.Errorf("got %d requests for tokens, want %d: %s", got, want, w.statuses())
				}
				w.checkClean()
			})
		})
	}
}

// A token that the service ends before its time is renewed once, by however many requests at once.
func TestTokenThatEndsEarly(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []string{"1", "10"} {
		t.Run(concurrency, func(t *testing.T) {
			t.Parallel()
			w := consuming(t, bitbuckettest.Consumer{})
			synctest.Test(t, func(t *testing.T) {
				w.bitbucket.Fault(bitbuckettest.Fault{Times: -1, Delay: time.Second})
				w.bitbucket.OnRequest(func(_ int, r *http.Request) {
					if strings.Contains(r.URL.Path, "/pullrequests") {
						w.bitbucket.OnRequest(nil)
						w.bitbucket.RevokeConsumerTokens(consumerID)
					}
				})
				r := w.run(map[string]string{"CONCURRENCY": concurrency})
				r.check(t, 0, "success")
				if got := r.number(t, "entities_created"); got != 6 {
					t.Errorf("got %d entities created, want 6", got)
				}
				w.checkStale(1)
				w.checkSecrets(r)
			})
		})
	}
}

// The git host says of a token that has ended what it says of a repository that is not there.
func TestTokenThatEndsEarlyOverGit(t *testing.T) {
	t.Parallel()
	w := consuming(t, bitbuckettest.Consumer{})
	w.env["MAPPING"] = strings.Replace(repositories, "title: .name", "title: file://README.md", 1)
	synctest.Test(t, func(t *testing.T) {
		w.bitbucket.Fault(bitbuckettest.Fault{Route: bitbuckettest.GitUpload, Times: -1, Delay: 20 * time.Second})
		n := 0
		w.bitbucket.OnRequest(func(_ int, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
				if n++; n == 5 {
					w.bitbucket.RevokeConsumerTokens(consumerID)
				}
			}
		})
		r := w.run(map[string]string{"CONCURRENCY": "1", "SOURCE_READER": "git"})
		r.check(t, 0, "success")
		if got := r.number(t, "entities_created"); got != 3 {
			t.Errorf("got %d entities created, want 3\n%s", got, r.stdout)
		}
		w.checkStale(1)
		w.checkSecrets(r)
		w.checkClean()
	})
}

// What a consumer has spent is known to the next run, whatever its access token is.
func TestSpendingOfAConsumer(t *testing.T) {
	t.Parallel()
	w := consuming(t, bitbuckettest.Consumer{Access: bitbuckettest.Access{Limit: 6}})
	maps.Copy(w.env, map[string]string{"STATE_DIR": "memory", "BITBUCKET_RATE_LIMIT": "6/1h"})
	synctest.Test(t, func(t *testing.T) {
		w.run(nil).check(t, 0, "success")
		before := w.bitbucket.Requests()
		w.run(map[string]string{"MAX_REQUESTS": "auto"})
		if got := w.bitbucket.Requests(); got != 6 || w.refusals() > 0 {
			t.Errorf("got %d requests of both runs, %d of the first one, and %d refusals, want the 6 of the allowance and none", got, before, w.refusals())
		}
		if got := w.bitbucket.TokenRequests(); got != 2 {
			t.Errorf("got %d requests for tokens, want one for each run", got)
		}
	})
}

// checkStale fails when a request was refused twice, or more tokens were asked for than by so many
// renewals.
func (w *world) checkStale(renewals int) {
	w.t.Helper()
	refused := map[string]int{}
	for _, x := range w.bitbucket.Journal() {
		if x.Status == http.StatusUnauthorized {
			refused[x.Path+"?"+x.RawQuery]++
		}
	}
	for address, n := range refused {
		if n > 1 {
			w.t.Errorf("%s was refused %d times: %s", address, n, w.statuses())
		}
	}
	if len(refused) == 0 {
		w.t.Error("no token was refused")
	}
	if got := w.bitbucket.TokenRequests(); got != 1+renewals {
		w.t.Errorf("got %d requests for tokens, want %d: %s", got, 1+renewals, w.statuses())
	}
}

// A token that is refused right after it was renewed is that of a credential that is denied.
func TestRenewedTokenIsRefused(t *testing.T) {
	t.Parallel()
	w := consuming(t, bitbuckettest.Consumer{})
	synctest.Test(t, func(t *testing.T) {
		w.addStale()
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/**", Times: -1, Status: http.StatusUnauthorized})
		r := w.run(map[string]string{"CONCURRENCY": "1"})
		r.check(t, 1, "failed")
		if got, want := w.statuses(), "t200 401 t200 401"; got != want {
			t.Errorf("got %s, want %s\n%s", got, want, r.stdout)
		}
		r.contains(t, "used was: OAuth consumer", "bitbucket_client_id")
		if !w.holds("bitbucketRepository", "stale") {
			t.Error("an entity was deleted")
		}
	})
}

// A refused request for a token says what to do, is not repeated, and nothing is deleted.
func TestConsumerIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		consumer *bitbuckettest.Consumer
		fault    bitbuckettest.Fault
		want     []string
	}{
		"wrong secret":   {nil, bitbuckettest.Fault{}, []string{"400 Bad Request: Invalid OAuth client credentials (unauthorized_client)", "check bitbucket_client_id and bitbucket_client_secret"}},
		"public":         {&bitbuckettest.Consumer{Public: true}, bitbuckettest.Fault{}, []string{"invalid_grant", `tick "This is a private consumer"`}},
		"no callback":    {&bitbuckettest.Consumer{NoCallback: true}, bitbuckettest.Fault{}, []string{"No callback uri", "write any address as the callback URL"}},
		"invalid_client": {&bitbuckettest.Consumer{}, bitbuckettest.Fault{Status: 400, Body: `{"error":"invalid_client"}`}, []string{"400 Bad Request (invalid_client)", "bitbucket_client_secret"}},
		"401":            {&bitbuckettest.Consumer{}, bitbuckettest.Fault{Status: 401}, []string{"401 Unauthorized", "bitbucket_client_secret"}},
		"403":            {&bitbuckettest.Consumer{}, bitbuckettest.Fault{Status: 403}, []string{"403 Forbidden", "bitbucket_client_secret"}},
		"404":            {&bitbuckettest.Consumer{}, bitbuckettest.Fault{Status: 404}, []string{"404 Not Found", "check bitbucket_host_url"}},
		"redirect":       {&bitbuckettest.Consumer{}, bitbuckettest.Fault{Redirect: "https://elsewhere.example/"}, []string{"302 Found", "no redirect is followed"}},
		"redirect here":  {&bitbuckettest.Consumer{}, bitbuckettest.Fault{Status: 307, Redirect: "https://bitbucket.org/site/oauth2/access_token"}, []string{"307 Temporary Redirect", "no redirect is followed"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := consuming(t, bitbuckettest.Consumer{})
			if tt.consumer != nil {
				w.bitbucket.AllowConsumer(consumerID, consumerSecret, *tt.consumer)
			} else {
				w.bitbucket.Revoke(consumerSecret)
			}
			synctest.Test(t, func(t *testing.T) {
				w.addStale()
				tt.fault.Route, tt.fault.Times = bitbuckettest.TokenRoute, -1
				w.bitbucket.Fault(tt.fault)
				r := w.run(nil)
				r.check(t, 1, "failed")
				r.contains(t, append(tt.want, "ask for an access token of the OAuth consumer: POST /site/oauth2/access_token at bitbucket.org")...)
				if got := len(w.bitbucket.Journal()); got != 1 {
					t.Errorf("got %d requests, want the one for a token: %s", got, w.statuses())
				}
				if !w.holds("bitbucketRepository", "stale") {
					t.Error("an entity was deleted")
				}
				w.checkClean()
				w.checkSecrets(r)
			})
		})
	}
}

// What may pass is asked again, five times in all.
func TestTokenAfterAFault(t *testing.T) {
	t.Parallel()
	faults := map[string]bitbuckettest.Fault{
		"429": {Status: 429, Body: "Rate limit for this resource has been exceeded"}, "500": {Status: 500}, "503": {Status: 503, Header: http.Header{"Retry-After": {"20"}}},
		"HTML": {Status: 200, Body: "<html>Maintenance</html>"}, "{}": {Status: 200, Body: "{}"}, "null": {Status: 200, Body: "null "}, "empty": {Rewrite: func([]byte) []byte { return nil }},
		"another type": {Mutate: func(o map[string]any) { o["token_type"] = "mac" }}, "line break": {Mutate: func(o map[string]any) { o["access_token"] = "a\nb" }},
		"slow": {Delay: 24 * time.Hour}, "stall": {StallBody: 5}, "cut off": {TruncateBody: 5}, "reset": {DropConnection: true},
	}
	for name, fault := range faults {
		for _, times := range []int{1, 4, -1} {
			t.Run(fmt.Sprintf("%s %d", name, times), func(t *testing.T) {
				t.Parallel()
				w := consuming(t, bitbuckettest.Consumer{})
				fault := fault // the cases of one fault run side by side
				synctest.Test(t, func(t *testing.T) {
					fault.Route, fault.Times = bitbuckettest.TokenRoute, times
					fired := w.bitbucket.Fault(fault)
					r := w.run(nil)
					want := times
					if times < 0 {
						want = 5
						r.check(t, 1, "failed")
						r.contains(t, "ask for an access token of the OAuth consumer")
						if got := w.bitbucket.Requests(); got != 0 {
							t.Errorf("got %d requests without a token", got)
						}
					} else {
						r.check(t, 0, "success")
					}
					if got := fired(); got != want {
						t.Errorf("got %d faults, want %d", got, want)
					}
					w.checkClean()
					w.checkSecrets(r)
				})
			})
		}
	}
}

// While a token lasts, a renewal that fails costs nothing.
func TestRenewalFailsForAWhile(t *testing.T) {
	t.Parallel()
	w := consuming(t, bitbuckettest.Consumer{Life: time.Hour})
	synctest.Test(t, func(t *testing.T) {
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/pullrequests", Times: -1, Delay: 55 * time.Second})
		for _, slug := range numbered(70) {
			w.bitbucket.AddRepository(bitbuckettest.Repository{Name: slug})
		}
		fired := w.bitbucket.Fault(bitbuckettest.Fault{Route: bitbuckettest.TokenRoute, Nth: 2, Times: 3, Status: 500})
		w.run(map[string]string{"CONCURRENCY": "1"}).check(t, 0, "success")
		if fired() != 3 || strings.Contains(w.statuses(), "401") {
			t.Errorf("got %d faults, want 3, and none for the API: %s", fired(), w.statuses())
		}
	})
}
