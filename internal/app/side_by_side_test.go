package app_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

const apiToken = "api-token-in-tests"

// threeKinds is consuming with a workspace token and an API token beside the consumer, and all of
// them are wanted. Each may make so many requests an hour.
func threeKinds(t *testing.T, each int) *world {
	t.Helper()
	access := bitbuckettest.Access{Limit: each}
	w := consuming(t, bitbuckettest.Consumer{Access: access})
	w.bitbucket.AllowToken(token, access, bitbuckettest.Access{Name: "workspace", Limit: each})
	w.bitbucket.AllowBasic("dana@example.com", apiToken, access)
	maps.Copy(w.env, map[string]string{
		"BITBUCKET_WORKSPACE_TOKEN": token, "BITBUCKET_USER_EMAIL": "dana@example.com", "BITBUCKET_USER_SCOPED_TOKEN": apiToken,
		"CREDENTIALS": "all", "BITBUCKET_RATE_LIMIT": fmt.Sprintf("%d/1h", each), "SOURCE_READER": "rest",
	})
	return w
}

// by counts the requests of each credential, and those to lists of the workspace.
func (w *world) by() (all, lists map[string]int) {
	all, lists = map[string]int{}, map[string]int{}
	for _, x := range w.bitbucket.Journal() {
		switch {
		case x.Token:
		case strings.Contains(x.Path, "/repositories/acme/"):
			all[x.Credential]++
		default:
			all[x.Credential]++
			lists[x.Credential]++
		}
	}
	return all, lists
}

// With "all" the allowances of all kinds are spent before a run waits; with "first" that of the
// first kind.
func TestAllKindsSideBySide(t *testing.T) {
	t.Parallel()
	for use, waits := range map[string]bool{"all": false, "first": true, "": true} {
		t.Run(use, func(t *testing.T) {
			t.Parallel()
			w := threeKinds(t, 12)
			for _, slug := range numbered(26) {
				w.bitbucket.AddRepository(bitbuckettest.Repository{Name: slug})
			}
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				r := w.run(map[string]string{"CREDENTIALS": use, "MODE": "plan"})
				r.check(t, 0, "success")
				if got := time.Since(start) > time.Minute; got != waits {
					t.Errorf("the run took %v, waits: want %v", time.Since(start), waits)
				}
				all, lists := w.by()
				if len(lists) != 1 || lists["workspace"] == 0 {
					t.Errorf("lists of the workspace: got %v, want all with the workspace token", lists)
				}
				if want := 3; !waits && len(all) != want || waits && len(all) != 1 {
					t.Errorf("got requests %v, want all kinds to be used: %v", all, !waits)
				}
				if !waits {
					r.contains(t, "Bitbucket credential workspace token: ", "Bitbucket credential OAuth consumer: ", "Bitbucket credential API token: ", "3 credentials, each may make 12 in 1h")
				} else {
					r.contains(t, "the OAuth consumer is not used", "to use both, set credentials to all")
				}
				if w.refusals() > 0 {
					t.Errorf("got %d refusals", w.refusals())
				}
				w.checkClean()
				w.checkSecrets(r)
			})
		})
	}
}

// What another kind may not see is there all the same, over REST and over git, whatever the order
// in which credentials come to be used.
func TestAnotherKindSeesLess(t *testing.T) {
	t.Parallel()
	for _, reader := range []string{"rest", "git"} {
		for _, concurrency := range []string{"1", "10"} {
			t.Run(reader+" "+concurrency, func(t *testing.T) {
				t.Parallel()
				w := threeKinds(t, 1000)
				w.env["MAPPING"] = strings.Replace(withPulls, "title: .name", "title: file://README.md", 1)
				blind := bitbuckettest.Access{Hidden: []string{"checkout", "refunds"}}
				w.bitbucket.AllowBasic("dana@example.com", apiToken, blind)
				w.bitbucket.AllowConsumer(consumerID, consumerSecret, bitbuckettest.Consumer{Access: blind})
				synctest.Test(t, func(t *testing.T) {
					w.addStale()
					w.bitbucket.Fault(bitbuckettest.Fault{Times: -1, Delay: time.Second})
					r := w.run(map[string]string{"SOURCE_READER": reader, "CONCURRENCY": concurrency})
					r.check(t, 0, "success")
					if got := r.number(t, "entities_created"); got != 6 {
						t.Errorf("got %d entities created, want 6\n%s", got, r.stdout)
					}
					if got := w.port.Catalog()["bitbucketRepository"]["checkout"].Title; got != "# checkout" {
						t.Errorf("got the file %q, want that of the repository that others do not see", got)
					}
					if w.holds("bitbucketRepository", "stale") {
						t.Error("the stale entity was not deleted")
					}
					w.checkClean()
				})
			})
		}
	}
}

// Where the kind that decides what there is is refused, the others go on, and nothing is deleted:
// they may see less.
func TestLeadingKindIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		break_ func(w *world)
		want   string
	}{
		"workspace token": {func(w *world) { w.bitbucket.Revoke(token) }, "Bitbucket refused a credential (401), and the run went on with the others: workspace token"},
		"OAuth consumer": {func(w *world) {
			delete(w.env, "BITBUCKET_WORKSPACE_TOKEN")
			w.bitbucket.Revoke(consumerSecret)
		}, "a credential has no access token, and the run went on with the others: OAuth consumer; ask for an access token"},
		"slow tokens": {func(w *world) {
			delete(w.env, "BITBUCKET_WORKSPACE_TOKEN")
			w.bitbucket.Fault(bitbuckettest.Fault{Route: bitbuckettest.TokenRoute, Delay: time.Hour, Times: -1})
		}, "no complete answer within 30s"},
	}
	for name, tt := range tests {
		for _, reader := range []string{"rest", "git"} {
			t.Run(name+" "+reader, func(t *testing.T) {
				t.Parallel()
				w := threeKinds(t, 1000)
				tt.break_(w)
				w.bitbucket.AllowBasic("dana@example.com", apiToken, bitbuckettest.Access{Hidden: []string{"checkout"}})
				synctest.Test(t, func(t *testing.T) {
					w.addStale()
					r := w.run(map[string]string{"SOURCE_READER": reader})
					r.contains(t, tt.want, "stale entities of blueprint", "are not deleted: Bitbucket refused the credential that says what there is")
					if got := strings.Count(r.stdout, tt.want); got != 1 {
						t.Errorf("it is told %d times, want once:\n%s", got, r.stdout)
					}
					if !w.holds("bitbucketRepository", "stale") {
						t.Error("an entity was deleted")
					}
					if got := r.number(t, "entities_created"); got < 4 {
						t.Errorf("got %d entities created, want those of two repositories at least", got)
					}
					w.checkClean()
				})
			})
		}
	}
}

// A scope that one kind lacks, another one may have.
func TestAnotherKindHasTheScope(t *testing.T) {
	t.Parallel()
	w := threeKinds(t, 1000)
	w.bitbucket.AllowToken(token, bitbuckettest.Access{Scopes: []string{"project", "repository"}})
	synctest.Test(t, func(t *testing.T) {
		w.addStale()
		r := w.run(nil)
		r.check(t, 0, "success")
		if got := r.number(t, "entities_created"); got != 6 {
			t.Errorf("got %d entities created, want 6", got)
		}
		if w.holds("bitbucketRepository", "stale") {
			t.Error("the stale entity was not deleted")
		}
	})
}

// Where the kind that says what there is lacks the scope of a list, another one reads it, which may see
// less: nothing is deleted, and that is told.
func TestKindThatLeadsLacksTheScope(t *testing.T) {
	t.Parallel()
	w := threeKinds(t, 1000)
	synctest.Test(t, func(t *testing.T) {
		w.run(nil).check(t, 0, "success")
		if !w.holds("bitbucketRepository", "checkout") {
			t.Fatal("the repository is not there")
		}
		w.bitbucket.AllowToken(token, bitbuckettest.Access{Scopes: []string{"account"}})
		blind := bitbuckettest.Access{Hidden: []string{"checkout"}}
		w.bitbucket.AllowBasic("dana@example.com", apiToken, blind)
		w.bitbucket.AllowConsumer(consumerID, consumerSecret, bitbuckettest.Consumer{Access: blind})
		time.Sleep(2 * time.Hour)
		r := w.run(nil)
		if !w.holds("bitbucketRepository", "checkout") {
			t.Error("the repository that the others do not see was deleted")
		}
		r.contains(t, "Bitbucket refused the credential that says what there is, and others, which may see less, have read in its place: ")
	})
}

// A 404 that is true costs one more request, and is believed.
func TestWhatNoKindSees(t *testing.T) {
	t.Parallel()
	w := threeKinds(t, 1000)
	synctest.Test(t, func(t *testing.T) {
		w.addStale()
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/ledger/pullrequests", Times: -1, Status: http.StatusNotFound})
		r := w.run(map[string]string{"CONCURRENCY": "1"})
		if got := r.number(t, "entities_created"); got != 5 {
			t.Errorf("got %d entities created, want 5\n%s", got, r.stdout)
		}
		n := 0
		for _, x := range w.bitbucket.Journal() {
			if x.Status == http.StatusNotFound {
				n++
			}
		}
		if n > 2 {
			t.Errorf("asked %d times, want twice at most", n)
		}
	})
}
