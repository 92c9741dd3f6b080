package app_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// sparing is a remembering world whose tokens may make so many requests an hour.
func sparing(t *testing.T, each, tokens int) *world {
	t.Helper()
	w := remembering(t)
	w.env["BITBUCKET_RATE_LIMIT"] = fmt.Sprintf("%d/1h", each)
	var all []string
	for i := range tokens {
		all = append(all, fmt.Sprintf("token-%d-in-tests", i+1))
		w.bitbucket.AllowToken(all[i], bitbuckettest.Access{Limit: each})
	}
	w.env["BITBUCKET_WORKSPACE_TOKEN"] = strings.Join(all, ",")
	return w
}

// refusals are the requests that Bitbucket has answered by 429.
func (w *world) refusals() int {
	n := 0
	for _, x := range w.bitbucket.Journal() {
		if x.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

// With auto a run asks for what earlier ones have left of the allowance of this window, and the
// rest comes from memory; Bitbucket refuses nothing.
func TestMaxRequestsAuto(t *testing.T) {
	t.Parallel()
	w := sparing(t, 6, 1)
	synctest.Test(t, func(t *testing.T) {
		w.env["MAX_REQUESTS"] = "auto"
		var sent []time.Time // all requests so far
		nothing := 0         // runs for which nothing was left
		for i := range 12 {
			left := 6
			for _, at := range sent {
				if time.Since(at) < time.Hour {
					left--
				}
			}
			start := time.Now()
			r, paths := w.asked(nil)
			if len(paths) > left || w.refusals() > 0 || left > 0 && len(paths) == 0 {
				t.Errorf("run %d: got requests %q and %d refusals, want at most %d and none:\n%s", i, paths, w.refusals(), left, r.stdout)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("run %d: took %v", i, took)
			}
			for range paths {
				sent = append(sent, start)
			}
			if left > 0 {
				r.check(t, 0, "success")
				if got := r.number(t, "repositories_from_memory"); got < 4-left {
					t.Errorf("run %d: got %d repositories from memory, with %d requests left", i, got, left)
				}
			} else if nothing++; r.status == 0 || !strings.Contains(r.stdout, "max_requests is used up") {
				t.Errorf("run %d: got status %d, want that nothing was asked for:\n%s", i, r.status, r.stdout)
			}
			time.Sleep(10 * time.Minute)
		}
		if nothing == 0 || nothing > 8 {
			t.Errorf("nothing was left for %d of 12 runs, want some", nothing)
		}
		w.checkClean()
	})
}

// Each credential has an allowance of its own, however their order changes.
func TestSpendingOfEachCredential(t *testing.T) {
	t.Parallel()
	w := sparing(t, 3, 3)
	synctest.Test(t, func(t *testing.T) {
		w.env["MAX_REQUESTS"] = "auto"
		for i, want := range []int{4, 4, 1} {
			tokens := strings.Split(w.env["BITBUCKET_WORKSPACE_TOKEN"], ",")
			slices.Reverse(tokens)
			w.env["BITBUCKET_WORKSPACE_TOKEN"] = strings.Join(append(tokens[1:], tokens[0]), ",")
			if r, paths := w.asked(nil); len(paths) != want || w.refusals() > 0 {
				t.Errorf("run %d: got requests %q and %d refusals, want %d and none:\n%s", i, paths, w.refusals(), want, r.stdout)
			}
		}
	})
}

// A run without a bound waits where one that remembers nothing is refused.
func TestRunWaitsForTheOneBefore(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		folder   string
		refusals bool
	}{{"memory", false}, {"", true}} {
		t.Run(tt.folder, func(t *testing.T) {
			t.Parallel()
			w := sparing(t, 6, 1)
			synctest.Test(t, func(t *testing.T) {
				w.env["STATE_DIR"] = tt.folder
				for range 2 {
					w.run(nil).check(t, 0, "success")
				}
				if got := w.refusals() > 0; got != tt.refusals {
					t.Errorf("refused: got %v, want %v", got, tt.refusals)
				}
			})
		})
	}
}

// What a run has spent that is killed is known but for its last minute.
func TestSpendingOfAKilledRun(t *testing.T) {
	t.Parallel()
	w := sparing(t, 6, 1)
	synctest.Test(t, func(t *testing.T) {
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Delay: 50 * time.Second})
		w.bitbucket.OnRequest(func(_ int, r *http.Request) {
			if !strings.Contains(r.URL.Path, "/pullrequests") {
				return
			}
			w.bitbucket.OnRequest(nil)
			time.Sleep(20 * time.Second)
			if err := os.CopyFS(filepath.Join(w.dir, "killed"), os.DirFS(filepath.Join(w.dir, "memory"))); err != nil {
				t.Error(err)
			}
		})
		// Without examples, no list waits for what another one gives.
		w.run(map[string]string{"SEND_RAW_DATA_EXAMPLES": "false"})
		r, paths := w.asked(map[string]string{"STATE_DIR": "killed", "MAX_REQUESTS": "auto"})
		if len(paths) != 2 || !strings.Contains(r.stdout, "2 of 2 requests that max_requests allows") || w.refusals() > 0 {
			t.Errorf("got requests %q and %d refusals, want 2 of 2 and none:\n%s%s", paths, w.refusals(), r.stdout, r.stderr)
		}
	})
}

// A refusal ends the asking of a run with auto, and it does not wait; one with a number waits.
func TestRefusalEndsAuto(t *testing.T) {
	t.Parallel()
	for most, waits := range map[string]bool{"auto": false, "100": true} {
		t.Run(most, func(t *testing.T) {
			t.Parallel()
			w := remembering(t)
			synctest.Test(t, func(t *testing.T) {
				w.run(nil).check(t, 0, "success")
				w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/pullrequests", Status: http.StatusTooManyRequests})
				start := time.Now()
				r, _ := w.asked(map[string]string{"MAX_REQUESTS": most, "CONCURRENCY": "1"})
				if took := time.Since(start); took > 5*time.Second != waits {
					t.Errorf("took %v, waits: want %v", took, waits)
				}
				want := 3
				if waits {
					want = 0
				}
				if got := r.number(t, "repositories_from_memory"); got > want {
					t.Errorf("got %d repositories from memory, want at most %d:\n%s", got, want, r.stdout)
				}
				if waits {
					r.check(t, 0, "success")
				}
			})
		})
	}
}

// A workspace that needs more requests than an hour allows is read by hourly runs, each of which
// ends within its hour, in hardly more time than the allowance itself takes.
func TestHourlyRunsWithAuto(t *testing.T) {
	skipShort(t)
	t.Parallel()
	const (
		repositories = 200
		hourly       = 40 // requests
		pages        = 2  // of the list of repositories
	)
	b := bitbuckettest.New("acme")
	for i := range repositories {
		slug := fmt.Sprintf("service-%04d", i)
		b.AddRepository(bitbuckettest.Repository{Name: slug})
		b.AddPullRequest(slug, bitbuckettest.PullRequest{Title: "one"})
	}
	w := virtual(t, b)
	for host, inner := range w.transport.(hosts) {
		w.transport.(hosts)[host] = late{inner, 300 * time.Millisecond}
	}
	b.AllowToken(token, bitbuckettest.Access{Limit: hourly})
	maps.Copy(w.env, map[string]string{"STATE_DIR": "memory", "MAPPING": pullRequests, "MAX_REQUESTS": "auto", "BITBUCKET_RATE_LIMIT": fmt.Sprintf("%d/1h", hourly)})
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		for runs, known := 0, 0; known < repositories && runs < 10; runs++ {
			time.Sleep(time.Until(begun.Add(time.Duration(runs) * time.Hour)))
			start := time.Now()
			_, paths := w.asked(nil)
			if took := time.Since(start); took > 5*time.Minute {
				t.Errorf("run %d takes %v", runs, took)
			}
			known = len(w.port.Catalog()["bitbucketPullRequest"])
			if len(paths) != hourly && known < repositories {
				t.Errorf("run %d: got %d requests, want %d", runs, len(paths), hourly)
			}
		}
		least := (repositories + pages) * time.Hour / hourly
		if took := time.Since(begun); took > least*105/100 {
			t.Errorf("the first full picture takes %v, want at most 5 %% more than %v", took, least)
		}
		if w.refusals() > 0 {
			t.Errorf("got %d refusals, want none", w.refusals())
		}
	})
}
